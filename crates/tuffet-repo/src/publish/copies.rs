//! Copies under names without versions and hashes, for clients that know no consistent snapshots.
//!
//! Such a client reads the tree while it changes, so it may meet a moment in which nothing fits and has to try again. All others never
//! look at these files.

use std::collections::BTreeMap;

use tuffet_core::json::Value;
use tuffet_core::metadata::{RoleName, Version};

use super::artifacts::{entries, sha256, staged as staged_content};
use super::release::{Place, Release, meta, versions};
use crate::Error;
use crate::document::Document;
use crate::layout::{file_name, target_name};
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

    let (mut new, mut old) = (BTreeMap::new(), BTreeMap::new());
    let (mut lists, mut last) = (Vec::new(), Vec::new());
    for (role, bytes) in &roles {
        let file = plain(role);
        let before = place.published.file(&file)?;
        let is_list = matches!(role, RoleName::Targets | RoleName::Delegated(_));
        if is_list {
            merge(&mut new, role, bytes);
            merge(&mut old, role, before.as_deref().unwrap_or_default());
        }
        if before.as_ref() != Some(bytes) {
            let write = Write {
                at: place.published.metadata(&file),
                kind: WriteKind::Replace(bytes.clone()),
            };
            if is_list { &mut lists } else { &mut last }.push(write);
        }
    }
    let changed = new.into_iter().filter(|(path, entry)| {
        let before = old.get(path).map(|(_, before)| before);
        before != Some(&entry.1)
    });
    let mut targets = Vec::new();
    for (path, (role, entry)) in changed {
        if let Some(target) = read_entry(&path, &entry, &role) {
            targets.push(copy(place, &target)?);
        }
    }
    let count = targets.len().saturating_add(lists.len());
    let count = count.saturating_add(last.len()) as u64;
    let action = (count > 0).then_some(Action::Mirrored { count });
    Ok((vec![targets, lists, last], action))
}

/// The roles as clients will see them: targets and what it delegates to, in the order of trust, then snapshot and root.
fn roles(place: &Place<'_>, release: &Release) -> Result<Vec<(RoleName, Vec<u8>)>, Error> {
    let staged = |role: &RoleName| release.staged(role).map(|staged| staged.bytes.clone());
    let snapshot = staged(&RoleName::Snapshot).unwrap_or_default();
    let listed = Document::parse(&snapshot).ok();
    let listed: BTreeMap<RoleName, Version> = versions(&meta(listed.as_ref())).collect();

    let delegated = place.graph.delegated().into_iter();
    let delegated = delegated.map(|(_, name)| RoleName::Delegated(name));
    let mut order: Vec<RoleName> = vec![RoleName::Targets];
    // A role that is listed and no longer delegated to has its copy, too.
    for role in delegated.chain(listed.keys().cloned()) {
        if !order.contains(&role) {
            order.push(role);
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

type Entries = BTreeMap<String, (RoleName, Value)>;

/// Adds the targets of a role, unless a role before it has the same path: that is the one that clients find.
fn merge(all: &mut Entries, role: &RoleName, bytes: &[u8]) {
    for (path, entry) in entries(bytes) {
        all.entry(path).or_insert_with(|| (role.clone(), entry));
    }
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
