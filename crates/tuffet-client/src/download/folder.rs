//! The directory that a target goes to.
//!
//! On Unix it is held open, and everything in it is opened, renamed and removed relative to what is held: whoever may write to a
//! directory above it cannot put another one in its place meanwhile. Elsewhere there is only its path, see
//! [`Destination::below`](super::Destination::below).

#[cfg(not(unix))]
mod by_path;
#[cfg(unix)]
mod held;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tuffet_files::FileSystem;

#[cfg(not(unix))]
use by_path as system;
#[cfg(unix)]
use held as system;

pub(super) use system::Entry;

/// A directory that exists.
#[derive(Debug)]
pub(super) struct Folder {
    system: system::Directory,
    path: PathBuf,
}

impl Folder {
    /// A directory that the caller names: links on the way to it are the caller's.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            system: system::Directory::open(path)?,
            path: path.to_path_buf(),
        })
    }

    /// A directory in this one, which is created if it is not there. A link is none.
    pub(super) fn child(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let path = self.path.join(name.as_ref());
        Ok(Self {
            system: self.system.child(name.as_ref())?,
            path,
        })
    }

    /// What it is called in messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What stands under a name; of a link the link itself.
    pub(super) fn look(&self, name: impl AsRef<OsStr>) -> io::Result<Option<Entry>> {
        match self.system.look(name.as_ref()) {
            Ok(entry) => Ok(Some(entry)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a file for reading. A link is not followed.
    pub(super) fn read(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        self.system.read(name.as_ref())
    }

    /// Opens a file for reading and writing, and creates it if it is not there. A link is not followed.
    pub(super) fn open_or_create(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        self.system.write(name.as_ref(), false)
    }

    /// Creates a file where nothing is.
    pub(super) fn create(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        self.system.write(name.as_ref(), true)
    }

    /// Removes a file or a link.
    pub(super) fn remove(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        self.system.remove(name.as_ref())
    }

    /// Renames a file, whatever is in the place.
    pub(super) fn rename(&self, from: impl AsRef<OsStr>, to: impl AsRef<OsStr>) -> io::Result<()> {
        self.system.rename(from.as_ref(), to.as_ref())
    }

    /// Renames a file unless something is in the place.
    pub(super) fn rename_new(
        &self,
        from: impl AsRef<OsStr>,
        to: impl AsRef<OsStr>,
    ) -> io::Result<()> {
        let (from, to) = (from.as_ref(), to.as_ref());
        match self.system.rename_new(from, to) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                // A file system that cannot tell in one step.
                match self.look(to)? {
                    Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
                    None => self.rename(from, to),
                }
            }
            result => result,
        }
    }

    /// The file system that it is on, if all files of it can be flushed at once.
    pub(super) fn file_system(&self) -> Option<FileSystem> {
        self.system.file_system().ok().flatten()
    }

    /// Makes the names in it durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.system.sync()
    }
}

#[cfg(all(test, unix))]
mod tests;
