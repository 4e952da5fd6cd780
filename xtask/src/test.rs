//! Everything that a change must pass, step by step.

mod output;

use crate::arguments::Arguments;
use crate::command;
use crate::report::{Failure, Outcome, Report};
use crate::workspace::Workspace;
use crate::{coverage, deny, devices, edges, fuzz, lengths, package, peers, rules, simulate, wasm};
use output::Tests;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

type Step = fn(&Workspace) -> Result<Outcome, Failure>;

/// What is quick to fail stands first.
const STEPS: [(&str, Step); 20] = [
    ("fmt", fmt),
    ("edges", |workspace| edges::run(workspace, none())),
    ("lengths", |workspace| lengths::run(workspace, none())),
    ("rules", |workspace| rules::run(workspace, none())),
    ("package", |workspace| package::run(workspace, none())),
    ("deny", |workspace| deny::run(workspace, none())),
    ("peers-python", peers::python),
    ("peers-moto", peers::moto),
    ("peers-azurite", peers::azurite),
    ("peers-js", peers::javascript),
    ("peers-rust", peers::rust),
    ("devices", devices::ensure),
    ("clippy", clippy),
    ("features", features),
    ("doc", doc),
    ("wasm", wasm::build),
    ("tests", tests),
    ("fuzz", fuzz::known),
    ("coverage", |workspace| coverage::run(workspace, none())),
    ("simulate", |workspace| simulate::run(workspace, none())),
];

/// Selections that compile on their own, beside everything with all features.
const SELECTIONS: [&[&str]; 8] = [
    &["-p", "tuffet"],
    &["-p", "tuffet", "--no-default-features"],
    &["-p", "tuffet-sign"],
    &["-p", "tuffet-core"],
    &["-p", "tuffet-crypto", "--no-default-features"],
    &[
        "-p",
        "tuffet-crypto",
        "--no-default-features",
        "--features=pure",
    ],
    &["-p", "tuffet-client", "--no-default-features"],
    &[
        "-p",
        "tuffet-client",
        "--no-default-features",
        "--features=async",
    ],
];

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<ExitCode, Failure> {
    let only = arguments.value("--only")?;
    arguments.finish()?;
    let steps = selected(only.as_deref())?;

    let mut report = Report::default();
    for (name, step) in steps {
        println!("==> {name}");
        let started = Instant::now();
        let outcome = step(workspace);
        match &outcome {
            Ok(Outcome::Passed(_) | Outcome::Partly { .. }) => {}
            Ok(Outcome::Skipped(why)) => println!("skipped: {why}"),
            Err(failure) => println!("failed: {failure}"),
        }
        report.add(name, started.elapsed(), outcome);
    }

    println!();
    for line in report.lines() {
        println!("{line}");
    }
    // The last line of all, in a form that is read by machines.
    println!("{}", report.count());
    Ok(if report.failed() > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The steps that a list such as `clippy,peers` names; `peers` stands for all of its kind.
fn selected(only: Option<&str>) -> Result<Vec<(&'static str, Step)>, Failure> {
    let Some(only) = only else {
        return Ok(STEPS.to_vec());
    };
    let mut chosen = Vec::new();
    for wanted in only.split(',') {
        let matching = STEPS.iter().filter(|(name, _)| {
            name.strip_prefix(wanted)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
        let before = chosen.len();
        chosen.extend(matching);
        if chosen.len() == before {
            let names: Vec<&str> = STEPS.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            return Err(Failure::new(format!("no step {wanted}; there are {names}")));
        }
    }
    Ok(chosen)
}

fn none() -> Arguments {
    Arguments::new(std::iter::empty())
}

fn fmt(workspace: &Workspace) -> Result<Outcome, Failure> {
    for manifest in ["Cargo.toml", peers::RUST] {
        let mut fmt = Command::new("cargo");
        fmt.current_dir(&workspace.root)
            .args(["fmt", "--all", "--check", "--manifest-path"]);
        command::run(fmt.arg(manifest))?;
    }
    Ok(Outcome::passed())
}

/// Everything at once: what compiles apart from it is the next step.
fn clippy(workspace: &Workspace) -> Result<Outcome, Failure> {
    let mut clippy = workspace.cargo(&["clippy", "--workspace", "--all-targets", "--all-features"]);
    command::run(clippy.args(["--keep-going", "--quiet", "--", "--deny=warnings"]))?;
    Ok(Outcome::passed())
}

fn features(workspace: &Workspace) -> Result<Outcome, Failure> {
    for selection in SELECTIONS {
        let mut clippy = workspace.cargo(&["clippy", "--quiet"]);
        command::run(clippy.args(selection).args(["--", "--deny=warnings"]))?;
    }
    Ok(Outcome::Passed(format!("{} selections", SELECTIONS.len())))
}

fn doc(workspace: &Workspace) -> Result<Outcome, Failure> {
    let mut doc = workspace.cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--all-features",
        "--quiet",
    ]);
    command::run(doc.env("RUSTDOCFLAGS", "--deny=warnings"))?;
    Ok(Outcome::passed())
}

/// All tests with all features, documentation included; what they skip is collected.
fn tests(workspace: &Workspace) -> Result<Outcome, Failure> {
    let mut cargo = workspace.cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]);
    cargo.args(["--quiet", "--", "--show-output"]);
    let peers = workspace.peers();
    if peers.is_dir() {
        cargo.env("TUFFET_PEERS", peers);
    }
    let module = wasm::module(workspace);
    if module.is_file() {
        cargo.env("TUFFET_WASM", module);
    }
    let not_run = |error: std::io::Error| Failure::new(format!("cargo test: {error}"));
    let mut child = cargo.stdout(Stdio::piped()).spawn().map_err(not_run)?;
    let mut tests = Tests::default();
    for line in child
        .stdout
        .take()
        .into_iter()
        .flat_map(|out| BufReader::new(out).lines())
    {
        let line = line.map_err(not_run)?;
        if tests.shows(&line) {
            println!("{line}");
        }
    }
    let status = child.wait().map_err(not_run)?;
    if status.success() {
        let (note, skipped) = (tests.note(), tests.skipped());
        Ok(Outcome::Partly { note, skipped })
    } else {
        Err(Failure::new(tests.note()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &str) -> Vec<&'static str> {
        selected(Some(only))
            .unwrap()
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn steps_are_selected_by_name_and_by_kind() {
        assert_eq!(names("clippy,edges"), ["clippy", "edges"]);
        assert_eq!(
            names("peers"),
            [
                "peers-python",
                "peers-moto",
                "peers-azurite",
                "peers-js",
                "peers-rust"
            ]
        );
        assert_eq!(selected(None).unwrap().len(), STEPS.len());
        assert!(selected(Some("clip")).is_err());
    }
}
