//! Who may sign for what, once the open change is applied.

use std::collections::{BTreeMap, VecDeque};

use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::metadata::{
    DelegatedName, Delegations, KeyTable, Parsed, PathSet, RoleDelegations, RoleKeys, RoleName,
    Root, TargetPath, Targets, Version,
};
use tuffet_core::trust::Signers;

use crate::Error;
use crate::store::Store;

/// The roots and the delegations of a repository.
#[derive(Debug)]
pub(crate) struct Graph {
    /// The root before the change, if the change holds another one.
    old: Option<Known>,
    root: Option<Known>,
    delegations: BTreeMap<RoleName, Delegations>,
}

#[derive(Debug)]
struct Known {
    version: Version,
    root: Root,
}

/// A set of keys whose word a role needs.
#[derive(Debug, Clone)]
pub(crate) struct Authority<'g> {
    pub(crate) signers: Signers,
    pub(crate) table: &'g KeyTable,
    pub(crate) keys: &'g RoleKeys,
}

impl Graph {
    pub(crate) fn load(store: &Store) -> Result<Self, Error> {
        let known = |bytes: Option<Vec<u8>>, version: Option<Version>| match (bytes, version) {
            (Some(bytes), Some(version)) => Parsed::<Root>::parse(bytes)
                .map(|parsed| {
                    let root = parsed.unverified().clone();
                    Some(Known { version, root })
                })
                .map_err(|error| malformed(store, &RoleName::Root, error)),
            _ => Ok(None),
        };
        let head = known(
            store.head_bytes(&RoleName::Root)?,
            store.head(&RoleName::Root),
        )?;
        let draft = store.draft(&RoleName::Root);
        let draft = known(
            draft.map(|draft| draft.to_bytes()),
            draft.and_then(|draft| draft.version()),
        )?;
        let (old, root) = match draft {
            Some(draft) => (head, Some(draft)),
            None => (None, head),
        };
        Ok(Self {
            old,
            root,
            delegations: delegations(store)?,
        })
    }

    /// The root that will be in force.
    pub(crate) fn root(&self) -> Option<&Root> {
        self.root.as_ref().map(|known| &known.root)
    }

    /// The root before the change, if the change holds another one.
    pub(crate) fn old_root(&self) -> Option<&Root> {
        self.old.as_ref().map(|known| &known.root)
    }

    /// Whether root or a delegating role lists a key under this id.
    pub(crate) fn holds(&self, keyid: &str) -> bool {
        let root = self.root.iter().map(|known| known.root.keys());
        let tables = root.chain(self.delegations.values().map(Delegations::keys));
        tables.into_iter().any(|table| table.key(keyid).is_some())
    }

    /// What each role delegates.
    pub(crate) fn delegations(&self) -> impl Iterator<Item = (&RoleName, &Delegations)> {
        self.delegations.iter()
    }

    /// What this role delegates.
    pub(crate) fn delegations_of(&self, role: &RoleName) -> Option<&Delegations> {
        self.delegations.get(role)
    }

