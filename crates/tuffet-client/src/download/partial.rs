//! A target that is not complete yet: a file beside its destination, that a later process can go on with.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write as _};

use tuffet_core::crypto::Crypto;
use tuffet_core::trust::{Found, Rejected, TargetCheck, VerifiedTarget};
use tuffet_files::Sequential;

use super::folder::{Entry, Folder};
use super::place::Place;
use crate::retry::random;
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
    place: Place,
    name: String,
    /// Where the validator is kept; `None` if nobody could go on with this file.
    note: Option<String>,
    file: Sequential,
    /// Whether nothing is in the file.
    empty: bool,
    check: TargetCheck,
    validator: Option<String>,
    /// Whether the note says the validator. It is written when the first bytes are there and others are missing: who has all of a
    /// small target at once needs none.
    noted: bool,
    mixed: bool,
    /// Whether bytes of an earlier process are in the file.
    resumed: bool,
}

impl<'a> Partial<'a> {
    /// Opens the partial file of a target and hashes what is in it.
    pub(super) fn open(
        place: Place,
        found: &'a Found,
        crypto: &'a dyn Crypto,
        buffer: &mut [u8],
    ) -> Result<Self, Error> {
        let stem = stem(&place.name.to_string_lossy(), found);
        let name = format!("{stem}.part");
        let failed = |error| Local::Write {
            path: place.folder().path().join(&name),
            error,
        };
        let owned = open_owned(place.folder(), &name).map_err(failed)?;
        let (mut file, name, note) = match owned {
            Some(file) => (file, name, Some(format!("{stem}.etag"))),
            // Another process downloads the same target just now. Both come to an end; the second one finds it verified.
            None => {
                let name = format!("{stem}-{:016x}.part", random());
                let file = place.folder().create(&name).map_err(failed)?;
                (file, name, None)
            }
        };
        let validator = note
            .as_deref()
            .and_then(|note| read_note(place.folder(), note));
        let (check, empty) =
            go_on(&mut file, found, crypto, buffer).map_err(|error| Local::Write {
                path: place.folder().path().join(&name),
                error,
            })?;
        Ok(Self {
            found,
            crypto,
            noted: validator.is_some(),
            validator,
            place,
            name,
            note,
            file: Sequential::new(file, found.target.length),
            empty,
            check,
            mixed: false,
            resumed: !empty,
        })
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
        self.finish().ok()
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
            if self.noted {
                self.discard_note();
                self.noted = false;
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
        self.empty = false;
        self.file.write(bytes).map_err(|error| self.failed(error))?;
        if !self.noted && self.check.remaining() > 0 {
            self.write_note()?;
        }
        Ok(Ok(()))
    }

    /// Writes down what identifies the bytes, for a later process that goes on with them.
    fn write_note(&mut self) -> Result<(), Error> {
        let (Some(note), Some(validator)) = (&self.note, &self.validator) else {
            return Ok(());
        };
        let folder = self.place.folder();
        write_note(folder, note, validator).map_err(|error| Local::Write {
            path: folder.path().join(note),
            error,
        })?;
        self.noted = true;
        Ok(())
    }

    /// Ends the bytes: compares the hashes.
    pub(super) fn finish(&mut self) -> Result<VerifiedTarget, Rejected> {
        let fresh = self.found.check(self.crypto);
        std::mem::replace(&mut self.check, fresh).finish()
    }

    /// The target, if it is in its place.
    pub(super) fn present(&self, buffer: &mut [u8]) -> Result<Option<VerifiedTarget>, Error> {
        self.place.present(self.found, self.crypto, buffer)
    }

    /// The file system by which its bytes can be made durable, if they are few and all of this process.
    pub(super) fn system(&self, most: u64) -> Option<u64> {
        let may = self.found.target.length <= most && !self.resumed;
        self.place.directory.system.filter(|_| may)
    }

    /// The place that it is for.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Throws the bytes away.
    pub(super) fn reset(&mut self) -> Result<(), Error> {
        self.check = self.found.check(self.crypto);
        self.mixed = false;
        if !self.empty {
            self.file.clear().map_err(|error| self.failed(error))?;
            self.empty = true;
        }
        Ok(())
    }

    /// Puts the verified file in its place, in one step, when its bytes are durable.
    pub(super) fn commit(&mut self, flushed: bool, overwrite: bool) -> Result<(), Error> {
        let (folder, to) = (self.place.folder(), &self.place.name);
        let durable = match flushed {
            true => Ok(()),
            false => self.file.sync(),
        };
        let moved = durable.and_then(|()| self.check_own()).and_then(|()| {
            if overwrite {
                folder.rename(&self.name, to)
            } else {
                folder.rename_new(&self.name, to)
            }
        });
        self.discard_note();
        let durable = moved.and_then(|()| match self.place.directory.flushed_later {
            true => Ok(()),
            false => folder.sync(),
        });
        match durable {
            Ok(()) => Ok(()),
            Err(error) => {
                self.discard(&self.name);
                let path = self.place.path();
                Err(match error.kind() {
                    io::ErrorKind::AlreadyExists => Local::Exists { path },
                    _ => Local::Write { path, error },
                }
                .into())
            }
        }
    }

    /// Whether the name still stands for the file whose bytes were verified.
    fn check_own(&self) -> io::Result<()> {
        let own = Entry::of(self.file.file())?;
        match self.place.folder().look(&self.name)? {
            Some(there) if there.is_same(&own) => Ok(()),
            _ => Err(io::Error::other(
                "somebody has put another file in the place of the partial one",
            )),
        }
    }

    /// Leaves the bytes for a later process if they are worth it, else removes them.
    pub(super) fn give_up(mut self, may_go_on: bool) {
        if may_go_on && self.note.is_some() && self.is_resumable() {
            // What cannot be written is asked for again.
            let _ = self.file.settle();
            return;
        }
        self.discard(&self.name);
        self.discard_note();
    }

    fn discard_note(&self) {
        if let Some(note) = &self.note {
            self.discard(note);
        }
    }

    /// Removes a file of ours. If that fails it stays, hidden.
    fn discard(&self, name: &str) {
        let _ = self.place.folder().remove(name);
    }

    fn failed(&self, error: io::Error) -> Error {
        Local::Write {
            path: self.place.folder().path().join(&self.name),
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

/// Hashes what is in a file, which then stands at its end, and says whether it is empty. Bytes that cannot be the beginning of the
/// target are thrown away.
fn go_on(
    file: &mut File,
    found: &Found,
    crypto: &dyn Crypto,
    buffer: &mut [u8],
) -> io::Result<(TargetCheck, bool)> {
    let (mut check, mut empty) = (found.check(crypto), true);
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok((check, empty)),
            Ok(read) => {
                empty = false;
                if check
                    .update(buffer.get(..read).unwrap_or_default())
                    .is_err()
                {
                    file.set_len(0)?;
                    file.seek(SeekFrom::Start(0))?;
                    return Ok((found.check(crypto), true));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Opens a file that no other process writes to; `None` if one does, or if the name is not to be had.
fn open_owned(folder: &Folder, name: &str) -> io::Result<Option<File>> {
    let foreign = |entry: &Entry| !entry.is_ours_alone();
    for _ in 0..16 {
        if folder.look(name)?.as_ref().is_some_and(foreign) && folder.remove(name).is_err() {
            return Ok(None);
        }
        let file = match folder.open_or_create(name) {
            Ok(file) => file,
            // What was put here meanwhile is removed in the next round.
            Err(_) if folder.look(name)?.as_ref().is_some_and(foreign) => continue,
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Its former owner may have moved it to its destination between the opening and the locking.
        let own = Entry::of(&file)?;
        if own.is_ours_alone() && folder.look(name)?.is_some_and(|there| there.is_same(&own)) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Writes the validator to a file of its own: what somebody else put there is removed, not written to.
fn write_note(folder: &Folder, name: &str, validator: &str) -> io::Result<()> {
    match folder.remove(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    folder.create(name)?.write_all(validator.as_bytes())
}

fn read_note(folder: &Folder, name: &str) -> Option<String> {
    let file = folder.read(name).ok()?;
    let found = Entry::of(&file).ok()?;
    if !found.is_file() || found.length() > VALIDATOR as u64 {
        return None;
    }
    let mut text = String::new();
    file.take(VALIDATOR as u64).read_to_string(&mut text).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(all(test, unix))]
mod tests;
