//! Prefixes of the SHA-256 of a target path (TUF §4.5, rule F-46, decision A-28).

use alloc::sync::Arc;

use crate::crypto::Digest;

/// The first hexadecimal digits of the SHA-256 of the paths that are covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashPrefix(Arc<str>);

impl HashPrefix {
    /// Reads lower-case hexadecimal digits, at most 64; `None` for anything else.
    #[must_use]
    pub fn new(digits: &str) -> Option<Self> {
        let hexadecimal = digits.len() <= 64
            && digits
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        hexadecimal.then(|| Self(digits.into()))
    }

    /// The digits as written in the metadata.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the digest begins with the prefix.
    #[must_use]
    pub fn matches(&self, hash: &Digest) -> bool {
        let digits = hash
            .as_bytes()
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|nibble| char::from_digit(u32::from(nibble), 16));
        self.0
            .chars()
            .map(Some)
            .zip(digits)
            .all(|(wanted, digit)| wanted == digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::HashAlgorithm;
    use alloc::format;

    #[test]
    fn f46_prefix_of_the_digits_matches() {
        let hash =
            Digest::from_hex(HashAlgorithm::Sha256, &format!("a1f{}", "0".repeat(61))).unwrap();
        for (prefix, expected) in [
            ("", true),
            ("a", true),
            ("a1", true),
            ("a1f", true),
            ("a1f0", true),
            ("b", false),
            ("a2", false),
            ("1", false),
        ] {
            let read = HashPrefix::new(prefix).unwrap();
            assert_eq!(read.matches(&hash), expected, "{prefix}");
            assert_eq!(read.as_str(), prefix);
        }
    }

    #[test]
    fn a28_other_encodings_are_refused() {
        for text in ["A1", "g", "0x1", " a", "a/"] {
            assert_eq!(HashPrefix::new(text), None, "{text:?}");
        }
        assert_eq!(HashPrefix::new(&"a".repeat(65)), None);
    }
}
