//! `tuffet import`: a repository that another tool has made.

use std::path::{Path, PathBuf};

use clap::Args;
use tuffet_repo::{Destination, Import, Repository};

use crate::author;
use crate::cli::DryRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::whole;

/// Take over a repository that another tool has made: python-tuf, tuftool, go-tuf
///
/// Reads its published metadata, verifies all of it and makes a repository with the same history: the next versions follow
/// the ones that clients know. Nothing is signed again. The keys stay where they are; name them with --key when you sign.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet import /srv/tuf acme --publish-to /srv/tuf\n  tuffet import old/metadata acme --root 1.root.json"
)]
pub(crate) struct Arguments {
    /// The published repository, or the directory with its metadata
    from: PathBuf,
    /// Where the new one goes
    directory: PathBuf,
    /// What it is called [default: the name of the directory]
    #[arg(long)]
    name: Option<String>,
    /// A root that you trust [default: the oldest that is there]
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// Where it is published from now on, relative to the new repository
    #[arg(long, value_name = "PLACE", value_parser = author::parse_destination)]
    publish_to: Option<Destination>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    let name = match arguments.name {
        Some(name) => name,
        None => super::init::name_of(&arguments.directory)?,
    };
    let mut import = Import::new(&name, metadata(&arguments.from));
    import.publish_to = arguments.publish_to;
    if let Some(root) = &arguments.root {
        import.root = Some(whole::read(root, whole::METADATA)?);
    }
    let (dry, mut actions) = (arguments.dry_run.dry_run, Vec::new());
    let moment = author::moment(app);
    let plan = Repository::import(&arguments.directory, &import, moment);
    author::carry_out(plan, dry, app, &mut actions)?;
    if !dry {
        let opened = Repository::open(&arguments.directory);
        let repository = opened.map_err(|error| Failure::from(&error))?;
        let consistent = repository.make_consistent(moment);
        if let Some(plan) = consistent.map_err(|error| Failure::from(&error))? {
            author::carry_out(Ok(plan), dry, app, &mut actions)?;
        }
    }
    let exit = author::finish("import", actions, dry, app)?;
    if !dry {
        app.console.next("tuffet status");
    }
    Ok(exit)
}

/// Where the metadata lies: go-tuf keeps it in `repository`, others in `metadata`.
pub(super) fn metadata(from: &Path) -> PathBuf {
    let known = ["metadata", "repository/metadata", "repository"];
    let mut found = known.iter().map(|name| from.join(name));
    found
        .find(|path| path.is_dir())
        .unwrap_or_else(|| from.to_owned())
}
