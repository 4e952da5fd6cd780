//! `tuffet trust show`, and how a trusted root is shown.

use serde_json::{Value, json};
use tuffet_core::crypto::KeyKind;
use tuffet_core::metadata::{RoleName, Root};
use tuffet_core::trust::Verified;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::run::App;
use crate::text;
use crate::trusted::{self, Entry, Source};

/// Runs the command.
pub(super) fn run(name: &str, app: &App) -> Result<Exit, Failure> {
    let entry = Entry::load(&app.options.places.trust()?, name)?;
    let mut roots = Vec::new();
    for source in &entry.repositories {
        roots.push(trusted::verified_root(&source.root, app.now)?);
    }
    if app.console.json {
        app.console.result("trust-show", object(&entry, &roots))?;
        return Ok(Exit::Done);
    }
    for (source, root) in entry.repositories.iter().zip(&roots) {
        let mut lines = vec![headline(&entry, source, root)];
        lines.extend(
            source
                .metadata
                .iter()
                .map(|url| format!("metadata     {}", tuffet_client::without_secrets(url))),
        );
        lines.extend(
            source
                .targets
                .iter()
                .map(|url| format!("targets      {}", tuffet_client::without_secrets(url))),
        );
        lines.push(format!(
            "root expires {}",
            moment::both(root.expires(), app.now)
        ));
        lines.extend(fingerprint_lines(source));
        lines.extend(key_lines(root));
        app.console.data(lines.join("\n  "))?;
    }
    Ok(Exit::Done)
}

/// `acme  root v1, 2 of 3 keys`.
pub(super) fn headline(entry: &Entry, source: &Source, root: &Verified<Root>) -> String {
    let name = if entry.map.is_some() {
        format!("{}/{}", entry.name, source.name)
    } else {
        entry.name.clone()
    };
    let keys = root.content().role(&RoleName::Root);
    let (need, all) = keys.map_or((0, 0), |keys| (keys.threshold, keys.keyids.len()));
    format!("{name}  root v{}, {need} of {all} keys", root.version())
}

/// The digest of the root file in groups, over two lines of a terminal.
pub(super) fn fingerprint_lines(source: &Source) -> Vec<String> {
    let groups = text::grouped(&trusted::fingerprint(&source.root));
    let (first, second) = groups.split_at(groups.len() / 2);
    vec![
        format!("fingerprint  {}", first.trim()),
        format!("             {}", second.trim()),
    ]
}

/// The keys of root, and which of them signed it.
pub(super) fn key_lines(root: &Verified<Root>) -> Vec<String> {
    let Some(role) = root.content().role(&RoleName::Root) else {
        return Vec::new();
    };
    role.keyids
        .iter()
        .map(|keyid| {
            let key = root.content().keys().key(keyid.as_str());
            let kind = match key.map(|key| (key.scheme(), key.kind())) {
                None => "not defined".to_owned(),
                Some((scheme, KeyKind::Usable { .. })) => text::visible(scheme),
                Some((scheme, KeyKind::Opaque { why })) => {
                    format!("{} (never counts: {why})", text::visible(scheme))
                }
            };
            let counted = root.quorum().counted.iter();
            let signed = if counted.clone().any(|counted| counted.keyid == *keyid) {
                "signed"
            } else {
                ""
            };
            format!(
                "key          {}  {kind}  {signed}",
                text::short(keyid.as_str())
            )
            .trim_end()
            .to_owned()
        })
        .collect()
}

/// The members of the JSON result.
pub(super) fn object(entry: &Entry, roots: &[Verified<Root>]) -> Value {
    let repositories: Vec<Value> = entry
        .repositories
        .iter()
        .zip(roots)
        .map(|(source, root)| {
            let keys = root.content().role(&RoleName::Root);
            let redacted = |urls: &[String]| -> Vec<String> {
                urls.iter()
                    .map(|url| tuffet_client::without_secrets(url))
                    .collect()
            };
            let counted: Vec<&str> = root
                .quorum()
                .counted
                .iter()
                .map(|counted| counted.keyid.as_str())
                .collect();
            json!({
                "name": source.name,
                "metadata": redacted(&source.metadata),
                "targets": redacted(&source.targets),
                "root": {
                    "version": root.version().number(),
                    "expires": root.expires().to_string(),
                    "sha256": trusted::fingerprint(&source.root),
                    "threshold": keys.map(|keys| keys.threshold),
                    "keyids": keys.map(|keys| {
                        keys.keyids.iter().map(ToString::to_string).collect::<Vec<_>>()
                    }),
                    "signed_by": counted,
                },
            })
        })
        .collect();
    json!({"name": entry.name, "map": entry.map.is_some(), "repositories": repositories})
}
