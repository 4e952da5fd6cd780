//! What can go wrong between a key and a signature.

use std::io;
use std::path::PathBuf;

use tuffet_core::crypto::Scheme;

/// An error about a signing key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The file of the key cannot be read.
    #[error("cannot read key file {}", path.display())]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file of the key cannot be written.
    #[error("cannot write key file {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is a file of that name already; key files are never overwritten.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a private key that can be used.
    #[error("{} is not a usable key file: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The passphrase of the file is missing or wrong.
    #[error("{what} for key file {}", path.display())]
    Passphrase {
        /// The file.
        path: PathBuf,
        /// What is wrong with the passphrase.
        what: PassphraseProblem,
    },
    /// The key does not sign with that scheme.
    #[error("the key does not sign with scheme {scheme}")]
    Scheme {
        /// The scheme.
        scheme: Scheme,
    },
    /// The key URI names no key that can be used. The URI itself is not repeated: it may contain a PIN.
    #[error("key URI {what}")]
    Uri {
        /// What is wrong with it.
        what: String,
    },
    /// The cryptographic library failed to make a key or a signature.
    #[error("cannot {what} with scheme {scheme}")]
    Failed {
        /// What was attempted.
        what: &'static str,
        /// With which scheme.
        scheme: Scheme,
    },
    /// The signature that was made is not one of the declared public key.
    #[error(
        "the signature made with scheme {scheme} does not verify against the declared public key"
    )]
    Mismatch {
        /// The scheme.
        scheme: Scheme,
    },
}

/// What is wrong with a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseProblem {
    /// None was given, but the file is encrypted.
    #[error("no passphrase given")]
    Missing,
    /// The file cannot be decrypted with it.
    #[error("wrong passphrase")]
    Wrong,
    /// An empty one would only seem to protect the file.
    #[error("empty passphrase")]
    Empty,
}

impl SignError {
    /// The stable code of the error, for scripts and documentation.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "key.unavailable",
            Self::Write { .. } => "key.write",
            Self::Exists { .. } => "key.exists",
            Self::Format { .. } => "key.format",
            Self::Passphrase { .. } => "key.passphrase",
            Self::Scheme { .. } => "key.scheme",
            Self::Uri { .. } => "key.uri",
            Self::Failed { .. } => "key.failed",
            Self::Mismatch { .. } => "key.mismatch",
        }
    }
}
