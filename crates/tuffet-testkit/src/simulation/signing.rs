//! Who computes digests and signatures in a simulation: by default somebody fast, in samples the real thing.

use tuffet_core::crypto::{
    Crypto, Digest, HashAlgorithm, Hasher, PublicKey, SignatureCheck, Verdict,
};

use super::chance::scramble;

/// Keyholders and the provider that verifies what they sign. Keys are numbers.
pub trait Signing: Sync {
    /// The provider that clients verify with.
    fn crypto(&self) -> &'static dyn Crypto;

    /// The public half of a key, as an ed25519 key in hexadecimal.
    fn public(&self, key: u16) -> String;

    /// The signature of a key over a message.
    fn sign(&self, key: u16, message: &[u8]) -> Vec<u8>;
}

/// Digests that are good enough for whoever does not attack them, and signatures that are digests with the number of the key.
///
/// A signature counts as one because nobody in the simulation computes it without being asked to sign.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fast;

static FAST: Fast = Fast;

impl Signing for Fast {
    fn crypto(&self) -> &'static dyn Crypto {
        &FAST
    }

    fn public(&self, key: u16) -> String {
        format!("{key:064x}")
    }

    fn sign(&self, key: u16, message: &[u8]) -> Vec<u8> {
        let mut signature = [0; 32];
        fill(&mut signature, u64::from(key) + 1, message);
        signature[..12].to_vec()
    }
}

impl Crypto for Fast {
    fn digest(&self, algorithm: HashAlgorithm, bytes: &[u8]) -> Digest {
        match algorithm {
            HashAlgorithm::Sha256 => Digest::sha256(filled(bytes)),
            HashAlgorithm::Sha384 => Digest::sha384(filled(bytes)),
            HashAlgorithm::Sha512 => Digest::sha512(filled(bytes)),
        }
    }

    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher> {
        Box::new(Collecting {
            algorithm,
            bytes: Vec::new(),
        })
    }

    fn verify(&self, check: &SignatureCheck<'_>) -> Verdict {
        let Some((_, PublicKey::Ed25519(public))) = check.key.usable() else {
            return Verdict::Unsupported;
        };
        let [.., high, low] = public;
        let key = u16::from_be_bytes([*high, *low]);
        if self.sign(key, check.message) == check.signature.bytes {
            Verdict::Valid
        } else {
            Verdict::Invalid
        }
    }
}

struct Collecting {
    algorithm: HashAlgorithm,
    bytes: Vec<u8>,
}

impl Hasher for Collecting {
    fn update(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn finish(self: Box<Self>) -> Digest {
        FAST.digest(self.algorithm, &self.bytes)
    }
}

fn filled<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut output = [0; N];
    fill(&mut output, 0, bytes);
    output
}

/// Two lanes of eight bytes each, mixed at every step.
fn fill(output: &mut [u8], seed: u64, bytes: &[u8]) {
    let (mut a, mut b) = (
        scramble(seed ^ 0x243f_6a88_85a3_08d3),
        scramble(bytes.len() as u64 ^ 0x1319_8a2e_0370_7344),
    );
    let mut step = |block: [u8; 16]| {
        let [low, high] = [0, 8].map(|at| {
            let mut word = [0; 8];
            word.copy_from_slice(&block[at..at + 8]);
            u64::from_le_bytes(word)
        });
        a = (a.rotate_left(23) ^ low).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        b = (b.rotate_left(29) ^ high ^ (a >> 32)).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    };
    let (blocks, rest) = bytes.as_chunks::<16>();
    blocks.iter().copied().for_each(&mut step);
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    step(last);
    for (place, word) in output.chunks_mut(8).enumerate() {
        let mixed = scramble(a ^ scramble(b.wrapping_add(place as u64)));
        word.copy_from_slice(&mixed.to_le_bytes()[..word.len()]);
    }
}
