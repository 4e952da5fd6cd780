//! Fetches, verifies, stores and downloads: the shell around `tuffet-core` that moves bytes.
//!
//! An updater needs to know where trust begins, where it can keep what it trusts, and where the repository is:
//!
//! ```no_run
//! use tuffet_client::blocking::Updater;
//! use tuffet_client::{Destination, DirectoryStore, Source, TargetPath, TrustAnchor};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let root = std::fs::read("root.json")?; // ships with the program
//! let updater = Updater::builder(TrustAnchor::Root(root), DirectoryStore::new("tuf"))
//!     .source(Source::at("https://updates.example.org/tuf"))
//!     .build()?;
//! updater.refresh()?;
//! let found = updater.find(&TargetPath::new("app/app-1.0.tar.gz")?)?;
//! let done = updater.download(&found, &Destination::below("downloads"))?;
//! println!("{} is verified", done.path.display());
//! # Ok(()) }
//! ```
//!
//! With the feature `async`, `tuffet_client::Updater` does the same in a tokio runtime; the names are the same and the calls are
//! awaited.
//!
//! | to | use |
//! |---|---|
//! | ask several mirrors | [`Builder::source`] several times |
//! | do without the network for a while, or altogether | [`Mode`] |
//! | be strict, or allow larger files | [`Policy`] |
//! | keep metadata elsewhere than in a directory | [`Store`] |
//! | fetch by other ways than HTTP and files | [`transport::Transport`] |
//! | bound the time that a refresh takes | [`Builder::deadline`], [`Builder::file_deadline`] |
//! | show progress and warnings | [`Observer`] |
//! | stop an operation | [`CancelToken`], or drop its future |
//! | require that several repositories agree | [`MapUpdater`] |
//! | say what an error means and what to do | [`Error::code`], [`explain`] |
//!
//! # What is promised
//!
//! * No file appears at the destination of a download before its length and every listed hash were checked.
//! * Metadata that was trusted once is the floor for the future: what is stored survives a crash at any moment, and a
//!   repository that goes back is refused.
//! * One mirror that is down, old or hostile does not keep a client from a good one.
//! * Memory and work are bounded by limits and by bytes received, never by what a file or a server claims.
//!
//! # Features
//!
//! * `http` (default): HTTP and HTTPS for the blocking updater. Without it there are files, memory, and what you bring along.
//! * `async`: the asynchronous updater, and HTTP and HTTPS for it.
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

#[cfg(feature = "async")]
mod asynchronous;
pub mod blocking;
mod builder;
mod cancel;
mod clock;
mod deadline;
mod default_transport;
mod download;
mod engine;
mod error;
pub mod explain;
mod file;
#[cfg(any(feature = "http", feature = "async"))]
pub mod http;
mod map;
mod memory;
mod observer;
pub mod retry;
mod source;
pub mod store;
pub mod transport;

// The public interface is:
pub use tuffet_core::metadata::{TargetPath, UnixTime};
pub use tuffet_core::trust::{
    Event, Found, Policy, Proof, Rejected, RepositoryMap, TrustAnchor, TrustedView, VerifiedTarget,
};

#[cfg(feature = "async")]
pub use asynchronous::Updater;
pub use builder::{Builder, Mode};
pub use cancel::CancelToken;
pub use clock::{Clock, FixedClock, SystemClock};
pub use deadline::FileDeadline;
pub use default_transport::DefaultTransport;
pub use download::{Destination, Downloaded};
pub use error::{Attempt, Class, Error, Failure, Local, Refusal, StoreError, Unavailable};
pub use file::FileTransport;
pub use map::{Agreed, MapUpdater};
pub use memory::{Fault, MemoryTransport};
pub use observer::{Notice, Observer, Subject};
pub use retry::Retry;
pub use source::{Source, without_secrets};
pub use store::{DirectoryStore, MemoryStore, ReadOnlyStore, Store, StoreLock};
