//! Which versions a recovery goes on with.
//!
//! Clients that believed a thief remember the version of every role that snapshot listed, however high, until a key of snapshot
//! goes. From then on the honest numbers count again, so a version in this repository that leaps far above them can be given up. And
//! a thief who could write into the published tree may have used the numbers that come next, for files that caches keep under
//! these names: the recovery goes around them.

use tuffet_core::metadata::{RoleName, UnixTime, Version};

use super::Recover;
use crate::Error;
use crate::edit::Edit;
use crate::graph::Graph;
use crate::layout;
use crate::numbers::{FURTHEST, after_a_leap};
use crate::publish::Published;
use crate::store::Store;
use crate::tree::Tree as _;

/// Gives up the versions of snapshot, and of roles that are restored, that come after a leap.
pub(super) fn give_up_leaps(edit: &mut Edit, recover: &Recover) {
    let snapshots = edit.store.versions(&RoleName::Snapshot);
    let first = snapshots.first().copied();
    let snapshot = first.map(|first| (RoleName::Snapshot, first));
    let restored = recover.restore.iter();
    let restored = restored.map(|(role, version)| (role.clone(), *version));
    let mut given_up = edit.store.given_up().clone();
    for (role, from) in snapshot.into_iter().chain(restored) {
        for version in after_a_leap(&edit.store.versions(&role), from) {
            given_up.add(&role, version);
        }
    }
    edit.give_up(given_up);
}

/// Gives the next snapshot, and the drafts of targets roles, numbers under which nothing is published yet. `is_honest` says whether
/// somebody else than a thief must have made a file as this version; then this copy is behind.
pub(super) fn go_around(
    edit: &mut Edit,
    published: &Published,
    is_honest: impl Fn(&RoleName, Version, &[u8]) -> Result<bool, Error>,
    now: UnixTime,
) -> Result<(), Error> {
    let drafts = edit.store.drafts();
    let drafts = drafts.filter(|(role, draft)| **role != RoleName::Root && !draft.is_exact());
    let mut roles: Vec<RoleName> = drafts.map(|(role, _)| role.clone()).collect();
    roles.push(RoleName::Snapshot);
    for role in roles {
        let head = edit.store.head(&role);
        let mut given_up = edit.store.given_up().clone();
        loop {
            let version = given_up.next_usable(&role, head)?;
            let file = layout::file_name(&role, Some(version));
            let Some(bytes) = published.file(&file)? else {
                break;
            };
            if is_honest(&role, version, &bytes)? || !given_up.add(&role, version) {
                return Err(Error::VersionReused {
                    at: published.metadata(&file),
                });
            }
        }
        if given_up != *edit.store.given_up() {
            let version = given_up.next_usable(&role, head)?;
            if role != RoleName::Snapshot {
                let draft = edit.open(&role, now)?;
                draft.set("version", version.number().into());
            }
            edit.give_up_beside(given_up);
        }
    }
    Ok(())
}

/// Refuses a change that gives up what is sealed here and has not leapt ahead: that would be a way to go back from
/// honest versions.
pub(crate) fn require_leaps(store: &Store) -> Result<(), Error> {
    for (role, version) in store.given_up().iter() {
        let last = store.head(role).map_or(0, Version::number);
        let leapt = version.number() > last.saturating_add(FURTHEST);
        if !leapt && store.sealed_path(role, version).exists() {
            return Err(Error::ChangeForeign {
                why: "it gives up versions that have not leapt ahead",
            });
        }
    }
    Ok(())
}

/// Refuses to give up versions that clients go on remembering, because enough keys of snapshot stay.
pub(crate) fn require_forgotten(store: &Store, graph: &Graph) -> Result<(), Error> {
    if graph.lets_clients_forget() {
        return Ok(());
    }
    let next = |role: &RoleName| store.draft(role).and_then(|draft| draft.version());
    let remembered = |(role, version): &(&RoleName, Version)| {
        next(role) < Some(*version) && store.sealed_path(role, *version).exists()
    };
    match store.given_up().iter().find(remembered) {
        Some((role, version)) => Err(Error::VersionRemembered {
            role: role.clone(),
            version,
        }),
        None => Ok(()),
    }
}
