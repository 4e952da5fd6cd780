//! A repository, a client, and whoever stands between them, in memory and without real cryptography.

mod client;
mod crypto;
mod document;
pub(crate) mod expect;
mod keys;
mod repository;

pub(crate) use client::{Files, Op, Stop, World};
pub(crate) use crypto::{Toy, sha256, sha384, sha512};
pub(crate) use document::{
    Document, Envelope, Layout, array, base64, edit, insert, object, remove, text,
};
pub(crate) use keys::TestKey;
pub(crate) use repository::{Delegated, Listing, Repository, role};

use tuffet_core::metadata::{RoleName, TargetPath, UnixTime, Version};

/// When the tests take place.
pub(crate) const NOW: &str = "2030-01-01T00:00:00Z";

/// When everything expires, if nothing else is said.
pub(crate) const EXPIRES: &str = "2031-01-01T00:00:00Z";

pub(crate) fn time(text: &str) -> UnixTime {
    UnixTime::parse(text).expect("a date")
}

pub(crate) fn version(number: u64) -> Version {
    Version::new(number).expect("above zero")
}

pub(crate) fn name(role: &str) -> RoleName {
    RoleName::new(role).expect("a role name")
}

pub(crate) fn path(path: &str) -> TargetPath {
    TargetPath::new(path).expect("a target path")
}
