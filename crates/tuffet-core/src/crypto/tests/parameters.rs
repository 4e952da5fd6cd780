//! What may stand beside the name of an algorithm in a SubjectPublicKeyInfo, and what is said when something else does.

use alloc::vec;
use alloc::vec::Vec;

use super::*;

/// One DER element.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    match length {
        0..0x80 => der.push(length as u8),
        0x80..0x100 => der.extend([0x81, length as u8]),
        _ => der.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    der.extend_from_slice(content);
    der
}

fn with_parameters(
    algorithm: &str,
    parameters: &[u8],
    key: &[u8],
) -> Result<PublicKey, OpaqueReason> {
    let name = element(0x06, &hex::decode(algorithm).unwrap());
    let identifier = element(0x30, &[&name[..], parameters].concat());
    let key = element(0x03, &[&[0], key].concat());
    PublicKey::from_spki_der(&element(0x30, &[identifier, key].concat()))
}

#[test]
fn a04_a_key_whose_algorithm_has_parameters_of_another_kind_is_opaque() {
    const UNEXPECTED: OpaqueReason =
        OpaqueReason::Malformed("its algorithm has unexpected parameters");
    const NULL: &[u8] = &[0x05, 0x00];
    let rsa = [
        &hex::decode("3082010a0282010100").unwrap()[..],
        &[0xff; 256],
        &hex::decode("0203010001").unwrap(),
    ]
    .concat();
    let ml_dsa = |parameters: MlDsaParameters| vec![7; parameters.public_key_length()];
    let none_but_null = [NULL, &[0x04, 0x00], &[0x05, 0x01, 0x00], &[0x30, 0x00]];
    for (algorithm, key, null) in [
        ("2b6570", vec![7; 32], false),
        ("2a864886f70d010101", rsa, true),
        (
            "608648016503040311",
            ml_dsa(MlDsaParameters::MlDsa44),
            false,
        ),
        (
            "608648016503040312",
            ml_dsa(MlDsaParameters::MlDsa65),
            false,
        ),
        (
            "608648016503040313",
            ml_dsa(MlDsaParameters::MlDsa87),
            false,
        ),
    ] {
        assert!(with_parameters(algorithm, b"", &key).is_ok(), "{algorithm}");
        for parameters in none_but_null {
            let read = with_parameters(algorithm, parameters, &key);
            if null && parameters == NULL {
                assert!(read.is_ok(), "{algorithm}");
            } else {
                assert_eq!(read, Err(UNEXPECTED), "{algorithm} {parameters:02x?}");
            }
        }
    }
    assert_eq!(
        with_parameters("2b656f", b"", &[7; 57]),
        Err(OpaqueReason::Malformed(
            "its SubjectPublicKeyInfo names an unsupported algorithm"
        ))
    );
}
