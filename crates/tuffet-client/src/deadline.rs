//! How long fetching a file may take.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use crate::source::without_secrets;
use crate::transport::{TransportError, TransportErrorKind};

/// How long one mirror may take for one file: a time for every file, and more for large ones.
///
/// When it has passed, the next mirror is asked. A file counts with its signed length; metadata with the limit of the
/// [`Policy`](crate::Policy) where none is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileDeadline {
    /// What every file is given: connecting and the first byte may take as long as the HTTP timeouts.
    pub base: Duration,
    /// The rate by which a file adds to that. Zero is without end.
    pub bytes_per_second: u64,
}

impl Default for FileDeadline {
    /// For metadata: 60 seconds, the time that HTTP gives to connect and to begin to answer, and 8 KiB/s, what the slowest lines carry that are
    /// still in use: two minutes for a root of the largest size, ten for targets metadata of 5 MB.
    fn default() -> Self {
        Self {
            base: Duration::from_secs(60),
            bytes_per_second: 8 * 1024,
        }
    }
}

impl FileDeadline {
    /// For targets: 60 seconds and 32 KiB/s, so that a mirror holds up 1 MB for a minute and a half and 1 GiB for nine hours, not
    /// for as long as the least rate of the transport allows. What is slower on the last mirror ends with `network.deadline`, and
    /// the next download goes on from there.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tuffet_client::FileDeadline;
    /// assert_eq!(FileDeadline::of_targets().of(1 << 30), Duration::from_secs(60 + 32 * 1024));
    /// ```
    #[must_use]
    pub fn of_targets() -> Self {
        Self {
            base: Duration::from_secs(60),
            bytes_per_second: 32 * 1024,
        }
    }

    /// How long a file of so many bytes may take.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tuffet_client::FileDeadline;
    /// assert_eq!(FileDeadline::default().of(0), Duration::from_secs(60));
    /// assert_eq!(FileDeadline::default().of(512_000), Duration::from_secs(122));
    /// ```
    #[must_use]
    pub fn of(&self, bytes: u64) -> Duration {
        match bytes.checked_div(self.bytes_per_second) {
            Some(seconds) => self.base.saturating_add(Duration::from_secs(seconds)),
            None => Duration::MAX,
        }
    }
}

/// A stream that fails when its time is over, whatever transport it comes from.
pub(crate) struct Timed<'a, R> {
    stream: R,
    url: &'a str,
    started: Instant,
    within: Option<Duration>,
}

impl<'a, R: Read> Timed<'a, R> {
    pub(crate) fn new(stream: R, url: &'a str, started: Instant, within: Option<Duration>) -> Self {
        Self {
            stream,
            url,
            started,
            within,
        }
    }
}

impl<R: Read> Read for Timed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        match self.within {
            Some(within) if self.started.elapsed() >= within => {
                Err(io::Error::other(passed(self.url, within)))
            }
            _ => Ok(read),
        }
    }
}

/// What is said when a time is over.
pub(crate) fn passed(url: &str, within: Duration) -> TransportError {
    TransportError {
        url: without_secrets(url),
        kind: TransportErrorKind::Deadline,
        detail: format!("it took longer than {} seconds", within.as_secs()),
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_has_more_time_than_a_small_one() {
        let deadline = FileDeadline {
            base: Duration::from_secs(3),
            bytes_per_second: 10,
        };
        for (bytes, seconds) in [(0, 3), (9, 3), (10, 4), (1_000, 103)] {
            assert_eq!(deadline.of(bytes), Duration::from_secs(seconds));
        }
        let endless = FileDeadline {
            bytes_per_second: 0,
            ..deadline
        };
        assert_eq!(endless.of(1), Duration::MAX);
        assert!(deadline.of(u64::MAX) > Duration::from_secs(1 << 40));
    }

    #[test]
    fn a_stream_ends_with_its_time() {
        let read = |within| {
            let mut stream = Timed::new(&b"bytes"[..], "memory:x?y", Instant::now(), within);
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).map(|_| bytes)
        };
        for within in [None, Some(Duration::MAX)] {
            assert_eq!(read(within).unwrap(), b"bytes");
        }
        let error = crate::engine::stream_error(&read(Some(Duration::ZERO)).unwrap_err(), "");
        assert_eq!(error.kind, TransportErrorKind::Deadline);
        assert_eq!(error.url, "memory:x?…");
    }
}
