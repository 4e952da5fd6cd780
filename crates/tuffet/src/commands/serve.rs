//! `tuffet serve`: a published repository on the loopback interface.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tuffet_repo::{Destination, Repository};

use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::server::Server;

/// Serve a published repository on this machine, for development
///
/// What is in metadata/ and targets/ is served, and nothing else. There is no TLS, no access control and no limit, so only
/// loopback addresses are listened on. Ctrl-C ends it.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet serve public\n  tuffet serve public --listen 127.0.0.1:0   take any free port"
)]
pub(crate) struct Arguments {
    /// The directory that holds metadata/ and targets/
    #[arg(default_value = "public")]
    directory: PathBuf,
    /// The address and port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8400")]
    listen: SocketAddr,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let directory = &arguments.directory;
    if !directory.join("metadata").is_dir() {
        let message = format!("{} has no directory metadata", directory.display());
        let failure = Failure::new("verify.layout", Exit::NotFound, message);
        let own = author::repository_if_any(app).ok().flatten();
        return Err(elsewhere(failure, own));
    }
    if directory.join("tuffet.toml").exists() || directory.join(".tuffet").exists() {
        let message = format!("{} is a repository, with its keys", directory.display());
        let failure = Failure::new("serve.repository", Exit::Usage, message);
        return Err(elsewhere(failure, Repository::open(directory).ok()));
    }
    let server = Server::start(directory, arguments.listen)?;
    app.console.status(
        "Serving",
        format!(
            "{} for development only; Ctrl-C ends it",
            directory.display()
        ),
    );
    let url = server.url();
    if app.console.json {
        app.console
            .result("serve", json!({"url": url, "directory": directory}))?;
    } else {
        app.console.data(&url)?;
    }
    server.wait()?;
    Ok(Exit::Done)
}

/// Names the directory that was meant, where the repository says which one that is.
fn elsewhere(failure: Failure, repository: Option<Repository>) -> Failure {
    match repository.and_then(|repository| repository.publish_to()) {
        Some(Destination::Directory(published)) => {
            failure.fix(format!("tuffet serve {}", published.display()))
        }
        _ => failure,
    }
}
