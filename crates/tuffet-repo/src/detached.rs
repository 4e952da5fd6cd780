//! Signatures that are made elsewhere, by whatever can sign bytes: the bytes go there, the signature comes back.

use tuffet_core::crypto::signed_message;
use tuffet_core::metadata::{KeyId, RoleName, Version};
use tuffet_sign::SignError;

use crate::Error;
use crate::graph::Graph;
use crate::keys::NamedKey;
use crate::plan::{Action, Plan};
use crate::quorum::needs_of;
use crate::repository::Repository;
use crate::sign::wanted;
use crate::store::Store;

impl Repository {
    /// The bytes that a key has to sign so that its signature counts for a role of the open change: the canonical form of the
    /// role, and for ML-DSA what TAP 21 makes of it.
    ///
    /// # Errors
    /// [`Error::NoChange`] if the role has no draft; [`Error::KeyUnknown`], [`Error::KeyAmbiguous`]; [`Error::KeyNotNeeded`] for a
    /// key that may not sign the role.
    pub fn payload(&self, role: &RoleName, key: &str) -> Result<Vec<u8>, Error> {
        let store = Store::load(self.layout())?;
        store.require_current()?;
        let graph = Graph::load(&store)?;
        let key = self.key_in(&graph, key)?;
        let draft = store.draft(role).ok_or(Error::NoChange)?;
        self.keyids_of(&key, role, &graph)?;
        let canonical = draft.canonical();
        let crypto = tuffet_crypto::aws_lc();
        Ok(signed_message(key.key().scheme(), &canonical, crypto).into_owned())
    }

    /// Attaches a signature that was made over [`Repository::payload`].
    ///
    /// # Errors
    /// As that, and [`Error::Signer`] for a signature that is not of this key over these bytes.
    pub fn attach_signature(
        &self,
        role: &RoleName,
        key: &str,
        signature: &[u8],
    ) -> Result<Plan, Error> {
        let lock = self.lock()?;
        let mut store = Store::load(self.layout())?;
        store.require_current()?;
        let graph = Graph::load(&store)?;
        let key = self.key_in(&graph, key)?;
        let name = self.policy().key_name(&key.keyid());
        let wrong = |error: SignError| Error::Signer {
            role: role.clone(),
            key: name.clone(),
            error: Box::new(error),
        };
        let draft = store.draft_mut(role).ok_or(Error::NoChange)?;
        for keyid in self.keyids_of(&key, role, &graph)? {
            let attached = draft.attach_verified(&keyid, key.key(), signature);
            attached.map_err(wrong)?;
        }
        let action = Action::Signed {
            role: role.clone(),
            version: draft.version().unwrap_or(Version::FIRST),
            key: name,
            needs: needs_of(role, draft, &graph, self.policy())?,
        };
        Ok(Plan {
            actions: vec![action],
            steps: vec![
                vec![store.write_change()],
                crate::anchor::advance(&store)?.into_iter().collect(),
            ],
            lock: Some(lock),
        })
    }

    /// Those under which the key may sign the role: at least one.
    fn keyids_of(
        &self,
        key: &NamedKey,
        role: &RoleName,
        graph: &Graph,
    ) -> Result<Vec<KeyId>, Error> {
        let keyids = wanted(key.key(), &graph.signatories(role));
        if keyids.is_empty() {
            return Err(Error::KeyNotNeeded(self.policy().key_name(&key.keyid())));
        }
        Ok(keyids)
    }
}
