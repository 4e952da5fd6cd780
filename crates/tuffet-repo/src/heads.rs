//! What is sealed has to be signed: whoever can put a file into `metadata/`, through a git remote that people share for example, must
//! not decide what they sign next.
//!
//! Keys may have been replaced by a publication that broke off half-way. It seals from the top downwards (`publish::seal`), so a version
//! that the keys of today have not signed is then one of two: part of the [`listed`] state, which was published as a whole before, or the
//! predecessor of a draft that the open change holds with all signatures. Nothing else is believed of a key that was replaced.

mod listed;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tuffet_core::metadata::{
    Delegations, Parsed, Role as _, RoleDelegations, RoleName, Root, Targets, Timestamp, Version,
};
use tuffet_core::trust::Signers;

use crate::Error;
use crate::document::Document;
use crate::graph::Authority;
use crate::policy::Policy;
use crate::quorum::need;
use crate::store::Store;

use listed::Listed;

/// The drafts of the open change.
type Drafts = BTreeMap<RoleName, Document>;

/// Refuses sealed versions that too few have signed: roots from the first that is there to the last, and of targets, timestamp and the
/// roles that are delegated to by name the last, and of the bins that a draft follows. Other bins are looked at when they are used, and
/// snapshot by [`require_snapshot_signed`]. Returns the roles with drafts whose last versions nobody vouches for who is sealed.
pub(crate) fn require_signed(store: &Store, drafts: &Drafts) -> Result<BTreeSet<RoleName>, Error> {
    let roots = roots(store)?;
    let Some(last) = roots.last() else {
        return Ok(unvouched(store, drafts, &BTreeSet::new()));
    };
    let recent = recent(store, &roots);
    if let Some(bytes) = timestamp(store)? {
        by_root(&RoleName::Timestamp, Version::FIRST, &bytes, &recent)?;
    }
    let Some(version) = store.head(&RoleName::Targets) else {
        return Ok(unvouched(store, drafts, &BTreeSet::new()));
    };
    let heads = Heads {
        store,
        drafts,
        recent,
        listed: OnceCell::new(),
    };
    let last = of_roots(&RoleName::Targets, &[last]);
    let seen = heads.delegated(heads.head(&RoleName::Targets, version, &last)?)?;
    Ok(unvouched(store, drafts, &seen))
}

/// Delegated roles that have drafts and versions before them, and to which nothing leads that is sealed.
fn unvouched(store: &Store, drafts: &Drafts, seen: &BTreeSet<RoleName>) -> BTreeSet<RoleName> {
    let unseen = |role: &&RoleName| {
        let delegated = matches!(role, RoleName::Delegated(_));
        delegated && !seen.contains(*role) && store.head(role).is_some()
    };
    drafts.keys().filter(unseen).cloned().collect()
}

/// Whether everything that a root names the keys of counts under the last one, without the one before: no publication that replaces
/// keys has broken off.
pub(crate) fn is_settled(store: &Store) -> Result<bool, Error> {
    let roots = roots(store)?;
    let Some(last) = roots.last() else {
        return Ok(false);
    };
    let mut files = vec![(RoleName::Timestamp, timestamp(store)?)];
    for role in [RoleName::Snapshot, RoleName::Targets] {
        let bytes = store.head_bytes(&role)?;
        files.push((role, bytes));
    }
    for (role, bytes) in files {
        let signed = |bytes: Vec<u8>| is_signed(&role, &bytes, &of_roots(&role, &[last]));
        if !bytes.map(signed).transpose()?.unwrap_or(true) {
            return Ok(false);
        }
    }
    Ok(true)
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
    store.timestamp_bytes()
}

/// Refuses a snapshot that too few have signed.
pub(crate) fn require_snapshot_signed(
    store: &Store,
    version: Version,
    bytes: &[u8],
) -> Result<(), Error> {
    let roots = roots(store)?;
    by_root(&RoleName::Snapshot, version, bytes, &recent(store, &roots))
}

/// Whether a timestamp lists these bytes as the snapshot.
fn lists(timestamp: Vec<u8>, version: Version, snapshot: &[u8]) -> bool {
    let timestamp = Parsed::<Timestamp>::parse(timestamp);
    timestamp.is_ok_and(|timestamp| {
        let listed = timestamp.unverified().snapshot();
        listed.version == version && listed.identifies(snapshot, tuffet_crypto::aws_lc())
    })
}

/// The last root, and the one before as long as this copy does not remember the last one: a publication may have broken off between
/// the two. Of the one before, timestamp and snapshot are believed, and what they list.
fn recent<'r>(store: &Store, roots: &'r [(Version, Root)]) -> Vec<&'r (Version, Root)> {
    let last = roots.last().map(|(version, _)| *version);
    let known = store.remembered() >= last;
    roots.iter().rev().take(if known { 1 } else { 2 }).collect()
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
    let old = store.found(&role, before)?.map(root);
    let (Some(Ok(old)), Ok(new)) = (old, root(bytes.to_vec())) else {
        return Ok(false);
    };
    let follows = new.version() == version;
    let signed = |one| by_root(&role, version, bytes, &[&one]).is_ok();
    Ok(follows && signed((before, old)) && signed((version, new)))
}

/// Whether those have signed a timestamp whom the root before the last one names: a publication that replaced them has broken off.
pub(crate) fn is_of_root_before(store: &Store, timestamp: &[u8]) -> Result<bool, Error> {
    let roots = roots(store)?;
    let before: Vec<_> = roots.iter().rev().skip(1).take(1).collect();
    Ok(by_root(&RoleName::Timestamp, Version::FIRST, timestamp, &before).is_ok())
}

