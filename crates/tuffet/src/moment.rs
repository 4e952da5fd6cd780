//! The clock of the command line, and moments as people say them.

use std::time::{SystemTime, UNIX_EPOCH};

use tuffet_core::metadata::UnixTime;

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

/// `30d`, `12h`, `2w`, `1y`, `45m`, `90s` as seconds.
pub(crate) fn parse_duration(text: &str) -> Result<u64, String> {
    let wanted = || format!("{text:?} is not a duration such as 30d, 12h, 2w or 1y");
    let split = text.find(|character: char| !character.is_ascii_digit());
    let (number, unit) = text.split_at(split.ok_or_else(wanted)?);
    let length = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        "y" => 31_536_000,
        _ => return Err(wanted()),
    };
    let number: u64 = number.parse().map_err(|_| wanted())?;
    number
        .checked_mul(length)
        .filter(|seconds| (1..=100 * 31_536_000).contains(seconds))
        .ok_or_else(wanted)
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

    #[test]
    fn durations_have_a_unit_and_a_bound() {
        assert_eq!(parse_duration("30d"), Ok(2_592_000));
        assert_eq!(parse_duration("1y"), Ok(31_536_000));
        for wrong in [
            "",
            "d",
            "30",
            "0d",
            "-1d",
            "1.5d",
            "101y",
            "99999999999999999999s",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
