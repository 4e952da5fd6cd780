//! `tuffet renew`: new versions of roles that say the same and expire later.

use clap::Args;

use crate::author;
use crate::cli::EditOptions;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Open new versions of roles that say the same and expire later
///
/// They are signed and published like any other change. Snapshot and timestamp are renewed by every tuffet publish.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet renew targets\n  tuffet renew root team --dry-run")]
pub(crate) struct Arguments {
    /// The roles, or what the names of bins begin with
    #[arg(required = true)]
    roles: Vec<String>,
    #[command(flatten)]
    edit: EditOptions,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let roles = arguments.roles.iter().map(|name| author::role(name));
    let roles = roles.collect::<Result<Vec<_>, _>>()?;
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    let renewed = author::carry_out(
        repository.renew(&roles, author::moment(app)),
        dry,
        app,
        &mut actions,
    );
    renewed.map_err(|failure| match failure.code() {
        "role.unsuited" => failure.fix("tuffet publish"),
        _ => failure,
    })?;
    let exit = author::finish("renew", actions, dry, app)?;
    if !dry {
        app.console.next("tuffet change sign --key KEY");
    }
    Ok(exit)
}
