//! `tuffet key new`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
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
    if arguments.dry_run.dry_run {
        return preview(arguments, &private, &public, app);
    }
    let passphrase = if arguments.no_passphrase {
        None
    } else {
        Some(Keyring::for_new(app, &arguments.passphrase).choose(name)?)
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
        let mut object = object(arguments, &private, &public);
        object["keyid"] = keyid.as_str().into();
        app.console.result("key-new", object)?;
    }
    Ok(Exit::Done)
}

/// Says where the key would go. It does not say the keyid, which would be another one next time.
fn preview(
    arguments: &NewArguments,
    private: &Path,
    public: &Path,
    app: &App,
) -> Result<Exit, Failure> {
    let (name, scheme) = (&arguments.name, arguments.scheme);
    app.console.status(
        "Would create",
        format!("key {name}  {scheme}  {}", private.display()),
    );
    if app.console.json {
        app.console
            .result("key-new", object(arguments, private, public))?;
    } else {
        app.console
            .status("Nothing", "was changed: this was a dry run");
    }
    Ok(Exit::Done)
}

fn object(arguments: &NewArguments, private: &Path, public: &Path) -> Value {
    json!({
        "name": arguments.name,
        "scheme": arguments.scheme.name(),
        "keyid": null,
        "private": private,
        "public": public,
        "encrypted": !arguments.no_passphrase,
        "dry_run": arguments.dry_run.dry_run,
    })
}
