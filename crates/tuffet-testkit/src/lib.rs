//! Repositories, keyholders, attackers, mirrors and clients in memory, for the tests of tuffet and for whoever shows attacks.
//!
//! | to | use |
//! |---|---|
//! | build a repository and forge anything in it | [`Repository`], [`Document`], [`TestKey`] |
//! | let the core look at it | [`World`], or [`drive`] with [`Surroundings`] of one's own |
//! | name the exact error that must come | [`expect`] |
//!
//! Keys are toys unless said otherwise: their signatures are digests, verified by [`Toy`] and nobody else. A repository from
//! [`Repository::real`] is signed with ed25519, and any client can read what it publishes in [`Repository::files`] and
//! [`Repository::blobs`].
//!
//! ```
//! use tuffet_testkit::{TestKey, World, expect::rollback};
//!
//! let mut world = World::refreshed();
//! let old = world.repository.files["timestamp.json"].clone();
//! world.repository.publish();
//! world.refresh().expect("the next version is fine");
//! // Somebody serves the old timestamp again.
//! world.repository.files.insert("timestamp.json".into(), old);
//! assert_eq!(world.refresh().unwrap_err(), rollback("timestamp", 2, 1));
//! ```
#![forbid(unsafe_code)]

mod client;
mod crypto;
mod document;
mod driver;
pub mod expect;
mod keys;
pub mod lab;
mod repository;
pub mod simulation;

pub use client::{Op, Store, World};
pub use crypto::{Toy, sha256, sha384, sha512};
pub use document::{Document, Envelope, Layout, array, base64, edit, insert, object, remove, text};
pub use driver::{Auditing, Machine, Reply, Stop, Surroundings, drive};
pub use keys::TestKey;
pub use repository::{Delegated, Files, Listing, Repository, Signing, role};

use tuffet_core::metadata::{RoleName, TargetPath, UnixTime, Version};

/// When the tests take place.
pub const NOW: &str = "2030-01-01T00:00:00Z";

/// When everything expires, if nothing else is said.
pub const EXPIRES: &str = "2031-01-01T00:00:00Z";

/// A moment from an RFC 3339 date.
///
/// # Panics
/// If it is none, like everything here that is given nonsense by a test.
#[must_use]
pub fn time(text: &str) -> UnixTime {
    UnixTime::parse(text).expect("a date")
}

/// A version above zero.
#[must_use]
pub fn version(number: u64) -> Version {
    Version::new(number).expect("above zero")
}

/// A role name.
#[must_use]
pub fn name(role: &str) -> RoleName {
    RoleName::new(role).expect("a role name")
}

/// A target path.
#[must_use]
pub fn path(path: &str) -> TargetPath {
    TargetPath::new(path).expect("a target path")
}
