//! The directories of several targets: opened once, and flushed once when all targets are there.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::Downloaded;
use super::folder::Folder;
use crate::{Error, Local};

/// How many are held: a process may not have many more files open than a thousand.
const MOST: usize = 64;

/// Directories that are held open.
#[derive(Debug, Default)]
pub(super) struct Folders(Mutex<BTreeMap<PathBuf, Arc<Folder>>>);

impl Folders {
    /// The directory of this path, and whether it is held, so that it is flushed with the others. Those that are too many are the
    /// caller's, to be flushed there.
    pub(super) fn hold(
        &self,
        path: PathBuf,
        open: impl FnOnce() -> Result<Folder, Error>,
    ) -> Result<(Arc<Folder>, bool), Error> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = held.get(&path) {
            return Ok((Arc::clone(folder), true));
        }
        let folder = Arc::new(open()?);
        let room = held.len() < MOST;
        if room {
            held.insert(path, Arc::clone(&folder));
        }
        Ok((folder, room))
    }

    /// Makes the names in all of them durable.
    pub(super) fn flush(self) -> Flushed {
        let held = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let failed = held
            .into_values()
            .filter_map(|folder| Some((folder.path().to_owned(), folder.sync().err()?)));
        Flushed(failed.collect())
    }
}

/// What became of flushing directories: why it failed.
#[derive(Debug)]
pub(super) struct Flushed(BTreeMap<PathBuf, io::Error>);

impl Flushed {
    /// A target whose name may not be durable is not there.
    pub(super) fn judge(&self, result: Result<Downloaded, Error>) -> Result<Downloaded, Error> {
        let downloaded = result?;
        let failed = self.0.get(tuffet_files::parent(&downloaded.path));
        match failed.filter(|_| !downloaded.from_cache) {
            Some(error) => Err(Local::Write {
                path: downloaded.path,
                error: io::Error::new(error.kind(), error.to_string()),
            }
            .into()),
            None => Ok(downloaded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_opened_once_and_those_that_are_too_many_are_not_held() {
        let directory = tempfile::tempdir().unwrap();
        let folders = Folders::default();
        let open = || Ok(Folder::open(directory.path()).unwrap());
        for number in 0..MOST {
            let path = PathBuf::from(number.to_string());
            assert!(folders.hold(path.clone(), open).unwrap().1);
            let again = || Err(Error::Misuse("opened again"));
            assert!(folders.hold(path, again).unwrap().1);
        }
        assert!(!folders.hold(PathBuf::from("more"), open).unwrap().1);
        assert!(folders.flush().0.is_empty());
    }
}
