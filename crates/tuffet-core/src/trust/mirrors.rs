//! What it means when no mirror of a repository has a file.

use super::{Policy, RemoteFile};
use crate::metadata::RoleName;

/// How the mirrors answered for one file, none of them with bytes that were accepted.
///
/// ```
/// use tuffet_core::{metadata::{RoleName, Version}, trust::{Policy, RemoteFile, WithoutFile}};
/// let root = RemoteFile { role: RoleName::Root, version: Version::new(2) };
/// let mut answers = WithoutFile::default();
/// answers.absent();
/// answers.failed();
/// assert!(answers.mean_absent(&root, &Policy::default()));
/// assert!(!answers.mean_absent(&root, &Policy::strict()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WithoutFile {
    absent: u32,
    failed: u32,
}

impl WithoutFile {
    /// A mirror says that there is no such file (A-17 says which answers say so).
    pub fn absent(&mut self) {
        self.absent = self.absent.saturating_add(1);
    }

    /// A mirror could not be reached, or what it delivered was refused.
    pub fn failed(&mut self) {
        self.failed = self.failed.saturating_add(1);
    }

    /// Whether the file is to be taken as absent, so that [`Answer::Absent`](super::Answer::Absent) may be given for it.
    ///
    /// All mirrors have to say so, with one exception: that there is no newer root is believed when one mirror says so and none
    /// delivers it, because a mirror that is down or hostile must not keep a client from the others (F-60). Whoever holds one
    /// mirror and blocks the others can thereby hide a root until the one that is trusted expires, just like whoever holds the
    /// only mirror. A strict policy makes no exception.
    #[must_use]
    pub fn mean_absent(&self, file: &RemoteFile, policy: &Policy) -> bool {
        let excused = file.role == RoleName::Root && !policy.strict_local;
        self.absent > 0 && (self.failed == 0 || excused)
    }
}
