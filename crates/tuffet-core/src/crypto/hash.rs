//! Hash algorithms and digests.

use alloc::string::String;
use core::fmt;

use super::hex;

/// A hash algorithm strong enough to identify a file.
///
/// Weaker ones (md5, sha1) have no value here: a file described only by them is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// All algorithms, weakest first.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name in metadata (`hashes` objects), for example `sha256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The algorithm of that exact name, if it is a supported one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    /// The length of a digest in bytes.
    #[must_use]
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A hash value together with its algorithm.
///
/// Digests are public values; comparing them need not take constant time.
///
/// ```
/// use tuffet_core::crypto::{Digest, HashAlgorithm};
/// let upper = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
/// let digest = Digest::from_hex(HashAlgorithm::Sha256, upper).unwrap();
/// assert_eq!(digest.to_hex(), upper.to_lowercase());
/// assert_eq!(digest.as_bytes().len(), HashAlgorithm::Sha256.length());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Value);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Value {
    Sha256([u8; 32]),
    Sha384([u8; 48]),
    Sha512([u8; 64]),
}

impl Digest {
    /// A SHA-256 value.
    #[must_use]
    pub const fn sha256(bytes: [u8; 32]) -> Self {
        Self(Value::Sha256(bytes))
    }

    /// A SHA-384 value.
    #[must_use]
    pub const fn sha384(bytes: [u8; 48]) -> Self {
        Self(Value::Sha384(bytes))
    }

    /// A SHA-512 value.
    #[must_use]
    pub const fn sha512(bytes: [u8; 64]) -> Self {
        Self(Value::Sha512(bytes))
    }

    /// A value of `algorithm`; `None` if `bytes` has another length than [`HashAlgorithm::length`].
    #[must_use]
    pub fn from_bytes(algorithm: HashAlgorithm, bytes: &[u8]) -> Option<Self> {
        Some(Self(match algorithm {
            HashAlgorithm::Sha256 => Value::Sha256(bytes.try_into().ok()?),
            HashAlgorithm::Sha384 => Value::Sha384(bytes.try_into().ok()?),
            HashAlgorithm::Sha512 => Value::Sha512(bytes.try_into().ok()?),
        }))
    }

    /// Reads hexadecimal text of either case; `None` if it is not hexadecimal or has the wrong length.
    #[must_use]
    pub fn from_hex(algorithm: HashAlgorithm, text: &str) -> Option<Self> {
        Some(Self(match algorithm {
            HashAlgorithm::Sha256 => Value::Sha256(hex::decode_array(text)?),
            HashAlgorithm::Sha384 => Value::Sha384(hex::decode_array(text)?),
            HashAlgorithm::Sha512 => Value::Sha512(hex::decode_array(text)?),
        }))
    }

    /// The algorithm that made this value.
    #[must_use]
    pub const fn algorithm(&self) -> HashAlgorithm {
        match self.0 {
            Value::Sha256(_) => HashAlgorithm::Sha256,
            Value::Sha384(_) => HashAlgorithm::Sha384,
            Value::Sha512(_) => HashAlgorithm::Sha512,
        }
    }

    /// The value itself.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Value::Sha256(bytes) => bytes,
            Value::Sha384(bytes) => bytes,
            Value::Sha512(bytes) => bytes,
        }
    }

    /// The value as lower-case hexadecimal text.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{self}", self.algorithm())
    }
}
