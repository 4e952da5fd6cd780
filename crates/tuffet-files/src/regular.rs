//! Files where somebody else may write, who may have put something else there.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file, if it is a regular one; `None` if something else is in its place. Nothing is waited for: a pipe would keep whoever
/// opens it until somebody opens its other end. Links are followed, and what they lead to has to be a regular file, too.
///
/// # Errors
/// If it cannot be opened.
///
/// ```
/// use std::fs::OpenOptions;
/// use tuffet_files::open_regular;
///
/// # let directory = tempfile::tempdir()?;
/// let path = directory.path().join("timestamp.json");
/// std::fs::write(&path, b"{}")?;
/// assert!(open_regular(OpenOptions::new().read(true), &path)?.is_some());
/// assert!(open_regular(OpenOptions::new().read(true), directory.path())?.is_none());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn open_regular(options: &mut OpenOptions, path: &Path) -> io::Result<Option<File>> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    match options.open(path) {
        Ok(file) => Ok(file.metadata()?.is_file().then_some(file)),
        // Some of what is no file cannot be opened at all: a socket, or a pipe to write to that nobody reads.
        Err(_) if fs::metadata(path).is_ok_and(|found| !found.is_file()) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn what_is_no_regular_file_is_not_opened_and_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        fs::write(place("file"), b"x").unwrap();
        symlink("file", place("link")).unwrap();
        fs::create_dir(place("directory")).unwrap();
        symlink("/dev/zero", place("device")).unwrap();
        let _socket = UnixListener::bind(place("socket")).unwrap();
        mknodat(CWD, place("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        for (name, expected) in [
            ("file", true),
            ("link", true),
            ("directory", false),
            ("device", false),
            ("socket", false),
            ("pipe", false),
        ] {
            for options in [
                OpenOptions::new().read(true),
                OpenOptions::new().write(true),
            ] {
                let opened = open_regular(options, &place(name)).unwrap();
                assert_eq!(opened.is_some(), expected, "{name}");
            }
        }
        let gone = open_regular(OpenOptions::new().read(true), &place("gone")).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
    }
}
