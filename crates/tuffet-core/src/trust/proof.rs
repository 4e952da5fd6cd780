//! Why a target is trusted: everything that was checked, as data.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Found, Quorum, TrustedView, Verified};
use crate::metadata::{Role, RoleName, TargetFile, TargetPath, Targets, UnixTime, Version};

/// The chain from root to a target, with the keys that counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The target.
    pub path: TargetPath,
    /// What its role says about it.
    pub target: TargetFile,
    /// The moment that every expiry was checked against.
    pub started: UnixTime,
    /// Root, timestamp, snapshot, targets, and the delegated roles on the way to the target, in this order.
    pub steps: Vec<ProofStep>,
}

/// One verified file of a [`Proof`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofStep {
    /// The role.
    pub role: RoleName,
    /// Its version.
    pub version: Version,
    /// When it expires.
    pub expires: UnixTime,
    /// Whose signatures were counted.
    pub quorum: Quorum,
    /// The pattern, hash prefix or bin by which the role was delegated to; `None` for top-level roles.
    pub matched: Option<String>,
    /// Whether the delegation to this role is terminating.
    pub terminating: bool,
}

/// The steps from the top-level targets role to another. Shared: a role may delegate to a hundred thousand others, and list a
/// million targets.
pub(super) type Trail = Arc<Vec<ProofStep>>;

/// The trail of a role that a delegation leads to.
pub(super) fn extended(
    trail: Trail,
    role: &Verified<Targets>,
    matched: Option<String>,
    terminating: bool,
) -> Trail {
    let mut steps = Arc::unwrap_or_clone(trail);
    steps.push(ProofStep::of(role, matched, terminating));
    Arc::new(steps)
}

impl ProofStep {
    pub(super) fn of<R: Role>(
        file: &Verified<R>,
        matched: Option<String>,
        terminating: bool,
    ) -> Self {
        Self {
            role: file.role().clone(),
            version: file.version(),
            expires: file.expires(),
            quorum: file.quorum().clone(),
            matched,
            terminating,
        }
    }
}

impl TrustedView {
    /// Why a target that was found in this view is trusted.
    #[must_use]
    pub fn proof(&self, found: &Found) -> Proof {
        let mut steps = alloc::vec![
            ProofStep::of(self.root(), None, false),
            ProofStep::of(self.timestamp(), None, false),
            ProofStep::of(self.snapshot(), None, false),
        ];
        steps.extend(found.trail.iter().cloned());
        Proof {
            path: found.path.clone(),
            target: found.target.clone(),
            started: self.started(),
            steps,
        }
    }
}
