//! Published vectors and constructed edge cases, each with its verdict.

use tuffet_core::crypto::{Key, PublicKey, Scheme, Verdict};

use crate::support::{Sample, bytes, verdict};
use crate::vectors::{Case, ed25519, rsa, rsa_2049};
use crate::{ecdsa, ml_dsa};

/// Every valid sample there is: at least one for each scheme.
pub(crate) fn valid_samples() -> Vec<Sample> {
    let mut samples: Vec<Sample> = ed25519::RFC_8032.iter().map(sample).collect();
    samples.extend(ecdsa::rfc_6979());
    samples.extend(rsa_nist());
    samples.extend(rsa_2049());
    samples.extend(ml_dsa::signed_by_each());
    samples
}

fn sample(case: &Case) -> Sample {
    Sample {
        name: case.name.into(),
        scheme: Scheme::from_name(case.scheme).unwrap(),
        public: PublicKey::Ed25519(bytes(case.public).try_into().unwrap()),
        message: bytes(case.message),
        signature: bytes(case.signature),
    }
}

fn rsa_nist() -> impl Iterator<Item = Sample> {
    rsa::NIST.iter().map(|case| Sample {
        name: format!("NIST {}, {} bits", case.scheme, case.modulus.len() * 4),
        scheme: Scheme::from_name(case.scheme).unwrap(),
        public: PublicKey::Rsa {
            modulus: bytes(case.modulus).into(),
            exponent: bytes(case.exponent).into(),
        },
        message: bytes(case.message),
        signature: bytes(case.signature),
    })
}

fn rsa_2049() -> [Sample; 3] {
    [
        ("rsa-pkcs1v15-sha256", rsa_2049::PKCS1V15),
        ("rsassa-pss-sha256", rsa_2049::PSS_DIGEST),
        ("rsassa-pss-sha256", rsa_2049::PSS_MAX),
    ]
    .map(|(scheme, signature)| Sample {
        name: format!("{scheme}, 2049 bits"),
        scheme: Scheme::from_name(scheme).unwrap(),
        public: PublicKey::from_pem(rsa_2049::PUBLIC).unwrap(),
        message: rsa_2049::MESSAGE.to_vec(),
        signature: bytes(signature),
    })
}

#[test]
fn providers_agree() {
    let samples = valid_samples();
    for sample in &samples {
        assert_eq!(sample.verdict(), Verdict::Valid, "{}", sample.name);
    }
    for scheme in Scheme::ALL {
        assert!(
            samples.iter().any(|sample| sample.scheme == scheme),
            "{scheme} has a vector"
        );
    }
}

#[test]
fn ed25519_is_strict() {
    for case in ed25519::EDGES {
        let expected = if case.valid {
            Verdict::Valid
        } else {
            Verdict::Invalid
        };
        assert_eq!(sample(case).verdict(), expected, "{}", case.name);
    }
}

#[test]
fn every_signature_is_refused_for_other_messages_keys_and_lengths() {
    let samples = valid_samples();
    for sample in &samples {
        let name = &sample.name;
        let mut other = sample.clone();
        other.message.push(b'.');
        assert_eq!(other.verdict(), Verdict::Invalid, "{name}: other message");

        for key in samples.iter().filter(|key| {
            key.public.fits(sample.scheme) && key.public.identity() != sample.public.identity()
        }) {
            let mut other = sample.clone();
            other.public = key.public.clone();
            assert_eq!(
                other.verdict(),
                Verdict::Invalid,
                "{name}: key of {}",
                key.name
            );
        }

        let signature = &sample.signature;
        for (what, signature) in [
            ("empty", Vec::new()),
            ("one byte", vec![signature[0]]),
            ("first byte removed", signature[1..].to_vec()),
            (
                "last byte removed",
                signature[..signature.len() - 1].to_vec(),
            ),
            ("zero in front", [&[0], &signature[..]].concat()),
            ("zero at the end", [&signature[..], &[0]].concat()),
            ("twice", [&signature[..], &signature[..]].concat()),
            ("all zeros", vec![0; signature.len()]),
            ("all ones", vec![0xff; signature.len()]),
        ] {
            let verdict = sample.with_signature(what, signature).verdict();
            assert_eq!(verdict, Verdict::Invalid, "{name}: {what}");
        }
    }
}

#[test]
fn the_scheme_of_the_key_decides_not_the_signature() {
    for sample in valid_samples() {
        for scheme in Scheme::ALL {
            if scheme != sample.scheme && sample.public.fits(scheme) {
                let other = Sample {
                    scheme,
                    ..sample.clone()
                };
                assert_eq!(
                    other.verdict(),
                    Verdict::Invalid,
                    "{} as {scheme}",
                    sample.name
                );
            }
        }
    }
}

#[test]
fn a04_opaque_keys_are_unsupported() {
    let p256 = ecdsa::rfc_6979().next().unwrap();
    let pem = p256.public.to_spki_pem();
    for (keytype, scheme, public) in [
        ("sigstore-oidc", "Fulcio", None),
        ("ecdsa", "ecdsa-sha2-nistp384", Some(pem.as_str())),
        ("ecdsa", "ecdsa-sha2-nistp256", None),
        ("rsa", "ecdsa-sha2-nistp256", Some(pem.as_str())),
    ] {
        let key = Key::parse(keytype, scheme, public, b"{}");
        let verdict = verdict(keytype, &key, &p256.message, &p256.signature);
        assert_eq!(verdict, Verdict::Unsupported, "{key}");
    }
}
