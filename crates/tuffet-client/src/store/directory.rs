//! A store in a directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tuffet_core::trust::{Item, Write, WriteKind};

use tuffet_files::Readers;

use super::{Store, StoreError, StoreLock, names};
use crate::CancelToken;
use crate::clock::wait;

/// The name of the lock.
const LOCK: &str = "lock";
/// The name of what the core remembers. It is no metadata, so it does not end in `.json`.
const RECORD: &str = "record";
/// The directory of the root history.
const ROOTS: &str = "roots";
/// How often a lock that is taken is looked at again.
const LOCK_INTERVAL: Duration = Duration::from_millis(20);

/// Keeps metadata in one flat directory.
///
/// | file | holds |
/// |---|---|
/// | `root.json`, `timestamp.json`, `snapshot.json`, `targets.json` | the current top-level roles, as received |
/// | `role.ENCODED.json` | the delegated roles that were needed |
/// | `roots/N.json` | every root since the trust anchor |
/// | `record` | which root accepted the files, and when the last refresh succeeded |
/// | `lock` | an advisory lock, held during a refresh or a search |
///
/// Every file is replaced atomically and flushed before the next is touched, so that a crash at any moment leaves a store from
/// which the next refresh goes on. Symbolic links in the place of metadata are not followed: they count as damaged files, and are
/// replaced. It is an error that the directory itself, `roots` or the lock is a link, or that a directory is in the place of a
/// file.
#[derive(Debug, Clone)]
pub struct DirectoryStore {
    directory: PathBuf,
    lock_timeout: Duration,
}

impl DirectoryStore {
    /// A store in this directory, which is created at the first use.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            lock_timeout: Duration::from_secs(60),
        }
    }

    /// How long to wait for another process that holds the lock; 60 seconds unless set. How long one can hold it is up to its
    /// [`Builder::deadline`](crate::Builder::deadline).
    #[must_use]
    pub fn lock_timeout(self, lock_timeout: Duration) -> Self {
        Self {
            lock_timeout,
            ..self
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// The directory and the name of an item's file.
    fn place(&self, item: &Item) -> Result<(PathBuf, String), StoreError> {
        match item {
            Item::Role(role) => Ok((self.directory.clone(), names::of_role(role))),
            Item::Root(version) => Ok((self.directory.join(ROOTS), format!("{version}.json"))),
            Item::Record => Ok((self.directory.clone(), RECORD.into())),
            _ => Err(StoreError::Other(
                "an item of a newer version of the core".into(),
            )),
        }
    }

    /// Makes the directories, if they are not there, and refuses anything else in their places.
    fn prepare(&self) -> Result<PathBuf, StoreError> {
        let roots = self.directory.join(ROOTS);
        if !is_real_directory(&self.directory)? || !is_real_directory(&roots)? {
            fs::create_dir_all(&roots)
                .and_then(|()| tuffet_files::sync_directory(&self.directory))
                .map_err(|error| StoreError::Write {
                    path: roots.clone(),
                    error,
                })?;
        }
        Ok(roots)
    }

    fn acquire(&self, path: &Path) -> Result<File, StoreError> {
        let unavailable = |error| StoreError::Lock {
            path: path.to_path_buf(),
            error,
        };
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let file = open_plain(&mut options, path).map_err(unavailable)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if start.elapsed() < self.lock_timeout => {
                    wait(LOCK_INTERVAL, &CancelToken::new());
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked {
                        path: path.to_path_buf(),
                        waited: self.lock_timeout,
                    });
                }
                Err(TryLockError::Error(error)) => return Err(unavailable(error)),
            }
        }
    }
}

impl Store for DirectoryStore {
    fn load(&self, item: &Item, most: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let (directory, name) = self.place(item)?;
        let elsewhere = directory != self.directory;
        if !is_real_directory(&self.directory)? || (elsewhere && !is_real_directory(&directory)?) {
            return Ok(None);
        }
        let path = directory.join(name);
        match read(&path, most.saturating_add(1)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => Err(StoreError::Obstructed { path }),
                // A link or a pipe was never written here. No bytes are a damaged file to the core, which has it replaced.
                Ok(found) if !found.is_file() => Ok(Some(Vec::new())),
                _ => Err(StoreError::Read { path, error }),
            },
        }
    }

    fn apply(&self, writes: &[Write]) -> Result<(), StoreError> {
        self.prepare()?;
        for write in writes {
            let (directory, name) = self.place(&write.item)?;
            let path = directory.join(name);
            let done = match &write.kind {
                WriteKind::Put(bytes) => tuffet_files::replace(&path, bytes, Readers::Umask),
                WriteKind::Delete => tuffet_files::remove(&path),
            };
            done.map_err(|error| StoreError::Write { path, error })?;
        }
        Ok(())
    }

    fn lock(&self) -> Result<StoreLock, StoreError> {
        let roots = self.prepare()?;
        let file = self.acquire(&self.directory.join(LOCK))?;
        for directory in [&self.directory, &roots] {
            tuffet_files::sweep(directory).map_err(|error| StoreError::Write {
                path: directory.clone(),
                error,
            })?;
        }
        Ok(StoreLock::new(file))
    }
}

/// Whether a directory is there; a link in its place would have files removed and written somewhere else.
fn is_real_directory(path: &Path) -> Result<bool, StoreError> {
    let path = path.to_path_buf();
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_dir() => Ok(true),
        Ok(_) => Err(StoreError::Obstructed { path }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::Read { path, error }),
    }
}

/// So many bytes of a file at the most.
fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open_plain(OpenOptions::new().read(true), path)?;
    // One byte more than there is, so that the end is seen at once.
    let length = file.metadata()?.len().saturating_add(1).min(most);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a regular file and nothing else: a link is not followed, and a pipe not waited for.
fn open_plain(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    #[cfg(not(unix))]
    if path.is_symlink() {
        return Err(io::Error::other("a symbolic link"));
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("not a regular file"))
    }
}
