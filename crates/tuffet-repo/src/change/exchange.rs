//! A change on its way between people: out of one copy of the repository, into another.

use std::collections::BTreeMap;
use std::path::Path;

use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::json::Value;
use tuffet_core::metadata::{KeyId, RoleName, TargetPath, Version};
use tuffet_sign::PublicKeyInfo;

use super::{Change, ChangeFile, of};
use crate::Error;
use crate::document::Document;
use crate::graph::{Authority, Graph};
use crate::keys::KeyName;
use crate::numbers::GivenUp;
use crate::plan::{Action, Plan};
use crate::quorum::needs_of;
use crate::recover::{require_forgotten, require_leaps};
use crate::repository::{Repository, info};
use crate::store::Store;
use crate::write::{Write, WriteKind};

/// A change that somebody else has exported, as it would be open here.
#[derive(Debug)]
pub struct Preview {
    /// What it changes.
    pub change: Change,
    /// What the policy forbids of it, so that receiving it ends with this.
    pub refused: Option<Error>,
}

impl Repository {
    /// The open change as one file for somebody else who has a copy of the repository: the drafts, the signatures so far, and
    /// the digests of the versions that they follow. Artifacts do not travel with it.
    ///
    /// # Errors
    /// [`Error::NoChange`]; [`Error::Stale`] for a change that was overtaken.
    pub fn export_change(&self) -> Result<Vec<u8>, Error> {
        let store = Store::load(self.layout())?;
        store.require_current()?;
        if store.drafts().next().is_none() {
            return Err(Error::NoChange);
        }
        let base = base(&store)?;
        Ok(ChangeFile::to_exported(
            store.drafts(),
            &store.learned,
            store.given_up(),
            &base,
        ))
    }

    /// Writes [`Self::export_change`] to a file.
    ///
    /// # Errors
    /// As that.
    pub fn send_change(&self, to: &Path) -> Result<Plan, Error> {
        let lock = self.lock()?;
        let bytes = self.export_change()?;
        Ok(Plan {
            actions: vec![Action::Sent {
                to: to.to_owned(),
                length: bytes.len() as u64,
            }],
            steps: vec![vec![Write::file(to.to_owned(), WriteKind::Replace(bytes))]],
            lock: Some(lock),
        })
    }

    /// Takes over what somebody else has exported from a copy of the repository: the change, if none is open here, or the
    /// signatures, if it is the one that is open. Only signatures that count under this copy's root are taken; one of a key that may
    /// sign has to verify, or the file was tampered with.
    ///
    /// `from` is what errors call the file.
    ///
    /// # Errors
    /// [`Error::Format`]; [`Error::ChangeForeign`] for a change of another repository, or one that follows versions that this
    /// copy does not have; [`Error::ChangePublished`] for one that was published; [`Error::Stale`] for one that was overtaken; [`Error::ChangeDiffers`] if another change
    /// is open; [`Error::ChangeSignature`].
    pub fn receive_change(&self, bytes: &[u8], from: &Path) -> Result<Plan, Error> {
        self.receive_change_of(bytes, from, &[])
    }

    /// As [`Self::receive_change`], for a change that may hold drafts of these roles, give up versions of these, and of no other: what a publisher without
    /// people takes from a team. No role means any.
    ///
    /// # Errors
    /// Also [`Error::ChangeRole`] for a draft of another role, or versions of another role that it gives up.
    pub fn receive_change_of(
        &self,
        bytes: &[u8],
        from: &Path,
        only: &[RoleName],
    ) -> Result<Plan, Error> {
        self.receive(bytes, from, only, true)
    }

    /// As [`Self::receive_change`], for signatures on the change that is open and nothing else: a change is never begun.
    ///
    /// # Errors
    /// As that, and [`Error::NoChange`] if no change is open.
    pub fn receive_signatures(&self, bytes: &[u8], from: &Path) -> Result<Plan, Error> {
        self.receive(bytes, from, &[], false)
    }

