//! Takes the checks of the core out, one at a time, and lets the simulation find out.
//!
//! Nothing in the core knows of this. In a copy below `target/` every check gets a way around it by search and replace, and a
//! variable chooses which one is taken, so that one build is enough. A check whose text is not found exactly once is an error: the
//! list cannot fall behind.

mod table;

use crate::arguments::Arguments;
use crate::command;
use crate::report::{Failure, Outcome};
use crate::simulate;
use crate::workspace::{self, Workspace};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use table::{SWITCHES, Switch};

/// How long the simulation may look for one, in seconds.
const SECONDS: &str = "60";

/// The variable that says which check is taken out.
const VARIABLE: &str = "TUFFET_SWITCH";

const LIBRARY: &str = "crates/tuffet-core/src/lib.rs";

/// What the copy of the core has in its library beside what the core has.
const SWITCHED_OFF: &str = r#"
extern crate std;

pub(crate) fn switched_off(number: usize) -> bool {
    static OFF: std::sync::OnceLock<Option<usize>> = std::sync::OnceLock::new();
    let read = || std::env::var("TUFFET_SWITCH").ok()?.parse().ok();
    *OFF.get_or_init(read) == Some(number)
}
"#;

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let only = arguments.value("--only")?;
    arguments.finish()?;
    let chosen: Vec<(usize, &Switch)> = SWITCHES
        .iter()
        .enumerate()
        .filter(|(_, switch)| only.as_deref().is_none_or(|only| only == switch.rule))
        .collect();
    if chosen.is_empty() {
        return Err(Failure::new("no switch is about that rule"));
    }
    let program = build(workspace)?;
    if let Some(found) = simulate(&program, usize::MAX, "5")? {
        return Err(Failure::new(format!(
            "with every check in its place, {found}"
        )));
    }
    let mut missed = Vec::new();
    for (number, Switch { rule, what, .. }) in &chosen {
        let found = simulate(&program, *number, SECONDS)?;
        let shown = found.as_deref().unwrap_or("not found out");
        println!("{rule}  {what}: {shown}");
        if found.is_none() {
            missed.push(format!("{rule}: {what}"));
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

/// Builds the simulation of a copy whose checks can be taken out.
fn build(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let (copy, target) = (
        workspace.target.join("switches"),
        workspace.target.join("switches/target"),
    );
    let changed = switchable(&workspace.root)?;
    for place in ["crates", "xtask", "Cargo.toml", "Cargo.lock"] {
        workspace::copy_changed(&workspace.root, &copy, Path::new(place), &changed)?;
    }
    let mut build = command::cargo(&copy, &["build", "--quiet"]);
    command::output(build.args(simulate::BUILD).arg("--target-dir").arg(&target))?;
    simulate::program(&target)
}

/// The files of the core with a way around every check.
fn switchable(root: &Path) -> Result<BTreeMap<PathBuf, String>, Failure> {
    let mut changed = BTreeMap::new();
    for (number, switch) in SWITCHES.iter().enumerate() {
        let file = Path::new(switch.file);
        let text = match changed.remove(file) {
            Some(text) => text,
            None => workspace::read(&root.join(file))?,
        };
        changed.insert(file.to_owned(), switch.apply(&text, number)?);
    }
    let library =
        workspace::read(&root.join(LIBRARY))?.replace("#[cfg(test)]\nextern crate std;\n", "");
    changed.insert(LIBRARY.into(), library + SWITCHED_OFF);
    Ok(changed)
}

impl Switch {
    fn apply(&self, text: &str, number: usize) -> Result<String, Failure> {
        let replace = self
            .replace
            .replace("OFF", &format!("crate::switched_off({number})"));
        match text.matches(self.search).count() {
            1 => Ok(text.replacen(self.search, &replace, 1)),
            count => Err(Failure::new(format!(
                "{}: the check of {} ({}) stands there {count} times",
                self.file, self.rule, self.what
            ))),
        }
    }
}

/// Simulates without one check; how that was found out.
fn simulate(program: &Path, number: usize, seconds: &str) -> Result<Option<String>, Failure> {
    let mut simulation = Command::new(program);
    simulation.args([
        "--steps",
        "1_000_000_000",
        "--jobs",
        "1",
        "--seconds",
        seconds,
    ]);
    simulation.env(VARIABLE, number.to_string());
    let started = Instant::now();
    let output = simulation
        .output()
        .map_err(|error| Failure::file(program, error))?;
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
    // A simulation that ends otherwise has found nothing: it did not work.
    if broken.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Failure::new(format!("the simulation failed: {said}")));
    }
    let seconds = started.elapsed().as_secs_f64();
    Ok(Some(format!(
        "after {steps} steps, {seconds:.1} s: {broken}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_fits_the_core_as_it_is() {
        let workspace = Workspace::load().unwrap();
        let changed = switchable(&workspace.root).unwrap();
        let all: String = changed.into_values().collect();
        for (number, switch) in SWITCHES.iter().enumerate() {
            let call = format!("crate::switched_off({number})");
            assert!(all.contains(&call), "{}", switch.what);
        }
        assert!(SWITCHED_OFF.contains(VARIABLE));
    }

    #[test]
    fn a_switch_whose_text_is_not_there_exactly_once_is_an_error() {
        let switch = Switch {
            rule: "C-00",
            what: "",
            file: "",
            search: "check()?;",
            replace: "if !OFF { check()?; }",
        };
        assert_eq!(
            switch.apply("check()?;", 3).unwrap(),
            "if !crate::switched_off(3) { check()?; }"
        );
        assert!(switch.apply("", 3).is_err());
        assert!(switch.apply("check()?; check()?;", 3).is_err());
    }
}
