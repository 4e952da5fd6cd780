//! `tuffet signature`: signatures that are made by something tuffet cannot reach.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use tuffet_core::crypto::hex;
use tuffet_files::Readers;

use super::change;
use crate::author;
use crate::cli::DryRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::run::App;

/// The longest signature file that is read: several times the longest signature.
const LIMIT: u64 = 64 * 1024;

/// Have the open change signed by something that tuffet cannot reach
///
/// The bytes to sign go out as a file, and the signature comes back as one: raw, or in hexadecimal.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet signature payload root --key vault -o root.bin\n  tuffet signature import root --key vault root.sig",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Debug, Subcommand)]
enum Commands {
    Payload(PayloadArguments),
    Import(ImportArguments),
}

/// Show every difference of a role in the open change, and write the bytes that a key has to sign
///
/// The differences are shown on stderr, or with --json in the result. On a terminal they have to be confirmed. The files of new and
/// changed targets are hashed again, as far as they are in this copy.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet signature payload root --key vault -o root.bin\n  tuffet signature payload team --key sam -o team.bin"
)]
struct PayloadArguments {
    /// The role
    role: String,
    /// The key: its name or keyid
    #[arg(long, value_name = "KEY")]
    key: String,
    /// Where to
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Write them without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Attach a signature that was made over the payload
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet signature import root --key vault root.sig\n  tuffet signature import root --key vault root.sig --dry-run"
)]
struct ImportArguments {
    /// The role
    role: String,
    /// The key that made it: its name or keyid
    #[arg(long, value_name = "KEY")]
    key: String,
    /// The signature, raw or in hexadecimal
    file: PathBuf,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::Payload(_) => "signature-payload",
            Commands::Import(_) => "signature-import",
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    match &arguments.command {
        Commands::Payload(arguments) => payload(arguments, app),
        Commands::Import(arguments) => import(arguments, app),
    }
}

fn payload(arguments: &PayloadArguments, app: &App) -> Result<Exit, Failure> {
    let (path, dry) = (&arguments.output, arguments.dry_run.dry_run);
    let repository = author::repository(app)?.only_looking(dry);
    let role = author::role(&arguments.role)?;
    let failed = |error| Failure::from(&error);
    let session = repository.begin_to_sign().map_err(failed)?;
    let shown = session.to_sign_elsewhere(&role, &arguments.key);
    let shown = shown.map_err(failed)?;
    change::shown::show(&shown, dry || arguments.yes, app)?;
    let progress = Progress::new(&app.console);
    let hashed = |read, total| progress.at("Hashing", read, Some(total));
    let payload = session.payload(&shown, &role, &arguments.key, &hashed);
    progress.clear();
    let (payload, plan) = payload.map_err(failed)?;
    let mut actions = Vec::new();
    author::carry_out(Ok(plan), dry, app, &mut actions)?;
    if !dry {
        tuffet_files::replace(path, &payload, Readers::Umask)
            .map_err(|error| Failure::writing(path, &error))?;
    }
    let file = path.display().to_string();
    if app.console.json {
        let result = json!({
            "file": file,
            "length": payload.len(),
            "dry_run": dry,
            "shown": change::object(&shown),
            "actions": actions,
        });
        app.console.result("signature-payload", result)?;
    }
    app.console.status(
        "Wrote",
        format!("{} bytes to sign to {file}", payload.len()),
    );
    Ok(Exit::Done)
}

fn import(arguments: &ImportArguments, app: &App) -> Result<Exit, Failure> {
    let (dry, mut actions) = (arguments.dry_run.dry_run, Vec::new());
    let repository = author::repository(app)?.only_looking(dry);
    let role = author::role(&arguments.role)?;
    let signature = signature(&arguments.file)?;
    let plan = repository.attach_signature(&role, &arguments.key, &signature);
    author::carry_out(plan, dry, app, &mut actions)?;
    author::finish("signature-import", actions, dry, app)
}

fn signature(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: &std::io::Error| Failure::reading(path, error);
    let mut bytes = Vec::new();
    fs::File::open(path)
        .map_err(|error| failed(&error))?
        .take(LIMIT)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    let text = str::from_utf8(&bytes).ok().map(str::trim);
    Ok(text.and_then(hex::decode).unwrap_or(bytes))
}
