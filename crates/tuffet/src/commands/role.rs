//! `tuffet role`: what is asked of roles.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};
use tuffet_core::metadata::RoleName;
use tuffet_repo::{Period, Repository, RoleStatus, SetRole};

use super::delegate::show::signers;
use crate::action::names;
use crate::author;
use crate::cli::EditOptions;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::run::App;
use crate::text::{columns, visible};

/// See and set how many signatures roles need, and how long they are good
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet role list\n  tuffet role set targets --threshold 2",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Debug, Subcommand)]
enum Commands {
    List(ListArguments),
    Show(ShowArguments),
    Set(SetArguments),
}

/// List the roles as they are in force, with what tuffet.toml asks of them
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet role list\n  tuffet role list --json")]
struct ListArguments {}

/// Show a role: its keys, who has signed it, and what tuffet.toml asks of it
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet role show targets\n  tuffet role show team --json")]
struct ShowArguments {
    /// The role
    role: String,
}

/// Change what is asked of a role, in the metadata and in tuffet.toml
///
/// A threshold stands in the file that names the keys of the role: root, or the role that delegates to it. That file gets a
/// new version, and so does the role if its signatures are too few then. A period is written into tuffet.toml at once.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet role set targets --threshold 2\n  tuffet role set timestamp --period 12h\n  tuffet role set team --expires 7d",
    group = ArgGroup::new("something").required(true).multiple(true)
)]
struct SetArguments {
    /// The role, or what the names of bins begin with
    role: String,
    /// How many of its keys have to sign
    #[arg(long, value_name = "N", group = "something", value_parser = clap::value_parser!(u64).range(1..))]
    threshold: Option<u64>,
    /// How long its next version is valid, counted from now
    #[arg(long, value_name = "PERIOD", group = "something", value_parser = moment::parse_period)]
    expires: Option<Period>,
    /// How long its versions are valid from now on
    #[arg(long, value_name = "PERIOD", group = "something", value_parser = moment::parse_period)]
    period: Option<Period>,
    #[command(flatten)]
    edit: EditOptions,
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::List(_) => "role-list",
            Commands::Show(_) => "role-show",
            Commands::Set(_) => "role-set",
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    match arguments.command {
        Commands::List(_) => list(&author::repository(app)?, app),
        Commands::Show(arguments) => show(&author::repository(app)?, &arguments.role, app),
        Commands::Set(arguments) => set(&arguments, app),
    }
}

fn list(repository: &Repository, app: &App) -> Result<Exit, Failure> {
    let all = repository.roles().map_err(|error| Failure::from(&error))?;
    if app.console.json {
        let all: Vec<Value> = all.iter().map(|one| object(repository, one)).collect();
        app.console.result("role-list", json!({"roles": all}))?;
        return Ok(Exit::Done);
    }
    if all.is_empty() {
        app.console.status(
            "Listed",
            "no role is in force before the first tuffet publish",
        );
        return Ok(Exit::Done);
    }
    let head = [
        "role",
        "named by",
        "version",
        "expires",
        "period",
        "signed by",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(|one| {
        let now = author::moment(app);
        vec![
            super::status::label(one),
            visible(named_by(one)),
            one.version
                .map_or_else(|| "-".to_owned(), |version| version.to_string()),
            one.expires
                .map_or_else(|| "-".to_owned(), |at| moment::relative(at, now)),
            repository.policy().period(&one.role).to_string(),
            signers(one.threshold, &one.keys),
        ]
    }));
    app.console.data(columns(&rows).join("\n"))?;
    Ok(Exit::Done)
}

fn show(repository: &Repository, name: &str, app: &App) -> Result<Exit, Failure> {
    let role = author::role(name)?;
    let all = repository
        .role(&role)
        .map_err(|error| Failure::from(&error))?;
    if all.is_empty() {
        return Err(Failure::from(&tuffet_repo::Error::RoleUnknown(role)));
    }
    if app.console.json {
        let all: Vec<Value> = all.iter().map(|one| object(repository, one)).collect();
        app.console.result("role-show", json!({"roles": all}))?;
        return Ok(Exit::Done);
    }
    let mut lines = Vec::new();
    for one in &all {
        lines.push(format!(
            "{}, whose keys {} names",
            visible(name),
            visible(named_by(one))
        ));
        let version = one.version.map(|version| version.to_string());
        let expires = one
            .expires
            .map(|at| format!(", expires {}", moment::both(at, author::moment(app))));
        lines.push(format!(
            "  version    {}{}",
            version.as_deref().unwrap_or("none yet"),
            expires.unwrap_or_default()
        ));
        lines.push(format!(
            "  signed by  {}",
            signers(one.threshold, &one.keys)
        ));
        for key in &one.keys {
            let signed = if one.signed_by.contains(key) {
                "has signed this version"
            } else {
                "has not signed this version"
            };
            lines.push(format!("    {}  {signed}", visible(&key.to_string())));
        }
        lines.push(format!(
            "  tuffet.toml asks for {}",
            asked(repository, &one.role)
        ));
    }
    app.console.data(lines.join("\n"))?;
    Ok(Exit::Done)
}

fn set(arguments: &SetArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let mut set = SetRole::new(&arguments.role);
    set.threshold = arguments.threshold;
    set.expires = arguments.expires;
    set.period = arguments.period;
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    let plan = repository.set_role(&set, author::moment(app));
    let done = author::carry_out(plan, dry, app, &mut actions)?;
    if done == 0 {
        app.console.status("Unchanged", "it is so already");
    }
    let exit = author::finish("role-set", actions, dry, app)?;
    if !dry {
        let role = &arguments.role;
        let online = ["snapshot", "timestamp"].contains(&role.as_str());
        app.console
            .next(match (set.threshold.or(set.expires.map(|_| 0)), online) {
                (Some(_), _) => "tuffet publish --key KEY…".to_owned(),
                (None, true) => "tuffet publish".to_owned(),
                (None, false) => format!("tuffet renew {role}  for a version that goes by it"),
            });
    }
    Ok(exit)
}

fn named_by(one: &RoleStatus) -> &str {
    one.delegator.as_ref().map_or("root", RoleName::as_str)
}

/// `at least 2 signatures, valid for 90d`
fn asked(repository: &Repository, role: &RoleName) -> String {
    let policy = repository.policy();
    let threshold = policy
        .roles
        .get(role.as_str())
        .map_or(1, |role| role.threshold);
    let signatures = crate::text::count(threshold, "signature");
    format!("at least {signatures}, valid for {}", policy.period(role))
}

fn object(repository: &Repository, one: &RoleStatus) -> Value {
    let policy = repository.policy();
    let asked = policy.roles.get(one.role.as_str());
    json!({
        "role": one.role.as_str(),
        "named_by": named_by(one),
        "bins": one.bins,
        "version": one.version.map(|version| version.number()),
        "expires": one.expires.map(|expires| expires.to_string()),
        "threshold": one.threshold,
        "keys": names(&one.keys),
        "signed_by": names(&one.signed_by),
        "policy": {
            "threshold": asked.map_or(1, |asked| asked.threshold),
            "period": policy.period(&one.role).to_string(),
        },
    })
}
