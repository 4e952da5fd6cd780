//! Why something was refused: errors name the attack and carry the evidence.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::Item;
use super::shown::escaped;
use crate::crypto::HashAlgorithm;
use crate::json::FormatError;
use crate::metadata::{KeyId, Note, RoleName, TargetPath, UnixTime, Version};

/// Whose word was asked for a role.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signers {
    /// The keys that this version of root names.
    Root(Version),
    /// The keys that this targets role names for a role it delegates to.
    Delegator(RoleName),
}

impl fmt::Display for Signers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(version) => write!(f, "root version {version}"),
            Self::Delegator(role) => write!(f, "{role}"),
        }
    }
}

/// A key of the role that was not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncounted {
    /// Its id.
    pub keyid: KeyId,
    /// Why.
    pub reason: UncountedReason,
}

/// Why a key of the role was not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UncountedReason {
    /// The file has no signature with this keyid.
    NotSigned,
    /// The value of the signature is empty or not hexadecimal.
    NoValue,
    /// The delegating file does not define the key.
    Undefined,
    /// The key is of a kind that this implementation cannot verify; the text says which and why.
    Unsupported(String),
    /// The signature is not by this key over these bytes.
    Invalid,
    /// The same key was counted under another keyid.
    SameKey,
}

impl fmt::Display for Uncounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever wrote the file chose the id: nothing in it may speak to a terminal.
        let keyid = self.keyid.as_str().chars().take(16);
        let keyid: String = keyid.flat_map(char::escape_debug).collect();
        match &self.reason {
            UncountedReason::NotSigned => write!(f, "{keyid} did not sign"),
            UncountedReason::NoValue => write!(f, "{keyid} left its signature empty"),
            UncountedReason::Undefined => write!(f, "{keyid} is named but not defined"),
            UncountedReason::Unsupported(why) => write!(f, "{keyid} is an {why}"),
            UncountedReason::Invalid => write!(f, "{keyid} has a wrong signature"),
            UncountedReason::SameKey => write!(f, "{keyid} is a key that was counted already"),
        }
    }
}

/// The repository, or somebody between it and the client, offered something that must not be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected {
    /// A file that is not what the specification says such a file is.
    Format {
        /// The role the file was meant for.
        role: RoleName,
        /// Where and why.
        error: Box<FormatError>,
    },
    /// A deviation that a strict policy does not forgive.
    Strict {
        /// The role whose file deviates.
        role: RoleName,
        /// Which deviation, and in which field.
        note: Note,
    },
    /// Too few of the keys that may sign for a role have signed it (C-05, C-21, C-32, C-42).
    Threshold {
        /// The role.
        role: RoleName,
        /// Who names the keys.
        signers: Signers,
        /// How many different keys signed.
        have: u64,
        /// How many have to.
        need: u64,
        /// What became of the others.
        uncounted: Vec<Uncounted>,
    },
    /// A version other than the one that was asked for (C-06, C-33, C-43).
    Version {
        /// The role.
        role: RoleName,
        /// The version that belongs here.
        expected: Version,
        /// The version in the file.
        offered: Version,
    },
    /// A version lower than one that was trusted before (C-22, C-23, C-34).
    Rollback {
        /// The role that went back.
        role: RoleName,
        /// The version trusted before.
        trusted: Version,
        /// The version offered now.
        offered: Version,
    },
    /// Snapshot no longer lists a role that it listed before (C-34).
    Removed {
        /// The role.
        role: RoleName,
    },
    /// A file whose time is over (C-10, C-24, C-35, C-44).
    Expired {
        /// The role.
        role: RoleName,
        /// Its version.
        version: Version,
        /// When it expired.
        expires: UnixTime,
        /// When the refresh began.
        now: UnixTime,
    },
    /// A file that is longer or shorter than it may be (C-30, C-40).
    Length {
        /// The role.
        role: RoleName,
        /// The exact length, or the most that is received.
        expected: u64,
        /// Whether `expected` is signed and exact.
        exact: bool,
        /// How much arrived before the client stopped.
        received: u64,
    },
    /// A file whose bytes are not those that were vouched for (C-31, C-41).
    Hash {
        /// The role.
        role: RoleName,
        /// The algorithm whose digest differs.
        algorithm: HashAlgorithm,
    },
    /// A file that the repository must have and does not.
    Missing {
        /// The role.
        role: RoleName,
        /// The version, if it was asked for by version.
        version: Option<Version>,
    },
    /// A role that is delegated to and that snapshot does not list.
    Unlisted {
        /// The role.
        role: RoleName,
    },
    /// A role delegates to more roles than an audit visits, or deeper than any search goes.
    Unvisited {
        /// The role that delegates.
        role: RoleName,
    },
    /// A version below the one that the embedder knows to have existed.
    Backstop {
        /// The role.
        role: RoleName,
        /// The lowest version to settle for.
        minimum: Version,
        /// The version offered.
        offered: Version,
    },
    /// No role lists the target (C-50).
    NotFound {
        /// The target.
        path: TargetPath,
        /// How many roles were asked.
        searched: u32,
        /// Whether the search ended at the limit on roles.
        limit: bool,
    },
    /// A target that its role lists and the repository does not have.
    TargetMissing {
        /// The target.
        path: TargetPath,
    },
    /// A target that is longer or shorter than its role says (C-51).
    TargetLength {
        /// The target.
        path: TargetPath,
        /// The length its role says.
        expected: u64,
        /// How much arrived before the client stopped.
        received: u64,
    },
    /// A target whose bytes are not those its role vouches for (C-51).
    TargetHash {
        /// The target.
        path: TargetPath,
        /// The algorithm whose digest differs.
        algorithm: HashAlgorithm,
    },
    /// Repositories that must agree on a target do not (TAP 4).
    Disagreement {
        /// The target.
        path: TargetPath,
        /// How many agree at the most.
        have: u32,
        /// How many have to.
        need: u32,
    },
    /// A map file that is not what TAP 4 says it is.
    Map {
        /// Where and why.
        error: Box<FormatError>,
    },
    /// The clock is behind the last successful refresh, and the policy is strict about it.
    Clock {
        /// When this refresh began.
        now: UnixTime,
        /// When the last successful one began.
        last: UnixTime,
    },
    /// A local file that cannot be trusted, and the policy is strict about it.
    Cache {
        /// Which file.
        item: Item,
    },
    /// Offline, and a file that is needed is not there.
    Offline {
        /// Which file.
        item: Item,
    },
}

