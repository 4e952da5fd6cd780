//! Refreshes a repository and downloads one of its targets, blocking the thread.

use tuffet_client::blocking::Updater;
use tuffet_client::{Destination, DirectoryStore, Source, TargetPath, TrustAnchor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::fs::read("root.json")?; // ships with the program
    let updater = Updater::builder(TrustAnchor::Root(root), DirectoryStore::new("tuf"))
        .source(Source::at("https://updates.example.org/tuf"))
        .build()?;
    updater.refresh()?;
    let found = updater.find(&TargetPath::new("app/app-1.0.tar.gz")?)?;
    let done = updater.download(&found, &Destination::below("downloads"))?;
    println!("{} is verified", done.path.display());
    Ok(())
}
