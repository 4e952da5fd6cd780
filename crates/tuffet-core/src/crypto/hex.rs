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
    let mut bytes = Vec::with_capacity(pairs.len());
    let mut right = rest.is_empty();
    for pair in pairs {
        let (byte, digits) = byte(*pair);
        bytes.push(byte);
        right &= digits;
    }
    right.then_some(bytes)
}

/// Reads exactly `N` bytes of hexadecimal text; allocates nothing, because there may be a million digests.
pub(super) fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let pairs: &[[u8; 2]; N] = pairs.try_into().ok()?;
    let mut bytes = [0; N];
    let mut right = rest.is_empty();
    for (to, pair) in bytes.iter_mut().zip(pairs) {
        let (byte, digits) = byte(*pair);
        *to = byte;
        right &= digits;
    }
    right.then_some(bytes)
}

/// What two characters stand for, and whether they are digits.
#[inline]
fn byte([high, low]: [u8; 2]) -> (u8, bool) {
    let (high, low) = (nibble(high), nibble(low));
    ((high.0 << 4) | low.0, high.1 & low.1)
}

/// What a character stands for, and whether it is a digit. Nothing here branches: whether a digit is a letter is not to be foreseen, and
/// so many are read at once.
#[inline]
fn nibble(character: u8) -> (u8, bool) {
    let number = character.wrapping_sub(b'0');
    // The letters of both cases differ in one bit.
    let letter = (character | 0x20).wrapping_sub(b'a');
    let value = if number < 10 {
        number
    } else {
        letter.wrapping_add(10)
    };
    (value, (number < 10) | (letter < 6))
}
