//! Recovering from keys that were lost or are in foreign hands (K-02, K-04, R-17).
//!
//! What a thief could have signed with the keys alone decides what has to be done, not what he is thought to have done. Clients
//! that believed him come back by themselves wherever the owner's root still counts: a key that leaves timestamp or snapshot makes
//! them forget the versions that they have seen, however high.

mod assess;
mod versions;

use std::collections::BTreeMap;

use tuffet_core::json::Value;
use tuffet_core::metadata::{Parsed, RoleName, Snapshot, UnixTime, Version};

use crate::Error;
use crate::document::Document;
use crate::edit::Edit;
use crate::exchanged::Exchanged;
use crate::graph::Graph;
use crate::keys::NamedKey;
use crate::plan::{Action, Plan};
use crate::publish::{Destination, Published};
use crate::quorum::{is_signed, says_version};
use crate::repository::Repository;
use crate::rotate::RotateKey;
use crate::store::Store;

pub use assess::{Assessment, Exposure, Outcome, Suspect};
pub(crate) use versions::{require_forgotten, require_leaps};

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
    /// Where the repository is published: new versions get numbers under which a thief has left nothing there.
    pub published: Option<Destination>,
}

impl Recover {
    /// A recovery from keys that are in foreign hands.
    #[must_use]
    pub fn stolen() -> Self {
        Self {
            incident: Incident::Stolen,
            keys: Vec::new(),
            restore: BTreeMap::new(),
            published: None,
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

    /// The repository is published there.
    #[must_use]
    pub fn published(mut self, place: impl Into<Destination>) -> Self {
        self.published = Some(place.into());
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
    /// A role that is restored goes on from its last version. If that comes after a leap of more than 1,000,000 versions, as from a
    /// thief who wanted to use up the numbers, and enough keys of snapshot are replaced for clients to forget it, all versions after
    /// the leap are given up and the honest numbers go on.
    ///
    /// # Errors
    /// As [`Repository::assess`]; [`Error::RecoveryKeys`] if a key has no replacement;
    /// [`Error::RecoveryTooLate`] if too few keys of root are left to sign another one; [`Error::RecoveryVersion`] for a version
    /// that was never sealed; [`Error::VersionsUsedUp`] for a role that cannot go on from its last version;
    /// [`Error::VersionReused`] if somebody has published a version with keys that stay; and those of [`Repository::rotate_key`].
    pub fn recover(&self, recover: &Recover, now: UnixTime) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        let in_force = edit.store.without_drafts();
        let assessment = self.assess(recover)?;
        assessment.require_enough(recover)?;
        if assessment.lets_clients_forget() {
            versions::give_up_leaps(&mut edit, recover);
        }
        // Who may sign before keys are replaced.
        let honest = edit.graph()?;
        for (old, new) in &recover.keys {
            let Some(new) = new else { continue };
            self.replace_key(&mut edit, &RotateKey::new(old, new.clone()), now)?;
        }
        for (role, version) in &recover.restore {
            restore(&mut edit, role, *version, &honest, now)?;
        }
        if let Some(place) = &recover.published {
            match Published::open(place) {
                Ok(published) => {
                    let graph = Graph::load(&in_force)?;
                    let snapshot = in_force.head_bytes(&RoleName::Snapshot)?;
                    let snapshot = snapshot.and_then(|one| Parsed::<Snapshot>::parse(one).ok());
                    let listed = snapshot.as_ref().map(Parsed::unverified_listing);
                    let exchanged = listed.map(Exchanged::of);
                    let is_honest = |role: &RoleName, version, bytes: &[u8]| {
                        let signed = says_version(role, version, bytes)
                            && is_signed(role, bytes, &graph, self.policy());
                        if let Some(exchanged) = exchanged.as_ref().filter(|_| signed)
                            && exchanged.says_what_another_said(&in_force, role, version, bytes)?
                        {
                            return Ok(false);
                        }
                        let keys = assessment.stolen();
                        Ok(signed && !assess::could_be_made_by(role, bytes, &graph, self, keys)?)
                    };
                    versions::go_around(&mut edit, &published, is_honest, now)?;
                }
                // That must not keep anybody from recovering; publishing looks there again.
                Err(
                    error @ (Error::Store { .. }
                    | Error::StoreSettings { .. }
                    | Error::StoreUnsupported(_)
                    | Error::Io { .. }),
                ) => edit.actions.push(Action::DestinationUnread {
                    code: error.code(),
                    why: error.to_string(),
                }),
                Err(error) => return Err(error),
            }
        }
        edit.finish()
    }
}

/// The next version of a role says what this version said. What it delegates stays as the change has it: keys that were replaced
/// must not come back.
fn restore(
    edit: &mut Edit,
    role: &RoleName,
    version: Version,
    in_force: &Graph,
    now: UnixTime,
) -> Result<(), Error> {
    if !matches!(role, RoleName::Targets | RoleName::Delegated(_)) {
        return Err(Error::RoleUnsuited {
            role: role.clone(),
            why: "lists no targets that could be restored",
        });
    }
    let path = edit.store.sealed_path(role, version);
    if edit.store.given_up().has(role, version) || !path.exists() {
        return Err(Error::RecoveryVersion {
            role: role.clone(),
            version,
        });
    }
    let bytes = edit.store.sealed(role, version)?;
    if !is_signed(role, &bytes, in_force, &edit.policy) {
        edit.actions.push(Action::RestoredUnsigned {
            role: role.clone(),
            version,
        });
    }
    let then = Document::parse(&bytes).map_err(|error| Error::format(&path, error))?;
    let last = edit.store.head_document(role)?;
    let delegations = |of: &Document| of.member("delegations").cloned();
    if last
        .as_ref()
        .is_some_and(|last| delegations(last) != delegations(&then))
    {
        edit.actions.push(Action::DelegationsStay {
            role: role.clone(),
            version,
        });
    }
    let targets = then.member("targets").cloned();
    edit.open(role, now)?
        .set("targets", targets.unwrap_or(Value::Object(BTreeMap::new())));
    edit.actions.push(Action::TargetsRestored {
        role: role.clone(),
        version,
    });
    Ok(())
}
