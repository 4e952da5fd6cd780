//! `tuffet renew`: new versions of roles that say the same and expire later.

use clap::Args;
use tuffet_core::metadata::RoleName;
use tuffet_repo::{Destination, Publish, Repository};

use super::publish::online_key;
use crate::author;
use crate::cli::EditOptions;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring::{self, Keyring, SigningOptions};
use crate::run::App;

/// Open new versions of roles that say the same and expire later; renew what is published
///
/// Roles of people become part of the open change, which is signed and published like any other. Snapshot and timestamp are renewed and
/// published at once, and nothing else is: whatever is open stays open, whoever has signed it. Run it from a timer, and clients go on
/// while a change waits for its signatures.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet renew targets\n  tuffet renew root team --dry-run\n  tuffet renew timestamp               publish what is in force again"
)]
pub(crate) struct Arguments {
    /// The roles, or what the names of bins begin with
    #[arg(required = true)]
    roles: Vec<String>,
    #[command(flatten)]
    signing: SigningOptions,
    /// Where snapshot and timestamp are published [default: what the repository's tuffet.toml says]
    #[arg(long, value_name = "PLACE", value_parser = author::parse_destination)]
    to: Option<Destination>,
    #[command(flatten)]
    edit: EditOptions,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let roles = arguments.roles.iter().map(|name| author::role(name));
    let roles = roles.collect::<Result<Vec<_>, _>>()?;
    let online = |role: &RoleName| matches!(role, RoleName::Snapshot | RoleName::Timestamp);
    if roles.iter().all(online) {
        if arguments.edit.discard_signatures {
            let message = "nothing that is open is edited, so no signature is in the way";
            return Err(Failure::usage(message).fix("leave --discard-signatures out"));
        }
        return renew_online(&repository, &roles, arguments, app);
    }
    if arguments.to.is_some() || !arguments.signing.key.is_empty() {
        let message = "only snapshot and timestamp are signed and published at once";
        return Err(Failure::usage(message).fix("leave --to and --key to tuffet publish"));
    }
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    let renewed = author::carry_out(
        repository.renew(&roles, author::moment(app)),
        dry,
        app,
        &mut actions,
    );
    renewed.map_err(|failure| match roles.iter().find(|role| online(role)) {
        Some(role) if failure.code() == "role.unsuited" => {
            failure.fix(format!("by itself: tuffet renew {role}"))
        }
        _ => failure,
    })?;
    let exit = author::finish("renew", actions, dry, app)?;
    if !dry {
        app.console.next("tuffet change sign --key KEY");
    }
    Ok(exit)
}

/// Publishes what is in force with another timestamp, and another snapshot if that is asked for or due.
fn renew_online(
    repository: &Repository,
    roles: &[RoleName],
    arguments: &Arguments,
    app: &App,
) -> Result<Exit, Failure> {
    let keyring = Keyring::new(app, &arguments.signing.secrets);
    let mut keys = keyring.open_all(&arguments.signing.key)?;
    let failed = |error| Failure::from(&error);
    let session = repository.begin_in_force().map_err(failed)?;
    keyring::point_out_unused(&keys, &session, app);
    keys.extend(online_key(repository)?);
    let mut publish = Publish::default().in_force();
    publish.new_snapshot = roles.contains(&RoleName::Snapshot);
    publish.to.clone_from(&arguments.to);
    let plan = session.publish(&publish, &keyring::signers(&keys), author::moment(app));
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    author::carry_out(plan, dry, app, &mut actions)?;
    author::finish("renew", actions, dry, app)
}
