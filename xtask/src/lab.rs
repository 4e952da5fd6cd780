//! The report cards of our client and of others, by `tuffet lab attack`.
//!
//! They are written to `target/lab` and not into the tree: what others withstand is theirs to publish.

use crate::arguments::Arguments;
use crate::command;
use crate::interop::programs;
use crate::peers::{self, Client, Profile};
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `tuffet lab attack` ends with when an attack succeeds.
const FINDINGS: i32 = 7;

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let quick = arguments.flag("--quick");
    let named = programs(&mut arguments, "--client")?;
    arguments.finish()?;
    let mut build = workspace.cargo(&["build", "--release", "--quiet", "--package=tuffet"]);
    command::run(build.arg("--features=lab"))?;
    let tuffet = workspace.target.join("release/tuffet");
    let cards = workspace.target.join("lab");
    fs::create_dir_all(&cards).map_err(|error| Failure::file(&cards, error))?;

    let mut clients = peers::clients(workspace, Profile::Release)?;
    clients.extend(named.iter().filter_map(|named| {
        let (name, command) = named.split_once('=')?;
        Some(Client {
            name: name.to_owned(),
            command: command.split_whitespace().map(PathBuf::from).collect(),
            variables: Vec::new(),
        })
    }));
    let own = card(&tuffet, None, quick, &cards)?;
    println!("tuffet: {}", last_line(&own.text));
    for client in &clients {
        let card = card(&tuffet, Some(client), quick, &cards)?;
        println!("{}: {}", client.name, last_line(&card.text));
    }
    if !own.withstood {
        return Err(Failure::new(own.text));
    }
    let count = clients.len() + 1;
    Ok(Outcome::Passed(format!(
        "{count} report cards in target/lab"
    )))
}

struct Card {
    text: String,
    withstood: bool,
}

fn card(
    tuffet: &Path,
    client: Option<&Client>,
    quick: bool,
    cards: &Path,
) -> Result<Card, Failure> {
    let mut attack = Command::new(tuffet);
    attack.args(["lab", "attack", "--quiet"]);
    if quick {
        attack.arg("--quick");
    }
    if let Some(client) = client {
        let words: Vec<String> = client
            .command
            .iter()
            .map(|word| word.display().to_string())
            .collect();
        attack.arg("--client").arg(words.join(" "));
        attack.envs(client.variables.iter().map(|(name, value)| (name, value)));
    }
    let failed = |error| Failure::file(tuffet, error);
    let output = attack.output().map_err(failed)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(0 | FINDINGS) => {}
        _ => {
            return Err(Failure::new(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ));
        }
    }
    let name = client.map_or("tuffet", |client| client.name.as_str());
    let file = cards.join(format!("{}.txt", name.replace(' ', "-")));
    fs::write(&file, &text).map_err(|error| Failure::file(&file, error))?;
    Ok(Card {
        text,
        withstood: output.status.success(),
    })
}

fn last_line(text: &str) -> &str {
    text.lines().next_back().unwrap_or_default()
}
