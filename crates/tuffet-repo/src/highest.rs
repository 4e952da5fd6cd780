//! Which versions of roles a directory of metadata holds, from one reading of its names: a stat for each of tens of thousands of bins
//! would take longer than all the rest.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tuffet_core::metadata::Version;

use crate::Error;
use crate::layout;
use crate::write::{Write, WriteKind};

/// About what a short name takes in a directory, in bytes.
const LENGTH_OF_NAME: u64 = 32;

/// For how many roles room is made before their names are read.
const MOST_EXPECTED: usize = 1 << 16;

/// The highest version of each role, and those below it.
#[derive(Debug, Default)]
pub(crate) struct Highest {
    roles: HashMap<Box<str>, Found>,
    /// Drafts that somebody has left who was killed, or that somebody is writing.
    drafts: Vec<PathBuf>,
}

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
        let mut highest = Self {
            roles: HashMap::with_capacity(names.min(MOST_EXPECTED)),
            drafts: Vec::new(),
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if let Some((role, version)) = name.to_str().and_then(layout::split_file_name) {
                highest.note(&role, version);
            } else if tuffet_files::is_draft(&entry).map_err(failed)? {
                highest.drafts.push(entry.path());
            }
        }
        Ok(highest)
    }

    fn note(&mut self, role: &str, version: Version) {
        match self.roles.get_mut(role) {
            Some(known) => {
                let lower = version.min(known.highest);
                known.highest = version.max(known.highest);
                known.lower.push(lower);
            }
            None => {
                let lower = Vec::new();
                let highest = version;
                self.roles.insert(role.into(), Found { highest, lower });
            }
        }
    }

    /// The highest version of a role.
    pub(crate) fn of(&self, role: &str) -> Option<Version> {
        self.roles.get(role).map(|found| found.highest)
    }

    /// Every version of a role, in no order.
    pub(crate) fn versions(&self, role: &str) -> impl Iterator<Item = Version> {
        self.roles.get(role).into_iter().flat_map(Found::all)
    }

    /// Every version of every role, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Version)> {
        let roles = self.roles.iter();
        roles.flat_map(|(role, found)| found.all().map(|version| (&**role, version)))
    }

    /// The removal of drafts that lie in the directory. If somebody else is still writing one, that one's publication fails and can be
    /// repeated.
    pub(crate) fn sweep(&self) -> impl Iterator<Item = Write> {
        let drafts = self.drafts.iter();
        drafts.map(|path| Write::file(path.clone(), WriteKind::Remove))
    }
}

impl Found {
    fn all(&self) -> impl Iterator<Item = Version> {
        std::iter::once(self.highest).chain(self.lower.iter().copied())
    }
}
