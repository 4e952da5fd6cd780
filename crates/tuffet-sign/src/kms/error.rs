//! What can go wrong between us and a key management service.

use std::fmt;

/// A key management service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KmsService {
    /// AWS KMS.
    Aws,
    /// Google Cloud KMS.
    Gcp,
    /// Azure Key Vault or Managed HSM.
    Azure,
    /// The transit engine of Vault or OpenBao.
    Vault,
}

impl fmt::Display for KmsService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aws => "AWS KMS",
            Self::Gcp => "Google Cloud KMS",
            Self::Azure => "Azure Key Vault",
            Self::Vault => "Vault",
        })
    }
}

/// An error of a key management service, or of the way to it. No secret is part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KmsError {
    /// A setting is missing or makes no sense: a region, an endpoint, a proxy, a file of certificate authorities.
    #[error("{service} cannot be used: {what}")]
    Settings {
        /// Which service.
        service: KmsService,
        /// Which setting, and what is wrong with it.
        what: String,
    },
    /// There are no credentials for the service, or they cannot be read.
    #[error("no credentials for {service}: {what}")]
    Credentials {
        /// Which service.
        service: KmsService,
        /// Where they were looked for, or what is wrong with them.
        what: String,
    },
    /// The service, or who hands out tokens for it, does not let these credentials do this.
    #[error("{service} denies access{}", Said(said))]
    Denied {
        /// Which service.
        service: KmsService,
        /// What it says, if anything.
        said: String,
    },
    /// The service knows who asks and does not do it: there is no such key, it is disabled, or not for signing.
    #[error("{service} refuses the request{}", Said(said))]
    Refused {
        /// Which service.
        service: KmsService,
        /// What it says, if anything.
        said: String,
    },
    /// The service cannot be reached, or has too much to do, after several attempts.
    #[error("{service} cannot be reached{}", Said(what))]
    Unreachable {
        /// Which service.
        service: KmsService,
        /// What happened to the last attempt.
        what: String,
    },
    /// The answer is not one of the service's interface.
    #[error("{service} gives an answer that cannot be used: {what}")]
    Answer {
        /// Which service.
        service: KmsService,
        /// What is wrong with it.
        what: String,
    },
    /// The service signs nothing that long with this kind of key.
    #[error("{service} signs at most {most} bytes with this kind of key, and this are {length}")]
    TooLong {
        /// Which service.
        service: KmsService,
        /// How long the message is, in bytes.
        length: usize,
        /// How long it may be, in bytes.
        most: usize,
    },
}

impl KmsError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "key.kms.settings",
            Self::Credentials { .. } => "key.kms.credentials",
            Self::Denied { .. } => "key.kms.denied",
            Self::Refused { .. } => "key.kms.refused",
            Self::Unreachable { .. } => "key.kms.unreachable",
            Self::Answer { .. } => "key.kms.answer",
            Self::TooLong { .. } => "key.kms.too-long",
        }
    }
}

/// What a service says, after a colon, or nothing.
struct Said<'a>(&'a str);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            said => write!(f, ": {said}"),
        }
    }
}
