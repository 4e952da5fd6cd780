//! Who may sign for what, once the open change is applied.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tuffet_core::crypto::{Digest, HashAlgorithm, KeyIdentity};
use tuffet_core::metadata::{
    DelegatedName, Delegations, KeyTable, Parsed, PathSet, RoleDelegations, RoleKeys, RoleName,
    Root, TargetPath, Targets, Version,
};
use tuffet_core::trust::Signers;

use crate::Error;
use crate::document::Document;
use crate::key_roles::identity;
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

/// A delegation on the way to a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The role that delegates.
    pub by: RoleName,
    /// The role that it delegates to.
    pub to: DelegatedName,
    /// The pattern, hash prefix or bin that covers the path.
    pub matched: String,
    /// Whether nobody else is asked for the path.
    pub terminating: bool,
}

impl Graph {
    pub(crate) fn load(store: &Store) -> Result<Self, Error> {
        let sealed = store.head(&RoleName::Root);
        let sealed = known(store, store.head_bytes(&RoleName::Root)?, sealed)?;
        let (old, root) = match drafted_root(store)? {
            Some(draft) => (sealed, Some(draft)),
            None => (None, sealed),
        };
        Ok(Self {
            old,
            root,
            delegations: delegations(store)?,
        })
    }

    /// Only the roots, for asking what clients forget with a change that is being published, too: its root is then the last one.
    pub(crate) fn of_roots(store: &Store) -> Result<Self, Error> {
        let sealed = store.head(&RoleName::Root);
        let (root, before) = match drafted_root(store)? {
            Some(draft) => (Some(draft), sealed),
            None => {
                let before = sealed.and_then(|last| Version::new(last.number().checked_sub(1)?));
                (
                    known(store, store.head_bytes(&RoleName::Root)?, sealed)?,
                    before,
                )
            }
        };
        let bytes = before.map(|before| store.found(&RoleName::Root, before));
        Ok(Self {
            old: known(store, bytes.transpose()?.flatten(), before)?,
            root,
            delegations: BTreeMap::new(),
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

    /// Whether no snapshot of before the change counts after it: clients then forget the versions that it listed, those that look
    /// at its signatures again as well as those that look at the keys (C-11, A-15).
    pub(crate) fn lets_clients_forget(&self) -> bool {
        let keys = |of: &Authority<'_>| -> BTreeSet<KeyIdentity> {
            let keyids = of.keys.keyids.iter();
            keyids
                .filter_map(|keyid| identity(of.table, keyid))
                .collect()
        };
        let of = |known: &'_ Option<Known>| -> Option<(BTreeSet<KeyIdentity>, u64)> {
            let authority = root_authority(known.as_ref()?, &RoleName::Snapshot)?;
            Some((keys(&authority), authority.keys.threshold))
        };
        match (of(&self.old), of(&self.root)) {
            (Some((before, _)), Some((after, threshold))) => {
                (before.intersection(&after).count() as u64) < threshold
            }
            _ => false,
        }
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
            let links = self.links(&by, path, &hash).into_iter();
            for name in links.map(|link| RoleName::Delegated(link.to)) {
                if !reached.contains(&name) {
                    reached.push(name);
                }
            }
        }
        false
    }

    /// What is delegated to a role, in words.
    pub(crate) fn covered(&self, role: &RoleName) -> Vec<String> {
        let mut all = Vec::new();
        for delegations in self.delegations.values() {
            match delegations.roles() {
                RoleDelegations::Named(roles) => {
                    for of in roles.iter().filter(|of| of.name.as_str() == role.as_str()) {
                        all.extend(patterns(&of.paths));
                    }
                }
                RoleDelegations::Succinct(bins) if bins.contains(role.as_str()) => {
                    all.push(format!("hash bin {role}"));
                }
                RoleDelegations::Succinct(_) => {}
            }
        }
        all
    }

    /// The files that name the keys of a role, or of the bins whose names begin with this, each with what it says.
    pub(crate) fn named_in(&self, role: &str) -> Vec<(RoleName, &RoleKeys)> {
        let top = RoleName::new(role).ok();
        let top = top.filter(|role| !matches!(role, RoleName::Delegated(_)));
        let keys = top.and_then(|role| self.root()?.role(&role));
        let mut all: Vec<_> = keys
            .map(|keys| (RoleName::Root, keys))
            .into_iter()
            .collect();
        for (by, delegations) in &self.delegations {
            let keys = match delegations.roles() {
                RoleDelegations::Named(roles) => roles
                    .iter()
                    .find(|of| of.name.as_str() == role)
                    .map(|of| &of.keys),
                RoleDelegations::Succinct(bins) => {
                    (bins.name_prefix() == role).then(|| bins.keys())
                }
            };
            all.extend(keys.map(|keys| (by.clone(), keys)));
        }
        all
    }