/// What kind of trouble an error is, for exit codes and alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// Not trustworthy: an attack, or a repository that is broken in the way of one.
    Untrustworthy,
    /// Not found.
    NotFound,
    /// Expired or frozen; renewal may cure it.
    Stale,
    /// A local problem.
    Local,
}

/// The code of a family of errors for one role.
macro_rules! role_code {
    ($family:literal, $role:expr) => {
        match $role {
            RoleName::Root => concat!($family, ".root"),
            RoleName::Timestamp => concat!($family, ".timestamp"),
            RoleName::Snapshot => concat!($family, ".snapshot"),
            RoleName::Targets => concat!($family, ".targets"),
            RoleName::Delegated(_) => concat!($family, ".delegated"),
        }
    };
}

impl Rejected {
    /// The stable code, such as `rollback.timestamp`; [`crate::explain`] knows every one.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Format { role, .. } => role_code!("format", role),
            Self::Strict { note, .. } => note.tolerance.code(),
            Self::Threshold { role, .. } => role_code!("threshold", role),
            Self::Version { role, .. } => role_code!("version", role),
            Self::Rollback { role, .. } => role_code!("rollback", role),
            Self::Removed { .. } => "rollback.removed",
            Self::Expired { role, .. } => role_code!("expired", role),
            Self::Length { role, .. } => role_code!("length", role),
            Self::Hash { role, .. } => role_code!("hash", role),
            Self::Missing { role, .. } => role_code!("missing", role),
            Self::Unlisted { .. } => "missing.entry",
            Self::Unvisited { .. } => "audit.limit",
            Self::Backstop { role, .. } => role_code!("backstop", role),
            Self::NotFound { limit: false, .. } => "target.not-found",
            Self::NotFound { limit: true, .. } => "target.search-limit",
            Self::TargetMissing { .. } => "missing.target",
            Self::TargetLength { .. } => "length.target",
            Self::TargetHash { .. } => "hash.target",
            Self::Disagreement { .. } => "map.disagreement",
            Self::Map { .. } => "map.format",
            Self::Clock { .. } => "clock.back",
            Self::Cache { .. } => "cache.corrupt",
            Self::Offline { .. } => "offline.missing",
        }
    }

    /// What kind of trouble this is.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::NotFound { .. } => Class::NotFound,
            Self::Expired { .. } => Class::Stale,
            Self::Map { .. } | Self::Clock { .. } | Self::Cache { .. } | Self::Offline { .. } => {
                Class::Local
            }
            _ => Class::Untrustworthy,
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(f, |f| self.describe(f))
    }
}

