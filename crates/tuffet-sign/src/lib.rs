//! Produces signatures for The Update Framework.
//!
//! A [`Signer`] holds, or can reach, one private key. It hands out [`ConfirmedSignature`]s: every signature is verified
//! against the declared public key as soon as it is made, whoever implements the [`SigningBackend`], so a broken device or
//! a file that was mixed up is noticed by whoever signs, not by those who verify.
//!
//! ```
//! use tuffet_core::crypto::Scheme;
//! use tuffet_sign::{FileKey, Passphrase, Protection, Signer};
//!
//! # fn main() -> Result<(), tuffet_sign::SignError> {
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("root.pem");
//! let passphrase = Passphrase::new("correct horse battery staple");
//! FileKey::generate(Scheme::Ed25519)?.save(&path, Protection::Passphrase(&passphrase))?;
//!
//! let key = FileKey::open(&path, || Some(passphrase))?;
//! let signature = key.sign_canonical(br#"{"_type":"root"}"#)?;
//! assert_eq!(signature.as_bytes().len(), 64);
//! # Ok(())
//! # }
//! ```
#![deny(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::panic
    )
)]

#[cfg(unix)]
pub mod agent;
mod asynchronous;
pub mod attestation;
mod der;
mod encoding;
pub mod error;
pub mod explain;
mod file;
pub mod kms;
mod passphrase;
mod private;
mod program;
mod secrets;
mod signer;
#[cfg(feature = "pkcs11")]
pub mod token;
mod uri;

pub use asynchronous::{AsyncSigner, AsyncSigningBackend, OnThread, Signing};
pub use attestation::Attestation;
pub use error::SignError;
pub use file::{FileKey, Protection};
pub use kms::KmsUri;
pub use passphrase::Passphrase;
pub use secrets::{NoSecrets, Secrets, TokenName};
pub use signer::{ConfirmedSignature, PublicKeyInfo, Signer, SigningBackend, try_out};
pub use uri::{AgentIdentity, KeyUri, TokenUri};
