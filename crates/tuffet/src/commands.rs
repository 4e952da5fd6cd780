//! The commands, one module each.

pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod get;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod serve;
pub(crate) mod trust;
pub(crate) mod verify;
pub(crate) mod version;
