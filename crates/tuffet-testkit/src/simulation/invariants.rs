//! What must hold whatever the model says: looked up in the archive, which knows who really signed what.

use std::collections::BTreeMap;
use std::sync::Arc;

use tuffet_core::metadata::RoleName;
use tuffet_core::trust::Item;

use super::artifact::{Archive, Artifact, BIN, Body, Delegations, Grant, Id, Listed, Role};
use super::client::{Finding, Store, Written};
use super::scene::Broken;
use super::signing::Signing;

/// What a client has come to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Root, timestamp, snapshot, targets.
    pub(crate) files: [Id; 4],
}

/// A client and everything that exists.
pub(crate) struct Looking<'l> {
    /// Every file that was ever made.
    pub(crate) archive: &'l Archive,
    /// Who signs.
    pub(crate) signing: &'l dyn Signing,
    /// What the client keeps.
    pub(crate) store: &'l Store,
    /// Where its trust began.
    pub(crate) anchor: Id,
    /// What its clock says.
    pub(crate) now: i64,
}

fn ensure(holds: bool, words: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(words()) }
}

fn grants(root: &Artifact) -> Result<&[Grant; 4], Broken> {
    match &root.draft.body {
        Body::Root { grants, .. } => Ok(grants),
        other => Err(format!("trusted as root: {other:?}")),
    }
}

impl Looking<'_> {
    /// Checks what a client trusts now, against what it trusted before.
    ///
    /// # Errors
    /// What does not hold.
    pub(crate) fn check(
        &self,
        files: &[Arc<Vec<u8>>; 4],
        before: Option<&Seen>,
    ) -> Result<Seen, Broken> {
        let mut ids = [self.anchor; 4];
        for (id, bytes) in ids.iter_mut().zip(files) {
            let known = self.archive.find(bytes, self.signing);
            *id = known.ok_or("bytes are trusted that nobody has made")?;
        }
        let [root, timestamp, snapshot, targets] = ids.map(|id| self.archive.get(id));
        let trusted = grants(root)?;
        for (role, file) in [(1, timestamp), (2, snapshot), (3, targets)] {
            signed(file, &trusted[role], "root")?;
        }
        for file in [root, timestamp, snapshot, targets] {
            ensure(file.draft.expires > self.now, || {
                format!("{} has expired", file.draft.role)
            })?;
        }
        let listed = match &timestamp.draft.body {
            Body::Timestamp(listed) => listed,
            other => return Err(format!("trusted as timestamp: {other:?}")),
        };
        fits(snapshot, listed)?;
        let roles = roles(snapshot)?;
        fits(
            targets,
            roles.get(&Role::Targets).ok_or("targets is not listed")?,
        )?;
        self.check_roots(ids[0], before)?;
        if let Some(before) = before {
            self.check_versions(ids, before)?;
        }
        Ok(Seen { files: ids })
    }

    /// Checks the delegated roles that a search has stored: listed, in time, and signed by a threshold of the keys that somebody
    /// names who is trusted.
    ///
    /// # Errors
    /// What does not hold.
    pub(crate) fn check_delegated(&self, seen: &Seen, writes: &[Written]) -> Result<(), Broken> {
        let [.., snapshot, targets] = seen.files;
        for (item, bytes) in writes {
            let (Item::Role(name @ RoleName::Delegated(_)), Some(bytes)) = (item, bytes) else {
                continue;
            };
            let known = self.archive.find(bytes, self.signing);
            let file = self
                .archive
                .get(known.ok_or("a role is stored that nobody has made")?);
            let role = Role::of(name);
            let listed = roles(self.archive.get(snapshot))?.get(&role);
            fits(
                file,
                listed.ok_or_else(|| format!("{role} is stored and not listed"))?,
            )?;
            ensure(file.draft.expires > self.now, || {
                format!("{role} has expired")
            })?;
            let stored = self.store.iter().filter_map(|(item, bytes)| match item {
                Item::Role(RoleName::Delegated(_)) => self.archive.find(bytes, self.signing),
                _ => None,
            });
            let mut delegators = stored.chain([targets]).map(|id| self.archive.get(id));
            ensure(delegators.any(|by| names(by, role, file)), || {
                format!("{role} is trusted and nobody names a threshold of those who signed it")
            })?;
        }
        Ok(())
    }

    /// Checks what an audit came upon, in the same way.
    ///
    /// # Errors
    /// What does not hold.
    pub(crate) fn check_audit(&self, seen: &Seen, findings: &[Finding]) -> Result<(), Broken> {
        let [.., snapshot, _] = seen.files;
        let mut audited: Vec<(Role, Id)> = Vec::new();
        for finding in findings {
            let Finding::Role {
                delegator,
                role,
                bytes,
                ..
            } = finding
            else {
                continue;
            };
            let known = self.archive.find(bytes, self.signing);
            let id = known.ok_or("an audit shows a role that nobody has made")?;
            let file = self.archive.get(id);
            let listed = roles(self.archive.get(snapshot))?.get(role);
            fits(
                file,
                listed.ok_or("an audit shows a role that is not listed")?,
            )?;
            ensure(file.draft.expires > self.now, || {
                format!("an audit shows that {role} is good, and it has expired")
            })?;
            let mut by = audited.iter().filter(|(of, _)| Some(*of) == *delegator);
            let vouched = match delegator {
                None => id == seen.files[3],
                Some(_) => by.any(|(_, by)| names(self.archive.get(*by), *role, file)),
            };
            ensure(vouched, || {
                format!("an audit shows that {role} is good, and nobody vouches for it")
            })?;
            audited.push((*role, id));
        }
        Ok(())
    }

    /// Every root from the anchor to the trusted one was signed by a threshold of the one before and by its own.
    fn check_roots(&self, newest: Id, before: Option<&Seen>) -> Result<(), Broken> {
        if before.is_some_and(|before| before.files[0] == newest) {
            return Ok(());
        }
        let mut next = newest;
        while next != self.anchor {
            let file = self.archive.get(next);
            let version = file.draft.version;
            let id = self.root_before(version)?;
            let previous = self.archive.get(id);
            ensure(previous.draft.version + 1 == version, || {
                format!("root {} is followed by {version}", previous.draft.version)
            })?;
            signed(file, &grants(previous)?[0], "the root before")?;
            signed(file, &grants(file)?[0], "itself")?;
            next = id;
        }
        Ok(())
    }

    /// The anchor, or a root that the client has stored.
    fn root_before(&self, version: u64) -> Result<Id, Broken> {
        if self.archive.get(self.anchor).draft.version + 1 == version {
            return Ok(self.anchor);
        }
        let item = Item::Root(crate::version(version - 1));
        let bytes = self
            .store
            .get(&item)
            .ok_or_else(|| format!("root {version} is trusted and the one before is not stored"))?;
        let known = self.archive.find(bytes, self.signing);
        known.ok_or_else(|| "a root is stored that nobody has made".to_owned())
    }

    /// Versions never go back, but for timestamp, snapshot and what it lists after a key of timestamp or snapshot has left.
    fn check_versions(&self, now: [Id; 4], before: &Seen) -> Result<(), Broken> {
        let version = |id| self.archive.get(id).draft.version;
        let [root, timestamp, snapshot, _] = now;
        let [old_root, old_timestamp, old_snapshot, _] = before.files;
        ensure(version(root) >= version(old_root), || {
            "root went back".to_owned()
        })?;
        if self.has_lost_a_key(old_root, root)? {
            return Ok(());
        }
        let stays = version(timestamp) >= version(old_timestamp)
            && version(snapshot) >= version(old_snapshot);
        ensure(stays, || "timestamp or snapshot went back".to_owned())?;
        let listed = roles(self.archive.get(snapshot))?;
        for (role, old) in roles(self.archive.get(old_snapshot))? {
            let stays = listed
                .get(role)
                .is_some_and(|new| new.version >= old.version);
            ensure(stays, || format!("{role} went back in snapshot"))?;
        }
        Ok(())
    }

    /// Whether a key of timestamp or snapshot has left in any root after the old one.
    fn has_lost_a_key(&self, old: Id, new: Id) -> Result<bool, Broken> {
        let (first, last) = (self.archive.get(old), self.archive.get(new));
        let mut previous = first;
        for version in first.draft.version + 1..=last.draft.version {
            let stored = self.store.get(&Item::Root(crate::version(version)));
            let stored = stored.and_then(|bytes| self.archive.find(bytes, self.signing));
            let next = stored.map_or(last, |id| self.archive.get(id));
            for role in [1, 2] {
                let after = &grants(next)?[role].keys;
                let stays = |key| after.iter().any(|named| named.key == key);
                if grants(previous)?[role]
                    .keys
                    .iter()
                    .any(|named| !stays(named.key))
                {
                    return Ok(true);
                }
            }
            previous = next;
        }
        Ok(false)
    }
}

