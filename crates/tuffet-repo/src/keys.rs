//! Public keys with the names people call them by.

use std::fmt;

use tuffet_core::crypto::{HashAlgorithm, KeyIdentity};
use tuffet_core::json::Value;
use tuffet_core::metadata::{KeyId, RoleName};
use tuffet_sign::{PublicKeyInfo, Signer};

use crate::Error;

/// A public key and the name of whoever holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedKey {
    name: String,
    key: PublicKeyInfo,
    attestation: Option<String>,
}

impl NamedKey {
    /// Names a key. A name is made of letters, digits, `.`, `_` and `-`, 64 at the most.
    ///
    /// # Errors
    /// [`Error::KeyName`] for another name.
    pub fn new(name: &str, key: PublicKeyInfo) -> Result<Self, Error> {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
            return Err(Error::KeyName(name.to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            key,
            attestation: None,
        })
    }

    /// The same with the certificates by which a token vouches for it, in PEM. They are verified where the policy asks for them.
    #[must_use]
    pub fn with_attestation(self, chain: &str) -> Self {
        Self {
            attestation: Some(chain.to_owned()),
            ..self
        }
    }

    /// The certificates by which a token vouches for the key.
    #[must_use]
    pub fn attestation(&self) -> Option<&str> {
        self.attestation.as_deref()
    }

    /// Names the public key of a signer.
    ///
    /// # Errors
    /// As [`NamedKey::new`].
    pub fn of(name: &str, signer: &dyn Signer) -> Result<Self, Error> {
        Self::new(name, signer.public().clone())
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &PublicKeyInfo {
        &self.key
    }

    /// The keyid that this crate gives the key: the SHA-256 of its canonical form (F-07).
    #[must_use]
    pub fn keyid(&self) -> KeyId {
        keyid(&self.key)
    }

    /// The value by which keys are told apart, whatever their name or keyid.
    #[must_use]
    pub fn identity(&self) -> KeyIdentity {
        self.key.identity()
    }

    /// The key object of metadata.
    #[must_use]
    pub fn to_value(&self) -> Value {
        key_object(&self.key)
    }
}

/// A keyid and, if the policy knows it, the name that goes with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName {
    /// The keyid.
    pub keyid: KeyId,
    /// The name.
    pub name: Option<String>,
}

impl fmt::Display for KeyName {
    /// `ana a1f0c3d2`, or the first digits of the keyid alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short: String = self.keyid.as_str().chars().take(8).collect();
        match &self.name {
            Some(name) => write!(f, "{name} {short}"),
            None => f.write_str(&short),
        }
    }
}

/// Refuses a key that is given twice for one role.
pub(crate) fn require_distinct(role: &RoleName, keys: &[NamedKey]) -> Result<(), Error> {
    let mut seen: Vec<KeyIdentity> = Vec::new();
    for key in keys {
        if seen.contains(&key.identity()) {
            return Err(Error::KeyDuplicate {
                role: role.clone(),
                key: KeyName {
                    keyid: key.keyid(),
                    name: Some(key.name.clone()),
                },
            });
        }
        seen.push(key.identity());
    }
    Ok(())
}

pub(crate) fn keyid(key: &PublicKeyInfo) -> KeyId {
    let digest =
        tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, &key_object(key).canonical());
    KeyId::new(&digest.to_hex()).expect("a digest has digits")
}

fn key_object(key: &PublicKeyInfo) -> Value {
    let metadata = key.metadata();
    Value::from_iter([
        ("keytype", Value::from(metadata.keytype)),
        (
            "keyval",
            Value::from_iter([("public", Value::from(metadata.public.as_str()))]),
        ),
        ("scheme", Value::from(metadata.scheme)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tuffet_core::crypto::{PublicKey, Scheme};

    fn key() -> PublicKeyInfo {
        PublicKeyInfo::new(Scheme::Ed25519, PublicKey::Ed25519([0xab; 32])).unwrap()
    }

    #[test]
    fn f07_keyid_is_the_hash_of_the_canonical_key() {
        let canonical = format!(
            r#"{{"keytype":"ed25519","keyval":{{"public":"{}"}},"scheme":"ed25519"}}"#,
            "ab".repeat(32)
        );
        let digest = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, canonical.as_bytes());
        assert_eq!(keyid(&key()).as_str(), digest.to_hex());
    }

    #[test]
    fn names_are_plain() {
        for name in ["ana", "ana-2", "Ægir_1.b"] {
            assert!(NamedKey::new(name, key()).is_ok(), "{name}");
        }
        for name in ["", "a b", "a\"b", "a]", "../a", &"x".repeat(65)] {
            assert!(NamedKey::new(name, key()).is_err(), "{name}");
        }
    }
}
