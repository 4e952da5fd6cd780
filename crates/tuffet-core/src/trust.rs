//! Where trust is decided: the client workflow of TUF §5 without any I/O.
//!
//! Two layers. The typed states ([`Roots`], [`WithRoot`], [`WithTimestamp`], [`WithSnapshot`]) consume themselves, so that a
//! wrong order does not compile, and a refusal hands the untouched state back. Over them, [`Refresh`] and [`Search`] tell a
//! shell step by step what to load, fetch and store.

mod agreement;
mod audit;
mod download;
mod error;
mod event;
mod file;
mod floor;
mod holders;
mod map;
mod mirrors;
mod phases;
mod policy;
mod proof;
mod record;
mod refresh;
mod roots;
mod search;
mod shown;
mod verified;
mod view;

pub use agreement::{Agreement, Consultation, Voice};
pub use audit::{Audit, AuditedRole, Covered};
pub use download::{TargetCheck, VerifiedTarget};
pub use error::{Class, Error, Rejected, Signers, Uncounted, UncountedReason};
pub use event::Event;
pub use file::{
    Answer, Fetch, Item, RemoteFile, Step, Write, WriteKind, percent_decode, percent_encode,
};
pub use holders::RootHolders;
pub use map::{Mapping, RepositoryMap, is_repository_name};
pub use mirrors::WithoutFile;
pub use phases::{Refused, WithRoot, WithSnapshot, WithTimestamp};
pub use policy::{Context, Limits, MinimumVersions, Policy};
pub use proof::{Proof, ProofStep};
pub use record::last_refresh;
pub use refresh::{Mode, Refresh, TrustAnchor};
pub use roots::{Roots, removes_online_key};
pub use search::{Outcome, Search};
pub use verified::{Counted, Quorum, Verified, count_signatures};
pub use view::{Found, TrustedView};
