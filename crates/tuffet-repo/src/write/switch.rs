//! The one conditional write that decides who of several publishers comes through, in a directory.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use tuffet_core::metadata::Version;
use tuffet_files::{open_regular, parent};

use super::read::no_file;
use super::{Address, Seen, make_directory, put, read_bounded};
use crate::Error;

/// How often somebody who holds the lock of a switch is waited for, and how long each time. Honest holders need as long as it takes to
/// flush a short file.
const TRIES: u32 = if cfg!(test) { 2 } else { 200 };
const PAUSE: Duration = Duration::from_millis(50);

/// What is read of the file that is switched.
fn ceiling_at(path: &Path) -> u64 {
    let name = path.file_name().unwrap_or_default();
    crate::layout::ceiling(&name.to_string_lossy())
}

/// Replaces a file if it is still what was seen. Everybody who does so holds the lock, from the comparison to the rename.
pub(super) fn switch(
    path: &Path,
    bytes: &[u8],
    seen: &Seen,
    root: Option<Version>,
) -> Result<(), Error> {
    let (lock, seen) = match seen {
        Seen::File { lock, bytes } => (lock.clone(), bytes.as_deref()),
        // Not read from a directory, so nothing can have been there.
        Seen::Nothing | Seen::Object { .. } | Seen::Bytes(_) => (path.with_extension("lock"), None),
    };
    let _held = hold(&lock)?;
    match read_bounded(path, ceiling_at(path))? {
        Some(now) if now == bytes => return Ok(()),
        now if now.as_deref() == seen => {}
        _ => {
            return Err(Error::Overtaken {
                at: Box::new(Address::File(path.to_owned())),
                root,
            });
        }
    }
    put(path, |file| file.write_all(bytes))?
        .replace()
        .map_err(|error| Error::io("cannot write", path, error))
}

/// Takes a lock that everybody can take who can write where the repository is published, and keep.
#[expect(
    clippy::disallowed_methods,
    reason = "the standard library cannot wait for a lock and for a moment together"
)]
fn hold(lock: &Path) -> Result<File, Error> {
    let failed = |error| Error::io("cannot lock", lock, error);
    make_directory(parent(lock)).map_err(failed)?;
    let mut options = File::options();
    let options = options.create(true).truncate(false).write(true);
    let file = open_regular(options, lock).map_err(failed)?;
    let file = file.ok_or_else(|| failed(no_file()))?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    Err(Error::Locked(lock.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A switch of `timestamp.json` in a directory.
    fn switch_in(directory: &Path, seen: Option<&[u8]>, bytes: &[u8]) -> Result<(), Error> {
        let seen = Seen::File {
            lock: directory.join(".lock"),
            bytes: seen.map(<[u8]>::to_vec),
        };
        switch(
            &directory.join("metadata/timestamp.json"),
            bytes,
            &seen,
            None,
        )
    }

    #[test]
    fn a_file_is_switched_only_if_it_is_what_was_seen() {
        let directory = tempfile::tempdir().unwrap();
        let switch = |seen, bytes| switch_in(directory.path(), seen, bytes);
        switch(None, b"one").unwrap();
        let overtaken = |seen| switch(seen, b"three").unwrap_err().code();
        assert_eq!(overtaken(None), "publish.overtaken");
        switch(Some(b"one"), b"two").unwrap();
        // Who comes back with the same has come through.
        switch(Some(b"one"), b"two").unwrap();
        assert_eq!(overtaken(Some(b"one")), "publish.overtaken");
        let path = directory.path().join("metadata/timestamp.json");
        assert_eq!(fs::read(path).unwrap(), b"two");
    }

    #[test]
    fn a_lock_that_somebody_keeps_is_not_waited_for_without_an_end() {
        let directory = tempfile::tempdir().unwrap();
        let kept = File::create(directory.path().join(".lock")).unwrap();
        kept.lock().unwrap();
        let switch = || switch_in(directory.path(), None, b"one");
        assert_eq!(switch().unwrap_err().code(), "repo.locked");
        assert!(!directory.path().join("metadata").exists());
        kept.unlock().unwrap();
        switch().unwrap();
    }

    /// A pipe would keep whoever opens it.
    #[cfg(unix)]
    #[test]
    fn a_pipe_is_neither_a_lock_nor_what_was_seen() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("metadata")).unwrap();
        let (lock, path) = (
            directory.path().join(".lock"),
            directory.path().join("metadata/timestamp.json"),
        );
        let pipes = std::process::Command::new("mkfifo")
            .args([&lock, &path])
            .status();
        if !pipes.is_ok_and(|status| status.success()) {
            println!("skipped: there is no mkfifo");
            return;
        }
        let switch = |seen| switch_in(directory.path(), seen, b"one");
        assert_eq!(switch(None).unwrap_err().code(), "repo.io");
        fs::remove_file(lock).unwrap();
        assert_eq!(switch(None).unwrap_err().code(), "publish.overtaken");
        // Whoever has seen that nothing good is there puts a file in its place.
        switch(Some(b"")).unwrap();
        assert_eq!(fs::read(path).unwrap(), b"one");
    }
}
