//! `tuffet version`: what this program is.

use clap::Args;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Show the version and what this build speaks
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet version\n  tuffet version --json")]
pub(crate) struct Arguments {}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of the specification that the client workflow follows.
const SPECIFICATION: &str = "1.0.34";

/// Runs the command.
pub(crate) fn run(app: &App) -> Result<Exit, Failure> {
    if app.console.json {
        app.console.result("version", object())?;
    } else {
        app.console.data(format!(
            "tuffet {VERSION}\nspecification {SPECIFICATION}\nschemes {}",
            crate::text::wrap(&schemes().join(" "), crate::text::WIDTH, 8)
        ))?;
    }
    Ok(Exit::Done)
}

/// The same for machines, as `--version --json` prints it, too.
pub(crate) fn object() -> Value {
    json!({"version": VERSION, "specification": SPECIFICATION, "schemes": schemes()})
}

fn schemes() -> Vec<&'static str> {
    let all = tuffet_core::crypto::Scheme::ALL.iter();
    all.map(|scheme| scheme.name()).collect()
}
