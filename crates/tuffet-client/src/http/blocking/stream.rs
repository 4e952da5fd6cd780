//! The bytes of an answer under watch.

use std::io::{self, Read};
use std::time::Duration;

use super::super::failure::Failure;
use super::super::pace::Pace;
use crate::transport::{TransportError, TransportErrorKind};

/// Passes bytes on and fails once they come too slowly, too late or not at all.
pub(crate) struct Watched<R> {
    inner: R,
    pace: Pace,
    deadline: Option<Duration>,
    /// Names the URL; its kind and detail are filled in when something fails.
    error: TransportError,
    failed: bool,
    /// The time since the transfer began.
    clock: Box<dyn Fn() -> Duration + Send>,
}

impl<R: Read> Watched<R> {
    pub(crate) fn new(
        inner: R,
        pace: Pace,
        deadline: Option<Duration>,
        error: TransportError,
        clock: Box<dyn Fn() -> Duration + Send>,
    ) -> Self {
        Self {
            inner,
            pace,
            deadline,
            error,
            failed: false,
            clock,
        }
    }

    fn fail(&mut self, failure: Failure) -> io::Error {
        self.failed = true;
        self.error.kind = failure.kind;
        self.error.detail = failure.detail;
        self.again()
    }

    fn again(&self) -> io::Error {
        let kind = match self.error.kind {
            TransportErrorKind::Idle
            | TransportErrorKind::TooSlow
            | TransportErrorKind::Deadline => io::ErrorKind::TimedOut,
            // Not `Interrupted`, after which readers try again.
            _ => io::ErrorKind::UnexpectedEof,
        };
        io::Error::new(kind, self.error.clone())
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            return Err(self.again());
        }
        let before = (self.clock)();
        let read = match self.inner.read(buffer) {
            Ok(read) => read,
            Err(error) => return Err(self.fail(super::failure(error.into()))),
        };
        let now = (self.clock)();
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Err(self.fail(Failure::new(TransportErrorKind::Deadline, "")));
        }
        if read > 0
            && !self.pace.keeps(
                now.saturating_sub(before),
                u64::try_from(read).unwrap_or(u64::MAX),
            )
        {
            return Err(self.fail(Failure::new(TransportErrorKind::TooSlow, "")));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
