//! Where trusted metadata is kept between two refreshes.

mod directory;
mod memory;
mod names;
mod read_only;

use tuffet_core::trust::{Item, Write};

pub use crate::error::StoreError;
pub use directory::DirectoryStore;
pub use memory::MemoryStore;
pub use read_only::ReadOnlyStore;

/// Keeps trusted metadata: the floor below which no repository can go back.
///
/// Whoever can write to a store can make a client forget what it has seen, so it belongs where only the client can write.
pub trait Store: Send + Sync {
    /// The bytes of an item; `None` if there are none. Of one that has more than `most` bytes, the first `most` and one are
    /// enough: it was never accepted like that, and the core takes what is cut off for damaged.
    ///
    /// # Errors
    /// If the store cannot tell.
    fn load(&self, item: &Item, most: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Makes changes, in this order. Each is atomic, and durable before the next is begun.
    ///
    /// # Errors
    /// If a change could not be made; those before it stay.
    fn apply(&self, writes: &[Write]) -> Result<(), StoreError>;

    /// Keeps other updaters out until the lock is dropped. Called once for each refresh and search, never twice at a time by the
    /// same operation; it is held for as long as that takes, which [`Builder::deadline`](crate::Builder::deadline) bounds.
    ///
    /// # Errors
    /// If the lock cannot be had.
    fn lock(&self) -> Result<StoreLock, StoreError>;
}

/// Keeps other updaters out of a store until it is dropped.
pub struct StoreLock(
    #[expect(dead_code, reason = "held for its destructor")] Option<Box<dyn Send>>,
);

impl StoreLock {
    /// A lock that is released when `guard` is dropped.
    #[must_use]
    pub fn new(guard: impl Send + 'static) -> Self {
        Self(Some(Box::new(guard)))
    }

    /// The lock of a store that nobody else can reach.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }
}

impl std::fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreLock")
    }
}
