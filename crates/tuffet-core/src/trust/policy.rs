//! What a client asks of a repository beyond the specification, and how much it is ready to receive.

use super::Item;
use crate::crypto::Crypto;
use crate::metadata::{RoleName, ToleranceSet, UnixTime, Version};

/// Bytes of the record: it speaks of two files, each as it is and as it may be after the next write.
const RECORD: u64 = 65_536;

/// How much a client receives before it gives up (rules C-04, C-20, C-30, C-40; TUF §5 W, X, Y, Z).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a root file.
    pub root: u64,
    /// Bytes of a timestamp file; post-quantum signatures are large.
    pub timestamp: u64,
    /// Bytes of a snapshot file whose length the timestamp does not list.
    pub snapshot: u64,
    /// Bytes of a targets file whose length the snapshot does not list.
    pub targets: u64,
    /// Bytes of any file whose length is listed: a signed length is believed up to here.
    pub signed_length: u64,
    /// New root versions in one refresh; the next refresh continues (A-16).
    pub roots: u32,
    /// Targets roles visited in one search, the top-level one included (A-37).
    pub roles: u32,
}

impl Limits {
    /// The most bytes of an item of the store that are worth reading: a larger one was never accepted under these limits. A shell
    /// stops one byte later and answers with what it has, which is then taken for damaged.
    ///
    /// ```
    /// # use tuffet_core::{metadata::RoleName, trust::{Item, Limits}};
    /// assert_eq!(Limits::default().of_stored(&Item::Role(RoleName::Timestamp)), 65_536);
    /// ```
    #[must_use]
    pub fn of_stored(&self, item: &Item) -> u64 {
        match item {
            Item::Root(_) | Item::Role(RoleName::Root) => self.root,
            Item::Role(RoleName::Timestamp) => self.timestamp,
            Item::Role(RoleName::Snapshot) => self.snapshot.max(self.signed_length),
            Item::Role(_) => self.targets.max(self.signed_length),
            Item::Record => RECORD,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            root: 512_000,
            timestamp: 65_536,
            snapshot: 2_000_000,
            targets: 5_000_000,
            signed_length: 268_435_456,
            roots: 256,
            roles: 32,
        }
    }
}

/// Versions below which nothing is trusted, however well signed: what the embedder knows to have existed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MinimumVersions {
    /// The lowest root version to settle for.
    pub root: Option<Version>,
    /// The lowest snapshot version to settle for.
    pub snapshot: Option<Version>,
}

/// What a client asks of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How much is received.
    pub limits: Limits,
    /// The tolerances that are refused instead of forgiven.
    pub refuse: ToleranceSet,
    /// Whether a corrupt cache, a clock that went back, and mirrors that do not agree that there is no newer root are errors.
    pub strict_local: bool,
    /// How many seconds the clock may be behind the last successful refresh.
    pub clock_skew: u32,
    /// Versions below which nothing is trusted.
    pub minimum_versions: MinimumVersions,
    /// Whether every signature of a file is checked, not only as many as the threshold needs. For audits.
    pub exhaustive_signatures: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            refuse: ToleranceSet::NONE,
            strict_local: false,
            clock_skew: 300,
            minimum_versions: MinimumVersions::default(),
            exhaustive_signatures: false,
        }
    }
}

impl Policy {
    /// Nothing is forgiven: every tolerance is an error, and so is all that [`Policy::strict_local`] is about.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            refuse: ToleranceSet::all(),
            strict_local: true,
            ..Self::default()
        }
    }
}

/// What every check of one refresh has in common. The time is fixed when the refresh begins (rule C-01).
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The implementation of the algorithms.
    pub crypto: &'c dyn Crypto,
    /// What is asked of the repository.
    pub policy: &'c Policy,
    /// When the refresh began.
    pub now: UnixTime,
}

impl core::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Context")
            .field("policy", self.policy)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