impl Rejected {
    fn describe(&self, f: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::Format { role, .. } => write!(f, "{role} metadata is malformed"),
            Self::Strict { role, note } => {
                write!(
                    f,
                    "{role} metadata needs the tolerance {} in {}, which the policy refuses",
                    note.tolerance.name(),
                    note.field
                )
            }
            Self::Threshold {
                role,
                signers,
                have,
                need,
                uncounted,
            } => write_threshold(f, role, signers, *have, *need, uncounted),
            Self::Version {
                role,
                expected,
                offered,
            } => write!(
                f,
                "{role} has version {offered} where version {expected} belongs"
            ),
            Self::Rollback {
                role,
                trusted,
                offered,
            } => write!(
                f,
                "{role} went back from version {trusted} to version {offered}"
            ),
            Self::Removed { role } => write!(f, "snapshot no longer lists {role}"),
            Self::Expired {
                role,
                version,
                expires,
                now,
            } => write!(
                f,
                "{role} version {version} expired at {expires}, and it is {now}"
            ),
            Self::Length {
                role,
                expected,
                exact: true,
                received,
            } => {
                write!(
                    f,
                    "{role} metadata has {received} bytes or more where exactly {expected} are signed for"
                )
            }
            Self::Length {
                role,
                expected,
                exact: false,
                ..
            } => write!(
                f,
                "{role} metadata is longer than the limit of {expected} bytes"
            ),
            Self::Hash { role, algorithm } => write!(
                f,
                "{role} metadata does not have the {} that was signed for it",
                algorithm.name()
            ),
            Self::Missing {
                role,
                version: Some(version),
            } => write!(f, "the repository does not have {role} version {version}"),
            Self::Missing {
                role,
                version: None,
            } => write!(f, "the repository does not have {role} metadata"),
            Self::Unlisted { role } => {
                write!(f, "{role} is delegated to, but snapshot does not list it")
            }
            Self::Unvisited { role } => {
                write!(f, "not every role that {role} delegates to was visited")
            }
            Self::Backstop {
                role,
                minimum,
                offered,
            } => write!(
                f,
                "{role} version {offered} is below version {minimum}, which is known to exist"
            ),
            Self::NotFound {
                path,
                searched,
                limit: false,
            } => write!(f, "no role lists {path} ({searched} asked)"),
            Self::NotFound {
                path,
                searched,
                limit: true,
            } => write!(
                f,
                "{path} was not found in the first {searched} roles, and more are not searched"
            ),
            Self::TargetMissing { path } => {
                write!(f, "the repository lists {path} and does not have it")
            }
            Self::TargetLength {
                path,
                expected,
                received,
            } => write!(
                f,
                "{path} has {received} bytes or more where {expected} are signed for"
            ),
            Self::TargetHash { path, algorithm } => write!(
                f,
                "{path} does not have the {} that was signed for it",
                algorithm.name()
            ),
            Self::Disagreement { path, have, need } => write!(
                f,
                "{have} repositories agree on {path} where {need} have to"
            ),
            Self::Map { .. } => f.write_str("the map file is malformed"),
            Self::Clock { now, last } => write!(
                f,
                "the clock says {now}, but the last refresh was at {last}"
            ),
            Self::Cache { item } => write!(f, "the stored {item} cannot be trusted"),
            Self::Offline { item } => write!(f, "{item} is not stored, and nothing may be fetched"),
        }
    }
}

fn write_threshold(
    f: &mut impl fmt::Write,
    role: &RoleName,
    signers: &Signers,
    have: u64,
    need: u64,
    uncounted: &[Uncounted],
) -> fmt::Result {
    write!(
        f,
        "{role} is signed by {have} of the {need} keys that {signers} asks for"
    )?;
    for (place, key) in uncounted.iter().take(12).enumerate() {
        write!(f, "{} {key}", if place == 0 { ":" } else { "," })?;
    }
    if uncounted.len() > 12 {
        f.write_str(", …")
    } else {
        Ok(())
    }
}

impl core::error::Error for Rejected {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Format { error, .. } | Self::Map { error } => Some(&**error),
            _ => None,
        }
    }
}

/// What a driver of [`Refresh`](super::Refresh) or [`Search`](super::Search) can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The answer was refused; the step stands, and another answer may be tried.
    Rejected(Box<Rejected>),
    /// The answer does not fit the step: a bug in the driver.
    Misuse(&'static str),
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(Box::new(rejected))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => fmt::Display::fmt(rejected, f),
            Self::Misuse(what) => write!(f, "the core was driven wrongly: {what}"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Rejected(rejected) => core::error::Error::source(&**rejected),
            Self::Misuse(_) => None,
        }
    }
}
