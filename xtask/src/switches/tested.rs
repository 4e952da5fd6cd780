//! Whether the tests of a rule fail without the check that keeps it.
//!
//! Of a switch those tests are run that docs/rules.md names for its rules, in the crate that the check stands in: what only a crate
//! above it notices is a test that is missing.

use super::copy::{self, Copy};
use super::table::Switch;
use crate::command;
use crate::report::{Failure, Outcome};
use crate::rules;
use crate::workspace::Workspace;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a run without a check may use: seconds of processor, many times what the tests of a rule need, and KiB of memory.
const LIMITS: &str = "ulimit -t 120 && ulimit -v 8000000; exec \"$@\"";

/// The run with every check: all tests of a crate in one process, which ends as the tests do, however long they take.
const UNLIMITED: &str = "exec \"$@\"";

/// Takes the numbered checks out, one at a time.
pub(super) fn run(
    workspace: &Workspace,
    copy: &Copy,
    chosen: &[(usize, &Switch)],
) -> Result<Outcome, Failure> {
    let named = rules::named_tests(workspace)?;
    let started = Instant::now();
    let tests = Tests::build(copy, chosen)?;
    println!("    built in {} s", started.elapsed().as_secs());
    let started = Instant::now();
    for package in packages(chosen) {
        let rules = chosen
            .iter()
            .filter(|(_, switch)| switch.package() == package)
            .flat_map(|(_, switch)| switch.rules());
        let all = rules.filter_map(|rule| named.get(rule)).flatten();
        let failed = tests.run(package, &all.map(String::as_str).collect(), None)?;
        if let Some(test) = failed.iter().next() {
            return Err(Failure::new(format!(
                "with every check in its place, {test} fails"
            )));
        }
    }
    let (mut missed, mut rules) = (Vec::new(), BTreeSet::new());
    let mut noticed = BTreeSet::new();
    for (number, switch) in chosen {
        for rule in switch.rules() {
            rules.insert(rule);
            let of_rule = named.get(rule).into_iter().flatten();
            let of_rule: BTreeSet<&str> = of_rule.map(String::as_str).collect();
            let failed = tests.run(switch.package(), &of_rule, Some(*number))?;
            println!("{rule}  {}: {}", switch.what, shown(&failed));
            if failed.is_empty() {
                missed.push(format!("{rule}: {}", switch.what));
            }
            noticed.extend(failed);
        }
    }
    if !missed.is_empty() {
        return Err(Failure::list(
            "checks that no test of their rule misses",
            &missed,
        ));
    }
    let of_rules = rules.iter().filter_map(|rule| named.get(*rule)).flatten();
    let of_rules: BTreeSet<&String> = of_rules.filter(|test| tests.has(test)).collect();
    Ok(Outcome::Passed(format!(
        "{} checks of {} rules taken out in {} s, each was missed by a test of its rule; {} of their {} tests were seen to fail",
        chosen.len(),
        rules.len(),
        started.elapsed().as_secs(),
        noticed.len(),
        of_rules.len(),
    )))
}

fn packages(chosen: &[(usize, &Switch)]) -> BTreeSet<&'static str> {
    chosen.iter().map(|(_, switch)| switch.package()).collect()
}

fn shown(failed: &BTreeSet<String>) -> String {
    let mut failed = failed.iter();
    match (failed.next(), failed.len()) {
        (None, _) => "no test fails".into(),
        (Some(test), 0) => test.clone(),
        (Some(test), more) => format!("{test} and {more} more"),
    }
}

/// The programs of tests by crate, each with the paths of its tests by their last name.
#[derive(Debug)]
struct Tests {
    place: PathBuf,
    programs: BTreeMap<String, Vec<Program>>,
}

#[derive(Debug)]
struct Program {
    path: PathBuf,
    tests: BTreeMap<String, Vec<String>>,
}

