//! The real program, run as a user runs it.

#![allow(clippy::disallowed_methods, reason = "tests wait for processes")]

mod author;
mod change;
mod client;
mod codes;
mod discipline;
mod elsewhere;
mod gitremote;
mod help;
mod home;
mod inspect;
mod json;
mod peers;
mod readme;
mod recover;
#[cfg(unix)]
mod signals;
mod tour;
mod verify;
