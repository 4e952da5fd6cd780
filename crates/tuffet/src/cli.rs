//! The command tree: what can be typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, ColorChoice, Command, CommandFactory, Parser, Subcommand};
use tuffet_core::metadata::UnixTime;
use tuffet_repo::Violation;

use crate::commands;
use crate::exit;
use crate::places::PlaceOptions;

/// Examples come first: most people look for the line to copy.
const TEMPLATE: &str =
    "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// The Update Framework in one binary: verify, author, serve
#[derive(Debug, Parser)]
#[command(
    name = "tuffet",
    version,
    before_help = "Examples:\n  tuffet tour                         see everything at work in ten seconds\n  tuffet get acme:app-1.4.0.tar.zst   download a file, verified",
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = false
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: GlobalOptions,
    #[command(subcommand)]
    pub(crate) command: Commands,
}

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalOptions {
    /// Print one JSON object (or one a line) on stdout, and no talk
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more; twice for still more
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
    /// Never ask: fail with the name of the missing flag
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Work on the repository in DIR instead of the current directory
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "TUFFET_REPO",
        hide_env_values = true
    )]
    pub(crate) repo: Option<PathBuf>,
    /// Fetch nothing: use what was verified before, as of now
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// Act as if it were TIME, and remember nothing that is learnt then; for tests, with get, verify, inspect and status
    #[arg(long, global = true, value_name = "TIME", hide = true, value_parser = parse_time)]
    pub(crate) at: Option<UnixTime>,
    /// Whether what is learnt at that time is remembered all the same: the time of the tour is its own.
    #[arg(skip)]
    pub(crate) remembers: bool,
    #[command(flatten)]
    pub(crate) places: PlaceOptions,
}

/// For commands that change something.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DryRun {
    /// Show what would be done and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// For commands that go by the policy of a repository.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Allow {
    /// Do it although the policy forbids this; may be repeated
    #[arg(long, value_name = "VIOLATION", value_parser = violations())]
    pub(crate) allow: Vec<Violation>,
}

fn violations() -> impl TypedValueParser<Value = Violation> {
    PossibleValuesParser::new(Violation::ALL.map(Violation::code)).try_map(|code| {
        let mut all = Violation::ALL.into_iter();
        all.find(|one| one.code() == code).ok_or("unknown")
    })
}

/// For commands that edit the open change.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct EditOptions {
    #[command(flatten)]
    pub(crate) allow: Allow,
    /// Discard signatures on what is edited; those people have to sign again
    #[arg(long)]
    pub(crate) discard_signatures: bool,
    /// Show what would be done and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Commands {
    Get(commands::get::Arguments),
    Verify(commands::verify::Arguments),
    Inspect(commands::inspect::Arguments),
    Explain(commands::explain::Arguments),
    Tour(commands::tour::Arguments),
    Trust(commands::trust::Arguments),
    Init(commands::init::Arguments),
    Import(commands::import::Arguments),
    Adopt(commands::adopt::Arguments),
    Key(commands::key::Arguments),
    Target(commands::target::Arguments),
    Delegate(commands::delegate::Arguments),
    Channel(commands::channel::Arguments),
    Role(commands::role::Arguments),
    Change(commands::change::Arguments),
    Undo(commands::undo::Arguments),
    Sign(commands::sign::Arguments),
    Signature(commands::signature::Arguments),
    Publish(commands::publish::Arguments),
    Prune(commands::prune::Arguments),
    Renew(commands::renew::Arguments),
    Recover(commands::recover::Arguments),
    Status(commands::status::Arguments),
    Plan(commands::plan::Arguments),
    Serve(commands::serve::Arguments),
    #[cfg(feature = "lab")]
    Lab(commands::lab::Arguments),
    Completions(commands::completions::Arguments),
    Man(commands::man::Arguments),
    Version(commands::version::Arguments),
    /// List the exit codes
    #[command(before_help = "Examples:\n  tuffet exit-codes\n  tuffet exit-codes --json")]
    ExitCodes,
}

impl Commands {
    /// Whether `--at` has a meaning: whatever signs has to go by the real time, or it would make what has expired already.
    pub(crate) fn takes_time(&self) -> bool {
        matches!(
            self,
            Self::Get(_) | Self::Verify(_) | Self::Inspect(_) | Self::Status(_)
        )
    }

    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Get(_) => "get",
            Self::Verify(_) => "verify",
            Self::Inspect(_) => "inspect",
            Self::Tour(_) => "tour",
            Self::Explain(_) => "explain",
            Self::Trust(arguments) => arguments.name(),
            Self::Init(_) => "init",
            Self::Key(arguments) => arguments.name(),
            Self::Target(arguments) => arguments.name(),
            Self::Delegate(arguments) => arguments.name(),
            Self::Channel(arguments) => arguments.name(),
            Self::Role(arguments) => arguments.name(),
            Self::Change(arguments) => arguments.name(),
            Self::Undo(_) => "undo",
            Self::Sign(_) => "sign",
            Self::Signature(arguments) => arguments.name(),
            Self::Import(_) => "import",
            Self::Adopt(_) => "adopt",
            Self::Publish(_) => "publish",
            Self::Prune(_) => "prune",
            Self::Renew(_) => "renew",
            Self::Recover(arguments) => arguments.name(),
            Self::Status(_) => "status",
            Self::Plan(_) => "plan",
            Self::Serve(_) => "serve",
            #[cfg(feature = "lab")]
            Self::Lab(arguments) => arguments.name(),
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
            Self::Version(_) => "version",
            Self::ExitCodes => "exit-codes",
        }
    }
}

