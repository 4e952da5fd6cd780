//! `tuffet key import`: the public half of a key that is elsewhere.

use serde_json::json;
use tuffet_repo::NamedKey;

use super::ImportArguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::keyring::{self, Keyring};
use crate::run::App;
use crate::text;

/// Runs the command.
pub(super) fn run(arguments: &ImportArguments, app: &App) -> Result<Exit, Failure> {
    let place = keyring::locate(app, &arguments.key)?;
    let uri = place.uri.to_string();
    let key = Keyring::new(app, &arguments.secrets).open_at(place)?;
    let named = NamedKey::of(&key.name, &*key.signer).map_err(|error| Failure::from(&error))?;
    let dry = arguments.dry_run.dry_run;
    if let Some(path) = &arguments.output {
        if path.exists() {
            let message = format!("{} exists already", path.display());
            return Err(Failure::new("key.exists", Exit::Conflict, message));
        }
        if !dry {
            let _shield = interrupt::shield(interrupt::WRITES);
            keyring::write_public(path, &named)?;
        }
        let verb = if dry { "Would write" } else { "Wrote" };
        app.console.status(verb, path.display().to_string());
    }
    let metadata = named.key().metadata();
    let keyid = named.keyid();
    if app.console.json {
        let object = json!({
            "uri": uri,
            "keytype": metadata.keytype,
            "scheme": metadata.scheme,
            "keyid": keyid.as_str(),
            "public": metadata.public,
            "output": arguments.output,
            "dry_run": dry,
        });
        app.console.result("key-import", object)?;
    } else {
        let rows = [
            ("keytype", metadata.keytype),
            ("scheme", metadata.scheme),
            ("keyid", keyid.as_str()),
        ];
        let rows = rows.map(|(name, value)| vec![name.to_owned(), value.to_owned()]);
        app.console.data(text::columns(&rows).join("\n"))?;
    }
    Ok(Exit::Done)
}
