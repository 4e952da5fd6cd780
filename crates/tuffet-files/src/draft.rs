//! Files that are not in their place yet.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::together::Flushed;
use crate::{parent, sync_directory};

/// What the names of drafts begin with. They do not end in `.json`, so nobody takes them for metadata.
pub(crate) const TEMPORARY: &str = ".tuffet-";

/// Who may read a file. Elsewhere than on Unix the directory decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Everybody whom the umask allows: metadata is no secret, and a web server reads it.
    Umask,
    /// The owner alone: for keys.
    Owner,
}

/// A file beside its place, with a name of its own. It is removed when it is dropped.
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    path: PathBuf,
}

impl Draft {
    /// An empty draft of the file at `path`, whose directory must exist.
    ///
    /// # Errors
    /// If no file can be made in the directory.
    pub fn of(path: &Path, readers: Readers) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY).suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = match readers {
                Readers::Umask => 0o666,
                Readers::Owner => 0o600,
            };
            builder.permissions(std::fs::Permissions::from_mode(mode));
        }
        #[cfg(not(unix))]
        let _ = readers;
        Ok(Self {
            file: builder.tempfile_in(parent(path))?,
            path: path.to_owned(),
        })
    }

    /// The draft as a file, to be written.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// The file and its place.
    pub(crate) fn into_parts(self) -> (NamedTempFile, PathBuf) {
        (self.file, self.path)
    }

    /// Flushes the draft, which is put in its place later.
    ///
    /// # Errors
    /// If the draft cannot be flushed.
    pub fn flush(self) -> io::Result<Flushed> {
        self.file.as_file().sync_all()?;
        Ok(Flushed::from_draft(self))
    }

    /// Flushes the draft and puts it in its place, whatever is there. Durable once the directory is flushed too.
    ///
    /// # Errors
    /// If the draft cannot be flushed or renamed. Then the place is as it was.
    pub fn replace(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        match self.file.persist(&self.path) {
            Ok(_) => Ok(()),
            Err(failed) => Err(failed.error),
        }
    }

    /// Flushes the draft and puts it in its place, if nothing is there. Durable once the directory is flushed too.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if something is there, and as for [`Self::replace`].
    pub fn create(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        match self.file.persist_noclobber(&self.path) {
            Ok(_) => Ok(()),
            Err(failed) => Err(failed.error),
        }
    }
}

/// Writes a file, whatever is in its place, durably.
///
/// # Errors
/// If it cannot be written. Unless the last flush failed, the place is as it was.
pub fn replace(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let mut draft = Draft::of(path, readers)?;
    draft.file().write_all(bytes)?;
    draft.replace()?;
    sync_directory(parent(path))
}

/// Writes a file where nothing is yet, durably.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if something is there, and as for [`replace`].
pub fn create(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let mut draft = Draft::of(path, readers)?;
    draft.file().write_all(bytes)?;
    draft.create()?;
    sync_directory(parent(path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_there_is_replaced_or_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        create(&path, b"one", Readers::Umask).unwrap();
        let error = create(&path, b"two", Readers::Umask).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        replace(&path, b"two", Readers::Umask).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_draft_that_is_dropped_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let mut draft = Draft::of(&directory.path().join("file"), Readers::Owner).unwrap();
        draft.file().write_all(b"x").unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        drop(draft);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_replaced_and_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (directory.path().join("a"), directory.path().join("b"));
        fs::write(&elsewhere, b"old").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        replace(&path, b"new", Readers::Umask).unwrap();
        assert!(!path.is_symlink());
        assert_eq!(fs::read(&elsewhere).unwrap(), b"old");
    }

    #[cfg(unix)]
    #[test]
    fn who_may_read_is_up_to_the_umask_or_the_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        File::create(place("usual")).unwrap();
        replace(&place("umask"), b"x", Readers::Umask).unwrap();
        replace(&place("owner"), b"x", Readers::Owner).unwrap();
        let mode = |name| fs::metadata(place(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("umask"), mode("usual"));
        assert_eq!(mode("owner"), 0o600 & mode("usual"));
    }
}
