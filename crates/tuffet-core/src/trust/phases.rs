//! The typed states after root: timestamp, snapshot, targets (TUF §5.4 to §5.6).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::floor::Floor;
use super::verified::{Candidate, check_length, check_listed};
use super::{Context, Fetch, Rejected, RemoteFile, Signers, TrustedView, Verified};
use crate::crypto::{Crypto, Digest, HashAlgorithm};
use crate::metadata::{
    KeyTable, MetaFile, Regression, Role, RoleKeys, RoleName, Root, Snapshot, Targets, Timestamp,
    Version,
};

/// A refusal, and the state as it was before: another answer may be tried.
pub struct Refused<S>(Box<(S, Rejected)>);

impl<S> Refused<S> {
    pub(super) fn new(state: S, error: Rejected) -> Self {
        Self(Box::new((state, error)))
    }

    /// Why the answer was refused.
    #[must_use]
    pub fn error(&self) -> &Rejected {
        &self.0.1
    }

    /// The state as it was before, and why the answer was refused.
    #[must_use]
    pub fn into_parts(self) -> (S, Rejected) {
        *self.0
    }
}

impl<S> fmt::Debug for Refused<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(&self.0.1).finish()
    }
}

/// Root is settled; the next thing that can come is a timestamp.
#[derive(Debug, Clone)]
pub struct WithRoot<'c> {
    cx: Context<'c>,
    root: Verified<Root>,
    rotated: Option<Version>,
    forgotten: bool,
    stored_timestamp: Option<Floor<Timestamp>>,
    stored_snapshot: Option<Floor<Snapshot>>,
}

impl<'c> WithRoot<'c> {
    pub(super) fn new(cx: Context<'c>, root: Verified<Root>, rotated: Option<Version>) -> Self {
        Self {
            cx,
            root,
            rotated,
            forgotten: false,
            stored_timestamp: None,
            stored_snapshot: None,
        }
    }

    /// The trusted root.
    #[must_use]
    pub fn root(&self) -> &Verified<Root> {
        &self.root
    }

    /// The newest root that made timestamps and snapshots void which an older root had accepted (C-11).
    #[must_use]
    pub fn rotated(&self) -> Option<Version> {
        self.rotated
    }

    /// Drops the stored timestamp and snapshot, because a rotation made them void (C-11).
    #[must_use]
    pub fn forget(self) -> Self {
        Self {
            forgotten: true,
            stored_timestamp: None,
            stored_snapshot: None,
            ..self
        }
    }

    /// The root version that made the stored files void, if they were dropped for it.
    #[must_use]
    pub fn purged(&self) -> Option<Version> {
        self.rotated.filter(|_| self.forgotten)
    }

    /// Takes a stored timestamp as the floor below which no timestamp may go, even if it has expired.
    ///
    /// # Errors
    /// Why the stored bytes cannot be trusted; then there is no floor.
    pub fn restore_timestamp(&mut self, bytes: Vec<u8>) -> Result<(), Rejected> {
        self.restore_accepted_timestamp(bytes, false)
    }

    /// The same; `accepted` as in [`Floor::read`].
    pub(super) fn restore_accepted_timestamp(
        &mut self,
        bytes: Vec<u8>,
        accepted: bool,
    ) -> Result<(), Rejected> {
        let root = self.root.content();
        let by = (root, root.timestamp_keys());
        let floor = Floor::read(RoleName::Timestamp, bytes, by, accepted, self.cx)?;
        self.stored_timestamp = Some(floor);
        Ok(())
    }

    /// Takes a stored snapshot as the floor below which no listed version may go, even if it has expired.
    ///
    /// # Errors
    /// Why the stored bytes cannot be trusted; then there is no floor.
    pub fn restore_snapshot(&mut self, bytes: Vec<u8>) -> Result<(), Rejected> {
        self.restore_accepted_snapshot(bytes, false)
    }

