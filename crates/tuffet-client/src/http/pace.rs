//! How fast and until when bytes must come. Pure: it is told how long was waited and what came.

use std::time::Duration;

use super::failure::Failure;
use super::options::{HttpOptions, MinimumRate};
use crate::transport::{TransportError, TransportErrorKind};

/// Watches one transfer. Times are since its beginning.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    pace: Pace,
    deadline: Option<Duration>,
    /// Names the URL; its kind and detail are filled in when something fails.
    error: TransportError,
}

impl Watch {
    pub(crate) fn new(
        options: &HttpOptions,
        deadline: Option<Duration>,
        error: TransportError,
    ) -> Self {
        Self {
            pace: Pace::new(options.minimum_rate),
            deadline,
            error,
        }
    }

    /// Judges a read that began at `before`, ended at `now` and brought `bytes`; 0 is the end.
    pub(crate) fn judge(
        &mut self,
        before: Duration,
        now: Duration,
        bytes: usize,
    ) -> Result<(), TransportError> {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Err(self.failed(Failure::new(TransportErrorKind::Deadline, "")));
        }
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if bytes > 0 && !self.pace.keeps(now.saturating_sub(before), bytes) {
            return Err(self.failed(Failure::new(TransportErrorKind::TooSlow, "")));
        }
        Ok(())
    }

    pub(crate) fn failed(&self, failure: Failure) -> TransportError {
        TransportError {
            kind: failure.kind,
            detail: failure.detail,
            ..self.error.clone()
        }
    }
}

/// Watches the rate of one transfer. Only waiting counts, so that a slow disk is not blamed on the server.
#[derive(Debug, Clone)]
struct Pace {
    minimum: Option<MinimumRate>,
    /// Waited since the transfer began.
    waited: Duration,
    /// When the window under way began, and what came in it.
    window: Duration,
    bytes: u64,
}

impl Pace {
    fn new(minimum: Option<MinimumRate>) -> Self {
        // The first window begins with the end of the grace period.
        let window = minimum.map_or(Duration::ZERO, |minimum| minimum.grace);
        Self {
            minimum,
            waited: Duration::ZERO,
            window,
            bytes: 0,
        }
    }

    /// Counts bytes and the time waited for them; false if they come too slowly.
    fn keeps(&mut self, waited: Duration, bytes: u64) -> bool {
        let Some(minimum) = self.minimum else {
            return true;
        };
        self.waited = self.waited.saturating_add(waited);
        if self.waited <= minimum.grace {
            return true;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        let elapsed = self.waited.saturating_sub(self.window);
        if elapsed < minimum.window || elapsed.is_zero() {
            return true;
        }
        let wanted = u128::from(minimum.bytes_per_second).saturating_mul(elapsed.as_millis());
        let enough = u128::from(self.bytes).saturating_mul(1000) >= wanted;
        self.window = self.waited;
        self.bytes = 0;
        enough
    }
}

#[cfg(test)]
mod tests;
