//! Targets that are verified and not durable yet. Small ones wait for each other: a disk that is told of them one by one takes most of
//! the time for that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tuffet_core::trust::VerifiedTarget;

use super::Downloaded;
use super::folder::Folder;
use super::partial::Partial;
use crate::Error;

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

/// A target by its number, and what became of it.
type Done = (usize, Result<Downloaded, Error>);

impl<'a> Ready<'a> {
    pub(super) fn new(partial: Partial<'a>, verified: VerifiedTarget) -> Self {
        Self { partial, verified }
    }

    /// Puts it in its place. Its name is durable when the directory has been flushed.
    pub(super) fn finish(
        self,
        flushed: bool,
        overwrite: bool,
        buffer: &mut [u8],
    ) -> Result<Downloaded, Error> {
        let downloaded = |verified| Downloaded {
            path: self.partial.place().path(),
            from_cache: false,
            verified,
        };
        match self.partial.commit(flushed, overwrite) {
            Ok(()) => Ok(downloaded(self.verified)),
            // Somebody who downloads the same target was quicker.
            Err(error) => match self.partial.present(buffer)? {
                Some(verified) => Ok(downloaded(verified)),
                None => Err(error),
            },
        }
    }
}

/// Those that wait.
pub(super) struct Waiting<'a> {
    ready: Mutex<Vec<(usize, Ready<'a>)>>,
    overwrite: bool,
    /// Whether a file system has failed: it says so once, and from then on only each file can tell whether it was written.
    failed: Mutex<bool>,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(overwrite: bool) -> Self {
        Self {
            ready: Mutex::default(),
            overwrite,
            failed: Mutex::new(false),
        }
    }

    /// Takes a target. What is done by that is the result.
    pub(super) fn add(&self, number: usize, ready: Ready<'a>, buffer: &mut [u8]) -> Vec<Done> {
        if ready.partial.length() > SMALL {
            return self.place(vec![(number, ready)], buffer);
        }
        let mut waiting = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push((number, ready));
        if waiting.len() < MOST {
            return Vec::new();
        }
        let ready = std::mem::take(&mut *waiting);
        drop(waiting);
        self.place(ready, buffer)
    }

    /// Those that still wait.
    pub(super) fn finish(&self, buffer: &mut [u8]) -> Vec<Done> {
        let mut waiting = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = std::mem::take(&mut *waiting);
        drop(waiting);
        self.place(ready, buffer)
    }

    fn place(&self, ready: Vec<(usize, Ready<'a>)>, buffer: &mut [u8]) -> Vec<Done> {
        let flushed = ready.len() > FEW && self.flush(&ready);
        let place = |(number, ready): (usize, Ready<'a>)| {
            (number, ready.finish(flushed, self.overwrite, buffer))
        };
        ready.into_iter().map(place).collect()
    }

    /// Flushes all of them, if all of their file systems can be flushed as a whole.
    fn flush(&self, ready: &[(usize, Ready<'a>)]) -> bool {
        let mut systems = BTreeMap::new();
        let mut before: Option<&Arc<Folder>> = None;
        for (_, ready) in ready {
            let folder = &ready.partial.place().folder;
            if before.is_some_and(|before| Arc::ptr_eq(before, folder)) {
                continue;
            }
            before = Some(folder);
            match folder.file_system() {
                Some(system) => systems.insert(system.device(), system),
                None => return false,
            };
        }
        // One after the other: what the first one is told the second one is not.
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = *failed || systems.values().any(|system| system.flush().is_err());
        !*failed
    }
}
