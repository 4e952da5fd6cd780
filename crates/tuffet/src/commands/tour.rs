//! `tuffet tour`: the whole of TUF in ten seconds.

use clap::Args;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::tour;

/// See the whole of TUF at work: author, serve, trust, get, delegate, rotate, and refuse an attacker
///
/// In a temporary directory, and on the loopback interface only. Ends with 1 if any step does not come out as it must.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet tour\n  tuffet tour --keep     leave the directory to play with"
)]
pub(crate) struct Arguments {
    /// Leave the directory where it is
    #[arg(long)]
    keep: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    tour::run(arguments.keep, app)
}
