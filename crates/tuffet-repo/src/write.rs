//! Changes of files and objects: planned as data, made one after the other, each of them whole or not at all.

mod many;
mod read;
mod switch;

pub use many::batches;
pub(crate) use read::{holds, read_bounded, read_optional, read_pieces};

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tuffet_core::crypto::{Digest, HashAlgorithm};
use tuffet_core::metadata::Version;
use tuffet_files::{Draft, Readers, parent, sync_directory};

use crate::Error;
use crate::publish::{Bucket, Object};
use switch::switch;

/// One change of one file or object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Which one.
    pub at: Address,
    /// What becomes of it.
    pub kind: WriteKind,
}

impl Write {
    /// A change of a file.
    #[must_use]
    pub fn file(path: PathBuf, kind: WriteKind) -> Self {
        Self {
            at: Address::File(path),
            kind,
        }
    }
}

/// A file, or an object of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// A file.
    File(PathBuf),
    /// An object.
    Object(Object),
}

impl Address {
    /// The path, if it is a file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Object(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Object(object) => write!(f, "{object}"),
        }
    }
}

/// What was found in the place of a file when a plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seen {
    /// Nothing, in a store.
    Nothing,
    /// This version of an object, as the store names it.
    Object {
        /// Its entity tag.
        e_tag: Option<String>,
        /// Its version or generation, where the store counts them.
        version: Option<String>,
    },
    /// These bytes, in a store: an earlier step of the same plan writes them, and only then the store names their version.
    Bytes(Vec<u8>),
    /// These bytes, in a directory.
    File {
        /// The file that whoever compares and replaces locks.
        lock: PathBuf,
        /// The bytes; `None` if there was no file.
        bytes: Option<Vec<u8>>,
    },
}

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteKind {
    /// It gets these bytes, whatever it held before.
    Replace(Vec<u8>),
    /// It gets these bytes, unless it holds other ones, which is an error: the name of the file promises its content.
    Once(Arc<Vec<u8>>),
    /// It gets these bytes if it is still what was seen, and otherwise nothing happens and that is an error: of several who
    /// publish at the same time only one comes through.
    Switch {
        /// The bytes.
        bytes: Vec<u8>,
        /// What was there when the plan was made.
        seen: Seen,
        /// A root that is written before, and that clients follow whether this is made or not.
        root: Option<Version>,
    },
    /// It gets the bytes of something else, which must have this length and SHA-256.
    Copy {
        /// The other file or object; for a file it has to be a file.
        from: Address,
        /// Its length in bytes.
        length: u64,
        /// Its SHA-256.
        sha256: Digest,
    },
    /// It is removed, if it is there.
    Remove,
}

impl WriteKind {
    /// How many bytes are written.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Replace(bytes) | Self::Switch { bytes, .. } => bytes.len() as u64,
            Self::Once(bytes) => bytes.len() as u64,
            Self::Copy { length, .. } => *length,
            Self::Remove => 0,
        }
    }

    /// Says of a switch which root is written before it.
    pub(crate) fn comes_after(&mut self, last: Option<Version>) {
        if let Self::Switch { root, .. } = self {
            *root = last;
        }
    }
}

/// What makes changes. A test makes some of them and stops, as a crash would.
pub trait Disk {
    /// Makes one change: afterwards it is durable, and before that the file is what it was.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Store`], [`Error::VersionReused`], [`Error::ContentChanged`], [`Error::Overtaken`], [`Error::Locked`].
    fn apply(&mut self, write: &Write) -> Result<(), Error>;

    /// Makes changes that may come in any order: afterwards all of them are durable.
    ///
    /// # Errors
    /// That of one change that failed; others may have been made.
    fn apply_all(&mut self, writes: &[Write]) -> Result<(), Error> {
        writes.iter().try_for_each(|write| self.apply(write))
    }
}

/// The file system, and the stores that addresses name.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSystem;

impl Disk for FileSystem {
    fn apply(&mut self, write: &Write) -> Result<(), Error> {
        match &write.at {
            Address::File(path) => {
                change(path, &write.kind)?;
                sync(parent(path))
            }
            Address::Object(object) => {
                let client = object.bucket().client()?;
                client.apply_all(&[(object.name(), &write.kind)], &|_| {})
            }
        }
    }

    fn apply_all(&mut self, writes: &[Write]) -> Result<(), Error> {
        self.apply_all_watched(writes, &|_| {})
    }
}