    fn receive(
        &self,
        bytes: &[u8],
        from: &Path,
        only: &[RoleName],
        may_begin: bool,
    ) -> Result<Plan, Error> {
        let lock = self.lock()?;
        let mut store = Store::load(self.layout())?;
        store.require_current()?;
        if !may_begin && store.drafts().next().is_none() {
            return Err(Error::NoChange);
        }
        let received = ChangeFile::parse(bytes).map_err(|error| Error::format(from, error))?;
        require_only(&received, only)?;
        let (actions, _) = self.take_in(&mut store, &received, from, &mut Err)?;
        let steps = if actions.is_empty() {
            Vec::new()
        } else {
            let root = crate::anchor::advance(&store)?;
            vec![vec![store.write_change()], root.into_iter().collect()]
        };
        Ok(Plan {
            actions,
            steps,
            lock: Some(lock),
        })
    }

    /// What somebody else has exported, as [`Self::receive_change`] would take it if nothing were open here: every difference to the
    /// versions that are in force, and whose signatures on it count. Nothing is planned or written.
    ///
    /// # Errors
    /// As [`Self::receive_change`], but for what the policy says: that is part of the [`Preview`].
    pub fn preview_change(&self, bytes: &[u8], from: &Path) -> Result<Preview, Error> {
        let store = match Store::load(self.layout()) {
            Err(error) if Store::is_about_change(self.layout(), &error) => {
                Store::load_in_force(self.layout(), GivenUp::default())
            }
            store => store,
        };
        let mut store = store?.without_drafts();
        let received = ChangeFile::parse(bytes).map_err(|error| Error::format(from, error))?;
        let sealed = self.without_change()?;
        let mut refused = Vec::new();
        let refusal = &mut |error| {
            refused.push(error);
            Ok(())
        };
        let (_, graph) = sealed.take_in(&mut store, &received, from, refusal)?;
        let policy = sealed.policy_with(&store.learned);
        Ok(Preview {
            change: of(&store, &graph, &policy, |_| true)?,
            refused: refused.into_iter().next(),
        })
    }

    /// Makes what was received the open change, or puts its signatures on the one that is open. Returns what that does, and the roots
    /// and delegations with the change. `refusal` is asked about what the policy forbids.
    fn take_in(
        &self,
        store: &mut Store,
        received: &ChangeFile,
        from: &Path,
        refusal: &mut dyn FnMut(Error) -> Result<(), Error>,
    ) -> Result<(Vec<Action>, Graph), Error> {
        // What counts here until the change is applied: what it gives up, too.
        let before = Graph::load(&store.without_drafts())?;
        let begins = store.drafts().next().is_none();
        if begins {
            store.give_up(received.given_up.clone());
        } else if let Some((role, _)) = differing(store.given_up(), &received.given_up) {
            return Err(Error::ChangeDiffers { role });
        }
        require_same_past(store, received)?;
        let mut actions = Vec::new();
        if begins {
            take_over(store, received, from, &mut actions)?;
            // Bins are looked at only now that they have drafts.
            let unvouched = crate::heads::require_signed(store, &received.drafts)?;
            store.set_unvouched(unvouched);
        } else {
            require_same_content(store, received)?;
        }
        let graph = Graph::load(store)?;
        if !actions.is_empty() {
            require_effect(store, &graph)?;
            require_leaps(store)?;
            require_forgotten(store, &graph)?;
            let given_up = store.given_up().iter();
            actions.extend(given_up.map(|(role, version)| Action::GivenUp {
                role: role.clone(),
                version,
            }));
            let drafted = |role: &RoleName| received.drafts.contains_key(role);
            store.learned = received.learned.clone().needed_by(&graph, drafted);
            let mut written = self.written_policy()?;
            if let Some(why) = store.learned.contradicts(&written, &before, &graph) {
                refusal(Error::ChangeForeign { why })?;
            }
            // What the policy says today holds, whatever the change would have it learn.
            store.learned.vouch(&mut written);
            crate::edit::check_policy(&graph, &written).or_else(&mut *refusal)?;
            let named = store.learned.named();
            actions.extend(named.map(|(name, keyid)| Action::Named {
                key: KeyName {
                    keyid,
                    name: Some(name),
                },
            }));
        }
        let policy = self.policy_with(&store.learned);
        crate::edit::check_policy(&graph, &policy).or_else(&mut *refusal)?;
        for (role, draft) in store.drafts_mut() {
            let Some(theirs) = received.drafts.get(role).filter(|_| !draft.is_exact()) else {
                continue;
            };
            let taken = merge(draft, theirs, &graph.signatories(role)).map_err(|keyid| {
                Error::ChangeSignature {
                    role: role.clone(),
                    key: policy.key_name(&keyid),
                }
            })?;
            if taken.is_empty() {
                continue;
            }
            let counts = needs_of(role, draft, &graph, &policy)?;
            actions.extend(taken.iter().map(|keyid| Action::Signed {
                role: role.clone(),
                version: draft.version().unwrap_or(Version::FIRST),
                key: policy.key_name(keyid),
                needs: counts.clone(),
            }));
        }
        Ok((actions, graph))
    }
}

