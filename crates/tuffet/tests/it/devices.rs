//! A real ssh-agent and a real token of SoftHSM, in the home of a test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::home::{Home, Run, finish};

/// An agent that ends with the test.
pub(crate) struct Agent {
    process: Child,
    socket: PathBuf,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Agent {
    /// Starts an agent with one key, an Ed25519 one of that comment; `None` if OpenSSH is not installed.
    pub(crate) fn start(home: &Home, comment: &str) -> Option<Self> {
        let socket = home.path("agent");
        let mut command = home.program("ssh-agent");
        command.arg("-D").arg("-a").arg(&socket);
        let mut process = match command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() {
            Ok(process) => process,
            Err(error) => {
                println!("skipped: ssh-agent cannot be run: {error}");
                return None;
            }
        };
        // It says where it listens when it does.
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let agent = Self { process, socket };
        let make = [
            "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", "ssh-key",
        ];
        for (program, arguments) in [("ssh-keygen", &make[..]), ("ssh-add", &["-q", "ssh-key"])] {
            let mut command = home.program(program);
            let run = finish(command.args(arguments).env("SSH_AUTH_SOCK", &agent.socket));
            assert_eq!(run.exit, 0, "{program}: {run:?}");
        }
        Some(agent)
    }

    /// Runs tuffet with the agent.
    pub(crate) fn run(&self, home: &Home, arguments: &[&str]) -> Run {
        let mut command = home.command();
        self.reach(command.args(arguments));
        finish(&mut command)
    }

    /// Lets a program reach the agent.
    pub(crate) fn reach(&self, command: &mut Command) {
        command.env("SSH_AUTH_SOCK", &self.socket);
    }
}

/// The PIN of every token.
#[cfg(feature = "pkcs11")]
pub(crate) const PIN: &str = "123456";

/// A token, and the library that reaches it.
pub(crate) struct SoftHsm {
    pub(crate) library: PathBuf,
    configuration: PathBuf,
}

impl SoftHsm {
    /// Makes a token with that label, and `key.pem` on it under that label, identifier 2; `None` if SoftHSM is not installed.
    pub(crate) fn with_key(home: &Home, label: &str) -> Option<Self> {
        let places = [
            "/usr/lib/softhsm/libsofthsm2.so",
            "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
            "/usr/lib64/pkcs11/libsofthsm2.so",
            "/usr/local/lib/softhsm/libsofthsm2.so",
            "/opt/homebrew/lib/softhsm/libsofthsm2.so",
        ];
        let library = places.iter().map(PathBuf::from).find(|path| path.is_file());
        let has_tool = Command::new("softhsm2-util")
            .arg("--version")
            .output()
            .is_ok();
        let Some(library) = library.filter(|_| has_tool) else {
            println!("skipped: SoftHSM is not installed");
            return None;
        };
        fs::create_dir(home.path("tokens")).unwrap();
        let text = format!("directories.tokendir = {}\n", home.path("tokens").display());
        home.write("softhsm2.conf", &text);
        let made = Self {
            library,
            configuration: home.path("softhsm2.conf"),
        };
        home.ok(&[
            "key",
            "new",
            "made",
            "--scheme",
            "ecdsa-sha2-nistp256",
            "--no-passphrase",
            "-o",
            ".",
        ]);
        let init = [
            "--init-token",
            "--free",
            "--so-pin",
            "87654321",
            "--label",
            label,
        ];
        let import = [
            "--import", "made.key", "--token", label, "--label", label, "--id", "02",
        ];
        for arguments in [&init[..], &import] {
            let mut command = home.program("softhsm2-util");
            command
                .args(arguments)
                .args(["--pin", PIN])
                .env("SOFTHSM2_CONF", &made.configuration);
            let run = finish(&mut command);
            assert_eq!(run.exit, 0, "{arguments:?}: {run:?}");
        }
        home.write("pin", &format!("{PIN}\n"));
        Some(made)
    }

    /// Runs tuffet with the token.
    pub(crate) fn run(&self, home: &Home, arguments: &[&str]) -> Run {
        let mut command = home.command();
        command
            .args(arguments)
            .env("SOFTHSM2_CONF", &self.configuration);
        finish(&mut command)
    }

    /// Lets a program reach the token, by a URI that does not name the library.
    #[cfg(all(unix, feature = "pkcs11"))]
    pub(crate) fn reach(&self, command: &mut Command) {
        command
            .env("SOFTHSM2_CONF", &self.configuration)
            .env("TUFFET_PKCS11_MODULE", &self.library);
    }
}
