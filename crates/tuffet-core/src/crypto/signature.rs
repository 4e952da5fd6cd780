//! Signatures of metadata files and the message they sign.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::backend::Crypto;
use super::hash::HashAlgorithm;
use super::hex;
use super::scheme::Scheme;

/// One entry of a file's `signatures` (TUF §4.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature<'a> {
    /// The key that is said to have made it: an opaque name, compared as text.
    pub keyid: Cow<'a, str>,
    /// The decoded signature. Empty when `sig` was empty or not hexadecimal: such an entry is as good as absent.
    pub bytes: Vec<u8>,
    /// The whole JSON object, for schemes that keep more than `sig` in it (TAP 18).
    pub raw: &'a [u8],
}

impl<'a> Signature<'a> {
    /// Takes the members of a signature object; `sig` is hexadecimal text of either case.
    ///
    /// ```
    /// use tuffet_core::crypto::Signature;
    /// assert_eq!(Signature::new("k", "0AfF", b"{}").bytes, [0x0a, 0xff]);
    /// assert!(Signature::new("k", "not hexadecimal", b"{}").bytes.is_empty());
    /// ```
    #[must_use]
    pub fn new(keyid: impl Into<Cow<'a, str>>, sig: &str, raw: &'a [u8]) -> Self {
        Self {
            keyid: keyid.into(),
            bytes: hex::decode(sig).unwrap_or_default(),
            raw,
        }
    }
}

/// The message that `scheme` signs for the canonical form of a `signed` object.
///
/// For most schemes that is the canonical form itself. ML-DSA signs `"tuf"`, a version byte and the SHA-512
/// digest of the canonical form (TAP 21); the version is a property of the scheme, hence of the trusted key,
/// so a signature cannot choose it.
#[must_use]
pub fn signed_message<'a>(
    scheme: Scheme,
    canonical: &'a [u8],
    crypto: &dyn Crypto,
) -> Cow<'a, [u8]> {
    const PREFIX_VERSION_1: &[u8] = b"tuf\x01";
    match scheme {
        Scheme::MlDsa44 | Scheme::MlDsa65 | Scheme::MlDsa87 => {
            let digest = crypto.digest(HashAlgorithm::Sha512, canonical);
            Cow::Owned([PREFIX_VERSION_1, digest.as_bytes()].concat())
        }
        Scheme::Ed25519
        | Scheme::EcdsaP256Sha256
        | Scheme::EcdsaP384Sha384
        | Scheme::EcdsaP521Sha512
        | Scheme::RsaPss(_)
        | Scheme::RsaPkcs1v15(_) => Cow::Borrowed(canonical),
    }
}
