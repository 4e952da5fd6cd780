//! What kinds of trouble there are.

use tuffet_core::trust;
use tuffet_sign::SignError;
use tuffet_sign::kms::KmsError;

use super::Error;

/// What kind of trouble an error is, for exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// What was asked for cannot be done so.
    Usage,
    /// Not trustworthy.
    Untrustworthy,
    /// Something that was named is not there.
    NotFound,
    /// Something is past its date.
    Stale,
    /// People have to sign first.
    NeedsSignatures,
    /// Files cannot be read or written.
    Io,
    /// Somebody else was quicker.
    Conflict,
    /// A key cannot be used.
    Key,
    /// Anything else.
    Failed,
}

impl Error {
    /// What kind of trouble this is.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::NotFound(_)
            | Self::KeyUnknown(_)
            | Self::RoleUnknown(_)
            | Self::ChannelUnknown(_)
            | Self::TargetUnlisted(_)
            | Self::TargetNotListed { .. }
            | Self::RecoveryVersion { .. } => Class::NotFound,
            Self::Exists(_)
            | Self::Locked(_)
            | Self::Stale { .. }
            | Self::ChangePublished { .. }
            | Self::ChangeDiffers { .. }
            | Self::ChangeNotShown { .. }
            | Self::ChangeSealed
            | Self::ChangeSigned { .. }
            | Self::VersionReused { .. }
            | Self::Diverged { .. }
            | Self::Behind { .. }
            | Self::VersionsTaken { .. }
            | Self::Overtaken { .. }
            | Self::ContentChanged { .. }
            | Self::ContentDiffers { .. } => Class::Conflict,
            Self::Io { .. } | Self::Store { .. } => Class::Io,
            Self::ChangeForeign { .. }
            | Self::ChangeElsewhere { .. }
            | Self::ChangeSignature { .. }
            | Self::ChangeRole { .. }
            | Self::VersionFar { .. }
            | Self::VersionsUsedUp { .. }
            | Self::VersionRemembered { .. }
            | Self::TimestampLost { .. }
            | Self::AnchorUnknown { .. }
            | Self::AnchorDiffers { .. }
            | Self::AnchorLeft { .. }
            | Self::HeadUnsigned { .. } => Class::Untrustworthy,
            Self::SignaturesMissing(_) => Class::NeedsSignatures,
            Self::Signer { error, .. } => match &**error {
                SignError::Mismatch { .. } => Class::Untrustworthy,
                SignError::Kms(KmsError::Unreachable { .. }) => Class::Io,
                SignError::Scheme { .. } => Class::Usage,
                _ => Class::Key,
            },
            Self::RecoveryTooLate => Class::Key,
            Self::Format { .. } | Self::PolicyFormat { .. } | Self::ContentMissing { .. } => {
                Class::Failed
            }
            Self::Refused { error, .. } => match &**error {
                trust::Error::Rejected(rejected) => match rejected.class() {
                    trust::Class::Stale => Class::Stale,
                    trust::Class::NotFound => Class::NotFound,
                    _ => Class::Untrustworthy,
                },
                _ => Class::Failed,
            },
            _ => Class::Usage,
        }
    }
}
