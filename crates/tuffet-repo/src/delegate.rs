//! Delegating to other roles.

pub(crate) mod list;
mod remove;

use std::collections::BTreeMap;

use tuffet_core::delegation::{HashPrefix, Pattern};
use tuffet_core::json::Value;
use tuffet_core::metadata::{DelegatedName, RoleDelegations, RoleName, TargetPath, UnixTime};

use crate::Error;
use crate::builder::role_keys;
use crate::document::{Document, object_in};
use crate::edit::{Edit, texts};
use crate::keys::{NamedKey, require_distinct};
use crate::layout;
use crate::plan::{Action, Plan};
use crate::policy::{Period, RolePolicy};
use crate::repository::Repository;
use crate::role::require_some;

pub use list::Delegation;

/// The most bits by which this crate makes bins: 65,536 of them.
const MOST_BITS: u32 = 16;

/// A delegation to make.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Delegate {
    /// The role, or what the names of its bins begin with.
    pub role: DelegatedName,
    /// The role that delegates.
    pub by: RoleName,
    /// What is delegated.
    pub paths: DelegatedPaths,
    /// Who signs.
    pub keys: Vec<NamedKey>,
    /// How many of them have to.
    pub threshold: u64,
    /// Whether nobody else is asked for these paths. Bins always are terminating.
    pub terminating: bool,
    /// How long a version is valid.
    pub period: Period,
    /// Whether automation holds the keys.
    pub online: bool,
    /// Whether the role is signed elsewhere, so that no first version of it is opened here: see [`Repository::accept_role`].
    pub external: bool,
}

/// Which target paths are delegated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DelegatedPaths {
    /// Those that match one of these patterns, made of `*`, `?` and plain text.
    Patterns(Vec<String>),
    /// Those whose SHA-256 begins with one of these lower-case hexadecimal digits.
    HashPrefixes(Vec<String>),
    /// All, shared out among 2^`bit_length` bins by their SHA-256 (TAP 15).
    Bins {
        /// From 1 to 16.
        bit_length: u32,
    },
}

impl Delegate {
    /// A terminating delegation by targets, one signature, 30 days, keys of people.
    #[must_use]
    pub fn new(role: DelegatedName, paths: DelegatedPaths, keys: Vec<NamedKey>) -> Self {
        Self {
            role,
            by: RoleName::Targets,
            paths,
            keys,
            threshold: 1,
            terminating: true,
            period: Period::days(30),
            online: false,
            external: false,
        }
    }

    /// Another role delegates.
    #[must_use]
    pub fn by(self, by: RoleName) -> Self {
        Self { by, ..self }
    }

    /// So many have to sign.
    #[must_use]
    pub fn threshold(self, threshold: u64) -> Self {
        Self { threshold, ..self }
    }

    /// Whether nobody else is asked for these paths.
    #[must_use]
    pub fn terminating(self, terminating: bool) -> Self {
        Self {
            terminating,
            ..self
        }
    }

    /// How long a version is valid.
    #[must_use]
    pub fn period(self, period: Period) -> Self {
        Self { period, ..self }
    }

    /// Automation holds the keys.
    #[must_use]
    pub fn online(self) -> Self {
        Self {
            online: true,
            ..self
        }
    }

    /// The role is signed elsewhere.
    #[must_use]
    pub fn external(self) -> Self {
        Self {
            external: true,
            ..self
        }
    }

    /// The names of the roles.
    pub(crate) fn names(&self) -> Vec<DelegatedName> {
        let DelegatedPaths::Bins { bit_length } = self.paths else {
            return vec![self.role.clone()];
        };
        let width = bit_length.div_ceil(4) as usize;
        let last = 1_u32.checked_shl(bit_length).unwrap_or(u32::MAX);
        (0..last)
            .filter_map(|number| {
                DelegatedName::new(&format!("{}-{number:0width$x}", self.role)).ok()
            })
            .collect()
    }
}

impl Repository {
    /// Delegates to a role, or to bins, and opens the first version of each.
    ///
    /// # Errors
    /// [`Error::RoleExists`], [`Error::RoleNameUnsafe`], [`Error::RoleUnsuited`] if bins would stand beside other roles,
    /// [`Error::DelegationPaths`], [`Error::TooFewKeys`], [`Error::BelowPolicy`] for a threshold of none, [`Error::KeyDuplicate`],
    /// [`Error::RoleUnknown`] if there is no such delegator.
    pub fn delegate(&self, delegate: &Delegate, now: UnixTime) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        check_paths(&delegate.paths)?;
        check_name(delegate, &edit)?;
        let role = RoleName::Delegated(delegate.role.clone());
        require_distinct(&role, &delegate.keys)?;
        require_some(&role, delegate.threshold)?;
        edit.ask_of(
            delegate.role.as_str(),
            RolePolicy {
                external: delegate.external,
                ..RolePolicy::new(delegate.threshold, delegate.period)
            },
        );
        for key in &delegate.keys {
            edit.name_key(key, delegate.online);
        }
        insert(edit.open(&delegate.by, now)?, delegate);
        let names = delegate.names();
        if !delegate.external {
            for name in &names {
                edit.create(name, now, delegate.period)?;
            }
            // What a role has left from earlier may be signed by others than those who may sign now.
            let roles = names.iter().cloned().map(RoleName::Delegated);
            edit.open_unsigned(roles, now)?;
        }
        edit.actions.push(Action::Delegated {
            role: delegate.role.as_str().to_owned(),
            by: delegate.by.clone(),
            count: names.len() as u64,
        });
        edit.finish()
    }
}

