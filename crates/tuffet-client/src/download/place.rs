//! The place of a target on the disk, and what is there already.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tuffet_core::crypto::Crypto;
use tuffet_core::metadata::{NameError, TargetPath};
use tuffet_core::trust::{Found, VerifiedTarget};

use super::To;
use super::partial::is_reserved;
use crate::{Error, Local};

/// A directory that exists, and a name in it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) directory: PathBuf,
    pub(super) name: OsString,
}

impl Place {
    /// Finds the place of a target and creates the directories on the way to it.
    pub(super) fn of(to: &To, target: &TargetPath) -> Result<Self, Error> {
        match to {
            To::File(path) => {
                let name = path.file_name().ok_or(Error::Misuse(
                    "the destination does not end in the name of a file",
                ))?;
                let directory = match path.parent() {
                    Some(parent) if !parent.as_os_str().is_empty() => parent,
                    _ => Path::new("."),
                };
                Ok(Self {
                    directory: directory.to_path_buf(),
                    name: name.to_owned(),
                })
            }
            To::Below(base) => {
                let components = target
                    .file_components()
                    .map_err(|error| Local::TargetPath {
                        target: target.clone(),
                        error,
                    })?;
                let Some((name, directories)) = components.split_last() else {
                    return Err(Error::Misuse("a target path has no components"));
                };
                if is_reserved(name) {
                    return Err(Local::TargetPath {
                        target: target.clone(),
                        error: NameError::UnsafePath("the name of a partial download"),
                    }
                    .into());
                }
                Ok(Self {
                    directory: create_below(base, directories)?,
                    name: (*name).into(),
                })
            }
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    /// Whether something is in the place. A directory cannot be replaced.
    pub(super) fn is_taken(&self) -> Result<bool, Error> {
        match self.look()? {
            Some(found) if found.is_dir() => Err(Local::Obstructed { path: self.path() }.into()),
            found => Ok(found.is_some()),
        }
    }

    /// The target, if it is there already.
    pub(super) fn present(
        &self,
        found: &Found,
        crypto: &dyn Crypto,
        buffer: &mut [u8],
    ) -> Result<Option<VerifiedTarget>, Error> {
        match self.look()? {
            Some(there) if there.is_file() && there.len() == found.target.length => {}
            _ => return Ok(None),
        }
        let path = self.path();
        let unreadable = |error| Local::Read {
            path: path.clone(),
            error,
        };
        let mut file = File::open(&path).map_err(unreadable)?;
        let mut check = found.check(crypto);
        loop {
            match file.read(buffer) {
                Ok(0) => return Ok(check.finish().ok()),
                Ok(read) => {
                    if check
                        .update(buffer.get(..read).unwrap_or_default())
                        .is_err()
                    {
                        return Ok(None);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(error).into()),
            }
        }
    }

    fn look(&self) -> Result<Option<Metadata>, Error> {
        let path = self.path();
        match fs::symlink_metadata(&path) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Local::Read { path, error }.into()),
        }
    }
}

/// Creates directories one by one. A symbolic link on the way could lead out of the base, so it is refused.
fn create_below(base: &Path, directories: &[&str]) -> Result<PathBuf, Error> {
    fs::create_dir_all(base).map_err(|error| Local::Write {
        path: base.to_path_buf(),
        error,
    })?;
    let mut path = base.to_path_buf();
    for directory in directories {
        path.push(directory);
        match fs::create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let found = fs::symlink_metadata(&path).map_err(|error| Local::Read {
                    path: path.clone(),
                    error,
                })?;
                if !found.is_dir() {
                    return Err(Local::Obstructed { path }.into());
                }
            }
            Err(error) => return Err(Local::Write { path, error }.into()),
        }
    }
    Ok(path)
}
