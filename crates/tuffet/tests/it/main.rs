//! The real program, run as a user runs it.

#![allow(clippy::disallowed_methods, reason = "tests wait for processes")]

mod author;
mod change;
mod channels;
mod client;
mod codes;
mod devices;
mod discipline;
mod dry_run;
mod elsewhere;
mod founding;
mod gitremote;
mod help;
mod home;
mod inspect;
mod interop;
mod json;
#[cfg(feature = "kms")]
mod key_services;
mod keys;
#[cfg(feature = "lab")]
mod lab;
mod publish;
mod readme;
mod recover;
mod roles;
mod shown;
#[cfg(unix)]
mod signals;
mod status;
#[cfg(feature = "object-store")]
#[path = "../../../tuffet-repo/tests/it/support/stores.rs"]
mod stores;
#[cfg(all(unix, feature = "pkcs11"))]
mod story;
mod teams;
mod tour;
mod verify;
