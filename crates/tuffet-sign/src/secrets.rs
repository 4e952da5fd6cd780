//! What a key may need before it signs.

use std::path::Path;

use crate::error::Origin;
use crate::passphrase::Passphrase;

/// Gives passphrases and PINs. Each is asked for when it is needed, and only then.
///
/// ```
/// use tuffet_sign::error::Origin;
/// use tuffet_sign::{KeyUri, Passphrase, Secrets, TokenName};
///
/// struct Same(&'static str);
///
/// impl Secrets for Same {
///     fn passphrase(&self, _: &Origin) -> Option<Passphrase> {
///         Some(Passphrase::new(self.0))
///     }
///     fn pin(&self, _: &TokenName<'_>) -> Option<Passphrase> {
///         None
///     }
/// }
///
/// let uri: KeyUri = "nowhere.pem".parse().unwrap();
/// let error = uri.open(&Same("secret")).err().unwrap();
/// assert_eq!(error.code(), "key.unavailable");
/// ```
pub trait Secrets {
    /// The passphrase of an encrypted private key; `None` if there is none to give.
    fn passphrase(&self, origin: &Origin) -> Option<Passphrase>;

    /// The PIN of the token; `None` if there is none to give. A wrong one costs one of a few tries.
    fn pin(&self, token: &TokenName<'_>) -> Option<Passphrase>;
}

/// A token that asks for its PIN. All of it is the word of the library, and of whatever is plugged in.
///
/// ```
/// use tuffet_sign::TokenName;
///
/// // Labels are given by whoever sets a token up: two tokens may have the same.
/// fn is_same(one: &TokenName<'_>, other: &TokenName<'_>) -> bool {
///     (one.module, one.serial) == (other.module, other.serial)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenName<'a> {
    /// The PKCS#11 library by which it is reached.
    pub module: &'a Path,
    /// Its serial number.
    pub serial: &'a str,
    /// Its label.
    pub label: &'a str,
}

/// For keys that need no secret.
///
/// ```
/// use tuffet_sign::{KeyUri, NoSecrets};
///
/// let uri: KeyUri = "nowhere.pem".parse().unwrap();
/// assert!(uri.open(&NoSecrets).is_err());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSecrets;

impl Secrets for NoSecrets {
    fn passphrase(&self, _: &Origin) -> Option<Passphrase> {
        None
    }

    fn pin(&self, _: &TokenName<'_>) -> Option<Passphrase> {
        None
    }
}
