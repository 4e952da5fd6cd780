//! Downloading a target: hashed while it arrives, visible only when it is verified (TUF §5.7, rules O-04, C-51).

mod folder;
mod folders;
mod partial;
mod place;
mod transfer;
mod waiting;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tuffet_core::trust::{Found, VerifiedTarget};

use crate::engine::{Engine, Link};
use crate::{Error, Local, Mode};
use folders::Folders;
use partial::Partial;
use place::Place;
use transfer::Transfer;
use waiting::{Ready, Waiting};

/// How many bytes are received, hashed and written at a time. A download needs no more memory than this, whatever its size.
const BUFFER: usize = 128 * 1024;

/// A buffer for each of these: one byte more than a small one has is enough to see that more arrive.
fn buffer_for(found: &[Found]) -> Vec<u8> {
    let most = found.iter().map(|found| found.target.length).max();
    let most = usize::try_from(most.unwrap_or_default()).unwrap_or(BUFFER);
    vec![0; most.saturating_add(1).min(BUFFER)]
}

/// Where a target goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    to: To,
    overwrite: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum To {
    File(PathBuf),
    Below(PathBuf),
}

impl Destination {
    /// This very file. Its directory must exist.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            to: To::File(path.into()),
            overwrite: false,
        }
    }

    /// The target's own path below a directory; what is missing of it is created.
    ///
    /// Paths that could lead elsewhere, or that mean something else on some platform, are refused, and so are symbolic links
    /// below the directory. On Unix each directory on the way is opened in the one before it and held, so that this is so for as long
    /// as the download takes, whoever else may write there. On Windows directories are looked at by path: where somebody else
    /// may write to them meanwhile, a link can be put in the place of one after it was looked at, so download to a directory of
    /// your own there.
    #[must_use]
    pub fn below(directory: impl Into<PathBuf>) -> Self {
        Self {
            to: To::Below(directory.into()),
            overwrite: false,
        }
    }

    /// Whether a file of other content is replaced. Unless set, it is an error.
    #[must_use]
    pub fn overwrite(self, overwrite: bool) -> Self {
        Self { overwrite, ..self }
    }
}

/// A target that is where it belongs, and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downloaded {
    /// The file.
    pub path: PathBuf,
    /// Whether it was there already, so that nothing was fetched.
    pub from_cache: bool,
    /// The witness that its bytes were checked.
    pub verified: VerifiedTarget,
}

/// Brings a target to its destination.
pub(crate) fn download(
    engine: &Engine,
    link: &Link<'_>,
    found: &Found,
    destination: &Destination,
) -> Result<Downloaded, Error> {
    let folders = Folders::new();
    let mut buffer = buffer_for(std::slice::from_ref(found));
    let brought = bring(engine, link, found, destination, &folders, &mut buffer);
    let downloaded = brought.and_then(|brought| match brought {
        Brought::There(downloaded) => Ok(downloaded),
        Brought::Ready(ready) => ready.finish(false, destination.overwrite, &mut buffer),
    });
    folders.flush().judge(downloaded)
}

/// How far a target has come.
enum Brought<'a> {
    /// It was in its place already.
    There(Downloaded),
    /// It is beside its place, and verified.
    Ready(Box<Ready<'a>>),
}

/// Fetches a target, unless it is there.
fn bring<'a>(
    engine: &'a Engine,
    link: &Link<'_>,
    found: &'a Found,
    destination: &Destination,
    folders: &Folders,
    buffer: &mut [u8],
) -> Result<Brought<'a>, Error> {
    let place = Place::of(&destination.to, &found.path, folders)?;
    if let Some(verified) = place.present(found, engine.crypto, buffer)? {
        return Ok(Brought::There(Downloaded {
            path: place.path(),
            from_cache: true,
            verified,
        }));
    }
    if place.is_taken()? && !destination.overwrite {
        return Err(Local::Exists { path: place.path() }.into());
    }
    if let Mode::OfflineAsOf(_) = engine.mode {
        return Err(Local::Offline {
            target: found.path.clone(),
        }
        .into());
    }
    let urls = engine
        .sources
        .iter()
        .map(|source| source.target_urls(found))
        .collect::<Result<Vec<_>, _>>()?;
    let mut partial = Partial::open(place, found, engine.crypto, buffer)?;
    let result = match partial.finish_early() {
        Some(verified) => Ok(verified),
        None => Transfer {
            engine,
            link,
            found,
            partial: &mut partial,
            buffer,
        }
        .bring(&urls),
    };
    match result {
        Ok(verified) => Ok(Brought::Ready(Box::new(Ready::new(partial, verified)))),
        Err(error) => {
            partial.give_up(matches!(error, Error::Unavailable(_) | Error::Cancelled));
            Err(error)
        }
    }
}

/// Downloads several targets, so many at a time; the results are in the order of the targets. Small
/// ones are made durable together, and so are the names in each directory, unless there are very many of these.
pub(crate) fn download_all(
    engine: &Engine,
    link: &Link<'_>,
    found: &[Found],
    destination: &Destination,
    parallel: usize,
) -> Vec<Result<Downloaded, Error>> {
    let folders = Folders::new();
    let waiting = Waiting::new(&folders, destination.overwrite);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(found.len()));
    let report = |results: Vec<(usize, Result<Downloaded, Error>)>| {
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        done.extend(results);
    };
    let work = || {
        let mut buffer = buffer_for(found);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(target) = found.get(number) else {
                return report(waiting.finish(&mut buffer));
            };
            let brought = bring(engine, link, target, destination, &folders, &mut buffer);
            report(match brought {
                Ok(Brought::Ready(ready)) => waiting.add(number, ready, &mut buffer),
                Ok(Brought::There(downloaded)) => vec![(number, Ok(downloaded))],
                Err(error) => vec![(number, Err(error))],
            });
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..parallel.min(found.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    drop(waiting);
    let flushed = folders.flush();
    done.into_iter()
        .map(|(_, result)| flushed.judge(result))
        .collect()
}
