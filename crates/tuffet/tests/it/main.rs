//! The real program, run as a user runs it.

#![allow(clippy::disallowed_methods, reason = "tests wait for processes")]

mod author;
mod change;
mod client;
mod codes;
mod discipline;
mod help;
mod home;
mod inspect;
mod json;
mod peers;
mod publish;
mod readme;
#[cfg(feature = "object-store")]
#[path = "../../../tuffet-repo/tests/it/support/s3.rs"]
mod s3;
#[cfg(unix)]
mod signals;
mod tour;
mod verify;
