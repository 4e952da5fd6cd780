//! Refreshes a repository and downloads one of its targets, in a tokio runtime.

use tuffet_client::{Destination, DirectoryStore, Source, TargetPath, TrustAnchor, Updater};

async fn update() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::fs::read("root.json")?; // ships with the program
    let updater = Updater::builder(TrustAnchor::Root(root), DirectoryStore::new("tuf"))
        .source(Source::at("https://updates.example.org/tuf"))
        .build()?;
    updater.refresh().await?;
    let found = updater
        .find(&TargetPath::new("app/app-1.0.tar.gz")?)
        .await?;
    let done = updater
        .download(&found, &Destination::below("downloads"))
        .await?;
    println!("{} is verified", done.path.display());
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build()?.block_on(update())
}
