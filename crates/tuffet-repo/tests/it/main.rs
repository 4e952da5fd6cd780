//! Repositories made, signed and published, and read back by the core as a client would.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that fails says where"
)]

mod anchor;
mod attested;
mod authoring;
mod behind;
mod builder;
mod channels;
mod copies;
mod crash;
mod delegation;
mod exchange;
mod exchanged;
mod fast_forward;
mod import;
mod leftovers;
mod many;
mod moments;
mod planted;
mod preservation;
mod private;
mod prune;
mod publishing;
mod race;
mod reached;
mod recovery;
mod renewal;
mod revocation;
mod roles;
mod rotation;
mod signed;
mod signing;
#[cfg(feature = "object-store")]
mod stores;
mod support;
mod sweep;
mod teams;
mod unfinished;
