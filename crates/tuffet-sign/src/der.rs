//! Signatures and keys from parts, for back ends that hand out bare numbers.

#[cfg(any(unix, feature = "kms", feature = "pkcs11"))]
use pkcs8::der::asn1::{AnyRef, UintRef};
#[cfg(any(unix, feature = "kms", feature = "pkcs11"))]
use pkcs8::der::{Encode, Tag};
use tuffet_core::crypto::PublicKey;

/// An ECDSA signature in DER from its two numbers, big endian, with or without leading zeros.
#[cfg(any(unix, feature = "kms", feature = "pkcs11"))]
pub(crate) fn ecdsa_signature(r: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    for number in [r, s] {
        UintRef::new(number)
            .ok()?
            .encode_to_vec(&mut content)
            .ok()?;
    }
    AnyRef::new(Tag::Sequence, &content).ok()?.to_der().ok()
}

/// The same from both numbers in one, each of half the length.
#[cfg(any(feature = "kms", feature = "pkcs11"))]
pub(crate) fn ecdsa_signature_of_halves(bytes: &[u8]) -> Option<Vec<u8>> {
    let half = bytes.len().checked_div(2)?;
    if bytes.is_empty() || half.checked_mul(2)? != bytes.len() {
        return None;
    }
    let (r, s) = bytes.split_at_checked(half)?;
    ecdsa_signature(r, s)
}

/// A key that was put together from parts, if it is one that would be read from metadata.
pub(crate) fn checked(key: &PublicKey) -> Result<PublicKey, String> {
    PublicKey::from_spki_der(&key.to_spki_der()).map_err(|why| why.to_string())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_the_shortest_form() {
        let der = ecdsa_signature(&[0, 0, 0x80, 1], &[0, 5]).unwrap();
        assert_eq!(der, [0x30, 8, 2, 3, 0, 0x80, 1, 2, 1, 5]);
    }

    #[cfg(any(feature = "kms", feature = "pkcs11"))]
    #[test]
    fn halves_are_two_numbers() {
        let halves = ecdsa_signature_of_halves(&[0x80, 1, 0, 5]);
        assert_eq!(halves, ecdsa_signature(&[0x80, 1], &[5]));
        for wrong in [&[][..], &[1], &[1, 2, 3]] {
            assert_eq!(ecdsa_signature_of_halves(wrong), None);
        }
    }
}
