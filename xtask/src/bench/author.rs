//! Making metadata: many targets in hash bins, and then one more.

use super::Bench;
use super::client::{Measured, Row};
use crate::command;
use crate::report::Failure;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What is made: 2^14 bins.
const TARGETS: &str = "100000";
const BITS: &str = "14";
const BINS: &str = "16384";

pub(super) const TITLES: [&str; 2] = [
    "Building and signing 100,000 targets in 16,384 hash bins",
    "A target in 16,384 empty hash bins, signed and published",
];

/// Both scenarios, in the order of their titles.
pub(super) fn measure(bench: &Bench<'_>, rounds: usize) -> Result<[Vec<Row>; 2], Failure> {
    Ok([build(bench, rounds)?, add(bench, rounds)?])
}

fn rows() -> Vec<Row> {
    ["tuffet", "python-tuf 7.0.1"].map(Row::new).into()
}

fn build(bench: &Bench<'_>, rounds: usize) -> Result<Vec<Row>, Failure> {
    let mut rows = rows();
    for _ in 0..rounds {
        for (place, row) in rows.iter_mut().enumerate() {
            let directory = bench.rooms.another()?;
            let command = if place == 0 {
                let mut ours =
                    Command::new(bench.workspace.target.join("release/examples/author_bins"));
                ours.arg(&directory).args([TARGETS, BITS]);
                ours
            } else {
                python(bench, "build", &directory, TARGETS)
            };
            row.measured.push(bench.timed(&command)?);
        }
    }
    Ok(rows)
}

fn add(bench: &Bench<'_>, rounds: usize) -> Result<Vec<Row>, Failure> {
    let theirs = bench.rooms.another()?;
    command::output(&mut python(bench, "build", &theirs, "0"))?;
    let ours = bench.rooms.another()?;
    let keys: &[&[&str]] = &[
        &["key", "new", "ana", "--no-passphrase"],
        &["key", "new", "bins", "--no-passphrase"],
        &[
            "init",
            "acme",
            "--root",
            "1of1",
            "--key",
            "ana",
            "--new-online-key",
            "--publish-to",
            "../web",
        ],
        &[
            "delegate", "add", "bins", "--bins", BINS, "--keys", "bins", "--online", "--repo",
            "acme",
        ],
        &["publish", "--key", "ana", "--key", "bins", "--repo", "acme"],
    ];
    for arguments in keys {
        command::output(&mut tuffet(bench, &ours, arguments))?;
    }
    let mut rows = rows();
    for round in 0..rounds {
        let number = round.to_string();
        let file = format!("new-{number}.tar.gz");
        fs::write(ours.join(&file), &number)
            .map_err(|error| Failure::file(&ours.join(&file), error))?;
        let added = bench.timed(&tuffet(
            bench,
            &ours,
            &["target", "add", &file, "--repo", "acme"],
        ))?;
        let published = bench.timed(&tuffet(
            bench,
            &ours,
            &["publish", "--key", "bins", "--repo", "acme"],
        ))?;
        let theirs = bench.timed(&python(bench, "add", &theirs, &number))?;
        for (row, one) in rows.iter_mut().zip([both(&added, &published), theirs]) {
            row.measured.push(one);
        }
    }
    Ok(rows)
}

/// Two commands as one.
fn both(one: &Measured, other: &Measured) -> Measured {
    Measured {
        cpu: one.cpu + other.cpu,
        peak_kib: one.peak_kib.max(other.peak_kib),
        wall: one.wall + other.wall,
    }
}

fn python(bench: &Bench<'_>, what: &str, directory: &Path, argument: &str) -> Command {
    let mut python = Command::new(&bench.python);
    python
        .arg(bench.workspace.root.join("xtask/bench/python_author.py"))
        .arg(what)
        .arg(directory)
        .arg(argument);
    python
}

/// Our command line with a home of its own; it is told where to work, because the measuring script does not change directories.
pub(super) fn tuffet(bench: &Bench<'_>, home: &Path, arguments: &[&str]) -> Command {
    let mut shell = Command::new("env");
    let program = bench.workspace.target.join("release/tuffet");
    shell
        .arg("-C")
        .arg(home)
        .arg(format!("HOME={}", home.display()))
        .arg(format!(
            "TUFFET_CONFIG_DIR={}",
            home.join("config").display()
        ))
        .arg(format!("TUFFET_DATA_DIR={}", home.join("data").display()))
        .arg(program)
        .args(arguments);
    shell
}
