//! Downloading a target: hashed while it arrives, visible only when it is verified (TUF §5.7, rules O-04, C-51).

mod folder;
mod partial;
mod place;

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tuffet_core::trust::{Found, Rejected, VerifiedTarget};

use crate::engine::{Asked, Engine, Link, Reply, stream_error};
use crate::error::{Attempt, Failure};
use crate::observer::{Notice, Subject};
use crate::source::without_secrets;
use crate::transport::Request;
use crate::{Error, Local, Mode};
use partial::Partial;
use place::Place;

/// How many bytes are received, hashed and written at a time. A download needs no more memory than this, whatever its size.
const BUFFER: usize = 128 * 1024;

/// How many bytes a request must have brought so that the attempts are counted anew.
const FORWARD: u64 = 1024 * 1024;

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
    let place = Place::of(&destination.to, &found.path)?;
    let mut buffer = vec![0; BUFFER];
    let downloaded = |verified, from_cache| Downloaded {
        path: place.path(),
        from_cache,
        verified,
    };
    if let Some(verified) = place.present(found, engine.crypto, &mut buffer)? {
        return Ok(downloaded(verified, true));
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
    let mut partial = Partial::open(&place, found, engine.crypto, &mut buffer)?;
    let result = match partial.finish_early() {
        Some(verified) => Ok(verified),
        None => from_mirrors(engine, link, found, &urls, &mut partial, &mut buffer),
    };
    match result {
        Ok(verified) => match partial.commit(destination.overwrite) {
            Ok(()) => Ok(downloaded(verified, false)),
            // Somebody who downloads the same target was quicker.
            Err(error) => match place.present(found, engine.crypto, &mut buffer)? {
                Some(verified) => Ok(downloaded(verified, false)),
                None => Err(error),
            },
        },
        Err(error) => {
            partial.give_up(matches!(error, Error::Unavailable(_) | Error::Cancelled));
            Err(error)
        }
    }
}

/// Asks the mirrors in order until one delivers the target.
fn from_mirrors(
    engine: &Engine,
    link: &Link<'_>,
    found: &Found,
    urls: &[Vec<String>],
    partial: &mut Partial<'_>,
    buffer: &mut [u8],
) -> Result<VerifiedTarget, Error> {
    let mut attempts = Vec::new();
    for mirror in link.order() {
        for url in urls.get(mirror).into_iter().flatten() {
            let failure = match from_mirror(engine, link, found, mirror, url, partial, buffer)? {
                Asked::Found(Ok(verified)) => return Ok(verified),
                Asked::Found(Err(rejected)) => Failure::Rejected(Box::new(rejected)),
                Asked::Absent => Failure::Absent,
                Asked::Failed(error) => Failure::Transport(error),
            };
            let attempt = Attempt {
                url: without_secrets(url),
                failure,
            };
            engine.observer.notice(&Notice::MirrorFailed(&attempt));
            let absent = attempt.failure == Failure::Absent;
            attempts.push(attempt);
            if !absent {
                link.put_last(mirror);
                break;
            }
        }
    }
    Err(Error::of_attempts(attempts, || Rejected::TargetMissing {
        path: found.path.clone(),
    }))
}

/// Asks one mirror. When bytes of several requests do not make up the target, nobody can say which are wrong: the mirror is asked
/// for all of them once more.
fn from_mirror(
    engine: &Engine,
    link: &Link<'_>,
    found: &Found,
    mirror: usize,
    url: &str,
    partial: &mut Partial<'_>,
    buffer: &mut [u8],
) -> Result<Asked<Result<VerifiedTarget, Rejected>>, Error> {
    let mut again = true;
    loop {
        let asked = link.ask(engine, mirror, url, |transport| {
            let request = match partial.resume()? {
                Some(resume) => Request::new(url).resuming(resume),
                None => Request::new(url),
            };
            Reply::of(transport.fetch(&request), |body| {
                let begun = partial.begin(url, body.offset, body.validator)?;
                if let Err(error) = begun {
                    return Ok(Reply::Failed(error));
                }
                take(engine, link, found, url, body.stream, partial, buffer)
            })
        })?;
        match asked {
            Asked::Found(Err(rejected)) => {
                let mixed = partial.is_mixed();
                partial.reset()?;
                if !mixed || !again {
                    return Ok(Asked::Found(Err(rejected)));
                }
                again = false;
            }
            asked => return Ok(asked),
        }
    }
}

/// Takes a stream to its end. A refusal is a reply too: it is not repeated like a stream that broke.
fn take(
    engine: &Engine,
    link: &Link<'_>,
    found: &Found,
    url: &str,
    mut stream: impl Read,
    partial: &mut Partial<'_>,
    buffer: &mut [u8],
) -> Result<Reply<Result<VerifiedTarget, Rejected>>, Error> {
    let before = partial.received();
    loop {
        link.check_cancelled()?;
        // One byte too many is enough to know.
        let room = usize::try_from(partial.missing()).unwrap_or(usize::MAX);
        let room = room.saturating_add(1).min(buffer.len());
        let read = match stream.read(buffer.get_mut(..room).unwrap_or_default()) {
            Ok(0) => return Ok(Reply::Found(partial.finish()?)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let forward = partial.received().saturating_sub(before) >= FORWARD;
                let forward = forward && partial.is_resumable();
                return Ok(Reply::broken(stream_error(&error, url), forward));
            }
        };
        if let Err(rejected) = partial.append(buffer.get(..read).unwrap_or_default())? {
            return Ok(Reply::Found(Err(rejected)));
        }
        engine.observer.notice(&Notice::Progress {
            subject: Subject::Target(&found.path),
            received: partial.received(),
            total: Some(found.target.length),
        });
    }
}

/// Downloads several targets, so many at a time; the results are in the order of the targets.
pub(crate) fn download_all(
    engine: &Engine,
    link: &Link<'_>,
    found: &[Found],
    destination: &Destination,
    parallel: usize,
) -> Vec<Result<Downloaded, Error>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(found.len()));
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(target) = found.get(place) else {
                return;
            };
            let result = download(engine, link, target, destination);
            done.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((place, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..parallel.min(found.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}
