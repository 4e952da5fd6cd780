//! `tuffet key`: keys that sign.

mod add;
mod doctor;
mod export_public;
mod import;
mod list;
mod new;
mod revoke;
mod rotate;
mod show;
mod test;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tuffet_core::crypto::Scheme;
use tuffet_core::metadata::RoleName;

use crate::cli::{DryRun, EditOptions};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring::{PassphraseOptions, SecretOptions};
use crate::run::App;

/// Make keys, give names to those in agents, tokens and services, and replace them in a repository
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet key new ana\n  tuffet key add vault pkcs11:token=vault;object=root?module-path=/usr/lib/softhsm/libsofthsm2.so\n  tuffet key rotate ben --to ben-2027",
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
    Add(AddArguments),
    Import(ImportArguments),
    List(ListArguments),
    Show(ShowArguments),
    Test(TestArguments),
    Rotate(RotateArguments),
    Revoke(RevokeArguments),
    ExportPublic(ExportArguments),
    Doctor(DoctorArguments),
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

/// Give a name to a key that is elsewhere: in an agent, on a token, in a service, in another file
///
/// NAME.uri says where it is, NAME.pub is its public key. The key has to be there, and signs once to show that it does. With the
/// .pub file of somebody else, only their public key is kept.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet key add sam ssh-agent:sam@laptop\n  tuffet key add card hsm:2?label=YubiKey+PIV+%231234\n  tuffet key add vault /media/stick/vault.pub"
)]
struct AddArguments {
    /// What the key is called
    name: String,
    /// Where it is: a key URI, a file, or somebody's .pub file
    key: String,
    /// A certificate by which the token vouches for the key, and those that lead to its maker; may be repeated
    #[arg(long, value_name = "FILE")]
    attestation: Vec<PathBuf>,
    /// The certificate of the maker, or of the token itself, to verify them by; may be repeated
    #[arg(long, value_name = "FILE", requires = "attestation")]
    attestation_root: Vec<PathBuf>,
    #[command(flatten)]
    secrets: SecretOptions,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Show the public half of a key that is elsewhere, and write it to a file
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet key import ssh-agent:sam@laptop\n  tuffet key import env:RELEASE_KEY -o release.pub"
)]
struct ImportArguments {
    /// Where the key is: a key URI, or a file
    key: String,
    /// Write the public key to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    secrets: SecretOptions,
    #[command(flatten)]
    dry_run: DryRun,
}

/// List the keys that have names
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet key list\n  tuffet key list --json")]
struct ListArguments {}

/// Show where a key is, its public half, and the roles that it signs in the repository
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet key show ana\n  tuffet key show vault.pub --json")]
struct ShowArguments {
    /// A name, or a .pub file
    key: String,
}

/// Have keys sign a random message, and verify the signatures
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet key test ana\n  tuffet key test sam ssh-agent:SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
)]
struct TestArguments {
    /// Names, files of private keys, or key URIs
    #[arg(required = true)]
    key: Vec<String>,
    #[command(flatten)]
    secrets: SecretOptions,
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
    edit: EditOptions,
}

/// Take a key out of every role that has it
///
/// What it signed gets a new version, to be signed by the others. A role that would have fewer keys than signatures it needs
/// keeps the command from doing anything, unless --threshold says how many it is to need; tuffet key rotate puts another key in.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet key revoke ben\n  tuffet key revoke ben --role targets --threshold targets=1"
)]
struct RevokeArguments {
    /// The key that goes: its name or keyid
    key: String,
    /// Only in this role; may be repeated
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
    /// How many signatures a role is to need from now on; may be repeated
    #[arg(long, value_name = "ROLE=N", value_parser = parse_threshold)]
    threshold: Vec<(RoleName, u64)>,
    #[command(flatten)]
    edit: EditOptions,
}

/// Print the public half of a key, for other people and programs
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet key export-public ana > ana.pub\n  tuffet key export-public ana --pem -o ana.pem"
)]
struct ExportArguments {
    /// A name, or a .pub file
    key: String,
    /// As PEM, instead of the key object of metadata
    #[arg(long)]
    pem: bool,
    /// Write it to this file, which must not exist
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Find out why a key does not sign: files, agent, tokens, PINs, clock
///
/// Nothing is signed, and no PIN is asked for. What is not as it should be is a finding.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet key doctor\n  tuffet key doctor --check --module /usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
)]
struct DoctorArguments {
    /// Ask this PKCS#11 library for its tokens; may be repeated
    #[arg(long, value_name = "FILE")]
    module: Vec<PathBuf>,
    /// End with 7 if there are findings
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    match arguments.command {
        Commands::New(arguments) => new::run(&arguments, app),
        Commands::Add(arguments) => add::run(&arguments, app),
        Commands::Import(arguments) => import::run(&arguments, app),
        Commands::List(_) => list::run(app),
        Commands::Show(arguments) => show::run(&arguments, app),
        Commands::Test(arguments) => test::run(&arguments, app),
        Commands::Rotate(arguments) => rotate::run(&arguments, app),
        Commands::Revoke(arguments) => revoke::run(arguments, app),
        Commands::ExportPublic(arguments) => export_public::run(&arguments, app),
        Commands::Doctor(arguments) => doctor::run(&arguments, app),
    }
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::New(_) => "key-new",
            Commands::Add(_) => "key-add",
            Commands::Import(_) => "key-import",
            Commands::List(_) => "key-list",
            Commands::Show(_) => "key-show",
            Commands::Test(_) => "key-test",
            Commands::Rotate(_) => "key-rotate",
            Commands::Revoke(_) => "key-revoke",
            Commands::ExportPublic(_) => "key-export-public",
            Commands::Doctor(_) => "key-doctor",
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

/// `targets=1`.
fn parse_threshold(text: &str) -> Result<(RoleName, u64), String> {
    let (role, number) = text.rsplit_once('=').ok_or("not of the form ROLE=N")?;
    let role = RoleName::new(role).map_err(|error| error.to_string())?;
    match number.parse() {
        Ok(number) if number >= 1 => Ok((role, number)),
        _ => Err("a threshold is a number from 1".to_owned()),
    }
}
