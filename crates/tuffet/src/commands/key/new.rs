//! `tuffet key new`.

use std::fs;

use serde_json::json;
use tuffet_repo::NamedKey;
use tuffet_sign::{FileKey, Protection};

use super::NewArguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::keyring::{self, Keyring};
use crate::run::App;
use crate::text;

/// Runs the command.
pub(super) fn run(arguments: &NewArguments, app: &App) -> Result<Exit, Failure> {
    let name = &arguments.name;
    let directory = match &arguments.output {
        Some(directory) => directory.clone(),
        None => keyring::directory(app)?,
    };
    let (private, public) = (
        directory.join(format!("{name}.key")),
        directory.join(format!("{name}.pub")),
    );
    for path in [&private, &public] {
        if path.exists() {
            let message = format!("{} exists already", path.display());
            return Err(Failure::new("key.exists", Exit::Conflict, message));
        }
    }
    let key = FileKey::generate(arguments.scheme).map_err(|error| Failure::from(&error))?;
    let named = NamedKey::of(name, &key).map_err(|error| Failure::from(&error))?;
    let passphrase = if arguments.no_passphrase {
        None
    } else {
        Some(Keyring::new(app, &arguments.passphrase).choose(name)?)
    };
    let protection = passphrase
        .as_ref()
        .map_or(Protection::Plain, Protection::Passphrase);
    let shield = interrupt::shield(interrupt::WRITES);
    fs::create_dir_all(&directory).map_err(|error| Failure::writing(&directory, &error))?;
    key.save(&private, protection)
        .map_err(|error| Failure::from(&error))?;
    keyring::write_public(&public, &named)?;
    drop(shield);
    let keyid = named.keyid();
    let (scheme, short) = (arguments.scheme, text::short(keyid.as_str()));
    app.console.status(
        "Created",
        format!("key {name}  {scheme}  {short}  {}", private.display()),
    );
    if arguments.no_passphrase {
        app.console
            .warn("the key is not encrypted: whoever can read the file can sign with it");
    }
    if app.console.json {
        app.console.result(
            "key-new",
            json!({
                "name": name,
                "scheme": scheme.name(),
                "keyid": keyid.as_str(),
                "private": private,
                "public": public,
                "encrypted": !arguments.no_passphrase,
            }),
        )?;
    }
    Ok(Exit::Done)
}
