//! ML-DSA: signatures of each implementation verified by both, since published vectors fill megabytes.

use aws_lc_rs::signature::{
    KeyPair as _, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaKeyPair,
    PqdsaSigningAlgorithm,
};
use ml_dsa::{KeyExport, Keypair, MlDsa44, MlDsa65, MlDsa87, MlDsaParams, SigningKey};
use tuffet_core::crypto::{
    HashAlgorithm, MlDsaParameters, PublicKey, Scheme, Verdict, signed_message,
};

use crate::support::Sample;

const SEED: [u8; 32] = [0x21; 32];

/// For each parameter set a signature by aws-lc and one in pure Rust, of the same key.
pub(crate) fn signed_by_each() -> Vec<Sample> {
    let message = b"post-quantum".as_slice();
    vec![
        by_aws_lc(Scheme::MlDsa44, &ML_DSA_44_SIGNING, message),
        by_aws_lc(Scheme::MlDsa65, &ML_DSA_65_SIGNING, message),
        by_aws_lc(Scheme::MlDsa87, &ML_DSA_87_SIGNING, message),
        in_pure_rust::<MlDsa44>(Scheme::MlDsa44, message, b""),
        in_pure_rust::<MlDsa65>(Scheme::MlDsa65, message, b""),
        in_pure_rust::<MlDsa87>(Scheme::MlDsa87, message, b""),
    ]
}

fn by_aws_lc(scheme: Scheme, algorithm: &'static PqdsaSigningAlgorithm, message: &[u8]) -> Sample {
    let parameters = scheme.ml_dsa_parameters().unwrap();
    let key = PqdsaKeyPair::from_seed(algorithm, &SEED).unwrap();
    let mut signature = vec![0; parameters.signature_length()];
    let length = key.sign(message, &mut signature).unwrap();
    assert_eq!(length, signature.len());
    sample(
        format!("{scheme} by aws-lc"),
        scheme,
        key.public_key().as_ref(),
        message,
        signature,
    )
}

fn in_pure_rust<P: MlDsaParams>(scheme: Scheme, message: &[u8], context: &[u8]) -> Sample {
    let key = SigningKey::<P>::from_seed(&SEED.into());
    let signature = key
        .expanded_key()
        .sign_deterministic(message, context)
        .unwrap();
    sample(
        format!("{scheme} in pure Rust"),
        scheme,
        &key.verifying_key().to_bytes(),
        message,
        signature.encode().to_vec(),
    )
}

fn sample(
    name: String,
    scheme: Scheme,
    public: &[u8],
    message: &[u8],
    signature: Vec<u8>,
) -> Sample {
    let parameters = scheme.ml_dsa_parameters().unwrap();
    assert_eq!(public.len(), parameters.public_key_length());
    assert_eq!(signature.len(), parameters.signature_length());
    Sample {
        name,
        scheme,
        public: PublicKey::MlDsa {
            parameters,
            bytes: public.into(),
        },
        message: message.to_vec(),
        signature,
    }
}

#[test]
fn both_derive_the_same_key_from_one_seed() {
    let samples = signed_by_each();
    let (by_aws_lc, in_pure_rust) = samples.split_at(3);
    for (one, other) in by_aws_lc.iter().zip(in_pure_rust) {
        assert_eq!(one.public, other.public, "{}", one.scheme);
    }
}

#[test]
fn signatures_with_a_context_are_refused() {
    for sample in [
        in_pure_rust::<MlDsa44>(Scheme::MlDsa44, b"message", b"context"),
        in_pure_rust::<MlDsa65>(Scheme::MlDsa65, b"message", b"context"),
        in_pure_rust::<MlDsa87>(Scheme::MlDsa87, b"message", b"context"),
    ] {
        assert_eq!(sample.verdict(), Verdict::Invalid, "{}", sample.name);
    }
}

#[test]
fn tap21_a_signature_of_the_bare_canonical_form_is_refused() {
    let canonical = b"{\"_type\":\"root\"}".as_slice();
    let crypto = tuffet_crypto::default_provider();
    let message = signed_message(Scheme::MlDsa44, canonical, crypto);
    let digest = crypto.digest(HashAlgorithm::Sha512, canonical);
    assert_eq!(*message, [b"tuf\x01", digest.as_bytes()].concat());
    for (signed, expected) in [(&*message, Verdict::Valid), (canonical, Verdict::Invalid)] {
        let mut sample = in_pure_rust::<MlDsa44>(Scheme::MlDsa44, signed, b"");
        sample.message = message.to_vec();
        assert_eq!(sample.verdict(), expected);
    }
}

/// The last bytes of a signature are the hint: positions in ascending order and their counts (FIPS 204, algorithm
/// 21). Each deviation from that form is one more signature for the same message.
#[test]
fn malformed_hints_are_refused() {
    for sample in signed_by_each() {
        let parameters = sample.scheme.ml_dsa_parameters().unwrap();
        let (omega, k) = match parameters {
            MlDsaParameters::MlDsa44 => (80, 4),
            MlDsaParameters::MlDsa65 => (55, 6),
            MlDsaParameters::MlDsa87 => (75, 8),
        };
        let start = sample.signature.len() - omega - k;
        let positions = usize::from(sample.signature[sample.signature.len() - 1]);
        let first_count = usize::from(sample.signature[start + omega]);
        let mut damaged = Vec::new();
        if positions < omega {
            damaged.push(("unused position set", start + positions, 1));
        }
        if first_count >= 2 {
            damaged.push(("position repeated", start + 1, sample.signature[start]));
        }
        damaged.push((
            "count above its maximum",
            start + omega + k - 1,
            omega as u8 + 1,
        ));
        damaged.push(("count decreases", start + omega, 0xff));
        for (what, at, byte) in damaged {
            let mut signature = sample.signature.clone();
            assert_ne!(signature[at], byte);
            signature[at] = byte;
            let sample = sample.with_signature(what, signature);
            assert_eq!(sample.verdict(), Verdict::Invalid, "{}", sample.name);
        }
    }
}
