//! The lock that whoever changes a repository holds.

use std::fs::{self, File, TryLockError};

use crate::Error;
use crate::layout::Layout;

/// A lock, held until this value is dropped; or only the knowledge that nobody else held it, which is all that looking needs.
#[derive(Debug)]
pub(crate) struct Lock(Option<File>);

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
            Ok(()) => Ok(Self(Some(file))),
            Err(TryLockError::WouldBlock) => Err(Error::Locked(path)),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Says at once if somebody else has locked the repository, and writes nothing. Whoever wants to lock it just while it is asked is told
    /// that it is locked.
    pub(crate) fn look(layout: &Layout) -> Result<Self, Error> {
        let path = layout.lock();
        // Where there is no file, or none that may be opened, nobody is asked: looking is possible in any case.
        let Ok(Some(file)) = tuffet_files::open_regular(File::options().read(true), &path) else {
            return Ok(Self(None));
        };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Err(Error::Locked(path)),
            Ok(()) | Err(TryLockError::Error(_)) => {
                drop(Self(Some(file)));
                Ok(Self(None))
            }
        }
    }

    /// Whether others are kept out.
    pub(crate) fn is_held(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for Lock {
    /// Unlocks, where closing the file is not enough: a process that another thread is about to start has inherited it, and keeps it
    /// open for a moment.
    fn drop(&mut self) {
        // Where that fails, closing has to do.
        let _ = self.0.as_ref().map(File::unlock);
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
        let inherited = lock.0.as_ref().map(|file| file.try_clone().unwrap());
        drop(lock);
        assert!(Lock::take(&layout).is_ok());
        drop(inherited);
    }

    #[test]
    fn whoever_looks_makes_no_file_and_keeps_nobody_out() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        assert!(!Lock::look(&layout).unwrap().is_held());
        assert!(fs::read_dir(directory.path()).unwrap().next().is_none());
        let lock = Lock::take(&layout).unwrap();
        assert_eq!(Lock::look(&layout).unwrap_err().code(), "repo.locked");
        drop(lock);
        let _looking = Lock::look(&layout).unwrap();
        assert!(Lock::take(&layout).unwrap().is_held());
    }
}
