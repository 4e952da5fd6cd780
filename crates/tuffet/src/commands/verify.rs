//! `tuffet verify`: an audit of a whole repository, with a receipt.

mod receipt;

use std::path::PathBuf;

use clap::Args;
use tuffet_repo::Period;

use crate::audit::{self, Options, Place};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::limits::LimitArguments;
use crate::moment;
use crate::progress::Progress;
use crate::run::App;
use crate::whole;

/// Verify a whole repository: every role, every signature, every listed target
///
/// Nothing is trusted, stored or changed. Without --root the audit begins with the repository's own first root: it tells
/// that the repository is consistent in itself, not whose it is. The verdict is "consistent" then, never "verified", and
/// the command ends with 7 at best.
///
/// Ends with 0 when all is well, 3 when something must not be trusted, 5 when something has expired, 7 when something
/// else is not as it should be; the receipt names each finding.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet verify public --root 1.root.json\n  tuffet verify https://dl.acme.example --root 1.root.json --json"
)]
pub(crate) struct Arguments {
    /// The directory or URL that holds metadata/ and targets/
    place: String,
    /// The root that you trust
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// Where targets are, if not in targets/ beside the metadata
    #[arg(long, value_name = "URL")]
    targets_url: Option<String>,
    /// Do not look at the bytes of targets
    #[arg(long)]
    metadata_only: bool,
    /// Report roles that expire within this time
    #[arg(long, value_name = "PERIOD", value_parser = moment::parse_period)]
    within: Option<Period>,
    #[command(flatten)]
    limits: LimitArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    let root = match &arguments.root {
        Some(path) => Some(whole::read(path, whole::METADATA)?),
        None => None,
    };
    let options = Options {
        root,
        targets: !arguments.metadata_only,
        within: arguments.within,
        now: app.now,
        limits: arguments.limits.limits(),
    };
    let place = Place::new(&arguments.place, arguments.targets_url.as_deref())?;
    let report = audit::run(&place, &options, &Progress::new(&app.console))?;
    if app.console.json {
        app.console.result(
            "verify",
            receipt::object(&report, &arguments.place, app.now),
        )?;
    } else {
        app.console
            .data(receipt::text(&report, &arguments.place, &options))?;
    }
    Ok(report.exit())
}
