//! Where the time comes from.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tuffet_core::metadata::UnixTime;

use crate::CancelToken;

/// Tells the time, and lets it pass.
pub trait Clock: Send + Sync {
    /// The time. It is asked once for each refresh.
    fn now(&self) -> UnixTime;

    /// Waits before a request is repeated. May return early, and should when the operation is cancelled.
    fn wait(&self, delay: Duration, cancel: &CancelToken) {
        wait(delay, cancel);
    }
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the client reads the clock"
    )]
    fn now(&self) -> UnixTime {
        let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_secs()).map_or(i64::MIN, i64::saturating_neg)
            }
        };
        UnixTime(seconds)
    }
}

/// A clock that stands still. For tests, and to look at a repository as of another moment.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub UnixTime);

impl Clock for FixedClock {
    fn now(&self) -> UnixTime {
        self.0
    }
}

/// How long a cancellation may go unnoticed while waiting.
const NAP: Duration = Duration::from_millis(50);

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the client waits"
)]
pub(crate) fn wait(delay: Duration, cancel: &CancelToken) {
    let start = Instant::now();
    while !cancel.is_cancelled() {
        match delay.checked_sub(start.elapsed()) {
            Some(rest) if !rest.is_zero() => std::thread::sleep(rest.min(NAP)),
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_is_past_the_day_this_was_written() {
        assert!(SystemClock.now() > UnixTime(1_795_000_000));
    }

    #[test]
    fn waiting_ends_at_once_when_cancelled() {
        let cancel = CancelToken::new();
        cancel.cancel();
        // Would take longer than any test may.
        SystemClock.wait(Duration::from_secs(86_400), &cancel);
    }
}
