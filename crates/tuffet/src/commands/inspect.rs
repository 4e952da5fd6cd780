//! `tuffet inspect`: what a metadata file says, without trusting a word of it.

mod describe;
mod show;

use std::path::{Path, PathBuf};

use clap::Args;
use tuffet_core::json::FormatError;
use tuffet_core::metadata::{Parsed, Role, Root, Snapshot, Targets, Timestamp};

use self::describe::Description;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::whole;

/// Show what a metadata file says, without trusting it
///
/// Reads root, timestamp, snapshot, targets and delegated roles, in plain JSON or in a DSSE envelope. Only a root is
/// checked, against its own keys: the keys of every other role stand in another file.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet inspect metadata/1.root.json\n  tuffet inspect --json - < timestamp.json"
)]
pub(crate) struct Arguments {
    /// The file, or - for stdin
    file: PathBuf,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let bytes = whole::read(&arguments.file, whole::METADATA)?;
    let description = describe(&bytes).map_err(|error| unreadable(&arguments.file, &error))?;
    if app.console.json {
        let file = arguments.file.display().to_string();
        app.console
            .result("inspect", description.to_json(&file, app.now))?;
    } else {
        app.console.data(show::text(&description, app.now))?;
    }
    Ok(Exit::Done)
}

/// The same for people, of bytes that somebody else has read.
///
/// # Errors
/// `inspect.type` for what is no metadata.
pub(super) fn text(file: &Path, bytes: &[u8], app: &App) -> Result<String, Failure> {
    let description = describe(bytes).map_err(|error| unreadable(file, &error))?;
    Ok(show::text(&description, app.now))
}

/// Reads the bytes as a file of one role.
type Attempt = fn(&[u8]) -> Result<Description, FormatError>;

/// The role whose file it is. If it is none, the error of the role it comes nearest to.
fn describe(bytes: &[u8]) -> Result<Description, FormatError> {
    let attempts: [Attempt; 4] = [
        |bytes| parsed::<Targets>(bytes).map(|file| Description::targets(bytes, &file)),
        |bytes| parsed::<Snapshot>(bytes).map(|file| Description::snapshot(bytes, &file)),
        |bytes| parsed::<Timestamp>(bytes).map(|file| Description::timestamp(bytes, &file)),
        |bytes| parsed::<Root>(bytes).map(|file| Description::root(bytes, &file)),
    ];
    let mut nearest: Option<FormatError> = None;
    for attempt in attempts {
        match attempt(bytes) {
            Ok(description) => return Ok(description),
            Err(error) => {
                let other_type = error.path.ends_with("_type");
                if nearest.is_none() || !other_type {
                    nearest = Some(error);
                }
            }
        }
    }
    match nearest {
        Some(error) => Err(error),
        None => parsed::<Root>(bytes).map(|file| Description::root(bytes, &file)),
    }
}

fn parsed<R: Role>(bytes: &[u8]) -> Result<Parsed<R>, FormatError> {
    Parsed::parse(bytes.to_vec())
}

pub(super) fn unreadable(file: &Path, error: &FormatError) -> Failure {
    let message = format!("{} is not TUF metadata", file.display());
    Failure::new("inspect.type", Exit::Failed, message).cause(error)
}
