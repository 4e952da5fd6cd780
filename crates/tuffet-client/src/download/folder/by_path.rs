//! Directories by their paths, where the standard library can do no better.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use tuffet_files::FileSystem;

#[derive(Debug)]
pub(in crate::download) struct Directory(PathBuf);

impl Directory {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if fs::metadata(path)?.is_dir() {
            Ok(Self(path.to_path_buf()))
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    pub(super) fn child(&self, name: &OsStr) -> io::Result<Self> {
        let path = self.0.join(name);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        if fs::symlink_metadata(&path)?.is_dir() {
            Ok(Self(path))
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    pub(super) fn look(&self, name: &OsStr) -> io::Result<Entry> {
        fs::symlink_metadata(self.0.join(name)).map(Entry)
    }

    pub(super) fn read(&self, name: &OsStr) -> io::Result<File> {
        self.refuse_link(name)?;
        File::open(self.0.join(name))
    }

    pub(super) fn write(&self, name: &OsStr, new: bool) -> io::Result<File> {
        self.refuse_link(name)?;
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .create_new(new)
            .truncate(false)
            .open(self.0.join(name))
    }

    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::rename(self.0.join(from), self.0.join(to))
    }

    pub(super) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::hard_link(self.0.join(from), self.0.join(to))?;
        self.remove(from)
    }

    pub(super) fn file_system(&self) -> io::Result<Option<FileSystem>> {
        Ok(None)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        tuffet_files::sync_directory(&self.0)
    }

    fn refuse_link(&self, name: &OsStr) -> io::Result<()> {
        match self.look(name) {
            Ok(Entry(found)) if found.is_symlink() => {
                Err(io::Error::other("a symbolic link is in the way"))
            }
            _ => Ok(()),
        }
    }
}

/// What stands under a name.
#[derive(Debug, Clone)]
pub(in crate::download) struct Entry(fs::Metadata);

impl Entry {
    /// What an open file is.
    pub(in crate::download) fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(Self)
    }

    pub(in crate::download) fn is_file(&self) -> bool {
        self.0.is_file()
    }

    pub(in crate::download) fn is_directory(&self) -> bool {
        self.0.is_dir()
    }

    /// In bytes.
    pub(in crate::download) fn length(&self) -> u64 {
        self.0.len()
    }

    /// A file; how many names it has and whose it is cannot be told here.
    pub(in crate::download) fn is_ours_alone(&self) -> bool {
        self.is_file()
    }

    pub(in crate::download) fn is_same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.created().ok() == other.0.created().ok()
    }
}
