//! Targets that are verified and not durable yet. Small ones wait for each other: a disk that is told of them one by one takes most of
//! the time for that.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tuffet_core::trust::VerifiedTarget;

use super::Downloaded;
use super::folders::Folders;
use super::partial::Partial;
use crate::{Error, Local};

/// How many wait for each other. Each is an open file.
const MOST: usize = 64;
/// So few are flushed one by one: with a file system, whatever others have written to it is flushed too.
const FEW: usize = 8;
/// Larger ones do not wait, in bytes: to fetch them takes longer than to flush them.
const SMALL: u64 = 1024 * 1024;

/// A target beside its place, whole and verified.
pub(super) struct Ready<'a> {
    partial: Partial<'a>,
    verified: VerifiedTarget,
}

/// A target by its number.
type Waits<'a> = (usize, Box<Ready<'a>>);

/// A target by its number, and what became of it.
type Done = (usize, Result<Downloaded, Error>);

impl<'a> Ready<'a> {
    pub(super) fn new(partial: Partial<'a>, verified: VerifiedTarget) -> Self {
        Self { partial, verified }
    }

    /// Puts it in its place. Its name is durable when the directory has been flushed.
    pub(super) fn finish(
        mut self,
        flushed: bool,
        overwrite: bool,
        buffer: &mut [u8],
    ) -> Result<Downloaded, Error> {
        let path = self.partial.place().path();
        let downloaded = |verified| Downloaded {
            path,
            from_cache: false,
            verified,
        };
        let error = match self.partial.commit(flushed, overwrite) {
            Ok(()) => return Ok(downloaded(self.verified)),
            Err(error) => error,
        };
        // Perhaps somebody who downloads the same target was quicker.
        let present = match &error {
            Error::Local(local) if matches!(**local, Local::Exists { .. }) => {
                self.partial.present(buffer)?
            }
            _ => None,
        };
        present.map(downloaded).ok_or(error)
    }
}

/// Those that wait.
pub(super) struct Waiting<'a, 'f> {
    folders: &'f Folders,
    ready: Mutex<Vec<Waits<'a>>>,
    overwrite: bool,
}

impl<'a, 'f> Waiting<'a, 'f> {
    pub(super) fn new(folders: &'f Folders, overwrite: bool) -> Self {
        Self {
            folders,
            ready: Mutex::default(),
            overwrite,
        }
    }

    /// Takes a target. What is done by that is the result.
    pub(super) fn add(&self, number: usize, ready: Box<Ready<'a>>, buffer: &mut [u8]) -> Vec<Done> {
        if ready.partial.system(SMALL).is_none() {
            return self.place(vec![(number, ready)], buffer);
        }
        // Held until they are in their places: whoever comes with another one waits, so that no more are open.
        let mut waiting = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push((number, ready));
        if waiting.len() < MOST {
            return Vec::new();
        }
        self.place(std::mem::take(&mut *waiting), buffer)
    }

    /// Those that still wait.
    pub(super) fn finish(&self, buffer: &mut [u8]) -> Vec<Done> {
        let mut waiting = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        self.place(std::mem::take(&mut *waiting), buffer)
    }

    fn place(&self, ready: Vec<Waits<'a>>, buffer: &mut [u8]) -> Vec<Done> {
        let flushed = ready.len() > FEW && self.flush(&ready);
        let place =
            |(number, ready): Waits<'a>| (number, ready.finish(flushed, self.overwrite, buffer));
        ready.into_iter().map(place).collect()
    }

    /// Flushes all of them, if all of their file systems can be flushed as a whole.
    fn flush(&self, ready: &[Waits<'a>]) -> bool {
        let systems = ready.iter().map(|(_, ready)| ready.partial.system(SMALL));
        let systems: Option<BTreeSet<u64>> = systems.collect();
        systems.is_some_and(|systems| self.folders.flush_systems(&systems))
    }
}
