//! Fetches, verifies, stores and downloads: the shell around `tuffet-core` that moves bytes.
#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

#[cfg(feature = "async")]
mod asynchronous;
#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
mod cancel;
mod clock;
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
pub use default_transport::DefaultTransport;
pub use download::{Destination, Downloaded};
pub use error::{Attempt, Class, Error, Failure, Local, Refusal, StoreError, Unavailable};
pub use file::FileTransport;
pub use map::{Agreed, MapUpdater};
pub use memory::{Fault, MemoryTransport};
pub use observer::{Notice, Observer, Subject};
pub use retry::Retry;
pub use source::Source;
pub use store::{DirectoryStore, MemoryStore, ReadOnlyStore, Store, StoreLock};
