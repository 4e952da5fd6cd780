//! Both providers of cryptography give the same verdict on every key, message and signature, and the same digests.
//!
//! The input is the keytype, the scheme, the public key with `\n` for line ends, and the signature in hexadecimal, separated by
//! line ends; what follows is the message.

use tuffet_core::crypto::{HashAlgorithm, Key, Signature, SignatureCheck, signed_message};

use crate::text;

/// The same of both.
pub fn providers(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let mut parts = text.splitn(5, '\n');
    let mut next = || parts.next().unwrap_or_default();
    let (keytype, scheme, public) = (next(), next(), next().replace("\\n", "\n"));
    let (signature, message) = (next(), next().as_bytes());
    let (one, other) = (tuffet_crypto::aws_lc(), tuffet_crypto::pure());
    for algorithm in HashAlgorithm::ALL {
        let digest = one.digest(algorithm, message);
        assert_eq!(digest, other.digest(algorithm, message));
        let mut hasher = other.hasher(algorithm);
        let (first, second) = message.split_at(message.len() / 2);
        hasher.update(first);
        hasher.update(second);
        assert_eq!(digest, hasher.finish());
    }
    let key = Key::parse(keytype, scheme, Some(&public), b"{}");
    let Some((scheme, _)) = key.usable() else {
        return;
    };
    let signature = Signature::new("key", signature, b"{}");
    let message = signed_message(scheme, message, one);
    let check = SignatureCheck {
        key: &key,
        message: &message,
        signature: &signature,
    };
    assert_eq!(one.verify(&check), other.verify(&check));
}
