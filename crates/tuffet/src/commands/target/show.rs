//! `tuffet target show`.

use serde_json::{Value, json};
use tuffet_core::metadata::RoleName;
use tuffet_repo::{Link, Listing};

use super::{list, path};
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::text;

/// Runs the command.
pub(super) fn run(target: &str, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository(app)?;
    let path = path(target)?;
    let all = repository
        .find_target(&path)
        .map_err(|error| Failure::from(&error))?;
    if app.console.json {
        let listings: Vec<Value> = all.iter().map(object).collect();
        let object = json!({"path": path.as_str(), "listings": listings});
        app.console.result("target-show", object)?;
    } else {
        let lines: Vec<String> = all.iter().flat_map(lines).collect();
        app.console.data(lines.join("\n"))?;
    }
    Ok(Exit::Done)
}

fn lines(listing: &Listing) -> Vec<String> {
    let entry = &listing.entry;
    let mut lines = vec![format!(
        "{} in {}, {} ({} bytes)",
        text::visible(entry.path.as_str()),
        text::visible(entry.role.as_str()),
        text::size(entry.length),
        entry.length
    )];
    for digest in &entry.hashes {
        lines.push(format!("  {}  {}", digest.algorithm(), digest.to_hex()));
    }
    if let Some(custom) = &entry.custom {
        let custom = custom.to_compact_json();
        let custom = text::visible(&String::from_utf8_lossy(&custom));
        lines.push(format!("  custom  {custom}"));
    }
    lines.extend(listing.way.iter().map(|link| format!("  {}", way(link))));
    lines.push(format!("  {}", verdict(listing)));
    lines
}

/// `targets delegates stable/* to stable, and nobody else is asked`
fn way(link: &Link) -> String {
    let end = if link.terminating {
        ", and nobody else is asked"
    } else {
        ""
    };
    text::visible(&format!(
        "{} delegates {} to {}{end}",
        link.by, link.matched, link.to
    ))
}

fn verdict(listing: &Listing) -> &'static str {
    let is_asked = !listing.way.is_empty() || listing.entry.role == RoleName::Targets;
    match (listing.found, is_asked) {
        (true, _) => "this is what clients find",
        (_, true) => "clients find the one above before they come here",
        _ => "clients do not come to this role when they look for the path",
    }
}

fn object(listing: &Listing) -> Value {
    let way: Vec<Value> = listing
        .way
        .iter()
        .map(|link| {
            json!({
                "by": link.by.as_str(),
                "to": link.to.as_str(),
                "matched": link.matched,
                "terminating": link.terminating,
            })
        })
        .collect();
    let mut object = list::object(&listing.entry);
    object["way"] = json!(way);
    object["found"] = json!(listing.found);
    object
}
