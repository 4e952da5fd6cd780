//! What a refresh ends in.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::floor::Floor;
use super::phases::{snapshot_floor, timestamp_floor};
use super::proof::Trail;
use super::{Rejected, TargetCheck, Verified, percent_encode};
use crate::crypto::Crypto;
use crate::metadata::{
    DelegatedName, RoleName, Root, Snapshot, TargetFile, TargetPath, Targets, Timestamp, UnixTime,
};

/// A repository as verified at one moment. Immutable, cheap to clone, and sent between threads freely.
#[derive(Debug, Clone)]
pub struct TrustedView(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    root: Verified<Root>,
    timestamp: Verified<Timestamp>,
    snapshot: Verified<Snapshot>,
    targets: Verified<Targets>,
    /// By delegator and name: a role verified for one delegator says nothing to another.
    roles: BTreeMap<(RoleName, DelegatedName), Known>,
    started: UnixTime,
}

/// A delegated role, and the file of the delegator whose keys it was verified with.
#[derive(Debug, Clone)]
struct Known {
    delegator: Arc<Vec<u8>>,
    role: Verified<Targets>,
}

impl TrustedView {
    pub(super) fn new(
        root: Verified<Root>,
        timestamp: Verified<Timestamp>,
        snapshot: Verified<Snapshot>,
        targets: Verified<Targets>,
        started: UnixTime,
    ) -> Self {
        Self(Arc::new(Inner {
            root,
            timestamp,
            snapshot,
            targets,
            roles: BTreeMap::new(),
            started,
        }))
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> &Verified<Root> {
        &self.0.root
    }

    /// The timestamp.
    #[must_use]
    pub fn timestamp(&self) -> &Verified<Timestamp> {
        &self.0.timestamp
    }

    /// The snapshot.
    #[must_use]
    pub fn snapshot(&self) -> &Verified<Snapshot> {
        &self.0.snapshot
    }

    /// The top-level targets role.
    #[must_use]
    pub fn targets(&self) -> &Verified<Targets> {
        &self.0.targets
    }

    /// When the refresh began; every expiry was checked against this moment.
    #[must_use]
    pub fn started(&self) -> UnixTime {
        self.0.started
    }

    /// The earliest expiry among root, timestamp, snapshot and targets: until then this view is fresh.
    #[must_use]
    pub fn fresh_until(&self) -> UnixTime {
        let inner = &self.0;
        [
            inner.root.expires(),
            inner.timestamp.expires(),
            inner.snapshot.expires(),
            inner.targets.expires(),
        ]
        .into_iter()
        .min()
        .unwrap_or(inner.started)
    }

    /// Whether a client that has accepted an earlier view of the same repository accepts this one after it: no version has gone back,
    /// and no role is gone (C-22, C-23, C-34). For whoever publishes, and has verified both.
    ///
    /// `None` if only a [`Refresh`](super::Refresh) of that client can tell: there is another root, whose keys decide what of the
    /// earlier view still counts (C-11), or the version of the timestamp is the same, so that the client stays with its own.
    ///
    /// # Errors
    /// [`Rejected::Rollback`], [`Rejected::Removed`].
    #[must_use]
    pub fn follows(&self, earlier: &Self) -> Option<Result<(), Box<Rejected>>> {
        let (now, then) = (&self.0, &earlier.0);
        if now.root.received() != then.root.received()
            || now.timestamp.version() == then.timestamp.version()
        {
            return None;
        }
        let floor = Floor::Verified(then.snapshot.clone());
        let checked = timestamp_floor(then.timestamp.content(), now.timestamp.content())
            .and_then(|()| snapshot_floor(&floor, &now.snapshot));
        Some(checked.map_err(Box::new))
    }

    /// What of the view will have expired at a moment, in the order of trust, the delegated roles verified so far included; each with
    /// its expiry. At that moment a client refuses the first of them.
    pub fn expired_at(&self, moment: UnixTime) -> impl Iterator<Item = (&RoleName, UnixTime)> {
        let inner = &self.0;
        let top = [
            (inner.root.role(), inner.root.expires()),
            (inner.timestamp.role(), inner.timestamp.expires()),
            (inner.snapshot.role(), inner.snapshot.expires()),
            (inner.targets.role(), inner.targets.expires()),
        ];
        let delegated = self.delegated();
        let delegated = delegated.map(|(_, file)| (file.role(), file.expires()));
        let all = top.into_iter().chain(delegated);
        // Expiring at this very second is expired.
        all.filter(move |(_, expires)| *expires <= moment)
    }

    /// The delegated roles verified so far, each with the role that delegates to it.
    pub fn delegated(&self) -> impl Iterator<Item = (&RoleName, &Verified<Targets>)> {
        self.0
            .roles
            .iter()
            .map(|((delegator, _), known)| (delegator, &known.role))
    }

    /// A role that was verified with the keys that this very file of its delegator names: where two roles delegate to the
    /// delegator with different keys, two files of it may be true, and each speaks for itself.
    pub(super) fn role(
        &self,
        delegator: &Verified<Targets>,
        name: &DelegatedName,
    ) -> Option<&Verified<Targets>> {
        let known = self
            .0
            .roles
            .get(&(delegator.role().clone(), name.clone()))?;
        Arc::ptr_eq(&known.delegator, delegator.received()).then_some(&known.role)
    }

    pub(super) fn add_role(
        &mut self,
        delegator: &Verified<Targets>,
        name: DelegatedName,
        role: Verified<Targets>,
    ) {
        let known = Known {
            delegator: Arc::clone(delegator.received()),
            role,
        };
        Arc::make_mut(&mut self.0)
            .roles
            .insert((delegator.role().clone(), name), known);
    }
}

/// A target that a role vouches for, found by the delegation search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The path that was asked for.
    pub path: TargetPath,
    /// Length, hashes and custom data.
    pub target: TargetFile,
    /// The role that lists the target.
    pub role: RoleName,
    pub(super) trail: Trail,
    pub(super) consistent: bool,
}

impl Found {
    /// The paths under which the repository may hold the bytes, relative to the targets base and percent-encoded, in the order
    /// to try them: with consistent snapshots one for each listed hash, the hash before the last component (C-51, A-39).
    #[must_use]
    pub fn url_paths(&self) -> Vec<String> {
        let encoded = percent_encode(self.path.as_str(), true);
        if !self.consistent {
            return alloc::vec![encoded];
        }
        let (directory, name) = match encoded.rsplit_once('/') {
            Some((directory, name)) => (alloc::format!("{directory}/"), name),
            None => (String::new(), encoded.as_str()),
        };
        self.target
            .hashes
            .digests()
            .iter()
            .map(|digest| alloc::format!("{directory}{}.{name}", digest.to_hex()))
            .collect()
    }

    /// Begins to check the bytes of the target.
    #[must_use]
    pub fn check(&self, crypto: &dyn Crypto) -> TargetCheck {
        TargetCheck::new(self.path.clone(), &self.target, crypto)
    }

    /// Checks bytes that are at hand, such as a file downloaded before.
    ///
    /// # Errors
    /// [`Rejected::TargetLength`], [`Rejected::TargetHash`].
    pub fn check_bytes(
        &self,
        bytes: &[u8],
        crypto: &dyn Crypto,
    ) -> Result<super::VerifiedTarget, Rejected> {
        let mut check = self.check(crypto);
        check.update(bytes)?;
        check.finish()
    }
}
