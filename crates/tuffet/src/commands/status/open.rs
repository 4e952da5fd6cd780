//! What is open, what was begun and not ended, and what is not in its place.

use serde_json::{Value, json};
use tuffet_repo::{Change, Obstacle, Overview, RoleStatus};

use super::{shell, words};
use crate::action::names;
use crate::commands::change::{needed, overtaken, unpublished};
use crate::text::visible;

/// Whether somebody else has to sign before the change can be published.
pub(super) fn waits(overview: &Overview) -> bool {
    let change = &overview.change;
    let empty = |one: &Obstacle| matches!(one, Obstacle::Empty { .. });
    let unsigned = !change.is_quorate() || overview.obstacles.iter().any(empty);
    !change.drafts.is_empty() && !change.is_overtaken() && unsigned
}

/// Whether nothing has to be done.
pub(super) fn is_quiet(overview: &Overview) -> bool {
    let Overview { roles, change, .. } = overview;
    let missing = |status: &RoleStatus| is_missing(status, change);
    change.drafts.is_empty() && change.unpublished.is_none() && !roles.iter().any(missing)
}

/// Whether a change is open that renewing leaves alone. What was begun is published to its end.
pub(super) fn is_left(change: &Change) -> bool {
    let open = !change.drafts.is_empty() || !change.given_up.is_empty();
    open && change.unpublished.is_none()
}

/// Whether the version of a role that is in force is not there. Of a publication that has broken off not everything is there yet, and
/// what a thief has made is about to go.
pub(super) fn is_missing(status: &RoleStatus, change: &Change) -> bool {
    status.missing && change.unpublished.is_none() && change.given_up.is_empty()
}

pub(super) fn lines(overview: &Overview) -> Vec<String> {
    let Overview { roles, change, .. } = overview;
    let missing = roles.iter().filter(|status| is_missing(status, change));
    let mut lines: Vec<String> = missing
        .map(|status| {
            let role = visible(status.role.as_str());
            format!("missing: {role} that is in force is not in metadata/: restore it from git, or from where it is published")
        })
        .collect();
    if change.drafts.is_empty() {
        lines.push("nothing is open".to_owned());
    }
    for draft in &change.drafts {
        if draft.overtaken {
            lines.push(overtaken(draft));
            continue;
        }
        let role = visible(draft.role.as_str());
        for need in &draft.needs {
            lines.push(format!("open: {role} v{}, {}", draft.version, needed(need)));
        }
    }
    for obstacle in &overview.obstacles {
        if let Obstacle::Empty { role, by } = obstacle {
            let command = words(&["tuffet", "delegate", "accept", role.as_str(), "FILE"]);
            let (role, by) = (visible(role.as_str()), visible(by.as_str()));
            lines.push(format!(
                "open: {by} delegates to {role}, which has no metadata yet: {}",
                shell(&command)
            ));
        }
    }
    if !change.drafts.is_empty() && !change.is_overtaken() && !waits(overview) {
        lines.push(ready(overview));
    }
    lines.extend(unpublished(change));
    lines
}

/// How the change is published, and with whose keys if they are not here.
fn ready(overview: &Overview) -> String {
    let mut keys: Vec<String> = Vec::new();
    for obstacle in &overview.obstacles {
        if let Obstacle::Keys { need, .. } = obstacle {
            let waits = visible(&need.waits_for());
            if !keys.contains(&waits) {
                keys.push(waits);
            }
        }
    }
    match keys.as_slice() {
        [] => "ready: tuffet publish".to_owned(),
        keys => format!("ready: tuffet publish with {}", keys.join(" and ")),
    }
}

/// What keeps the change from being published, for machines.
pub(super) fn obstacles(overview: &Overview) -> Vec<Value> {
    let all = overview.obstacles.iter();
    all.filter_map(|obstacle| match obstacle {
        Obstacle::Empty { role, by } => Some(json!({
            "kind": "empty",
            "role": role.as_str(),
            "by": by.as_str(),
        })),
        Obstacle::Keys { role, need } => Some(json!({
            "kind": "keys",
            "role": role.as_str(),
            "have": need.have,
            "need": need.need,
            "missing": names(&need.missing),
        })),
        _ => None,
    })
    .collect()
}
