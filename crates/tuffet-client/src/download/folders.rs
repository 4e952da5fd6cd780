//! The directories of several targets: opened once, and flushed once when all targets are there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tuffet_files::FileSystem;

use super::Downloaded;
use super::folder::Folder;
use crate::{Error, Local};

/// How many are held: a process may not have many more files open than a thousand.
const MOST: usize = 64;

/// Directories that are held open, and the file systems that they are on.
#[derive(Debug)]
pub(super) struct Folders {
    held: Mutex<Open>,
    systems: Mutex<Systems>,
}

/// Directories by path, each with its file system.
type Open = BTreeMap<PathBuf, (Arc<Folder>, Option<u64>)>;

/// A directory for targets.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) folder: Arc<Folder>,
    /// Whether it is flushed with the others in the end. Those that are too many are flushed after each target.
    pub(super) flushed_later: bool,
    /// Its file system, if that can be flushed as a whole.
    pub(super) system: Option<u64>,
}

/// File systems that can be flushed as a whole, by number. Each is open since before the first target was written to it: of what
/// could not be written before, nobody would be told.
#[derive(Debug)]
struct Systems {
    open: BTreeMap<u64, FileSystem>,
    flush: fn(&FileSystem) -> io::Result<()>,
    /// Whether one has failed: it says so once, and from then on only each file can tell whether it was written.
    failed: bool,
}

impl Folders {
    pub(super) fn new() -> Self {
        Self {
            held: Mutex::default(),
            systems: Mutex::new(Systems {
                open: BTreeMap::new(),
                flush: FileSystem::flush,
                failed: false,
            }),
        }
    }

    /// The directory of this path.
    pub(super) fn hold(
        &self,
        path: PathBuf,
        open: impl FnOnce() -> Result<Folder, Error>,
    ) -> Result<Held, Error> {
        let mut held = lock(&self.held);
        if let Some((folder, system)) = held.get(&path) {
            return Ok(Held {
                folder: Arc::clone(folder),
                flushed_later: true,
                system: *system,
            });
        }
        let folder = Arc::new(open()?);
        let system = folder.file_system().map(|system| {
            let number = system.device();
            lock(&self.systems).open.entry(number).or_insert(system);
            number
        });
        let flushed_later = held.len() < MOST;
        if flushed_later {
            held.insert(path, (Arc::clone(&folder), system));
        }
        Ok(Held {
            folder,
            flushed_later,
            system,
        })
    }

    /// Flushes file systems, and says whether all that was written to them is durable.
    pub(super) fn flush_systems(&self, numbers: &BTreeSet<u64>) -> bool {
        // One after the other: what the first one is told the second one is not.
        let mut systems = lock(&self.systems);
        let flush = |number| match systems.open.get(number) {
            Some(system) => (systems.flush)(system).is_ok(),
            None => false,
        };
        let flushed = !systems.failed && numbers.iter().all(flush);
        systems.failed = !flushed;
        flushed
    }

    /// Makes the names in all of them durable.
    pub(super) fn flush(self) -> Flushed {
        let held = self.held.into_inner();
        let held = held.unwrap_or_else(PoisonError::into_inner);
        let failed = held
            .into_values()
            .filter_map(|(folder, _)| Some((folder.path().to_owned(), folder.sync().err()?)));
        Flushed(failed.collect())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What became of flushing directories: why it failed.
#[derive(Debug)]
pub(super) struct Flushed(BTreeMap<PathBuf, io::Error>);

impl Flushed {
    /// Nothing is said to be there whose name may be gone after a power cut.
    pub(super) fn judge(&self, result: Result<Downloaded, Error>) -> Result<Downloaded, Error> {
        let downloaded = result?;
        match self.0.get(tuffet_files::parent(&downloaded.path)) {
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
        let folders = Folders::new();
        let open = || Ok(Folder::open(directory.path()).unwrap());
        for number in 0..MOST {
            let path = PathBuf::from(number.to_string());
            assert!(folders.hold(path.clone(), open).unwrap().flushed_later);
            let again = || Err(Error::Misuse("opened again"));
            assert!(folders.hold(path, again).unwrap().flushed_later);
        }
        let more = folders.hold(PathBuf::from("more"), open).unwrap();
        assert!(!more.flushed_later);
        assert!(folders.flush().0.is_empty());
    }

    #[test]
    fn a_file_system_that_has_failed_once_is_not_believed_again() {
        let directory = tempfile::tempdir().unwrap();
        let folders = Folders::new();
        let open = || Ok(Folder::open(directory.path()).unwrap());
        let held = folders.hold(directory.path().to_owned(), open).unwrap();
        let Some(system) = held.system else {
            println!("skipped: files are flushed one by one here");
            return;
        };
        let numbers = BTreeSet::from([system]);
        assert!(folders.flush_systems(&numbers));
        lock(&folders.systems).flush = |_| Err(io::ErrorKind::StorageFull.into());
        assert!(!folders.flush_systems(&numbers));
        lock(&folders.systems).flush = FileSystem::flush;
        assert!(!folders.flush_systems(&numbers));
    }
}
