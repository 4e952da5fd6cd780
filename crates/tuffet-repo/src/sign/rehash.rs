//! The bytes of targets, looked at once more before somebody signs that they are the right ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use tuffet_core::json::Value;
use tuffet_core::metadata::RoleName;

use crate::Error;
use crate::document::Document;
use crate::plan::Action;
use crate::publish::{holds_target, sha256};
use crate::store::Store;
use crate::targets::{TargetEntry, read_entry};

/// Refuses to sign for staged bytes that are not those of their target, among the targets of these drafts that are new or changed. What
/// is not staged here, because it is published already or somebody else has it, is said. `hashed` is told how many bytes have been read
/// of how many.
pub(crate) fn rehash(
    store: &Store,
    roles: &BTreeSet<RoleName>,
    hashed: &dyn Fn(u64, u64),
) -> Result<Vec<Action>, Error> {
    let (mut there, mut actions) = (BTreeMap::new(), Vec::new());
    for role in roles {
        let absent = sort(store, role, &mut there)?;
        actions.extend(absent.first().map(|first| Action::NotAtHand {
            role: role.clone(),
            path: first.path.clone(),
            count: absent.len() as u64,
        }));
    }
    let lengths = there.values().map(|target: &TargetEntry| target.length);
    let total = lengths.fold(0_u64, u64::saturating_add);
    let mut done = 0_u64;
    for ((object, _), target) in &there {
        let right = holds_target(object, target, &mut |read| {
            done = done.saturating_add(read);
            hashed(done, total);
        })?;
        if !right {
            return Err(Error::ContentDiffers {
                path: target.path.clone(),
                role: target.role.clone(),
                file: object.clone(),
            });
        }
    }
    Ok(actions)
}

/// Adds those new or changed targets of a role whose bytes are staged, each content once, and returns the others.
fn sort(
    store: &Store,
    role: &RoleName,
    there: &mut BTreeMap<(PathBuf, Vec<u8>), TargetEntry>,
) -> Result<Vec<TargetEntry>, Error> {
    let mut absent = Vec::new();
    let before = store.head_document(role)?;
    let before = before.as_ref().and_then(targets);
    for (path, entry) in store.draft(role).and_then(targets).into_iter().flatten() {
        if before.is_some_and(|before| before.get(path) == Some(entry)) {
            continue;
        }
        let Some(target) = read_entry(path, entry, role) else {
            continue;
        };
        let object = sha256(&target).map(|sha256| store.layout().object(sha256));
        match object.filter(|object| object.exists()) {
            Some(object) => {
                let hashes = entry.get("hashes").map(Value::to_compact_json);
                let content = format!("{} ", target.length).into_bytes();
                let content = content.into_iter().chain(hashes.unwrap_or_default());
                there.insert((object, content.collect()), target);
            }
            None => absent.push(target),
        }
    }
    Ok(absent)
}

fn targets(document: &Document) -> Option<&BTreeMap<String, Value>> {
    document.member("targets")?.as_object()
}
