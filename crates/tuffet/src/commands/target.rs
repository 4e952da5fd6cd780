//! `tuffet target`: the files that a repository vouches for.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tuffet_core::json::Value;
use tuffet_core::metadata::TargetPath;
use tuffet_repo::{AddTarget, TargetEntry};

use crate::author;
use crate::cli::DryRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::text;

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
    Remove(RemoveArguments),
}

/// List the targets, with the open change applied
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet target list\n  tuffet target list --as team --json")]
struct ListArguments {
    /// Only those of this role
    #[arg(long = "as", value_name = "ROLE")]
    role: Option<String>,
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
    dry_run: DryRun,
}

/// Add files; they are published with the next tuffet publish
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet target add dist/app-1.4.0.tar.zst\n  tuffet target add fw-7.bin --name team/fw-7.bin --as team"
)]
struct AddArguments {
    /// The files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The path that clients ask for [default: the name of the file]
    #[arg(long, value_name = "PATH")]
    name: Option<String>,
    /// The role that lists the files [default: targets, or the bin that covers the path]
    #[arg(long = "as", value_name = "ROLE")]
    role: Option<String>,
    /// Something about the files that the application understands, as NAME=VALUE; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Replace a target of the same path
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    match arguments.command {
        Commands::Add(arguments) => add(&arguments, app),
        Commands::List(arguments) => list(&arguments, app),
        Commands::Remove(arguments) => remove(&arguments, app),
    }
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::Add(_) => "target-add",
            Commands::List(_) => "target-list",
            Commands::Remove(_) => "target-remove",
        }
    }
}

fn add(arguments: &AddArguments, app: &App) -> Result<Exit, Failure> {
    if arguments.name.is_some() && arguments.files.len() > 1 {
        return Err(Failure::usage(
            "--name names one file, and several are given",
        ));
    }
    let repository = author::repository(app)?;
    let custom = custom(&arguments.set)?;
    let dry = arguments.dry_run.dry_run;
    let mut actions = Vec::new();
    // All of them are looked at before one is added.
    for file in &arguments.files {
        std::fs::metadata(file).map_err(|error| Failure::reading(file, &error))?;
    }
    for file in &arguments.files {
        let name = match &arguments.name {
            Some(name) => name.clone(),
            None => file
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .ok_or_else(|| Failure::usage(format!("{} has no name", file.display())))?,
        };
        let path =
            TargetPath::new(&name).map_err(|error| Failure::usage(format!("{name:?}: {error}")))?;
        let mut add = AddTarget::new(path, file);
        if arguments.replace {
            add = add.replace();
        }
        if let Some(role) = &arguments.role {
            add = add.role(author::role(role)?);
        }
        if let Some(custom) = &custom {
            add = add.custom(custom.clone());
        }
        author::carry_out(
            repository.add_target(&add, author::moment(app)),
            dry,
            app,
            &mut actions,
        )?;
    }
    let exit = author::finish("target-add", actions, dry, app)?;
    if !dry {
        app.console.next("tuffet publish --key KEY…");
    }
    Ok(exit)
}

fn list(arguments: &ListArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository(app)?;
    let role = arguments.role.as_deref().map(author::role).transpose()?;
    let targets = repository
        .targets(role.as_ref())
        .map_err(|error| Failure::from(&error))?;
    if app.console.json {
        let targets: Vec<serde_json::Value> = targets.iter().map(object).collect();
        app.console
            .result("target-list", json!({"targets": targets}))?;
        return Ok(Exit::Done);
    }
    let rows = targets.iter().map(|target| {
        let digest = target.hashes.first().map_or_else(String::new, |digest| {
            format!("{} {}…", digest.algorithm(), text::short(&digest.to_hex()))
        });
        vec![
            text::visible(target.path.as_str()),
            text::size(target.length),
            digest,
            text::visible(target.role.as_str()),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        app.console.status("Listed", "no target");
    } else {
        app.console.data(text::columns(&rows).join("\n"))?;
    }
    Ok(Exit::Done)
}

fn object(target: &TargetEntry) -> serde_json::Value {
    let hashes: serde_json::Map<String, serde_json::Value> = target
        .hashes
        .iter()
        .map(|digest| (digest.algorithm().to_string(), json!(digest.to_hex())))
        .collect();
    // As text, which holds numbers of any size exactly.
    let custom = target.custom.as_ref();
    let custom =
        custom.map(|custom| String::from_utf8_lossy(&custom.to_compact_json()).into_owned());
    json!({
        "path": target.path.as_str(),
        "role": target.role.as_str(),
        "length": target.length,
        "hashes": hashes,
        "custom": custom,
    })
}

fn remove(arguments: &RemoveArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository(app)?;
    let role = arguments.role.as_deref().map(author::role).transpose()?;
    let (dry, mut actions) = (arguments.dry_run.dry_run, Vec::new());
    for path in &arguments.paths {
        let path =
            TargetPath::new(path).map_err(|error| Failure::usage(format!("{path:?}: {error}")))?;
        let plan = repository.remove_target(&path, role.as_ref(), author::moment(app));
        author::carry_out(plan, dry, app, &mut actions)?;
    }
    let exit = author::finish("target-remove", actions, dry, app)?;
    if !dry {
        app.console.next("tuffet publish --key KEY…");
    }
    Ok(exit)
}

fn custom(pairs: &[String]) -> Result<Option<Value>, Failure> {
    let mut members = Vec::new();
    for pair in pairs {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("--set {pair} is not of the form NAME=VALUE")))?;
        members.push((name.to_owned(), Value::from(value)));
    }
    Ok((!members.is_empty()).then(|| members.into_iter().collect()))
}
