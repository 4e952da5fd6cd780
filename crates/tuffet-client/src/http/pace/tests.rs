use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn pace(bytes_per_second: u64, window: u64, grace: u64) -> Pace {
    let (window, grace) = (Duration::from_secs(window), Duration::from_secs(grace));
    Pace::new(Some(MinimumRate {
        bytes_per_second,
        window,
        grace,
    }))
}

/// After how many reads of `bytes` each, one a second, the transfer is given up.
fn reads_until_given_up(mut pace: Pace, bytes: u64) -> Option<u32> {
    (1..=1000).find(|_| !pace.keeps(SECOND, bytes))
}

#[test]
fn the_rate_is_judged_after_the_grace_period_and_once_per_window() {
    assert_eq!(reads_until_given_up(pace(100, 10, 30), 99), Some(40));
    assert_eq!(reads_until_given_up(pace(100, 10, 30), 100), None);
    assert_eq!(reads_until_given_up(pace(100, 10, 0), 0), Some(10));
    assert_eq!(reads_until_given_up(pace(0, 10, 0), 0), None);
    assert_eq!(reads_until_given_up(Pace::new(None), 0), None);
}

#[test]
fn a_fast_start_does_not_excuse_a_drip() {
    let mut pace = pace(100, 10, 5);
    assert!(pace.keeps(5 * SECOND, 1_000_000));
    assert!(pace.keeps(10 * SECOND, 1000));
    assert!(!pace.keeps(10 * SECOND, 999));
}

#[test]
fn one_long_wait_is_judged_by_its_own_length() {
    assert!(!pace(100, 10, 0).keeps(30 * SECOND, 2999));
    assert!(pace(100, 10, 0).keeps(30 * SECOND, 3000));
}

#[test]
fn time_not_spent_waiting_does_not_count() {
    let mut pace = pace(100, 10, 0);
    for _ in 0..1000 {
        assert!(pace.keeps(Duration::ZERO, 1));
    }
}

#[test]
fn extreme_numbers_do_no_harm() {
    let rate = MinimumRate {
        bytes_per_second: u64::MAX,
        window: Duration::ZERO,
        grace: Duration::ZERO,
    };
    let mut pace = Pace::new(Some(rate));
    assert!(!pace.keeps(Duration::MAX, u64::MAX));
    assert!(pace.keeps(Duration::MAX, u64::MAX));
}
