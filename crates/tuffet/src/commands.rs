//! The commands, one module each.

pub(crate) mod change;
pub(crate) mod completions;
pub(crate) mod delegate;
pub(crate) mod explain;
pub(crate) mod get;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod man;
pub(crate) mod prune;
pub(crate) mod publish;
pub(crate) mod renew;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod target;
pub(crate) mod tour;
pub(crate) mod trust;
pub(crate) mod verify;
pub(crate) mod version;
