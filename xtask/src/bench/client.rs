//! The programs that are measured, and how each is asked to fetch the target `payload`.

use crate::command;
use crate::report::Failure;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that fetches a target.
pub(super) struct Client {
    name: &'static str,
    kind: Kind,
}

enum Kind {
    /// Our command line, as a user calls it.
    Tuffet(PathBuf),
    /// `PROGRAM METADATA_URL TARGETS_URL ROOT_FILE OUT_DIR TARGET`.
    Program(Vec<PathBuf>),
    /// Receives, hashes and writes the bytes of one path, and nothing else.
    Floor(PathBuf, String),
}

impl Client {
    pub(super) fn tuffet(program: PathBuf) -> Self {
        Self {
            name: "tuffet",
            kind: Kind::Tuffet(program),
        }
    }

    pub(super) fn program(name: &'static str, words: Vec<PathBuf>) -> Self {
        Self {
            name,
            kind: Kind::Program(words),
        }
    }

    pub(super) fn floor(program: PathBuf, path: String) -> Self {
        Self {
            name: "receive, hash, write",
            kind: Kind::Floor(program, path),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// What a user has done long before: not measured.
    pub(super) fn prepare(&self, url: &str, repository: &Path, work: &Path) -> Result<(), Failure> {
        if let Kind::Tuffet(program) = &self.kind {
            let mut trust = homed(program, work);
            trust
                .args(["trust", "add", "bench", url, "--root"])
                .arg(root(repository));
            command::output(&mut trust)?;
        }
        Ok(())
    }

    /// The command that is measured.
    pub(super) fn fetch(&self, url: &str, repository: &Path, work: &Path) -> Command {
        match &self.kind {
            Kind::Tuffet(program) => {
                let mut get = homed(program, work);
                get.args(["get", "bench:payload", "--output"])
                    .arg(work.join("targets"));
                get
            }
            Kind::Program(words) => {
                let mut words = words.iter();
                let mut fetch = Command::new(words.next().map_or(Path::new(""), PathBuf::as_path));
                fetch
                    .args(words)
                    .arg(format!("{url}/metadata/"))
                    .arg(format!("{url}/targets/"));
                fetch.arg(root(repository)).arg(work).arg("payload");
                fetch
            }
            Kind::Floor(program, path) => {
                let mut receive = Command::new(program);
                receive
                    .arg(url.trim_start_matches("http://"))
                    .arg(path)
                    .arg(work.join("payload"));
                receive
            }
        }
    }

    /// Removes the downloaded target, so that it is fetched again.
    pub(super) fn forget_target(&self, work: &Path) -> Result<(), Failure> {
        let targets = work.join("targets");
        fs::remove_dir_all(&targets).map_err(|error| Failure::file(&targets, error))?;
        fs::create_dir_all(&targets).map_err(|error| Failure::file(&targets, error))
    }
}

fn root(repository: &Path) -> PathBuf {
    repository.join("metadata/1.root.json")
}

/// Our program with everything it keeps below the work directory.
fn homed(program: &Path, work: &Path) -> Command {
    let mut command = Command::new(program);
    for name in [
        "HOME",
        "TUFFET_CONFIG_DIR",
        "TUFFET_DATA_DIR",
        "TUFFET_CACHE_DIR",
    ] {
        command.env(name, work.join(name.to_lowercase()));
    }
    command
}

/// The measurements of each client, by its name.
pub(super) type Rows = Vec<(String, Vec<Measured>)>;

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    /// Seconds of processor time, in the program and in the kernel for it.
    pub(super) cpu: f64,
    /// The most memory the process held, in KiB.
    pub(super) peak_kib: f64,
    /// Seconds that passed.
    pub(super) wall: f64,
}

impl Measured {
    /// Reads what `measure.py` prints; `None` if the program failed.
    pub(super) fn read(value: &Value) -> Option<Self> {
        (value["code"] == 0).then_some(())?;
        Some(Self {
            cpu: value["cpu"].as_f64()?,
            peak_kib: value["peak_kib"].as_f64()?,
            wall: value["wall"].as_f64()?,
        })
    }
}
