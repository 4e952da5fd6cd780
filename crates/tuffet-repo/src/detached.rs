//! Signatures that are made elsewhere, by whatever can sign bytes: the bytes go there, the signature comes back.

use std::collections::BTreeSet;

use tuffet_core::crypto::signed_message;
use tuffet_core::metadata::{KeyId, RoleName, Version};
use tuffet_sign::{PublicKeyInfo, SignError};

use crate::Error;
use crate::change::{Change, of};
use crate::graph::Graph;
use crate::keys::NamedKey;
use crate::plan::{Action, Plan};
use crate::quorum::needs_of;
use crate::repository::Repository;
use crate::session::Session;
use crate::sign::{rehash, require_shown, wanted};
use crate::store::Store;

impl Repository {
    /// The bytes that a key has to sign so that its signature counts for a role of the open change: the canonical form of the
    /// role, and for ML-DSA what TAP 21 makes of it. Before they are handed out the staged bytes of new and changed targets are hashed
    /// once more, as [`Repository::sign`] does; the plan says what is not there to be hashed.
    ///
    /// # Errors
    /// As [`Session::payload`].
    pub fn payload(&self, role: &RoleName, key: &str) -> Result<(Vec<u8>, Plan), Error> {
        let session = self.begin_to_sign()?;
        let shown = session.to_sign_elsewhere(role, key)?;
        let (payload, plan) = session.payload(&shown, role, key, &|_, _| {})?;
        Ok((payload, session.end(plan)))
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
        for (keyid, listed) in self.keyids_of(&key, role, &graph)? {
            let attached = draft.attach_verified(&keyid, &listed, signature);
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

    /// The key of this name, if it may sign the role.
    fn key_of(&self, graph: &Graph, role: &RoleName, key: &str) -> Result<NamedKey, Error> {
        let key = self.key_in(graph, key)?;
        self.keyids_of(&key, role, graph)?;
        Ok(key)
    }

    /// Those under which the key may sign the role, and the key as it is listed there: at least one.
    fn keyids_of(
        &self,
        key: &NamedKey,
        role: &RoleName,
        graph: &Graph,
    ) -> Result<Vec<(KeyId, PublicKeyInfo)>, Error> {
        let keyids = wanted(key.key(), &graph.signatories(role));
        if keyids.is_empty() {
            return Err(Error::KeyNotNeeded(self.policy().key_name(&key.keyid())));
        }
        Ok(keyids)
    }
}

impl Session<'_> {
    /// What whoever signs for a role elsewhere has to look at: the open change with no other draft than that of the role.
    ///
    /// # Errors
    /// [`Error::Stale`]; [`Error::NoChange`] if the role has no draft; [`Error::KeyUnknown`], [`Error::KeyAmbiguous`];
    /// [`Error::KeyNotNeeded`] for a key that may not sign the role.
    pub fn to_sign_elsewhere(&self, role: &RoleName, key: &str) -> Result<Change, Error> {
        self.store.require_current()?;
        self.repository.key_of(&self.graph, role, key)?;
        self.store.draft(role).ok_or(Error::NoChange)?;
        let policy = self.repository.policy();
        of(&self.store, &self.graph, policy, |other| other == role)
    }

    /// The bytes that the key has to sign, if the draft says what people have been shown. Before that the staged bytes of new and changed
    /// targets are hashed once more; the plan says what is not there to be hashed. `hashed` is told how many bytes have been, and of how many.
    ///
    /// # Errors
    /// As [`Session::to_sign_elsewhere`]; [`Error::ChangeNotShown`], [`Error::ContentDiffers`].
    pub fn payload(
        &self,
        shown: &Change,
        role: &RoleName,
        key: &str,
        hashed: &dyn Fn(u64, u64),
    ) -> Result<(Vec<u8>, Plan), Error> {
        self.store.require_current()?;
        let key = self.repository.key_of(&self.graph, role, key)?;
        let draft = self.store.draft(role).ok_or(Error::NoChange)?;
        let roles = BTreeSet::from([role.clone()]);
        require_shown(&self.store, &roles, shown)?;
        let plan = Plan {
            actions: rehash(&self.store, &roles, hashed)?,
            steps: vec![crate::anchor::advance(&self.store)?.into_iter().collect()],
            lock: None,
        };
        let (scheme, crypto) = (key.key().scheme(), tuffet_crypto::aws_lc());
        let payload = signed_message(scheme, &draft.canonical(), crypto).into_owned();
        Ok((payload, plan))
    }
}
