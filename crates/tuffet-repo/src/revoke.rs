//! Taking keys away.

use std::collections::BTreeMap;

use tuffet_core::crypto::KeyIdentity;
use tuffet_core::metadata::{RoleName, UnixTime};

use crate::Error;
use crate::edit::Edit;
use crate::graph::Graph;
use crate::key_roles::{open_what_it_signed, places};
use crate::plan::{Action, Plan};
use crate::repository::Repository;
use crate::role::SetRole;
use crate::store::Store;

/// A key to take away.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RevokeKey {
    /// The key: its name, its keyid or the first digits of that.
    pub key: String,
    /// The roles that it is taken out of; none for all that have it.
    pub roles: Vec<RoleName>,
    /// How many signatures roles need from now on, where that changes.
    pub thresholds: BTreeMap<RoleName, u64>,
}

impl RevokeKey {
    /// Takes a key out of every role that has it.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            roles: Vec::new(),
            thresholds: BTreeMap::new(),
        }
    }

    /// Takes it out of this role only, or of this one too.
    #[must_use]
    pub fn role(mut self, role: RoleName) -> Self {
        self.roles.push(role);
        self
    }

    /// Has the role need so many signatures from now on.
    #[must_use]
    pub fn threshold(mut self, role: RoleName, threshold: u64) -> Self {
        self.thresholds.insert(role, threshold);
        self
    }
}

impl Repository {
    /// Takes a key away. As with [`Repository::rotate_key`], the files that name it get a new version, and so does what it has
    /// signed, to be signed by the keys that stay.
    ///
    /// # Errors
    /// [`Error::TooFewKeys`] if a role would be left with fewer keys than it needs signatures: give it another key, or a lower
    /// threshold, which is set as [`Repository::set_role`] sets it. [`Error::BelowPolicy`] for none; [`Error::KeyUnknown`],
    /// [`Error::KeyAmbiguous`], [`Error::KeyNotThere`] if no role has the key; [`Error::RoleUnsuited`] for a threshold of a role
    /// that it is not taken out of.
    pub fn revoke_key(&self, revoke: &RevokeKey, now: UnixTime) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        let graph = edit.graph()?;
        let key = self.key_in(&graph, &revoke.key)?;
        let places = places(&graph, &key.identity(), &revoke.roles);
        if places.is_empty() {
            return Err(Error::KeyNotThere(self.policy().key_name(&key.keyid())));
        }
        let elsewhere = |role: &&RoleName| places.iter().all(|place| place.role != **role);
        if let Some(role) = revoke.thresholds.keys().find(elsewhere) {
            return Err(Error::RoleUnsuited {
                role: role.clone(),
                why: "does not have the key, so its threshold stays",
            });
        }
        for place in &places {
            let document = edit.open(&place.by, now)?;
            place.remove(document);
            edit.actions.push(Action::KeyRemoved {
                role: place.role.clone(),
                key: self.policy().key_name(&place.keyid),
            });
        }
        for (role, threshold) in &revoke.thresholds {
            let set = SetRole::new(role.as_str()).threshold(*threshold);
            self.set_what_is_asked(&mut edit, &set, now)?;
        }
        open_what_it_signed(&mut edit, &graph, &places, now)?;
        edit.finish()
    }

    /// The roles that have a key, with the open change applied.
    ///
    /// # Errors
    /// What keeps the metadata from being read.
    pub fn roles_of(&self, key: &KeyIdentity) -> Result<Vec<RoleName>, Error> {
        let graph = Graph::load(&Store::load(self.layout())?)?;
        let roles = places(&graph, key, &[]).into_iter();
        Ok(roles.map(|place| place.role).collect())
    }
}
