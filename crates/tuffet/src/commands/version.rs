//! `tuffet version`: what this program is.

use clap::Args;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Show the version and what this build speaks
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet version\n  tuffet version --json")]
pub(crate) struct Arguments {}

/// The version of the specification that the client workflow follows.
const SPECIFICATION: &str = "1.0.34";

/// Runs the command.
pub(crate) fn run(app: &App) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let schemes: Vec<&str> = tuffet_core::crypto::Scheme::ALL
        .iter()
        .map(|scheme| scheme.name())
        .collect();
    if app.console.json {
        app.console.result(
            "version",
            json!({"version": version, "specification": SPECIFICATION, "schemes": schemes}),
        )?;
    } else {
        app.console.data(format!(
            "tuffet {version}\nspecification {SPECIFICATION}\nschemes {}",
            crate::text::wrap(&schemes.join(" "), crate::text::WIDTH, 8)
        ))?;
    }
    Ok(Exit::Done)
}
