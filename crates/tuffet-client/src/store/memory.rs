//! A store that lives as long as the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tuffet_core::trust::{Item, Write, WriteKind};

use super::{Store, StoreError, StoreLock};

/// Keeps metadata in memory. Clones share the content.
///
/// It forgets everything when the process ends, and with it the protection against a repository that goes back. For tests, and
/// for programs whose trust anchor is always fresh.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    items: Arc<Mutex<BTreeMap<Item, Arc<Vec<u8>>>>>,
    gate: Arc<Gate>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an item in, as a [`Store`] would be found later.
    #[must_use]
    pub fn with(self, item: Item, bytes: impl Into<Vec<u8>>) -> Self {
        self.items().insert(item, Arc::new(bytes.into()));
        self
    }

    fn items(&self) -> MutexGuard<'_, BTreeMap<Item, Arc<Vec<u8>>>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    /// Everything is in memory already, so nothing is cut.
    fn load(&self, item: &Item, _most: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.items().get(item).map(|bytes| bytes.to_vec()))
    }

    fn apply(&self, writes: &[Write]) -> Result<(), StoreError> {
        let mut items = self.items();
        for write in writes {
            match &write.kind {
                WriteKind::Put(bytes) => {
                    items.insert(write.item.clone(), Arc::clone(bytes));
                }
                WriteKind::Delete => {
                    items.remove(&write.item);
                }
            }
        }
        Ok(())
    }

    fn lock(&self) -> Result<StoreLock, StoreError> {
        Ok(self.gate.enter())
    }
}

/// A lock between threads whose guard borrows nothing.
#[derive(Debug, Default)]
pub(super) struct Gate {
    taken: Mutex<bool>,
    freed: Condvar,
}

struct Entered(Arc<Gate>);

impl Gate {
    pub(super) fn enter(self: &Arc<Self>) -> StoreLock {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self
            .freed
            .wait_while(taken, |taken| *taken)
            .unwrap_or_else(PoisonError::into_inner);
        *taken = true;
        StoreLock::new(Entered(Arc::clone(self)))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.freed.notify_one();
    }
}
