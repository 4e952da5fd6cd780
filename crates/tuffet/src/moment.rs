//! The clock of the command line, and moments as people say them.

use std::time::{SystemTime, UNIX_EPOCH};

use tuffet_core::metadata::UnixTime;
use tuffet_repo::Period;

/// What the clock says. A clock before 1970 counts as 1970, where everything is still valid but nothing was published.
#[expect(
    clippy::disallowed_methods,
    reason = "the clock of the command line, read once for each command"
)]
pub(crate) fn now() -> UnixTime {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// `in 6 days (2026-11-29 14:02 UTC)`.
pub(crate) fn both(moment: UnixTime, now: UnixTime) -> String {
    format!("{} ({})", relative(moment, now), absolute(moment))
}

/// `2026-11-29 14:02 UTC`.
pub(crate) fn absolute(moment: UnixTime) -> String {
    let text = moment.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(date), Some(time)) if text.len() == 20 => format!("{date} {time} UTC"),
        _ => text,
    }
}

/// `in 6 days`, `3 hours ago`.
pub(crate) fn relative(moment: UnixTime, now: UnixTime) -> String {
    const UNITS: [(u64, &str); 5] = [
        (31_557_600, "year"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let seconds = moment.0.abs_diff(now.0);
    // Two of a unit say more than one of the next: 36 hours, not 1 day.
    let (length, unit) = UNITS
        .into_iter()
        .find(|(length, _)| seconds >= 2 * length)
        .unwrap_or((1, "second"));
    let amount = crate::text::count(seconds / length, unit);
    if moment > now {
        format!("in {amount}")
    } else {
        format!("{amount} ago")
    }
}

/// `30d`, `12h` or `45m`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse_period(text: &str) -> Result<Period, String> {
    Period::parse(text).ok_or_else(|| "not a period such as 30d, 12h or 45m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_said_relative_and_absolute() {
        let now = UnixTime(1_800_000_000);
        for (seconds, text) in [
            (0, "0 seconds ago"),
            (1, "in 1 second"),
            (119, "in 119 seconds"),
            (120, "in 2 minutes"),
            (36 * 3600, "in 36 hours"),
            (6 * 86_400 + 3, "in 6 days"),
            (-3 * 3600, "3 hours ago"),
            (800 * 86_400, "in 2 years"),
        ] {
            assert_eq!(relative(UnixTime(now.0 + seconds), now), text);
        }
        assert_eq!(absolute(now), "2027-01-15 08:00 UTC");
    }
}
