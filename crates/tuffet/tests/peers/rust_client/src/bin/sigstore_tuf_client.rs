//! Updates from a TUF repository with sigstore-tuf, over `http:` or `file:`.

use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Error, FileStore, HttpRepository, Repository, Updater};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tuffet_peer_clients::{Arguments, Failure, Report, run};
use url::Url;

/// A repository in a directory.
struct Directory {
    metadata: PathBuf,
    targets: PathBuf,
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::transport_with_source(
            path.display().to_string(),
            error,
        )),
    }
}

impl Repository for Directory {
    fn fetch_metadata<'a>(&'a self, name: &'a str, _max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move { read(&self.metadata.join(name)) })
    }

    fn fetch_target<'a>(&'a self, path: &'a str, _max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move { read(&self.targets.join(path)) })
    }
}

fn updater(arguments: &Arguments) -> Result<Updater, Failure> {
    if arguments.metadata_url.starts_with("file:") {
        let path = |url: &str| -> Result<PathBuf, Failure> {
            Url::parse(url)?
                .to_file_path()
                .map_err(|()| "not a path of this machine".into())
        };
        let directory = Directory {
            metadata: path(&arguments.metadata_url)?,
            targets: path(&arguments.targets_url)?,
        };
        return Ok(Updater::new(directory, &arguments.root)?);
    }
    let repository = HttpRepository::new(&arguments.metadata_url)?;
    let repository = repository.with_targets_base(&arguments.targets_url)?;
    Ok(Updater::new(repository, &arguments.root)?)
}

async fn update() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    let mut updater = updater(&arguments)?.with_store(FileStore::new(&arguments.metadata));
    let now = jiff::Timestamp::now();
    updater.refresh(now).await?;

    let mut report = Report::default();
    for name in &arguments.names {
        let data = updater.get_target(name, now).await?;
        report.target(&arguments, name, &data)?;
    }
    let trusted = updater.trusted();
    report.version("root", trusted.root().version);
    if let Some(timestamp) = trusted.timestamp() {
        report.version("timestamp", timestamp.version);
    }
    if let Some(snapshot) = trusted.snapshot() {
        report.version("snapshot", snapshot.version);
        for file in snapshot.meta.keys() {
            let role = file.trim_end_matches(".json");
            if let Some(targets) = trusted.targets_role(role) {
                report.version(role, targets.version);
            }
        }
    }
    report.print("sigstore-tuf 0.15.1");
    Ok(())
}

fn main() -> ExitCode {
    run(update())
}
