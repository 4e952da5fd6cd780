//! rust-tuf behind the command line of the TUF conformance suite.

use futures_util::AsyncReadExt;
use hyper::client::Client as Http;
use std::io::Write;
use std::process::ExitCode;
use tuf::client::{Client, Config};
use tuf::metadata::{RawSignedMetadata, RootMetadata, TargetPath};
use tuf::pouf::Pouf1;
use tuf::repository::{FileSystemRepositoryBuilder, HttpRepositoryBuilder};
use tuffet_peer_clients::{Arguments, Failure, run};
use url::Url;

/// How much of a target is held at a time.
const PART: usize = 64 * 1024;

/// The directories of a URL, by which this client knows where metadata and targets are on one server.
fn prefix(url: &Url) -> Vec<String> {
    let segments = url.path_segments().into_iter().flatten();
    segments
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned)
        .collect()
}

async fn update(arguments: Arguments) -> Result<(), Failure> {
    let root = RawSignedMetadata::<Pouf1, RootMetadata>::new(arguments.root()?);
    let metadata_url = Url::parse(&arguments.metadata_url)?;
    let targets = match arguments.targets_url.as_str() {
        "" => Vec::new(),
        url => prefix(&Url::parse(url)?),
    };
    let remote = HttpRepositoryBuilder::<_, Pouf1>::new(metadata_url.join("/")?, Http::new())
        .metadata_prefix(prefix(&metadata_url))
        .targets_prefix(targets)
        .build();
    let local = FileSystemRepositoryBuilder::<Pouf1>::new(&arguments.metadata_dir).build();
    let mut client = Client::with_trusted_root(Config::default(), &root, local, remote).await?;
    client.update().await?;
    for name in &arguments.names {
        let mut download = arguments.download(name)?;
        let mut part = vec![0; PART];
        let mut stream = client.fetch_target(&TargetPath::new(name.clone())?).await?;
        loop {
            let length = stream.read(&mut part).await?;
            if length == 0 {
                break;
            }
            download.write_all(&part[..length])?;
        }
        drop(stream);
        download.keep()?;
    }
    Ok(())
}

fn main() -> ExitCode {
    run(update)
}
