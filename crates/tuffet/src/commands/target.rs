//! `tuffet target`: the files that a repository vouches for.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tuffet_core::json::Value;
use tuffet_core::metadata::TargetPath;
use tuffet_repo::AddTarget;

use crate::author;
use crate::cli::DryRun;
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
    let Commands::Add(arguments) = arguments.command;
    add(&arguments, app)
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::Add(_) => "target-add",
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