    /// Every set of keys that has to agree to a version of the role. The next root needs the old one's word too (K-03).
    pub(crate) fn authorities(&self, role: &RoleName) -> Vec<Authority<'_>> {
        let by_root = |known| root_authority(known, role);
        match role {
            RoleName::Root => [&self.old, &self.root]
                .into_iter()
                .flatten()
                .filter_map(by_root)
                .collect(),
            RoleName::Delegated(name) => self.delegators(name),
            _ => self.root.iter().filter_map(by_root).collect(),
        }
    }

    /// Every set of keys that may sign a version of the role: those of [`Self::authorities`], and those that only the root before
    /// the change names. Their word is not needed, but with it clients of either root accept the version, so that there is an
    /// order of writes without a moment in which they refuse.
    pub(crate) fn signatories(&self, role: &RoleName) -> Vec<Authority<'_>> {
        let mut all = self.authorities(role);
        if !matches!(role, RoleName::Root | RoleName::Delegated(_)) {
            let former = self.old.iter();
            all.extend(former.filter_map(|known| root_authority(known, role)));
        }
        all
    }

    fn delegators<'g>(&'g self, name: &DelegatedName) -> Vec<Authority<'g>> {
        let authority = |(by, delegations): (&RoleName, &'g Delegations)| {
            Some(Authority {
                signers: Signers::Delegator(by.clone()),
                table: delegations.keys(),
                keys: delegations.role(name)?,
            })
        };
        self.delegations.iter().filter_map(authority).collect()
    }

    /// Whether anybody delegates to a role of this name.
    pub(crate) fn is_delegated(&self, name: &DelegatedName) -> bool {
        !self.delegators(name).is_empty()
    }

    /// Whether the role is one of a set of bins.
    pub(crate) fn is_bin(&self, role: &RoleName) -> bool {
        self.delegations.values().any(|delegations| {
            matches!(delegations.roles(), RoleDelegations::Succinct(bins) if bins.contains(role.as_str()))
        })
    }

    /// Whether a client that looks for the path can come to the role: every delegation on the way covers it (F-47).
    pub(crate) fn covers(&self, role: &RoleName, path: &TargetPath) -> bool {
        let hash = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, path.as_str().as_bytes());
        let mut reached = vec![RoleName::Targets];
        let mut next = 0;
        while let Some(by) = reached.get(next).cloned() {
            if by == *role {
                return true;
            }
            next = next.saturating_add(1);
            let covered: Vec<DelegatedName> =
                match self.delegations.get(&by).map(Delegations::roles) {
                    Some(RoleDelegations::Succinct(bins)) => bins.bin(&hash).into_iter().collect(),
                    Some(RoleDelegations::Named(roles)) => roles
                        .iter()
                        .filter(|delegated| delegated.paths.matching(path, &hash).is_some())
                        .map(|delegated| delegated.name.clone())
                        .collect(),
                    None => Vec::new(),
                };
            for name in covered.into_iter().map(RoleName::Delegated) {
                if !reached.contains(&name) {
                    reached.push(name);
                }
            }
        }
        false
    }

    /// The bin of top-level targets that covers the path, if targets delegates to bins.
    pub(crate) fn bin(&self, path: &TargetPath) -> Option<RoleName> {
        let RoleDelegations::Succinct(bins) = self.delegations.get(&RoleName::Targets)?.roles()
        else {
            return None;
        };
        let hash = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, path.as_str().as_bytes());
        bins.bin(&hash).map(RoleName::Delegated)
    }

    /// The delegated roles, each with who delegates to it, in the order of the delegators.
    pub(crate) fn delegated(&self) -> Vec<(RoleName, DelegatedName)> {
        let mut all = Vec::new();
        for by in self.delegations.keys() {
            let names = self.delegated_by(by).into_iter();
            all.extend(names.map(|name| (by.clone(), name)));
        }
        all
    }

    /// The roles that this role delegates to.
    pub(crate) fn delegated_by(&self, by: &RoleName) -> Vec<DelegatedName> {
        match self.delegations.get(by).map(Delegations::roles) {
            Some(RoleDelegations::Named(roles)) => {
                roles.iter().map(|role| role.name.clone()).collect()
            }
            Some(RoleDelegations::Succinct(bins)) => bins
                .names()
                .filter_map(|name| DelegatedName::new(&name).ok())
                .collect(),
            None => Vec::new(),
        }
    }
}

/// What a delegation covers, as it is written.
pub(crate) fn patterns(paths: &PathSet) -> Vec<String> {
    match paths {
        PathSet::Patterns(all) => all.iter().map(|one| one.as_str().to_owned()).collect(),
        PathSet::HashPrefixes(all) => all
            .iter()
            .map(|one| format!("hashes that begin with {}", one.as_str()))
            .collect(),
        PathSet::Nothing => Vec::new(),
    }
}

fn root_authority<'g>(known: &'g Known, role: &RoleName) -> Option<Authority<'g>> {
    Some(Authority {
        signers: Signers::Root(known.version),
        table: known.root.keys(),
        keys: known.root.role(role)?,
    })
}

/// What targets and the roles it delegates to by name delegate further. Bins delegate nothing: this crate refuses it.
fn delegations(store: &Store) -> Result<BTreeMap<RoleName, Delegations>, Error> {
    let mut found = BTreeMap::new();
    let mut queue = VecDeque::from([RoleName::Targets]);
    while let Some(role) = queue.pop_front() {
        if found.contains_key(&role) {
            continue;
        }
        let Some(bytes) = store.next_bytes(&role)? else {
            continue;
        };
        let parsed =
            Parsed::<Targets>::parse(bytes).map_err(|error| malformed(store, &role, error))?;
        let Some(delegations) = parsed.unverified().delegations() else {
            continue;
        };
        if let RoleDelegations::Named(roles) = delegations.roles() {
            queue.extend(
                roles
                    .iter()
                    .map(|delegated| RoleName::Delegated(delegated.name.clone())),
            );
        }
        found.insert(role, delegations.clone());
    }
    Ok(found)
}

fn malformed(store: &Store, role: &RoleName, error: tuffet_core::json::FormatError) -> Error {
    let path = match (store.draft(role), store.head(role)) {
        (None, Some(version)) => store.sealed_path(role, version),
        _ => store.layout().change(),
    };
    Error::format(&path, error)
}
