//! What a key may need before it signs.

use crate::error::Origin;
use crate::passphrase::Passphrase;

/// Gives passphrases and PINs. Each is asked for when it is needed, and only then.
///
/// ```
/// use tuffet_sign::error::Origin;
/// use tuffet_sign::{KeyUri, Passphrase, Secrets};
///
/// struct Same(&'static str);
///
/// impl Secrets for Same {
///     fn passphrase(&self, _: &Origin) -> Option<Passphrase> {
///         Some(Passphrase::new(self.0))
///     }
///     fn pin(&self, _: &str) -> Option<Passphrase> {
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

    /// The PIN of the token of that label; `None` if there is none to give. A wrong one costs one of a few tries.
    fn pin(&self, token: &str) -> Option<Passphrase>;
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

    fn pin(&self, _: &str) -> Option<Passphrase> {
        None
    }
}
