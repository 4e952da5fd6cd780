//! Runs what was typed: from arguments to an exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use anstream::ColorChoice as StreamChoice;
use clap::error::ErrorKind;
use clap::{ColorChoice, FromArgMatches};
use serde_json::json;
use tuffet_core::metadata::UnixTime;

use crate::cli::{self, Cli, Commands, GlobalOptions};
use crate::commands;
use crate::console::Console;
use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::interrupt;
use crate::moment;
use crate::usage;

/// What every command is given.
pub(crate) struct App {
    /// Where its words go.
    pub(crate) console: Console,
    /// The options that every command takes.
    pub(crate) options: GlobalOptions,
    /// The moment of the command.
    pub(crate) now: UnixTime,
}

/// Runs the command of the process.
pub(crate) fn process(arguments: Vec<OsString>) -> ExitCode {
    let color = wanted_color(&arguments);
    match color {
        ColorChoice::Always => StreamChoice::Always.write_global(),
        ColorChoice::Never => StreamChoice::Never.write_global(),
        ColorChoice::Auto => {}
    }
    // A command line that does not parse is answered in JSON all the same.
    let json = arguments.iter().any(|argument| argument == "--json");
    let console = Console::new(json, false, 0, true);
    let exit = match parse(&arguments, color) {
        Ok(cli) => {
            let options = &cli.options;
            let console = Console::new(
                options.json,
                options.quiet,
                options.verbose,
                options.no_input,
            );
            interrupt::watch(cli.command.name(), &console);
            execute(cli, &console)
        }
        Err(error) => answer_to_wrong_usage(&error, &console),
    };
    ExitCode::from(exit.number())
}

/// Runs one parsed command and reports its failure.
fn execute(cli: Cli, console: &Console) -> Exit {
    let name = cli.command.name();
    // Downloads stop by themselves, and this thread has the last word then.
    let shield =
        matches!(cli.command, Commands::Get(_)).then(|| interrupt::shield(interrupt::DOWNLOADS));
    let result = check_time(&cli, console).and_then(|()| attempt(cli, console));
    let exit = match result {
        Ok(exit) => exit,
        Err(failure) => {
            if shield.is_none() {
                interrupt::give_way();
            }
            console.report(name, &failure);
            match failure.exit() {
                Exit::Interrupted => interrupt::exit(),
                exit => exit,
            }
        }
    };
    std::mem::forget(shield);
    // What came after the last object.
    for warning in console.take_warnings() {
        eprintln!("warning: {warning}");
    }
    exit
}

/// Warns that `--at` judges by another time, and refuses it where something would be signed by it.
fn check_time(cli: &Cli, console: &Console) -> Result<(), Failure> {
    let Some(at) = cli.options.at else {
        return Ok(());
    };
    if !cli.command.takes_time() {
        let message =
            "--at is for get, verify, inspect and status: whatever else goes by the real time";
        return Err(Failure::usage(message).fix("leave --at out"));
    }
    if !console.json {
        console.warn(format!(
            "expiry is judged as if it were {at}, and nothing is remembered"
        ));
    }
    Ok(())
}

/// Runs one parsed command.
///
/// # Errors
/// Why it failed; nothing was said about that yet.
pub(crate) fn attempt(cli: Cli, console: &Console) -> Result<Exit, Failure> {
    let app = App {
        now: cli.options.at.unwrap_or_else(moment::now),
        options: cli.options,
        console: console.clone(),
    };
    dispatch(cli.command, &app)
}

/// Reads a command line.
///
/// # Errors
/// What clap says, `--help` and `--version` included.
pub(crate) fn parse(arguments: &[OsString], color: ColorChoice) -> Result<Cli, clap::Error> {
    let read = |tree: clap::Command| {
        let matches = tree.try_get_matches_from(arguments).ok()?;
        Cli::from_arg_matches(&matches).ok()
    };
    if let Some(read) = cli::branch(arguments).and_then(read) {
        return Ok(read);
    }
    let mut tree = cli::tree().color(color);
    let matches = tree.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut tree))
}

