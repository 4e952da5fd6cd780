//! `tuffet trust`: which repositories are trusted, and beginning with which root.

mod add;
mod show;

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::DryRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::run::App;
use crate::text;
use crate::trusted::Entry;

/// Say which repositories are trusted, beginning with which root
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet trust add acme https://dl.acme.example --root 1.root.json\n  tuffet trust list",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Debug, Subcommand)]
enum Commands {
    Add(AddArguments),
    List(ListArguments),
    Show(ShowArguments),
    Remove(RemoveArguments),
}

/// Trust a repository, beginning with a root that you have got from someone you trust
///
/// The root is checked against its own keys and shown with its fingerprint: compare it with what the operator of the
/// repository says, by another way than the one the file came on.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet trust add acme https://dl.acme.example --root 1.root.json\n  tuffet trust add both --map map.json --root vendor=v.root.json --root mirror=m.root.json"
)]
struct AddArguments {
    /// The name under which targets are asked for
    name: String,
    /// Where the repository is: the URL or the local directory that holds metadata/ and targets/
    #[arg(required_unless_present_any = ["metadata_url", "map"], conflicts_with = "map")]
    url: Option<String>,
    /// The trusted root; with --map one for each repository, as REPOSITORY=FILE
    #[arg(long, value_name = "FILE", required = true)]
    root: Vec<String>,
    /// Where metadata is, if not in metadata/ below the URL; may be repeated for mirrors
    #[arg(long, value_name = "URL", conflicts_with = "map")]
    metadata_url: Vec<String>,
    /// Where targets are, if not in targets/ beside the metadata; may be repeated for mirrors
    #[arg(long, value_name = "URL", conflicts_with = "map")]
    targets_url: Vec<String>,
    /// A map file over several repositories that have to agree (TAP 4)
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// List what is trusted
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet trust list\n  tuffet trust list --json")]
struct ListArguments {}

/// Show a trusted repository and the fingerprint of its root
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet trust show acme\n  tuffet trust show acme --json")]
struct ShowArguments {
    /// The name
    name: String,
}

/// Trust a repository no longer, and forget which versions of it were seen
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet trust remove acme\n  tuffet trust remove acme --yes")]
struct RemoveArguments {
    /// The name
    name: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    match arguments.command {
        Commands::Add(arguments) => add::run(&arguments, app),
        Commands::List(_) => list(app),
        Commands::Show(arguments) => show::run(&arguments.name, app),
        Commands::Remove(arguments) => remove(&arguments, app),
    }
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::Add(_) => "trust-add",
            Commands::List(_) => "trust-list",
            Commands::Show(_) => "trust-show",
            Commands::Remove(_) => "trust-remove",
        }
    }
}

fn list(app: &App) -> Result<Exit, Failure> {
    let trust = app.options.places.trust()?;
    let mut rows = Vec::new();
    let mut objects = Vec::new();
    for name in Entry::names(&trust)? {
        let entry = match Entry::load(&trust, &name) {
            Ok(entry) => entry,
            Err(failure) => {
                app.console.warn(failure.message());
                continue;
            }
        };
        let urls: Vec<String> = entry
            .repositories
            .iter()
            .filter_map(|source| source.metadata.first())
            .map(|url| tuffet_client::without_secrets(url))
            .collect();
        let kind = if entry.map.is_some() {
            "map"
        } else {
            "repository"
        };
        rows.push(vec![name.clone(), kind.to_owned(), urls.join(" ")]);
        objects.push(json!({"name": name, "kind": kind, "metadata": urls}));
    }
    if app.console.json {
        app.console
            .result("trust-list", json!({"trusted": objects}))?;
    } else if rows.is_empty() {
        app.console.status("Empty", "nothing is trusted");
        app.console.next("tuffet trust add NAME URL --root FILE");
    } else {
        app.console.data(text::columns(&rows).join("\n"))?;
    }
    Ok(Exit::Done)
}

fn remove(arguments: &RemoveArguments, app: &App) -> Result<Exit, Failure> {
    let name = &arguments.name;
    let trust = app.options.places.trust()?;
    crate::trusted::check_name(name)?;
    if !trust.join(name).is_dir() {
        // For the message that lists what there is.
        Entry::load(&trust, name)?;
    }
    let store = app.options.places.store(name)?;
    let dry = arguments.dry_run.dry_run;
    if !dry && !arguments.yes {
        app.console.confirm(
            &format!("Trust {name} no longer, and forget its history?"),
            "--yes",
        )?;
    }
    let mut removed = Vec::new();
    for directory in [trust.join(name), store] {
        if !directory.is_dir() {
            continue;
        }
        if !dry {
            let _shield = interrupt::shield(interrupt::WRITES);
            fs::remove_dir_all(&directory).map_err(|error| Failure::writing(&directory, &error))?;
        }
        removed.push(directory.display().to_string());
    }
    let verb = if dry { "Would remove" } else { "Removed" };
    for directory in &removed {
        app.console.status(verb, directory);
    }
    if app.console.json {
        app.console.result(
            "trust-remove",
            json!({"name": name, "removed": removed, "dry_run": dry}),
        )?;
    }
    Ok(Exit::Done)
}
