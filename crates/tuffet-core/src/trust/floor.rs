//! Stored files below which nothing goes.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::verified::Candidate;
use super::{Context, Rejected, Signers, Verified};
use crate::metadata::{Parsed, Regression, Role, RoleKeys, RoleName, Root, Snapshot};

/// A stored timestamp or snapshot.
#[derive(Debug)]
pub(super) enum Floor<R> {
    /// It is good under the present root, and may be used again.
    Verified(Verified<R>),
    /// The present root would not accept it any more, and no key has left for that: a floor and nothing else.
    ///
    /// Keys may have got new keyids: those stand beside the signatures and are not signed. Whoever replays an older file can write
    /// the new keyid there, so a client that went by the keyids would lose its floor and take it. Or the threshold has been
    /// raised: an older file may have as many signatures, from a time when as many were asked for.
    Former(Arc<Parsed<R>>),
}

impl<R> Clone for Floor<R> {
    fn clone(&self) -> Self {
        match self {
            Self::Verified(file) => Self::Verified(file.clone()),
            Self::Former(file) => Self::Former(Arc::clone(file)),
        }
    }
}

impl<R: Role> Floor<R> {
    /// `accepted` says that an earlier root is known to have accepted these very bytes, and that no key has left since.
    pub(super) fn read(
        role: RoleName,
        bytes: Vec<u8>,
        (root, keys): (&Root, &RoleKeys),
        accepted: bool,
        cx: Context<'_>,
    ) -> Result<Self, Rejected> {
        let mut candidate = Candidate::<R>::read_stored(role, bytes, cx)?;
        // Its threshold was at least one of the keys that are all still there.
        let need = if accepted { 1 } else { keys.threshold };
        match candidate.require(Signers::Root(root.version()), root.keys(), keys) {
            Ok(quorum) => Ok(Self::Verified(candidate.seal(quorum))),
            Err(_) if candidate.signed_whatever_the_keyids(root.keys(), keys) >= need => {
                Ok(Self::Former(Arc::new(candidate.into_parsed())))
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn content(&self) -> &R {
        match self {
            Self::Verified(file) => file.content(),
            Self::Former(file) => file.unverified(),
        }
    }

    /// The file, if it may be used again.
    pub(super) fn verified(&self) -> Option<&Verified<R>> {
        match self {
            Self::Verified(file) => Some(file),
            Self::Former(_) => None,
        }
    }
}

impl Floor<Snapshot> {
    /// The first role that a later snapshot lists with a lower version, or not at all (C-34).
    pub(super) fn regression(&self, later: &Verified<Snapshot>) -> Option<Regression> {
        let document = match self {
            Self::Verified(file) => file.document(),
            Self::Former(file) => file.document(),
        };
        self.content()
            .regression(document, later.content(), later.document())
    }
}