fn dispatch(command: Commands, app: &App) -> Result<Exit, Failure> {
    match command {
        Commands::Get(arguments) => commands::get::run(arguments, app),
        Commands::Verify(arguments) => commands::verify::run(arguments, app),
        Commands::Inspect(arguments) => commands::inspect::run(&arguments, app),
        Commands::Explain(arguments) => commands::explain::run(&arguments, app),
        Commands::Trust(command) => commands::trust::run(command, app),
        Commands::Init(arguments) => commands::init::run(arguments, app),
        Commands::Key(arguments) => commands::key::run(arguments, app),
        Commands::Target(arguments) => commands::target::run(arguments, app),
        Commands::Delegate(arguments) => commands::delegate::run(arguments, app),
        Commands::Channel(arguments) => commands::channel::run(arguments, app),
        Commands::Role(arguments) => commands::role::run(arguments, app),
        Commands::Change(arguments) => commands::change::run(arguments, app),
        Commands::Undo(arguments) => commands::undo::run(&arguments, app),
        Commands::Renew(arguments) => commands::renew::run(&arguments, app),
        Commands::Sign(arguments) => commands::sign::run(&arguments, app),
        Commands::Signature(arguments) => commands::signature::run(&arguments, app),
        Commands::Import(arguments) => commands::import::run(arguments, app),
        Commands::Adopt(arguments) => commands::adopt::run(&arguments, app),
        Commands::Plan(arguments) => commands::plan::run(&arguments, app),
        Commands::Recover(arguments) => commands::recover::run(&arguments, app),
        Commands::Status(arguments) => commands::status::run(&arguments, app),
        Commands::Publish(arguments) => commands::publish::run(arguments, app),
        Commands::Prune(arguments) => commands::prune::run(&arguments, app),
        Commands::Tour(arguments) => commands::tour::run(&arguments, app),
        Commands::Serve(arguments) => commands::serve::run(&arguments, app),
        #[cfg(feature = "lab")]
        Commands::Lab(arguments) => commands::lab::run(&arguments, app),
        Commands::Completions(arguments) => commands::completions::run(&arguments, app),
        Commands::Man(arguments) => commands::man::run(&arguments, app),
        Commands::Version(_) => commands::version::run(app),
        Commands::ExitCodes => list_exit_codes(app),
    }
}

fn list_exit_codes(app: &App) -> Result<Exit, Failure> {
    if app.console.json {
        let codes: Vec<_> = exit::TABLE
            .iter()
            .map(|(_, number, meaning)| json!({"exit": number, "meaning": meaning}))
            .collect();
        app.console.result("exit-codes", json!({"codes": codes}))?;
    } else {
        app.console.data(exit::table())?;
    }
    Ok(Exit::Done)
}

/// Help and version go to stdout and are no errors; everything else is wrong usage.
fn answer_to_wrong_usage(error: &clap::Error, console: &Console) -> Exit {
    let is_answer = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if error.kind() == ErrorKind::DisplayVersion && console.json {
        return match console.result("version", commands::version::object()) {
            Ok(()) => Exit::Done,
            Err(failure) => failure.exit(),
        };
    }
    // Help that is shown for want of a command is an answer too, but not what was asked for.
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_answer || (is_help && !console.json) {
        // A reader that has gone away has seen enough.
        let _ = error.print();
        return if is_answer { Exit::Done } else { Exit::Usage };
    }
    console.report("usage", &usage::failure(error));
    Exit::Usage
}

/// `--color` has to be known before the command line is parsed, for the errors of parsing it.
fn wanted_color(arguments: &[OsString]) -> ColorChoice {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let pairs = words.windows(2).filter_map(|pair| match pair {
        ["--color", choice] => Some(*choice),
        _ => None,
    });
    let joined = words
        .iter()
        .filter_map(|word| word.strip_prefix("--color="));
    match pairs.chain(joined).next_back() {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}
