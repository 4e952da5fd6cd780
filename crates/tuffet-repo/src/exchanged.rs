//! Files of one role under the name of another.
//!
//! A file does not name its role, so one of a role is signed just as well for every other role that has the same keys, such as the bin
//! beside it. Whoever can write where the files are needs no key to put `7.bin-0.json` in the place of `7.bin-1.json`. Clients do not
//! accept it, because snapshot lists hashes; but here it would pass for a version of somebody else that is in the way, or for the last one.

use std::collections::BTreeMap;

use tuffet_core::metadata::{Listing, RoleName, Version};

use crate::Error;
use crate::store::Store;

/// The versions of roles that clients have seen, by number.
pub(crate) struct Exchanged<'l> {
    listed: Listing<'l>,
    seen: BTreeMap<Version, Vec<RoleName>>,
}

impl<'l> Exchanged<'l> {
    /// The versions that are here up to those that a snapshot lists.
    pub(crate) fn of(store: &Store, listed: Listing<'l>) -> Self {
        let mut seen: BTreeMap<Version, Vec<RoleName>> = BTreeMap::new();
        for (role, version) in store.all_versions() {
            let targets = matches!(role, RoleName::Targets | RoleName::Delegated(_));
            if targets && listed.version(&role) >= Some(version) {
                seen.entry(version).or_default().push(role);
            }
        }
        Self { listed, seen }
    }

    /// Whether these bytes are those of another role that clients have seen as this version, while they have not seen this role in it.
    /// Roles that are published together may say the same, such as empty bins.
    pub(crate) fn is_of_another(
        &self,
        store: &Store,
        role: &RoleName,
        version: Version,
        bytes: &[u8],
    ) -> Result<bool, Error> {
        if self.listed.version(role) >= Some(version) {
            return Ok(false);
        }
        let seen = self.seen.get(&version).into_iter().flatten();
        for other in seen.filter(|other| *other != role) {
            if store.found(other, version)?.as_deref() == Some(bytes) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
