//! The documents of a repository, as parsed: nothing in here has been verified.
//!
//! Verified documents are [`crate::trust::Verified`]; only signature checking can make one.

mod date;
mod delegations;
mod envelope;
mod keys;
mod listed;
mod names;
mod root;
mod snapshot;
mod targets;
mod timestamp;
mod tolerance;

pub use date::UnixTime;
pub use delegations::{DelegatedRole, Delegations, PathSet, RoleDelegations};
pub use envelope::{EnvelopeKind, Parsed, Role, pre_authentication_encoding};
pub(crate) use keys::RoleKeysFields;
pub use keys::{KeyTable, RoleKeys};
pub use listed::{Hashes, MetaFile, TargetFile};
pub use names::{DelegatedName, KeyId, NameError, RoleName, TargetPath, Version};
pub use root::Root;
pub use snapshot::{ListedFile, Listing, Snapshot};
pub use targets::Targets;
pub use timestamp::Timestamp;
pub use tolerance::{Note, Tolerance, ToleranceSet};

pub(crate) use envelope::SignatureEntry;
pub(crate) use names::is_device_name;
pub(crate) use snapshot::Regression;
pub(crate) use tolerance::Notes;
