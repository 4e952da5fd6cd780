//! Replacing keys, and signing again what is about to expire.

use std::collections::BTreeMap;

use tuffet_core::crypto::{Key, KeyIdentity, KeyKind};
use tuffet_core::json::Value;
use tuffet_core::metadata::{KeyId, KeyTable, RoleDelegations, RoleName, UnixTime};

use crate::Error;
use crate::document::{Document, object_in};
use crate::edit::Edit;
use crate::graph::Graph;
use crate::keys::NamedKey;
use crate::plan::{Action, Plan};
use crate::repository::Repository;

/// A key to replace.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RotateKey {
    /// The key that goes: its name, its keyid or the first digits of that.
    pub old: String,
    /// The key that comes. It may have the same name.
    pub new: NamedKey,
    /// The roles in which it is replaced; none for all that have it.
    pub roles: Vec<RoleName>,
}

impl RotateKey {
    /// Replaces a key in every role that has it.
    #[must_use]
    pub fn new(old: &str, new: NamedKey) -> Self {
        Self {
            old: old.to_owned(),
            new,
            roles: Vec::new(),
        }
    }

    /// Replaces it in this role only, or in this one too.
    #[must_use]
    pub fn role(mut self, role: RoleName) -> Self {
        self.roles.push(role);
        self
    }
}

impl Repository {
    /// Replaces a key. The file that names the keys gets a new version: root for the four top-level roles (K-02), the delegating
    /// role for a delegated one (K-04). What the old key has signed gets a new version too, to be signed again; snapshot and
    /// timestamp are signed again by [`Repository::publish`].
    ///
    /// # Errors
    /// [`Error::KeyUnknown`], [`Error::KeyAmbiguous`], [`Error::KeyNotThere`] if no role has the old key,
    /// [`Error::KeyDuplicate`] if one has the new key already, and what the policy refuses.
    pub fn rotate_key(&self, rotate: &RotateKey, now: UnixTime) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        self.replace_key(&mut edit, rotate, now)?;
        edit.finish()
    }

    /// As [`Self::rotate_key`], as a part of an edit.
    pub(crate) fn replace_key(
        &self,
        edit: &mut Edit,
        rotate: &RotateKey,
        now: UnixTime,
    ) -> Result<(), Error> {
        let graph = edit.graph()?;
        let old = self.key_in(&graph, &rotate.old)?;
        let places = places(&graph, &old.identity(), &rotate.roles);
        if places.is_empty() {
            return Err(Error::KeyNotThere(self.policy().key_name(&old.keyid())));
        }
        let online = self
            .policy()
            .keys
            .get(old.name())
            .is_some_and(|key| key.online);
        edit.name_key(&rotate.new, online);
        for place in &places {
            if place.has(&graph, &rotate.new.identity()) {
                return Err(Error::KeyDuplicate {
                    role: place.role.clone(),
                    key: self.policy().key_name(&rotate.new.keyid()),
                });
            }
            let document = edit.open(&place.by, now)?;
            place.replace(document, &rotate.new);
            remove_unused_keys(document, &place.by);
            edit.actions.push(Action::KeyReplaced {
                role: place.role.clone(),
                old: self.policy().key_name(&place.keyid),
                new: edit.policy.key_name(&rotate.new.keyid()),
            });
        }
        for place in &places {
            for role in place.signed_roles(&graph) {
                if is_signed_by(edit, &role, &place.keyid)? {
                    edit.open(&role, now)?;
                }
            }
        }
        Ok(())
    }

    /// Opens the next version of these roles with a new expiry and nothing else changed.
    ///
    /// # Errors
    /// [`Error::RoleUnknown`]; [`Error::RoleUnsuited`] for snapshot and timestamp, which [`Repository::publish`] renews.
    pub fn renew(&self, roles: &[RoleName], now: UnixTime) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        for role in roles {
            if matches!(role, RoleName::Snapshot | RoleName::Timestamp) {
                return Err(Error::RoleUnsuited {
                    role: role.clone(),
                    why: "is renewed whenever something is published",
                });
            }
            edit.open(role, now)?;
        }
        edit.finish()
    }
}

/// A role that has the key, and the role whose file says so.
struct Place {
    role: RoleName,
    by: RoleName,
    keyid: KeyId,
    /// Whether the role stands for all bins of the delegating role.
    bins: bool,
}

