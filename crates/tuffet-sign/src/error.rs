//! What can go wrong between a key and a signature.

use std::fmt;
use std::io;
use std::path::PathBuf;

use tuffet_core::crypto::Scheme;

use crate::kms::KmsError;

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
    /// The text is not a private key that can be used.
    #[error("{origin} cannot be used: {what}")]
    Format {
        /// Where it comes from.
        origin: Origin,
        /// What is wrong with it.
        what: String,
    },
    /// The passphrase of the key is missing or wrong.
    #[error("{what} for {origin}")]
    Passphrase {
        /// Where the key comes from.
        origin: Origin,
        /// What is wrong with the passphrase.
        what: PassphraseProblem,
    },
    /// The environment has no such variable.
    #[error("environment variable {variable} is not set to a key")]
    Variable {
        /// Its name.
        variable: String,
    },
    /// This build has no code for keys of that kind.
    #[error("this build of the program cannot use {what}")]
    Feature {
        /// The kind of key.
        what: &'static str,
        /// The cargo feature that it is built with.
        feature: &'static str,
    },
    /// The ssh-agent cannot be reached, or does not answer as it should.
    #[error("the ssh-agent {what}")]
    Agent {
        /// What is wrong.
        what: String,
        /// What the system says.
        source: Option<io::Error>,
    },
    /// The program that signs cannot be run, or does not answer as it should.
    #[error("the signing program {} {what}", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// What is wrong.
        what: String,
        /// What the system says.
        source: Option<io::Error>,
    },
    /// The token cannot be reached, or refuses.
    #[error("token: {what}")]
    Token {
        /// What is wrong.
        what: String,
    },
    /// The PIN of the token is missing or wrong.
    #[error("{what} for token {token}")]
    Pin {
        /// The label of the token.
        token: String,
        /// What is wrong with the PIN.
        what: PinProblem,
    },
    /// No maker of a token vouches for the key.
    #[error("attestation: {what}")]
    Attestation {
        /// What is wrong.
        what: String,
    },
    /// There is no such key at its place.
    #[error("{place} has no such key: {what}")]
    Absent {
        /// The agent or the token.
        place: String,
        /// What was looked for, and what is there.
        what: String,
    },
    /// More than one key fits the description.
    #[error("{place} has {count} keys that fit")]
    Several {
        /// The agent or the token.
        place: String,
        /// How many keys fit.
        count: usize,
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
    /// A key management service, or the way to it, has a problem.
    #[error(transparent)]
    Kms(#[from] KmsError),
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

/// Where the text of a private key comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "key file {}", path.display()),
            Self::Variable(variable) => write!(f, "the key in variable {variable}"),
        }
    }
}

/// What is wrong with the PIN of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PinProblem {
    /// None was given, but the token wants one.
    #[error("no PIN given")]
    Missing,
    /// The token refuses it. It is not tried again: a token locks itself after a few tries.
    #[error("wrong PIN")]
    Wrong,
    /// The token has been given a wrong one too often.
    #[error("the PIN is locked")]
    Locked,
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
            Self::Variable { .. } => "key.variable",
            Self::Feature { .. } => "key.feature",
            Self::Agent { .. } => "key.agent",
            Self::Program { .. } => "key.program",
            Self::Token { .. } => "key.token",
            Self::Pin { .. } => "key.pin",
            Self::Attestation { .. } => "key.attestation",
            Self::Absent { .. } => "key.absent",
            Self::Several { .. } => "key.several",
            Self::Scheme { .. } => "key.scheme",
            Self::Uri { .. } => "key.uri",
            Self::Kms(error) => error.code(),
            Self::Failed { .. } => "key.failed",
            Self::Mismatch { .. } => "key.mismatch",
        }
    }
}
