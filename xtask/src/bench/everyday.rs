//! The commands that people type every day, on a repository of a few roles: nothing in them may be felt.

use super::Bench;
use super::author::tuffet;
use super::client::Row;
use crate::command;
use crate::report::Failure;
use std::fs;
use std::process::Command;

pub(super) const TITLE: &str = "Everyday commands on a small repository";

/// In the order in which somebody would type them; FILE is made anew for each round.
const COMMANDS: [&str; 15] = [
    "key new ana --no-passphrase",
    "key list",
    "init acme --root 1of1 --key ana --new-online-key --publish-to ../web",
    "publish --repo acme",
    "target add FILE --repo acme",
    "target list --repo acme",
    "change show --repo acme",
    "change sign --key ana --repo acme",
    "publish --repo acme",
    "status --repo acme",
    "role list --repo acme",
    "renew targets --repo acme",
    "undo --repo acme",
    "delegate add team --paths team/* --keys ana --repo acme",
    "delegate list --repo acme",
];

/// What the other side needs before it can do anything: its modules, and the root.
const PYTHON: &str =
    "import sys; from tuf.api.metadata import Metadata; Metadata.from_file(sys.argv[1])";

/// Every command in turn, round by round.
pub(super) fn measure(bench: &Bench<'_>, rounds: usize) -> Result<Vec<Row>, Failure> {
    let mut rows: Vec<Row> = COMMANDS
        .iter()
        .map(|command| Row::new(format!("`tuffet {command}`")))
        .collect();
    let mut python = Row::new("python-tuf 7.0.1: import, and load root");
    for _ in 0..rounds {
        let home = bench.rooms.another()?;
        let file = home.join("FILE");
        fs::write(&file, "content").map_err(|error| Failure::file(&file, error))?;
        for (words, row) in COMMANDS.iter().zip(&mut rows) {
            let words: Vec<&str> = words.split(' ').collect();
            row.measured
                .push(bench.timed(&tuffet(bench, &home, &words))?);
        }
        let mut load = Command::new(&bench.python);
        load.args(["-c", PYTHON])
            .arg(home.join("acme/metadata/1.root.json"));
        // Once without being measured, so that what is compiled is there.
        command::output(&mut load)?;
        python.measured.push(bench.timed(&load)?);
    }
    rows.push(python);
    Ok(rows)
}