impl Tests {
    /// Builds the tests of the crates that the switches are in, all at once.
    fn build(copy: &Copy, chosen: &[(usize, &Switch)]) -> Result<Self, Failure> {
        let arguments = [
            "test",
            "--no-run",
            "--all-features",
            "--lib",
            "--test",
            "it",
        ];
        let mut cargo = command::cargo(&copy.place, &arguments);
        cargo.args(["--message-format", "json-render-diagnostics"]);
        for package in packages(chosen) {
            cargo.args(["--package", package]);
        }
        let said = command::output(cargo.arg("--target-dir").arg(&copy.target))?;
        let mut programs: BTreeMap<String, Vec<Program>> = BTreeMap::new();
        for line in said.lines() {
            let message: Value = serde_json::from_str(line).unwrap_or_default();
            let text = |name: &str| message[name].as_str();
            let (Some(path), Some(manifest)) = (text("executable"), text("manifest_path")) else {
                continue;
            };
            let directory = Path::new(manifest).parent().and_then(Path::file_name);
            let package = directory.unwrap_or_default().to_string_lossy().into_owned();
            let program = Program::read(Path::new(path))?;
            programs.entry(package).or_default().push(program);
        }
        let place = copy.place.join("crates");
        Ok(Self { place, programs })
    }

    /// Whether there is a test of this name.
    fn has(&self, name: &str) -> bool {
        let mut programs = self.programs.values().flatten();
        programs.any(|program| program.tests.contains_key(name))
    }

    /// Runs the tests of these names with one check taken out, or with none; those that failed.
    fn run(
        &self,
        package: &str,
        names: &BTreeSet<&str>,
        number: Option<usize>,
    ) -> Result<BTreeSet<String>, Failure> {
        let mut failed = BTreeSet::new();
        for program in self.programs.get(package).into_iter().flatten() {
            let paths: Vec<&String> = names
                .iter()
                .filter_map(|name| program.tests.get(*name))
                .flatten()
                .collect();
            if paths.is_empty() {
                continue;
            }
            let mut command = Command::new("sh");
            let limits = number.map_or(UNLIMITED, |_| LIMITS);
            command.args(["-c", limits, "sh"]).arg(&program.path);
            command.arg("--exact").args(paths);
            command
                .current_dir(self.place.join(package))
                .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
                .env("RUST_BACKTRACE", "0")
                .stdin(Stdio::null());
            copy::without(&mut command, number);
            failed.extend(program.failed(&mut command)?);
        }
        Ok(failed)
    }
}

impl Program {
    fn read(path: &Path) -> Result<Self, Failure> {
        let listed = command::output(Command::new(path).args(["--list", "--format", "terse"]))?;
        let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for test in listed
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
        {
            let name = test.rsplit("::").next().unwrap_or(test);
            tests.entry(name.into()).or_default().push(test.into());
        }
        let path = path.to_owned();
        Ok(Self { path, tests })
    }

    /// The tests that fail, by their last names.
    fn failed(&self, command: &mut Command) -> Result<BTreeSet<String>, Failure> {
        let output = command
            .output()
            .map_err(|error| Failure::file(&self.path, error))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let failed = failures(&said);
        // A program that ends in another way says nothing about the check.
        if failed.is_empty() && !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().last().unwrap_or_default();
            return Err(Failure::file(
                &self.path,
                format!("{}: {last}", output.status),
            ));
        }
        Ok(failed)
    }
}

/// The last names of the tests that a program says have failed.
fn failures(said: &str) -> BTreeSet<String> {
    said.lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
        .map(|test| test.split(" - ").next().unwrap_or(test))
        .map(|test| test.rsplit("::").next().unwrap_or(test).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_failed_are_known_by_their_last_names() {
        let said = "running 3 tests\ntest roots::c05_both ... FAILED\ntest c06_next ... ok\n\
                    test a::b::c07_old - should panic ... FAILED\n";
        let failed: Vec<String> = failures(said).into_iter().collect();
        assert_eq!(failed, ["c05_both", "c07_old"]);
        assert_eq!(shown(&failures(said)), "c05_both and 1 more");
        assert_eq!(shown(&failures("")), "no test fails");
    }
}