/// Refuses a change that touches another role than these, if any are named.
fn require_only(received: &ChangeFile, only: &[RoleName]) -> Result<(), Error> {
    let given_up = received.given_up.iter().map(|(role, _)| role);
    let mut all = received.drafts.keys().chain(given_up);
    match all.find(|role| !only.contains(role)) {
        Some(role) if !only.is_empty() => Err(Error::ChangeRole { role: role.clone() }),
        _ => Ok(()),
    }
}

/// A version that only one of two changes gives up.
fn differing(one: &GivenUp, other: &GivenUp) -> Option<(RoleName, Version)> {
    let only = |of: &GivenUp, not: &GivenUp| {
        let mut all = of.iter();
        let found = all.find(|(role, version)| !not.has(role, *version));
        found.map(|(role, version)| (role.clone(), version))
    };
    only(one, other).or_else(|| only(other, one))
}

/// The digests of the versions that the drafts follow, and of the root in any case: it says whose repository this is.
fn base(store: &Store) -> Result<BTreeMap<String, String>, Error> {
    let drafted = store.drafts().map(|(role, _)| role.clone());
    let mut base = BTreeMap::new();
    for role in drafted.chain([RoleName::Root]) {
        if let Some(bytes) = store.head_bytes(&role)? {
            base.insert(role.to_string(), digest(&bytes));
        }
    }
    Ok(base)
}

/// The SHA-256, in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    tuffet_crypto::aws_lc()
        .digest(HashAlgorithm::Sha256, bytes)
        .to_hex()
}

/// Refuses a change that does not follow what this copy of the repository has sealed.
fn require_same_past(store: &Store, received: &ChangeFile) -> Result<(), Error> {
    if received.drafts.is_empty() {
        return Err(Error::NoChange);
    }
    let foreign = |why| Err(Error::ChangeForeign { why });
    let ours = |role: &RoleName| -> Result<Option<String>, Error> {
        Ok(store.head_bytes(role)?.as_deref().map(digest))
    };
    require_unpublished(store, received)?;
    for (role, draft) in &received.drafts {
        let version = draft.version().unwrap_or(Version::FIRST);
        let sealed = store.head(role);
        if sealed.is_some_and(|sealed| sealed >= version) {
            return Err(Error::Stale {
                role: role.clone(),
                version,
                sealed,
            });
        }
        if !store.is_followed_by(role, draft) {
            return foreign("it follows versions that this copy of the repository does not have");
        }
        if received.base.get(role.as_str()) != ours(role)?.as_ref() {
            return foreign("it follows a version with another content than the one here");
        }
    }
    if received.base.get(RoleName::Root.as_str()) != ours(&RoleName::Root)?.as_ref() {
        return foreign("the root that it follows is not the one here");
    }
    Ok(())
}

/// Refuses a change every draft of which has become a version: whoever sends it again asks for nothing.
fn require_unpublished(store: &Store, received: &ChangeFile) -> Result<(), Error> {
    for (role, draft) in &received.drafts {
        let version = draft.version().unwrap_or(Version::FIRST);
        let sealed = store.found(role, version)?;
        let same = |bytes: Vec<u8>| {
            bytes == draft.to_bytes()
                || Document::parse(&bytes).is_ok_and(|sealed| sealed.says_the_same_as(draft))
        };
        if store.head(role).is_none_or(|head| head < version) || !sealed.is_some_and(same) {
            return Ok(());
        }
    }
    match received.drafts.iter().next() {
        Some((role, draft)) => Err(Error::ChangePublished {
            role: role.clone(),
            version: draft.version().unwrap_or(Version::FIRST),
        }),
        None => Ok(()),
    }
}

