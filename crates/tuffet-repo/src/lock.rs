//! The lock that whoever changes a repository holds.

use std::fs::{self, File, TryLockError};

use crate::Error;
use crate::layout::Layout;

/// A lock, held until this value is dropped.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Locks the repository, or says at once that somebody else has.
    pub(crate) fn take(layout: &Layout) -> Result<Self, Error> {
        let path = layout.lock();
        let failed = |error| Error::io("cannot lock", &path, error);
        fs::create_dir_all(layout.working()).map_err(failed)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::Locked(path)),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

impl Drop for Lock {
    /// Unlocks, where closing the file is not enough: a process that another thread is about to start has inherited it, and keeps it
    /// open for a moment.
    fn drop(&mut self) {
        // Where that fails, closing has to do.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_when_it_is_dropped_whoever_has_inherited_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        let lock = Lock::take(&layout).unwrap();
        assert_eq!(Lock::take(&layout).unwrap_err().code(), "repo.locked");
        let inherited = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(Lock::take(&layout).is_ok());
        drop(inherited);
    }
}
