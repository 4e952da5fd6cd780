//! Finding the next byte that matters, eight bytes at a time.

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
