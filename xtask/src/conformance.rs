//! Runs the public TUF conformance suite, from a checkout of it, against our client.
//!
//! The suite is a set of pytest files that serve repositories and call a client by a small command
//! line; `tuffet lab client` speaks it.

use crate::arguments::Arguments;
use crate::command;
use crate::peers;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The suite moves the clock of the client with this program.
const FAKETIME: &str = "faketime";

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let suite = arguments.value("--suite")?;
    let entrypoint = arguments.value("--entrypoint")?;
    let filter = arguments.value("--filter")?;
    arguments.finish()?;
    let suite = suite.ok_or_else(|| Failure::new("--suite DIR: where the suite is checked out"))?;
    let suite = std::path::absolute(&suite).map_err(|error| Failure::new(error.to_string()))?;
    let cases = suite.join("tuf_conformance");
    if !cases.join("conftest.py").is_file() {
        let suite = suite.display();
        return Err(Failure::new(format!(
            "{suite}: no checkout of tuf-conformance"
        )));
    }

    let revision = command::output(Command::new("git").arg("-C").arg(&suite).args(REVISION));
    let revision = revision.unwrap_or_else(|_| "unknown".into());
    let revision = revision.trim();
    println!("suite at revision {revision}");
    faketime()?;
    let pytest = pytest(workspace, &suite)?;
    let entrypoint = entrypoint.map_or_else(|| build(workspace), Ok)?;

    let mut tests = Command::new(pytest);
    // Nothing is left in the checkout, neither caches nor compiled files.
    tests.env("PYTHONDONTWRITEBYTECODE", "1").args([
        "-p",
        "no:cacheprovider",
        "-rfEsxX",
        "--tb=short",
    ]);
    tests.arg(&cases).arg("--entrypoint").arg(entrypoint);
    if let Some(filter) = filter {
        tests.args(["-k", &filter]);
    }
    command::run(&mut tests)?;
    Ok(Outcome::Passed(format!("suite at revision {revision}")))
}

const REVISION: [&str; 2] = ["rev-parse", "HEAD"];

/// Makes sure that the clock can be moved; where Debian's packages can be installed, installs it.
fn faketime() -> Result<(), Failure> {
    if command::find(FAKETIME).is_some() {
        return Ok(());
    }
    if command::find("apt-get").is_some() {
        for task in [&["update"][..], &["install", "--yes", FAKETIME]] {
            command::output(Command::new("apt-get").arg("--quiet").args(task))?;
        }
    }
    match command::find(FAKETIME) {
        Some(_) => Ok(()),
        None => Err(Failure::new(
            "the suite needs the program faketime; please install it",
        )),
    }
}

/// Installs what the suite needs, and returns its pytest.
fn pytest(workspace: &Workspace, suite: &Path) -> Result<PathBuf, Failure> {
    let directory = workspace.target.join("conformance");
    let pip = peers::virtual_environment(&directory)?;
    let mut install = Command::new(&pip);
    command::output(
        install
            .args(["install", "--quiet", "--editable"])
            .arg(suite),
    )?;
    let programs = pip.parent().unwrap_or(&directory);
    command::find_in(programs, "pytest").ok_or_else(|| Failure::new("the suite brought no pytest"))
}

/// Builds our client and returns its command.
fn build(workspace: &Workspace) -> Result<String, Failure> {
    let mut build = workspace.cargo(&["build", "--release", "-p", "tuffet", "--features", "lab"]);
    command::run(&mut build)?;
    let program = command::find_in(&workspace.target.join("release"), "tuffet");
    let program = program.ok_or_else(|| Failure::new("tuffet was not built"))?;
    let program = program.display().to_string();
    // The suite splits what it is given at spaces.
    if program.contains(' ') {
        return Err(Failure::new(format!(
            "{program}: the suite cannot call a path with spaces"
        )));
    }
    Ok(format!("{program} lab client"))
}
