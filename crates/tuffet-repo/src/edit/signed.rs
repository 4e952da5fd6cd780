//! Signatures on what an edit changes: they are somebody's word, which is not thrown away by the way.

use std::collections::BTreeMap;

use tuffet_core::json::Value;
use tuffet_core::metadata::{KeyId, RoleName, Version};

use crate::Error;
use crate::document::Document;
use crate::keys::KeyName;
use crate::plan::Action;
use crate::policy::Policy;
use crate::store::Store;

/// What people had signed of the open change before an edit.
#[derive(Debug)]
pub(super) struct Signed(BTreeMap<RoleName, Signatures>);

/// The signatures on one draft.
#[derive(Debug)]
struct Signatures {
    version: Version,
    keys: Vec<KeyName>,
    /// Whether what was signed says nothing yet.
    empty: bool,
}

impl Signed {
    /// Signatures that were made elsewhere come and go with their files, and publishing makes those of automation again.
    pub(super) fn of(store: &Store, policy: &Policy) -> Self {
        let here = store.drafts().filter(|(_, draft)| !draft.is_exact());
        let signed = here.filter_map(|(role, draft)| {
            let keyids = draft.signature_keyids();
            let people = keyids.filter(|keyid| !is_online(policy, keyid));
            let people = people.filter_map(|keyid| KeyId::new(keyid).ok());
            let keys: Vec<KeyName> = people.map(|keyid| policy.key_name(&keyid)).collect();
            let signatures = Signatures {
                version: draft.version().unwrap_or(Version::FIRST),
                empty: store.head(role).is_none() && lists_nothing(role, draft),
                keys,
            };
            (!signatures.keys.is_empty()).then(|| (role.clone(), signatures))
        });
        Self(signed.collect())
    }

    /// The draft of this role goes whoever has signed it. Says whose signatures go with it.
    pub(super) fn forget(&mut self, role: &RoleName) -> Option<Action> {
        let signatures = self.0.remove(role)?;
        Some(signatures.discarded(role))
    }

    /// Those whose draft is another one now.
    pub(super) fn lost(&self, stays: impl Fn(&RoleName) -> bool) -> Lost<'_> {
        let all = self.0.iter();
        Lost(all.filter(|(role, _)| !stays(role)).collect())
    }
}

impl Signatures {
    fn discarded(&self, role: &RoleName) -> Action {
        Action::Discarded {
            role: role.clone(),
            version: self.version,
            keys: self.keys.clone(),
        }
    }
}

/// Signatures that an edit takes away.
pub(super) struct Lost<'s>(Vec<(&'s RoleName, &'s Signatures)>);

impl Lost<'_> {
    /// What is said about it. Nobody minds who has founded a role without targets and fills it now.
    pub(super) fn discard(self, allowed: bool) -> Result<Vec<Action>, Error> {
        let minded = self.0.iter().filter(|(_, signatures)| !signatures.empty);
        let minded: Vec<(RoleName, Vec<KeyName>)> = minded
            .map(|(role, signatures)| ((*role).clone(), signatures.keys.clone()))
            .collect();
        if !allowed && !minded.is_empty() {
            return Err(Error::ChangeSigned { lost: minded });
        }
        let all = self.0.into_iter();
        Ok(all
            .map(|(role, signatures)| signatures.discarded(role))
            .collect())
    }
}

fn is_online(policy: &Policy, keyid: &str) -> bool {
    let mut online = policy.keys.values().filter(|key| key.online);
    online.any(|key| key.keyid == keyid || key.former.iter().any(|former| former == keyid))
}

/// Whether it is a role for targets that has none.
fn lists_nothing(role: &RoleName, draft: &Document) -> bool {
    let targets = draft.member("targets").and_then(Value::as_object);
    *role != RoleName::Root && targets.is_none_or(|targets| targets.is_empty())
}
