//! `tuffet key export-public`.

use serde_json::json;
use tuffet_files::Readers;

use super::ExportArguments;
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::keyring;
use crate::run::App;

/// Runs the command.
pub(super) fn run(arguments: &ExportArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_if_any(app)?;
    let named = keyring::public(app, repository.as_ref(), &arguments.key)?;
    let text = match arguments.pem {
        true => named.key().public().to_spki_pem(),
        false => keyring::public_text(&named),
    };
    let dry = arguments.dry_run.dry_run;
    if let Some(path) = &arguments.output {
        if path.exists() {
            let message = format!("{} exists already", path.display());
            return Err(Failure::new("key.exists", Exit::Conflict, message));
        }
        if !dry {
            let _shield = interrupt::shield(interrupt::WRITES);
            tuffet_files::create(path, text.as_bytes(), Readers::Umask)
                .map_err(|error| Failure::writing(path, &error))?;
        }
        let verb = if dry { "Would write" } else { "Wrote" };
        app.console.status(verb, path.display().to_string());
    }
    if app.console.json {
        let object = json!({
            "name": named.name(),
            "keyid": named.keyid().as_str(),
            "pem": named.key().public().to_spki_pem(),
            "key": named.key().metadata().public,
            "output": arguments.output,
            "dry_run": dry,
        });
        app.console.result("key-export-public", object)?;
    } else if arguments.output.is_none() {
        app.console.data(text.trim_end())?;
    }
    Ok(Exit::Done)
}
