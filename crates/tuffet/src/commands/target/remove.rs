//! `tuffet target remove` and `tuffet target yank`.

use super::{RemoveArguments, YankArguments, path};
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Takes targets out of one role.
pub(super) fn run(arguments: &RemoveArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let role = arguments.role.as_deref().map(author::role).transpose()?;
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    for target in &arguments.paths {
        let plan = repository.remove_target(&path(target)?, role.as_ref(), author::moment(app));
        author::carry_out(plan, dry, app, &mut actions)?;
    }
    let exit = author::finish("target-remove", actions, dry, app)?;
    if !dry {
        app.console.next("tuffet publish --key KEY…");
    }
    Ok(exit)
}

/// Takes a target out of everything that lists it.
pub(super) fn yank(arguments: &YankArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    let plan = repository.yank_target(&path(&arguments.path)?, author::moment(app));
    author::carry_out(plan, dry, app, &mut actions)?;
    app.console.status(
        "Note",
        "clients that have it keep it; once this is published, no client is given it any more",
    );
    let exit = author::finish("target-yank", actions, dry, app)?;
    if !dry {
        app.console
            .next("tuffet publish --key KEY…  with keys of every role above");
    }
    Ok(exit)
}
