//! Which versions of roles a directory of metadata holds, from one reading of its names: a stat for each of tens of thousands of bins
//! would take longer than all the rest.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use tuffet_core::metadata::Version;

use crate::Error;
use crate::layout;

/// About what a short name takes in a directory, in bytes.
const LENGTH_OF_NAME: u64 = 32;

/// For how many roles room is made before their names are read.
const MOST_EXPECTED: usize = 1 << 16;

/// The highest version of each role, and those below it.
#[derive(Debug, Default)]
pub(crate) struct Highest(HashMap<Box<str>, Found>);

/// The versions of a role. Mostly there is one, and nothing is allocated for it.
#[derive(Debug)]
struct Found {
    highest: Version,
    /// The others, in no order.
    lower: Vec<Version>,
}

impl Highest {
    /// Reads the names in a directory, which may be absent. Our own names are plain; others are none of our business.
    pub(crate) fn read(directory: &Path) -> Result<Self, Error> {
        let failed = |error| Error::io("cannot read", directory, error);
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            other => other.map_err(failed)?,
        };
        // A directory is about as long as what its names need; where it is not, the table grows.
        let length = fs::metadata(directory).map_or(0, |found| found.len());
        let names = usize::try_from(length / LENGTH_OF_NAME).unwrap_or(MOST_EXPECTED);
        let mut highest = Self(HashMap::with_capacity(names.min(MOST_EXPECTED)));
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            if let Some((role, version)) = name.to_str().and_then(layout::split_file_name) {
                highest.note(&role, version);
            }
        }
        Ok(highest)
    }

    fn note(&mut self, role: &str, version: Version) {
        match self.0.get_mut(role) {
            Some(known) => {
                let lower = version.min(known.highest);
                known.highest = version.max(known.highest);
                known.lower.push(lower);
            }
            None => {
                let lower = Vec::new();
                let highest = version;
                self.0.insert(role.into(), Found { highest, lower });
            }
        }
    }

    /// The highest version of a role.
    pub(crate) fn of(&self, role: &str) -> Option<Version> {
        self.0.get(role).map(|found| found.highest)
    }

    /// Every version of a role, in no order.
    pub(crate) fn versions(&self, role: &str) -> impl Iterator<Item = Version> {
        self.0.get(role).into_iter().flat_map(Found::all)
    }

    /// Every version of every role, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Version)> {
        let roles = self.0.iter();
        roles.flat_map(|(role, found)| found.all().map(|version| (&**role, version)))
    }
}

impl Found {
    fn all(&self) -> impl Iterator<Item = Version> {
        std::iter::once(self.highest).chain(self.lower.iter().copied())
    }
}
