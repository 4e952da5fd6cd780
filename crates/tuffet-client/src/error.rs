//! What can go wrong, nested by who must act.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tuffet_core::metadata::RoleName;
use tuffet_core::metadata::{NameError, TargetPath};
use tuffet_core::trust::{self, Rejected};

use crate::transport::TransportError;

/// Why an operation failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The repository, or somebody between it and here, offered something that must not be trusted.
    Rejected(Box<Refusal>),
    /// The repository could not be reached.
    Unavailable(Box<Unavailable>),
    /// The trouble is on this machine.
    Local(Box<Local>),
    /// The caller cancelled.
    Cancelled,
    /// The caller asked for something that makes no sense.
    Misuse(&'static str),
}

/// What was refused, and what every mirror said.
#[derive(Debug)]
pub struct Refusal {
    /// The gravest refusal.
    pub rejected: Rejected,
    /// What each mirror said, in the order they were asked. Empty if no mirror was involved.
    pub attempts: Vec<Attempt>,
}

/// Why no mirror could be reached.
#[derive(Debug)]
pub struct Unavailable {
    /// What the first mirror failed with.
    pub error: TransportError,
    /// What each mirror failed with, in the order they were asked.
    pub attempts: Vec<Attempt>,
}

/// What one mirror said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it was asked for, without credentials.
    pub url: String,
    /// What came of it.
    pub failure: Failure,
}

/// Why one mirror was of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// It said that there is no such file.
    Absent,
    /// It could not be reached, or broke off.
    Transport(TransportError),
    /// What it delivered must not be trusted.
    Rejected(Box<Rejected>),
}

/// Trouble on this machine.
#[derive(Debug)]
#[non_exhaustive]
pub enum Local {
    /// The store of trusted metadata.
    Store(StoreError),
    /// A file of other content is where the target belongs, and overwriting was not asked for.
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The path of a target cannot become a file or a URL.
    TargetPath {
        /// The target.
        target: TargetPath,
        /// Why.
        error: NameError,
    },
    /// A symbolic link, or something that is no directory, is in the way of a target.
    Obstructed {
        /// What is in the way.
        path: PathBuf,
    },
    /// A file outside the store could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// A file outside the store could not be written.
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// The mode is offline, and the target is not here.
    Offline {
        /// The target.
        target: TargetPath,
    },
}

/// Trouble with the store of trusted metadata.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// A file could not be read, though it exists.
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// A file could not be written.
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// A symbolic link, or something that is no directory, is where a directory of the store belongs; or a directory where a file does.
    Obstructed {
        /// What is there.
        path: PathBuf,
    },
    /// Another process has held the lock for too long.
    Locked {
        /// The lock.
        path: PathBuf,
        /// How long this process has waited for it.
        waited: Duration,
    },
    /// The lock could not be taken at all.
    Lock {
        /// The lock.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// A store of another make failed.
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// What kind of trouble an error is, for exit codes and alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Not trustworthy: an attack, or a repository that is broken in the way of one.
    Untrustworthy,
    /// Not found.
    NotFound,
    /// Expired or frozen; renewal may cure it.
    Stale,
    /// The network, or a local file that is taken for it.
    Unavailable,
    /// Somebody else holds the lock, or another file is in the place.
    Conflict,
    /// A local problem.
    Local,
    /// The caller cancelled.
    Cancelled,
    /// The caller made a mistake.
    Misuse,
}

impl Error {
    /// The stable code, such as `rollback.timestamp`; [`crate::explain`] knows every one.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected(refusal) => refusal.rejected.code(),
            Self::Unavailable(unavailable) => unavailable.error.kind.code(),
            Self::Local(local) => local.code(),
            Self::Cancelled => "cancelled",
            Self::Misuse(_) => "misuse",
        }
    }

    /// What kind of trouble this is.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Rejected(refusal) => match refusal.rejected.class() {
                trust::Class::NotFound => Class::NotFound,
                trust::Class::Stale => Class::Stale,
                trust::Class::Local => Class::Local,
                _ => Class::Untrustworthy,
            },
            Self::Unavailable(_) => Class::Unavailable,
            Self::Local(local) => match &**local {
                Local::Exists { .. } | Local::Store(StoreError::Locked { .. }) => Class::Conflict,
                _ => Class::Local,
            },
            Self::Cancelled => Class::Cancelled,
            Self::Misuse(_) => Class::Misuse,
        }
    }

    /// What each mirror said, in the order they were asked.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            Self::Rejected(refusal) => &refusal.attempts,
            Self::Unavailable(unavailable) => &unavailable.attempts,
            _ => &[],
        }
    }

    /// What was refused, if that is the trouble.
    #[must_use]
    pub fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Rejected(refusal) => Some(&refusal.rejected),
            _ => None,
        }
    }

    pub(crate) fn refused(rejected: Rejected, attempts: Vec<Attempt>) -> Self {
        Self::Rejected(Box::new(Refusal { rejected, attempts }))
    }

    /// The one error for what several mirrors said: the gravest refusal if there is one, else the first failure.
    pub(crate) fn of_attempts(attempts: Vec<Attempt>, missing: impl FnOnce() -> Rejected) -> Self {
        let mut gravest: Option<&Rejected> = None;
        for attempt in &attempts {
            if let Failure::Rejected(rejected) = &attempt.failure
                && gravest.is_none_or(|known| gravity(rejected) > gravity(known))
            {
                gravest = Some(rejected);
            }
        }
        if let Some(rejected) = gravest.cloned() {
            return Self::refused(rejected, attempts);
        }
        let absent = |attempt: &Attempt| attempt.failure == Failure::Absent;
        let first = attempts.iter().find_map(|attempt| match &attempt.failure {
            Failure::Transport(error) => Some(error.clone()),
            _ => None,
        });
        let missing = missing();
        // A newer root is never missed: who says that there is none is contradicted by who could not be asked.
        let of_root = matches!(
            &missing,
            Rejected::Missing {
                role: RoleName::Root,
                ..
            }
        );
        match first {
            Some(error) if of_root || !attempts.iter().any(absent) => {
                Self::Unavailable(Box::new(Unavailable { error, attempts }))
            }
            _ => Self::refused(missing, attempts),
        }
    }
}