/// Refuses a file that none of these roots' keys have signed enough.
fn by_root(
    role: &RoleName,
    version: Version,
    bytes: &[u8],
    roots: &[&(Version, Root)],
) -> Result<(), Error> {
    if is_signed(role, bytes, &of_roots(role, roots))? {
        return Ok(());
    }
    Err(Error::HeadUnsigned {
        role: role.clone(),
        version,
    })
}

fn of_roots<'r>(role: &RoleName, roots: &[&'r (Version, Root)]) -> Vec<Authority<'r>> {
    let authorities = roots.iter().filter_map(|(version, root)| {
        Some(Authority {
            signers: Signers::Root(*version),
            table: root.keys(),
            keys: root.role(role)?,
        })
    });
    authorities.collect()
}

fn of_delegator<'d>(
    by: &RoleName,
    delegations: &'d Delegations,
    role: &RoleName,
) -> Option<Authority<'d>> {
    let RoleName::Delegated(name) = role else {
        return None;
    };
    Some(Authority {
        signers: Signers::Delegator(by.clone()),
        table: delegations.keys(),
        keys: delegations.role(name)?,
    })
}

/// Whether enough keys of one of these sets have signed a file.
fn is_signed(role: &RoleName, bytes: &[u8], by: &[Authority<'_>]) -> Result<bool, Error> {
    let nobody = Policy::new("");
    for authority in by {
        if need(role, bytes, authority, &nobody)?.is_met() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The last versions of targets roles, as they are looked at.
struct Heads<'h> {
    store: &'h Store,
    drafts: &'h Drafts,
    recent: Vec<&'h (Version, Root)>,
    /// What was published as a whole, once it was needed.
    listed: OnceCell<Option<Listed>>,
}

impl Heads<'_> {
    /// Refuses a last version that these have not signed, unless a publication that broke off explains it. Returns the bytes whose
    /// delegations count.
    fn head(
        &self,
        role: &RoleName,
        version: Version,
        by: &[Authority<'_>],
    ) -> Result<Vec<u8>, Error> {
        let bytes = self.store.sealed(role, version)?;
        if is_signed(role, &bytes, by)? || self.is_listed(role, version, &bytes)? {
            return Ok(bytes);
        }
        // What it says matters no more: who signs for the role has signed what comes next.
        let next = self.drafts.get(role);
        if let Some(next) = next.filter(|next| next.version() > Some(version)) {
            let bytes = next.to_bytes();
            if is_signed(role, &bytes, by)? {
                return Ok(bytes);
            }
        }
        Err(Error::HeadUnsigned {
            role: role.clone(),
            version,
        })
    }

    fn is_listed(&self, role: &RoleName, version: Version, bytes: &[u8]) -> Result<bool, Error> {
        let listed = match self.listed.get() {
            Some(listed) => listed,
            None => {
                let listed = Listed::read(self.store, self.drafts, &self.recent)?;
                self.listed.get_or_init(|| listed)
            }
        };
        let listed = listed.as_ref();
        Ok(listed.is_some_and(|listed| listed.vouches(role, version, bytes)))
    }

    /// The roles that targets and the roles below it delegate to by name, and the bins that have drafts, each by the word of each of its
    /// delegators.
    fn delegated(&self, targets: Vec<u8>) -> Result<BTreeSet<RoleName>, Error> {
        let mut seen = BTreeSet::from([RoleName::Targets]);
        let mut queue = VecDeque::from([(RoleName::Targets, targets)]);
        while let Some((by, bytes)) = queue.pop_front() {
            let Some(delegations) = delegations(self.store, &by, bytes)? else {
                continue;
            };
            for role in looked_at(&delegations, self.drafts) {
                let Some(version) = self.store.head(&role) else {
                    continue;
                };
                let authority = of_delegator(&by, &delegations, &role);
                let authorities: Vec<Authority<'_>> = authority.into_iter().collect();
                let bytes = self.head(&role, version, &authorities)?;
                if seen.insert(role.clone()) {
                    queue.push_back((role, bytes));
                }
            }
        }
        Ok(seen)
    }
}

/// What a file of a role delegates.
fn delegations(
    store: &Store,
    role: &RoleName,
    bytes: Vec<u8>,
) -> Result<Option<Delegations>, Error> {
    let parsed = Parsed::<Targets>::parse(bytes);
    let parsed = parsed.map_err(|error| {
        let version = store.head(role).unwrap_or(Version::FIRST);
        Error::format(&store.sealed_path(role, version), error)
    })?;
    Ok(parsed.unverified().delegations().cloned())
}

/// The roles that are delegated to by name. Of bins, of which there may be many, those that have drafts: whoever signs one is shown how
/// it differs from the version before.
fn looked_at(delegations: &Delegations, drafts: &Drafts) -> Vec<RoleName> {
    match delegations.roles() {
        RoleDelegations::Named(roles) => {
            let names = roles.iter().map(|role| role.name.clone());
            names.map(RoleName::Delegated).collect()
        }
        RoleDelegations::Succinct(_) => {
            let is_bin = |role: &&RoleName| match role {
                RoleName::Delegated(name) => delegations.role(name).is_some(),
                _ => false,
            };
            drafts.keys().filter(is_bin).cloned().collect()
        }
    }
}
