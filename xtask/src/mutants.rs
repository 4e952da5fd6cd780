//! Changes `tuffet-core` in small ways, one at a time, and sees whether its own tests notice.
//!
//! What is found is kept in `target/mutants`: the next run leaves out what was caught before, so that a run can be broken off. What
//! no test can notice stands in `.cargo/mutants.toml` with the reason.

use crate::arguments::Arguments;
use crate::command;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use std::fs;
use std::process::Command;

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let module = arguments.value("--module")?;
    let shard = arguments.value("--shard")?;
    let jobs = arguments.value("--jobs")?;
    let install = arguments.flag("--install");
    arguments.finish()?;
    let Some(mutants) = workspace.tool("cargo-mutants", install)? else {
        return Ok(Outcome::Skipped("needs cargo-mutants (--install)".into()));
    };
    let output = workspace.target.join("mutants");
    fs::create_dir_all(&output).map_err(|error| Failure::file(&output, error))?;
    let mut test = Command::new(mutants);
    test.current_dir(&workspace.root)
        .args(["mutants", "--package", "tuffet-core", "--iterate"])
        .arg("--output")
        .arg(&output);
    if let Some(module) = &module {
        test.arg("--file");
        test.arg(format!("crates/tuffet-core/src/{module}*"));
        test.arg("--file");
        test.arg(format!("crates/tuffet-core/src/{module}/**"));
    }
    for (option, value) in [("--shard", &shard), ("--jobs", &jobs)] {
        if let Some(value) = value {
            test.args([option, value]);
        }
    }
    // The tests of the core alone: what only a client notices is a test that is missing.
    let run = command::run(test.args(["--", "--lib", "--test", "it"]));
    let list = |name: &str| {
        let file = output.join("mutants.out").join(format!("{name}.txt"));
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    let (caught, missed) = (list("caught"), list("missed"));
    if !missed.is_empty() {
        return Err(Failure::list("no test notices", &missed));
    }
    run?;
    let before = list("previously_caught").len();
    let (caught, stuck) = (caught.len() + before, list("timeout").len());
    Ok(Outcome::Passed(format!(
        "{caught} caught, {stuck} run for too long"
    )))
}