    /// The roles that this name stands for: itself, or the bins whose names begin with it.
    pub(crate) fn meant_by(&self, role: &str) -> Vec<RoleName> {
        for delegations in self.delegations.values() {
            if let RoleDelegations::Succinct(bins) = delegations.roles()
                && bins.name_prefix() == role
            {
                let names = bins.names();
                return names.filter_map(|name| RoleName::new(&name).ok()).collect();
            }
        }
        RoleName::new(role).into_iter().collect()
    }

    /// The roles that a client asks for a path, in its order (C-47, C-48), each with the delegations that lead to it.
    pub(crate) fn asked_for(&self, path: &TargetPath) -> Vec<(RoleName, Vec<Link>)> {
        let hash = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, path.as_str().as_bytes());
        let mut asked: Vec<(RoleName, Vec<Link>)> = Vec::new();
        let mut next = vec![(RoleName::Targets, Vec::new())];
        while let Some((role, links)) = next.pop() {
            if asked.iter().any(|(known, _)| *known == role) {
                continue;
            }
            let mut further = Vec::new();
            for link in self.links(&role, path, &hash) {
                let ends = link.terminating;
                let to = RoleName::Delegated(link.to.clone());
                let way = links.iter().cloned().chain([link]).collect();
                further.push((to, way));
                if ends {
                    // Nothing after it is searched, on no level.
                    next.clear();
                    break;
                }
            }
            asked.push((role, links));
            next.extend(further.into_iter().rev());
        }
        asked
    }

    /// The delegations of a role that cover a path.
    fn links(&self, by: &RoleName, path: &TargetPath, hash: &Digest) -> Vec<Link> {
        match self.delegations.get(by).map(Delegations::roles) {
            Some(RoleDelegations::Named(roles)) => roles
                .iter()
                .filter_map(|role| {
                    Some(Link {
                        by: by.clone(),
                        to: role.name.clone(),
                        matched: role.paths.matching(path, hash)?.to_owned(),
                        terminating: role.terminating,
                    })
                })
                .collect(),
            Some(RoleDelegations::Succinct(bins)) => bins
                .bin(hash)
                .map(|to| Link {
                    by: by.clone(),
                    matched: format!("hash bin {to}"),
                    to,
                    terminating: true,
                })
                .into_iter()
                .collect(),
            None => Vec::new(),
        }
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

    /// How many delegations by name lead to a role, on the longest way.
    pub(crate) fn depths(&self) -> BTreeMap<RoleName, usize> {
        let mut depths = BTreeMap::from([(RoleName::Targets, 0_usize)]);
        // A way without a circle is no longer than there are roles that delegate.
        for _ in &self.delegations {
            let mut deeper = false;
            for (by, delegations) in &self.delegations {
                let RoleDelegations::Named(roles) = delegations.roles() else {
                    continue;
                };
                let depth = depths.get(by).copied().unwrap_or(0).saturating_add(1);
                for role in roles {
                    let role = RoleName::Delegated(role.name.clone());
                    let before = depths.insert(role.clone(), depth);
                    match before.filter(|before| *before >= depth) {
                        Some(before) => drop(depths.insert(role, before)),
                        None => deeper = true,
                    }
                }
            }
            if !deeper {
                break;
            }
        }
        depths
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

fn drafted_root(store: &Store) -> Result<Option<Known>, Error> {
    let draft = store.draft(&RoleName::Root);
    let version = draft.and_then(Document::version);
    known(store, draft.map(Document::to_bytes), version)
}

fn known(
    store: &Store,
    bytes: Option<Vec<u8>>,
    version: Option<Version>,
) -> Result<Option<Known>, Error> {
    let (Some(bytes), Some(version)) = (bytes, version) else {
        return Ok(None);
    };
    let parsed = Parsed::<Root>::parse(bytes);
    let parsed = parsed.map_err(|error| malformed(store, &RoleName::Root, error))?;
    let root = parsed.unverified().clone();
    Ok(Some(Known { version, root }))
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
