//! The real program, run as a user runs it.

#![allow(clippy::disallowed_methods, reason = "tests wait for processes")]

mod author;
mod change;
mod client;
mod codes;
mod devices;
mod discipline;
mod help;
mod home;
mod inspect;
mod json;
#[cfg(feature = "kms")]
mod key_services;
mod keys;
mod peers;
mod readme;
#[cfg(unix)]
mod signals;
mod tour;
mod verify;
