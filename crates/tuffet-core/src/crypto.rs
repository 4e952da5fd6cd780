//! Cryptographic material: hashes, keys, schemes, signatures and the backend that computes with them.
//!
//! This module knows what keys and signatures look like; it does no cryptography of its own and makes no
//! trust decision. Which keys count, and how many are needed, is policy and lives elsewhere.
//!
//! * A scheme is a property of the key (TUF §4.2.2), never chosen by a signature.
//! * A key this crate cannot use is kept as [`KeyKind::Opaque`]: it never counts and never makes a file
//!   unreadable, so a repository may introduce new kinds of keys without breaking older clients.
//! * Keys are compared by [`KeyIdentity`], that is by their mathematical value: one key listed under two
//!   keyids counts once.
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

mod backend;
mod ec;
mod hash;
pub mod hex;
mod key;
mod public;
mod scheme;
mod signature;
mod spki;
#[cfg(test)]
mod tests;

pub use backend::{Crypto, Hasher, SignatureCheck, Verdict};
pub use hash::{Digest, HashAlgorithm};
pub use key::{Key, KeyKind, LegacyKeyForm, OpaqueReason};
pub use public::{KeyIdentity, MetadataKey, PublicKey};
pub use scheme::{Curve, MlDsaParameters, Scheme};
pub use signature::{Signature, signed_message};
