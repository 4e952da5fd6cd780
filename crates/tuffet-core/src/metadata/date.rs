//! Moments, and the RFC 3339 forms of them that repositories contain.

use core::fmt;

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i64);

/// A moment as read, and whether it was written in the specification's own form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateTime {
    pub(crate) at: UnixTime,
    /// `YYYY-MM-DDTHH:MM:SSZ`, nothing else (rule F-13).
    pub(crate) plain: bool,
}

impl UnixTime {
    /// Reads `YYYY-MM-DDTHH:MM:SS`, an optional fraction, and `Z` or an offset such as `-06:00`.
    ///
    /// A fraction is cut off, which can only make an expiry earlier. `None` for anything else.
    ///
    /// ```
    /// # use tuffet_core::metadata::UnixTime;
    /// assert_eq!(UnixTime::parse("1970-01-02T00:00:00Z"), Some(UnixTime(86_400)));
    /// assert_eq!(UnixTime::parse("1970-01-02T00:00:00.5-01:00"), Some(UnixTime(90_000)));
    /// assert_eq!(UnixTime::parse("1970-02-30T00:00:00Z"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(|date| date.at)
    }
}

impl fmt::Display for UnixTime {
    /// `YYYY-MM-DDTHH:MM:SSZ` for the years 0 to 9999; other moments show the number of seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        let Some((year, month, day)) = civil_from_days(days) else {
            return write!(f, "{}s", self.0);
        };
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

pub(crate) fn parse(text: &str) -> Option<DateTime> {
    let (date, rest) = text.split_at_checked(19)?;
    let seconds = seconds_of(date.as_bytes())?;
    let (rest, fraction) = match rest.strip_prefix('.') {
        None => (rest, false),
        Some(after) => {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return None;
            }
            (after.get(digits..)?, true)
        }
    };
    let offset = offset_of(rest)?;
    Some(DateTime {
        at: UnixTime(seconds.checked_sub(offset)?),
        plain: rest == "Z" && !fraction,
    })
}

fn seconds_of(date: &[u8]) -> Option<i64> {
    let &[
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
    ] = date
    else {
        return None;
    };
    let year = number([y1, y2])?
        .checked_mul(100)?
        .checked_add(number([y3, y4])?)?;
    let (month, day) = (number([m1, m2])?, number([d1, d2])?);
    let (hour, minute, second) = (number([h1, h2])?, number([n1, n2])?, number([s1, s2])?);
    if !(1..=12).contains(&month)
        || day < 1
        || day > days_in_month(year, month)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let days = days_from_civil(year, month, day)?;
    days.checked_mul(86_400)?
        .checked_add(hour.checked_mul(3600)?)?
        .checked_add(minute.checked_mul(60)?)?
        .checked_add(second)
}

