//! `tuffet lab client`: our client behind the command line that test suites for TUF clients drive.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use tuffet_client::blocking::Updater;
use tuffet_client::{Destination, DirectoryStore, Notice, Source, TargetPath, TrustAnchor};
use tuffet_core::trust::percent_encode;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// The trusted root as it was given; not metadata of the store, so it does not end in `.json`.
const ANCHOR: &str = "anchor";

/// Be driven by a test suite for TUF clients
///
/// Ends with 0 if everything succeeded. An error is one line on stderr that begins with its code.
#[derive(Debug, Args)]
#[command(
    hide = true,
    before_help = "Examples:\n  tuffet lab client --metadata-dir DIR init ROOT\n  tuffet lab client --metadata-dir DIR --metadata-url URL refresh"
)]
pub(crate) struct Arguments {
    /// Where the client keeps metadata
    #[arg(long, value_name = "DIR")]
    metadata_dir: PathBuf,
    /// Where the repository has metadata
    #[arg(long, value_name = "URL", default_value = "")]
    metadata_url: String,
    /// What is downloaded; may be repeated
    #[arg(long, value_name = "PATH")]
    target_name: Vec<String>,
    /// Where the repository has targets
    #[arg(long, value_name = "URL")]
    target_base_url: Option<String>,
    /// Where targets are put, under their percent-encoded paths
    #[arg(long, value_name = "DIR", default_value = ".")]
    target_dir: PathBuf,
    /// `init ROOT` trusts a root, `refresh` brings metadata up to date, `download` also gets targets
    #[arg(value_name = "COMMAND", required = true, num_args = 1..=2)]
    command: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, _: &App) -> Result<Exit, Failure> {
    match arguments.act() {
        Ok(()) => Ok(Exit::Done),
        Err(error) => {
            eprintln!("{error}");
            Ok(Exit::Failed)
        }
    }
}

impl Arguments {
    fn act(&self) -> Result<(), String> {
        let words: Vec<&str> = self.command.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["init", root] => self.init(Path::new(root)),
            ["refresh"] => self.updater()?.refresh().map(drop).map_err(explain),
            ["download"] => self.download(),
            _ => Err("say init ROOT, refresh or download".to_owned()),
        }
    }

    fn init(&self, root: &Path) -> Result<(), String> {
        let directory = &self.metadata_dir;
        fs::create_dir_all(directory)
            .and_then(|()| fs::copy(root, directory.join(ANCHOR)))
            .and_then(|_| fs::copy(root, directory.join("root.json")))
            .map(drop)
            .map_err(|error| format!("cannot copy {}: {error}", root.display()))
    }

    fn updater(&self) -> Result<Updater, String> {
        let anchor = self.metadata_dir.join(ANCHOR);
        let anchor = fs::read(&anchor)
            .map_err(|error| format!("cannot read {}: {error}", anchor.display()))?;
        // A refresh alone fetches no targets.
        let targets = self.target_base_url.as_ref().unwrap_or(&self.metadata_url);
        Updater::builder(
            TrustAnchor::Root(anchor),
            DirectoryStore::new(&self.metadata_dir),
        )
        .source(Source::new(&self.metadata_url, targets))
        .observer(tell)
        .build()
        .map_err(explain)
    }

    fn download(&self) -> Result<(), String> {
        let updater = self.updater()?;
        updater.refresh().map_err(explain)?;
        for name in &self.target_name {
            let path = TargetPath::new(name).map_err(|error| format!("target.path: {error}"))?;
            let found = updater.find(&path).map_err(explain)?;
            fs::create_dir_all(&self.target_dir).map_err(|error| error.to_string())?;
            let file = self.target_dir.join(percent_encode(name, false));
            let destination = Destination::file(file).overwrite(true);
            let downloaded = updater.download(&found, &destination).map_err(explain)?;
            eprintln!("{} is {}", found.path, downloaded.path.display());
        }
        Ok(())
    }
}

fn tell(notice: &Notice<'_>) {
    match notice {
        Notice::Request { url } => eprintln!("get {url}"),
        Notice::Event(event) => eprintln!("{event}"),
        Notice::MirrorFailed(attempt) => eprintln!("{attempt}"),
        Notice::Pause { error, pause, .. } => eprintln!("{error}; again in {pause:?}"),
        _ => {}
    }
}

/// The error with everything underneath it.
fn explain(error: tuffet_client::Error) -> String {
    let mut text = format!("{}: {error}", error.code());
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}
