use http::HeaderValue;

use super::*;

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

fn resume(offset: u64, validator: &str) -> Resume {
    Resume {
        offset,
        validator: validator.to_owned(),
    }
}

#[test]
fn a17_statuses_mean_found_absent_retryable_or_fatal() {
    let none = HeaderMap::new();
    let found = Answer::Found {
        offset: 0,
        length: None,
        validator: None,
    };
    assert_eq!(judge(200, &none, None, true), found);
    for status in [404, 410] {
        assert_eq!(judge(status, &none, None, true), Answer::Absent);
        assert_eq!(judge(status, &none, None, false), Answer::Absent);
    }
    assert_eq!(judge(403, &none, None, true), Answer::Absent);
    for status in [408, 425, 429, 500, 501, 502, 503, 504, 507, 599] {
        let kind = TransportErrorKind::Status(status);
        assert_eq!(
            judge(status, &none, None, true),
            Answer::Retryable {
                kind,
                retry_after: None
            }
        );
    }
    for status in [
        201, 202, 203, 204, 205, 300, 304, 305, 400, 401, 402, 405, 406, 407, 412, 416, 418, 451,
        600, 999,
    ] {
        let kind = TransportErrorKind::Status(status);
        assert_eq!(
            judge(status, &none, None, true),
            Answer::Fatal { kind, detail: "" }
        );
    }
    let kind = TransportErrorKind::Status(403);
    assert_eq!(
        judge(403, &none, None, false),
        Answer::Fatal { kind, detail: "" }
    );
}

#[test]
fn redirects_need_a_location() {
    for status in [301, 302, 303, 307, 308] {
        let moved = Answer::Moved {
            location: "/b".to_owned(),
        };
        assert_eq!(
            judge(status, &headers(&[("location", " /b ")]), None, true),
            moved
        );
        let answer = judge(status, &HeaderMap::new(), None, true);
        assert!(
            matches!(
                answer,
                Answer::Fatal {
                    kind: TransportErrorKind::Redirect,
                    ..
                }
            ),
            "{answer:?}"
        );
    }
}

#[test]
fn retry_after_is_read_in_seconds() {
    for (value, seconds) in [
        ("120", Some(120)),
        ("0", Some(0)),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("", None),
        ("99999999999999999999", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ] {
        let answer = judge(503, &headers(&[("retry-after", value)]), None, true);
        let kind = TransportErrorKind::Status(503);
        assert_eq!(
            answer,
            Answer::Retryable {
                kind,
                retry_after: seconds
            },
            "{value:?}"
        );
    }
}

#[test]
fn encoded_bytes_are_refused() {
    for (coding, refused) in [
        ("gzip", true),
        ("br", true),
        ("identity, gzip", true),
        ("x-gzip", true),
        ("identity", false),
        ("", false),
    ] {
        for status in [200, 206] {
            let lines = headers(&[
                ("content-encoding", coding),
                ("content-range", "bytes 5-9/10"),
            ]);
            let answer = judge(status, &lines, Some(&resume(5, "\"a\"")), true);
            let fatal = matches!(
                answer,
                Answer::Fatal {
                    kind: TransportErrorKind::Protocol,
                    ..
                }
            );
            assert_eq!(fatal, refused, "{coding:?} {status}");
        }
    }
}

#[test]
fn a_part_must_continue_what_is_at_hand() {
    let tag = Some("\"a\"");
    for (range, length, etag, taken) in [
        ("bytes 5-9/10", None, tag, true),
        ("bytes 5-9/10", Some("5"), None, true),
        ("BYTES 5-9/*", None, tag, true),
        ("bytes 5-9/10", Some("4"), tag, false),
        ("bytes 5-9/10", Some("6"), tag, false),
        ("bytes 5-9/10", None, Some("\"b\""), false),
        ("bytes 4-9/10", None, tag, false),
        ("bytes 6-9/10", None, tag, false),
        ("bytes 0-9/10", None, tag, false),
        ("bytes 5-4/10", None, tag, false),
        ("bytes 5-9/9", None, tag, false),
        ("bytes */10", None, tag, false),
        ("bytes +5-9/10", None, tag, false),
        ("bytes 5-/10", None, tag, false),
        ("bytes -5/10", None, tag, false),
        ("bytes 5-9", None, tag, false),
        ("items 5-9/10", None, tag, false),
        ("", None, tag, false),
    ] {
        let mut lines = vec![("content-range", range)];
        lines.extend(length.map(|length| ("content-length", length)));
        lines.extend(etag.map(|etag| ("etag", etag)));
        let answer = judge(206, &headers(&lines), Some(&resume(5, "\"a\"")), true);
        let validator = Some("\"a\"".to_owned());
        let continued = Answer::Found {
            offset: 5,
            length: Some(5),
            validator,
        };
        assert_eq!(
            answer,
            if taken { continued } else { Answer::StartOver },
            "{lines:?}"
        );
    }
    assert_eq!(
        judge(206, &HeaderMap::new(), Some(&resume(5, "\"a\"")), true),
        Answer::StartOver
    );
    assert_eq!(
        judge(416, &HeaderMap::new(), Some(&resume(5, "\"a\"")), true),
        Answer::StartOver
    );
    let unasked = judge(
        206,
        &headers(&[("content-range", "bytes 0-9/10")]),
        None,
        true,
    );
    assert!(
        matches!(
            unasked,
            Answer::Fatal {
                kind: TransportErrorKind::Protocol,
                ..
            }
        ),
        "{unasked:?}"
    );
}

#[test]
fn a_resumed_request_may_get_the_whole() {
    let lines = headers(&[("content-length", "10"), ("etag", "\"b\"")]);
    let whole = Answer::Found {
        offset: 0,
        length: Some(10),
        validator: Some("\"b\"".to_owned()),
    };
    assert_eq!(judge(200, &lines, Some(&resume(5, "\"a\"")), true), whole);
}

#[test]
fn validators_are_strong() {
    let (then, now) = (
        "Wed, 21 Oct 2026 07:28:00 GMT",
        "Wed, 21 Oct 2026 07:28:01 GMT",
    );
    for (lines, validator) in [
        (vec![("etag", "\"a\"")], Some("\"a\"")),
        (
            vec![("etag", "\"a\""), ("last-modified", then), ("date", now)],
            Some("\"a\""),
        ),
        (vec![("etag", "W/\"a\"")], None),
        (
            vec![("etag", "W/\"a\""), ("last-modified", then), ("date", now)],
            Some(then),
        ),
        (
            vec![("etag", "a"), ("last-modified", then), ("date", now)],
            Some(then),
        ),
        (vec![("last-modified", then), ("date", then)], None),
        (vec![("last-modified", then)], None),
        (vec![("etag", "\"")], None),
        (vec![], None),
    ] {
        let answer = judge(200, &headers(&lines), None, true);
        let validator = validator.map(str::to_owned);
        assert_eq!(
            answer,
            Answer::Found {
                offset: 0,
                length: None,
                validator
            },
            "{lines:?}"
        );
    }
}
