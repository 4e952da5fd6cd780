//! `tuffet delegate`: roles of their own for teams.

mod add;
mod edit;
pub(super) mod names;
pub(super) mod show;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use tuffet_repo::Period;

use crate::cli::EditOptions;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::run::App;

/// Give teams roles of their own
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet delegate add team --paths 'team/*' --keys sam\n  tuffet delegate list",
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
    Accept(AcceptArguments),
    Remove(RemoveArguments),
    Rebin(RebinArguments),
}

/// Let other keys sign for some paths, and for nothing else
///
/// A * matches any characters but /, so team/* covers team/app and not team/x/app. What the role is asked for comes from
/// every delegation on the way to it.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet delegate add team --paths 'team/*' --keys sam\n  tuffet delegate add edge --paths 'edge/*' --keys sam,lin --threshold 2 --expires 90d\n  tuffet delegate add bin --bins 256 --keys online --online",
    group = ArgGroup::new("what").required(true)
)]
struct AddArguments {
    /// What the role is called, or what the names of bins begin with
    role: String,
    /// The paths that it may list: patterns, separated by commas
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',', group = "what")]
    paths: Vec<String>,
    /// Paths by the first digits of their SHA-256, separated by commas
    #[arg(long, value_name = "DIGITS", value_delimiter = ',', group = "what")]
    hash_prefixes: Vec<String>,
    /// All paths, shared out among this many bins by their SHA-256: 2, 4, 8 … 65536
    #[arg(long, value_name = "COUNT", group = "what", value_parser = parse_bins)]
    bins: Option<u32>,
    /// The public keys that may sign: names or .pub files, separated by commas
    #[arg(long, value_name = "KEYS", value_delimiter = ',', required = true)]
    keys: Vec<String>,
    /// How many of them have to
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    threshold: u64,
    /// The role that delegates
    #[arg(long, value_name = "ROLE", default_value = "targets")]
    by: String,
    /// How long a version of the role is valid
    #[arg(long, value_name = "PERIOD", default_value = "30d", value_parser = moment::parse_period)]
    expires: Period,
    /// Go on to later roles when this one does not list a path that it covers
    #[arg(long)]
    not_terminating: bool,
    /// Automation holds the keys, so tuffet publish signs the role with them
    #[arg(long)]
    online: bool,
    /// The role is signed elsewhere: its versions come in with tuffet delegate accept
    #[arg(long, conflicts_with_all = ["bins", "online"])]
    external: bool,
    #[command(flatten)]
    edit: EditOptions,
}

/// List the delegations, with the open change applied
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet delegate list\n  tuffet delegate list --by team --json"
)]
struct ListArguments {
    /// Only those that this role makes
    #[arg(long, value_name = "ROLE")]
    by: Option<String>,
}

/// Show what is delegated to a role, who signs for it, and what it lists
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet delegate show team\n  tuffet delegate show team --json"
)]
struct ShowArguments {
    /// The role, or what the names of bins begin with
    role: String,
}

/// Take over a version of a role that was signed elsewhere, byte for byte
///
/// A threshold of the keys that the delegation names has to have signed it, and its version has to be higher than any that
/// is here. The program that signed it does not matter.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet delegate accept vendor vendor.json\n  curl -sf https://vendor.example/12.vendor.json | tuffet delegate accept vendor -",
    after_help = "The open change then holds the file as it is; tuffet publish needs no more signatures for it."
)]
struct AcceptArguments {
    /// The role
    role: String,
    /// The metadata file; - is stdin
    file: PathBuf,
    #[command(flatten)]
    edit: EditOptions,
}

/// Take a delegation away
///
/// Clients stop to ask the role once that is published. Snapshot goes on listing the last version of the role, because
/// clients take a shorter list for an attack.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet delegate remove team\n  tuffet delegate remove edge-fw --by edge"
)]
struct RemoveArguments {
    /// The role, or what the names of bins begin with
    role: String,
    /// Only the delegation that this role makes
    #[arg(long, value_name = "ROLE")]
    by: Option<String>,
    #[command(flatten)]
    edit: EditOptions,
}

/// Share the targets of bins out among another number of bins
///
/// All of it is one change, and clients come to see it with one timestamp. tuffet publish needs the key of the bins.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet delegate rebin 1024\n  tuffet delegate rebin 64 --by registry --dry-run"
)]
struct RebinArguments {
    /// How many bins there are then: 2, 4, 8 … 65536
    #[arg(value_parser = parse_bins)]
    bins: u32,
    /// The role that delegates to them
    #[arg(long, value_name = "ROLE", default_value = "targets")]
    by: String,
    #[command(flatten)]
    edit: EditOptions,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    match arguments.command {
        Commands::Add(arguments) => add::run(&arguments, app),
        Commands::List(arguments) => show::list(&arguments, app),
        Commands::Show(arguments) => show::show(&arguments.role, app),
        Commands::Accept(arguments) => edit::accept(&arguments, app),
        Commands::Remove(arguments) => edit::remove(&arguments, app),
        Commands::Rebin(arguments) => edit::rebin(&arguments, app),
    }
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::Add(_) => "delegate-add",
            Commands::List(_) => "delegate-list",
            Commands::Show(_) => "delegate-show",
            Commands::Accept(_) => "delegate-accept",
            Commands::Remove(_) => "delegate-remove",
            Commands::Rebin(_) => "delegate-rebin",
        }
    }
}

/// The number of bits that makes so many bins.
pub(super) fn parse_bins(text: &str) -> Result<u32, String> {
    let count = text
        .parse::<u32>()
        .ok()
        .filter(|count| count.is_power_of_two() && (2..=65_536).contains(count));
    count
        .map(u32::trailing_zeros)
        .ok_or_else(|| "not a power of two from 2 to 65536".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_counted_in_powers_of_two() {
        for (text, bits) in [("2", 1), ("256", 8), ("65536", 16)] {
            assert_eq!(parse_bins(text), Ok(bits));
        }
        for wrong in ["0", "1", "3", "131072", "-2", "many"] {
            assert!(parse_bins(wrong).is_err(), "{wrong}");
        }
    }
}
