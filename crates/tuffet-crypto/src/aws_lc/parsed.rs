//! Public keys that were parsed lately.
//!
//! A few keys sign everything in a repository, and parsing a point of a curve costs about as much as verifying with it: aws-lc
//! multiplies the point with the order of the group.

use alloc::vec::Vec;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::{ParsedPublicKey, VerificationAlgorithm};

/// So many keys are remembered. The keys of a root with several holders fit, and looking through them costs nothing beside a
/// verification.
const REMEMBERED: usize = 16;

static LATELY: Mutex<Vec<ParsedPublicKey>> = Mutex::new(Vec::new());

/// The key in `bytes`, parsed now or lately.
///
/// # Errors
/// What aws-lc says of bytes that are not a key; this is not remembered.
pub(super) fn parsed(
    algorithm: &'static dyn VerificationAlgorithm,
    bytes: &[u8],
) -> Result<ParsedPublicKey, KeyRejected> {
    let same = |key: &&ParsedPublicKey| {
        key.as_ref() == bytes && core::ptr::addr_eq(key.algorithm(), algorithm)
    };
    // A thread that panicked left whole keys behind.
    let lock = || LATELY.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(key) = lock().iter().find(same) {
        return Ok(key.clone());
    }
    let key = ParsedPublicKey::new(algorithm, bytes)?;
    let mut lately = lock();
    if lately.len() >= REMEMBERED {
        lately.remove(0);
    }
    lately.push(key.clone());
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, Ed25519KeyPair, KeyPair,
    };

    fn remembered(bytes: &[u8]) -> usize {
        let lately = LATELY.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(lately.len() <= REMEMBERED);
        lately.iter().filter(|key| key.as_ref() == bytes).count()
    }

    #[test]
    fn a_key_is_remembered_once_and_the_oldest_is_forgotten() {
        let keys: Vec<_> = (0..=REMEMBERED)
            .map(|_| {
                Ed25519KeyPair::generate()
                    .unwrap()
                    .public_key()
                    .as_ref()
                    .to_vec()
            })
            .collect();
        for key in &keys {
            for _ in 0..2 {
                assert_eq!(parsed(&ED25519, key).unwrap().as_ref(), key);
                assert_eq!(remembered(key), 1);
            }
        }
        assert_eq!(remembered(&keys[0]), 0);
    }

    #[test]
    fn a_key_is_not_taken_for_one_of_another_algorithm_and_what_is_none_is_refused_again() {
        let key = Ed25519KeyPair::generate().unwrap();
        let key = key.public_key().as_ref();
        assert!(parsed(&ED25519, key).is_ok());
        for _ in 0..2 {
            assert!(parsed(&ECDSA_P256_SHA256_ASN1, key).is_err());
            assert!(parsed(&ECDSA_P384_SHA384_ASN1, &[4; 97]).is_err());
        }
    }
}
