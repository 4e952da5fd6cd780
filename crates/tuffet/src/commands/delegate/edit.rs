//! `tuffet delegate accept`, `tuffet delegate remove` and `tuffet delegate rebin`.

use super::{AcceptArguments, RebinArguments, RemoveArguments, names};
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::whole;

/// Takes over a version that was signed elsewhere.
pub(super) fn accept(arguments: &AcceptArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let role = names::delegated(&arguments.role)?;
    let bytes = whole::read(&arguments.file, whole::METADATA)?;
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    let plan = repository.accept_role(&role, bytes, author::moment(app));
    author::carry_out(plan, dry, app, &mut actions)?;
    let exit = author::finish("delegate-accept", actions, dry, app)?;
    if !dry {
        app.console.next("tuffet publish");
    }
    Ok(exit)
}

/// Takes a delegation away.
pub(super) fn remove(arguments: &RemoveArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let by = arguments.by.as_deref().map(author::role).transpose()?;
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    let plan = repository.remove_delegation(&arguments.role, by.as_ref(), author::moment(app));
    author::carry_out(plan, dry, app, &mut actions)?;
    let exit = author::finish("delegate-remove", actions, dry, app)?;
    if !dry {
        app.console
            .next("tuffet publish --key KEY…  with keys of the delegating role");
    }
    Ok(exit)
}

/// Shares targets out among another number of bins.
pub(super) fn rebin(arguments: &RebinArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let by = author::role(&arguments.by)?;
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    let plan = repository.rebin(&by, arguments.bins, author::moment(app));
    author::carry_out(plan, dry, app, &mut actions)?;
    let exit = author::finish("delegate-rebin", actions, dry, app)?;
    if !dry {
        app.console
            .next("tuffet publish --key KEY…  with keys of the delegating role and of the bins");
    }
    Ok(exit)
}
