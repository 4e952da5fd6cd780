//! The entry of a role in the file that names its keys: root, or a role that delegates to it.

use std::collections::BTreeMap;

use tuffet_core::json::Value;
use tuffet_core::metadata::RoleName;

use crate::document::{Document, object_in};

/// The entry of a role, or of all bins whose names begin with `role`.
pub(crate) fn of<'d>(
    document: &'d mut Document,
    by: &RoleName,
    role: &str,
) -> Option<&'d mut BTreeMap<String, Value>> {
    if *by == RoleName::Root {
        return document.object("roles").get_mut(role)?.as_object_mut();
    }
    let delegations = document
        .signed_mut()
        .get_mut("delegations")?
        .as_object_mut()?;
    let bins = delegations.get("succinct_roles");
    if bins.is_some_and(|bins| is_named(bins.get("name_prefix"), role)) {
        return delegations.get_mut("succinct_roles")?.as_object_mut();
    }
    let roles = delegations.get_mut("roles")?.as_array_mut()?;
    roles
        .iter_mut()
        .find(|entry| is_named(entry.get("name"), role))?
        .as_object_mut()
}

/// Takes the entry out, and the keys that nothing else in the file names. Returns whether it was there.
pub(crate) fn remove(document: &mut Document, by: &RoleName, role: &str) -> bool {
    let members = document.signed_mut();
    let Some(delegations) = members
        .get_mut("delegations")
        .and_then(Value::as_object_mut)
    else {
        return false;
    };
    let bins = delegations.get("succinct_roles");
    let (removed, left) = if bins.is_some_and(|bins| is_named(bins.get("name_prefix"), role)) {
        delegations.remove("succinct_roles");
        (true, false)
    } else {
        let roles = delegations.get_mut("roles").and_then(Value::as_array_mut);
        match roles {
            Some(roles) => {
                let before = roles.len();
                roles.retain(|entry| !is_named(entry.get("name"), role));
                (roles.len() < before, !roles.is_empty())
            }
            None => (false, true),
        }
    };
    if !left {
        members.remove("delegations");
    } else if removed {
        remove_unused_keys(document, by);
    }
    removed
}

/// Removes the keys that no role of the file names any more.
pub(crate) fn remove_unused_keys(document: &mut Document, by: &RoleName) {
    let (members, lists): (&mut BTreeMap<String, Value>, [&str; 2]) = if *by == RoleName::Root {
        (document.signed_mut(), ["roles", ""])
    } else {
        (document.object("delegations"), ["roles", "succinct_roles"])
    };
    let mut used: Vec<String> = Vec::new();
    for list in lists {
        let roles: Vec<&Value> = match members.get(list) {
            Some(Value::Array(roles)) => roles.iter().collect(),
            Some(Value::Object(role)) if role.contains_key("keyids") => {
                members.get(list).into_iter().collect()
            }
            Some(Value::Object(roles)) => roles.values().collect(),
            _ => Vec::new(),
        };
        let keyids = roles.into_iter().filter_map(|role| role.get("keyids"));
        let keyids = keyids.filter_map(Value::as_array).flatten();
        used.extend(keyids.filter_map(Value::as_str).map(str::to_owned));
    }
    object_in(members, "keys").retain(|keyid, _| used.contains(keyid));
}

fn is_named(name: Option<&Value>, role: &str) -> bool {
    name.and_then(Value::as_str) == Some(role)
}
