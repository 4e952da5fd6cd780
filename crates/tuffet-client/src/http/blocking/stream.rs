//! The bytes of an answer under watch.

use std::io::{self, Read};
use std::time::Duration;

use super::super::pace::Watch;
use crate::transport::{TransportError, TransportErrorKind};

/// Passes bytes on and fails once they come too slowly, too late or not at all.
pub(crate) struct Watched<R> {
    inner: R,
    watch: Watch,
    failed: Option<TransportError>,
    /// The time since the transfer began.
    clock: Box<dyn Fn() -> Duration + Send>,
}

impl<R: Read> Watched<R> {
    pub(crate) fn new(inner: R, watch: Watch, clock: Box<dyn Fn() -> Duration + Send>) -> Self {
        Self {
            inner,
            watch,
            failed: None,
            clock,
        }
    }

    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, TransportError> {
        let before = (self.clock)();
        let read = self
            .inner
            .read(buffer)
            .map_err(|error| self.watch.failed(super::failure(error.into())))?;
        self.watch.judge(before, (self.clock)(), read)?;
        Ok(read)
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let error = match self.failed.take() {
            Some(error) => error,
            None => match self.next(buffer) {
                Ok(read) => return Ok(read),
                Err(error) => error,
            },
        };
        self.failed = Some(error.clone());
        Err(io::Error::new(io_kind(error.kind), error))
    }
}

fn io_kind(kind: TransportErrorKind) -> io::ErrorKind {
    match kind {
        TransportErrorKind::Idle | TransportErrorKind::TooSlow | TransportErrorKind::Deadline => {
            io::ErrorKind::TimedOut
        }
        // Not `Interrupted`, after which readers try again.
        _ => io::ErrorKind::UnexpectedEof,
    }
}

#[cfg(test)]
mod tests;
