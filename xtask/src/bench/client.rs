//! The programs that are measured, and how each is asked to fetch.

use crate::command;
use crate::peers;
use crate::report::Failure;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that fetches targets.
pub(super) struct Client {
    name: String,
    kind: Kind,
}

enum Kind {
    /// Our command line, as a user calls it, with so many downloads at a time.
    Tuffet(PathBuf, usize),
    /// Another client, behind the command line of the conformance suite.
    Peer(peers::Client),
    /// Receives, hashes and writes the bytes of one path, and nothing else.
    Receive(PathBuf, String),
    /// Reads these files, hashes them and verifies one signature on each, and nothing else.
    Limit(PathBuf, Vec<PathBuf>),
}

impl Client {
    pub(super) fn tuffet(program: PathBuf) -> Self {
        Self {
            name: "tuffet".into(),
            kind: Kind::Tuffet(program, 1),
        }
    }

    /// As [`Client::tuffet`], with several downloads at a time.
    pub(super) fn tuffet_parallel(program: PathBuf, parallel: usize) -> Self {
        Self {
            name: format!("tuffet, {parallel} at a time"),
            kind: Kind::Tuffet(program, parallel),
        }
    }

    pub(super) fn peer(peer: peers::Client) -> Self {
        Self {
            name: peer.name.clone(),
            kind: Kind::Peer(peer),
        }
    }

    pub(super) fn receive(program: PathBuf, path: String) -> Self {
        Self {
            name: "receive, hash, write".into(),
            kind: Kind::Receive(program, path),
        }
    }

    pub(super) fn limit(program: PathBuf, files: Vec<PathBuf>) -> Self {
        Self {
            name: LIMIT.into(),
            kind: Kind::Limit(program, files),
        }
    }

    /// Whether it is ours.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self.kind, Kind::Tuffet(..))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What a user has done long before: not measured.
    pub(super) fn prepare(&self, url: &str, repository: &Path, work: &Path) -> Result<(), Failure> {
        match &self.kind {
            Kind::Tuffet(program, _) => {
                let mut trust = homed(program, work);
                trust.args(["trust", "add", "bench", url, "--root"]);
                command::output(trust.arg(root(repository)))?;
            }
            Kind::Peer(peer) => {
                let mut init = start(peer);
                init.arg("--metadata-dir").arg(work.join("metadata"));
                command::output(init.arg("init").arg(root(repository)))?;
            }
            Kind::Receive(..) | Kind::Limit(..) => {}
        }
        Ok(())
    }

    /// The command that is measured: fetches all of these.
    pub(super) fn fetch(&self, url: &str, work: &Path, targets: &[String]) -> Command {
        match &self.kind {
            Kind::Tuffet(program, parallel) => {
                let mut get = homed(program, work);
                get.arg("get");
                get.args(targets.iter().map(|target| format!("bench:{target}")));
                get.arg("--output").arg(work.join("targets"));
                get.arg("--parallel").arg(parallel.to_string());
                get
            }
            Kind::Peer(peer) => {
                let mut download = start(peer);
                download.arg("--metadata-dir").arg(work.join("metadata"));
                download
                    .arg("--metadata-url")
                    .arg(format!("{url}/metadata"));
                for target in targets {
                    download.arg("--target-name").arg(target);
                }
                download
                    .arg("--target-base-url")
                    .arg(format!("{url}/targets"));
                download.arg("--target-dir").arg(work.join("targets"));
                download.arg("download");
                download
            }
            Kind::Limit(program, files) => {
                let mut limit = Command::new(program);
                limit.arg("limit").args(files);
                limit
            }
            Kind::Receive(program, path) => {
                let mut receive = Command::new(program);
                receive
                    .arg(url.trim_start_matches("http://"))
                    .arg(path)
                    .arg(work.join("payload"));
                receive
            }
        }
    }
}

/// Removes what was downloaded, so that it is fetched again.
pub(super) fn forget_targets(work: &Path) -> Result<(), Failure> {
    let targets = work.join("targets");
    fs::remove_dir_all(&targets).map_err(|error| Failure::file(&targets, error))?;
    fs::create_dir_all(&targets).map_err(|error| Failure::file(&targets, error))
}

fn root(repository: &Path) -> PathBuf {
    repository.join("metadata/1.root.json")
}

fn start(peer: &peers::Client) -> Command {
    let mut words = peer.command.iter();
    let mut command = Command::new(words.next().map_or(Path::new(""), PathBuf::as_path));
    command.args(words);
    for (name, value) in &peer.variables {
        command.env(name, value);
    }
    command
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

/// The name of what no client can do without.
pub(super) const LIMIT: &str = "hash and verify, nothing else";

/// What is known of one program.
pub(super) struct Row {
    /// Its name.
    pub(super) name: String,
    /// What it took each time.
    pub(super) measured: Vec<Measured>,
    /// Why nothing was measured.
    pub(super) missing: Option<Missing>,
}

impl Row {
    /// Nothing yet.
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            measured: Vec::new(),
            missing: None,
        }
    }
}

/// Why a program has no figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It was ended after a minute.
    Late,
    /// Something else has killed it: mostly the kernel, for the memory that it took.
    Killed,
    /// It failed. What it supports is in docs/interop.md.
    Failed,
}

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
    /// Reads what `measure.py` prints.
    pub(super) fn read(value: &Value) -> Result<Self, Missing> {
        let number = |name: &str| value[name].as_f64().ok_or(Missing::Failed);
        match value["code"].as_i64() {
            Some(0) => Ok(Self {
                cpu: number("cpu")?,
                peak_kib: number("peak_kib")?,
                wall: number("wall")?,
            }),
            _ if value["late"] == true => Err(Missing::Late),
            Some(-9) => Err(Missing::Killed),
            _ => Err(Missing::Failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_was_ended_after_a_minute_is_late() {
        let missing = |code, late| {
            Measured::read(&json!({"code": code, "late": late, "cpu": 1, "peak_kib": 1, "wall": 1}))
                .err()
        };
        assert_eq!(missing(0, false), None);
        assert_eq!(missing(-9, true), Some(Missing::Late));
        assert_eq!(missing(-9, false), Some(Missing::Killed));
        assert_eq!(missing(1, false), Some(Missing::Failed));
    }
}
