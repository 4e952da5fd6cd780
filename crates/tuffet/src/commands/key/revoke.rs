//! `tuffet key revoke`.

use tuffet_repo::RevokeKey;

use super::RevokeArguments;
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Runs the command.
pub(super) fn run(arguments: RevokeArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let mut revoke = RevokeKey::new(&arguments.key);
    for role in &arguments.role {
        revoke.roles.push(author::role(role)?);
    }
    revoke.thresholds.extend(arguments.threshold);
    let dry = arguments.edit.dry_run;
    let mut actions = Vec::new();
    author::carry_out(
        repository.revoke_key(&revoke, author::moment(app)),
        dry,
        app,
        &mut actions,
    )?;
    let exit = author::finish("key-revoke", actions, dry, app)?;
    if !dry {
        app.console
            .next("tuffet publish --key KEY…  with the keys that stay");
    }
    Ok(exit)
}
