//! Deadlines as a calendar (RFC 5545): one event for each role that people sign, at the moment it expires.

use std::fmt::Write as _;

use tuffet_core::metadata::{RoleName, UnixTime};
use tuffet_repo::{Period, RoleStatus};

/// The longest line, in bytes without its end (RFC 5545 §3.1).
const LONGEST: usize = 75;

/// The calendar. A program that subscribes to it moves the event of a role when there is a new version: the identifier stays.
pub(super) fn calendar(
    repository: &str,
    roles: &[RoleStatus],
    remind: Period,
    now: UnixTime,
) -> String {
    let mut text = String::new();
    let mut line = |content: &str| fold(&mut text, content);
    for head in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//tuffet//tuffet status//EN",
        "CALSCALE:GREGORIAN",
    ] {
        line(head);
    }
    for status in roles {
        let (Some(expires), Some(version)) = (status.expires, status.version) else {
            continue;
        };
        if matches!(status.role, RoleName::Snapshot | RoleName::Timestamp) {
            continue;
        }
        let role = status.role.as_str();
        let by = status.delegator.as_ref().map_or("root", |by| by.as_str());
        line("BEGIN:VEVENT");
        line(&format!(
            "UID:{}",
            escaped(&format!("{by}/{role}@{repository}"))
        ));
        line(&format!("SEQUENCE:{version}"));
        line(&format!("DTSTAMP:{}", stamp(now)));
        line(&format!("DTSTART:{}", stamp(expires)));
        line(&format!("DTEND:{}", stamp(expires)));
        line(&format!(
            "SUMMARY:{}",
            escaped(&format!("{repository}: {role} expires"))
        ));
        line(&format!(
            "DESCRIPTION:{}",
            escaped(&format!(
                "Before this moment: {} sign a new version.\n\ntuffet renew {role}\ntuffet change sign --key KEY\ntuffet publish",
                super::who(status)
            ))
        ));
        line("BEGIN:VALARM");
        line("ACTION:DISPLAY");
        line(&format!("TRIGGER:-PT{}M", remind.seconds() / 60));
        line(&format!(
            "DESCRIPTION:{}",
            escaped(&format!("{repository}: {role} has to be signed"))
        ));
        line("END:VALARM");
        line("END:VEVENT");
    }
    line("END:VCALENDAR");
    text
}

/// Text in which nothing ends the line or the value (RFC 5545 §3.3.11).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Adds a line; a long one goes on in lines that begin with a space.
fn fold(text: &mut String, content: &str) {
    let mut room = LONGEST;
    for c in content.chars() {
        if c.len_utf8() > room {
            text.push_str("\r\n ");
            room = LONGEST - 1;
        }
        text.push(c);
        room -= c.len_utf8();
    }
    text.push_str("\r\n");
}

/// `20270131T120000Z`
fn stamp(moment: UnixTime) -> String {
    let mut stamp = String::new();
    for c in moment.to_string().chars() {
        if !matches!(c, '-' | ':') {
            let _ = write!(stamp, "{c}");
        }
    }
    stamp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_between_characters() {
        let mut text = String::new();
        fold(&mut text, &"ä".repeat(100));
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert!(lines.iter().all(|line| line.len() <= LONGEST), "{lines:?}");
        assert_eq!(text.replace("\r\n ", "").trim_end(), "ä".repeat(100));
    }

    #[test]
    fn a_role_name_cannot_add_lines() {
        assert_eq!(escaped("a;b,c\\\nX:1\r"), "a\\;b\\,c\\\\\\nX:1\u{fffd}");
    }

    #[test]
    fn moments_are_in_basic_format() {
        assert_eq!(stamp(UnixTime(1_767_225_600)), "20260101T000000Z");
    }
}
