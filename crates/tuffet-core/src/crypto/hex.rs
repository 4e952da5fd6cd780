//! Hexadecimal text, as metadata carries digests, signatures and ed25519 keys.

use alloc::string::String;
use alloc::vec::Vec;

/// Writes `bytes` as lower-case hexadecimal text.
///
/// ```
/// assert_eq!(tuffet_core::crypto::hex::encode(&[0x00, 0xaf]), "00af");
/// ```
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
    let mut text = Vec::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        text.extend_from_slice(&[digit(byte >> 4), digit(byte & 0x0f)]);
    }
    // Checked as a whole, which takes less time than pushing one character after the other.
    String::from_utf8(text).unwrap_or_default()
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Reads hexadecimal text of either case; `None` if the length is odd or a character is not a hexadecimal digit.
///
/// ```
/// use tuffet_core::crypto::hex::decode;
/// assert_eq!(decode("00Af"), Some(vec![0x00, 0xaf]));
/// assert_eq!(decode("0"), None);
/// assert_eq!(decode("+f"), None);
/// ```
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some((nibble(*high)? << 4) | nibble(*low)?))
        .collect()
}

/// Reads exactly `N` bytes of hexadecimal text; allocates nothing, because there may be a million digests.
pub(super) fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (to, [high, low]) in bytes.iter_mut().zip(pairs) {
        *to = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(bytes)
}

#[inline]
fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit & 0x0f),
        b'a'..=b'f' | b'A'..=b'F' => Some((digit & 0x0f).wrapping_add(9)),
        _ => None,
    }
}
