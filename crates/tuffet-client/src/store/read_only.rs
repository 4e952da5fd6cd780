//! A store that cannot be written: embedded bytes, or a directory that belongs to somebody else.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tuffet_core::trust::{Item, Write, WriteKind};

use super::memory::Gate;
use super::{DirectoryStore, MemoryStore, Store, StoreError, StoreLock};

/// Reads from another store and never changes it: what would be written is kept in memory for as long as the process lives.
pub struct ReadOnlyStore {
    base: Box<dyn Store>,
    changes: Mutex<BTreeMap<Item, WriteKind>>,
    gate: Arc<Gate>,
}

impl ReadOnlyStore {
    /// Over another store.
    #[must_use]
    pub fn new(base: impl Store + 'static) -> Self {
        Self {
            base: Box::new(base),
            changes: Mutex::default(),
            gate: Arc::default(),
        }
    }

    /// Over a directory that a [`DirectoryStore`] has written. Nothing is created in it, not even a lock.
    #[must_use]
    pub fn directory(path: impl Into<PathBuf>) -> Self {
        Self::new(DirectoryStore::new(path))
    }

    /// Over bytes that are part of the program.
    #[must_use]
    pub fn embedded(items: impl IntoIterator<Item = (Item, Vec<u8>)>) -> Self {
        let base = items
            .into_iter()
            .fold(MemoryStore::new(), |store, (item, bytes)| {
                store.with(item, bytes)
            });
        Self::new(base)
    }

    fn changes(&self) -> MutexGuard<'_, BTreeMap<Item, WriteKind>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for ReadOnlyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadOnlyStore").finish_non_exhaustive()
    }
}

impl Store for ReadOnlyStore {
    fn load(&self, item: &Item, most: u64) -> Result<Option<Vec<u8>>, StoreError> {
        match self.changes().get(item) {
            Some(WriteKind::Put(bytes)) => Ok(Some(bytes.to_vec())),
            Some(WriteKind::Delete) => Ok(None),
            None => self.base.load(item, most),
        }
    }

    fn apply(&self, writes: &[Write]) -> Result<(), StoreError> {
        let mut changes = self.changes();
        for write in writes {
            changes.insert(write.item.clone(), write.kind.clone());
        }
        Ok(())
    }

    fn lock(&self) -> Result<StoreLock, StoreError> {
        Ok(self.gate.enter())
    }
}
