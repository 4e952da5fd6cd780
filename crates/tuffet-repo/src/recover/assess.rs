//! What keys that are lost or in foreign hands mean, from the metadata in force.

use std::fmt;

use tuffet_core::crypto::KeyIdentity;
use tuffet_core::metadata::{
    DelegatedName, KeyTable, RoleDelegations, RoleKeys, RoleName, Version,
};

use super::{Incident, Recover};
use crate::Error;
use crate::graph::Graph;
use crate::key_roles::identity;
use crate::keys::KeyName;
use crate::numbers::FURTHEST;
use crate::quorum::need;
use crate::repository::Repository;
use crate::store::Store;

/// What an incident means for the roles, the targets and the clients.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Assessment {
    /// What has happened.
    pub incident: Incident,
    /// The keys concerned.
    pub keys: Vec<KeyName>,
    /// The roles that they sign, in the order of trust.
    pub exposures: Vec<Exposure>,
    /// Versions in this repository that these keys alone could have made, if the keys are in foreign hands.
    pub suspects: Vec<Suspect>,
    /// How it ends for clients.
    pub outcome: Outcome,
}

/// How far the keys reach into a role.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exposure {
    /// The role; for hash bins, what their names begin with.
    pub role: RoleName,
    /// Who delegates to it; `None` for top-level roles.
    pub delegator: Option<RoleName>,
    /// How many of the keys concerned it has.
    pub held: u64,
    /// How many keys it has besides.
    pub left: u64,
    /// How many have to sign.
    pub threshold: u64,
}

impl Exposure {
    /// Whether the keys concerned are enough to sign for the role.
    #[must_use]
    pub fn is_in_foreign_hands(&self) -> bool {
        self.held >= self.threshold
    }

    /// Whether the keys that are left are enough to sign for the role.
    #[must_use]
    pub fn can_still_sign(&self) -> bool {
        self.left >= self.threshold
    }
}

/// A version that the keys alone could have made: without them it had too few signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suspect {
    /// The role.
    pub role: RoleName,
    /// The first such version.
    pub first: Version,
    /// The last sealed version.
    pub last: Version,
    /// The last one before these, if there is one.
    pub before: Option<Version>,
}

impl Suspect {
    /// Whether numbers are used up: so many are skipped that the role cannot go on from these versions for long.
    #[must_use]
    pub fn is_after_a_leap(&self) -> bool {
        let before = self.before.map_or(0, Version::number);
        self.first.number().saturating_sub(before) > FURTHEST
    }
}

/// How an incident ends for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The keys alone could not make clients believe anything.
    Unharmed,
    /// Clients that believed a thief come back by themselves with the next refresh after publishing.
    Themselves,
    /// A thief could make a root of his own: clients that have seen it need a new first root by another way. The others follow
    /// whichever root they see first.
    NewRoot,
    /// Too few keys of root are left to sign another one: when it expires, all clients need a new first root by another way.
    Expires,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unharmed => "no client can have been misled by these keys alone; nothing has to be done on clients",
            Self::Themselves => {
                "clients that were misled come back by themselves with their next refresh after the new versions are published"
            }
            Self::NewRoot => {
                "these keys alone can sign a root: clients that have seen such a root never come back by themselves and need a new first root by another way; publish at once, for the others"
            }
            Self::Expires => {
                "too few keys of root are left to sign another one: clients go on until this root expires and need a new first root by another way before that"
            }
        })
    }
}

impl Assessment {
    /// Whether so many keys of snapshot go that none from before counts afterwards: clients forget what it listed.
    #[must_use]
    pub fn lets_clients_forget(&self) -> bool {
        let snapshot = |one: &&Exposure| one.role == RoleName::Snapshot;
        let snapshot = self.exposures.iter().find(snapshot);
        snapshot.is_some_and(|one| !one.can_still_sign())
    }

    /// The keys that a thief can use.
    pub(super) fn stolen(&self) -> &[KeyName] {
        match self.incident {
            Incident::Stolen => &self.keys,
            Incident::Lost => &[],
        }
    }

    /// Refuses a recovery that would not end the incident.
    pub(super) fn require_enough(&self, recover: &Recover) -> Result<(), Error> {
        if self.outcome == Outcome::Expires {
            return Err(Error::RecoveryTooLate);
        }
        let bare = recover
            .keys
            .iter()
            .zip(&self.keys)
            .filter(|((_, new), _)| new.is_none());
        let missing: Vec<KeyName> = bare.map(|(_, name)| name.clone()).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Error::RecoveryKeys { missing })
        }
    }
}

