//! `tuffet delegate add`.

use tuffet_repo::{Delegate, DelegatedPaths};

use super::{AddArguments, names};
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Runs the command.
pub(super) fn run(arguments: &AddArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let paths = match arguments.bins {
        Some(bit_length) => DelegatedPaths::Bins { bit_length },
        None if arguments.hash_prefixes.is_empty() => {
            DelegatedPaths::Patterns(arguments.paths.clone())
        }
        None => DelegatedPaths::HashPrefixes(arguments.hash_prefixes.clone()),
    };
    let keys = names::public_keys(&arguments.keys, &repository, app)?;
    let mut delegate = Delegate::new(names::delegated(&arguments.role)?, paths, keys);
    delegate.by = author::role(&arguments.by)?;
    delegate.threshold = arguments.threshold;
    delegate.terminating = !arguments.not_terminating;
    delegate.period = arguments.expires;
    delegate.online = arguments.online;
    delegate.external = arguments.external;
    let dry = arguments.edit.dry_run;
    let mut actions = Vec::new();
    author::carry_out(
        repository.delegate(&delegate, author::moment(app)),
        dry,
        app,
        &mut actions,
    )?;
    let exit = author::finish("delegate-add", actions, dry, app)?;
    if !dry {
        app.console.next(if arguments.external {
            "tuffet delegate accept ROLE FILE"
        } else {
            "tuffet publish --key KEY…  with keys of the delegating role and of the new one"
        });
    }
    Ok(exit)
}
