//! A file that is written from its beginning to its end.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

/// From this length on, in bytes, a file is written past the page cache.
///
/// What is smaller is often read again at once; what is larger would take the place of everything else in the cache, and copying it
/// there costs more than computing its hash.
pub const LONG: u64 = 16 * 1024 * 1024;

/// How much is written past the page cache at once, in bytes.
const PIECE: usize = 1024 * 1024;

/// What the address, the position and the length of such a write are multiples of, in bytes: no device in use asks for more.
const ALIGNMENT: usize = 4096;

/// A file that is written from its beginning to its end; a long one past the page cache, where the system can do so.
///
/// The last bytes of a long file are in the file only after [`settle`](Self::settle) or [`sync`](Self::sync). Where a file system
/// does not write past the cache, or a device wants it otherwise, the file is written like any other.
///
/// ```
/// use std::fs::File;
/// use tuffet_files::{LONG, Sequential};
///
/// # let directory = tempfile::tempdir()?;
/// let path = directory.path().join("image");
/// let mut image = Sequential::new(File::create(&path)?, LONG);
/// image.write(&[7; 1000])?;
/// image.sync()?;
/// assert_eq!(std::fs::read(&path)?, [7; 1000]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Sequential {
    file: File,
    /// What is not written yet, if it goes past the cache.
    piece: Option<Piece>,
}

impl Sequential {
    /// Takes over a file that stands at its end. It is to have `length` bytes; if it has none yet and they are many, they are
    /// written past the page cache.
    #[must_use]
    pub fn new(mut file: File, length: u64) -> Self {
        let begins = length >= LONG && file.stream_position().is_ok_and(|position| position == 0);
        let piece = (begins && uncached::switch(&file, true).is_ok()).then(Piece::new);
        Self { file, piece }
    }

    /// The file, for what does not change its content.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// What keeps the file from being written.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while let Some(piece) = &mut self.piece {
            bytes = piece.take(bytes);
            if !piece.is_full() {
                return Ok(());
            }
            match piece.write(&mut self.file) {
                Ok(()) => {}
                // Not here, or not in this way.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => self.settle()?,
                Err(error) => return Err(error),
            }
        }
        self.file.write_all(bytes)
    }

    /// Writes what is not written yet. What is added afterwards goes through the page cache.
    ///
    /// # Errors
    /// What keeps the file from being written.
    pub fn settle(&mut self) -> io::Result<()> {
        let Some(piece) = self.piece.take() else {
            return Ok(());
        };
        uncached::switch(&self.file, false)?;
        self.file.write_all(piece.bytes())
    }

    /// Writes what is not written yet, and makes the file durable.
    ///
    /// # Errors
    /// What keeps the file from being written.
    pub fn sync(&mut self) -> io::Result<()> {
        self.settle()?;
        self.file.sync_all()
    }

    /// Empties the file.
    ///
    /// # Errors
    /// What keeps the file from being written.
    pub fn clear(&mut self) -> io::Result<()> {
        if let Some(piece) = &mut self.piece {
            piece.clear();
        }
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0)).map(|_| ())
    }
}

/// The bytes from `start` to `end` of a vector that never moves; `start` is aligned.
#[derive(Debug)]
struct Piece {
    room: Vec<u8>,
    start: usize,
    /// What was written of the piece, and how far it is filled, from `start`.
    written: usize,
    filled: usize,
}

impl Piece {
    fn new() -> Self {
        let room = vec![0; PIECE.saturating_add(ALIGNMENT)];
        let start = room.as_ptr().align_offset(ALIGNMENT);
        Self {
            room,
            start,
            written: 0,
            filled: 0,
        }
    }

