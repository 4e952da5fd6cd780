//! Replacing keys, and signing again what is about to expire.

use tuffet_core::metadata::{RoleName, UnixTime};

use crate::Error;
use crate::edit::Edit;
use crate::key_roles::{open_what_it_signed, places};
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
            edit.actions.push(Action::KeyReplaced {
                role: place.role.clone(),
                old: self.policy().key_name(&place.keyid),
                new: edit.policy.key_name(&rotate.new.keyid()),
            });
        }
        open_what_it_signed(edit, &graph, &places, now)?;
        Ok(())
    }

    /// Opens the next version of these roles with a new expiry and nothing else changed. What the names of bins begin with stands
    /// for all of them.
    ///
    /// # Errors
    /// [`Error::RoleUnknown`]; [`Error::RoleUnsuited`] for snapshot and timestamp, which [`Repository::publish`] renews.
    pub fn renew(&self, roles: &[RoleName], now: UnixTime) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        let graph = edit.graph()?;
        let meant = roles.iter().flat_map(|role| graph.meant_by(role.as_str()));
        for role in meant {
            if matches!(role, RoleName::Snapshot | RoleName::Timestamp) {
                return Err(Error::RoleUnsuited {
                    role,
                    why: "is renewed whenever something is published",
                });
            }
            edit.open(&role, now)?;
        }
        edit.finish()
    }
}
