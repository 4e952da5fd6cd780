//! Signing the drafts of the open change.

mod rehash;

use std::collections::{BTreeMap, BTreeSet};

use tuffet_core::metadata::{KeyId, RoleName, Version};
use tuffet_sign::{PublicKeyInfo, Signer};

use crate::Error;
use crate::change::Change;
use crate::document::Document;
use crate::graph::{Authority, Graph};
use crate::keys::{KeyName, keyid};
use crate::plan::{Action, Plan};
use crate::policy::Policy;
use crate::quorum::needs_of;
use crate::repository::{Repository, info};
use crate::store::Store;

pub(crate) use rehash::rehash;

impl Repository {
    /// Signs every draft of the open change that one of the signers may sign. The signatures are made here and now, and written
    /// when the plan is executed. Before that the staged bytes of new and changed targets are hashed once more. Keys of snapshot and timestamp may be among the signers: theirs is the word that
    /// [`Repository::publish`] asks for.
    ///
    /// # Errors
    /// [`Error::NoChange`]; [`Error::KeyNotNeeded`] for a signer that may sign neither; [`Error::Stale`];
    /// [`Error::ContentDiffers`]; [`Error::Signer`].
    pub fn sign(&self, signers: &[&dyn Signer]) -> Result<Plan, Error> {
        let mut session = self.begin_to_sign()?;
        let plan = session.sign(signers)?;
        Ok(session.end(plan))
    }
}

/// What [`Repository::sign`] does.
pub(crate) fn sign(
    store: &mut Store,
    graph: &Graph,
    policy: &Policy,
    signers: &[&dyn Signer],
    shown: Option<&Change>,
    hashed: &dyn Fn(u64, u64),
) -> Result<Plan, Error> {
    store.require_current()?;
    if store.drafts().next().is_none() {
        return Err(Error::NoChange);
    }
    for signer in signers {
        let drafted = store.drafts().map(|(role, _)| role);
        let needed = drafted
            .chain([&RoleName::Snapshot, &RoleName::Timestamp])
            .any(|role| !wanted(signer.public(), &graph.signatories(role)).is_empty());
        if !needed {
            return Err(Error::KeyNotNeeded(
                policy.key_name(&keyid(signer.public())),
            ));
        }
    }
    let roles = unsigned(store, graph, signers);
    if let Some(shown) = shown {
        require_shown(store, &roles, shown)?;
    }
    let mut actions = rehash(store, &roles, hashed)?;
    actions.extend(attach(store, graph, policy, signers)?);
    let change = if actions.is_empty() {
        Vec::new()
    } else {
        vec![store.write_change()]
    };
    Ok(Plan {
        actions,
        steps: vec![change],
        lock: None,
    })
}

/// The roles whose drafts the signers may sign and have not all signed.
pub(crate) fn unsigned(
    store: &mut Store,
    graph: &Graph,
    signers: &[&dyn Signer],
) -> BTreeSet<RoleName> {
    let drafts = store.drafts_mut().filter(|(_, draft)| !draft.is_exact());
    let lacks = |(role, draft): (&RoleName, &mut Document)| {
        let authorities = graph.signatories(role);
        let lacks = signers.iter().any(|signer| {
            let mut keyids = wanted(signer.public(), &authorities).into_iter();
            keyids.any(|(keyid, key)| !draft.is_signed_by(&keyid, &key))
        });
        lacks.then(|| role.clone())
    };
    drafts.filter_map(lacks).collect()
}

/// Refuses to sign what says something else than what was shown. Signatures may have come since.
pub(crate) fn require_shown(
    store: &Store,
    roles: &BTreeSet<RoleName>,
    shown: &Change,
) -> Result<(), Error> {
    let shown = shown
        .drafts
        .iter()
        .map(|draft| (&draft.role, draft.bytes()));
    let shown: BTreeMap<&RoleName, &[u8]> = shown.collect();
    for role in roles {
        let same = |draft: &Document| {
            let shown = *shown.get(role)?;
            if shown == draft.to_bytes() {
                return Some(true);
            }
            Some(Document::parse(shown).ok()?.says_the_same_as(draft))
        };
        if store.draft(role).and_then(same) != Some(true) {
            return Err(Error::ChangeNotShown { role: role.clone() });
        }
    }
    Ok(())
}

