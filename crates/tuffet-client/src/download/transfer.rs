//! Asking the mirrors for the bytes of a target, none of them for ever.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use tuffet_core::trust::{Found, Rejected, VerifiedTarget};

use super::partial::Partial;
use crate::Error;
use crate::deadline::{Timed, passed};
use crate::engine::{Asked, Engine, Link, Reply, stream_error};
use crate::error::{Attempt, Failure};
use crate::observer::{Notice, Subject};
use crate::source::without_secrets;
use crate::transport::{Request, TransportError, TransportErrorKind};

/// How many bytes a request must have brought that no request to this mirror had brought before, so that the attempts are
/// counted anew.
const FORWARD: u64 = 1024 * 1024;

/// What fetching a target needs.
pub(super) struct Transfer<'a, 'p> {
    pub(super) engine: &'a Engine,
    pub(super) link: &'a Link<'a>,
    pub(super) found: &'a Found,
    pub(super) partial: &'a mut Partial<'p>,
    pub(super) buffer: &'a mut [u8],
}

/// What one mirror may take and has brought. A server that answers every request with the whole and breaks off would
/// otherwise look like one that comes forward.
struct Course {
    started: Instant,
    /// How long the mirror may take altogether.
    within: Option<Duration>,
    /// How many bytes the mirror has sent, and how many it may before it is given up.
    sent: u64,
    most: u64,
    /// How far the target had come at the most.
    furthest: u64,
}

impl Course {
    /// The mirror may send the target once for each attempt, and once more where bytes of several requests did not fit together.
    fn new(engine: &Engine, length: u64) -> Self {
        let copies = u64::from(engine.retry.attempts).saturating_add(1);
        Self {
            started: Instant::now(),
            within: engine.target_deadline.map(|deadline| deadline.of(length)),
            sent: 0,
            most: length.saturating_mul(copies),
            furthest: 0,
        }
    }

    fn left(&self) -> Option<Duration> {
        self.within
            .map(|within| within.saturating_sub(self.started.elapsed()))
    }

    /// What to do about a stream that broke when `received` bytes were at hand, if these can be continued.
    fn broken<T>(&self, error: TransportError, received: u64, resumable: bool) -> Reply<T> {
        if self.sent >= self.most {
            return Reply::Failed(TransportError {
                kind: TransportErrorKind::Interrupted,
                detail: format!(
                    "{} bytes were sent and the file is still not complete",
                    self.sent
                ),
                ..error
            });
        }
        let forward = received.saturating_sub(self.furthest) >= FORWARD;
        Reply::broken(error, forward && resumable)
    }
}

impl Transfer<'_, '_> {
    /// Asks the mirrors in order until one delivers the target.
    pub(super) fn bring(&mut self, urls: &[Vec<String>]) -> Result<VerifiedTarget, Error> {
        let mut attempts = Vec::new();
        for mirror in self.link.order() {
            for url in urls.get(mirror).into_iter().flatten() {
                let failure = match self.ask(mirror, url)? {
                    Asked::Found(Ok(verified)) => return Ok(verified),
                    Asked::Found(Err(rejected)) => Failure::Rejected(Box::new(rejected)),
                    Asked::Absent => Failure::Absent,
                    Asked::Failed(error) => Failure::Transport(error),
                };
                let attempt = Attempt {
                    url: without_secrets(url),
                    failure,
                };
                self.engine.observer.notice(&Notice::MirrorFailed(&attempt));
                let absent = attempt.failure == Failure::Absent;
                attempts.push(attempt);
                if !absent {
                    self.link.put_last(mirror);
                    break;
                }
            }
        }
        Err(Error::of_attempts(attempts, || Rejected::TargetMissing {
            path: self.found.path.clone(),
        }))
    }

    /// Asks one mirror. When bytes of several requests do not make up the target, nobody can say which are wrong: the mirror is
    /// asked for all of them once more.
    fn ask(
        &mut self,
        mirror: usize,
        url: &str,
    ) -> Result<Asked<Result<VerifiedTarget, Rejected>>, Error> {
        let (engine, link) = (self.engine, self.link);
        let mut course = Course::new(engine, self.found.target.length);
        let mut again = true;
        loop {
            course.furthest = self.partial.received();
            let asked = link.ask(engine, mirror, url, |transport| {
                let left = course.left();
                if let (Some(Duration::ZERO), Some(within)) = (left, course.within) {
                    return Ok(Reply::Failed(passed(url, within)));
                }
                let mut request = Request::new(url).within(left);
                if let Some(resume) = self.partial.resume()? {
                    request = request.resuming(resume);
                }
                Reply::of(transport.fetch(&request), |body| {
                    let begun = self.partial.begin(url, body.offset, body.validator)?;
                    if let Err(error) = begun {
                        return Ok(Reply::Failed(error));
                    }
                    let stream = Timed::new(body.stream, url, course.started, course.within);
                    let reply = self.take(url, stream, &mut course);
                    course.furthest = course.furthest.max(self.partial.received());
                    reply
                })
            })?;
            match asked {
                Asked::Found(Err(rejected)) => {
                    let mixed = self.partial.is_mixed();
                    self.partial.reset()?;
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
        &mut self,
        url: &str,
        mut stream: impl Read,
        course: &mut Course,
    ) -> Result<Reply<Result<VerifiedTarget, Rejected>>, Error> {
        loop {
            self.link.check_cancelled()?;
            // One byte too many is enough to know.
            let room = usize::try_from(self.partial.missing()).unwrap_or(usize::MAX);
            let room = room.saturating_add(1).min(self.buffer.len());
            let read = match stream.read(self.buffer.get_mut(..room).unwrap_or_default()) {
                Ok(0) => return Ok(Reply::Found(self.partial.finish())),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let received = self.partial.received();
                    let resumable = self.partial.is_resumable();
                    return Ok(course.broken(stream_error(&error, url), received, resumable));
                }
            };
            course.sent = course.sent.saturating_add(read as u64);
            let bytes = self.buffer.get(..read).unwrap_or_default();
            if let Err(rejected) = self.partial.append(bytes)? {
                return Ok(Reply::Found(Err(rejected)));
            }
            self.engine.observer.notice(&Notice::Progress {
                subject: Subject::Target(&self.found.path),
                received: self.partial.received(),
                total: Some(self.found.target.length),
            });
        }
    }
}
