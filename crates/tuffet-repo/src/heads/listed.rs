//! What was published as a whole: what the timestamp in `metadata/` lists. A publication that seals new versions writes the timestamp last.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tuffet_core::metadata::{
    Delegations, Parsed, Role as _, RoleName, Root, Snapshot, Timestamp, Version,
};

use super::{Drafts, delegations, is_signed, looked_at, of_delegator, of_roots, timestamp};
use crate::Error;
use crate::store::Store;

/// The roles that the last complete publication listed, as far as those have signed them whom it named for it.
pub(super) struct Listed {
    snapshot: Parsed<Snapshot>,
    good: BTreeMap<RoleName, Version>,
}

impl Listed {
    /// Reads it. The timestamp has been looked at. One that lists nothing that is there and signed by these roots' keys, or a snapshot
    /// of which this is true, vouches for nothing.
    pub(super) fn read(
        store: &Store,
        drafts: &Drafts,
        roots: &[&(Version, Root)],
    ) -> Result<Option<Self>, Error> {
        let timestamp = timestamp(store)?.map(Parsed::<Timestamp>::parse);
        let Some(Ok(timestamp)) = timestamp else {
            return Ok(None);
        };
        let entry = timestamp.unverified().snapshot();
        let path = store.sealed_path(&RoleName::Snapshot, entry.version);
        let crypto = tuffet_crypto::aws_lc();
        let bytes = store.found(&RoleName::Snapshot, entry.version)?;
        let bytes = bytes.filter(|bytes| entry.identifies(bytes, crypto));
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        let by = of_roots(&RoleName::Snapshot, roots);
        let signed = is_signed(&RoleName::Snapshot, &bytes, &by)?;
        let snapshot = Parsed::<Snapshot>::parse(bytes);
        let snapshot = snapshot.map_err(|error| Error::format(&path, error))?;
        if !signed || snapshot.unverified().version() != entry.version {
            return Ok(None);
        }
        let mut listed = Self {
            snapshot,
            good: BTreeMap::new(),
        };
        listed.follow(store, drafts, roots)?;
        Ok(Some(listed))
    }

    /// Whether this file was part of it.
    pub(super) fn vouches(&self, role: &RoleName, version: Version, bytes: &[u8]) -> bool {
        let listing = self.snapshot.unverified_listing();
        self.good.get(role) == Some(&version)
            && listing.identifies(role, bytes, tuffet_crypto::aws_lc())
    }

    /// Looks at targets and the roles below it, as far as others look at them, each by the word of each of its delegators.
    fn follow(
        &mut self,
        store: &Store,
        drafts: &Drafts,
        roots: &[&(Version, Root)],
    ) -> Result<(), Error> {
        let targets = RoleName::Targets;
        let Some((version, bytes)) = self.file(store, &targets)? else {
            return Ok(());
        };
        if !is_signed(&targets, &bytes, &of_roots(&targets, roots))? {
            return Ok(());
        }
        self.good.insert(targets.clone(), version);
        let mut refused = BTreeSet::new();
        let mut queue = VecDeque::from([(targets, bytes)]);
        while let Some((by, bytes)) = queue.pop_front() {
            let Some(delegations) = delegations(store, &by, bytes)? else {
                continue;
            };
            for role in looked_at(&delegations, drafts) {
                let Some((version, bytes)) = self.file(store, &role)? else {
                    continue;
                };
                if !by_delegator(&by, &delegations, &role, &bytes)? {
                    refused.insert(role);
                } else if self.good.insert(role.clone(), version).is_none() {
                    queue.push_back((role, bytes));
                }
            }
        }
        self.good.retain(|role, _| !refused.contains(role));
        Ok(())
    }

    /// The file of a role as it is listed, if it is there.
    fn file(&self, store: &Store, role: &RoleName) -> Result<Option<(Version, Vec<u8>)>, Error> {
        let listing = self.snapshot.unverified_listing();
        let Some(version) = listing.version(role) else {
            return Ok(None);
        };
        let bytes = store.found(role, version)?;
        let crypto = tuffet_crypto::aws_lc();
        let bytes = bytes.filter(|bytes| listing.identifies(role, bytes, crypto));
        Ok(bytes.map(|bytes| (version, bytes)))
    }
}

fn by_delegator(
    by: &RoleName,
    delegations: &Delegations,
    role: &RoleName,
    bytes: &[u8],
) -> Result<bool, Error> {
    let authority = of_delegator(by, delegations, role);
    is_signed(role, bytes, &authority.into_iter().collect::<Vec<_>>())
}
