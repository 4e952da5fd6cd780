//! Names of keys, as users write them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::SignError;
use crate::file::FileKey;
use crate::passphrase::Passphrase;
use crate::signer::Signer;

/// Where a private key is found: `file:PATH`, or the path alone.
///
/// The path is taken literally, without percent encoding. A path whose first component has a colon in it is
/// written with `file:` or `./` in front.
///
/// ```
/// use tuffet_sign::KeyUri;
///
/// let uri: KeyUri = "file:keys/root.pem".parse().unwrap();
/// assert_eq!(uri, "keys/root.pem".parse().unwrap());
/// assert_eq!(uri.to_string(), "file:keys/root.pem");
/// assert_eq!("other:1".parse::<KeyUri>().unwrap_err().code(), "key.uri");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyUri {
    /// A PKCS#8 file in PEM.
    File(PathBuf),
}

impl KeyUri {
    /// Opens the key. `passphrase` is asked for only if the key needs one.
    ///
    /// # Errors
    /// As [`FileKey::open`].
    pub fn open(
        &self,
        passphrase: impl FnOnce() -> Option<Passphrase>,
    ) -> Result<Box<dyn Signer>, SignError> {
        match self {
            Self::File(path) => Ok(Box::new(FileKey::open(path, passphrase)?)),
        }
    }
}

impl FromStr for KeyUri {
    type Err = SignError;

    fn from_str(text: &str) -> Result<Self, SignError> {
        let refused = |what: String| SignError::Uri { what };
        let path = match scheme(text) {
            None => text,
            Some(("file", path)) => {
                local_path(path).ok_or_else(|| refused("names a host".into()))?
            }
            Some((scheme, _)) => {
                return Err(refused(format!(
                    "has scheme `{scheme}`; supported is `file`, or `./` in front of a path with a colon"
                )));
            }
        };
        if path.is_empty() {
            return Err(refused("has no path".into()));
        }
        Ok(Self::File(path.into()))
    }
}

impl fmt::Display for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// The scheme of a URI (RFC 3986 §3.1) and the rest. One letter is a drive of Windows.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let valid = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    (valid && scheme.len() > 1).then_some((scheme, rest))
}

/// The path after `file:`, also in the form `file:///PATH`.
fn local_path(rest: &str) -> Option<&str> {
    match rest.strip_prefix("//") {
        None => Some(rest),
        Some(path) if path.starts_with('/') => Some(path),
        Some(_) => None,
    }
}
