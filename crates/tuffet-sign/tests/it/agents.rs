//! Keys of a real ssh-agent, and of one that lies.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;
use tuffet_core::crypto::{PublicKey, Scheme};
use tuffet_sign::{AgentIdentity, FileKey, Signer, SigningBackend, agent};

use crate::matrix;
use crate::python;
use crate::surroundings::{again, inside, is_accepted, open, refused};

/// An agent that ends with the test.
struct Agent {
    process: Child,
    directory: TempDir,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Agent {
    /// Starts an agent; `None` if OpenSSH is not installed.
    fn start() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("ssh-agent");
        command
            .arg("-D")
            .arg("-a")
            .arg(directory.path().join("socket"));
        let process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = match process {
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
        assert!(line.contains("socket"), "{line}");
        Some(Self { process, directory })
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.directory.path())
            .env("SSH_AUTH_SOCK", self.socket())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    }

    /// Makes a key and gives it to the agent.
    fn add(&self, kind: &str, bits: &str, comment: &str) {
        let file = format!("{kind}-{bits}-{comment}");
        let make = [
            "-q", "-t", kind, "-b", bits, "-N", "", "-C", comment, "-f", &file,
        ];
        self.run("ssh-keygen", &make);
        self.run("ssh-add", &["-q", &file]);
    }
}

/// The comment of the key that signs with a scheme.
fn comment(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Ed25519 => "ed25519",
        Scheme::EcdsaP256Sha256 => "p256",
        Scheme::EcdsaP384Sha384 => "p384",
        Scheme::EcdsaP521Sha512 => "p521",
        _ => "rsa",
    }
}

#[test]
fn every_scheme_of_an_agent_is_accepted() {
    const NAME: &str = "agents::every_scheme_of_an_agent_is_accepted";
    if inside(NAME) {
        for scheme in Scheme::ALL {
            let uri = format!("ssh-agent:{}?scheme={scheme}", comment(scheme));
            if matrix::agents().contains(&scheme) {
                is_accepted(&*open(&uri), scheme);
            } else {
                assert_eq!(refused(&uri).code(), "key.scheme", "{scheme}");
            }
        }
        python::accepts_all();
        let identities = agent::identities().unwrap();
        assert_eq!(identities.len(), 5);
        for identity in identities {
            let by_name = open(&format!("ssh-agent:{}", identity.comment));
            let by_digest = open(&format!("ssh-agent:{}", identity.fingerprint()));
            assert_eq!(by_name.public(), by_digest.public());
            assert_eq!(identity.scheme(), Some(by_name.public().scheme()));
        }
        return;
    }
    let Some(agent) = Agent::start() else { return };
    for (kind, bits, comment) in [
        ("ed25519", "256", "ed25519"),
        ("ecdsa", "256", "p256"),
        ("ecdsa", "384", "p384"),
        ("ecdsa", "521", "p521"),
        ("rsa", "2048", "rsa"),
    ] {
        agent.add(kind, bits, comment);
    }
    again(NAME, &[("SSH_AUTH_SOCK", agent.socket().as_ref())]);
}

#[test]
fn a_key_of_an_agent_is_exactly_the_one_that_is_named() {
    const NAME: &str = "agents::a_key_of_an_agent_is_exactly_the_one_that_is_named";
    if inside(NAME) {
        let error = refused("ssh-agent:sam");
        assert_eq!(error.code(), "key.several");
        let error = refused("ssh-agent:ben");
        assert_eq!(error.code(), "key.absent");
        // Whoever looked for another key sees what there is.
        assert!(error.to_string().contains("sam (SHA256:"), "{error}");
        let nobody = AgentIdentity::Fingerprint([0; 32]);
        assert_eq!(refused(&format!("ssh-agent:{nobody}")).code(), "key.absent");
        // An agent takes no message that is longer than this.
        let identities = agent::identities().unwrap();
        let one = open(&format!("ssh-agent:{}", identities[0].fingerprint()));
        assert!(one.sign(&vec![0; 200 * 1024]).is_ok());
        assert_eq!(
            one.sign(&vec![0; 256 * 1024]).unwrap_err().code(),
            "key.agent"
        );
        return;
    }
    let Some(agent) = Agent::start() else { return };
    agent.add("ed25519", "256", "sam");
    agent.add("ecdsa", "256", "sam");
    again(NAME, &[("SSH_AUTH_SOCK", agent.socket().as_ref())]);
}

/// Bytes with their length before them, as SSH writes them.
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length, bytes].concat()
}

