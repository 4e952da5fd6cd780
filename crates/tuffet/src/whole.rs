//! Files that are read whole, and no larger than they may be.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::exit::Exit;
use crate::failure::Failure;

/// The largest change.
pub(crate) const CHANGE: u64 = 512 * 1024 * 1024;

/// The ceiling on any metadata file.
pub(crate) const METADATA: u64 = 256 * 1024 * 1024;

/// Reads a file, or stdin for `-`. What is larger is refused and not cut off: half a file says something else than the whole.
///
/// # Errors
/// `file.read`, `file.too-large`.
pub(crate) fn read(file: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let bytes = if file == Path::new("-") {
        bounded(io::stdin().lock(), limit)
    } else {
        fs::File::open(file).and_then(|opened| bounded(opened, limit))
    };
    let bytes = bytes.map_err(|error| Failure::reading(file, &error))?;
    bytes.ok_or_else(|| too_large(&file.display().to_string(), limit))
}

/// The failure of what is larger than it may be.
pub(crate) fn too_large(name: &str, limit: u64) -> Failure {
    let message = format!("{name} is larger than the {limit} bytes that are read");
    Failure::new("file.too-large", Exit::Usage, message)
}

/// Reads to the end; `None` if that comes after the limit.
fn bounded(from: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_larger_than_the_limit_is_refused_and_not_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, b"1234").unwrap();
        assert_eq!(read(&file, 4).unwrap(), b"1234");
        let failure = read(&file, 3).unwrap_err();
        assert_eq!(failure.code(), "file.too-large");
        assert!(
            failure.message().contains("3 bytes"),
            "{}",
            failure.message()
        );
        assert_eq!(
            read(&directory.path().join("none"), 3).unwrap_err().code(),
            "file.read"
        );
    }
}
