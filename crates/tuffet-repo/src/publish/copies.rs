//! Copies under names without versions and hashes, for clients that know no consistent snapshots.
//!
//! Such a client reads the tree while it changes, so it may meet a moment in which nothing fits and has to try again. All others never
//! look at these files.

use std::collections::{BTreeMap, BTreeSet};

use tuffet_core::json::Value;
use tuffet_core::metadata::{RoleName, TargetPath, Version};

use super::artifacts::{entries, sha256, staged as staged_content};
use super::release::{Place, Release, meta, versions};
use crate::Error;
use crate::document::Document;
use crate::graph::Link;
use crate::layout::{clash, file_name, hash_of, target_name};
use crate::plan::Action;
use crate::targets::{TargetEntry, read_entry};
use crate::tree::Tree as _;
use crate::write::{Write, WriteKind};

/// What has to be written: targets, the roles that list them, then snapshot and root. What was finished is what those roles say,
/// so an interrupted publication is completed by the next one.
pub(super) fn unversioned(
    place: &Place<'_>,
    release: &Release,
) -> Result<(Vec<Vec<Write>>, Option<Action>), Error> {
    let roles = roles(place, release)?;
    let plain = |role: &RoleName| file_name(role, None);
    let names: Vec<String> = roles.iter().map(|(role, _)| plain(role)).collect();
    place.published.fetch(names.iter().map(String::as_str))?;

    let (mut new, mut old) = (Listed::new(), Listed::new());
    let (mut lists, mut last) = (Vec::new(), Vec::new());
    let mut others_asked = false;
    for (role, bytes) in &roles {
        let file = plain(role);
        let before = place.published.file(&file)?;
        let is_list = matches!(role, RoleName::Targets | RoleName::Delegated(_));
        if is_list {
            let before = before.as_deref().unwrap_or_default();
            others_asked |= delegations(before) != delegations(bytes);
            new.insert(role.clone(), entries(bytes));
            old.insert(role.clone(), entries(before));
        }
        if before.as_ref() != Some(bytes) {
            let write = Write {
                at: place.published.metadata(&file),
                kind: WriteKind::Replace(bytes.clone()),
            };
            if is_list { &mut lists } else { &mut last }.push(write);
        }
    }
    let mut found = Vec::new();
    let paths: BTreeSet<&String> = new.values().flat_map(BTreeMap::keys).collect();
    for path in paths
        .into_iter()
        .filter_map(|path| TargetPath::new(path).ok())
    {
        let asked = place.graph.asked_for(&path);
        let now = find(&asked, &new, &path);
        if now.is_some() && hash_of(&path.as_str().to_ascii_lowercase()).is_some() {
            return Err(Error::CopyName(path));
        }
        let before = find(&asked, &old, &path).map(|(_, entry)| entry);
        if let Some((role, entry)) = now
            && (others_asked || before != Some(entry))
        {
            found.extend(read_entry(path.as_str(), entry, role));
        }
    }
    let name = |target: &TargetEntry| format!("targets/{}", target.path);
    // Where other roles are asked than before, the lists do not say what was copied.
    let there = if others_asked {
        let named: Vec<_> = found.iter().map(|target| (name(target), target)).collect();
        place.published.hold(&named)?
    } else {
        vec![false; found.len()]
    };
    let mut targets = Vec::new();
    for (target, _) in found.iter().zip(there).filter(|(_, there)| !there) {
        targets.push(copy(place, target)?);
    }
    let count = targets.len().saturating_add(lists.len());
    let count = count.saturating_add(last.len()) as u64;
    let action = (count > 0).then_some(Action::Mirrored { count });
    Ok((vec![targets, lists, last], action))
}

/// The roles as clients will see them: targets and what it delegates to, in the order of trust, then snapshot and root.
fn roles(place: &Place<'_>, release: &Release) -> Result<Vec<(RoleName, Vec<u8>)>, Error> {
    let staged = |role: &RoleName| release.staged(role).map(|staged| staged.bytes.to_vec());
    let snapshot = staged(&RoleName::Snapshot).unwrap_or_default();
    let listed = Document::parse(&snapshot).ok();
    let listed: BTreeMap<RoleName, Version> = versions(&meta(listed.as_ref())).collect();

    let delegated = place.graph.delegated().into_iter();
    let delegated = delegated.map(|(_, name)| RoleName::Delegated(name));
    let mut order: Vec<RoleName> = vec![RoleName::Targets];
    for role in delegated {
        if !order.contains(&role) {
            require_own_file(&role)?;
            order.push(role);
        }
    }
    // A role that is listed and no longer delegated to has its copy, too, where there is a place for it.
    for role in listed.keys() {
        if !order.contains(role) && require_own_file(role).is_ok() {
            order.push(role.clone());
        }
    }
    let versioned = |role: &RoleName| Some(file_name(role, Some(*listed.get(role)?)));
    let unstaged = order.iter().filter(|role| release.staged(role).is_none());
    let files: Vec<String> = unstaged.filter_map(versioned).collect();
    place.published.fetch(files.iter().map(String::as_str))?;

    let mut all = Vec::new();
    for role in order {
        let Some(version) = listed.get(&role) else {
            continue;
        };
        let bytes = match staged(&role) {
            Some(bytes) => bytes,
            None => match place.published.file(&file_name(&role, Some(*version)))? {
                Some(bytes) => bytes,
                None => place.store.sealed(&role, *version)?,
            },
        };
        all.push((role, bytes));
    }
    all.push((RoleName::Snapshot, snapshot));
    all.extend(staged(&RoleName::Root).map(|root| (RoleName::Root, root)));
    Ok(all)
}

/// Refuses a role whose copy would stand where a file of another role belongs, `2.root` for example: clients would be given that one,
/// and copies are not among what is verified before.
fn require_own_file(role: &RoleName) -> Result<(), Error> {
    let why = match role {
        RoleName::Delegated(name) => clash(name),
        _ => None,
    };
    why.map_or(Ok(()), |why| {
        Err(Error::RoleNameUnsafe {
            name: role.as_str().to_owned(),
            why,
        })
    })
}

/// What each role lists.
type Listed = BTreeMap<RoleName, BTreeMap<String, Value>>;

/// The entry that clients find: that of the first role they ask which has one.
fn find<'l>(
    asked: &[(RoleName, Vec<Link>)],
    listed: &'l Listed,
    path: &TargetPath,
) -> Option<(&'l RoleName, &'l Value)> {
    asked.iter().find_map(|(role, _)| {
        let (role, entries) = listed.get_key_value(role)?;
        Some((role, entries.get(path.as_str())?))
    })
}

fn delegations(bytes: &[u8]) -> Option<Value> {
    Document::parse(bytes).ok()?.member("delegations").cloned()
}

/// Copies a target from where it is staged, or from under its hash.
fn copy(place: &Place<'_>, target: &TargetEntry) -> Result<Write, Error> {
    let destination = place.published.destination();
    let kind = match (staged_content(place, target), sha256(target)) {
        (Err(Error::ContentMissing { .. }), Some(sha256)) => WriteKind::Copy {
            from: destination.address(&target_name(&target.path, sha256)),
            length: target.length,
            sha256: *sha256,
        },
        (staged, _) => staged?,
    };
    Ok(Write {
        at: destination.address(&format!("targets/{}", target.path)),
        kind,
    })
}