impl FileSystem {
    /// As [`Disk::apply_all`]. `sent` is told of every piece that has gone to a store how many bytes it has.
    ///
    /// # Errors
    /// As [`Disk::apply_all`].
    pub fn apply_all_watched(
        &mut self,
        writes: &[Write],
        sent: &(dyn Fn(u64) + Sync),
    ) -> Result<(), Error> {
        let mut files = Vec::new();
        let mut objects: Vec<(&Bucket, Vec<(&str, &WriteKind)>)> = Vec::new();
        for write in writes {
            match &write.at {
                Address::File(path) => files.push((path.as_path(), &write.kind)),
                Address::Object(object) => {
                    let entry = (object.name(), &write.kind);
                    match objects.iter_mut().find(|(of, _)| *of == object.bucket()) {
                        Some((_, all)) => all.push(entry),
                        None => objects.push((object.bucket(), vec![entry])),
                    }
                }
            }
        }
        many::change_all(&files)?;
        objects
            .into_iter()
            .try_for_each(|(bucket, all)| bucket.client()?.apply_all(&all, sent))
    }
}

/// Makes one change; its name in the directory is not durable yet.
fn change(path: &Path, kind: &WriteKind) -> Result<(), Error> {
    let failed = |error| Error::io("cannot write", path, error);
    match (kind, draft(path, kind)?) {
        (WriteKind::Once(bytes), Some(draft)) => create(path, bytes, || draft.create()),
        (_, Some(draft)) => draft.replace().map_err(failed),
        (WriteKind::Switch { bytes, seen, root }, None) => switch(path, bytes, seen, *root),
        (WriteKind::Remove, None) => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("cannot remove", path, error))
            }
            _ => Ok(()),
        },
        // It is there already.
        (_, None) => Ok(()),
    }
}

/// A draft of what the file becomes; `None` if it is that already, or if the change is not one of replacing or creating it.
fn draft(path: &Path, kind: &WriteKind) -> Result<Option<Draft>, Error> {
    match kind {
        WriteKind::Replace(bytes) => put(path, |file| file.write_all(bytes)).map(Some),
        WriteKind::Once(bytes) => match holds(path, bytes)? {
            Some(true) => Ok(None),
            Some(false) => Err(reused(path)),
            None => put(path, |file| file.write_all(bytes)).map(Some),
        },
        WriteKind::Copy {
            from,
            length,
            sha256,
        } => copied(path, from, *length, sha256).map(Some),
        WriteKind::Switch { .. } | WriteKind::Remove => Ok(None),
    }
}

fn reused(path: &Path) -> Error {
    Error::VersionReused {
        at: Address::File(path.to_owned()),
    }
}

/// Puts what a draft holds in its place, unless somebody else was quicker and has put something else there.
fn create(path: &Path, bytes: &[u8], place: impl FnOnce() -> io::Result<()>) -> Result<(), Error> {
    match place() {
        Ok(()) => Ok(()),
        Err(_) if holds(path, bytes)? == Some(true) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(reused(path)),
        Err(error) => Err(Error::io("cannot write", path, error)),
    }
}

/// A draft that holds the bytes of another file.
fn copied(path: &Path, from: &Address, length: u64, sha256: &Digest) -> Result<Draft, Error> {
    let from = match from {
        Address::File(from) => from,
        // Nothing is published to a directory from a store.
        Address::Object(object) => {
            let why = io::Error::other(format!("it would come from {object}"));
            return Err(Error::io("cannot write", path, why));
        }
    };
    let mut hasher = tuffet_crypto::aws_lc().hasher(HashAlgorithm::Sha256);
    let mut copied = Ok(0);
    let draft = put(path, |file| {
        copied = read_pieces(from, |piece| {
            hasher.update(piece);
            file.write_all(piece)
        });
        Ok(())
    })?;
    if copied? != length || hasher.finish() != *sha256 {
        return Err(Error::ContentChanged {
            at: Address::File(from.clone()),
        });
    }
    Ok(draft)
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
        FileSystem.apply(&Write::file(path.to_owned(), kind))
    }

    #[test]
    fn r14_once_written_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/1.root.json");
        write(&path, WriteKind::Once(Arc::new(b"one".to_vec()))).unwrap();
        write(&path, WriteKind::Once(Arc::new(b"one".to_vec()))).unwrap();
        for other in [&b"two"[..], b"longer"] {
            let error = write(&path, WriteKind::Once(Arc::new(other.to_vec()))).unwrap_err();
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
            from: Address::File(from.clone()),
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
