//! What is sealed has to be signed: whoever can put a file into `metadata/`, through a git remote that people share for example, must
//! not decide what they sign next.
//!
//! Keys may have been replaced by a publication that broke off half-way, so the last version before counts too.

use std::collections::{BTreeSet, VecDeque};

use tuffet_core::metadata::{
    Delegations, Parsed, Role as _, RoleDelegations, RoleName, Root, Targets, Timestamp, Version,
};
use tuffet_core::trust::Signers;

use crate::Error;
use crate::graph::Authority;
use crate::layout;
use crate::policy::Policy;
use crate::quorum::need;
use crate::store::Store;
use crate::write::read_optional;

/// Refuses sealed versions that too few have signed: roots from the first that is there to the last, and of targets, timestamp and the
/// roles that are delegated to by name the last. Bins are looked at when they are used, and snapshot by [`require_snapshot_signed`].
pub(crate) fn require_signed(store: &Store) -> Result<(), Error> {
    let roots = roots(store)?;
    let recent = recent(&roots);
    if recent.is_empty() {
        return Ok(());
    }
    if let Some(version) = store.head(&RoleName::Targets) {
        let bytes = store.sealed(&RoleName::Targets, version)?;
        by_root(&RoleName::Targets, version, &bytes, &recent)?;
    }
    if let Some(bytes) = timestamp(store)? {
        by_root(&RoleName::Timestamp, Version::FIRST, &bytes, &recent)?;
    }
    delegated(store)
}

/// Refuses a last snapshot that too few have signed, unless the timestamp, which has been looked at, lists these very bytes: then it is
/// the one that was published, and nobody who only edits looks into it. Who signs the next one counts its signatures in any case.
pub(crate) fn require_snapshot(store: &Store) -> Result<(), Error> {
    let Some(version) = store.head(&RoleName::Snapshot) else {
        return Ok(());
    };
    let bytes = store.sealed_unread(&RoleName::Snapshot, version)?;
    if timestamp(store)?.is_some_and(|timestamp| lists(timestamp, version, &bytes)) {
        return Ok(());
    }
    require_snapshot_signed(store, version, &bytes)?;
    store.sealed(&RoleName::Snapshot, version).map(drop)
}

fn timestamp(store: &Store) -> Result<Option<Vec<u8>>, Error> {
    let name = layout::file_name(&RoleName::Timestamp, None);
    read_optional(&store.layout().metadata().join(name))
}

/// Refuses a snapshot that too few have signed.
pub(crate) fn require_snapshot_signed(
    store: &Store,
    version: Version,
    bytes: &[u8],
) -> Result<(), Error> {
    by_root(&RoleName::Snapshot, version, bytes, &recent(&roots(store)?))
}

/// Whether a timestamp lists these bytes as the snapshot.
fn lists(timestamp: Vec<u8>, version: Version, snapshot: &[u8]) -> bool {
    let timestamp = Parsed::<Timestamp>::parse(timestamp);
    timestamp.is_ok_and(|timestamp| {
        let listed = timestamp.unverified().snapshot();
        listed.version == version && listed.identifies(snapshot, tuffet_crypto::aws_lc())
    })
}

/// The last root and the one before.
fn recent(roots: &[(Version, Root)]) -> Vec<&(Version, Root)> {
    roots.iter().rev().take(2).collect()
}

/// Every root in order, each signed by its own keys and by those of the one before (K-03).
fn roots(store: &Store) -> Result<Vec<(Version, Root)>, Error> {
    let role = RoleName::Root;
    let mut files = Vec::new();
    let mut next = store.head(&role);
    while let Some(version) = next {
        let path = store.sealed_path(&role, version);
        if !path.exists() {
            break;
        }
        let bytes = store.sealed(&role, version)?;
        let root = Parsed::<Root>::parse(bytes.clone());
        let root = root.map_err(|error| Error::format(&path, error))?;
        files.push((version, root.unverified().clone(), bytes));
        next = version.number().checked_sub(1).and_then(Version::new);
    }
    files.reverse();
    let mut roots: Vec<(Version, Root)> = Vec::new();
    for (version, root, bytes) in files {
        let own = (version, root);
        let mut all: Vec<&(Version, Root)> = roots.last().into_iter().collect();
        all.push(&own);
        for one in all {
            by_root(&role, version, &bytes, &[one])?;
        }
        roots.push(own);
    }
    Ok(roots)
}

