//! The chain of roots (TUF §5.2, §5.3).

use alloc::vec::Vec;

use super::verified::{Candidate, check_length};
use super::{Context, Fetch, Refused, Rejected, RemoteFile, Signers, Verified, WithRoot};
use crate::crypto::{KeyIdentity, KeyKind};
use crate::metadata::{Parsed, Role as _, RoleKeys, RoleName, Root, Version};

/// A trusted root that may have successors.
#[derive(Debug, Clone)]
pub struct Roots<'c> {
    cx: Context<'c>,
    trusted: Verified<Root>,
    /// The newest root that removed a key from timestamp or snapshot (C-11).
    rotated: Option<Version>,
}

impl<'c> Roots<'c> {
    /// Trusts a root because the caller says so; it still must be signed by its own keys (C-02). Its expiry does not matter.
    ///
    /// # Errors
    /// [`Rejected::Format`], [`Rejected::Strict`], [`Rejected::Threshold`].
    pub fn trust(anchor: Vec<u8>, cx: Context<'c>) -> Result<Self, Rejected> {
        let mut candidate = Candidate::<Root>::read(RoleName::Root, anchor, cx)?;
        let quorum = require_own_keys(&mut candidate)?;
        candidate.require_keyids(candidate.content().keys(), "keys")?;
        Ok(Self {
            cx,
            trusted: candidate.seal(quorum),
            rotated: None,
        })
    }

    /// The newest trusted root.
    #[must_use]
    pub fn trusted(&self) -> &Verified<Root> {
        &self.trusted
    }

    /// The version that a successor must have.
    #[must_use]
    pub fn next_version(&self) -> Version {
        self.trusted.version().next()
    }

    /// The file that holds the successor: always under a version, whatever `consistent_snapshot` says (C-04).
    #[must_use]
    pub fn fetch(&self) -> Fetch {
        let file = RemoteFile {
            role: RoleName::Root,
            version: Some(self.next_version()),
        };
        Fetch {
            file,
            limit: self.cx.policy.limits.root,
            length: None,
        }
    }

    /// Accepts the successor: signed by a threshold of the trusted root's keys and by a threshold of its own (C-05), and of
    /// exactly the next version (C-06). Its expiry does not matter (C-07).
    ///
    /// # Errors
    /// [`Rejected::Length`], [`Rejected::Format`], [`Rejected::Strict`], [`Rejected::Threshold`], [`Rejected::Version`].
    pub fn accept(self, bytes: Vec<u8>) -> Result<Self, Refused<Self>> {
        match self.verify(bytes) {
            Ok(trusted) => {
                let rotated = if removes_online_key(self.trusted.content(), trusted.content()) {
                    Some(trusted.version())
                } else {
                    self.rotated
                };
                Ok(Self {
                    trusted,
                    rotated,
                    ..self
                })
            }
            Err(error) => Err(Refused::new(self, error)),
        }
    }

    fn verify(&self, bytes: Vec<u8>) -> Result<Verified<Root>, Rejected> {
        check_length(&RoleName::Root, &bytes, self.cx.policy.limits.root, false)?;
        let mut candidate = Candidate::<Root>::read(RoleName::Root, bytes, self.cx)?;
        let old = self.trusted.content();
        candidate.require(Signers::Root(old.version()), old.keys(), old.root_keys())?;
        let quorum = require_own_keys(&mut candidate)?;
        candidate.require_version(self.next_version())?;
        candidate.require_keyids(candidate.content().keys(), "keys")?;
        Ok(candidate.seal(quorum))
    }

    /// Takes what is known of the roots from before the anchor.
    pub(super) fn follow(self, before: &Predecessors) -> Self {
        Self {
            rotated: before.rotated_until(self.trusted.content()),
            ..self
        }
    }

