//! A target that is not complete yet: a file beside its destination, that a later process can go on with.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempPath;
use tuffet_core::crypto::Crypto;
use tuffet_core::trust::{Found, Rejected, TargetCheck, VerifiedTarget};
use tuffet_files::sync_directory;

use super::place::Place;
use crate::transport::{Resume, TransportError};
use crate::{Error, Local};

/// How much of a target's name is part of the name of its partial file, in bytes.
const NAME: usize = 100;
/// The longest identification of bytes that is remembered, in bytes.
const VALIDATOR: usize = 512;

/// The bytes of a target so far.
///
/// The file is named after the target and its hash, so that only bytes of the same target are ever continued. A second file
/// beside it holds what the server said identifies the bytes. Whatever both say, the target is verified as a whole in the end.
pub(super) struct Partial<'a> {
    found: &'a Found,
    crypto: &'a dyn Crypto,
    path: PathBuf,
    /// Where the validator is kept; `None` if nobody could go on with this file.
    note: Option<PathBuf>,
    file: File,
    check: TargetCheck,
    validator: Option<String>,
    mixed: bool,
}

impl<'a> Partial<'a> {
    /// Opens the partial file of a target and hashes what is in it.
    pub(super) fn open(
        place: &Place,
        found: &'a Found,
        crypto: &'a dyn Crypto,
        buffer: &mut [u8],
    ) -> Result<Self, Error> {
        let stem = stem(&place.name.to_string_lossy(), found);
        let path = place.directory.join(format!("{stem}.part"));
        let failed = |error| Local::Write {
            path: path.clone(),
            error,
        };
        let owned = open_owned(&path).map_err(failed)?;
        let (file, path, note) = match owned {
            Some(file) => {
                let note = place.directory.join(format!("{stem}.etag"));
                (file, path, Some(note))
            }
            // Another process downloads the same target just now. Both come to an end; the second one finds it verified.
            None => {
                let (file, path) = tempfile::Builder::new()
                    .prefix(&format!("{stem}-"))
                    .suffix(".part")
                    .tempfile_in(&place.directory)
                    .map_err(failed)?
                    .into_parts();
                let path = path.keep().map_err(|error| failed(error.error))?;
                (file, path, None)
            }
        };
        let mut partial = Self {
            found,
            crypto,
            path,
            validator: note.as_deref().and_then(read_note),
            note,
            file,
            check: found.check(crypto),
            mixed: false,
        };
        partial.hash_present(buffer)?;
        Ok(partial)
    }

    pub(super) fn received(&self) -> u64 {
        self.found
            .target
            .length
            .saturating_sub(self.check.remaining())
    }

    /// How many bytes are still to come.
    pub(super) fn missing(&self) -> u64 {
        self.check.remaining()
    }

    /// Whether bytes of an earlier request are part of this.
    pub(super) fn is_mixed(&self) -> bool {
        self.mixed
    }

    pub(super) fn is_resumable(&self) -> bool {
        self.validator.is_some() && self.received() > 0
    }

    /// The target, if its last bytes had arrived before.
    pub(super) fn finish_early(&mut self) -> Option<VerifiedTarget> {
        if self.check.remaining() > 0 || self.received() == 0 {
            return None;
        }
        match self.finish() {
            Ok(Ok(verified)) => Some(verified),
            _ => None,
        }
    }

    /// How to ask for the rest; what cannot be continued is thrown away.
    pub(super) fn resume(&mut self) -> Result<Option<Resume>, Error> {
        let offset = self.received();
        match self.validator.clone() {
            Some(validator) if offset > 0 && self.check.remaining() > 0 => {
                Ok(Some(Resume { offset, validator }))
            }
            _ => {
                self.reset()?;
                Ok(None)
            }
        }
    }

    /// Takes note of where a stream begins. The inner error is the stream's.
    pub(super) fn begin(
        &mut self,
        url: &str,
        offset: u64,
        validator: Option<String>,
    ) -> Result<Result<(), TransportError>, Error> {
        if offset == 0 {
            self.reset()?;
        } else if offset == self.received() {
            self.mixed = true;
        } else {
            return Ok(Err(TransportError::wrong_offset(url, offset)));
        }
        let validator = validator.filter(|validator| validator.len() <= VALIDATOR);
        if validator != self.validator {
            match (&self.note, &validator) {
                (Some(note), Some(validator)) => {
                    write_note(note, validator).map_err(|error| Local::Write {
                        path: note.clone(),
                        error,
                    })?;
                }
                (Some(note), None) => remove(note),
                (None, _) => {}
            }
            self.validator = validator;
        }
        Ok(Ok(()))
    }

