//! `tuffet key show`: one key.

use serde_json::json;
use tuffet_repo::Repository;

use super::{ShowArguments, list};
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring;
use crate::run::App;
use crate::text;

/// Runs the command.
pub(super) fn run(arguments: &ShowArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository_if_any(app)?;
    let named = keyring::public(app, repository.as_ref(), &arguments.key)?;
    let files = keyring::all(&keyring::directory(app)?)?;
    let files = files.into_iter().find(|(name, _)| *name == arguments.key);
    let place = files.map(|(_, files)| list::place(&files));
    let (keyid, metadata) = (named.keyid(), named.key().metadata());
    let roles = match &repository {
        Some(repository) => roles(repository, &named)?,
        None => Vec::new(),
    };
    if app.console.json {
        let object = json!({
            "name": named.name(),
            "place": place,
            "keytype": metadata.keytype,
            "scheme": metadata.scheme,
            "keyid": keyid.as_str(),
            "public": metadata.public,
            "roles": roles,
        });
        app.console.result("key-show", object)?;
        return Ok(Exit::Done);
    }
    let mut rows = vec![
        vec!["name".to_owned(), named.name().to_owned()],
        vec!["keytype".to_owned(), metadata.keytype.to_owned()],
        vec!["scheme".to_owned(), metadata.scheme.to_owned()],
        vec!["keyid".to_owned(), keyid.as_str().to_owned()],
    ];
    if let Some(place) = place {
        rows.push(vec!["private".to_owned(), text::visible(&place)]);
    }
    if !roles.is_empty() {
        rows.push(vec!["roles".to_owned(), text::visible(&roles.join(", "))]);
    }
    let mut lines = text::columns(&rows);
    lines.push(named.key().public().to_spki_pem().trim_end().to_owned());
    app.console.data(lines.join("\n"))?;
    Ok(Exit::Done)
}

/// The roles that have the key.
fn roles(repository: &Repository, key: &tuffet_repo::NamedKey) -> Result<Vec<String>, Failure> {
    let roles = repository
        .roles_of(&key.identity())
        .map_err(|error| Failure::from(&error))?;
    Ok(roles.iter().map(|role| role.as_str().to_owned()).collect())
}