/// Where a key is named, in the roles asked for or in all.
fn places(graph: &Graph, old: &KeyIdentity, roles: &[RoleName]) -> Vec<Place> {
    let mut places = Vec::new();
    let mut add = |role: RoleName, by: &RoleName, keyids: &[KeyId], table: &KeyTable, bins| {
        let named = |keyid: &&KeyId| identity(table, keyid).as_ref() == Some(old);
        if !roles.is_empty() && !roles.contains(&role) {
            return;
        }
        places.extend(keyids.iter().filter(named).map(|keyid| Place {
            role: role.clone(),
            by: by.clone(),
            keyid: keyid.clone(),
            bins,
        }));
    };
    if let Some(root) = graph.root() {
        for role in [
            RoleName::Root,
            RoleName::Targets,
            RoleName::Snapshot,
            RoleName::Timestamp,
        ] {
            if let Some(keys) = root.role(&role) {
                add(role, &RoleName::Root, &keys.keyids, root.keys(), false);
            }
        }
    }
    for (by, delegations) in graph.delegations() {
        match delegations.roles() {
            RoleDelegations::Named(all) => {
                for of in all {
                    let role = RoleName::Delegated(of.name.clone());
                    add(role, by, &of.keys.keyids, delegations.keys(), false);
                }
            }
            RoleDelegations::Succinct(bins) => {
                if let Ok(role) = RoleName::new(bins.name_prefix()) {
                    add(role, by, &bins.keys().keyids, delegations.keys(), true);
                }
            }
        }
    }
    places
}

impl Place {
    fn has(&self, graph: &Graph, key: &KeyIdentity) -> bool {
        let holds = |table: &KeyTable, keyids: &[KeyId]| {
            keyids
                .iter()
                .any(|keyid| identity(table, keyid).as_ref() == Some(key))
        };
        match (&self.by, &self.role) {
            (RoleName::Root, role) => graph
                .root()
                .and_then(|root| Some(holds(root.keys(), &root.role(role)?.keyids)))
                .unwrap_or(false),
            (by, role) => graph.delegations_of(by).is_some_and(|delegations| {
                let keys = match (delegations.roles(), role) {
                    (RoleDelegations::Succinct(bins), _) => Some(bins.keys()),
                    (_, RoleName::Delegated(name)) => delegations.role(name),
                    _ => None,
                };
                keys.is_some_and(|keys| holds(delegations.keys(), &keys.keyids))
            }),
        }
    }

    /// Puts the new key where the old one stands.
    fn replace(&self, document: &mut Document, new: &NamedKey) {
        let keys = if self.by == RoleName::Root {
            document.object("keys")
        } else {
            object_in(document.object("delegations"), "keys")
        };
        keys.entry(new.keyid().as_str().to_owned())
            .or_insert_with(|| new.to_value());
        let role = if self.by == RoleName::Root {
            document.object("roles").get_mut(self.role.as_str())
        } else {
            let delegations = document.object("delegations");
            if self.bins {
                delegations.get_mut("succinct_roles")
            } else {
                let named = |role: &&mut Value| {
                    role.get("name").and_then(Value::as_str) == Some(self.role.as_str())
                };
                let roles = delegations.get_mut("roles").and_then(Value::as_array_mut);
                roles.and_then(|roles| roles.iter_mut().find(named))
            }
        };
        let keyids = role
            .and_then(|role| role.get_mut("keyids"))
            .and_then(Value::as_array_mut);
        for keyid in keyids.into_iter().flatten() {
            if keyid.as_str() == Some(self.keyid.as_str()) {
                *keyid = Value::from(new.keyid().as_str());
            }
        }
    }

    /// The roles that the key signs, apart from those that `publish` signs again whenever that is needed.
    fn signed_roles(&self, graph: &Graph) -> Vec<RoleName> {
        match &self.role {
            RoleName::Snapshot | RoleName::Timestamp => Vec::new(),
            _ if self.bins => graph
                .delegated_by(&self.by)
                .into_iter()
                .map(RoleName::Delegated)
                .collect(),
            role => vec![role.clone()],
        }
    }
}

/// Whether the current version of the role carries a signature of the key.
fn is_signed_by(edit: &Edit, role: &RoleName, keyid: &KeyId) -> Result<bool, Error> {
    let current = edit.store.next_document(role)?;
    Ok(current.is_some_and(|document| {
        document
            .signature_keyids()
            .any(|other| other == keyid.as_str())
    }))
}

/// Removes the keys that no role of the file names any more.
fn remove_unused_keys(document: &mut Document, by: &RoleName) {
    let (members, lists): (&mut BTreeMap<String, Value>, [&str; 2]) = if *by == RoleName::Root {
        (document.signed_mut(), ["roles", ""])
    } else {
        (document.object("delegations"), ["roles", "succinct_roles"])
    };
    let mut used: Vec<String> = Vec::new();
    for list in lists {
        let roles: Vec<&Value> = match members.get(list) {
            Some(Value::Array(roles)) => roles.iter().collect(),
            Some(Value::Object(role)) if role.contains_key("keyids") => {
                members.get(list).into_iter().collect()
            }
            Some(Value::Object(roles)) => roles.values().collect(),
            _ => Vec::new(),
        };
        let keyids = roles.into_iter().filter_map(|role| role.get("keyids"));
        let keyids = keyids.filter_map(Value::as_array).flatten();
        used.extend(keyids.filter_map(Value::as_str).map(str::to_owned));
    }
    object_in(members, "keys").retain(|keyid, _| used.contains(keyid));
}

fn identity(table: &KeyTable, keyid: &KeyId) -> Option<KeyIdentity> {
    match table.key(keyid.as_str()).map(Key::kind)? {
        KeyKind::Usable { public, .. } => Some(public.identity()),
        KeyKind::Opaque { .. } => None,
    }
}
