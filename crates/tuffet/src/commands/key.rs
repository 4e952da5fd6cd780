//! `tuffet key`: keys that sign.

mod new;
mod rotate;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tuffet_core::crypto::Scheme;

use crate::cli::DryRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring::PassphraseOptions;
use crate::run::App;

/// Make keys, and replace them in a repository
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet key new ana\n  tuffet key rotate ben --to ben-2027",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Debug, Subcommand)]
enum Commands {
    New(NewArguments),
    Rotate(RotateArguments),
}

/// Make a key: NAME.key for you alone, NAME.pub for everybody
///
/// The private key is encrypted with a passphrase and only its owner may read the file.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet key new ana\n  tuffet key new ana --scheme ml-dsa-65/1 -o /media/stick"
)]
struct NewArguments {
    /// What the key is called
    name: String,
    /// The signature scheme
    #[arg(long, default_value = "ed25519", value_parser = parse_scheme)]
    scheme: Scheme,
    /// Where the two files go [default: keys in the configuration directory]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Leave the private key unencrypted: for tests
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
    #[command(flatten)]
    passphrase: PassphraseOptions,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Replace a key in every role that has it
///
/// The change is signed and published with tuffet publish; root needs the old keys and the new ones.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet key rotate ben --to ben-2027\n  tuffet key rotate ben --to ben-2027 --role targets"
)]
struct RotateArguments {
    /// The key that goes: its name or keyid
    old: String,
    /// The key that comes: a name, or a .pub file
    #[arg(long, value_name = "KEY")]
    to: String,
    /// Only in this role; may be repeated
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    match arguments.command {
        Commands::New(arguments) => new::run(&arguments, app),
        Commands::Rotate(arguments) => rotate::run(&arguments, app),
    }
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::New(_) => "key-new",
            Commands::Rotate(_) => "key-rotate",
        }
    }
}

fn parse_scheme(text: &str) -> Result<Scheme, String> {
    let names = || {
        let names: Vec<&str> = Scheme::ALL.iter().map(|scheme| scheme.name()).collect();
        format!("not one of {}", names.join(", "))
    };
    Scheme::from_name(text).ok_or_else(names)
}