/// An attack outweighs what renewal may cure.
fn gravity(rejected: &Rejected) -> u8 {
    match rejected.class() {
        trust::Class::Untrustworthy => 2,
        trust::Class::Stale => 1,
        _ => 0,
    }
}

impl Local {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Exists { .. } => "disk.exists",
            Self::TargetPath { .. } => "target.path",
            Self::Obstructed { .. } => "disk.obstructed",
            Self::Read { .. } => "disk.read",
            Self::Write { .. } => "disk.write",
            Self::Offline { .. } => "offline.target",
        }
    }
}

impl StoreError {
    /// The stable code, such as `store.write`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "store.read",
            Self::Write { .. } => "store.write",
            Self::Obstructed { .. } => "store.obstructed",
            Self::Locked { .. } => "lock.timeout",
            Self::Lock { .. } => "lock.unavailable",
            Self::Other(_) => "store.other",
        }
    }
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(Box::new(Refusal {
            rejected,
            attempts: Vec::new(),
        }))
    }
}

impl From<trust::Error> for Error {
    fn from(error: trust::Error) -> Self {
        match error {
            trust::Error::Rejected(rejected) => (*rejected).into(),
            trust::Error::Misuse(what) => Self::Misuse(what),
            _ => Self::Misuse("the core refused in a way this version does not know"),
        }
    }
}

impl From<Local> for Error {
    fn from(local: Local) -> Self {
        Self::Local(Box::new(local))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Local::Store(error).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(refusal) => fmt::Display::fmt(&refusal.rejected, f),
            Self::Unavailable(unavailable) => match unavailable.attempts.len() {
                0 | 1 => f.write_str("the repository cannot be reached"),
                mirrors => write!(f, "none of the {mirrors} mirrors can be reached"),
            },
            Self::Local(local) => fmt::Display::fmt(local, f),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Misuse(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rejected(refusal) => std::error::Error::source(&refusal.rejected),
            Self::Unavailable(unavailable) => Some(&unavailable.error),
            Self::Local(local) => local.source(),
            Self::Cancelled | Self::Misuse(_) => None,
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            Failure::Absent => write!(f, "{}: no such file", self.url),
            // Names the URL itself.
            Failure::Transport(error) => fmt::Display::fmt(error, f),
            Failure::Rejected(rejected) => write!(f, "{}: {rejected}", self.url),
        }
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => fmt::Display::fmt(error, f),
            Self::Exists { path } => {
                write!(f, "{} exists and has other content", path.display())
            }
            Self::TargetPath { target, .. } => {
                write!(
                    f,
                    "the target {:?} has a path that cannot be used",
                    target.as_str()
                )
            }
            Self::Obstructed { path } => write!(
                f,
                "{} is in the way: a symbolic link or not a directory",
                path.display()
            ),
            Self::Read { path, .. } => write!(f, "cannot read {}", path.display()),
            Self::Write { path, .. } => write!(f, "cannot write {}", path.display()),
            Self::Offline { target } => {
                write!(f, "{target} is not here, and nothing may be fetched")
            }
        }
    }
}

impl std::error::Error for Local {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => error.source(),
            Self::TargetPath { error, .. } => Some(error),
            Self::Read { error, .. } | Self::Write { error, .. } => Some(error),
            Self::Exists { .. } | Self::Obstructed { .. } | Self::Offline { .. } => None,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, .. } => {
                write!(f, "the store cannot read {}", path.display())
            }
            Self::Write { path, .. } => {
                write!(f, "the store cannot write {}", path.display())
            }
            Self::Obstructed { path } => write!(
                f,
                "{} is in the way of the store: a symbolic link, or not a file or directory as it should be",
                path.display()
            ),
            Self::Locked { path, waited } => write!(
                f,
                "another process has held {} for more than {} seconds",
                path.display(),
                waited.as_secs()
            ),
            Self::Lock { path, .. } => write!(f, "cannot lock {}", path.display()),
            Self::Other(_) => f.write_str("the store failed"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { error, .. } | Self::Write { error, .. } | Self::Lock { error, .. } => {
                Some(error)
            }
            Self::Other(error) => Some(&**error),
            Self::Obstructed { .. } | Self::Locked { .. } => None,
        }
    }
}
