//! What the head of an HTTP answer means. Pure: both transports judge by this table and by nothing else.

use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, HeaderMap, HeaderName,
    LAST_MODIFIED, LOCATION, RETRY_AFTER,
};

use crate::transport::{Resume, TransportErrorKind};

/// What to do with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The bytes come.
    Found {
        offset: u64,
        length: Option<u64>,
        validator: Option<String>,
    },
    /// What is at hand cannot be continued: ask for the whole.
    StartOver,
    /// The file is elsewhere.
    Moved {
        location: String,
    },
    Absent,
    Retryable {
        kind: TransportErrorKind,
        retry_after: Option<u64>,
    },
    Fatal {
        kind: TransportErrorKind,
        detail: &'static str,
    },
}

/// Judges a status and its headers. `resume` is what the request asked to continue.
pub(crate) fn judge(
    status: u16,
    headers: &HeaderMap,
    resume: Option<&Resume>,
    forbidden_is_absent: bool,
) -> Answer {
    match status {
        200 | 206 if encoded(headers) => Answer::Fatal {
            kind: TransportErrorKind::Protocol,
            detail: "the bytes are encoded although identity was asked for",
        },
        200 => Answer::Found {
            offset: 0,
            length: length(headers),
            validator: validator(headers),
        },
        206 => match resume {
            Some(resume) => continued(headers, resume),
            None => Answer::Fatal {
                kind: TransportErrorKind::Protocol,
                detail: "a part came that was not asked for",
            },
        },
        416 if resume.is_some() => Answer::StartOver,
        301 | 302 | 303 | 307 | 308 => match text(headers, &LOCATION) {
            Some(location) => Answer::Moved {
                location: location.to_owned(),
            },
            None => Answer::Fatal {
                kind: TransportErrorKind::Redirect,
                detail: "it says not where to",
            },
        },
        404 | 410 => Answer::Absent,
        403 if forbidden_is_absent => Answer::Absent,
        408 | 425 | 429 | 500..=599 => Answer::Retryable {
            kind: TransportErrorKind::Status(status),
            retry_after: retry_after(headers),
        },
        status => Answer::Fatal {
            kind: TransportErrorKind::Status(status),
            detail: "",
        },
    }
}

/// A part is taken only if it begins where the bytes at hand end and belongs to the same file.
fn continued(headers: &HeaderMap, resume: &Resume) -> Answer {
    let same_file = match text(headers, &ETAG) {
        Some(tag) if strong(tag) && strong(&resume.validator) => tag == resume.validator,
        _ => true,
    };
    match text(headers, &CONTENT_RANGE).and_then(ContentRange::parse) {
        Some(range)
            if same_file
                && range.first == resume.offset
                && length(headers).is_none_or(|length| length == range.length()) =>
        {
            let validator = validator(headers).unwrap_or_else(|| resume.validator.clone());
            Answer::Found {
                offset: range.first,
                length: Some(range.length()),
                validator: Some(validator),
            }
        }
        _ => Answer::StartOver,
    }
}

/// `bytes FIRST-LAST/COMPLETE`, with both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ContentRange {
    first: u64,
    last: u64,
}

impl ContentRange {
    fn parse(text: &str) -> Option<Self> {
        let (unit, rest) = text.split_once(' ')?;
        let (range, complete) = rest.trim_start().split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let complete = if complete == "*" {
            u64::MAX
        } else {
            number(complete)?
        };
        let sound = unit.eq_ignore_ascii_case("bytes") && first <= last && last < complete;
        sound.then_some(Self { first, last })
    }

    fn length(self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Digits only: `str::parse` would take a sign.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_LENGTH).and_then(number)
}

/// Seconds only. The other form is a date of the server's clock, which says little here.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    text(headers, &RETRY_AFTER).and_then(number)
}

fn encoded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|value| {
        let codings = value.to_str().unwrap_or("?");
        codings
            .split(',')
            .any(|coding| !matches!(coding.trim(), "" | "identity"))
    })
}

fn strong(validator: &str) -> bool {
    validator.len() >= 2 && validator.starts_with('"') && validator.ends_with('"')
}

/// What a later request can be conditional on: a strong ETag, or a Last-Modified date that is not the very second of
/// the answer, in which the file may change again (RFC 9110 §8.8.2.2).
fn validator(headers: &HeaderMap) -> Option<String> {
    if let Some(tag) = text(headers, &ETAG).filter(|tag| strong(tag)) {
        return Some(tag.to_owned());
    }
    let modified = text(headers, &LAST_MODIFIED).filter(|date| !date.is_empty())?;
    text(headers, &DATE)
        .filter(|now| *now != modified)
        .map(|_| modified.to_owned())
}

#[cfg(test)]
mod tests;
