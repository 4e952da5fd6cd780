//! Updates from a TUF repository with tough, over `http:` or `file:`.

use futures_util::TryStreamExt;
use std::process::ExitCode;
use tough::{RepositoryLoader, TargetName};
use tuffet_peer_clients::{Arguments, Failure, Report, run};
use url::Url;

async fn update() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    let metadata_url = Url::parse(&arguments.metadata_url)?;
    let targets_url = Url::parse(&arguments.targets_url)?;
    let repository = RepositoryLoader::new(&arguments.root, metadata_url, targets_url)
        .datastore(&arguments.metadata)
        .load()
        .await?;

    let mut report = Report::default();
    for name in &arguments.names {
        let stream = repository.read_target(&TargetName::new(name)?).await?;
        let stream = stream.ok_or_else(|| format!("no trusted role lists the target {name}"))?;
        let data = stream
            .try_fold(Vec::new(), |mut data, part| async move {
                data.extend_from_slice(&part);
                Ok(data)
            })
            .await?;
        report.target(&arguments, name, &data)?;
    }
    report.version("root", repository.root().signed.version.get());
    report.version("timestamp", repository.timestamp().signed.version.get());
    report.version("snapshot", repository.snapshot().signed.version.get());
    report.version("targets", repository.targets().signed.version.get());
    for (file, listed) in &repository.snapshot().signed.meta {
        let role = file.trim_end_matches(".json");
        if repository.delegated_role(role).is_some() {
            report.version(role, listed.version.get());
        }
    }
    report.print("tough 0.24.0");
    Ok(())
}

fn main() -> ExitCode {
    run(update())
}
