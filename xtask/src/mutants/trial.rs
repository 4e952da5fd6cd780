//! Builds a copy of the core that holds mutants, and runs its tests once for each.

use super::weave::{self, Mutant, Woven};
use crate::command;
use crate::report::Failure;
use crate::workspace::{self, Workspace};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const LIBRARY: &str = "crates/tuffet-core/src/lib.rs";

/// What one run of the tests may use: seconds of processor, many times what it needs, and KiB of memory.
const LIMITS: &str = "ulimit -t 20 && ulimit -v 8000000; \"$@\"; exit $?";

/// What a shell says of a program that has used up its seconds: 128 and the signal.
const OUT_OF_TIME: i32 = 128 + 24;

/// What came of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A test failed.
    Caught,
    /// The tests came to no end.
    Stuck,
    /// No test failed.
    Missed,
    /// The compiler refused it.
    Unviable,
}

/// A copy of the workspace, and where it is built.
#[derive(Debug)]
pub(super) struct Trial {
    place: PathBuf,
    tests: Vec<PathBuf>,
    /// The numbers of those that can be run.
    pub(super) viable: BTreeSet<usize>,
    pub(super) unviable: BTreeSet<usize>,
}

impl Trial {
    /// Weaves the mutants, which are known by their numbers, and leaves out what the compiler refuses until it refuses nothing.
    pub(super) fn build(
        workspace: &Workspace,
        mutants: &BTreeMap<usize, Mutant>,
        unviable: BTreeSet<usize>,
    ) -> Result<Self, Failure> {
        let mut trial = Self {
            place: workspace.target.join("mutants/copy"),
            tests: Vec::new(),
            viable: BTreeSet::new(),
            unviable,
        };
        // First what is quick to say; only then the whole.
        for arguments in [
            &["check", "--lib"][..],
            &["test", "--no-run", "--lib", "--test", "it"],
        ] {
            while trial.refused(workspace, mutants, arguments)? {}
        }
        Ok(trial)
    }

    /// Compiles once; whether mutants had to be left out.
    fn refused(
        &mut self,
        workspace: &Workspace,
        mutants: &BTreeMap<usize, Mutant>,
        arguments: &[&str],
    ) -> Result<bool, Failure> {
        let files = self.weave(workspace, mutants)?;
        let mut cargo = command::cargo(&self.place, arguments);
        cargo
            .args(["--package", "tuffet-core", "--message-format", "json"])
            .args(["--config", "profile.dev.opt-level=1"])
            .arg("--target-dir")
            .arg(self.place.join("target"))
            // What is woven looks strange to lints.
            .env("RUSTFLAGS", "--cap-lints=allow")
            .stderr(Stdio::inherit());
        let output = cargo
            .output()
            .map_err(|error| Failure::file(&self.place, error))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let messages: Vec<Value> = said
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        if output.status.success() {
            self.tests = messages
                .iter()
                .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
                .collect();
            return Ok(false);
        }
        let before = self.unviable.len();
        let mut others = Vec::new();
        for message in messages.iter().map(|message| &message["message"]) {
            if message["level"] != "error" {
                continue;
            }
            let numbers = blamed(message, &files);
            if numbers.is_empty() {
                others.push(message["rendered"].as_str().unwrap_or_default().to_owned());
            }
            self.unviable.extend(numbers);
        }
        if self.unviable.len() == before {
            return Err(Failure::list("the woven core cannot be built", &others));
        }
        Ok(true)
    }

    /// Writes the copy.
    fn weave(
        &mut self,
        workspace: &Workspace,
        mutants: &BTreeMap<usize, Mutant>,
    ) -> Result<BTreeMap<String, Woven>, Failure> {
        let mut by_file: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
        for (number, mutant) in mutants {
            if !self.unviable.contains(number) {
                by_file
                    .entry(&mutant.file)
                    .or_default()
                    .push((*number, mutant));
            }
        }
        let (mut files, mut changed) = (BTreeMap::new(), BTreeMap::new());
        for (file, mutants) in by_file {
            let text = workspace::read(&workspace.root.join(file))?;
            let woven = weave::weave(&text, &mutants);
            changed.insert(PathBuf::from(file), woven.text.clone());
            files.insert(file.to_owned(), woven);
        }
        let library = workspace::read(&workspace.root.join(LIBRARY))? + weave::CHOICE;
        changed.insert(LIBRARY.into(), library);
        for place in ["crates", "xtask", "Cargo.toml", "Cargo.lock"] {
            workspace::copy_changed(&workspace.root, &self.place, Path::new(place), &changed)?;
        }
        let arms = files.values().flat_map(|woven| &woven.arms);
        self.viable = arms.map(|arm| arm.number).collect();
        Ok(files)
    }

    /// Runs the tests with one mutant, or with none: the quick ones first, for most are noticed by many.
    pub(super) fn run(&self, number: Option<usize>) -> Result<Verdict, Failure> {
        const SLOW: [&str; 4] = ["--skip", "properties::", "--skip", "_crash_"];
        for slow in [&SLOW[..], &[]] {
            for test in &self.tests {
                let mut command = Command::new("sh");
                command.args(["-c", LIMITS, "sh"]).arg(test).args(slow);
                let verdict = self.verdict(&mut command, number)?;
                if verdict != Verdict::Missed {
                    return Ok(verdict);
                }
            }
        }
        Ok(Verdict::Missed)
    }

    fn verdict(&self, command: &mut Command, number: Option<usize>) -> Result<Verdict, Failure> {
        command
            .current_dir(self.place.join("crates/tuffet-core"))
            .args([
                "--test-threads",
                "1",
                "-Z",
                "unstable-options",
                "--fail-fast",
            ])
            // For the option just named.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUST_BACKTRACE", "0")
            .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(number) = number {
            command.env("TUFFET_MUTANT", number.to_string());
        }
        let status = command
            .status()
            .map_err(|error| Failure::file(&self.place, error))?;
        Ok(match status.code() {
            Some(0) => Verdict::Missed,
            Some(OUT_OF_TIME) => Verdict::Stuck,
            _ => Verdict::Caught,
        })
    }
}

/// The mutants in whose arms the compiler sees an error.
fn blamed(message: &Value, files: &BTreeMap<String, Woven>) -> BTreeSet<usize> {
    let spans = message["spans"].as_array().into_iter().flatten();
    let mut numbers = BTreeSet::new();
    for span in spans.filter(|span| span["is_primary"] == true) {
        let (Some(file), Some(line)) = (span["file_name"].as_str(), span["line_start"].as_u64())
        else {
            continue;
        };
        let arms = files.get(file).into_iter().flat_map(|woven| &woven.arms);
        numbers.extend(
            arms.filter(|arm| arm.lines.contains(&(line as usize)))
                .map(|arm| arm.number),
        );
    }
    numbers
}
