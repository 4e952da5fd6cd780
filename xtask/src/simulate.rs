//! Runs the simulation of `tuffet-testkit`: a client attacked as often as one likes, compared with a model.

use crate::arguments::Arguments;
use crate::command;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use std::path::PathBuf;
use std::process::Command;

/// Steps of a run that says nothing else, and of every change.
const STEPS: u64 = 1_000_000;

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let number = |arguments: &mut Arguments, name: &str, other: u64| {
        let text = arguments.value(name)?;
        text.map_or(Ok(other), |text| {
            let number = text.replace('_', "").parse();
            number.map_err(|_| Failure::new(format!("{name} needs a whole number, not {text}")))
        })
    };
    let steps = number(&mut arguments, "--steps", STEPS)?;
    let seed = number(&mut arguments, "--seed", 1)?;
    let jobs = number(&mut arguments, "--jobs", 2)?;
    let resume = arguments.flag("--resume");
    arguments.finish()?;

    let mut build = workspace.cargo(&["build", "--quiet"]);
    command::run(build.args(BUILD))?;
    let mut simulate = Command::new(program(&workspace.target)?);
    for (name, value) in [("--steps", steps), ("--seed", seed), ("--jobs", jobs)] {
        simulate.arg(name).arg(value.to_string());
    }
    simulate
        .arg("--state")
        .arg(workspace.target.join(format!("simulation-{seed}.state")));
    if resume {
        simulate.arg("--resume");
    }
    command::run(&mut simulate)?;
    Ok(Outcome::Passed(format!("{steps} steps from seed {seed}")))
}

/// What cargo is told to build.
pub(crate) const BUILD: [&str; 6] = [
    "--profile",
    "simulation",
    "--package",
    "tuffet-testkit",
    "--bin",
    "simulate",
];

/// What was built.
pub(crate) fn program(target: &std::path::Path) -> Result<PathBuf, Failure> {
    let program = command::find_in(&target.join("simulation"), "simulate");
    program.ok_or_else(|| Failure::new("the simulation was not built"))
}
