//! Real digests, toy signatures: whoever knows the public key can sign, and nobody in these tests minds.

use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tuffet_core::crypto::{
    Crypto, Digest, HashAlgorithm, Hasher, Key, Scheme, SignatureCheck, Verdict,
};

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest::sha256(Sha256::digest(bytes).into())
}

/// SHA-384.
pub fn sha384(bytes: &[u8]) -> Digest {
    Digest::sha384(Sha384::digest(bytes).into())
}

/// SHA-512.
pub fn sha512(bytes: &[u8]) -> Digest {
    Digest::sha512(Sha512::digest(bytes).into())
}

/// A provider whose signature is the digest of scheme, public key and message.
#[derive(Debug, Default)]
pub struct Toy {
    /// The scheme that this provider pretends not to have.
    pub lacks: Option<Scheme>,
    /// How many signatures were verified.
    pub verified: AtomicUsize,
}

impl Toy {
    /// What the holder of `key` writes under `message`; opaque keys sign with their whole JSON object.
    pub fn signature(key: &Key, message: &[u8]) -> Vec<u8> {
        let (scheme, public) = match key.usable() {
            Some((scheme, public)) => (scheme.name(), public.to_spki_der()),
            None => ("opaque", key.raw().to_vec()),
        };
        let mut hasher = Sha256::new();
        hasher.update(scheme);
        hasher.update([0]);
        hasher.update(&public);
        hasher.update([0]);
        hasher.update(message);
        hasher.finalize().to_vec()
    }
}

impl Crypto for Toy {
    fn digest(&self, algorithm: HashAlgorithm, bytes: &[u8]) -> Digest {
        let mut hasher = self.hasher(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher> {
        match algorithm {
            HashAlgorithm::Sha256 => Box::new(Sha2(Sha256::new())),
            HashAlgorithm::Sha384 => Box::new(Sha2(Sha384::new())),
            HashAlgorithm::Sha512 => Box::new(Sha2(Sha512::new())),
        }
    }

    fn verify(&self, check: &SignatureCheck<'_>) -> Verdict {
        self.verified.fetch_add(1, Ordering::Relaxed);
        if check.key.usable().map(|(scheme, _)| scheme) == self.lacks && self.lacks.is_some() {
            Verdict::Unsupported
        } else if Self::signature(check.key, check.message) == check.signature.bytes {
            Verdict::Valid
        } else {
            Verdict::Invalid
        }
    }
}

struct Sha2<D>(D);

macro_rules! hasher {
    ($algorithm:ty, $digest:expr) => {
        impl Hasher for Sha2<$algorithm> {
            fn update(&mut self, bytes: &[u8]) {
                sha2::Digest::update(&mut self.0, bytes);
            }

            fn finish(self: Box<Self>) -> Digest {
                $digest(self.0.finalize().into())
            }
        }
    };
}

hasher!(Sha256, Digest::sha256);
hasher!(Sha384, Digest::sha384);
hasher!(Sha512, Digest::sha512);