    /// Ends the chain: there is no newer root. The final root must not have expired (C-10).
    ///
    /// # Errors
    /// [`Rejected::Expired`], [`Rejected::Backstop`].
    pub fn settle(self) -> Result<WithRoot<'c>, Refused<Self>> {
        if let Err(error) = self.trusted.check_expiry(&self.cx) {
            return Err(Refused::new(self, error));
        }
        match self.cx.policy.minimum_versions.root {
            Some(minimum) if self.trusted.version() < minimum => {
                let offered = self.trusted.version();
                Err(Refused::new(
                    self,
                    Rejected::Backstop {
                        role: RoleName::Root,
                        minimum,
                        offered,
                    },
                ))
            }
            _ => Ok(WithRoot::new(self.cx, self.trusted, self.rotated)),
        }
    }
}

/// The version of a stored copy of the current root: a root that its own keys have signed, so that damage locks nobody out.
///
/// It is read as a floor is: a policy that has become stricter must not be a way back to an older root.
pub(super) fn stored_version(bytes: Vec<u8>, cx: Context<'_>) -> Result<Version, Rejected> {
    let mut candidate = Candidate::<Root>::read_stored(RoleName::Root, bytes, cx)?;
    require_own_keys(&mut candidate)?;
    Ok(candidate.content().version())
}

/// Stored roots from before the anchor, from the one that accepted a stored file onwards: if a key of timestamp or snapshot has
/// left since, what older roots accepted is void (C-11, A-15).
///
/// The bytes are not verified. Whoever can change them can delete what they are about just as well.
#[derive(Debug, Default)]
pub(super) struct Predecessors {
    last: Option<Parsed<Root>>,
    rotated: Option<Version>,
}

impl Predecessors {
    /// Takes the next one; returns whether it is a root newer than those before and older than the anchor.
    pub(super) fn note(&mut self, bytes: Vec<u8>, anchor: Version) -> bool {
        let Ok(stored) = Parsed::<Root>::parse(bytes) else {
            return false;
        };
        let version = stored.unverified().version();
        let before = self.last.as_ref().map(|last| last.unverified().version());
        if version >= anchor || before.is_some_and(|before| before >= version) {
            return false;
        }
        self.rotated = self.rotated_until(stored.unverified());
        self.last = Some(stored);
        true
    }

    /// The newest root that removed a key, if `next` is the one after those seen.
    fn rotated_until(&self, next: &Root) -> Option<Version> {
        match &self.last {
            Some(last) if removes_online_key(last.unverified(), next) => Some(next.version()),
            _ => self.rotated,
        }
    }
}

fn require_own_keys(candidate: &mut Candidate<'_, Root>) -> Result<super::Quorum, Rejected> {
    let (version, keys, role) = (
        candidate.content().version(),
        candidate.content().keys().clone(),
        candidate.content().root_keys().clone(),
    );
    candidate.require(Signers::Root(version), &keys, &role)
}

/// Whether a key leaves the timestamp or the snapshot role between two roots.
///
/// Clients forget the timestamp and the snapshot they have seen then. Keys are compared by what they are: a new keyid or
/// another encoding of the same key removes nothing.
#[must_use]
pub fn removes_online_key(old: &Root, new: &Root) -> bool {
    let gone = |before: &RoleKeys, after: &RoleKeys| {
        let after = identities(new, after);
        identities(old, before)
            .iter()
            .any(|key| !after.contains(key))
    };
    gone(old.timestamp_keys(), new.timestamp_keys())
        || gone(old.snapshot_keys(), new.snapshot_keys())
}

/// The keys of a role that can be used at all.
pub(super) fn identities(root: &Root, role: &RoleKeys) -> Vec<KeyIdentity> {
    let keys = role
        .keyids
        .iter()
        .filter_map(|keyid| root.keys().key(keyid.as_str()));
    keys.filter_map(|key| match key.kind() {
        KeyKind::Usable { public, .. } => Some(public.identity()),
        KeyKind::Opaque { .. } => None,
    })
    .collect()
}
