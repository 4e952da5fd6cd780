//! `tuffet channel`: directories of targets with keys of their own, such as beta and stable.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tuffet_core::metadata::RoleName;
use tuffet_repo::{Delegation, Error, NewChannel, Period, Promote};

use super::delegate::{names, show};
use super::target;
use crate::author;
use crate::cli::EditOptions;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::run::App;

/// Keep releases apart: a channel is a directory of targets with keys of its own
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet channel new beta\n  tuffet channel promote app-1.5.0.tar.zst --from beta --to stable",
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
    List(ListArguments),
    Show(ShowArguments),
    Promote(PromoteArguments),
}

/// Make a channel: a role of that name alone is asked for NAME/*
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet channel new beta\n  tuffet channel new internal --keys ci,ana --threshold 1"
)]
struct NewArguments {
    /// What the channel is called; the paths of its targets begin with that
    name: String,
    /// The public keys that may sign: names or .pub files, separated by commas [default: those of targets]
    #[arg(long, value_name = "KEYS", value_delimiter = ',')]
    keys: Vec<String>,
    /// How many of them have to [default: as many as of targets; with --keys 1]
    #[arg(long, requires = "keys", value_parser = clap::value_parser!(u64).range(1..))]
    threshold: Option<u64>,
    /// How long a version is valid [default: as long as one of targets]
    #[arg(long, value_name = "PERIOD", value_parser = moment::parse_period)]
    expires: Option<Period>,
    #[command(flatten)]
    edit: EditOptions,
}

/// List the channels, with the open change applied
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet channel list\n  tuffet channel list --json")]
struct ListArguments {}

/// Show a channel: who signs, and what it lists
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet channel show stable\n  tuffet channel show stable --json"
)]
struct ShowArguments {
    /// The channel
    name: String,
}

/// List the same bytes in another channel, too
///
/// The target keeps its name, its hashes and its custom data; only the channel before it changes. The file itself is not
/// needed: tuffet publish copies the bytes where they are published.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet channel promote app-1.5.0.tar.zst --from beta --to stable\n  tuffet channel promote app.tar.zst --from beta --to stable --replace"
)]
struct PromoteArguments {
    /// The targets, with or without the channel before them
    #[arg(required = true)]
    targets: Vec<String>,
    /// The channel that lists them
    #[arg(long, value_name = "CHANNEL")]
    from: String,
    /// The channel that is to list them
    #[arg(long, value_name = "CHANNEL")]
    to: String,
    /// Replace a target of the same name
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    edit: EditOptions,
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::New(_) => "channel-new",
            Commands::List(_) => "channel-list",
            Commands::Show(_) => "channel-show",
            Commands::Promote(_) => "channel-promote",
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    match arguments.command {
        Commands::New(arguments) => new(&arguments, app),
        Commands::List(_) => list(app),
        Commands::Show(arguments) => show_one(&arguments.name, app),
        Commands::Promote(arguments) => promote(&arguments, app),
    }
}

fn new(arguments: &NewArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let mut channel = NewChannel::new(names::delegated(&arguments.name)?);
    if !arguments.keys.is_empty() {
        let keys = names::public_keys(&arguments.keys, &repository, app)?;
        channel = channel.signers(keys, arguments.threshold.unwrap_or(1));
    }
    channel.period = arguments.expires;
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    let plan = repository.new_channel(&channel, author::moment(app));
    author::carry_out(plan, dry, app, &mut actions)?;
    let exit = author::finish("channel-new", actions, dry, app)?;
    if !dry {
        app.console.next(format!(
            "tuffet target add FILE --channel {}",
            arguments.name
        ));
    }
    Ok(exit)
}

fn list(app: &App) -> Result<Exit, Failure> {
    let all = author::repository(app)?
        .channels()
        .map_err(|error| Failure::from(&error))?;
    if app.console.json {
        let all: Vec<Value> = all.iter().map(show::object).collect();
        app.console
            .result("channel-list", json!({"channels": all}))?;
    } else if all.is_empty() {
        app.console.status("Listed", "no channel");
    } else {
        app.console.data(show::table(&all, app).join("\n"))?;
    }
    Ok(Exit::Done)
}

fn show_one(name: &str, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository(app)?;
    let all = repository
        .channels()
        .map_err(|error| Failure::from(&error))?;
    let channel = all
        .iter()
        .find(|channel: &&Delegation| channel.role == name);
    let Some(channel) = channel else {
        return Err(Failure::from(&Error::ChannelUnknown(name.to_owned())));
    };
    let role = RoleName::new(name).ok();
    let targets = repository
        .targets(role.as_ref())
        .map_err(|error| Failure::from(&error))?;
    if app.console.json {
        let targets: Vec<Value> = targets.iter().map(target::list::object).collect();
        let object = json!({"channel": show::object(channel), "targets": targets});
        app.console.result("channel-show", object)?;
        return Ok(Exit::Done);
    }
    let mut lines = show::table(std::slice::from_ref(channel), app);
    lines.push(String::new());
    lines.extend(target::list::lines(&targets));
    if targets.is_empty() {
        lines.push("it lists no target".to_owned());
    }
    app.console.data(lines.join("\n"))?;
    Ok(Exit::Done)
}

fn promote(arguments: &PromoteArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let (from, to) = (
        names::delegated(&arguments.from)?,
        names::delegated(&arguments.to)?,
    );
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    let mut unchanged = true;
    for target in &arguments.targets {
        let mut promote = Promote::new(target, from.clone(), to.clone());
        promote.replace = arguments.replace;
        let plan = repository.promote(&promote, author::moment(app));
        unchanged &= author::carry_out(plan, dry, app, &mut actions)? == 0;
    }
    if unchanged {
        app.console
            .status("Unchanged", "it is listed there already");
    }
    let exit = author::finish("channel-promote", actions, dry, app)?;
    if !dry {
        app.console.next(format!(
            "tuffet publish --key KEY…  with keys of {}",
            arguments.to
        ));
    }
    Ok(exit)
}