    /// The same; `accepted` as in [`Floor::read`].
    pub(super) fn restore_accepted_snapshot(
        &mut self,
        bytes: Vec<u8>,
        accepted: bool,
    ) -> Result<(), Rejected> {
        let root = self.root.content();
        let by = (root, root.snapshot_keys());
        self.stored_snapshot = Some(Floor::read(
            RoleName::Snapshot,
            bytes,
            by,
            accepted,
            self.cx,
        )?);
        Ok(())
    }

    /// The file that holds the timestamp: never under a version (C-20).
    #[must_use]
    pub fn fetch(&self) -> Fetch {
        Fetch {
            file: RemoteFile {
                role: RoleName::Timestamp,
                version: None,
            },
            limit: self.cx.policy.limits.timestamp,
            length: None,
        }
    }

    /// Checks a timestamp: signed by root's keys (C-21), not older than the stored one (C-22), not pointing to an older
    /// snapshot (C-23), not expired (C-24). One of the same version is discarded and the stored one kept.
    ///
    /// # Errors
    /// [`Rejected::Length`], [`Rejected::Format`], [`Rejected::Strict`], [`Rejected::Threshold`], [`Rejected::Rollback`],
    /// [`Rejected::Expired`].
    pub fn timestamp(self, bytes: Vec<u8>) -> Result<WithTimestamp<'c>, Refused<Self>> {
        match self.verify_timestamp(bytes) {
            Ok((timestamp, origin)) => Ok(WithTimestamp::new(self, timestamp, origin)),
            Err(error) => Err(Refused::new(self, error)),
        }
    }

    fn verify_timestamp(&self, bytes: Vec<u8>) -> Result<(Verified<Timestamp>, Origin), Rejected> {
        check_length(
            &RoleName::Timestamp,
            &bytes,
            self.cx.policy.limits.timestamp,
            false,
        )?;
        let root = self.root.content();
        let mut candidate =
            Candidate::<Timestamp>::read_stored(RoleName::Timestamp, bytes, self.cx)?;
        let signers = Signers::Root(root.version());
        let quorum = candidate.require(signers, root.keys(), root.timestamp_keys())?;
        let offered = candidate.seal(quorum);
        let same_version = self.stored_timestamp.as_ref().and_then(Floor::verified);
        let accepted = match same_version.filter(|stored| stored.version() == offered.version()) {
            Some(stored) => {
                let equivocation = offered.received() != stored.received();
                (stored.clone(), Origin::Stored { equivocation })
            }
            None => {
                self.check_timestamp_floor(offered.content())?;
                (offered, Origin::Offered)
            }
        };
        accepted.0.check_tolerances(&self.cx)?;
        accepted.0.check_expiry(&self.cx)?;
        Ok(accepted)
    }

    fn check_timestamp_floor(&self, offered: &Timestamp) -> Result<(), Rejected> {
        match self.stored_timestamp.as_ref().map(Floor::content) {
            Some(stored) => timestamp_floor(stored, offered),
            None => Ok(()),
        }
    }

    /// Goes on with the stored timestamp, without asking whether there is a newer one. For offline use.
    ///
    /// # Errors
    /// [`Rejected::Offline`], [`Rejected::Expired`].
    pub fn keep_timestamp(self) -> Result<WithTimestamp<'c>, Refused<Self>> {
        let Some(stored) = self
            .stored_timestamp
            .as_ref()
            .and_then(Floor::verified)
            .cloned()
        else {
            return Err(Refused::new(
                self,
                Rejected::Offline {
                    item: super::Item::Role(RoleName::Timestamp),
                },
            ));
        };
        let usable = stored.check_tolerances(&self.cx);
        match usable.and_then(|()| stored.check_expiry(&self.cx)) {
            Ok(()) => Ok(WithTimestamp::new(
                self,
                stored,
                Origin::Stored {
                    equivocation: false,
                },
            )),
            Err(error) => Err(Refused::new(self, error)),
        }
    }
}

