//! Repositories made, signed and published, and read back by the core as a client would.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that fails says where"
)]

mod authoring;
mod builder;
mod copies;
mod crash;
mod delegation;
mod exchange;
mod moments;
mod preservation;
mod prune;
mod publishing;
mod race;
mod rotation;
#[cfg(feature = "object-store")]
mod stores;
mod support;
