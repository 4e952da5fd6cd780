//! The roles that have a key: where it stands, putting another in its place, taking it out.

use std::collections::BTreeMap;

use tuffet_core::crypto::{Key, KeyIdentity, KeyKind};
use tuffet_core::json::Value;
use tuffet_core::metadata::{KeyId, KeyTable, RoleDelegations, RoleName, UnixTime};

use crate::Error;
use crate::document::{Document, object_in};
use crate::edit::Edit;
use crate::entry;
use crate::graph::Graph;
use crate::keys::NamedKey;

/// A role that has the key, and the role whose file says so.
pub(crate) struct Place {
    pub(crate) role: RoleName,
    pub(crate) by: RoleName,
    pub(crate) keyid: KeyId,
    /// Whether the role stands for all bins of the delegating role.
    bins: bool,
}

/// Where a key is named, in the roles asked for or in all.
pub(crate) fn places(graph: &Graph, key: &KeyIdentity, roles: &[RoleName]) -> Vec<Place> {
    let mut places = Vec::new();
    let mut add = |role: RoleName, by: &RoleName, keyids: &[KeyId], table: &KeyTable, bins| {
        let named = |keyid: &&KeyId| identity(table, keyid).as_ref() == Some(key);
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
    pub(crate) fn has(&self, graph: &Graph, key: &KeyIdentity) -> bool {
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
    pub(crate) fn replace(&self, document: &mut Document, new: &NamedKey) {
        let keys = if self.by == RoleName::Root {
            document.object("keys")
        } else {
            object_in(document.object("delegations"), "keys")
        };
        keys.entry(new.keyid().as_str().to_owned())
            .or_insert_with(|| new.to_value());
        for keyid in self.keyids(document).into_iter().flatten() {
            if keyid.as_str() == Some(self.keyid.as_str()) {
                *keyid = Value::from(new.keyid().as_str());
            }
        }
        entry::remove_unused_keys(document, &self.by);
    }

    /// Takes the key out.
    pub(crate) fn remove(&self, document: &mut Document) {
        if let Some(keyids) = self.keyids(document) {
            keyids.retain(|keyid| keyid.as_str() != Some(self.keyid.as_str()));
        }
        entry::remove_unused_keys(document, &self.by);
    }

    fn keyids<'d>(&self, document: &'d mut Document) -> Option<&'d mut Vec<Value>> {
        self.role_in(document)?.get_mut("keyids")?.as_array_mut()
    }

    /// What the file says of the role.
    fn role_in<'d>(&self, document: &'d mut Document) -> Option<&'d mut BTreeMap<String, Value>> {
        entry::of(document, &self.by, self.role.as_str())
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

/// Opens the next version of everything that the key has signed, to be signed again without it.
pub(crate) fn open_what_it_signed(
    edit: &mut Edit,
    graph: &Graph,
    places: &[Place],
    now: UnixTime,
) -> Result<(), Error> {
    for place in places {
        for role in place.signed_roles(graph) {
            if is_signed_by(edit, &role, &place.keyid)? {
                edit.open_to_sign(&role, now)?;
            }
        }
    }
    Ok(())
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

pub(crate) fn identity(table: &KeyTable, keyid: &KeyId) -> Option<KeyIdentity> {
    match table.key(keyid.as_str()).map(Key::kind)? {
        KeyKind::Usable { public, .. } => Some(public.identity()),
        KeyKind::Opaque { .. } => None,
    }
}