/// Where an accepted file came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The repository offered it now.
    Offered,
    /// It was stored before; the repository may have offered other bytes under the same version.
    Stored { equivocation: bool },
}

/// Timestamp is settled; the next thing that can come is a snapshot.
#[derive(Debug, Clone)]
pub struct WithTimestamp<'c> {
    cx: Context<'c>,
    root: Verified<Root>,
    timestamp: Verified<Timestamp>,
    origin: Origin,
    stored_snapshot: Option<Floor<Snapshot>>,
}

impl<'c> WithTimestamp<'c> {
    fn new(before: WithRoot<'c>, timestamp: Verified<Timestamp>, origin: Origin) -> Self {
        Self {
            cx: before.cx,
            root: before.root,
            timestamp,
            origin,
            stored_snapshot: before.stored_snapshot,
        }
    }

    /// The trusted timestamp.
    #[must_use]
    pub fn timestamp(&self) -> &Verified<Timestamp> {
        &self.timestamp
    }

    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    pub(super) fn root_version(&self) -> Version {
        self.root.version()
    }

    /// The file that holds the snapshot (C-30).
    #[must_use]
    pub fn fetch(&self) -> Fetch {
        listed_fetch(
            &self.cx,
            &self.root,
            RoleName::Snapshot,
            self.timestamp.content().snapshot(),
            self.cx.policy.limits.snapshot,
        )
    }

    /// Checks a snapshot: as the timestamp lists it (C-31, C-33), signed by root's keys (C-32), with no listed role gone or
    /// gone back (C-34), listing the top-level targets role (F-30), not expired (C-35).
    ///
    /// # Errors
    /// [`Rejected::Length`], [`Rejected::Hash`], [`Rejected::Format`], [`Rejected::Strict`], [`Rejected::Threshold`],
    /// [`Rejected::Version`], [`Rejected::Rollback`], [`Rejected::Removed`], [`Rejected::Unlisted`], [`Rejected::Expired`],
    /// [`Rejected::Backstop`].
    pub fn snapshot(self, bytes: Vec<u8>) -> Result<WithSnapshot<'c>, Refused<Self>> {
        match self.verify_snapshot(bytes) {
            Ok((snapshot, targets)) => Ok(WithSnapshot::new(self, snapshot, targets)),
            Err(error) => Err(Refused::new(self, error)),
        }
    }

    fn verify_snapshot(&self, bytes: Vec<u8>) -> Result<(Verified<Snapshot>, MetaFile), Rejected> {
        let listed = self.timestamp.content().snapshot();
        check_fetched(
            &RoleName::Snapshot,
            &bytes,
            listed,
            self.cx.policy.limits.snapshot,
            &self.cx,
        )?;
        let root = self.root.content();
        let mut candidate = Candidate::<Snapshot>::read(RoleName::Snapshot, bytes, self.cx)?;
        let quorum = candidate.require(
            Signers::Root(root.version()),
            root.keys(),
            root.snapshot_keys(),
        )?;
        let snapshot = candidate.seal(quorum);
        let targets = self.accept_snapshot(&snapshot)?;
        Ok((snapshot, targets))
    }

    /// Goes on with the stored snapshot if it is the one that the timestamp lists; nothing needs to be fetched then.
    ///
    /// # Errors
    /// Why the stored snapshot does not do; a fetched one may.
    pub fn keep_snapshot(self) -> Result<WithSnapshot<'c>, Refused<Self>> {
        let Some(stored) = self
            .stored_snapshot
            .as_ref()
            .and_then(Floor::verified)
            .cloned()
        else {
            return Err(Refused::new(
                self,
                Rejected::Offline {
                    item: super::Item::Role(RoleName::Snapshot),
                },
            ));
        };
        let listed = self.timestamp.content().snapshot();
        let fits = check_listed(&RoleName::Snapshot, stored.received(), listed, &self.cx);
        let usable = fits.and_then(|()| stored.check_tolerances(&self.cx));
        match usable.and_then(|()| self.accept_snapshot(&stored)) {
            Ok(targets) => Ok(WithSnapshot::new(self, stored, targets)),
            Err(error) => Err(Refused::new(self, error)),
        }
    }

    /// What an acceptable snapshot says about the top-level targets role, which it must list (F-30).
    fn accept_snapshot(&self, snapshot: &Verified<Snapshot>) -> Result<MetaFile, Rejected> {
        let (expected, offered) = (
            self.timestamp.content().snapshot().version,
            snapshot.version(),
        );
        if offered != expected {
            return Err(Rejected::Version {
                role: RoleName::Snapshot,
                expected,
                offered,
            });
        }
        if let Some(stored) = &self.stored_snapshot {
            snapshot_floor(stored, snapshot)?;
        }
        let targets = snapshot
            .listed(&RoleName::Targets)
            .ok_or(Rejected::Unlisted {
                role: RoleName::Targets,
            })?;
        snapshot.check_expiry(&self.cx)?;
        match self.cx.policy.minimum_versions.snapshot {
            Some(minimum) if offered < minimum => Err(Rejected::Backstop {
                role: RoleName::Snapshot,
                minimum,
                offered,
            }),
            _ => Ok(targets),
        }
    }
}

