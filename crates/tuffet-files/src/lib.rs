//! Files that are there completely or not at all, also after a power cut.
//!
//! A file is written beside its place under a temporary name, flushed, renamed, and its directory is flushed. A symbolic link in
//! its place is replaced, not followed. Many files can be flushed at once ([`Flush`]). Client, signers and authoring keep metadata, keys
//! and repositories this way.
//!
//! ```
//! use tuffet_files::{Readers, replace};
//!
//! # let directory = tempfile::tempdir()?;
//! let path = directory.path().join("timestamp.json");
//! replace(&path, b"{}", Readers::Umask)?;
//! assert_eq!(std::fs::read(&path)?, b"{}");
//! # Ok::<(), std::io::Error>(())
//! ```
#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![cfg_attr(test, allow(clippy::panic, clippy::unwrap_used))]

mod directory;
mod draft;
mod regular;
mod sequential;
mod together;

pub use directory::{is_draft, parent, remove, sweep, sync_directory};
pub use draft::{Draft, Readers, create, replace};
pub use regular::open_regular;
pub use sequential::{LONG, Sequential};
pub use together::{FileSystem, Flush, FlushError, Flushed, Unflushed};
