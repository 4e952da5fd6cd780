use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use clap::Args;
/// x
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet trust")]
pub(crate) struct Arguments {}
pub(crate) fn run(_: Arguments, _: &App) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
