//! What each fuzz target checks, as a function of its input.
//!
//! `fuzz/` has a program for each, in which libFuzzer looks for inputs that break a check. Here they are ordinary functions, so that
//! every compiler builds them, and the inputs that are known are checked with every change (`cargo xtask fuzz`).

mod change;
mod envelope;
mod glob;
mod json;
mod keys;
mod odd;
mod paths;
mod providers;
mod refresh;
mod roles;
mod search;

pub use change::change;
pub use envelope::envelope;
pub use json::{canonical, json};
pub use keys::{agent, key, uri};
pub use paths::{map, names, pattern};
pub use providers::providers;
pub use refresh::refresh;
pub use roles::{root, snapshot, targets, timestamp};
pub use search::search;

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name; that of its program and of the directory of its inputs, too.
    pub name: &'static str,
    /// Panics if the input shows that something is wrong.
    pub check: fn(&[u8]),
}

macro_rules! targets {
    ($($name:ident)+) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[$(Target { name: stringify!($name), check: $name }),+];
    };
}

targets! {
    agent canonical change envelope json key map names pattern providers refresh root search snapshot targets timestamp uri
}

/// The input as text, if it is.
fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}
