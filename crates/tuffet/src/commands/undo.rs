//! `tuffet undo`: takes the last edit of the open change back.

use clap::Args;

use crate::author;
use crate::cli::EditOptions;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Take back the last edit of the open change, if nobody has signed since
///
/// The last 32 edits can be taken back. What was written into tuffet.toml at once, such as a period, stays.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet undo\n  tuffet undo --dry-run")]
pub(crate) struct Arguments {
    #[command(flatten)]
    edit: EditOptions,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    author::carry_out(repository.undo(), dry, app, &mut actions)?;
    author::finish("undo", actions, dry, app)
}
