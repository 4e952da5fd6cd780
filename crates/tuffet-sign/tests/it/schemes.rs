//! Every scheme: made, written, read, signed with.

use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme, hex, signed_message};
use tuffet_sign::{FileKey, Protection, PublicKeyInfo, SignError, Signer};

use crate::not_asked;

/// One scheme for each kind of key: making RSA keys takes long.
const KINDS: [Scheme; 8] = [
    Scheme::Ed25519,
    Scheme::EcdsaP256Sha256,
    Scheme::EcdsaP384Sha384,
    Scheme::EcdsaP521Sha512,
    Scheme::RsaPss(HashAlgorithm::Sha256),
    Scheme::MlDsa44,
    Scheme::MlDsa65,
    Scheme::MlDsa87,
];

#[test]
fn every_scheme_generates_saves_opens_and_signs() {
    let directory = tempfile::tempdir().unwrap();
    let mut signed = 0;
    for kind in KINDS {
        let generated = FileKey::generate(kind).unwrap();
        assert_eq!(generated.public().scheme(), kind);
        if let PublicKey::Rsa { modulus, .. } = generated.public().public() {
            assert_eq!(modulus.len() * 8, 3072);
        }
        let path = directory.path().join(kind.name().replace('/', "-"));
        generated.save(&path, Protection::Plain).unwrap();

        for scheme in Scheme::ALL {
            let opened = FileKey::open(&path, not_asked).unwrap();
            assert_eq!(
                opened.public(),
                generated.public(),
                "the usual scheme is {kind}"
            );
            if !opened.public().public().fits(scheme) {
                continue;
            }
            let key = opened.with_scheme(scheme).unwrap();
            assert_eq!(key.public().scheme(), scheme);
            assert_eq!(key.public().metadata().scheme, scheme.name());
            assert_eq!(key.public().identity(), generated.public().identity());
            for message in [b"".as_slice(), b"message", &[0; 100_000]] {
                let signature = key.sign(message).unwrap();
                key.public().confirm(message, signature.as_bytes()).unwrap();
            }
            signed += 1;
        }
    }
    assert_eq!(signed, Scheme::ALL.len());
}

#[test]
fn keys_differ() {
    let [one, other] = [(); 2].map(|()| FileKey::generate(Scheme::Ed25519).unwrap());
    assert_ne!(one.public().identity(), other.public().identity());
}

#[test]
fn schemes_of_another_kind_of_key_are_refused() {
    let key = FileKey::generate(Scheme::EcdsaP256Sha256).unwrap();
    let public = key.public().public().clone();
    let error = key.with_scheme(Scheme::EcdsaP384Sha384).unwrap_err();
    assert_eq!(error.code(), "key.scheme");
    let error = PublicKeyInfo::new(Scheme::Ed25519, public).unwrap_err();
    assert!(matches!(
        error,
        SignError::Scheme {
            scheme: Scheme::Ed25519
        }
    ));
}

#[test]
fn tap21_canonical_form_is_signed_with_the_prefix_of_the_scheme() {
    let canonical = br#"{"_type":"root"}"#;
    for scheme in [Scheme::MlDsa44, Scheme::Ed25519] {
        let key = FileKey::generate(scheme).unwrap();
        let signature = key.sign_canonical(canonical).unwrap();
        let message = signed_message(scheme, canonical, tuffet_crypto::default_provider());
        key.public()
            .confirm(&message, signature.as_bytes())
            .unwrap();
        assert_eq!(
            key.public()
                .confirm(canonical, signature.as_bytes())
                .is_err(),
            scheme == Scheme::MlDsa44
        );
    }
}

#[test]
fn signatures_of_another_key_or_message_are_not_confirmed() {
    let [key, other] = [(); 2].map(|()| FileKey::generate(Scheme::Ed25519).unwrap());
    let signature = key.sign(b"message").unwrap();
    for error in [
        other
            .public()
            .confirm(b"message", signature.as_bytes())
            .unwrap_err(),
        key.public()
            .confirm(b"massage", signature.as_bytes())
            .unwrap_err(),
        key.public().confirm(b"message", &[]).unwrap_err(),
    ] {
        assert_eq!(error.code(), "key.mismatch");
    }
}

#[test]
fn debug_output_has_the_public_half_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let key = FileKey::generate(Scheme::Ed25519).unwrap();
    key.save(&path, Protection::Plain).unwrap();
    let pem = std::fs::read_to_string(&path).unwrap();
    let shown = format!("{key:?}");
    assert!(shown.contains(&key.public().metadata().public));
    let seed = pem.lines().nth(1).unwrap();
    assert!(!shown.contains(seed));
    assert!(!shown.contains(&hex::encode(seed.as_bytes())));
}