    /// Takes what there is room for, and returns the rest.
    fn take<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let count = bytes.len().min(PIECE.saturating_sub(self.filled));
        let (taken, rest) = bytes.split_at_checked(count).unwrap_or((bytes, &[]));
        let from = self.start.saturating_add(self.filled);
        let room = self.room.get_mut(from..from.saturating_add(count));
        room.unwrap_or_default().copy_from_slice(taken);
        self.filled = self.filled.saturating_add(count);
        rest
    }

    fn is_full(&self) -> bool {
        self.filled == PIECE
    }

    /// What is filled and not written.
    fn bytes(&self) -> &[u8] {
        let (from, to) = (
            self.start.saturating_add(self.written),
            self.start.saturating_add(self.filled),
        );
        self.room.get(from..to).unwrap_or_default()
    }

    /// Writes it all, or as far as it goes.
    fn write(&mut self, file: &mut File) -> io::Result<()> {
        while !self.bytes().is_empty() {
            match file.write(self.bytes()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.written = self.written.saturating_add(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.clear();
        Ok(())
    }

    fn clear(&mut self) {
        (self.written, self.filled) = (0, 0);
    }
}

#[cfg(target_os = "linux")]
mod uncached {
    use std::fs::File;
    use std::io;

    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

    /// Says whether what is written to the file goes past the page cache from now on.
    pub(super) fn switch(file: &File, on: bool) -> io::Result<()> {
        let mut flags = fcntl_getfl(file)?;
        flags.set(OFlags::DIRECT, on);
        Ok(fcntl_setfl(file, flags)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod uncached {
    use std::fs::File;
    use std::io;

    pub(super) fn switch(_: &File, on: bool) -> io::Result<()> {
        match on {
            true => Err(io::ErrorKind::Unsupported.into()),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// So many bytes, none like its neighbours.
    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    fn written(length: u64, bytes: &[u8], chunk: usize) -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mut file = Sequential::new(File::create(&path).unwrap(), length);
        for chunk in bytes.chunks(chunk) {
            file.write(chunk).unwrap();
        }
        file.sync().unwrap();
        fs::read(&path).unwrap()
    }

    #[test]
    fn every_byte_is_in_the_file_however_it_comes() {
        for (count, chunk) in [
            (0, 1),
            (1, 1),
            (4096, 4096),
            (PIECE - 1, 1000),
            (PIECE, PIECE),
            (PIECE + 1, 65_537),
            (3 * PIECE + 4097, 128 * 1024),
            (3 * PIECE + 5, 3 * PIECE),
        ] {
            for length in [0, LONG] {
                let bytes = content(count);
                assert!(
                    written(length, &bytes, chunk) == bytes,
                    "{count} {chunk} {length}"
                );
            }
        }
    }

    #[test]
    fn what_was_not_written_yet_is_there_after_settling_and_the_rest_follows() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let bytes = content(PIECE + 5000);
        let mut file = Sequential::new(File::create(&path).unwrap(), LONG);
        let (first, second) = bytes.split_at(PIECE + 17);
        file.write(first).unwrap();
        file.settle().unwrap();
        assert!(fs::read(&path).unwrap() == first);
        file.write(second).unwrap();
        file.sync().unwrap();
        assert!(fs::read(&path).unwrap() == bytes);
    }

    #[test]
    fn a_cleared_file_begins_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mut file = Sequential::new(File::create(&path).unwrap(), LONG);
        file.write(&content(PIECE + 3000)).unwrap();
        file.clear().unwrap();
        let bytes = content(2 * PIECE + 1);
        file.write(&bytes).unwrap();
        file.sync().unwrap();
        assert!(fs::read(&path).unwrap() == bytes);
    }

    #[test]
    fn where_a_write_past_the_cache_is_refused_the_file_is_written_like_any_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mut file = Sequential::new(File::create(&path).unwrap(), LONG);
        let bytes = content(3 * PIECE);
        // An address that no device takes.
        if let Some(piece) = &mut file.piece {
            piece.start = piece.start.div_euclid(ALIGNMENT) + 1;
        }
        file.write(&bytes).unwrap();
        file.sync().unwrap();
        assert!(fs::read(&path).unwrap() == bytes);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_long_file_goes_past_the_cache_and_a_short_one_or_one_begun_does_not() {
        use rustix::fs::{OFlags, fcntl_getfl};
        let directory = tempfile::tempdir().unwrap();
        let create = |name| File::create(directory.path().join(name)).unwrap();
        let goes_past = |file: &Sequential| {
            let flags = fcntl_getfl(file.file()).unwrap();
            assert_eq!(flags.contains(OFlags::DIRECT), file.piece.is_some());
            file.piece.is_some()
        };
        let can = uncached::switch(&create("other"), true).is_ok();
        let mut long = Sequential::new(create("long"), LONG);
        assert_eq!(goes_past(&long), can);
        long.settle().unwrap();
        assert!(!goes_past(&long));
        assert!(!goes_past(&Sequential::new(create("short"), LONG - 1)));
        let mut begun = create("begun");
        begun.write_all(b"bytes").unwrap();
        assert!(!goes_past(&Sequential::new(begun, LONG)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said() {
        for length in [1, LONG] {
            let full = File::options().write(true).open("/dev/full").unwrap();
            let mut file = Sequential::new(full, length);
            let error = file.write(&[0; 2 * PIECE]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        }
    }
}