/// The tree with help in the shape of this project.
pub(crate) fn tree() -> Command {
    let codes = exit::table();
    shaped(Cli::command())
        .mut_subcommand("exit-codes", {
            let codes = codes.clone();
            |command| command.after_help(codes)
        })
        .after_long_help(codes)
}

/// How a command becomes part of the tree.
type Augment = fn(Command) -> Command;

/// Every command with arguments of its own.
const BRANCHES: &[(&str, Augment)] = &[
    ("get", commands::get::Arguments::augment_args),
    ("verify", commands::verify::Arguments::augment_args),
    ("inspect", commands::inspect::Arguments::augment_args),
    ("explain", commands::explain::Arguments::augment_args),
    ("tour", commands::tour::Arguments::augment_args),
    ("trust", commands::trust::Arguments::augment_args),
    ("init", commands::init::Arguments::augment_args),
    ("import", commands::import::Arguments::augment_args),
    ("adopt", commands::adopt::Arguments::augment_args),
    ("key", commands::key::Arguments::augment_args),
    ("target", commands::target::Arguments::augment_args),
    ("delegate", commands::delegate::Arguments::augment_args),
    ("channel", commands::channel::Arguments::augment_args),
    ("role", commands::role::Arguments::augment_args),
    ("change", commands::change::Arguments::augment_args),
    ("undo", commands::undo::Arguments::augment_args),
    ("sign", commands::sign::Arguments::augment_args),
    ("signature", commands::signature::Arguments::augment_args),
    ("publish", commands::publish::Arguments::augment_args),
    ("prune", commands::prune::Arguments::augment_args),
    ("renew", commands::renew::Arguments::augment_args),
    ("recover", commands::recover::Arguments::augment_args),
    ("status", commands::status::Arguments::augment_args),
    ("plan", commands::plan::Arguments::augment_args),
    ("serve", commands::serve::Arguments::augment_args),
    #[cfg(feature = "lab")]
    ("lab", commands::lab::Arguments::augment_args),
    (
        "completions",
        commands::completions::Arguments::augment_args,
    ),
    ("man", commands::man::Arguments::augment_args),
    ("version", commands::version::Arguments::augment_args),
];

/// The tree with one command, the one that a command line seems to call: to make all of them takes longer than most commands do. A
/// line that it does not take has to be read with the whole tree, which knows what to say.
pub(crate) fn branch(arguments: &[OsString]) -> Option<Command> {
    let is_word = |word: &&OsString| !word.as_encoded_bytes().starts_with(b"-");
    let word = arguments.iter().skip(1).find(is_word)?;
    let (name, augment) = BRANCHES.iter().find(|(name, _)| word == name)?;
    Some(
        GlobalOptions::augment_args(Command::new("tuffet"))
            .subcommand(augment(Command::new(*name))),
    )
}

fn shaped(command: Command) -> Command {
    command.help_template(TEMPLATE).mut_subcommands(shaped)
}

fn parse_time(text: &str) -> Result<UnixTime, String> {
    UnixTime::parse(text).ok_or_else(|| "not a time such as 2027-01-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command with the words that lead to it.
    fn every(command: &Command, words: &[String], found: &mut Vec<(Vec<String>, Command)>) {
        found.push((words.to_vec(), command.clone()));
        for child in command.get_subcommands() {
            let words: Vec<String> = words
                .iter()
                .cloned()
                .chain([child.get_name().to_owned()])
                .collect();
            every(child, &words, found);
        }
    }

    #[test]
    fn the_tree_is_well_formed() {
        tree().debug_assert();
    }

    #[test]
    fn a_branch_takes_what_the_whole_tree_takes() {
        for command in tree().get_subcommands() {
            let name = command.get_name();
            if ["help", "exit-codes"].contains(&name) {
                continue;
            }
            let typed = ["tuffet", "--quiet", name].map(OsString::from);
            let branch = branch(&typed).unwrap_or_else(|| panic!("{name} has no branch"));
            let alone = branch.get_subcommands().next().unwrap().clone();
            assert_eq!(
                shaped(alone).render_long_help().to_string(),
                command.clone().render_long_help().to_string()
            );
        }
    }

    #[test]
    fn every_command_has_an_example_that_parses() {
        let mut found = Vec::new();
        every(&tree(), &["tuffet".to_owned()], &mut found);
        for (words, command) in found {
            let examples = command
                .get_before_help()
                .unwrap_or_else(|| panic!("{words:?} has no examples"))
                .to_string();
            let lines: Vec<&str> = examples
                .lines()
                .filter(|line| line.starts_with("  tuffet"))
                .collect();
            assert!(!lines.is_empty(), "{words:?} has no examples");
            for line in lines {
                // What follows two spaces explains the example.
                let line = line.trim().split("  ").next().unwrap_or_default();
                let line = line.split(['|', '<', '>']).next().unwrap_or_default();
                let typed: Vec<&str> = line.split_whitespace().collect();
                assert!(
                    tree().try_get_matches_from(&typed).is_ok(),
                    "{line}: {}",
                    tree().try_get_matches_from(&typed).unwrap_err()
                );
                assert!(line.starts_with(&words.join(" ")), "{line} under {words:?}");
            }
        }
    }
}
