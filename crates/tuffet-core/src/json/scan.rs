//! Finding the next byte that matters, eight bytes at a time.

use super::index::{Member, Span};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const SPACE: u64 = ONES.wrapping_mul(b' ' as u64);
const QUOTE: u64 = ONES.wrapping_mul(b'"' as u64);
const BACKSLASH: u64 = ONES.wrapping_mul(b'\\' as u64);

/// Sets the high bit of zero bytes. Bytes above the lowest zero byte may be marked wrongly, so
/// only the lowest mark counts.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH_BITS
}

/// Returns the position of the first quote, backslash or control character at or after `from`,
/// or the end of the input.
#[inline]
pub(super) fn special(bytes: &[u8], from: usize) -> usize {
    let Some(tail) = bytes.get(from..) else {
        return bytes.len();
    };
    let (words, rest) = tail.as_chunks::<8>();
    let mut position = from;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(SPACE) & !word & HIGH_BITS;
        let marks = control | zero_bytes(word ^ QUOTE) | zero_bytes(word ^ BACKSLASH);
        if marks != 0 {
            return position.saturating_add((marks.trailing_zeros() / 8) as usize);
        }
        position = position.saturating_add(8);
    }
    let within = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..b' '));
    position.saturating_add(within.unwrap_or(rest.len()))
}

/// Returns the position of the first byte at or after `from` that is not white space.
#[inline]
pub(super) fn after_whitespace(bytes: &[u8], from: usize) -> usize {
    match bytes.get(from) {
        Some(0..=b' ') => after_whitespace_run(bytes, from),
        _ => from,
    }
}

fn after_whitespace_run(bytes: &[u8], from: usize) -> usize {
    let Some(tail) = bytes.get(from..) else {
        return from;
    };
    let length = tail
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    from.saturating_add(length.unwrap_or(tail.len()))
}

/// Returns the end of the string whose opening quote stands at `open`, in bytes that a reader has
/// accepted.
pub(super) fn string_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut position = open.checked_add(1)?;
    loop {
        position = special(bytes, position);
        match bytes.get(position)? {
            b'"' => return position.checked_add(1),
            _ => position = position.checked_add(2)?,
        }
    }
}

/// Returns the end of the value that starts at `start`, in bytes that a reader has accepted.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    match bytes.get(start)? {
        b'"' => string_end(bytes, start),
        b'{' | b'[' => container_end(bytes, start),
        _ => {
            let tail = bytes.get(start..)?;
            let length = tail
                .iter()
                .position(|byte| matches!(byte, 0..=b' ' | b',' | b'}' | b']'));
            start.checked_add(length.unwrap_or(tail.len()))
        }
    }
}

fn container_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut position = start;
    let mut depth = 0_usize;
    loop {
        let tail = bytes.get(position..)?;
        let is_structure = |byte: &u8| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']');
        position = position.checked_add(tail.iter().position(is_structure)?)?;
        match bytes.get(position)? {
            b'"' => {
                position = string_end(bytes, position)?;
                continue;
            }
            b'{' | b'[' => depth = depth.checked_add(1)?,
            _ => depth = depth.checked_sub(1)?,
        }
        position = position.checked_add(1)?;
        if depth == 0 {
            return Some(position);
        }
    }
}

/// Walks over the members of an object that a reader has accepted, without looking into values.
pub(super) struct Members<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Members<'a> {
    /// Starts at the opening brace.
    pub(super) fn new(bytes: &'a [u8], open: usize) -> Self {
        Self {
            bytes,
            position: open,
        }
    }

    /// Returns where the walk stands: at the closing brace once it is over.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    fn step(&mut self) -> usize {
        self.position = after_whitespace(self.bytes, self.position.saturating_add(1));
        self.position
    }
}

impl Iterator for Members<'_> {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        // The walk stands at the opening brace, a comma or the closing brace.
        if self.bytes.get(self.position)? == &b'}' {
            return None;
        }
        let open = self.step();
        if self.bytes.get(open)? != &b'"' {
            return None;
        }
        let name_end = string_end(self.bytes, open)?;
        self.position = after_whitespace(self.bytes, name_end);
        let start = self.step();
        let end = value_end(self.bytes, start)?;
        self.position = after_whitespace(self.bytes, end);
        Some(Member {
            name: Span::between(open.checked_add(1)?, name_end.checked_sub(1)?),
            value: Span::between(start, end),
        })
    }
}
