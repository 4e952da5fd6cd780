//! The command line that the public conformance suite for TUF clients drives.
//!
//! ```text
//! conformance --metadata-dir DIR init ROOT
//! conformance --metadata-dir DIR --metadata-url URL refresh
//! conformance --metadata-dir DIR --metadata-url URL --target-name NAME... --target-base-url URL --target-dir DIR download
//! ```
//!
//! Its exit code is 0 if everything succeeded, else 1; what happens goes to standard error.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tuffet_client::blocking::Updater;
use tuffet_client::{Destination, DirectoryStore, Error, Notice, Source, TargetPath, TrustAnchor};
use tuffet_core::trust::percent_encode;

/// The trusted root as it was given; not metadata of the store, so it does not end in `.json`.
const ANCHOR: &str = "anchor";

#[derive(Debug, Default)]
struct Arguments {
    metadata_dir: PathBuf,
    metadata_url: String,
    target_names: Vec<String>,
    target_base_url: String,
    target_dir: PathBuf,
    words: Vec<String>,
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self::default();
        while let Some(argument) = arguments.next() {
            if !argument.starts_with("--") {
                parsed.words.push(argument);
                continue;
            }
            let value = arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))?;
            match argument.as_str() {
                "--metadata-dir" => parsed.metadata_dir = value.into(),
                "--metadata-url" => parsed.metadata_url = value,
                "--target-name" => parsed.target_names.push(value),
                "--target-base-url" => parsed.target_base_url = value,
                "--target-dir" => parsed.target_dir = value.into(),
                _ => return Err(format!("{argument} is not known")),
            }
        }
        Ok(parsed)
    }

    fn run(&self) -> Result<(), String> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
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
        let targets = match self.target_base_url.as_str() {
            "" => &self.metadata_url,
            url => url,
        };
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
        for name in &self.target_names {
            let path = TargetPath::new(name).map_err(|error| error.to_string())?;
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
fn explain(error: Error) -> String {
    let mut text = format!("{}: {error}", error.code());
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

fn main() -> ExitCode {
    let result = Arguments::parse(std::env::args().skip(1)).and_then(|arguments| arguments.run());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