    /// Hashes and writes the next bytes. The inner error is that of the bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<Result<(), Rejected>, Error> {
        if let Err(rejected) = self.check.update(bytes) {
            return Ok(Err(rejected));
        }
        self.file
            .write_all(bytes)
            .map_err(|error| self.failed(error))?;
        Ok(Ok(()))
    }

    /// Ends the bytes: makes them durable and compares the hashes. The inner error is that of the bytes.
    pub(super) fn finish(&mut self) -> Result<Result<VerifiedTarget, Rejected>, Error> {
        let fresh = self.found.check(self.crypto);
        let verified = std::mem::replace(&mut self.check, fresh).finish();
        if verified.is_ok() {
            self.file.sync_all().map_err(|error| self.failed(error))?;
        }
        Ok(verified)
    }

    /// Throws the bytes away.
    pub(super) fn reset(&mut self) -> Result<(), Error> {
        self.check = self.found.check(self.crypto);
        self.mixed = false;
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// Puts the verified file in its place, in one step.
    pub(super) fn commit(self, place: &Place, overwrite: bool) -> Result<(), Error> {
        let to = place.path();
        let moved = self.check_own().and_then(|()| {
            if overwrite {
                fs::rename(&self.path, &to)
            } else {
                move_new(&self.path, &to)
            }
        });
        self.note.as_deref().map(remove);
        match moved.and_then(|()| sync_directory(&place.directory)) {
            Ok(()) => Ok(()),
            Err(error) => {
                remove(&self.path);
                Err(match error.kind() {
                    io::ErrorKind::AlreadyExists => Local::Exists { path: to },
                    _ => Local::Write { path: to, error },
                }
                .into())
            }
        }
    }

    /// Whether the name still stands for the file whose bytes were verified.
    fn check_own(&self) -> io::Result<()> {
        let there = fs::symlink_metadata(&self.path)?;
        if is_same(&there, &self.file.metadata()?) {
            Ok(())
        } else {
            Err(io::Error::other(
                "somebody has put another file in the place of the partial one",
            ))
        }
    }

    /// Leaves the bytes for a later process if they are worth it, else removes them.
    pub(super) fn give_up(self, may_go_on: bool) {
        if may_go_on && self.note.is_some() && self.is_resumable() {
            return;
        }
        remove(&self.path);
        self.note.as_deref().map(remove);
    }

    fn hash_present(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        loop {
            match self.file.read(buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => {
                    let bytes = buffer.get(..read).unwrap_or_default();
                    if self.check.update(bytes).is_err() {
                        return self.reset();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    fn failed(&self, error: io::Error) -> Error {
        Local::Write {
            path: self.path.clone(),
            error,
        }
        .into()
    }
}

/// Whether a target has a name that a partial file may have: it could take the place of the verified bytes of another target.
pub(super) fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with('.') && (name.ends_with(".part") || name.ends_with(".etag"))
}

/// The name of the partial file without its ending.
fn stem(name: &str, found: &Found) -> String {
    let end = (0..=name.len().min(NAME))
        .rev()
        .find(|&end| name.is_char_boundary(end))
        .unwrap_or_default();
    let name = name.get(..end).unwrap_or_default();
    let digest = found
        .target
        .hashes
        .digests()
        .first()
        .map(|digest| digest.to_hex())
        .unwrap_or_default();
    format!(".{name}.{}", digest.get(..16).unwrap_or_default())
}

/// Opens a file that no other process writes to; `None` if one does.
fn open_owned(path: &Path) -> io::Result<Option<File>> {
    for _ in 0..16 {
        match fs::symlink_metadata(path) {
            Ok(found) if !is_plain(&found) => fs::remove_file(path)?,
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = match never_follow(&mut options).open(path) {
            Ok(file) => file,
            // What was put here meanwhile is removed in the next round.
            Err(_) if path.is_symlink() => continue,
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Its former owner may have moved it to its destination between the opening and the locking.
        match fs::symlink_metadata(path) {
            Ok(there) if is_plain(&there) && is_same(&there, &file.metadata()?) => {
                return Ok(Some(file));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Opening fails for a symbolic link, wherever it leads.
#[cfg(unix)]
fn never_follow(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
}

#[cfg(not(unix))]
fn never_follow(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// A regular file that has no other name: writing to it changes nothing else.
#[cfg(unix)]
fn is_plain(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.is_file() && found.nlink() == 1
}

#[cfg(not(unix))]
fn is_plain(found: &fs::Metadata) -> bool {
    found.is_file()
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.len() == other.len() && one.created().ok() == other.created().ok()
}

/// Renames a file unless something is in the place.
fn move_new(from: &Path, to: &Path) -> io::Result<()> {
    match TempPath::try_from_path(from)?.persist_noclobber(to) {
        Ok(()) => Ok(()),
        Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => Err(refused.error),
        // A file system that cannot tell in one step.
        Err(refused) => {
            let from = refused.path.keep()?;
            match fs::symlink_metadata(to) {
                Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                Err(_) => fs::rename(from, to),
            }
        }
    }
}

/// Writes the validator to a file of its own: a symbolic link that somebody put there is removed, not followed.
fn write_note(path: &Path, validator: &str) -> io::Result<()> {
    remove(path);
    let mut note = OpenOptions::new().write(true).create_new(true).open(path)?;
    note.write_all(validator.as_bytes())
}

fn read_note(path: &Path) -> Option<String> {
    let found = fs::symlink_metadata(path).ok()?;
    if !found.is_file() || found.len() > VALIDATOR as u64 {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

/// Removes a file of ours; if that fails, a later download removes it.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_creates_nothing_there() {
        let directory = tempfile::tempdir().unwrap();
        let (link, elsewhere) = (
            directory.path().join("link"),
            directory.path().join("elsewhere"),
        );
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        assert!(never_follow(&mut options).open(&link).is_err());
        assert!(!elsewhere.exists());
        let file = open_owned(&link).unwrap();
        assert!(file.is_some() && !link.is_symlink() && !elsewhere.exists());
    }
}
