//! What everything is made of: starting, verifying signatures, the canonical form.

use super::Bench;
use super::client::Row;
use crate::command;
use crate::report::Failure;
use std::path::Path;
use std::process::Command;

/// What is measured: the title, and the arguments for both programs. FILE is a targets role of 100,000 targets, in canonical form
/// as most publish it; INDENTED is the same as python-tuf would write it.
const WORK: [(&str, [&str; 3]); 5] = [
    (
        "Verifying 10,000 Ed25519 signatures",
        ["verify", "ed25519", "10000"],
    ),
    (
        "Verifying 10,000 ECDSA P-256 signatures",
        ["verify", "ecdsa-sha2-nistp256", "10000"],
    ),
    (
        "Verifying 10,000 RSA-PSS signatures",
        ["verify", "rsassa-pss-sha256", "10000"],
    ),
    (
        "The canonical form of metadata of 100,000 targets that has it already, five times",
        ["canonicalise", "FILE", "5"],
    ),
    (
        "The canonical form of the same metadata in indented lines, five times",
        ["canonicalise", "INDENTED", "5"],
    ),
];

pub(super) const TITLE: &str = "Starting, and doing nothing";

/// All of it, each with its title.
pub(super) fn measure(
    bench: &Bench<'_>,
    metadata: &Path,
    rounds: usize,
) -> Result<Vec<(&'static str, Vec<Row>)>, Failure> {
    let theirs = bench
        .workspace
        .root
        .join("xtask/bench/python_primitives.py");
    let indented = bench.directory.join("indented.json");
    let mut indent = Command::new(&bench.python);
    indent.arg(&theirs).arg("indent").arg(metadata);
    command::output(indent.arg(&indented))?;
    let (file, indented) = (metadata.to_string_lossy(), indented.to_string_lossy());
    let mut measured = vec![(TITLE, turns(bench, &starts(bench), rounds)?)];
    for (title, arguments) in WORK {
        let arguments = arguments.map(|word| match word {
            "FILE" => &*file,
            "INDENTED" => &*indented,
            _ => word,
        });
        let mut ours = Command::new(bench.primitives());
        ours.args(arguments);
        let mut python = Command::new(&bench.python);
        python.arg(&theirs).args(arguments);
        let both = [("tuffet", ours), ("python-tuf 7.0.1", python)];
        measured.push((title, turns(bench, &both, rounds)?));
    }
    Ok(measured)
}

/// What has to be there before a client can do anything.
fn starts(bench: &Bench<'_>) -> Vec<(&'static str, Command)> {
    let mut ours = Command::new(bench.tuffet());
    ours.arg("version");
    let mut python = Command::new(&bench.python);
    python.args(["-c", "import tuf.ngclient"]);
    let mut node = Command::new("node");
    node.env("NODE_PATH", bench.workspace.peers().join("js/node_modules"));
    node.args(["--eval", "require('tuf-js')"]);
    vec![
        ("tuffet", ours),
        ("python-tuf 7.0.1", python),
        ("tuf-js 6.0.2", node),
    ]
}

fn turns(
    bench: &Bench<'_>,
    commands: &[(&'static str, Command)],
    rounds: usize,
) -> Result<Vec<Row>, Failure> {
    let mut rows: Vec<Row> = commands.iter().map(|(name, _)| Row::new(*name)).collect();
    for _ in 0..rounds {
        for ((_, command), row) in commands.iter().zip(&mut rows) {
            row.measured.push(bench.timed(command)?);
        }
    }
    Ok(rows)
}