/// Writes a delegation into a targets role, after those that are there.
pub(crate) fn insert(document: &mut Document, delegate: &Delegate) {
    let delegations = document.object("delegations");
    let table = object_in(delegations, "keys");
    for key in &delegate.keys {
        table
            .entry(key.keyid().as_str().to_owned())
            .or_insert_with(|| key.to_value());
    }
    let mut role = match role_keys(&delegate.keys, delegate.threshold) {
        Value::Object(members) => members,
        _ => BTreeMap::new(),
    };
    let name = Value::from(delegate.role.as_str());
    let (kind, list) = match &delegate.paths {
        DelegatedPaths::Patterns(list) => ("paths", list),
        DelegatedPaths::HashPrefixes(list) => ("path_hash_prefixes", list),
        DelegatedPaths::Bins { bit_length } => {
            role.insert("bit_length".to_owned(), u64::from(*bit_length).into());
            role.insert("name_prefix".to_owned(), name);
            delegations.insert("succinct_roles".to_owned(), Value::Object(role));
            return;
        }
    };
    role.insert("name".to_owned(), name);
    role.insert("terminating".to_owned(), delegate.terminating.into());
    role.insert(kind.to_owned(), texts(list.iter().map(String::as_str)));
    let roles = delegations
        .entry("roles".to_owned())
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Some(roles) = roles.as_array_mut() {
        roles.push(Value::Object(role));
    }
}

/// Refuses paths that implementations read in different ways.
pub(crate) fn check_paths(paths: &DelegatedPaths) -> Result<(), Error> {
    let refuse = |what: &str, why| {
        Err(Error::DelegationPaths {
            what: what.to_owned(),
            why,
        })
    };
    match paths {
        DelegatedPaths::Patterns(list) | DelegatedPaths::HashPrefixes(list) if list.is_empty() => {
            refuse("", "nothing would be delegated")
        }
        DelegatedPaths::Patterns(list) => list.iter().try_for_each(|pattern| {
            if pattern.is_empty() || pattern.starts_with('/') {
                refuse(pattern, "no target has a path like that")
            } else if Pattern::new(pattern).is_portable() {
                Ok(())
            } else {
                refuse(
                    pattern,
                    "clients differ on what it means: use `*`, `?` and plain text",
                )
            }
        }),
        DelegatedPaths::HashPrefixes(list) => {
            list.iter()
                .try_for_each(|prefix| match HashPrefix::new(prefix) {
                    Some(_) if !prefix.is_empty() => Ok(()),
                    _ => refuse(prefix, "it is not the beginning of a SHA-256 in lower case"),
                })
        }
        DelegatedPaths::Bins { bit_length } if !(1..=MOST_BITS).contains(bit_length) => {
            refuse(&bit_length.to_string(), "bins are made by 1 to 16 bits")
        }
        DelegatedPaths::Bins { .. } => Ok(()),
    }
}

/// Refuses names that files and URLs cannot hold, and those under which a file of another role belongs.
pub(crate) fn require_plain(role: &DelegatedName) -> Result<(), Error> {
    let name = role.as_str();
    let refuse = |why| {
        Err(Error::RoleNameUnsafe {
            name: name.to_owned(),
            why,
        })
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '~');
    if !name.chars().all(plain) || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return refuse("use letters, digits, dot, dash, underscore and tilde");
    }
    if name.len() > 200 {
        return refuse("it is longer than 200 characters");
    }
    match TargetPath::new(name) {
        Ok(path) if path.file_components().is_err() => {
            refuse("some platforms cannot have a file of this name")
        }
        _ => layout::clash(role).map_or(Ok(()), refuse),
    }
}

/// Refuses names that are taken, or that differ from one that is taken in nothing but case, or that files and URLs cannot hold.
fn check_name(delegate: &Delegate, edit: &Edit) -> Result<(), Error> {
    let graph = edit.graph()?;
    let name = delegate.role.as_str();
    let refuse = |why| {
        Err(Error::RoleNameUnsafe {
            name: name.to_owned(),
            why,
        })
    };
    require_plain(&delegate.role)?;
    for (by, delegations) in graph.delegations() {
        let taken: Vec<&str> = match delegations.roles() {
            RoleDelegations::Named(roles) => roles.iter().map(|role| role.name.as_str()).collect(),
            RoleDelegations::Succinct(bins) => vec![bins.name_prefix()],
        };
        if *by == delegate.by && taken.contains(&name) {
            return Err(Error::RoleExists {
                role: name.to_owned(),
                by: by.clone(),
            });
        }
        if taken
            .iter()
            .any(|other| *other != name && other.eq_ignore_ascii_case(name))
        {
            return refuse("it differs from that of another role in nothing but case");
        }
    }
    let unsuited = |why| {
        Err(Error::RoleUnsuited {
            role: delegate.by.clone(),
            why,
        })
    };
    let bins = matches!(delegate.paths, DelegatedPaths::Bins { .. });
    match (
        &delegate.by,
        graph.delegations_of(&delegate.by).map(|all| all.roles()),
    ) {
        (RoleName::Root | RoleName::Snapshot | RoleName::Timestamp, _) => {
            unsuited("is not a targets role and cannot delegate")
        }
        (_, Some(RoleDelegations::Succinct(_))) => {
            unsuited("delegates to bins already, and nothing can stand beside them")
        }
        (_, Some(RoleDelegations::Named(roles))) if bins && !roles.is_empty() => {
            unsuited("delegates to roles by name already, and bins cannot stand beside them")
        }
        (RoleName::Delegated(by), _) if !graph.is_delegated(by) => {
            Err(Error::RoleUnknown(delegate.by.clone()))
        }
        (by, _) if graph.is_bin(by) => unsuited("is a bin, and bins delegate nothing"),
        _ => Ok(()),
    }
}
