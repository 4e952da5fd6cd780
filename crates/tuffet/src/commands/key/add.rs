//! `tuffet key add`: names for keys that are elsewhere.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tuffet_repo::NamedKey;
use tuffet_sign::Attestation;

use super::AddArguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::keyring::{self, Keyring, Place};
use crate::run::App;
use crate::text;

/// Runs the command.
pub(super) fn run(arguments: &AddArguments, app: &App) -> Result<Exit, Failure> {
    let name = &arguments.name;
    let directory = keyring::directory(app)?;
    let file = |extension: &str| directory.join(format!("{name}.{extension}"));
    for extension in ["key", "uri", "pub"] {
        let path = file(extension);
        if path.exists() {
            let message = format!("{} exists already", path.display());
            return Err(Failure::new("key.exists", Exit::Conflict, message));
        }
    }
    let (mut named, uri) = if arguments.key.ends_with(".pub") {
        let given = keyring::read_public(&PathBuf::from(&arguments.key))?;
        let named = renamed(name, given.key().clone())?;
        match given.attestation() {
            Some(chain) => (named.with_attestation(chain), None),
            None => (named, None),
        }
    } else {
        let uri = keyring::absolute(keyring::parse(&arguments.key)?)?;
        let place = Place {
            uri: uri.clone(),
            name: name.clone(),
            public: None,
        };
        let key = Keyring::new(app, &arguments.secrets).open_at(place)?;
        tuffet_sign::try_out(&*key.signer).map_err(|error| Failure::from(&error))?;
        (renamed(name, key.signer.public().clone())?, Some(uri))
    };
    if !arguments.attestation.is_empty() {
        named = attested(named, arguments, app)?;
    }
    let dry = arguments.dry_run.dry_run;
    if !dry {
        let _shield = interrupt::shield(interrupt::WRITES);
        fs::create_dir_all(&directory).map_err(|error| Failure::writing(&directory, &error))?;
        if let Some(uri) = &uri {
            keyring::write_alias(&file("uri"), uri)?;
        }
        keyring::write_public(&file("pub"), &named)?;
    }
    let verb = if dry { "Would add" } else { "Added" };
    let keyid = named.keyid();
    let (scheme, short) = (named.key().scheme(), text::short(keyid.as_str()));
    let place = uri.as_ref().map_or_else(
        || "public key only".to_owned(),
        |uri| text::visible(&uri.to_string()),
    );
    app.console
        .status(verb, format!("key {name}  {scheme}  {short}  {place}"));
    if app.console.json {
        let object = json!({
            "name": name,
            "scheme": scheme.name(),
            "keyid": keyid.as_str(),
            "uri": uri.map(|uri| uri.to_string()),
            "public": file("pub"),
            "attested": named.attestation().is_some(),
            "dry_run": dry,
        });
        app.console.result("key-add", object)?;
    }
    Ok(Exit::Done)
}

/// Verifies what a token says of the key, and keeps it with the key.
fn attested(key: NamedKey, arguments: &AddArguments, app: &App) -> Result<NamedKey, Failure> {
    let chain = keyring::read_certificates(&arguments.attestation)?;
    let roots = match arguments.attestation_root.as_slice() {
        // Without a root it is only seen whether the certificates fit together.
        [] => chain.clone(),
        paths => keyring::read_certificates(paths)?,
    };
    let attestation = Attestation::verify(&chain, &roots).map_err(|error| Failure::from(&error))?;
    if attestation.key.identity() != key.identity() {
        let message = "the certificate is one of another key";
        return Err(Failure::new("key.attestation", Exit::Key, message));
    }
    app.console.status("Attested", attestation.to_string());
    if arguments.attestation_root.is_empty() {
        app.console
            .warn("no --attestation-root is given: the certificates fit together, and nobody is trusted to vouch for them");
    }
    Ok(key.with_attestation(&chain))
}

fn renamed(name: &str, key: tuffet_sign::PublicKeyInfo) -> Result<NamedKey, Failure> {
    NamedKey::new(name, key).map_err(|error| Failure::from(&error))
}
