//! Changes of files: planned as data, made one after the other, each of them whole or not at all.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use tuffet_core::crypto::{Digest, HashAlgorithm};
use tuffet_files::{Draft, Readers, parent, sync_directory};

use crate::Error;

/// One change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The file.
    pub path: PathBuf,
    /// What becomes of it.
    pub kind: WriteKind,
}

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteKind {
    /// It gets these bytes, whatever it held before.
    Replace(Vec<u8>),
    /// It gets these bytes, unless it holds other ones, which is an error: the name of the file promises its content.
    Once(Vec<u8>),
    /// It gets the bytes of another file, which must have this length and SHA-256.
    Copy {
        /// The other file.
        from: PathBuf,
        /// Its length in bytes.
        length: u64,
        /// Its SHA-256.
        sha256: Digest,
    },
    /// It is removed, if it is there.
    Remove,
}

/// What makes changes. A test makes some of them and stops, as a crash would.
pub trait Disk {
    /// Makes one change: afterwards it is durable, and before that the file is what it was.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::VersionReused`], [`Error::ContentChanged`].
    fn apply(&mut self, write: &Write) -> Result<(), Error>;

    /// Makes changes that may come in any order: afterwards all of them are durable.
    ///
    /// # Errors
    /// That of one change that failed; others may have been made.
    fn apply_all(&mut self, writes: &[Write]) -> Result<(), Error> {
        writes.iter().try_for_each(|write| self.apply(write))
    }
}

/// How many files are written at the same time, if there are many: a disk that waits for one can write others.
const AT_ONCE: usize = 32;

/// The file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSystem;

impl Disk for FileSystem {
    fn apply(&mut self, write: &Write) -> Result<(), Error> {
        change(write)?;
        sync(parent(&write.path))
    }

    fn apply_all(&mut self, writes: &[Write]) -> Result<(), Error> {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(write) = writes.get(next.fetch_add(1, Ordering::Relaxed)) {
                change(write)?;
            }
            Ok(())
        };
        let failed = std::thread::scope(|scope| {
            let workers = AT_ONCE.min(writes.len());
            let workers: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
            let own = work();
            let others = workers.into_iter().map(|worker| match worker.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            std::iter::once(own).chain(others).find_map(Result::err)
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let directories: BTreeSet<&Path> = writes.iter().map(|write| parent(&write.path)).collect();
        directories.into_iter().try_for_each(sync)
    }
}

/// Makes one change; its name in the directory is not durable yet.
fn change(write: &Write) -> Result<(), Error> {
    let path = &write.path;
    match &write.kind {
        WriteKind::Replace(bytes) => put(path, |file| file.write_all(bytes))?
            .replace()
            .map_err(|error| Error::io("cannot write", path, error))?,
        WriteKind::Once(bytes) => once(path, bytes)?,
        WriteKind::Copy {
            from,
            length,
            sha256,
        } => copy(path, from, *length, sha256)?,
        WriteKind::Remove => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("cannot remove", path, error));
            }
            _ => {}
        },
    }
    Ok(())
}

/// Whether a file holds exactly these bytes; `None` if there is no such file.
pub(crate) fn holds(path: &Path, bytes: &[u8]) -> Result<Option<bool>, Error> {
    match fs::metadata(path) {
        Ok(found) if found.len() != bytes.len() as u64 => Ok(Some(false)),
        Ok(_) => fs::read(path)
            .map(|found| Some(found == bytes))
            .map_err(|error| Error::io("cannot read", path, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("cannot read", path, error)),
    }
}

/// Reads a file that may be absent.
pub(crate) fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("cannot read", path, error)),
    }
}

/// Reads a file to its end in pieces; returns its length.
pub(crate) fn read_pieces(
    path: &Path,
    mut piece: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<u64, Error> {
    let failed = |error| Error::io("cannot read", path, error);
    let mut file = File::open(path).map_err(failed)?;
    let mut buffer = vec![0; 1 << 18];
    let mut length = 0_u64;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(length),
            Ok(count) => {
                piece(buffer.get(..count).unwrap_or_default()).map_err(failed)?;
                length = length.saturating_add(count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

fn once(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let reused = || Error::VersionReused {
        path: path.to_owned(),
    };
    match holds(path, bytes)? {
        Some(true) => return Ok(()),
        Some(false) => return Err(reused()),
        None => {}
    }
    match put(path, |file| file.write_all(bytes))?.create() {
        Ok(()) => Ok(()),
        // Somebody else was quicker.
        Err(_) if holds(path, bytes)? == Some(true) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(reused()),
        Err(error) => Err(Error::io("cannot write", path, error)),
    }
}

fn copy(path: &Path, from: &Path, length: u64, sha256: &Digest) -> Result<(), Error> {
    let mut hasher = tuffet_crypto::aws_lc().hasher(HashAlgorithm::Sha256);
    let mut copied = Ok(0);
    let file = put(path, |file| {
        copied = read_pieces(from, |piece| {
            hasher.update(piece);
            file.write_all(piece)
        });
        Ok(())
    })?;
    if copied? != length || hasher.finish() != *sha256 {
        return Err(Error::ContentChanged {
            path: from.to_owned(),
        });
    }
    file.replace()
        .map_err(|error| Error::io("cannot write", path, error))
}

/// Writes a draft of the file at `path`, and makes the directory that it belongs in.
fn put(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<Draft, Error> {
    let failed = |error| Error::io("cannot write", path, error);
    make_directory(parent(path)).map_err(failed)?;
    // What is published has to be readable for a web server.
    let mut draft = Draft::of(path, Readers::Umask).map_err(failed)?;
    write(draft.file()).map_err(failed)?;
    Ok(draft)
}

/// Makes a directory and those above it, each durable in the one above.
fn make_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let above = parent(directory);
    if above != directory {
        make_directory(above)?;
    }
    match fs::create_dir(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_directory(above),
    }
}

fn sync(directory: &Path) -> Result<(), Error> {
    match sync_directory(directory) {
        // Where a file was to be removed from there may be no directory.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(|error| Error::io("cannot write", directory, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, kind: WriteKind) -> Result<(), Error> {
        FileSystem.apply(&Write {
            path: path.to_owned(),
            kind,
        })
    }

    #[test]
    fn r14_once_written_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/1.root.json");
        write(&path, WriteKind::Once(b"one".to_vec())).unwrap();
        write(&path, WriteKind::Once(b"one".to_vec())).unwrap();
        for other in [&b"two"[..], b"longer"] {
            let error = write(&path, WriteKind::Once(other.to_vec())).unwrap_err();
            assert_eq!(error.code(), "version.reused");
        }
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_copy_is_what_it_was_planned_to_be_or_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        fs::write(&from, b"content").unwrap();
        let sha256 = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, b"content");
        let kind = |length| WriteKind::Copy {
            from: from.clone(),
            length,
            sha256,
        };
        write(&to, kind(7)).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"content");
        assert_eq!(
            write(&to, kind(8)).unwrap_err().code(),
            "target.content-changed"
        );
        fs::write(&from, b"CONTENT").unwrap();
        assert_eq!(
            write(&to, kind(7)).unwrap_err().code(),
            "target.content-changed"
        );
        assert_eq!(fs::read(&to).unwrap(), b"content");
    }

    #[test]
    fn removing_what_is_not_there_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        write(&directory.path().join("x/y"), WriteKind::Remove).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_can_be_read_by_a_web_server() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let expected = directory.path().join("expected");
        File::create(&expected).unwrap();
        write(&path, WriteKind::Replace(b"x".to_vec())).unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(path), mode(expected));
    }
}
