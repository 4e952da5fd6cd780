//! `tuffet lab attack`: the report card of a client.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tuffet_testkit::lab::{self, Attack};

use super::player::{Client, Verdict, absolute, play, waits, words};
use super::site::Server;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Attack a client and print its report card
///
/// The client is any command that speaks the command line of the TUF conformance suite (`init`, `refresh`, `download`); without one,
/// it is tuffet itself, of which the code of every refusal has to be the right one, too. Ends with 7 if an attack succeeds.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet lab attack\n  tuffet lab attack --client ./my-client --only rollback-timestamp"
)]
pub(crate) struct Arguments {
    /// The client: a program and its first arguments, split at spaces
    #[arg(long, value_name = "COMMAND")]
    client: Option<String>,
    /// Only this attack; may be repeated
    #[arg(long, value_name = "ATTACK")]
    only: Vec<String>,
    /// Leave out the attacks that wait for something to expire
    #[arg(long)]
    quick: bool,
    /// How long one call of the client may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let client = arguments.client()?;
    let attacks = arguments.attacks()?;
    let failed = |error: io::Error| {
        Failure::new("lab.failed", Exit::Failed, "the laboratory does not work").cause(error)
    };
    let server = Server::start().map_err(failed)?;
    let mut card = Vec::new();
    for attack in attacks {
        let verdict = play(&client, &attack, &server).map_err(failed)?;
        let name = verdict.name();
        app.console
            .status(name, format!("{}: {}", attack.id, attack.what));
        card.push((attack, verdict));
    }
    report(&card, app)
}

impl Arguments {
    fn client(&self) -> Result<Client, Failure> {
        let mut command = match &self.client {
            Some(command) => words(command),
            None => own()?,
        };
        if command.is_empty() {
            return Err(Failure::usage("--client names no program"));
        }
        absolute(&mut command);
        Ok(Client {
            command,
            own: self.client.is_none(),
            patience: Duration::from_secs(self.patience),
        })
    }

    fn attacks(&self) -> Result<Vec<Attack>, Failure> {
        let mut attacks = lab::attacks();
        if let Some(unknown) = self
            .only
            .iter()
            .find(|only| !attacks.iter().any(|attack| attack.id == only.as_str()))
        {
            let message = format!("there is no attack {unknown}");
            return Err(Failure::usage(message).fix("tuffet lab list"));
        }
        attacks.retain(|attack| {
            let wanted = self.only.is_empty() || self.only.iter().any(|only| only == attack.id);
            wanted && !(self.quick && waits(attack))
        });
        Ok(attacks)
    }
}

/// This program as a client.
fn own() -> Result<Vec<OsString>, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::new("lab.failed", Exit::Failed, "cannot find this program").cause(error)
    })?;
    Ok(vec![program.into(), "lab".into(), "client".into()])
}

fn report(card: &[(Attack, Verdict)], app: &App) -> Result<Exit, Failure> {
    let safe = |verdict: &Verdict| matches!(verdict, Verdict::Safe(_));
    let withstood = card.iter().filter(|(_, verdict)| safe(verdict)).count();
    if app.console.json {
        let attacks: Vec<Value> = card
            .iter()
            .map(|(attack, verdict)| {
                json!({
                    "id": attack.id,
                    "class": attack.class.name(),
                    "verdict": verdict.name(),
                    "detail": verdict.detail(),
                })
            })
            .collect();
        let result = json!({"attacks": attacks, "played": card.len(), "withstood": withstood});
        app.console.result("lab-attack", result)?;
    } else {
        for (attack, verdict) in card {
            let (class, verdict, detail) = (attack.class.name(), verdict.name(), verdict.detail());
            let line = format!("{:<30} {class:<19} {verdict:<10} {detail}", attack.id);
            app.console.data(line.trim_end())?;
        }
        app.console
            .data(format!("{withstood} of {} attacks withstood", card.len()))?;
    }
    Ok(if withstood == card.len() {
        Exit::Done
    } else {
        Exit::Findings
    })
}