/// Seconds east of UTC.
fn offset_of(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let &[sign, h1, h2, b':', m1, m2] = text.as_bytes() else {
        return None;
    };
    let (hours, minutes) = (number([h1, h2])?, number([m1, m2])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours
        .checked_mul(3600)?
        .checked_add(minutes.checked_mul(60)?)?;
    match sign {
        b'+' => Some(seconds),
        b'-' => seconds.checked_neg(),
        _ => None,
    }
}

fn number(digits: [u8; 2]) -> Option<i64> {
    digits.into_iter().try_fold(0_i64, |value, digit| {
        digit.is_ascii_digit().then(|| {
            value
                .checked_mul(10)?
                .checked_add(i64::from(digit.checked_sub(b'0')?))
        })?
    })
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days before the first of January of a year 0 to 9999, counted from 1970.
fn days_before_year(year: i64) -> Option<i64> {
    let past = year.checked_sub(1)?;
    let leaps = past
        .div_euclid(4)
        .checked_sub(past.div_euclid(100))?
        .checked_add(past.div_euclid(400))?;
    // 719_162 days lie between 0001-01-01 and 1970-01-01.
    past.checked_mul(365)?
        .checked_add(leaps)?
        .checked_sub(719_162)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let before = (1..month)
        .map(|earlier| days_in_month(year, earlier))
        .sum::<i64>();
    days_before_year(year)?
        .checked_add(before)?
        .checked_add(day)?
        .checked_sub(1)
}

fn civil_from_days(days: i64) -> Option<(i64, i64, i64)> {
    let guess = days
        .checked_mul(400)?
        .checked_div(146_097)?
        .checked_add(1970)?;
    let year = (guess.checked_sub(1)?..=guess.checked_add(1)?)
        .rev()
        .find(|&year| days_before_year(year).is_some_and(|start| start <= days))?;
    if !(0..=9999).contains(&year) {
        return None;
    }
    let mut rest = days.checked_sub(days_before_year(year)?)?;
    for month in 1..=12 {
        let length = days_in_month(year, month);
        if rest < length {
            return Some((year, month, rest.checked_add(1)?));
        }
        rest = rest.checked_sub(length)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn f13_plain_form_is_recognised() {
        assert_eq!(
            parse("2021-12-18T13:28:12Z"),
            Some(DateTime {
                at: UnixTime(1_639_834_092),
                plain: true
            })
        );
    }

    #[test]
    fn a11_days_are_those_of_the_calendar() {
        let table = [
            ("0000-03-01T00:00:00Z", -62_162_035_200),
            ("1900-03-01T00:00:00Z", -2_203_891_200),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2000-12-31T23:59:59Z", 978_307_199),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ];
        for (text, seconds) in table {
            assert_eq!(UnixTime::parse(text), Some(UnixTime(seconds)), "{text}");
            assert_eq!(UnixTime(seconds).to_string(), text);
        }
    }

    #[test]
    fn a11_offset_and_fraction_are_read_and_noted() {
        let table = [
            ("2021-12-18T13:28:12.99008-06:00", 1_639_834_092 + 6 * 3600),
            ("2021-12-18T13:28:12+00:00", 1_639_834_092),
            ("2021-12-18T13:28:12.733402317Z", 1_639_834_092),
            ("2021-12-18T13:28:12+23:59", 1_639_834_092 - 86_340),
            ("2021-12-18T13:28:12-23:59", 1_639_834_092 + 86_340),
        ];
        for (text, seconds) in table {
            assert_eq!(
                parse(text),
                Some(DateTime {
                    at: UnixTime(seconds),
                    plain: false
                }),
                "{text}"
            );
        }
    }

    #[test]
    fn a11_what_cannot_be_read_is_refused() {
        let table = [
            "",
            "never",
            "2021-12-18",
            "2021-12-18T13:28:12",
            "2021-12-18T13:28:12.Z",
            "2021-12-18 13:28:12Z",
            "2021-13-18T13:28:12Z",
            "2021-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2021-12-18T24:00:00Z",
            "2021-12-18T13:60:12Z",
            "2021-12-18T13:28:60Z",
            "2021-12-18T13:28:12z",
            "2021-12-18T13:28:12+6:00",
            "2021-12-18T13:28:12Z ",
            "+021-12-18T13:28:12Z",
            "2021-12-1８T13:28:12Z",
            "2021-00-10T00:00:00Z",
            "2021-01-00T00:00:00Z",
            "2021-12-18T13:28:12+24:00",
            "2021-12-18T13:28:12-00:60",
            "2021-12-18T13:28:12x00:00",
        ];
        for text in table {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_can_be_read_again() {
        for seconds in (-62_167_219_200..253_402_300_800)
            .step_by(86_399 * 97)
            .chain([0, -1, 951_782_400, 253_402_300_799])
        {
            let text = UnixTime(seconds).to_string();
            assert_eq!(
                parse(&text),
                Some(DateTime {
                    at: UnixTime(seconds),
                    plain: true
                }),
                "{text}"
            );
        }
    }

    #[test]
    fn moments_beyond_the_calendar_still_show() {
        assert_eq!(UnixTime(i64::MAX).to_string(), "9223372036854775807s");
        assert_eq!(UnixTime(i64::MIN).to_string(), "-9223372036854775808s");
    }
}