/// Snapshot is settled; the next thing that can come is the top-level targets role.
#[derive(Debug, Clone)]
pub struct WithSnapshot<'c> {
    cx: Context<'c>,
    root: Verified<Root>,
    timestamp: Verified<Timestamp>,
    snapshot: Verified<Snapshot>,
    /// What snapshot says about the top-level targets role.
    targets: MetaFile,
}

impl<'c> WithSnapshot<'c> {
    fn new(before: WithTimestamp<'c>, snapshot: Verified<Snapshot>, targets: MetaFile) -> Self {
        Self {
            cx: before.cx,
            root: before.root,
            timestamp: before.timestamp,
            snapshot,
            targets,
        }
    }

    /// The trusted snapshot.
    #[must_use]
    pub fn snapshot(&self) -> &Verified<Snapshot> {
        &self.snapshot
    }

    pub(super) fn root_version(&self) -> Version {
        self.root.version()
    }

    /// The SHA-256 of the snapshot: the one that timestamp lists, which was checked, or computed if it lists none.
    pub(super) fn snapshot_digest(&self, crypto: &dyn Crypto) -> Digest {
        let listed = self.timestamp.content().snapshot().hashes.as_ref();
        let listed = listed.and_then(|hashes| hashes.digest(HashAlgorithm::Sha256));
        listed
            .copied()
            .unwrap_or_else(|| crypto.digest(HashAlgorithm::Sha256, self.snapshot.received()))
    }

    /// The file that holds the top-level targets role (C-40).
    #[must_use]
    pub fn fetch(&self) -> Fetch {
        targets_fetch(&self.cx, &self.root, RoleName::Targets, &self.targets)
    }

    /// Checks the top-level targets role: as snapshot lists it (C-41, C-43), signed by root's keys (C-42), not expired (C-44).
    ///
    /// # Errors
    /// [`Rejected::Length`], [`Rejected::Hash`], [`Rejected::Format`], [`Rejected::Strict`], [`Rejected::Threshold`],
    /// [`Rejected::Version`], [`Rejected::Expired`].
    pub fn targets(self, bytes: Vec<u8>) -> Result<TrustedView, Refused<Self>> {
        let root = self.root.content();
        let by = Delegation {
            role: RoleName::Targets,
            signers: Signers::Root(root.version()),
            keys: root.keys(),
            role_keys: root.targets_keys(),
        };
        match verify_targets(&self.cx, &self.targets, &by, bytes) {
            Ok(targets) => Ok(TrustedView::new(
                self.root,
                self.timestamp,
                self.snapshot,
                targets,
                self.cx.now,
            )),
            Err(error) => Err(Refused::new(self, error)),
        }
    }
}

