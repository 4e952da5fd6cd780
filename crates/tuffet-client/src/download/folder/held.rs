//! Directories that are held open.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;

use tuffet_files::FileSystem;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};

/// Reading and writing for whom the umask allows, as usual.
const FILE: Mode = Mode::from_raw_mode(0o666);
const DIRECTORY: Mode = Mode::from_raw_mode(0o777);

/// A pipe in the place of a file is not waited for.
const EVERY: OFlags = OFlags::NOFOLLOW
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);

#[derive(Debug)]
pub(in crate::download) struct Directory(File);

impl Directory {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?.into()))
    }

    pub(super) fn child(&self, name: &OsStr) -> io::Result<Self> {
        match rustix::fs::mkdirat(&self.0, name, DIRECTORY) {
            Ok(()) => self.sync()?,
            Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | EVERY;
        let child = rustix::fs::openat(&self.0, name, flags, Mode::empty())?;
        Ok(Self(child.into()))
    }

    pub(super) fn look(&self, name: &OsStr) -> io::Result<Entry> {
        let stat = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Entry(stat))
    }

    pub(super) fn read(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | EVERY;
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    pub(super) fn write(&self, name: &OsStr, new: bool) -> io::Result<File> {
        let mut flags = OFlags::RDWR | OFlags::CREATE | EVERY;
        flags.set(OFlags::EXCL, new);
        Ok(rustix::fs::openat(&self.0, name, flags, FILE)?.into())
    }

    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    pub(super) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            let flags = rustix::fs::RenameFlags::NOREPLACE;
            match rustix::fs::renameat_with(&self.0, from, &self.0, to, flags) {
                Ok(()) => return Ok(()),
                Err(rustix::io::Errno::EXIST) => return Err(io::ErrorKind::AlreadyExists.into()),
                // Not every file system can.
                Err(_) => {}
            }
        }
        rustix::fs::linkat(&self.0, from, &self.0, to, AtFlags::empty())?;
        self.remove(from)
    }

    pub(super) fn file_system(&self) -> io::Result<Option<FileSystem>> {
        FileSystem::of(self.0.try_clone()?)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }
}

/// What stands under a name.
#[derive(Debug, Clone, Copy)]
pub(in crate::download) struct Entry(Stat);

impl Entry {
    /// What an open file is.
    pub(in crate::download) fn of(file: &File) -> io::Result<Self> {
        Ok(Self(rustix::fs::fstat(file)?))
    }

    pub(in crate::download) fn is_file(&self) -> bool {
        FileType::from_raw_mode(self.0.st_mode).is_file()
    }

    pub(in crate::download) fn is_directory(&self) -> bool {
        FileType::from_raw_mode(self.0.st_mode).is_dir()
    }

    /// In bytes.
    pub(in crate::download) fn length(&self) -> u64 {
        u64::try_from(self.0.st_size).unwrap_or_default()
    }

    /// A file of this user that has no other name: writing to it changes nothing else, and nobody else has it open for writing
    /// because it was theirs.
    pub(in crate::download) fn is_ours_alone(&self) -> bool {
        self.is_file()
            && self.0.st_nlink == 1
            && self.0.st_uid == rustix::process::geteuid().as_raw()
    }

    pub(in crate::download) fn is_same(&self, other: &Self) -> bool {
        (self.0.st_dev, self.0.st_ino) == (other.0.st_dev, other.0.st_ino)
    }
}