pub(super) fn assess(
    repository: &Repository,
    in_force: &Store,
    recover: &Recover,
) -> Result<Assessment, Error> {
    let graph = Graph::load(in_force)?;
    let mut keys = Vec::new();
    let mut concerned = Vec::new();
    for (name, _) in &recover.keys {
        let key = repository.key_in(&graph, name)?;
        keys.push(repository.policy().key_name(&key.keyid()));
        concerned.push(key.identity());
    }
    for (identity, key) in concerned.iter().zip(&keys) {
        if exposures(&graph, std::slice::from_ref(identity)).is_empty() {
            return Err(Error::KeyNotThere(key.clone()));
        }
    }
    let exposures = exposures(&graph, &concerned);
    let outcome = outcome(recover.incident, &exposures);
    let suspects = match recover.incident {
        Incident::Stolen => suspects(repository, in_force, &graph, &keys)?,
        Incident::Lost => Vec::new(),
    };
    Ok(Assessment {
        incident: recover.incident,
        keys,
        exposures,
        suspects,
        outcome,
    })
}

/// The roles that have one of these keys at least.
fn exposures(graph: &Graph, concerned: &[KeyIdentity]) -> Vec<Exposure> {
    let mut all = Vec::new();
    let mut add = |role: RoleName, by: Option<&RoleName>, keys: &RoleKeys, table: &KeyTable| {
        let mut identities: Vec<KeyIdentity> = keys
            .keyids
            .iter()
            .filter_map(|keyid| identity(table, keyid))
            .collect();
        identities.sort_unstable();
        identities.dedup();
        let (held, left): (Vec<_>, Vec<_>) = identities
            .into_iter()
            .partition(|identity| concerned.contains(identity));
        if !held.is_empty() {
            all.push(Exposure {
                role,
                delegator: by.cloned(),
                held: held.len() as u64,
                left: left.len() as u64,
                threshold: keys.threshold,
            });
        }
    };
    if let Some(root) = graph.root() {
        for role in TOP {
            if let Some(keys) = root.role(&role) {
                add(role, None, keys, root.keys());
            }
        }
    }
    for (by, delegations) in graph.delegations() {
        match delegations.roles() {
            RoleDelegations::Named(roles) => {
                for role in roles {
                    let name = RoleName::Delegated(role.name.clone());
                    add(name, Some(by), &role.keys, delegations.keys());
                }
            }
            RoleDelegations::Succinct(bins) => {
                if let Ok(name) = DelegatedName::new(bins.name_prefix()) {
                    let name = RoleName::Delegated(name);
                    add(name, Some(by), bins.keys(), delegations.keys());
                }
            }
        }
    }
    all
}

const TOP: [RoleName; 4] = [
    RoleName::Root,
    RoleName::Targets,
    RoleName::Snapshot,
    RoleName::Timestamp,
];

fn outcome(incident: Incident, exposures: &[Exposure]) -> Outcome {
    let root = exposures.iter().find(|one| one.role == RoleName::Root);
    match incident {
        Incident::Lost if root.is_some_and(|root| !root.can_still_sign()) => Outcome::Expires,
        Incident::Lost => Outcome::Unharmed,
        Incident::Stolen if root.is_some_and(Exposure::is_in_foreign_hands) => Outcome::NewRoot,
        Incident::Stolen if exposures.iter().any(Exposure::is_in_foreign_hands) => {
            Outcome::Themselves
        }
        Incident::Stolen => Outcome::Unharmed,
    }
}

/// The versions of targets roles that the keys could have made alone, as far back as every one of them is like that.
fn suspects(
    repository: &Repository,
    store: &Store,
    graph: &Graph,
    keys: &[KeyName],
) -> Result<Vec<Suspect>, Error> {
    let mut roles = vec![RoleName::Targets];
    roles.extend(
        graph
            .delegated()
            .into_iter()
            .filter(|(_, name)| !graph.is_bin(&RoleName::Delegated(name.clone())))
            .map(|(_, name)| RoleName::Delegated(name)),
    );
    let mut suspects = Vec::new();
    for role in roles {
        let mut versions = store.versions(&role).into_iter().rev().peekable();
        let Some(&last) = versions.peek() else {
            continue;
        };
        let mut first = None;
        while let Some(version) = versions.peek().copied() {
            let bytes = store.sealed(&role, version)?;
            if !could_be_made_by(&role, &bytes, graph, repository, keys)? {
                break;
            }
            versions.next();
            first = Some(version);
            // What comes after a leap is another matter than what came before it.
            let below = versions.peek().map_or(0, |below| below.number());
            if version.number().saturating_sub(below) > FURTHEST {
                break;
            }
        }
        let before = versions.peek().copied();
        suspects.extend(first.map(|first| Suspect {
            role,
            first,
            last,
            before,
        }));
    }
    Ok(suspects)
}

/// Whether these keys are enough for a file, and the others that have signed it are not, for every delegator.
pub(super) fn could_be_made_by(
    role: &RoleName,
    bytes: &[u8],
    graph: &Graph,
    repository: &Repository,
    keys: &[KeyName],
) -> Result<bool, Error> {
    for authority in graph.authorities(role) {
        let need = need(role, bytes, &authority, repository.policy())?;
        let theirs = need.signed.iter().filter(|key| keys.contains(key)).count();
        let ours = need.signed.len().saturating_sub(theirs);
        if ours as u64 >= need.need || need.need > theirs as u64 {
            return Ok(false);
        }
    }
    Ok(true)
}
