//! The Update Framework, verified: everything that decides trust, as pure functions of bytes and a time.
//!
//! This crate reads no file, opens no socket and asks no clock. It is handed bytes, says what it needs next, and ends in
//! a [`trust::TrustedView`] or in a [`trust::Rejected`] that names the attack. `tuffet-client` moves the bytes.
//!
//! | module | holds |
//! |---|---|
//! | [`json`] | a strict reader over borrowed bytes, the canonical form |
//! | [`crypto`] | hashes, keys, schemes, and the trait an implementation of them provides |
//! | [`metadata`] | the four roles as parsed, unverified |
//! | [`delegation`] | patterns, hash prefixes, hash bins |
//! | [`trust`] | the client workflow of TUF §5, what came out of it, and why something was refused |
//! | [`explain`] | the long form of every error code |
#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod crypto;
pub mod delegation;
pub mod explain;
pub mod json;
pub mod metadata;
pub mod trust;
