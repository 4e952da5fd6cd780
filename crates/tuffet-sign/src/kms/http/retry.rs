//! Whether and when a request is repeated.

use std::time::Duration;

/// How often a service is asked at the most.
const ATTEMPTS: u32 = 4;
/// A metadata service answers at once or is not there.
const ATTEMPTS_OF_HOST: u32 = 2;
/// The pause after the first attempt, in milliseconds; it doubles with each.
const FIRST_PAUSE: u64 = 250;
/// The longest pause at a service's request, in seconds.
const LONGEST_REQUESTED: u64 = 20;

/// The pause after the attempt with this number, counted from one; `None` if it was the last. `random` spreads those who
/// were turned away together over the second half of the pause.
pub(super) fn pause(
    attempt: u32,
    of_host: bool,
    requested: Option<u64>,
    random: u64,
) -> Option<Duration> {
    let attempts = if of_host { ATTEMPTS_OF_HOST } else { ATTEMPTS };
    if attempt >= attempts {
        return None;
    }
    let half = FIRST_PAUSE
        .checked_shl(attempt.saturating_sub(1))?
        .checked_div(2)?;
    let jitter = random.checked_rem(half.saturating_add(1))?;
    let own = Duration::from_millis(half.saturating_add(jitter));
    let requested = requested.map_or(Duration::ZERO, |seconds| {
        Duration::from_secs(seconds.min(LONGEST_REQUESTED))
    });
    Some(own.max(requested))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        for random in [0, 1, 12_345, u64::MAX] {
            let pauses: Vec<_> = (1..6)
                .map(|attempt| pause(attempt, false, None, random))
                .collect();
            for (pause, longest) in pauses.iter().zip([250, 500, 1000]) {
                let pause = pause.unwrap();
                assert!(pause <= Duration::from_millis(longest));
                assert!(pause >= Duration::from_millis(longest / 2));
            }
            assert_eq!(pauses[3..], [None, None]);
        }
        assert!(pause(1, true, None, 0).is_some());
        assert_eq!(pause(2, true, None, 0), None);
    }

    #[test]
    fn a_service_may_ask_for_a_longer_pause_within_reason() {
        for (requested, expected) in [(0, 125), (3, 3_000), (86_400, 20_000), (u64::MAX, 20_000)] {
            let pause = pause(1, false, Some(requested), 0).unwrap();
            assert_eq!(pause, Duration::from_millis(expected));
        }
    }
}