/// A targets role and who may sign for it.
pub(super) struct Delegation<'k> {
    pub(super) role: RoleName,
    pub(super) signers: Signers,
    pub(super) keys: &'k KeyTable,
    pub(super) role_keys: &'k RoleKeys,
}

/// Checks a targets role, top-level or delegated: the same sequence for each (C-41 to C-45).
pub(super) fn verify_targets(
    cx: &Context<'_>,
    listed: &MetaFile,
    by: &Delegation<'_>,
    bytes: Vec<u8>,
) -> Result<Verified<Targets>, Rejected> {
    check_fetched(&by.role, &bytes, listed, cx.policy.limits.targets, cx)?;
    let mut candidate = Candidate::<Targets>::read(by.role.clone(), bytes, *cx)?;
    let quorum = candidate.require(by.signers.clone(), by.keys, by.role_keys)?;
    candidate.require_version(listed.version)?;
    if let Some(delegations) = candidate.content().delegations() {
        candidate.require_keyids(delegations.keys(), "delegations.keys")?;
    }
    let targets = candidate.seal(quorum);
    targets.check_expiry(cx)?;
    Ok(targets)
}

/// The file that holds a targets role.
pub(super) fn targets_fetch(
    cx: &Context<'_>,
    root: &Verified<Root>,
    role: RoleName,
    listed: &MetaFile,
) -> Fetch {
    listed_fetch(cx, root, role, listed, cx.policy.limits.targets)
}

fn listed_fetch(
    cx: &Context<'_>,
    root: &Verified<Root>,
    role: RoleName,
    listed: &MetaFile,
    unsigned_limit: u64,
) -> Fetch {
    let version = root
        .content()
        .consistent_snapshot()
        .then_some(listed.version);
    let limit = listed.length.map_or(unsigned_limit, |length| {
        length.min(cx.policy.limits.signed_length)
    });
    Fetch {
        file: RemoteFile { role, version },
        limit,
        length: listed.length,
    }
}

/// Length first, then hashes, then anything that reads the bytes.
fn check_fetched(
    role: &RoleName,
    bytes: &[u8],
    listed: &MetaFile,
    unsigned_limit: u64,
    cx: &Context<'_>,
) -> Result<(), Rejected> {
    match listed.length {
        None => check_length(role, bytes, unsigned_limit, false)?,
        Some(length) if length > cx.policy.limits.signed_length => {
            check_length(role, bytes, cx.policy.limits.signed_length, false)?
        }
        Some(_) => {}
    }
    check_listed(role, bytes, listed, cx)
}

/// Refuses a timestamp that is older than one seen before, or points to an older snapshot (C-22, C-23).
pub(super) fn timestamp_floor(stored: &Timestamp, offered: &Timestamp) -> Result<(), Rejected> {
    rollback(&RoleName::Timestamp, stored.version(), offered.version())?;
    rollback(
        &RoleName::Snapshot,
        stored.snapshot().version,
        offered.snapshot().version,
    )
}

/// Refuses a snapshot in which a role is gone or has gone back (C-34).
pub(super) fn snapshot_floor(
    stored: &Floor<Snapshot>,
    offered: &Verified<Snapshot>,
) -> Result<(), Rejected> {
    match stored.regression(offered) {
        None => Ok(()),
        Some(Regression {
            role,
            trusted,
            offered: Some(offered),
        }) => Err(Rejected::Rollback {
            role,
            trusted,
            offered,
        }),
        Some(Regression { role, .. }) => Err(Rejected::Removed { role }),
    }
}

fn rollback(role: &RoleName, trusted: Version, offered: Version) -> Result<(), Rejected> {
    if offered >= trusted {
        Ok(())
    } else {
        Err(Rejected::Rollback {
            role: role.clone(),
            trusted,
            offered,
        })
    }
}
