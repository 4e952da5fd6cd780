//! What the policy forbids and somebody may allow for once.

use super::Policy;

/// A rule of the policy that one command may break, if whoever gives it says so: see [`Repository::allowing`].
///
/// [`Repository::allowing`]: crate::Repository::allowing
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A key that automation holds may sign root or targets.
    OnlineKey,
    /// Nobody vouches for a key of a role that only takes keys of tokens.
    NotAttested,
}

impl Violation {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::OnlineKey, Self::NotAttested];

    /// The code of the error by which it is refused.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::OnlineKey => "policy.online-key",
            Self::NotAttested => "policy.not-attested",
        }
    }
}

impl Policy {
    /// Lets these rules go, in memory: what is written goes on asking for them.
    pub(crate) fn allow(&mut self, violations: &[Violation]) {
        for violation in violations {
            match violation {
                Violation::OnlineKey => self.allow_online = true,
                Violation::NotAttested => self.attestation = None,
            }
        }
    }
}