/// Whether a role delegates to another, to keys of which a threshold has signed this file.
fn names(delegator: &Artifact, role: Role, file: &Artifact) -> bool {
    let signed = |grant: &Grant| file.count_whatever_the_keyids(grant) >= grant.threshold;
    match &delegator.draft.body {
        Body::Targets {
            delegations: Delegations::Named(roles),
            ..
        } => roles.iter().any(|to| to.role == role && signed(&to.grant)),
        Body::Targets {
            delegations: Delegations::Bins { grant, bits },
            ..
        } => {
            let last = BIN + (1 << bits) - 1;
            matches!(role, Role::Delegated(number) if (BIN..=last).contains(&number))
                && signed(grant)
        }
        _ => false,
    }
}

fn signed(file: &Artifact, grant: &Grant, by: &str) -> Result<(), Broken> {
    ensure(
        file.count_whatever_the_keyids(grant) >= grant.threshold,
        || {
            let draft = &file.draft;
            format!(
                "{} {} is trusted without a threshold of the keys that {by} names",
                draft.role, draft.version
            )
        },
    )
}

fn roles(snapshot: &Artifact) -> Result<&BTreeMap<Role, Listed>, Broken> {
    match &snapshot.draft.body {
        Body::Snapshot(listed) => Ok(listed),
        other => Err(format!("trusted as snapshot: {other:?}")),
    }
}

fn fits(file: &Artifact, listed: &Listed) -> Result<(), Broken> {
    let fits = file.draft.version == listed.version
        && listed
            .length
            .is_none_or(|length| length == file.bytes.len() as u64)
        && listed.hash.is_none_or(|hash| hash == file.hash);
    ensure(fits, || {
        format!("{} is not the file that is listed", file.draft.role)
    })
}
