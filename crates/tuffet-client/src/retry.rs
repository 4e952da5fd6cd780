//! Whether and when a request is repeated at the same mirror.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::transport::{TransportError, TransportErrorKind};

/// How often one mirror is asked the same, and how long the pauses are.
///
/// Only requests that brought nothing, or not everything, are repeated. What was refused by verification is never asked for
/// again at the same mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    /// How often one mirror is asked at the most. A download that comes further than before starts to count
    /// anew, until the mirror has sent the target once more than this number says.
    pub attempts: u32,
    /// The pause after the first attempt; it doubles with each.
    pub first_pause: Duration,
    /// The longest pause of our own making.
    pub longest_pause: Duration,
    /// The longest pause at a server's request.
    pub longest_requested: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 3,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
            longest_requested: Duration::from_secs(60),
        }
    }
}

/// What to do after a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Ask again after this pause.
    Wait(Duration),
    /// Do not ask this mirror again.
    Stop,
}

impl Retry {
    /// Every mirror is asked once.
    #[must_use]
    pub fn never() -> Self {
        Self {
            attempts: 1,
            ..Self::default()
        }
    }

    /// Decides after the attempt with this number, counted from one. `random` spreads the clients of a server that was down
    /// over the second half of the pause.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tuffet_client::retry::{Decision, Retry};
    /// let retry = Retry::default();
    /// assert_eq!(retry.decide(1, None, 0), Decision::Wait(Duration::from_millis(250)));
    /// assert_eq!(retry.decide(1, None, u64::MAX), Decision::Wait(Duration::from_millis(500)));
    /// assert_eq!(retry.decide(3, None, 0), Decision::Stop);
    /// ```
    #[must_use]
    pub fn decide(&self, attempt: u32, requested: Option<u64>, random: u64) -> Decision {
        if attempt >= self.attempts {
            return Decision::Stop;
        }
        let doublings = attempt.saturating_sub(1).min(31);
        let pause = self
            .first_pause
            .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
            .min(self.longest_pause);
        let half = pause.checked_div(2).unwrap_or_default();
        // A 32 bit fraction of the half.
        let spread = u32::try_from(random >> 32).unwrap_or(u32::MAX);
        let jitter = half.mul_f64(f64::from(spread) / f64::from(u32::MAX));
        let requested = requested.map_or(Duration::ZERO, |seconds| {
            Duration::from_secs(seconds).min(self.longest_requested)
        });
        Decision::Wait(half.saturating_add(jitter).max(requested))
    }
}

/// Whether a stream that broke in this way may come through when it is asked for again.
pub(crate) fn may_help(error: &TransportError) -> bool {
    matches!(
        error.kind,
        TransportErrorKind::Connect
            | TransportErrorKind::Idle
            | TransportErrorKind::TooSlow
            | TransportErrorKind::Interrupted
    )
}

/// A number that differs from process to process and from call to call. Not for secrets.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(decision: Decision) -> Duration {
        match decision {
            Decision::Wait(pause) => pause,
            Decision::Stop => panic!("stopped"),
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let retry = Retry {
            attempts: u32::MAX,
            ..Retry::default()
        };
        let pauses: Vec<u128> = [1, 2, 3, 6, 7, 40, u32::MAX - 1]
            .map(|attempt| pause(retry.decide(attempt, None, u64::MAX)).as_millis())
            .to_vec();
        assert_eq!(pauses, [500, 1000, 2000, 16000, 20000, 20000, 20000]);
    }

    #[test]
    fn jitter_stays_in_the_second_half() {
        let retry = Retry::default();
        for random in [0, 1, u64::MAX / 3, u64::MAX / 2, u64::MAX] {
            let pause = pause(retry.decide(2, None, random));
            assert!(pause >= Duration::from_millis(500) && pause <= Duration::from_secs(1));
        }
    }

    #[test]
    fn a_server_may_ask_for_a_longer_pause_within_reason() {
        let retry = Retry::default();
        let table = [
            (Some(0), 250),
            (Some(7), 7_000),
            (Some(86_400), 60_000),
            (Some(u64::MAX), 60_000),
        ];
        for (requested, expected) in table {
            assert_eq!(
                pause(retry.decide(1, requested, 0)).as_millis(),
                expected,
                "{requested:?}"
            );
        }
    }

    #[test]
    fn one_attempt_is_never_repeated() {
        assert_eq!(Retry::never().decide(1, Some(1), 0), Decision::Stop);
    }

    #[test]
    fn random_differs() {
        assert_ne!(random(), random());
    }
}