/// Begins the change that somebody else has begun. Its signatures are looked at afterwards.
fn take_over(
    store: &mut Store,
    received: &ChangeFile,
    from: &Path,
    actions: &mut Vec<Action>,
) -> Result<(), Error> {
    // No edit made it here, so none can be taken back.
    store.edits = 0;
    for (role, draft) in &received.drafts {
        draft
            .check(crate::edit::kind(role))
            .map_err(|error| Error::format(from, error))?;
        crate::targets::check_listed(draft, role)?;
        let mut draft = draft.clone();
        if !draft.is_exact() {
            draft.clear_signatures();
            draft.clear_unsigned();
        }
        actions.push(Action::Drafted {
            role: role.clone(),
            version: draft.version().unwrap_or(Version::FIRST),
            from: store.head(role),
        });
        store.set_draft(role.clone(), draft);
    }
    Ok(())
}

/// Refuses a file signed elsewhere that would not be accepted by itself, but for its time, which publishing asks for; new targets in roles that no client asks for them, and teams that
/// lay hands on the roles of others: whoever signs for a role is to see that at once.
fn require_effect(store: &Store, graph: &Graph) -> Result<(), Error> {
    for (role, draft) in store.drafts() {
        if draft.is_exact() {
            crate::accept::check(store, graph, role, draft.to_bytes(), None)?;
            continue;
        }
        if matches!(role, RoleName::Targets | RoleName::Delegated(_)) {
            crate::accept::require_own_names(store, graph, role, draft)?;
        }
        if let RoleName::Delegated(_) = role {
            let head = store.head_document(role)?;
            let listed = |path: &TargetPath| {
                let targets = head.as_ref().and_then(|head| head.member("targets"));
                targets.is_some_and(|targets| targets.get(path.as_str()).is_some())
            };
            let new = crate::accept::uncovered(graph, role, draft)?;
            if let Some(path) = new.into_iter().find(|path| !listed(path)) {
                return Err(Error::TargetOutside {
                    path,
                    covers: graph.covered(role),
                    role: role.clone(),
                });
            }
        }
    }
    Ok(())
}

/// Signatures belong to one content: a change that says something else is another one.
fn require_same_content(store: &Store, received: &ChangeFile) -> Result<(), Error> {
    let differs = |role: &RoleName| Error::ChangeDiffers { role: role.clone() };
    for (role, draft) in store.drafts() {
        match received.drafts.get(role) {
            Some(theirs) if theirs.is_exact() != draft.is_exact() => return Err(differs(role)),
            Some(theirs) if draft.is_exact() && theirs != draft => return Err(differs(role)),
            Some(theirs) if theirs.says_the_same_as(draft) => {}
            _ => return Err(differs(role)),
        }
    }
    match received
        .drafts
        .keys()
        .find(|role| store.draft(role).is_none())
    {
        Some(role) => Err(differs(role)),
        None => Ok(()),
    }
}

/// Attaches those of the other's signatures that count and are not here yet; returns their keyids. A signature that is none of a key
/// under its keyid is an error: what was signed, or the signature, is not what it was.
fn merge(
    draft: &mut Document,
    theirs: &Document,
    authorities: &[Authority<'_>],
) -> Result<Vec<KeyId>, KeyId> {
    let mut taken = Vec::new();
    for (keyid, keys) in usable_keys(authorities) {
        if !theirs.signature_keyids().any(|own| own == keyid.as_str()) {
            continue;
        }
        let signature = theirs.signature(keyid).unwrap_or_default();
        let mut of = keys.iter();
        let good = of.find_map(|key| Some((key, draft.confirm(key, &signature).ok()?)));
        let (key, signature) = good.ok_or_else(|| keyid.clone())?;
        if !draft.is_signed_by(keyid, key) {
            draft.attach_confirmed(keyid, &signature);
            taken.push(keyid.clone());
        }
    }
    Ok(taken)
}

/// The keys of these that signatures can be verified by. One keyid may stand for different keys before and after a rotation.
fn usable_keys<'a>(authorities: &[Authority<'a>]) -> BTreeMap<&'a KeyId, Vec<PublicKeyInfo>> {
    let mut all: BTreeMap<&KeyId, Vec<PublicKeyInfo>> = BTreeMap::new();
    for authority in authorities {
        for keyid in &authority.keys.keyids {
            if let Some(key) = authority.table.key(keyid.as_str()).and_then(info) {
                all.entry(keyid).or_default().push(key);
            }
        }
    }
    all
}

/// The member of an exported change that says what it follows.
pub(super) fn base_to_value(base: &BTreeMap<String, String>) -> Value {
    base.iter()
        .map(|(role, digest)| (role.as_str(), Value::from(digest.as_str())))
        .collect()
}