/// An agent that shows one key and signs with another.
fn lie(listener: &UnixListener, shown: &FileKey, used: &FileKey) {
    let PublicKey::Ed25519(key) = shown.public().public() else {
        panic!("another kind of key")
    };
    let named = |bytes: &[u8]| string(&[string(b"ssh-ed25519"), string(bytes)].concat());
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut length = [0; 4];
        stream.read_exact(&mut length).unwrap();
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut request).unwrap();
        let answer = if request[0] == 11 {
            [&[12, 0, 0, 0, 1][..], &named(key), &string(b"sam")].concat()
        } else {
            // After the kind of request: the key, the message, flags.
            let after = 1 + named(key).len() + 4;
            let message = &request[after..request.len() - 4];
            let signature = used.sign_unconfirmed(message).unwrap();
            [&[14][..], &named(&signature)].concat()
        };
        stream.write_all(&string(&answer)).unwrap();
    }
}

#[test]
fn an_agent_that_signs_with_another_key_than_it_shows_signs_nothing() {
    const NAME: &str = "agents::an_agent_that_signs_with_another_key_than_it_shows_signs_nothing";
    if inside(NAME) {
        let honest = std::env::var_os("HONEST").is_some();
        let signed = open("ssh-agent:sam").sign(b"message").map(drop);
        let code = signed.map_err(|error| error.code());
        assert_eq!(code, if honest { Ok(()) } else { Err("key.mismatch") });
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for honest in [false, true] {
        let socket = directory.path().join(format!("socket-{honest}"));
        let listener = UnixListener::bind(&socket).unwrap();
        thread::spawn(move || {
            let [shown, used] = [(); 2].map(|()| FileKey::generate(Scheme::Ed25519).unwrap());
            lie(&listener, &shown, if honest { &shown } else { &used });
        });
        let mut variables = vec![("SSH_AUTH_SOCK", socket.as_ref())];
        variables.extend(honest.then_some(("HONEST", "yes".as_ref())));
        again(NAME, &variables);
    }
}

#[test]
fn an_agent_that_is_not_there_is_said_to_be_so() {
    const NAME: &str = "agents::an_agent_that_is_not_there_is_said_to_be_so";
    if inside(NAME) {
        let error = refused("ssh-agent:sam");
        assert_eq!(error.code(), "key.agent");
        assert!(error.to_string().contains("cannot be reached"), "{error}");
        return;
    }
    let nowhere = Path::new("/nonexistent/socket");
    again(NAME, &[("SSH_AUTH_SOCK", nowhere.as_ref())]);
}

/// Runs a program of GnuPG with a home of its own; `None` if there is none.
fn gnupg(home: &Path, program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--homedir").arg(home).args(arguments);
    let output = command.stdin(Stdio::null()).output();
    let output = output
        .inspect_err(|error| println!("skipped: {program} cannot be run: {error}"))
        .ok()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Ends the agent that GnuPG has started.
struct Gnupg(TempDir);

impl Drop for Gnupg {
    fn drop(&mut self) {
        gnupg(self.0.path(), "gpgconf", &["--kill", "gpg-agent"]);
    }
}

#[test]
fn a_key_of_gnupg_signs_like_that_of_any_agent() {
    const NAME: &str = "agents::a_key_of_gnupg_signs_like_that_of_any_agent";
    if inside(NAME) {
        let identities = agent::identities().unwrap();
        let [identity] = identities.as_slice() else {
            panic!("{identities:?}");
        };
        let key = open(&format!("ssh-agent:{}", identity.fingerprint()));
        is_accepted(&*key, Scheme::Ed25519);
        return;
    }
    // The recipe of docs/keys.md, step by step.
    let directory = Gnupg(tempfile::tempdir().unwrap());
    let home = directory.0.path();
    let agent = "enable-ssh-support\n";
    std::fs::write(home.join("gpg-agent.conf"), agent).unwrap();
    let make = [
        "--batch",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
        "--quick-generate-key",
        "sam",
        "ed25519",
        "auth",
        "never",
    ];
    if gnupg(home, "gpg", &make).is_none() {
        return;
    }
    let listed = gnupg(
        home,
        "gpg",
        &["--list-keys", "--with-keygrip", "--with-colons"],
    )
    .unwrap();
    let keygrip = listed.lines().find_map(|line| line.strip_prefix("grp:"));
    let keygrip = keygrip.unwrap().trim_matches(':');
    std::fs::write(home.join("sshcontrol"), format!("{keygrip}\n")).unwrap();
    let Some(socket) = gnupg(home, "gpgconf", &["--list-dirs", "agent-ssh-socket"]) else {
        return;
    };
    again(NAME, &[("SSH_AUTH_SOCK", socket.trim().as_ref())]);
}
