//! tough behind the command line of the TUF conformance suite.

use futures_util::TryStreamExt;
use std::io::Write;
use std::process::ExitCode;
use tough::{RepositoryLoader, TargetName};
use tuffet_peer_clients::{Arguments, Failure, run};
use url::Url;

async fn update(arguments: Arguments) -> Result<(), Failure> {
    let root = arguments.root()?;
    let metadata_url = Url::parse(&arguments.metadata_url)?;
    // A refresh alone fetches no targets.
    let targets_url = match arguments.targets_url.as_str() {
        "" => metadata_url.clone(),
        url => Url::parse(url)?,
    };
    let repository = RepositoryLoader::new(&root, metadata_url, targets_url)
        .datastore(&arguments.metadata_dir)
        .load()
        .await?;
    // It keeps no root in its data store.
    arguments.keep_root(&serde_json::to_vec(repository.root())?)?;
    for name in &arguments.names {
        let stream = repository.read_target(&TargetName::new(name)?).await?;
        let mut stream =
            stream.ok_or_else(|| format!("no trusted role lists the target {name}"))?;
        let mut download = arguments.download(name)?;
        while let Some(part) = stream.try_next().await? {
            download.write_all(&part)?;
        }
        download.keep()?;
    }
    Ok(())
}

fn main() -> ExitCode {
    run(update)
}
