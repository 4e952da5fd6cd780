//! Keys of key management services.

use std::fmt;
use std::str::FromStr;

use crate::error::SignError;
use crate::signer::Signer;

/// A key of a key management service, as it is named: `awskms:`, `gcpkms:`, `azurekms:`, `vault:` and `hv:`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KmsUri(String);

impl KmsUri {
    /// What their URIs begin with.
    pub(crate) const KINDS: [&str; 5] = ["awskms", "gcpkms", "azurekms", "vault", "hv"];
}

impl FromStr for KmsUri {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for KmsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Opens the key.
pub(crate) fn open(_: &KmsUri) -> Result<Box<dyn Signer>, SignError> {
    Err(SignError::Feature {
        what: "keys of key management services",
        feature: "kms",
    })
}