/// Whether clients that follow the root before would accept these bytes as the next root.
pub(crate) fn is_next_root(store: &Store, version: Version, bytes: &[u8]) -> Result<bool, Error> {
    let role = RoleName::Root;
    let root = |bytes: Vec<u8>| Parsed::<Root>::parse(bytes).map(|root| root.unverified().clone());
    let Some(before) = version.number().checked_sub(1).and_then(Version::new) else {
        return Ok(false);
    };
    let old = read_optional(&store.sealed_path(&role, before))?.map(root);
    let (Some(Ok(old)), Ok(new)) = (old, root(bytes.to_vec())) else {
        return Ok(false);
    };
    let follows = new.version() == version;
    let signed = |one| by_root(&role, version, bytes, &[&one]).is_ok();
    Ok(follows && signed((before, old)) && signed((version, new)))
}

/// Refuses a file that none of these roots' keys have signed enough.
fn by_root(
    role: &RoleName,
    version: Version,
    bytes: &[u8],
    roots: &[&(Version, Root)],
) -> Result<(), Error> {
    let authorities = roots.iter().filter_map(|(version, root)| {
        Some(Authority {
            signers: Signers::Root(*version),
            table: root.keys(),
            keys: root.role(role)?,
        })
    });
    by_any(role, version, bytes, &authorities.collect::<Vec<_>>())
}

fn by_any(
    role: &RoleName,
    version: Version,
    bytes: &[u8],
    authorities: &[Authority<'_>],
) -> Result<(), Error> {
    let nobody = Policy::new("");
    for authority in authorities {
        if need(role, bytes, authority, &nobody)?.is_met() {
            return Ok(());
        }
    }
    Err(Error::HeadUnsigned {
        role: role.clone(),
        version,
    })
}

/// The roles that targets and the roles below it delegate to by name, each by the word of each of its delegators.
fn delegated(store: &Store) -> Result<(), Error> {
    let mut seen = BTreeSet::from([RoleName::Targets]);
    let mut queue = VecDeque::from([RoleName::Targets]);
    while let Some(by) = queue.pop_front() {
        let recent = recent_delegations(store, &by)?;
        let Some(RoleDelegations::Named(roles)) = recent.first().map(Delegations::roles) else {
            continue;
        };
        for delegated in roles {
            let role = RoleName::Delegated(delegated.name.clone());
            let Some(version) = store.head(&role) else {
                continue;
            };
            let authorities = recent.iter().filter_map(|delegations| {
                Some(Authority {
                    signers: Signers::Delegator(by.clone()),
                    table: delegations.keys(),
                    keys: delegations.role(&delegated.name)?,
                })
            });
            let authorities: Vec<Authority<'_>> = authorities.collect();
            by_any(&role, version, &store.sealed(&role, version)?, &authorities)?;
            if seen.insert(role.clone()) {
                queue.push_back(role);
            }
        }
    }
    Ok(())
}

/// What the last version of a role delegates, and the one before.
fn recent_delegations(store: &Store, role: &RoleName) -> Result<Vec<Delegations>, Error> {
    let mut all = Vec::new();
    let head = store.head(role);
    let before = head.and_then(|head| Version::new(head.number().checked_sub(1)?));
    for version in [head, before].into_iter().flatten() {
        let path = store.sealed_path(role, version);
        let Some(bytes) = read_optional(&path)? else {
            continue;
        };
        let parsed = Parsed::<Targets>::parse(bytes);
        let parsed = parsed.map_err(|error| Error::format(&path, error))?;
        all.extend(parsed.unverified().delegations().cloned());
    }
    Ok(all)
}
