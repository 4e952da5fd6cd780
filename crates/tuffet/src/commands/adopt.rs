//! `tuffet adopt`: which root a copy of a repository trusts.

use std::path::Path;

use clap::Args;
use tuffet_core::crypto::{Digest, HashAlgorithm};
use tuffet_repo::Adopt;

use crate::author;
use crate::cli::DryRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::text::visible;
use crate::whole;

/// Take a copy of a repository into use, and say which root it trusts
///
/// A clone is as good as whoever may push to the remote: they could have replaced all of it. So a copy is used only once it
/// knows a root that you trust; from then on everything in it has to follow from that, and it never goes back to an older root
/// unless --replace says so. Without --root it shows the first
/// root that is there, and asks: compare its SHA-256 with somebody who has a copy already.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet adopt --root 1.root.json\n  tuffet adopt --root sha256:8a2f… --repo acme"
)]
pub(crate) struct Arguments {
    /// A root that you trust: its file, or sha256:HEX of its file
    #[arg(long, value_name = "ROOT")]
    root: Option<String>,
    /// Trust the first root that is there without asking
    #[arg(long, conflicts_with = "root")]
    yes: bool,
    /// Trust it also if the root that this copy remembers is newer, or of another history: keys that it has replaced count again
    #[arg(long, requires = "root")]
    replace: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let dry = arguments.dry_run.dry_run;
    let repository = author::repository(app)?.only_looking(dry);
    let adopt = match &arguments.root {
        Some(root) => trusted(root)?,
        None => Adopt::FirstUse,
    };
    let plan = if arguments.replace {
        repository.adopt_instead(&adopt)
    } else {
        repository.adopt(&adopt)
    };
    let plan = plan.map_err(|error| Failure::from(&error))?;
    if adopt == Adopt::FirstUse && !arguments.yes && !dry {
        for action in plan.actions() {
            app.console.status("First", visible(&action.to_string()));
        }
        app.console
            .confirm("is this the root that you trust?", "--root or --yes")?;
    }
    let mut actions = Vec::new();
    author::carry_out(Ok(plan), dry, app, &mut actions)?;
    author::finish("adopt", actions, dry, app)
}

fn trusted(root: &str) -> Result<Adopt, Failure> {
    let Some(hex) = root.strip_prefix("sha256:") else {
        return Ok(Adopt::Root(whole::read(Path::new(root), whole::METADATA)?));
    };
    let digest = Digest::from_hex(HashAlgorithm::Sha256, hex);
    let digest = digest.ok_or_else(|| Failure::usage(format!("{root:?} is no SHA-256")))?;
    Ok(Adopt::Sha256(digest))
}
