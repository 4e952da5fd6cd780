//! Who delegates what to whom, with the open change applied.

use tuffet_core::metadata::{
    Delegations, PathSet, RoleDelegations, RoleKeys, RoleName, UnixTime, Version,
};

use super::DelegatedPaths;
use crate::Error;
use crate::graph::Graph;
use crate::keys::KeyName;
use crate::policy::Policy;
use crate::repository::Repository;
use crate::store::Store;

/// A delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delegation {
    /// The role, or what the names of its bins begin with.
    pub role: String,
    /// The role that delegates.
    pub by: RoleName,
    /// What is delegated.
    pub paths: DelegatedPaths,
    /// Who signs.
    pub keys: Vec<KeyName>,
    /// How many of them have to.
    pub threshold: u64,
    /// Whether nobody else is asked for these paths.
    pub terminating: bool,
    /// The version that the role has; `None` if it has none yet, and for bins.
    pub version: Option<Version>,
    /// When that expires.
    pub expires: Option<UnixTime>,
}

impl Delegation {
    /// Whether it is a channel: targets delegates the directory of the same name to it, and nobody else is asked.
    #[must_use]
    pub fn is_channel(&self) -> bool {
        let directory = crate::channel::pattern(&self.role);
        self.by == RoleName::Targets
            && self.terminating
            && self.paths == DelegatedPaths::Patterns(vec![directory])
    }
}

impl Repository {
    /// Every delegation, in the order in which each role makes them, with the open change applied.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`].
    pub fn delegations(&self) -> Result<Vec<Delegation>, Error> {
        let store = Store::load(self.layout())?;
        let graph = Graph::load(&store)?;
        all(&store, &graph, self.policy())
    }
}

pub(crate) fn all(store: &Store, graph: &Graph, policy: &Policy) -> Result<Vec<Delegation>, Error> {
    let mut all = Vec::new();
    for (by, delegations) in graph.delegations() {
        all.extend(of(by, delegations, policy));
    }
    for delegation in &mut all {
        let role = RoleName::new(&delegation.role).ok();
        let document = role.map(|role| store.next_document(&role)).transpose()?;
        if let Some(document) = document.flatten() {
            delegation.version = document.version();
            delegation.expires = document.expires();
        }
    }
    Ok(all)
}

fn of(by: &RoleName, delegations: &Delegations, policy: &Policy) -> Vec<Delegation> {
    let delegation = |role: &str, keys: &RoleKeys, paths, terminating| Delegation {
        role: role.to_owned(),
        by: by.clone(),
        paths,
        keys: keys
            .keyids
            .iter()
            .map(|keyid| policy.key_name(keyid))
            .collect(),
        threshold: keys.threshold,
        terminating,
        version: None,
        expires: None,
    };
    match delegations.roles() {
        RoleDelegations::Named(roles) => roles
            .iter()
            .map(|role| {
                let name = role.name.as_str();
                delegation(name, &role.keys, paths(&role.paths), role.terminating)
            })
            .collect(),
        RoleDelegations::Succinct(bins) => {
            let bit_length = bins.bit_length();
            let paths = DelegatedPaths::Bins { bit_length };
            vec![delegation(bins.name_prefix(), bins.keys(), paths, true)]
        }
    }
}

fn paths(paths: &PathSet) -> DelegatedPaths {
    match paths {
        PathSet::Patterns(all) => {
            DelegatedPaths::Patterns(all.iter().map(|one| one.as_str().to_owned()).collect())
        }
        PathSet::HashPrefixes(all) => {
            DelegatedPaths::HashPrefixes(all.iter().map(|one| one.as_str().to_owned()).collect())
        }
        PathSet::Nothing => DelegatedPaths::Patterns(Vec::new()),
    }
}
