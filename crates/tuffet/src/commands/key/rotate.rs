//! `tuffet key rotate`.

use tuffet_repo::RotateKey;

use super::RotateArguments;
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring;
use crate::run::App;

/// Runs the command.
pub(super) fn run(arguments: &RotateArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let new = keyring::public(app, Some(&repository), &arguments.to)?;
    let mut rotate = RotateKey::new(&arguments.old, new);
    for role in &arguments.role {
        rotate.roles.push(author::role(role)?);
    }
    let dry = arguments.edit.dry_run;
    let mut actions = Vec::new();
    author::carry_out(
        repository.rotate_key(&rotate, author::moment(app)),
        dry,
        app,
        &mut actions,
    )?;
    let exit = author::finish("key-rotate", actions, dry, app)?;
    if !dry {
        app.console
            .next("tuffet publish --key KEY…  with the old and the new keys of the role");
    }
    Ok(exit)
}
