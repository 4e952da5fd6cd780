//! What happened that is worth knowing and did not stop anything.

use alloc::boxed::Box;
use core::fmt;

use super::shown::escaped;
use super::{Item, Rejected};
use crate::metadata::{Note, RoleName, UnixTime, Version};

/// Something that happened during a refresh or a search.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A new version of a role was verified.
    Accepted {
        /// The role.
        role: RoleName,
        /// Its version.
        version: Version,
        /// Whether the bytes came from the local store.
        local: bool,
    },
    /// Reading forgave a deviation.
    Tolerated {
        /// The role whose file deviates.
        role: RoleName,
        /// Which deviation, and where.
        note: Note,
    },
    /// A timestamp of the same version with other bytes was offered and ignored.
    Equivocation {
        /// The role.
        role: RoleName,
        /// The version that exists twice.
        version: Version,
    },
    /// As many new roots as one refresh takes were taken; the next refresh continues.
    RootLimitReached {
        /// The version that was reached.
        version: Version,
    },
    /// A stored file was ignored.
    CacheIgnored {
        /// Which file.
        item: Item,
        /// Why.
        reason: Box<Rejected>,
    },
    /// Keys were rotated out, so the stored timestamp and snapshot are void (C-11).
    Purged {
        /// The root version that did it.
        root: Version,
    },
    /// The clock is behind the last successful refresh.
    ClockBack {
        /// When this refresh began.
        now: UnixTime,
        /// When the last successful one began.
        last: UnixTime,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(f, |f| self.describe(f))
    }
}

impl Event {
    fn describe(&self, f: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::Accepted {
                role,
                version,
                local: false,
            } => write!(f, "verified {role} version {version}"),
            Self::Accepted {
                role,
                version,
                local: true,
            } => write!(f, "verified {role} version {version} from the store"),
            Self::Tolerated { role, note } => write!(
                f,
                "{role}: {} tolerated in {}",
                note.tolerance.name(),
                note.field
            ),
            Self::Equivocation { role, version } => write!(
                f,
                "{role} version {version} exists with different contents; the first was kept"
            ),
            Self::RootLimitReached { version } => write!(
                f,
                "stopped at root version {version}; the next refresh continues"
            ),
            Self::CacheIgnored { item, reason } => {
                write!(f, "the stored {item} was ignored: {reason}")
            }
            Self::Purged { root } => write!(
                f,
                "root version {root} removed a key: the stored timestamp and snapshot are void"
            ),
            Self::ClockBack { now, last } => write!(
                f,
                "the clock says {now}, but the last refresh was at {last}"
            ),
        }
    }
}
