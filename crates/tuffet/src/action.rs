//! What a command has done, for programs.

use serde_json::{Map, Value, json};
use tuffet_core::crypto::Digest;
use tuffet_core::metadata::RoleName;
use tuffet_repo::{Action, KeyName, Need};

/// An action as an object: the verb and the sentence that people see, and what the sentence speaks of. `role`, `version` and `path` are
/// there in any case.
pub(crate) fn object(action: &Action) -> Value {
    let mut object = Map::new();
    object.insert("verb".to_owned(), action.verb().into());
    object.insert("what".to_owned(), action.to_string().into());
    for name in ["role", "version", "path"] {
        object.insert(name.to_owned(), Value::Null);
    }
    let members = of_targets(action)
        .or_else(|| of_keys(action))
        .or_else(|| of_versions(action))
        .or_else(|| of_places(action));
    if let Some(Value::Object(members)) = members {
        object.extend(members);
    }
    Value::Object(object)
}

/// Keys for machines.
pub(crate) fn names(keys: &[KeyName]) -> Vec<Value> {
    keys.iter().map(name).collect()
}

fn name(key: &KeyName) -> Value {
    json!({"keyid": key.keyid.as_str(), "name": key.name})
}

/// Whose signatures are asked for, and which are there.
pub(crate) fn need(need: &Need) -> Value {
    json!({
        "signers": need.signers.to_string(),
        "have": need.have,
        "need": need.need,
        "signed": names(&need.signed),
        "missing": names(&need.missing),
    })
}

fn hashes(hashes: &[Digest]) -> Value {
    let entry = |digest: &Digest| (digest.algorithm().name().to_owned(), digest.to_hex().into());
    Value::Object(hashes.iter().map(entry).collect())
}

fn of_targets(action: &Action) -> Option<Value> {
    let role = |role: &RoleName| role.as_str().to_owned();
    Some(match action {
        Action::TargetAdded {
            path,
            role: by,
            length,
            hashes: all,
        } => json!({
            "role": role(by), "path": path.as_str(), "length": length, "hashes": hashes(all),
        }),
        Action::Staged {
            path,
            role: by,
            length,
        } => json!({"role": role(by), "path": path.as_str(), "length": length}),
        Action::Promoted {
            from,
            to,
            role: by,
            length,
        } => json!({
            "role": role(by), "path": to.as_str(), "from": from.as_str(), "length": length,
        }),
        Action::TargetRemoved { path, role: by } => {
            json!({"role": role(by), "path": path.as_str()})
        }
        Action::NotAtHand {
            role: by,
            path,
            count,
        } => json!({"role": role(by), "path": path.as_str(), "count": count}),
        Action::Shadowed {
            path,
            role: lists,
            by,
        } => json!({
            "role": role(lists), "path": path.as_str(), "by": by.as_ref().map(role),
        }),
        Action::NamesOfUrls { path, count } => json!({"path": path.as_str(), "count": count}),
        Action::Copied { path, length } => json!({"path": path.as_str(), "length": length}),
        _ => return None,
    })
}

fn of_keys(action: &Action) -> Option<Value> {
    Some(match action {
        Action::Adopted {
            version,
            sha256,
            keys,
            threshold,
        } => json!({
            "role": "root", "version": version.number(), "sha256": sha256.to_hex(),
            "keys": names(keys), "threshold": threshold,
        }),
        Action::Named { key } => json!({"key": name(key)}),
        Action::KeyReplaced { role, old, new } => {
            json!({"role": role.as_str(), "old": name(old), "new": name(new)})
        }
        Action::KeyRemoved { role, key } => json!({"role": role.as_str(), "key": name(key)}),
        Action::Signed {
            role,
            version,
            key,
            needs,
        } => json!({
            "role": role.as_str(), "version": version.number(), "key": name(key),
            "needs": needs.iter().map(need).collect::<Vec<Value>>(),
        }),
        Action::Discarded {
            role,
            version,
            keys,
        } => json!({
            "role": role.as_str(), "version": version.number(), "keys": names(keys),
        }),
        Action::Delegated { role, by, count } => {
            json!({"role": role, "by": by.as_str(), "count": count})
        }
        Action::Undelegated { role, by, listed } => {
            json!({"role": role, "by": by.as_str(), "listed": listed})
        }
        Action::Threshold { role, from, to } => json!({"role": role, "from": from, "to": to}),
        Action::Asked { role, policy } => json!({
            "role": role, "threshold": policy.threshold, "period": policy.period.to_string(),
        }),
        _ => return None,
    })
}

fn of_versions(action: &Action) -> Option<Value> {
    Some(match action {
        Action::Drafted {
            role,
            version,
            from,
        }
        | Action::Accepted {
            role,
            version,
            from,
        } => json!({
            "role": role.as_str(), "version": version.number(),
            "from": from.map(|from| from.number()),
        }),
        Action::Dropped { role, version }
        | Action::Restored { role, version }
        | Action::Applied { role, version }
        | Action::GivenUp { role, version }
        | Action::Skipped { role, version }
        | Action::TargetsRestored { role, version }
        | Action::RestoredUnsigned { role, version }
        | Action::DelegationsStay { role, version }
        | Action::Imported { role, version }
        | Action::LeftOut { role, version } => {
            json!({"role": role.as_str(), "version": version.number()})
        }
        Action::Overwritten {
            role,
            version,
            accepted,
        } => json!({
            "role": role.as_str(), "version": version.number(), "accepted": accepted,
        }),
        Action::Published {
            role,
            version,
            expires,
        } => json!({
            "role": role.as_str(), "version": version.number(), "expires": expires.to_string(),
        }),
        Action::ExpiresEarly { role, expires, due } => json!({
            "role": role.as_str(), "expires": expires.to_string(), "due": due.to_string(),
        }),
        _ => return None,
    })
}

fn of_places(action: &Action) -> Option<Value> {
    Some(match action {
        Action::Created { name } => json!({"name": name}),
        Action::Sent { to, length } => {
            json!({"to": to.display().to_string(), "length": length})
        }
        Action::PutAside { to } => json!({"to": to.display().to_string()}),
        Action::DestinationUnverified { code, why }
        | Action::DestinationUnread { code, why }
        | Action::ChangeUnread { code, why } => json!({"code": code, "why": why}),
        Action::BinsAsked { asked, count } => json!({"asked": asked, "count": count}),
        Action::Pruned { count, length } => json!({"count": count, "length": length}),
        Action::Spared { count, first } => json!({"count": count, "first": first}),
        Action::Mirrored { count } => json!({"count": count}),
        _ => return None,
    })
}
