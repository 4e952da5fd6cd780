//! `tuffet completions`: scripts by which shells complete what is typed.

use clap::Args;
use clap_complete::Shell;
use serde_json::json;

use crate::cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet completions bash > ~/.local/share/bash-completion/completions/tuffet\n  tuffet completions fish > ~/.config/fish/completions/tuffet.fish"
)]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut cli::tree(), "tuffet", &mut script);
    let script = String::from_utf8_lossy(&script);
    if app.console.json {
        let shell = arguments.shell.to_string();
        app.console
            .result("completions", json!({"shell": shell, "script": script}))?;
    } else {
        app.console.data(script.trim_end())?;
    }
    Ok(Exit::Done)
}
