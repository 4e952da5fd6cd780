//! The interface to an implementation of the algorithms.

use alloc::boxed::Box;

use super::hash::{Digest, HashAlgorithm};
use super::key::Key;
use super::signature::Signature;

/// One question to a backend: did the holder of `key` sign `message`?
#[derive(Debug, Clone, Copy)]
pub struct SignatureCheck<'a> {
    /// The key, with the scheme it is bound to.
    pub key: &'a Key,
    /// The exact bytes that must have been signed, see [`signed_message`](super::signed_message).
    pub message: &'a [u8],
    /// The signature, with the whole JSON object it came in.
    pub signature: &'a Signature<'a>,
}

/// The answer to a [`SignatureCheck`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum Verdict {
    /// The holder of the key signed exactly this message.
    Valid,
    /// It is not a signature of this key over this message.
    Invalid,
    /// The backend cannot tell: it does not know this kind of key. Never counts.
    Unsupported,
}

/// Computes a digest piece by piece.
pub trait Hasher: Send {
    /// Takes the next bytes.
    fn update(&mut self, bytes: &[u8]);

    /// Ends the computation.
    #[must_use]
    fn finish(self: Box<Self>) -> Digest;
}

/// An implementation of the hash algorithms and signature schemes.
///
/// Every implementation must give the same verdict on the same input: whether a repository is accepted must not
/// depend on which one was compiled in. In particular:
///
/// * Ed25519 is strict: public keys and `R` of small order, public keys that are not canonically encoded, and
///   `S` not below the group order are refused.
/// * ECDSA signatures are strict DER; both values of `s` are accepted.
/// * RSASSA-PSS accepts a salt as long as the digest, as long as the key allows, or of 0, 20, 28, 32, 48 or 64
///   bytes: the lengths that tools use.
/// * ML-DSA is pure mode with an empty context.
/// * Opaque keys are answered with [`Verdict::Unsupported`], unless the implementation is one made to
///   support that kind of key.
pub trait Crypto: Send + Sync {
    /// The digest of `bytes`.
    #[must_use]
    fn digest(&self, algorithm: HashAlgorithm, bytes: &[u8]) -> Digest;

    /// Starts a digest over bytes that come in pieces.
    #[must_use]
    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher>;

    /// Verifies one signature. Wrong input of any kind is a verdict, never a panic.
    fn verify(&self, check: &SignatureCheck<'_>) -> Verdict;
}
