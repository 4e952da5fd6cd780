//! `tuffet delegate`: roles of their own for teams.

use clap::{Args, Subcommand};
use tuffet_core::metadata::DelegatedName;
use tuffet_repo::{Delegate, DelegatedPaths, Period};

use crate::author;
use crate::cli::DryRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring;
use crate::moment;
use crate::run::App;

/// Give teams roles of their own
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet delegate add team --paths 'team/*' --keys sam\n  tuffet delegate add edge --paths 'edge/*' --keys sam,lin --threshold 2",
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
}

/// Let other keys sign for some paths, and for nothing else
///
/// A * matches any characters but /, so team/* covers team/app and not team/x/app.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet delegate add team --paths 'team/*' --keys sam\n  tuffet delegate add edge --paths 'edge/*' --keys sam,lin --threshold 2 --expires 90d"
)]
struct AddArguments {
    /// What the role is called
    role: String,
    /// The paths that it may list: patterns, separated by commas
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',', required = true)]
    paths: Vec<String>,
    /// The public keys that may sign: names or .pub files, separated by commas
    #[arg(long, value_name = "KEYS", value_delimiter = ',', required = true)]
    keys: Vec<String>,
    /// How many of them have to
    #[arg(long, default_value_t = 1)]
    threshold: u64,
    /// The role that delegates
    #[arg(long = "as", value_name = "ROLE", default_value = "targets")]
    by: String,
    /// How long a version of the role is valid
    #[arg(long, value_name = "PERIOD", default_value = "30d", value_parser = moment::parse_period)]
    expires: Period,
    /// Go on to later roles when this one does not list a path that it covers
    #[arg(long)]
    not_terminating: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    let Commands::Add(arguments) = arguments.command;
    add(&arguments, app)
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::Add(_) => "delegate-add",
        }
    }
}

fn add(arguments: &AddArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository(app)?;
    let mut keys = Vec::new();
    for key in &arguments.keys {
        keys.push(keyring::public(app, Some(&repository), key)?);
    }
    let name = &arguments.role;
    let role =
        DelegatedName::new(name).map_err(|error| Failure::usage(format!("{name:?}: {error}")))?;
    let mut delegate = Delegate::new(
        role,
        DelegatedPaths::Patterns(arguments.paths.clone()),
        keys,
    );
    delegate.by = author::role(&arguments.by)?;
    delegate.threshold = arguments.threshold;
    delegate.terminating = !arguments.not_terminating;
    delegate.period = arguments.expires;
    let dry = arguments.dry_run.dry_run;
    let mut actions = Vec::new();
    author::carry_out(
        repository.delegate(&delegate, author::moment(app)),
        dry,
        app,
        &mut actions,
    )?;
    let exit = author::finish("delegate-add", actions, dry, app)?;
    if !dry {
        app.console
            .next("tuffet publish --key KEY…  with keys of the delegating role and of the new one");
    }
    Ok(exit)
}
