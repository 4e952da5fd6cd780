//! `tuffet prune`: removes from the published tree what has been out of use for a while.

use clap::Args;
use tuffet_repo::{Destination, Period, Prune, WriteKind};

use crate::author;
use crate::cli::DryRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::run::App;

/// Remove old versions and targets from the published tree
///
/// Publishing removes nothing, so that clients that are at work can go on. This removes the snapshots that were replaced
/// longer ago than PERIOD, the roles that no snapshot in use lists, and the targets that no role that stays lists. Roots,
/// and all that clients see now, are never removed; neither is what has no version or hash in its name. Whoever publishes
/// at the same time makes it end with 9, before anything is removed.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet prune --older-than 30d --dry-run\n  tuffet prune --older-than 30d --from s3://acme-downloads/tuf"
)]
pub(crate) struct Arguments {
    /// How long something has to be out of use
    #[arg(long, value_name = "PERIOD", value_parser = moment::parse_period)]
    older_than: Period,
    /// The published tree [default: what the repository's tuffet.toml says]
    #[arg(long, value_name = "PLACE", value_parser = author::parse_destination)]
    from: Option<Destination>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let (dry, mut actions) = (arguments.dry_run.dry_run, Vec::new());
    let repository = author::repository(app)?.only_looking(dry);
    let mut prune = Prune::older_than(arguments.older_than);
    prune.from.clone_from(&arguments.from);
    let plan = repository.prune(&prune, author::moment(app));
    if let Ok(plan) = &plan {
        let removed = plan
            .writes()
            .filter(|write| write.kind == WriteKind::Remove);
        for write in removed {
            app.console.detail(write.at.to_string());
        }
    }
    author::carry_out(plan, dry, app, &mut actions)?;
    author::finish("prune", actions, dry, app)
}
