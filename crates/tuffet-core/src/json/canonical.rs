//! The canonical form, over which digests and signatures are made (TUF §4.1).

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::error::{FormatError, Reason};
use super::index::Span;
use super::order::Arrangement;
use super::reader::Reader;
use super::scan;

/// Returns the canonical form of the one JSON value in `input`; borrowed if the value is
/// canonical already.
///
/// Canonical JSON as OLPC defines it: members in the order of their names' code points, no white
/// space, a backslash before `"` and `\` and no other escape, integers only. Control characters
/// stand for themselves, so the result need not be JSON. Unicode is not normalised: two names
/// that look alike stay two names, and different values never have the same form.
///
/// Memory: the result, which is no longer than the input, and some 20 bytes for each member of an
/// object whose members are not in order.
///
/// # Errors
/// Those of reading signed JSON: see the [module](super).
///
/// ```
/// use tuffet_core::json::canonicalize;
///
/// let canonical = canonicalize(br#"{ "version": 1, "_type": "r\u006fot" }"#)?;
/// assert_eq!(canonical.as_ref(), br#"{"_type":"root","version":1}"#);
/// # Ok::<(), tuffet_core::json::FormatError>(())
/// ```
pub fn canonicalize(input: &[u8]) -> Result<Cow<'_, [u8]>, FormatError> {
    let mut reader = Reader::new(input)?;
    reader.arrange();
    let (_, signed) = reader.signed(Reader::skip)?;
    let (text, arrangement) = (reader.source(), reader.arrangement());
    reader.finish()?;

    let value = signed.span.of(input).unwrap_or_default();
    if signed.canonical {
        return Ok(Cow::Borrowed(value));
    }
    let output = Vec::with_capacity(value.len());
    let mut writer = Writer {
        text,
        arrangement: &arrangement,
        output,
    };
    match writer.copy(signed.span) {
        Some(()) => Ok(Cow::Owned(writer.output)),
        // The reader has accepted the value, so this is not reached; failing is the safe answer.
        None => Err(FormatError::new(0, Reason::Syntax("not a JSON value"))),
    }
}

/// Writes a value that a reader has accepted.
struct Writer<'a> {
    text: &'a str,
    arrangement: &'a Arrangement,
    output: Vec<u8>,
}

impl Writer<'_> {
    /// Copies what stands in `span`, changing what is not canonical.
    fn copy(&mut self, span: Span) -> Option<()> {
        let bytes = self.text.as_bytes().get(..span.range().end)?;
        let mut copied = span.range().start;
        let mut position = copied;
        while let Some(byte) = bytes.get(position) {
            let next = position.checked_add(1)?;
            match byte {
                b'"' => {
                    let stop = scan::special(bytes, next);
                    if bytes.get(stop)? == &b'"' {
                        position = stop.checked_add(1)?;
                        continue;
                    }
                    self.output.extend_from_slice(bytes.get(copied..position)?);
                    position = self.copy_escaped(position)?;
                }
                b'{' => {
                    let Some(members) = self.arrangement.members(position) else {
                        position = next;
                        continue;
                    };
                    self.output.extend_from_slice(bytes.get(copied..position)?);
                    position = self.copy_members(members)?;
                }
                b' ' | b'\n' | b'\r' | b'\t' => {
                    self.output.extend_from_slice(bytes.get(copied..position)?);
                    position = scan::after_whitespace(bytes, next);
                }
                _ => {
                    position = next;
                    continue;
                }
            }
            copied = position;
        }
        self.output.extend_from_slice(bytes.get(copied..)?);
        Some(())
    }

    /// Writes the string with escapes that begins at `open` and returns its end.
    fn copy_escaped(&mut self, open: usize) -> Option<usize> {
        let end = scan::string_end(self.text.as_bytes(), open)?;
        let text = Span::between(open.checked_add(1)?, end.checked_sub(1)?).name(self.text)?;
        push_string(&mut self.output, &text.decode(), Controls::Raw);
        Some(end)
    }

    /// Writes an object with its members as given and returns where it ends in the input.
    fn copy_members(&mut self, members: &[Span]) -> Option<usize> {
        let mut end = 0;
        self.output.push(b'{');
        for (position, member) in members.iter().enumerate() {
            if position > 0 {
                self.output.push(b',');
            }
            self.copy(*member)?;
            end = end.max(member.range().end);
        }
        self.output.push(b'}');
        // The closing brace stands behind the member that comes last in the input.
        scan::after_whitespace(self.text.as_bytes(), end).checked_add(1)
    }
}

/// How control characters in strings are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Controls {
    /// As they are, which canonical JSON asks for and JSON forbids.
    Raw,
    /// As escapes.
    Escaped,
}

/// Writes `text` as a string with as few escapes as there can be.
pub(super) fn push_string(output: &mut Vec<u8>, text: &str, controls: Controls) {
    output.push(b'"');
    let bytes = text.as_bytes();
    let mut copied = 0;
    let mut position = scan::special(bytes, 0);
    while let Some(special) = bytes.get(position) {
        output.extend_from_slice(bytes.get(copied..position).unwrap_or_default());
        match special {
            b'"' | b'\\' => output.extend_from_slice(&[b'\\', *special]),
            control if controls == Controls::Raw => output.push(*control),
            control => push_control(output, *control),
        }
        copied = position.saturating_add(1);
        position = scan::special(bytes, copied);
    }
    output.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    output.push(b'"');
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn push_control(output: &mut Vec<u8>, control: u8) {
    let short = match control {
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
            output.extend_from_slice(b"\\u00");
            output.extend_from_slice(&[digit(control >> 4), digit(control & 0xf)]);
            return;
        }
    };
    output.extend_from_slice(&[b'\\', short]);
}
