//! What keeps the open change from being published once everybody has signed it.

use tuffet_core::metadata::RoleName;
use tuffet_sign::Signer;

use crate::graph::{Authority, Graph};
use crate::policy::Policy;
use crate::quorum::Need;
use crate::sign::wanted;
use crate::store::Store;

/// Something that keeps the open change from being published.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// A role that is delegated to has no metadata, such as one that is signed elsewhere and has not come yet.
    Empty {
        /// The role.
        role: RoleName,
        /// The role that delegates.
        by: RoleName,
    },
    /// Snapshot or timestamp, which publishing signs, waits for keys that were not given.
    Keys {
        /// The role.
        role: RoleName,
        /// Which of its keys were given, and which were not.
        need: Need,
    },
}

/// What keeps the open change from being published with these online signers; nothing if none is open.
pub(crate) fn obstacles(
    store: &Store,
    graph: &Graph,
    policy: &Policy,
    online: &[&dyn Signer],
) -> Vec<Obstacle> {
    if !store.has_open() {
        return Vec::new();
    }
    let top = (RoleName::Root, RoleName::Targets);
    let delegated = graph.delegated().into_iter();
    let delegated = delegated.map(|(by, name)| (by, RoleName::Delegated(name)));
    let empty = std::iter::once(top).chain(delegated);
    let mut all: Vec<Obstacle> = empty
        .filter(|(_, role)| store.next_version(role).is_none())
        .map(|(by, role)| Obstacle::Empty { role, by })
        .collect();
    for role in [RoleName::Snapshot, RoleName::Timestamp] {
        let needs = graph.authorities(&role).into_iter();
        let needs = needs.map(|authority| given(&authority, policy, online));
        let unmet = needs.filter(|need| !need.is_met());
        all.extend(unmet.map(|need| Obstacle::Keys {
            role: role.clone(),
            need,
        }));
    }
    all
}

/// How many of these keys can sign.
fn given(authority: &Authority<'_>, policy: &Policy, online: &[&dyn Signer]) -> Need {
    let able = online
        .iter()
        .flat_map(|signer| wanted(signer.public(), std::slice::from_ref(authority)));
    let (mut counted, mut signed) = (Vec::new(), Vec::new());
    for (keyid, listed) in able {
        // One key counts once, whatever it is called.
        let identity = listed.identity();
        if !counted.contains(&identity) {
            counted.push(identity);
            signed.push(policy.key_name(&keyid));
        }
    }
    let all = authority.keys.keyids.iter();
    let all = all.map(|keyid| policy.key_name(keyid));
    Need {
        signers: authority.signers.clone(),
        have: counted.len() as u64,
        need: authority.keys.threshold,
        missing: all.filter(|key| !signed.contains(key)).collect(),
        signed,
    }
}
