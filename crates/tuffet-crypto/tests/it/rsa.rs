//! RSA: salt lengths, and signatures that are not below the modulus.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaPssSaltLength,
    RsaSignatureEncoding,
};
use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme, Verdict};

use crate::support::{Sample, bytes, sum};
use crate::vectors::{rsa, rsa_2049};

#[test]
fn pss_accepts_salts_of_the_lengths_that_tools_use() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let public = PublicKey::from_spki_der(der.as_ref()).unwrap();
    for hash in HashAlgorithm::ALL {
        let greatest = 256 - hash.length() - 2;
        let accepted = [0, 20, 28, 32, 48, 64, greatest];
        let refused = [1, 19, 21, 31, 33, 47, 49, 63, 65, 100, greatest - 1];
        for salt in accepted.into_iter().chain(refused) {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(
                with_salt(hash, salt),
                &SystemRandom::new(),
                b"salted",
                &mut signature,
            )
            .unwrap();
            let sample = Sample {
                name: format!("{hash} with a salt of {salt} bytes"),
                scheme: Scheme::RsaPss(hash),
                public: public.clone(),
                message: b"salted".into(),
                signature,
            };
            let expected = if accepted.contains(&salt) {
                Verdict::Valid
            } else {
                Verdict::Invalid
            };
            assert_eq!(sample.verdict(), expected, "{}", sample.name);
        }
    }
}

/// An encoding for one test run; aws-lc-rs takes only those that live as long as the program.
fn with_salt(hash: HashAlgorithm, length: usize) -> &'static RsaSignatureEncoding {
    let encoding = match hash {
        HashAlgorithm::Sha256 => RSA_PSS_SHA256,
        HashAlgorithm::Sha384 => RSA_PSS_SHA384,
        HashAlgorithm::Sha512 => RSA_PSS_SHA512,
    };
    let length = RsaPssSaltLength::Custom(length.try_into().unwrap());
    Box::leak(Box::new(encoding.with_pss_salt_length(length)))
}

#[test]
fn pss_with_another_salt_is_refused_when_the_encoded_message_is_shorter_than_the_modulus() {
    let sample = Sample {
        name: "2049 bits with a salt of 33 bytes".into(),
        scheme: Scheme::RsaPss(HashAlgorithm::Sha256),
        public: PublicKey::from_pem(rsa_2049::PUBLIC).unwrap(),
        message: rsa_2049::MESSAGE.to_vec(),
        signature: bytes(rsa_2049::PSS_33),
    };
    assert_eq!(sample.verdict(), Verdict::Invalid);
}

#[test]
fn signatures_not_below_the_modulus_are_refused() {
    for case in rsa::NIST {
        let [modulus, signature] = [case.modulus, case.signature].map(bytes);
        let sample = Sample {
            name: case.scheme.into(),
            scheme: Scheme::from_name(case.scheme).unwrap(),
            public: PublicKey::Rsa {
                modulus: modulus.clone().into(),
                exponent: bytes(case.exponent).into(),
            },
            message: bytes(case.message),
            signature: signature.clone(),
        };
        let plus = sum(&signature, &modulus);
        let fits = plus[0] == 0;
        let plus = if fits { plus[1..].to_vec() } else { plus };
        for (what, forged) in [
            ("plus the modulus", plus),
            ("the modulus", modulus.clone()),
            (
                "the modulus minus one",
                [
                    &modulus[..modulus.len() - 1],
                    &[modulus[modulus.len() - 1] - 1],
                ]
                .concat(),
            ),
        ] {
            let sample = sample.with_signature(what, forged);
            assert_eq!(sample.verdict(), Verdict::Invalid, "{}", sample.name);
        }
    }
}

#[test]
fn keys_that_are_no_product_of_primes_never_panic() {
    for (modulus, exponent) in [
        (vec![0xff; 256], vec![3]),
        (vec![0xff; 1024], vec![1, 0, 1]),
        (
            [vec![0x80], vec![0; 254], vec![1]].concat(),
            vec![1, 0, 0, 0, 1],
        ),
    ] {
        for hash in HashAlgorithm::ALL {
            for scheme in [Scheme::RsaPss(hash), Scheme::RsaPkcs1v15(hash)] {
                let mut signature = vec![0; modulus.len()];
                signature[0] = 0x01;
                let sample = Sample {
                    name: format!("{scheme} with {} bytes", modulus.len()),
                    scheme,
                    public: PublicKey::Rsa {
                        modulus: modulus.clone().into(),
                        exponent: exponent.clone().into(),
                    },
                    message: Vec::new(),
                    signature,
                };
                assert_eq!(sample.verdict(), Verdict::Invalid, "{}", sample.name);
            }
        }
    }
}
