//! `tuffet target list`, and how targets are listed.

use serde_json::json;
use tuffet_repo::TargetEntry;

use super::ListArguments;
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::text;

/// Runs the command.
pub(super) fn run(arguments: &ListArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository(app)?;
    let role = arguments.role.as_deref().map(author::role).transpose()?;
    let targets = repository
        .targets(role.as_ref())
        .map_err(|error| Failure::from(&error))?;
    if app.console.json {
        let targets: Vec<serde_json::Value> = targets.iter().map(object).collect();
        app.console
            .result("target-list", json!({"targets": targets}))?;
    } else if targets.is_empty() {
        app.console.status("Listed", "no target");
    } else {
        app.console.data(lines(&targets).join("\n"))?;
    }
    Ok(Exit::Done)
}

/// Targets in columns.
pub(in crate::commands) fn lines(targets: &[TargetEntry]) -> Vec<String> {
    let rows = targets.iter().map(|target| {
        let digest = target.hashes.first().map_or_else(String::new, |digest| {
            format!("{} {}…", digest.algorithm(), text::short(&digest.to_hex()))
        });
        vec![
            text::visible(target.path.as_str()),
            text::size(target.length),
            digest,
            text::visible(target.role.as_str()),
        ]
    });
    text::columns(&rows.collect::<Vec<Vec<String>>>())
}

/// A target for machines.
pub(in crate::commands) fn object(target: &TargetEntry) -> serde_json::Value {
    let hashes: serde_json::Map<String, serde_json::Value> = target
        .hashes
        .iter()
        .map(|digest| (digest.algorithm().to_string(), json!(digest.to_hex())))
        .collect();
    // As text, which holds numbers of any size exactly.
    let custom = target.custom.as_ref();
    let custom =
        custom.map(|custom| String::from_utf8_lossy(&custom.to_compact_json()).into_owned());
    json!({
        "path": target.path.as_str(),
        "role": target.role.as_str(),
        "length": target.length,
        "hashes": hashes,
        "custom": custom,
    })
}
