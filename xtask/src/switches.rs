//! Takes the checks of the core out, one at a time, and lets the simulation find out.
//!
//! Nothing in the core knows of this: a copy below `target/` is changed by search and replace. A switch whose text is not found
//! exactly once is an error, so the list cannot fall behind.

mod table;

use crate::arguments::Arguments;
use crate::command;
use crate::report::{Failure, Outcome};
use crate::simulate;
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use table::{SWITCHES, Switch};

/// How long the simulation may look for one, in seconds.
const SECONDS: &str = "60";

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let only = arguments.value("--only")?;
    arguments.finish()?;
    let chosen: Vec<&Switch> = SWITCHES
        .iter()
        .filter(|switch| only.as_deref().is_none_or(|only| only == switch.rule))
        .collect();
    if chosen.is_empty() {
        return Err(Failure::new("no switch is about that rule"));
    }
    let copy = Copy::make(workspace)?;
    let mut missed = Vec::new();
    for switch in &chosen {
        let found = copy.try_out(workspace, switch)?;
        println!(
            "{}  {}: {}",
            switch.rule,
            switch.what,
            found.as_deref().unwrap_or("NOT FOUND")
        );
        if found.is_none() {
            missed.push(format!("{}: {}", switch.rule, switch.what));
        }
    }
    if !missed.is_empty() {
        return Err(Failure::list("checks that nobody misses", &missed));
    }
    Ok(Outcome::Passed(format!(
        "{} checks taken out, each was missed",
        chosen.len()
    )))
}

/// A copy of the workspace.
struct Copy(PathBuf);

impl Copy {
    fn make(workspace: &Workspace) -> Result<Self, Failure> {
        let to = workspace.target.join("switches");
        for directory in ["crates", "xtask"] {
            copy(&workspace.root.join(directory), &to.join(directory))?;
        }
        for file in ["Cargo.toml", "Cargo.lock"] {
            copy(&workspace.root.join(file), &to.join(file))?;
        }
        Ok(Self(to))
    }

    /// Takes a check out and simulates; how it was found.
    fn try_out(&self, workspace: &Workspace, switch: &Switch) -> Result<Option<String>, Failure> {
        let (from, to) = (workspace.root.join(switch.file), self.0.join(switch.file));
        let text = fs::read_to_string(&from).map_err(|error| Failure::file(&from, error))?;
        let without = switch.apply(&text)?;
        let fail = |error| Failure::file(&to, error);
        fs::write(&to, without).map_err(fail)?;
        let outcome = self.simulate();
        fs::write(&to, text).map_err(fail)?;
        outcome
    }

    fn simulate(&self) -> Result<Option<String>, Failure> {
        let target = self.0.join("target");
        let mut build = command::cargo(&self.0, &["build", "--quiet"]);
        // Most are missed within seconds: what counts is how long it takes to build.
        build.env("CARGO_PROFILE_SIMULATION_OPT_LEVEL", "1");
        build.env("CARGO_PROFILE_SIMULATION_INCREMENTAL", "true");
        command::output(build.args(simulate::BUILD).arg("--target-dir").arg(&target))?;
        let mut simulation = Command::new(simulate::program(&target)?);
        simulation.args([
            "--steps",
            "1_000_000_000",
            "--jobs",
            "1",
            "--seconds",
            SECONDS,
        ]);
        let started = Instant::now();
        let output = simulation
            .output()
            .map_err(|error| Failure::new(error.to_string()))?;
        if output.status.success() {
            return Ok(None);
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let line = |of: fn(&&str) -> bool| said.lines().find(of).unwrap_or_default();
        let steps = line(|line| line.contains(" steps, "))
            .split(' ')
            .next()
            .unwrap_or("?");
        let broken = line(|line| line.starts_with("seed "));
        let seconds = started.elapsed().as_secs_f64();
        Ok(Some(format!(
            "after {steps} steps, {seconds:.1} s: {broken}"
        )))
    }
}

/// Copies what has changed; what is built stays built.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let fail = |error| Failure::file(from, error);
    if from.is_dir() {
        fs::create_dir_all(to).map_err(|error| Failure::file(to, error))?;
        for entry in fs::read_dir(from).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            if entry.file_name() != "target" {
                copy(&entry.path(), &to.join(entry.file_name()))?;
            }
        }
        return Ok(());
    }
    let bytes = fs::read(from).map_err(fail)?;
    if fs::read(to).is_ok_and(|known| known == bytes) {
        return Ok(());
    }
    fs::write(to, bytes).map_err(|error| Failure::file(to, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_fits_the_core_as_it_is() {
        let workspace = Workspace::load().unwrap();
        for switch in SWITCHES {
            let path = workspace.root.join(switch.file);
            let text = fs::read_to_string(path).unwrap();
            assert_ne!(switch.apply(&text).unwrap(), text, "{}", switch.what);
        }
    }

    #[test]
    fn a_switch_whose_text_is_not_there_exactly_once_is_an_error() {
        let switch = Switch {
            rule: "C-00",
            what: "",
            file: "",
            search: "check()?;",
            replace: "",
        };
        assert!(switch.apply("check()?;").is_ok());
        assert!(switch.apply("").is_err());
        assert!(switch.apply("check()?; check()?;").is_err());
    }
}
