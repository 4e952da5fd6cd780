//! Recovering from keys that were lost or are in foreign hands (K-02, K-04, R-17).
//!
//! What a thief could have signed with the keys alone decides what has to be done, not what he is thought to have done. Clients
//! that believed him come back by themselves wherever the owner's root still counts: a key that leaves timestamp or snapshot makes
//! them forget the versions that they have seen, however high.

mod assess;

use std::collections::BTreeMap;

use tuffet_core::json::Value;
use tuffet_core::metadata::{RoleName, UnixTime, Version};

use crate::Error;
use crate::document::Document;
use crate::edit::Edit;
use crate::keys::NamedKey;
use crate::plan::{Action, Plan};
use crate::repository::Repository;
use crate::rotate::RotateKey;
use crate::store::Store;
use crate::write::read_optional;

pub use assess::{Assessment, Exposure, Outcome, Suspect};

/// What has happened to the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incident {
    /// Somebody else may be able to use them.
    Stolen,
    /// Nobody can use them any more.
    Lost,
}

/// A recovery to plan.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Recover {
    /// What has happened.
    pub incident: Incident,
    /// The keys, by name or keyid, each with the one that takes its place. Without one a recovery can be assessed, not begun.
    pub keys: Vec<(String, Option<NamedKey>)>,
    /// Roles that go back to what one of their sealed versions said: the last one before the thief.
    pub restore: BTreeMap<RoleName, Version>,
}

impl Recover {
    /// A recovery from keys that are in foreign hands.
    #[must_use]
    pub fn stolen() -> Self {
        Self {
            incident: Incident::Stolen,
            keys: Vec::new(),
            restore: BTreeMap::new(),
        }
    }

    /// A recovery from keys that nobody has any more.
    #[must_use]
    pub fn lost() -> Self {
        Self {
            incident: Incident::Lost,
            ..Self::stolen()
        }
    }

    /// This key is concerned, and that one takes its place.
    #[must_use]
    pub fn key(mut self, old: &str, new: Option<NamedKey>) -> Self {
        self.keys.push((old.to_owned(), new));
        self
    }

    /// This role goes back to what this version of it said.
    #[must_use]
    pub fn restore(mut self, role: RoleName, version: Version) -> Self {
        self.restore.insert(role, version);
        self
    }
}

impl Repository {
    /// What a thief can do with the keys, or what the owner cannot do without them, and how it ends for clients. Nothing is
    /// changed. It speaks of what is in force, whatever the open change says.
    ///
    /// # Errors
    /// [`Error::KeyUnknown`], [`Error::KeyAmbiguous`]; [`Error::KeyNotThere`] for a key that signs nothing.
    pub fn assess(&self, recover: &Recover) -> Result<Assessment, Error> {
        let store = Store::load(self.layout())?.without_drafts();
        assess::assess(self, &store, recover)
    }

    /// Opens the change that ends the incident: every key concerned is replaced in every role, and roles go back to what they said
    /// before where that is asked for. It is signed and published like any other; publishing with the new online keys lets clients
    /// forget the thief's versions.
    ///
    /// # Errors
    /// As [`Repository::assess`]; [`Error::RecoveryKeys`] if a key has no replacement;
    /// [`Error::RecoveryTooLate`] if too few keys of root are left to sign another one; [`Error::RecoveryVersion`] for a version
    /// that was never sealed; and those of [`Repository::rotate_key`].
    pub fn recover(&self, recover: &Recover, now: UnixTime) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        self.assess(recover)?.require_enough(recover)?;
        for (old, new) in &recover.keys {
            let Some(new) = new else { continue };
            self.replace_key(&mut edit, &RotateKey::new(old, new.clone()), now)?;
        }
        for (role, version) in &recover.restore {
            restore(&mut edit, role, *version, now)?;
        }
        edit.finish()
    }
}

/// The next version of a role says what this version said. What it delegates stays as the change has it: keys that were replaced
/// must not come back.
fn restore(edit: &mut Edit, role: &RoleName, version: Version, now: UnixTime) -> Result<(), Error> {
    if !matches!(role, RoleName::Targets | RoleName::Delegated(_)) {
        return Err(Error::RoleUnsuited {
            role: role.clone(),
            why: "lists no targets that could be restored",
        });
    }
    let path = edit.store.sealed_path(role, version);
    let bytes = read_optional(&path)?.ok_or_else(|| Error::RecoveryVersion {
        role: role.clone(),
        version,
    })?;
    let then = Document::parse(&bytes).map_err(|error| Error::format(&path, error))?;
    let targets = then.member("targets").cloned();
    edit.open(role, now)?
        .set("targets", targets.unwrap_or(Value::Object(BTreeMap::new())));
    edit.actions.push(Action::TargetsRestored {
        role: role.clone(),
        version,
    });
    Ok(())
}
