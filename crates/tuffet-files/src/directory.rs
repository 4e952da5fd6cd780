//! Directories: what makes the names in them durable, and what is left over in them.

use std::fs;
use std::io;
use std::path::Path;

use crate::draft::TEMPORARY;

/// Makes the names in a directory durable. Windows has no such operation and does not need it.
///
/// # Errors
/// If the directory cannot be opened or flushed.
#[cfg(unix)]
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// Makes the names in a directory durable. Windows has no such operation and does not need it.
///
/// # Errors
/// None on this system.
#[cfg(not(unix))]
pub fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The directory that a path's last component is in: `.` for a path of one component, the path itself for a root.
#[must_use]
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// Removes a file, if it is there, durably.
///
/// # Errors
/// If the file is there and cannot be removed, or if its directory cannot be flushed.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => sync_directory(parent(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether a directory entry is a draft, by its name; what is no file is not ours, whatever its name.
///
/// # Errors
/// If it cannot be found out whether it is a file.
pub fn is_draft(entry: &fs::DirEntry) -> io::Result<bool> {
    let name = entry.file_name();
    let ours = name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes());
    Ok(ours && entry.file_type()?.is_file())
}

/// Removes the drafts that a process has left in a directory when it was killed. Only where nobody else writes meanwhile.
///
/// # Errors
/// If the directory cannot be read, or a draft not be removed.
pub fn sweep(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if is_draft(&entry)? {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_in_a_directory() {
        for (path, expected) in [("a/b", "a"), ("b", "."), ("/b", "/"), ("/", "/")] {
            assert_eq!(parent(Path::new(path)), Path::new(expected), "{path}");
        }
    }

    #[test]
    fn removing_what_is_not_there_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        remove(&directory.path().join("a/b")).unwrap();
        fs::write(directory.path().join("c"), b"x").unwrap();
        remove(&directory.path().join("c")).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        fs::create_dir(directory.path().join("d")).unwrap();
        remove(&directory.path().join("d")).unwrap_err();
    }

    #[test]
    fn only_files_are_swept_and_only_ours() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        for name in [".tuffet-1.tmp", "tuffet-1.tmp", "root.json"] {
            fs::write(place(name), b"x").unwrap();
        }
        fs::create_dir(place(".tuffet-2.tmp")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("root.json", place(".tuffet-3.tmp")).unwrap();
        sweep(directory.path()).unwrap();
        let mut left: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut expected = vec![".tuffet-2.tmp"];
        #[cfg(unix)]
        expected.push(".tuffet-3.tmp");
        expected.extend(["root.json", "tuffet-1.tmp"]);
        assert_eq!(left, expected);
    }
}
