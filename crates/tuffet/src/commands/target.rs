//! `tuffet target`: the files that a repository vouches for.

mod add;
pub(super) mod list;
mod remove;
mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tuffet_core::metadata::TargetPath;

use crate::cli::EditOptions;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Say which files the repository vouches for
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet target add dist/app-1.4.0.tar.zst\n  tuffet target add app --name stable/app --set version=1.4.0",
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
    Yank(YankArguments),
}

/// List the targets, with the open change applied
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet target list\n  tuffet target list --as team --json")]
struct ListArguments {
    /// Only those of this role
    #[arg(long = "as", value_name = "ROLE")]
    role: Option<String>,
}

/// Show a target: who lists it, and how clients come to it
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet target show app-1.4.0.tar.zst\n  tuffet target show stable/app.tar.zst --json"
)]
struct ShowArguments {
    /// The path that clients ask for
    path: String,
}

/// Take a target back: out of every role and channel that lists it, in one change
///
/// Clients that have downloaded it keep it. Nothing reaches into a machine that has it already: publish a version that
/// replaces it.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet target yank app-1.4.0.tar.zst     also from stable/, beta/ and every other channel\n  tuffet target yank stable/app-1.4.0.tar.zst"
)]
struct YankArguments {
    /// The path that clients ask for; without a channel it is taken out of all of them
    path: String,
    #[command(flatten)]
    edit: EditOptions,
}

/// Take targets out; their bytes stay where they were published
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet target remove app-1.3.0.tar.zst\n  tuffet target remove team/fw-6.bin --as team"
)]
struct RemoveArguments {
    /// The paths that clients ask for
    #[arg(required = true)]
    paths: Vec<String>,
    /// The role that lists them [default: targets, or the bin that covers the path]
    #[arg(long = "as", value_name = "ROLE")]
    role: Option<String>,
    #[command(flatten)]
    edit: EditOptions,
}

/// Add files; they are published with the next tuffet publish
///
/// Of a directory all files are added, each under its path in that directory. A file that is listed with the same content
/// already leaves the open change and its signatures as they are; its bytes are kept to be published.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet target add dist/app-1.4.0.tar.zst --channel stable --set version=1.4.0\n  tuffet target add fw-7.bin --as team     team/fw-7.bin, if team is asked for team/* alone\n  tuffet target add dist --name 1.4.0     dist/a/b becomes 1.4.0/a/b"
)]
struct AddArguments {
    /// The files, or directories of files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The path that clients ask for, or what comes before the paths of a directory [default: the name of the file,
    /// in the directory that the role of --as is asked for]
    #[arg(long, value_name = "PATH")]
    name: Option<String>,
    /// The channel that lists the files; its name comes before their paths
    #[arg(long, value_name = "CHANNEL", conflicts_with = "role")]
    channel: Option<String>,
    /// The role that lists the files [default: targets, or the bin that covers the path]
    #[arg(long = "as", value_name = "ROLE")]
    role: Option<String>,
    /// Something about the files that the application understands, as a text; may be repeated
    #[arg(long, value_name = "NAME=TEXT")]
    set: Vec<String>,
    /// The same as a JSON value, such as --custom 'rollout={"percent":5}'; may be repeated
    #[arg(long, value_name = "NAME=JSON")]
    custom: Vec<String>,
    /// List the SHA-512 beside the SHA-256
    #[arg(long)]
    sha512: bool,
    /// Replace a target of the same path
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    edit: EditOptions,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    match arguments.command {
        Commands::Add(arguments) => add::run(&arguments, app),
        Commands::List(arguments) => list::run(&arguments, app),
        Commands::Show(arguments) => show::run(&arguments.path, app),
        Commands::Remove(arguments) => remove::run(&arguments, app),
        Commands::Yank(arguments) => remove::yank(&arguments, app),
    }
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::Add(_) => "target-add",
            Commands::List(_) => "target-list",
            Commands::Show(_) => "target-show",
            Commands::Remove(_) => "target-remove",
            Commands::Yank(_) => "target-yank",
        }
    }
}

/// The path of a target as users name it.
fn path(text: &str) -> Result<TargetPath, Failure> {
    TargetPath::new(text).map_err(|error| Failure::usage(format!("{text:?}: {error}")))
}
