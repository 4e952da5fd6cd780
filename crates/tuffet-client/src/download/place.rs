//! The place of a target on the disk, and what is there already.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tuffet_core::crypto::Crypto;
use tuffet_core::metadata::{NameError, TargetPath};
use tuffet_core::trust::{Found, VerifiedTarget};

use super::To;
use super::folder::{Entry, Folder};
use super::folders::{Folders, Held};
use super::partial::is_reserved;
use crate::{Error, Local};

/// A directory that exists, and a name in it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) directory: Held,
    pub(super) name: OsString,
}

impl Place {
    /// Finds the place of a target and creates the directories on the way to it.
    pub(super) fn of(to: &To, target: &TargetPath, folders: &Folders) -> Result<Self, Error> {
        match to {
            To::File(path) => {
                let name = path.file_name().ok_or(Error::Misuse(
                    "the destination does not end in the name of a file",
                ))?;
                let parent = tuffet_files::parent(path);
                let open = || {
                    Folder::open(parent).map_err(|error| {
                        Local::Write {
                            path: path.clone(),
                            error,
                        }
                        .into()
                    })
                };
                let directory = folders.hold(parent.to_owned(), open)?;
                Ok(Self {
                    directory,
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
                let path = directories
                    .iter()
                    .fold(base.clone(), |path, name| path.join(name));
                let directory = folders.hold(path, || create_below(base, directories))?;
                Ok(Self {
                    directory,
                    name: (*name).into(),
                })
            }
        }
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.directory.folder
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder().path().join(&self.name)
    }

    /// Whether something is in the place. A directory cannot be replaced.
    pub(super) fn is_taken(&self) -> Result<bool, Error> {
        match self.look()? {
            Some(found) if found.is_directory() => {
                Err(Local::Obstructed { path: self.path() }.into())
            }
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
        let fits = |there: &Entry| there.is_file() && there.length() == found.target.length;
        if !self.look()?.is_some_and(|there| fits(&there)) {
            return Ok(None);
        }
        let unreadable = |error| Local::Read {
            path: self.path(),
            error,
        };
        let mut file = self.folder().read(&self.name).map_err(unreadable)?;
        // Another one may be there by now.
        if !fits(&Entry::of(&file).map_err(unreadable)?) {
            return Ok(None);
        }
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

    fn look(&self) -> Result<Option<Entry>, Error> {
        Ok(self
            .folder()
            .look(&self.name)
            .map_err(|error| Local::Read {
                path: self.path(),
                error,
            })?)
    }
}

/// Opens directories one by one, each in the one before it, and creates those that are missing. A symbolic link on the way could lead
/// out of the base, so it is refused; the base itself is the caller's.
fn create_below(base: &Path, directories: &[&str]) -> Result<Folder, Error> {
    let failed = |path: PathBuf| |error| Local::Write { path, error };
    let mut folder = fs::create_dir_all(base)
        .and_then(|()| Folder::open(base))
        .map_err(failed(base.to_path_buf()))?;
    for directory in directories {
        folder = match folder.child(directory) {
            Ok(child) => child,
            Err(error) => {
                let path = folder.path().join(directory);
                return match folder.look(directory) {
                    Ok(Some(entry)) if !entry.is_directory() => Err(Local::Obstructed { path }),
                    _ => Err(Local::Write { path, error }),
                }
                .map_err(Into::into);
            }
        };
    }
    Ok(folder)
}
