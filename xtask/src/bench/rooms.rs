//! Directories to be measured in, a new one for each program.

use crate::report::Failure;
use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

/// Where programs work. What one of them has left is removed before the next run and not before the next program: ext4 without a
/// journal gives no inode away that was deleted in the last minutes, and whoever makes a file then looks at all of them, which
/// takes more time than all the rest.
pub(super) struct Rooms {
    all: PathBuf,
    next: Cell<usize>,
}

impl Rooms {
    /// Removes those of the last run.
    pub(super) fn of(directory: &Path) -> Result<Self, Failure> {
        Ok(Self {
            all: empty(&directory.join("work"))?,
            next: Cell::new(0),
        })
    }

    /// An empty one.
    pub(super) fn another(&self) -> Result<PathBuf, Failure> {
        let number = self.next.replace(self.next.get() + 1);
        empty(&self.all.join(number.to_string()))
    }
}

/// Makes an empty directory, and removes what was in its place.
pub(super) fn empty(directory: &Path) -> Result<PathBuf, Failure> {
    if directory.exists() {
        fs::remove_dir_all(directory).map_err(|error| Failure::file(directory, error))?;
    }
    fs::create_dir_all(directory).map_err(|error| Failure::file(directory, error))?;
    Ok(directory.to_owned())
}
