//! Algorithms that a fuzzer can satisfy without keys.

use tuffet_core::crypto::{Crypto, Digest, HashAlgorithm, Hasher, SignatureCheck, Verdict};

/// Takes a signature for valid if its first byte is odd, and sums bytes up instead of hashing them.
pub(crate) struct OddIsValid;

struct Sum(HashAlgorithm, u8);

impl Hasher for Sum {
    fn update(&mut self, bytes: &[u8]) {
        self.1 = bytes
            .iter()
            .fold(self.1, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    }

    fn finish(self: Box<Self>) -> Digest {
        Digest::from_bytes(self.0, &vec![self.1; self.0.length()])
            .expect("the length is that of the algorithm")
    }
}

impl Crypto for OddIsValid {
    fn digest(&self, algorithm: HashAlgorithm, bytes: &[u8]) -> Digest {
        let mut sum = Box::new(Sum(algorithm, 0));
        sum.update(bytes);
        sum.finish()
    }

    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher> {
        Box::new(Sum(algorithm, 0))
    }

    fn verify(&self, check: &SignatureCheck<'_>) -> Verdict {
        match check.signature.bytes.first() {
            Some(first) if first % 2 == 1 => Verdict::Valid,
            _ => Verdict::Invalid,
        }
    }
}
