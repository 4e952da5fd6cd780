//! Whether the simulation finds out that a check is missing.

use super::copy::{self, Copy};
use super::table::Switch;
use crate::command;
use crate::report::{Failure, Outcome};
use crate::simulate;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// How long the simulation may look for one, in seconds.
const SECONDS: &str = "60";

/// Takes the numbered checks out, one at a time.
pub(super) fn run(copy: &Copy, chosen: &[(usize, &Switch)]) -> Result<Outcome, Failure> {
    let program = build(copy)?;
    if let Some(found) = simulate(&program, None, "5")? {
        return Err(Failure::new(format!(
            "with every check in its place, {found}"
        )));
    }
    let mut missed = Vec::new();
    for (number, Switch { rule, what, .. }) in chosen {
        let found = simulate(&program, Some(*number), SECONDS)?;
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

fn build(copy: &Copy) -> Result<PathBuf, Failure> {
    let mut build = command::cargo(&copy.place, &["build", "--quiet"]);
    build.args(simulate::BUILD);
    command::output(build.arg("--target-dir").arg(&copy.target))?;
    simulate::program(&copy.target)
}

/// Simulates without one check; how that was found out.
fn simulate(
    program: &Path,
    number: Option<usize>,
    seconds: &str,
) -> Result<Option<String>, Failure> {
    let mut simulation = Command::new(program);
    simulation.args([
        "--steps",
        "1_000_000_000",
        "--jobs",
        "1",
        "--seconds",
        seconds,
    ]);
    copy::without(&mut simulation, number);
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
