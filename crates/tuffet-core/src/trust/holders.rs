//! Who stands behind the repositories of a map: agreement is worth something among different people only (TAP 4).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::map::Mapping;
use super::roots::identities;
use crate::crypto::KeyIdentity;
use crate::metadata::Root;

/// The root keys of each repository of a [`RepositoryMap`](super::RepositoryMap). Who holds those of two repositories can make
/// both say the same.
///
/// ```no_run
/// # use tuffet_core::{metadata::Root, trust::{Mapping, RootHolders}};
/// # fn check(vendor: &Root, mirror: &Root, mapping: &Mapping) {
/// let holders = RootHolders::of([("vendor", vendor), ("mirror", mirror)]);
/// assert!(u64::from(mapping.threshold) <= holders.independent(mapping));
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootHolders(BTreeMap<String, BTreeSet<KeyIdentity>>);

impl RootHolders {
    /// The holders as the trusted roots name them.
    pub fn of<'r>(roots: impl IntoIterator<Item = (&'r str, &'r Root)>) -> Self {
        let keys = |root: &Root| identities(root, root.root_keys()).into_iter().collect();
        let roots = roots.into_iter();
        Self(
            roots
                .map(|(name, root)| (name.into(), keys(root)))
                .collect(),
        )
    }

    /// How many of the repositories of an entry have other root keys than the rest. A threshold above this number asks one
    /// holder several times.
    #[must_use]
    pub fn independent(&self, mapping: &Mapping) -> u64 {
        let keys = mapping
            .repositories
            .iter()
            .filter_map(|name| self.0.get(name));
        keys.collect::<BTreeSet<_>>().len() as u64
    }

    /// The pairs of repositories that have a root key in common.
    #[must_use]
    pub fn sharing(&self) -> Vec<(&str, &str)> {
        let mut pairs = Vec::new();
        for (place, (one, keys)) in self.0.iter().enumerate() {
            for (other, others) in self.0.iter().skip(place.saturating_add(1)) {
                if !keys.is_disjoint(others) {
                    pairs.push((one.as_str(), other.as_str()));
                }
            }
        }
        pairs
    }
}
