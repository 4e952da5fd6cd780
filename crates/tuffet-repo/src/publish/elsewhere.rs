//! Bytes that are published already under other names: those of other targets, so that a target that goes from one channel to another is
//! not needed where it was made, and names without a hash, as a repository without consistent snapshots has them that was taken over.

use std::collections::BTreeMap;

use tuffet_core::crypto::{Digest, HashAlgorithm};
use tuffet_core::metadata::{RoleName, TargetPath};

use super::artifacts::entries;
use super::release::Place;
use crate::Error;
use crate::layout;
use crate::targets::read_entry;

/// Which targets have which content, by its SHA-256: read from every role, and only when a content is missing.
#[derive(Default)]
pub(super) struct Elsewhere(Option<BTreeMap<String, Vec<TargetPath>>>);

impl Elsewhere {
    /// The names in the published tree under which this content may be.
    pub(super) fn names(
        &mut self,
        place: &Place<'_>,
        sha256: &Digest,
    ) -> Result<Vec<String>, Error> {
        let known = match self.0.take() {
            Some(known) => known,
            None => contents(place)?,
        };
        let paths = known.get(&sha256.to_hex()).into_iter().flatten();
        let names = paths
            .flat_map(|path| [layout::target_name(path, sha256), format!("targets/{path}")])
            .collect();
        self.0 = Some(known);
        Ok(names)
    }
}

/// The paths of all targets that are sealed.
fn contents(place: &Place<'_>) -> Result<BTreeMap<String, Vec<TargetPath>>, Error> {
    let delegated = place.graph.delegated().into_iter();
    let delegated = delegated.map(|(_, name)| RoleName::Delegated(name));
    let mut known: BTreeMap<String, Vec<TargetPath>> = BTreeMap::new();
    for role in std::iter::once(RoleName::Targets).chain(delegated) {
        let bytes = place.store.head_bytes(&role)?.unwrap_or_default();
        for (path, entry) in entries(&bytes) {
            let Some(target) = read_entry(&path, &entry, &role) else {
                continue;
            };
            let mut digests = target.hashes.iter();
            if let Some(sha256) = digests.find(|one| one.algorithm() == HashAlgorithm::Sha256) {
                known.entry(sha256.to_hex()).or_default().push(target.path);
            }
        }
    }
    Ok(known)
}
