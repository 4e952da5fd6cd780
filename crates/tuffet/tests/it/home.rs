//! An empty home directory, and the program run in it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The program.
pub(crate) const TUFFET: &str = env!("CARGO_BIN_EXE_tuffet");

/// A user with nothing but an empty home directory.
pub(crate) struct Home {
    directory: TempDir,
}

/// How a run ended, and what it said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory }
    }

    /// A home with a published repository in `web`, made by the keys ana and ben (2 of 2), with `app.txt` and `dir/tool.txt`.
    pub(crate) fn with_repository() -> Self {
        let home = Self::new();
        for key in ["ana", "ben"] {
            home.ok(&["key", "new", key, "--no-passphrase"]);
        }
        home.found(&["--root", "2of2", "--key", "ana", "--key", "ben"]);
        home.write("app.txt", "application 1\n");
        home.write("tool.txt", "tool 1\n");
        home.ok(&["target", "add", "app.txt", "--repo", "acme"]);
        home.ok(&[
            "target",
            "add",
            "tool.txt",
            "--name",
            "dir/tool.txt",
            "--repo",
            "acme",
        ]);
        home.publish();
        home
    }

    /// The same, and a client that trusts the repository as `acme`.
    pub(crate) fn with_client() -> Self {
        let home = Self::with_repository();
        home.ok(&[
            "trust",
            "add",
            "acme",
            "web",
            "--root",
            "web/metadata/1.root.json",
        ]);
        home
    }

    /// Makes the repository `acme` with an online key, to be published to `web`; the options say who signs root and targets.
    pub(crate) fn found(&self, options: &[&str]) -> Run {
        let place = ["--new-online-key", "--publish-to", "../web"];
        self.ok(&[&["init", "acme"], options, &place[..]].concat())
    }

    pub(crate) fn publish(&self) {
        self.ok(&["publish", "--repo", "acme", "--key", "ana", "--key", "ben"]);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The published file of a target, by the end of its name.
    pub(crate) fn published(&self, directory: &str, name: &str) -> PathBuf {
        fs::read_dir(self.path(directory))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_string_lossy().ends_with(&format!(".{name}")))
            .unwrap()
    }

    /// Every file below a directory and its content.
    pub(crate) fn all_below(&self, directory: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let (mut files, mut left) = (BTreeMap::new(), vec![self.path(directory)]);
        while let Some(directory) = left.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    left.push(path);
                } else {
                    files.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        files
    }

    /// The program, with nothing of the environment of the tests but a path.
    pub(crate) fn command(&self) -> Command {
        self.program(TUFFET)
    }

    /// Another program, in the same surroundings; `tuffet` is found on its path.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let path = Path::new(TUFFET).parent().unwrap().display().to_string();
        let system = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.directory.path())
            .env("PATH", format!("{path}:{system}"))
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        finish(self.command().args(arguments))
    }

    /// Runs the program with something on stdin.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Run::of(child.wait_with_output().unwrap())
    }

    /// Runs the program, which must succeed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.exit, 0, "{arguments:?}: {run:?}");
        run
    }

    /// Runs the program, which must fail with this exit and code.
    pub(crate) fn fails(&self, exit: i32, code: &str, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.exit, exit, "{arguments:?}: {run:?}");
        assert!(
            run.err.contains(&format!("error[{code}]: ")),
            "{arguments:?}: {run:?}"
        );
        run
    }

    /// Runs the program with `--json`; whatever it prints on stdout must be JSON objects, one a line.
    pub(crate) fn json(&self, arguments: &[&str]) -> (i32, Vec<Value>) {
        let run = finish(self.command().args(arguments).arg("--json"));
        let parse = |line: &str| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {line}"))
        };
        (run.exit, run.out.lines().map(parse).collect())
    }

    /// Serves a directory; returns the process and the URL.
    pub(crate) fn serve(&self, directory: &str) -> Server {
        let mut child = self
            .command()
            .args(["serve", directory, "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        Server {
            child,
            url: url.trim().to_owned(),
        }
    }
}

/// A running `tuffet serve`.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Run {
    /// What was said, without the ends of lines.
    pub(crate) fn said(&self) -> String {
        let words: Vec<&str> = self.err.split_whitespace().collect();
        words.join(" ")
    }

    fn of(output: std::process::Output) -> Self {
        Self {
            exit: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Run {
    Run::of(command.output().unwrap())
}
