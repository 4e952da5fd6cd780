//! `tuffet key list`: the keys that have names.

use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring::{self, Files};
use crate::run::App;
use crate::text;

/// Runs the command.
pub(super) fn run(app: &App) -> Result<Exit, Failure> {
    let directory = keyring::directory(app)?;
    let (mut rows, mut objects) = (Vec::new(), Vec::new());
    for (name, files) in keyring::all(&directory)? {
        let public = files.public.as_deref().map(keyring::read_public);
        let public = match public.transpose() {
            Ok(public) => public,
            Err(failure) => {
                app.console.warn(failure.line());
                None
            }
        };
        let (scheme, keyid) = public.map_or((None, None), |key| {
            (Some(key.key().scheme().name()), Some(key.keyid()))
        });
        let keyid = keyid.as_ref().map(|keyid| keyid.as_str());
        let place = place(&files);
        rows.push(vec![
            text::visible(&name),
            scheme.unwrap_or("-").to_owned(),
            keyid.map_or_else(|| "-".to_owned(), text::short),
            text::visible(&place),
        ]);
        objects.push(json!({
            "name": name,
            "scheme": scheme,
            "keyid": keyid,
            "place": place,
            "private": files.private.is_some() || files.alias.is_some(),
        }));
    }
    if app.console.json {
        app.console.result("key-list", json!({"keys": objects}))?;
    } else if rows.is_empty() {
        app.console
            .status("Empty", format!("no keys in {}", directory.display()));
        app.console.next("tuffet key new NAME");
    } else {
        app.console.data(text::columns(&rows).join("\n"))?;
    }
    Ok(Exit::Done)
}

/// Where the private key is.
pub(super) fn place(files: &Files) -> String {
    match files {
        Files {
            private: Some(path),
            ..
        } => path.display().to_string(),
        Files {
            alias: Some(path), ..
        } => keyring::read_alias(path).map_or_else(|failure| failure.line(), |uri| uri.to_string()),
        _ => "public key only".to_owned(),
    }
}