/// Attaches the signatures that the signers may make and have not made.
pub(crate) fn attach(
    store: &mut Store,
    graph: &Graph,
    policy: &Policy,
    signers: &[&dyn Signer],
) -> Result<Vec<Action>, Error> {
    let mut actions = Vec::new();
    // A file that was signed elsewhere is complete, and passed on as it is.
    let drafts = store.drafts_mut().filter(|(_, draft)| !draft.is_exact());
    for (role, draft) in drafts {
        let names = sign_document(role, draft, &graph.signatories(role), policy, signers)?;
        if names.is_empty() {
            continue;
        }
        let counts = needs_of(role, draft, graph, policy)?;
        let version = draft.version().unwrap_or(Version::FIRST);
        actions.extend(names.into_iter().map(|key| Action::Signed {
            role: role.clone(),
            version,
            key,
            needs: counts.clone(),
        }));
    }
    Ok(actions)
}

/// Signs a document with those signers whose key is among the keys that it needs, unless they have; returns who signed.
pub(crate) fn sign_document(
    role: &RoleName,
    document: &mut Document,
    authorities: &[Authority<'_>],
    policy: &Policy,
    signers: &[&dyn Signer],
) -> Result<Vec<KeyName>, Error> {
    let mut names = Vec::new();
    for signer in signers {
        for (keyid, listed) in wanted(signer.public(), authorities) {
            // A signature that does not verify is no reason not to make a good one.
            if document.is_signed_by(&keyid, &listed) {
                continue;
            }
            let key = policy.key_name(&keyid);
            let signed = document.sign_for(&keyid, &listed, *signer);
            signed.map_err(|error| Error::Signer {
                role: role.clone(),
                key: key.clone(),
                error: Box::new(error),
            })?;
            names.push(key);
        }
    }
    Ok(names)
}

/// The keyids under which a key may sign, each with the key as it is listed there: the same value in another form, or one that counts
/// as the same and verifies other signatures.
pub(crate) fn wanted(
    key: &PublicKeyInfo,
    authorities: &[Authority<'_>],
) -> Vec<(KeyId, PublicKeyInfo)> {
    let mut all = Vec::new();
    for authority in authorities {
        for keyid in &authority.keys.keyids {
            let listed = authority.table.key(keyid.as_str()).and_then(info);
            let own = |listed: &PublicKeyInfo| {
                listed.identity() == key.identity() && listed.scheme() == key.scheme()
            };
            if let Some(listed) = listed.filter(own) {
                let one = (keyid.clone(), listed);
                if !all.contains(&one) {
                    all.push(one);
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use tuffet_core::crypto::{PublicKey, Scheme};
    use tuffet_core::metadata::{Parsed, Root, UnixTime};
    use tuffet_core::trust::Signers;
    use tuffet_sign::FileKey;

    use super::*;
    use crate::builder;
    use crate::keys::NamedKey;

    #[test]
    fn nobody_signs_under_a_keyid_whose_key_would_not_verify_it() {
        let signer = FileKey::generate(Scheme::Ed25519).unwrap();
        let PublicKey::Ed25519(mut bytes) = signer.public().public().clone() else {
            panic!("another kind of key")
        };
        bytes[31] ^= 0x80;
        let mirrored = PublicKeyInfo::new(Scheme::Ed25519, PublicKey::Ed25519(bytes)).unwrap();
        for (listed, code) in [
            (signer.public().clone(), None),
            (mirrored, Some("key.mismatch")),
        ] {
            let listed = NamedKey::new("ana", listed).unwrap();
            let root = builder::Root::new(Version::FIRST, UnixTime(0));
            let root = root.role(&RoleName::Targets, std::slice::from_ref(&listed), 1);
            let root = ["root", "timestamp", "snapshot"]
                .iter()
                .fold(root, |root, role| {
                    root.role(
                        &RoleName::new(role).unwrap(),
                        std::slice::from_ref(&listed),
                        1,
                    )
                });
            let root = Parsed::<Root>::parse(root.build().to_bytes()).unwrap();
            let authority = Authority {
                signers: Signers::Root(Version::FIRST),
                table: root.unverified().keys(),
                keys: root.unverified().role(&RoleName::Targets).unwrap(),
            };
            let mut document = Document::new("targets", Version::FIRST, UnixTime(0));
            let policy = Policy::new("");
            let role = RoleName::Targets;
            let signed = sign_document(&role, &mut document, &[authority], &policy, &[&signer]);
            assert_eq!(signed.err().map(|error| error.code()), code);
            let count = document.signature_keyids().count();
            assert_eq!(count, usize::from(code.is_none()));
        }
    }
}
