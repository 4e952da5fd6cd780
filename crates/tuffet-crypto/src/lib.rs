//! Signature verification and hashing for tuffet-core.
//!
//! Two implementations of [`tuffet_core::crypto::Crypto`]: `aws_lc`, the default, and `pure` for
//! WebAssembly and for builds without a C compiler. Both give the same verdict on every input; the tests of this
//! crate compare them on published vectors, on edge cases and on damaged input.
//!
//! ```
//! use tuffet_core::crypto::HashAlgorithm;
//!
//! # #[cfg(any(feature = "aws-lc", feature = "pure"))] {
//! let crypto = tuffet_crypto::default_provider();
//! let digest = crypto.digest(HashAlgorithm::Sha256, b"abc");
//! assert!(digest.to_hex().starts_with("ba7816bf"));
//! # }
//! ```
//!
//! # Features
//!
//! * `aws-lc` (default): `aws_lc()`.
//! * `pure`: `pure()`.
#![no_std]
#![deny(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

extern crate alloc;

#[cfg(any(feature = "aws-lc", feature = "pure"))]
use tuffet_core::crypto::Crypto;

#[cfg(feature = "aws-lc")]
mod aws_lc;
#[cfg(any(feature = "aws-lc", feature = "pure"))]
mod ed25519;
#[cfg(feature = "pure")]
mod pure;
#[cfg(any(feature = "aws-lc", feature = "pure"))]
mod verify;

/// The implementation by aws-lc.
#[cfg(feature = "aws-lc")]
#[must_use]
pub fn aws_lc() -> &'static dyn Crypto {
    &aws_lc::AwsLc
}

/// The implementation in Rust alone.
#[cfg(feature = "pure")]
#[must_use]
pub fn pure() -> &'static dyn Crypto {
    &pure::Pure
}

/// The preferred implementation among those compiled in: aws-lc, else the one in Rust alone.
#[cfg(any(feature = "aws-lc", feature = "pure"))]
#[must_use]
pub fn default_provider() -> &'static dyn Crypto {
    #[cfg(feature = "aws-lc")]
    return aws_lc();
    #[cfg(not(feature = "aws-lc"))]
    return pure();
}
