//! Passphrases of key files, and PINs of tokens.

use std::fmt;

use zeroize::Zeroizing;

/// A passphrase or PIN: overwritten in memory when dropped, never shown.
///
/// ```
/// let passphrase = tuffet_sign::Passphrase::new("secret");
/// assert!(!format!("{passphrase:?}").contains("secret"));
/// ```
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes over the text; all of it counts, including a line end.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Whether it is empty, and so protects nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(feature = "pkcs11")]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}
