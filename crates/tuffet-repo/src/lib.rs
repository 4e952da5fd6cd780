//! Authors repositories of The Update Framework: makes, edits, signs and publishes them.
//!
//! A [`Repository`] is a directory: `tuffet.toml` with its [`Policy`], `metadata/` with every version that was ever sealed, and
//! `.tuffet/` with what is on the way: the open change and the artifacts that wait to be published. Edits go into the open
//! change as drafts of the next version of each role they touch; people sign the drafts, in any order; [`Repository::publish`]
//! seals them, writes snapshot and timestamp, and copies what is new to the place that clients read.
//!
//! Every operation returns a [`Plan`], which says what would be done and has not written anything yet.
//!
//! * Nobody types a version number, and nobody can use one twice for other bytes (R-14).
//! * What is about to be published is verified by `tuffet-core`, as a client would, before the first byte of it is written.
//! * No clock is read here: every operation that needs the time is given it.
//!
//! ```
//! use tuffet_core::crypto::Scheme;
//! use tuffet_core::metadata::{TargetPath, UnixTime};
//! use tuffet_repo::{AddTarget, InitOptions, NamedKey, Publish, Repository};
//! use tuffet_sign::{FileKey, Signer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let place = tempfile::tempdir()?;
//! # let directory = place.path().join("acme");
//! # let file = place.path().join("app.tar");
//! # std::fs::write(&file, b"app")?;
//! let now = UnixTime(1_800_000_000);
//! let (ana, ben, online) = (FileKey::generate(Scheme::Ed25519)?, FileKey::generate(Scheme::Ed25519)?, FileKey::generate(Scheme::Ed25519)?);
//! let options = InitOptions::new("acme", vec![NamedKey::of("ana", &ana)?, NamedKey::of("ben", &ben)?], 2, vec![NamedKey::of("online", &online)?]);
//! Repository::init(&directory, &options, &[&ana, &ben], now)?.execute()?;
//!
//! let repository = Repository::open(&directory)?;
//! repository.add_target(&AddTarget::new(TargetPath::new("app.tar")?, &file), now)?.execute()?;
//! repository.sign(&[&ana, &ben])?.execute()?;
//! repository.publish(&Publish::to(place.path().join("public")), &[&online], now)?.execute()?;
//! assert!(place.path().join("public/metadata/timestamp.json").exists());
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod accept;
mod anchor;
pub mod builder;
mod change;
mod channel;
mod delegate;
mod detached;
mod document;
mod edit;
mod entry;
mod error;
mod exchanged;
pub mod explain;
mod graph;
mod heads;
mod highest;
mod import;
mod init;
mod key_roles;
mod keys;
mod layout;
mod lock;
mod numbers;
mod obstacle;
mod plan;
mod policy;
mod private;
mod publish;
mod quorum;
mod rebin;
mod recall;
mod recover;
mod repository;
mod revoke;
mod role;
mod rotate;
mod session;
mod sign;
mod sizing;
mod status;
mod store;
mod sweep;
mod targets;
mod tree;
mod write;

pub use anchor::Adopt;
pub use change::{
    Change, ChangeContents, Difference, Draft, DraftContents, KeyNames, Preview, differences,
};
pub use channel::{NewChannel, Promote};
pub use delegate::{Delegate, DelegatedPaths, Delegation};
pub use document::Document;
pub use error::{Class, Error, MissingSignatures};
pub use graph::Link;
pub use import::Import;
pub use init::{BinOptions, InitLayout, InitOptions, RoleOptions};
pub use keys::{KeyName, NamedKey};
pub use obstacle::Obstacle;
pub use plan::{Action, Plan};
pub use policy::{AttestationPolicy, KeyPolicy, Period, Policy, RolePolicy, Violation};
pub use publish::{Bucket, Destination, Object, Prune, Publish};
pub use quorum::Need;
pub use recover::{Assessment, Exposure, Incident, Outcome, Recover, Suspect};
pub use repository::Repository;
pub use revoke::RevokeKey;
pub use role::SetRole;
pub use rotate::RotateKey;
pub use session::Session;
pub use sizing::{Sizes, Sizing};
pub use status::{Overview, RoleStatus};
pub use targets::{AddTarget, Listing, TargetEntry};
pub use write::{Address, Disk, FileSystem, Seen, Write, WriteKind, batches};
