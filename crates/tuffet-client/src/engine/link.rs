//! Asking one mirror until it answers, and remembering which mirrors are of no use.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Engine;
use crate::observer::Notice;
use crate::retry::{Decision, may_help, random};
use crate::source::without_secrets;
use crate::transport::{Outcome, Transport, TransportError, TransportErrorKind};
use crate::{CancelToken, Error};

/// The transports of one operation.
pub(crate) struct Link<'a> {
    transports: &'a [Arc<dyn Transport>],
    cancel: CancelToken,
    started: Instant,
    /// The mirrors in the order to ask them.
    order: Mutex<Vec<usize>>,
}

/// What became of one request.
pub(crate) enum Reply<T> {
    Found(T),
    Absent,
    /// Asking again may help; with whether the request brought the operation forward.
    Again(TransportError, bool),
    Failed(TransportError),
}

/// What a mirror answered in the end.
pub(crate) enum Asked<T> {
    Found(T),
    Absent,
    Failed(TransportError),
}

impl<T> Reply<T> {
    /// The reply to a request whose stream broke.
    pub(crate) fn broken(error: TransportError, forward: bool) -> Self {
        if may_help(&error) {
            Self::Again(error, forward)
        } else {
            Self::Failed(error)
        }
    }

    /// The reply to an outcome; `stream` works a stream off.
    pub(crate) fn of<S>(
        outcome: Outcome<S>,
        stream: impl FnOnce(crate::transport::Body<S>) -> Result<Self, Error>,
    ) -> Result<Self, Error> {
        match outcome {
            Outcome::Found(body) => stream(body),
            Outcome::Absent => Ok(Self::Absent),
            Outcome::Retryable(error) => Ok(Self::Again(error, false)),
            Outcome::Fatal(error) => Ok(Self::Failed(error)),
        }
    }
}

impl<'a> Link<'a> {
    pub(crate) fn new(transports: &'a [Arc<dyn Transport>], cancel: CancelToken) -> Self {
        Self {
            transports,
            cancel,
            started: Instant::now(),
            order: Mutex::new((0..transports.len()).collect()),
        }
    }

    /// The mirrors in the order to ask them.
    pub(crate) fn order(&self) -> Vec<usize> {
        self.mirrors().clone()
    }

    /// Asks a mirror after all others for the rest of this operation, so that one that is down costs its pauses once.
    pub(crate) fn put_last(&self, mirror: usize) {
        let mut order = self.mirrors();
        order.retain(|&other| other != mirror);
        order.push(mirror);
    }

    pub(crate) fn check_cancelled(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }

    /// How long a mirror may take for a metadata file of so many bytes, within the time that is left for all of them.
    pub(crate) fn time_for(&self, engine: &Engine, bytes: u64) -> Option<Duration> {
        let file = engine.file_deadline.map(|deadline| deadline.of(bytes));
        let all = engine
            .deadline
            .map(|deadline| deadline.saturating_sub(self.started.elapsed()));
        [file, all].into_iter().flatten().min()
    }

    /// Asks one mirror, again and again if that may help and the retry policy allows it.
    pub(crate) fn ask<T>(
        &self,
        engine: &Engine,
        mirror: usize,
        url: &str,
        mut once: impl FnMut(&dyn Transport) -> Result<Reply<T>, Error>,
    ) -> Result<Asked<T>, Error> {
        let Some(transport) = self.transports.get(mirror) else {
            return Err(Error::Misuse("a source has no transport"));
        };
        let shown = without_secrets(url);
        let mut attempt = 1_u32;
        loop {
            self.check_cancelled()?;
            engine.observer.notice(&Notice::Request { url: &shown });
            let error = match once(&**transport)? {
                Reply::Found(found) => return Ok(Asked::Found(found)),
                Reply::Absent => return Ok(Asked::Absent),
                Reply::Failed(error) if error.kind == TransportErrorKind::Cancelled => {
                    return Err(Error::Cancelled);
                }
                Reply::Failed(error) => return Ok(Asked::Failed(error)),
                Reply::Again(error, forward) => {
                    if forward {
                        attempt = 1;
                    }
                    error
                }
            };
            match engine.retry.decide(attempt, error.retry_after, random()) {
                Decision::Stop => return Ok(Asked::Failed(error)),
                Decision::Wait(pause) => {
                    engine.observer.notice(&Notice::Pause {
                        error: &error,
                        attempt,
                        pause,
                    });
                    engine.clock.wait(pause, &self.cancel);
                }
            }
            attempt = attempt.saturating_add(1);
        }
    }

    fn mirrors(&self) -> MutexGuard<'_, Vec<usize>> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
