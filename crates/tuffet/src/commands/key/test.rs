//! `tuffet key test`: a key signs, and the signature is verified.

use serde_json::json;
use tuffet_repo::NamedKey;

use super::TestArguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring::Keyring;
use crate::run::App;
use crate::text;

/// Runs the command.
pub(super) fn run(arguments: &TestArguments, app: &App) -> Result<Exit, Failure> {
    let keyring = Keyring::new(app, &arguments.secrets);
    let mut objects = Vec::new();
    for key in &arguments.key {
        let key = keyring.open(key)?;
        tuffet_sign::try_out(&*key.signer).map_err(|error| Failure::from(&error))?;
        let named = NamedKey::of(&key.name, &*key.signer).map_err(|error| Failure::from(&error))?;
        let (keyid, scheme) = (named.keyid(), named.key().scheme());
        let short = text::short(keyid.as_str());
        app.console
            .status("Signs", format!("{}  {scheme}  {short}", key.name));
        objects.push(json!({
            "name": key.name,
            "scheme": scheme.name(),
            "keyid": keyid.as_str(),
        }));
    }
    if app.console.json {
        app.console.result("key-test", json!({"keys": objects}))?;
    }
    Ok(Exit::Done)
}
