//! `tough-fetch METADATA_URL TARGETS_URL ROOT_FILE OUT_DIR TARGET`

use std::error::Error;
use std::path::Path;

use tough::{Limits, Prefix, RepositoryLoader, TargetName};
use url::Url;

async fn fetch() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [metadata_url, targets_url, root, out, target] = arguments.as_slice() else {
        return Err("usage: tough-fetch METADATA_URL TARGETS_URL ROOT_FILE OUT_DIR TARGET".into());
    };
    let (metadata, targets) = (Path::new(out).join("metadata"), Path::new(out).join("targets"));
    std::fs::create_dir_all(&metadata)?;
    std::fs::create_dir_all(&targets)?;
    let limits = Limits {
        max_root_size: 1 << 20,
        max_targets_size: 1 << 30,
        max_timestamp_size: 1 << 20,
        max_snapshot_size: 1 << 30,
        max_root_updates: 1024,
    };
    let root = std::fs::read(root)?;
    let repository = RepositoryLoader::new(&root, Url::parse(metadata_url)?, Url::parse(targets_url)?)
        .datastore(&metadata)
        .limits(limits)
        .load()
        .await?;
    repository.save_target(&TargetName::new(target)?, &targets, Prefix::None).await?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(fetch())
}
