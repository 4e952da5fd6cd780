//! What the two clients share: arguments, files and the report.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

/// Any failure, to be printed.
pub type Failure = Box<dyn Error>;

/// `CLIENT METADATA_URL TARGETS_URL ROOT_FILE OUT_DIR [TARGET...]`
#[derive(Debug)]
pub struct Arguments {
    /// Base URL of the metadata, ending in a slash; `http:` or `file:`.
    pub metadata_url: String,
    /// Base URL of the targets, ending in a slash; `http:` or `file:`.
    pub targets_url: String,
    /// The trust anchor.
    pub root: Vec<u8>,
    /// Where the client keeps what it trusts.
    pub metadata: PathBuf,
    /// Where downloaded targets go.
    pub targets: PathBuf,
    /// The targets to download.
    pub names: Vec<String>,
}

impl Arguments {
    /// Reads the command line and makes the directories below `OUT_DIR`.
    pub fn read() -> Result<Self, Failure> {
        let mut arguments = std::env::args().skip(1);
        let mut next = || {
            arguments
                .next()
                .ok_or("usage: CLIENT METADATA_URL TARGETS_URL ROOT_FILE OUT_DIR [TARGET...]")
        };
        let (metadata_url, targets_url) = (next()?, next()?);
        let (root, out) = (fs::read(next()?)?, PathBuf::from(next()?));
        let (metadata, targets) = (out.join("metadata"), out.join("targets"));
        fs::create_dir_all(&metadata)?;
        fs::create_dir_all(&targets)?;
        Ok(Self {
            metadata_url: as_directory(metadata_url),
            targets_url: as_directory(targets_url),
            root,
            metadata,
            targets,
            names: arguments.collect(),
        })
    }
}

fn as_directory(url: String) -> String {
    if url.ends_with('/') { url } else { url + "/" }
}

/// What a client did, printed like the other peers print it.
#[derive(Debug, Default)]
pub struct Report {
    versions: Map<String, Value>,
    targets: Map<String, Value>,
}

impl Report {
    /// Notes the version of a role that the client trusts.
    pub fn version(&mut self, role: &str, version: u64) {
        self.versions.insert(role.to_owned(), version.into());
    }

    /// Writes a downloaded target and notes its length and hash.
    pub fn target(
        &mut self,
        arguments: &Arguments,
        name: &str,
        data: &[u8],
    ) -> Result<(), Failure> {
        let destination = arguments.targets.join(name);
        if let Some(directory) = destination.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(&destination, data)?;
        let mut sha256 = String::new();
        for byte in Sha256::digest(data) {
            write!(sha256, "{byte:02x}")?;
        }
        self.targets.insert(
            name.to_owned(),
            json!({ "length": data.len(), "sha256": sha256 }),
        );
        Ok(())
    }

    /// Prints the report as JSON.
    pub fn print(self, client: &str) {
        let Self { versions, targets } = self;
        println!(
            "{:#}",
            json!({ "client": client, "versions": versions, "targets": targets })
        );
    }
}

/// Runs a client on a runtime of its own; a failure is printed with its causes.
pub fn run(client: impl Future<Output = Result<(), Failure>>) -> std::process::ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = runtime
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(client));
    let Err(error) = outcome else {
        return std::process::ExitCode::SUCCESS;
    };
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        // Some errors print their cause themselves.
        let reason = next.to_string();
        if !message.contains(&reason) {
            message = format!("{message}: {reason}");
        }
        cause = next.source();
    }
    eprintln!("{message}");
    std::process::ExitCode::FAILURE
}
