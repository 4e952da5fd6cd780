//! Reading files, some of them where somebody else may have put something else in their place.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use tuffet_files::open_regular;

use crate::Error;

/// Whether a file holds exactly these bytes; `None` if there is no such file.
pub(crate) fn holds(path: &Path, bytes: &[u8]) -> Result<Option<bool>, Error> {
    Ok(match read_up_to(path, bytes.len() as u64)? {
        Found::Nothing => None,
        Found::Unfit => Some(false),
        Found::Bytes(found) => Some(found == bytes),
    })
}

/// Reads a file that may be absent.
pub(crate) fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("cannot read", path, error)),
    }
}

/// Reads a file of a tree that somebody else may write to. One that is longer than the limit, or no regular file, is not read: it comes
/// as empty, which is good for nothing.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    Ok(match read_up_to(path, limit)? {
        Found::Nothing => None,
        Found::Unfit => Some(Vec::new()),
        Found::Bytes(bytes) => Some(bytes),
    })
}

/// What is in the place of a file.
enum Found {
    Nothing,
    /// Something that is longer than it may be, or no regular file.
    Unfit,
    Bytes(Vec<u8>),
}

fn read_up_to(path: &Path, limit: u64) -> Result<Found, Error> {
    let failed = |error| Error::io("cannot read", path, error);
    let file = match open_regular(File::options().read(true), path) {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(Found::Unfit),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(failed(error)),
    };
    let length = file.metadata().map_err(failed)?.len();
    if length > limit {
        return Ok(Found::Unfit);
    }
    // One byte more than there is, so that the end is seen at once.
    let mut bytes =
        Vec::with_capacity(usize::try_from(length.saturating_add(1)).unwrap_or_default());
    let mut file = file.take(limit.saturating_add(1));
    file.read_to_end(&mut bytes).map_err(failed)?;
    // It may have grown since.
    if bytes.len() as u64 > limit {
        return Ok(Found::Unfit);
    }
    Ok(Found::Bytes(bytes))
}

/// Reads a regular file to its end in pieces; returns its length.
pub(crate) fn read_pieces(
    path: &Path,
    mut piece: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<u64, Error> {
    let failed = |error| Error::io("cannot read", path, error);
    let opened = open_regular(File::options().read(true), path).map_err(failed)?;
    let mut file = opened.ok_or_else(|| failed(no_file()))?;
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

pub(super) fn no_file() -> io::Error {
    io::Error::other("it is no regular file")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A pipe would keep whoever opens it.
    #[test]
    fn what_is_no_regular_file_is_neither_read_nor_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        let made = std::process::Command::new("mkfifo")
            .arg(place("pipe"))
            .status();
        if !made.is_ok_and(|status| status.success()) {
            println!("skipped: there is no mkfifo");
            return;
        }
        std::os::unix::fs::symlink("/dev/zero", place("device")).unwrap();
        for name in ["pipe", "device"] {
            let found = read_bounded(&place(name), 10).unwrap();
            assert_eq!(found, Some(Vec::new()), "{name}");
            for bytes in [&b""[..], b"x"] {
                assert_eq!(holds(&place(name), bytes).unwrap(), Some(false), "{name}");
            }
            let read = read_pieces(&place(name), |_| Ok(()));
            assert_eq!(read.unwrap_err().code(), "repo.io", "{name}");
        }
    }

    #[test]
    fn what_is_too_long_is_good_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        assert_eq!(read_bounded(&path, 2).unwrap(), None);
        assert_eq!(holds(&path, b"12").unwrap(), None);
        fs::write(&path, b"12").unwrap();
        assert_eq!(read_bounded(&path, 2).unwrap().unwrap(), b"12");
        assert_eq!(read_bounded(&path, 1).unwrap().unwrap(), b"");
        for (bytes, same) in [
            (&b"12"[..], true),
            (b"21", false),
            (b"1", false),
            (b"", false),
        ] {
            assert_eq!(holds(&path, bytes).unwrap(), Some(same));
        }
    }
}
