//! sigstore-tuf behind the command line of the TUF conformance suite.

use sigstore_tuf::{FileStore, HttpRepository, Updater};
use std::process::ExitCode;
use tuffet_peer_clients::{Arguments, Failure, run};

async fn update(arguments: Arguments) -> Result<(), Failure> {
    let mut repository = HttpRepository::new(&arguments.metadata_url)?;
    if !arguments.targets_url.is_empty() {
        repository = repository.with_targets_base(&arguments.targets_url)?;
    }
    let mut updater = Updater::new(repository, &arguments.root()?)?
        .with_store(FileStore::new(&arguments.metadata_dir));
    let now = jiff::Timestamp::now();
    updater.refresh(now).await?;
    for name in &arguments.names {
        // Its interface returns the whole target: there are no parts to write one by one.
        let data = updater.get_target(name, now).await?;
        arguments.keep_target(name, &data)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    run(update)
}
