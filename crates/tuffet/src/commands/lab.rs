//! `tuffet lab`: attacks on any client.

mod attack;
mod client;
mod player;
mod site;

use clap::{Args, Subcommand};
use serde_json::json;
use tuffet_testkit::lab;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Attack any TUF client, and see what becomes of it
///
/// The attacks are those of the literature and those that published advisories tell of. All of it happens in a temporary directory
/// and on the loopback interface.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet lab attack\n  tuffet lab attack --client ./my-client")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Lab,
}

#[derive(Debug, Subcommand)]
enum Lab {
    Attack(attack::Arguments),
    /// List the attacks
    #[command(before_help = "Examples:\n  tuffet lab list\n  tuffet lab list --json")]
    List,
    Client(client::Arguments),
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Lab::Attack(_) => "lab-attack",
            Lab::List => "lab-list",
            Lab::Client(_) => "lab-client",
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    match &arguments.command {
        Lab::Attack(arguments) => attack::run(arguments, app),
        Lab::List => list(app),
        Lab::Client(arguments) => client::run(arguments, app),
    }
}

fn list(app: &App) -> Result<Exit, Failure> {
    let attacks = lab::attacks();
    if app.console.json {
        let attacks: Vec<_> = attacks
            .iter()
            .map(|attack| {
                json!({
                    "id": attack.id,
                    "class": attack.class.name(),
                    "what": attack.what,
                    "advisories": attack.advisories,
                })
            })
            .collect();
        app.console
            .result("lab-list", json!({"attacks": attacks}))?;
        return Ok(Exit::Done);
    }
    for attack in attacks {
        let (class, advisories) = (attack.class.name(), attack.advisories.join(", "));
        let line = format!(
            "{:<30} {class:<19} {}  {advisories}",
            attack.id, attack.what
        );
        app.console.data(line.trim_end())?;
    }
    Ok(Exit::Done)
}
