//! Tests of key material.

mod keys;
mod parameters;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use keys::*;

fn public(keytype: &str, scheme: &str, public: &str) -> PublicKey {
    let key = Key::parse(keytype, scheme, Some(public), b"{}");
    match key.kind() {
        KeyKind::Usable { public, .. } => public.clone(),
        KeyKind::Opaque { why } => panic!("{keytype}/{scheme}: {why}"),
    }
}

fn why(keytype: &str, scheme: &str, public: Option<&str>) -> OpaqueReason {
    match Key::parse(keytype, scheme, public, b"{}").kind() {
        KeyKind::Usable { .. } => panic!("{keytype}/{scheme} is usable"),
        KeyKind::Opaque { why } => *why,
    }
}

fn ml_dsa_key(parameters: MlDsaParameters) -> PublicKey {
    PublicKey::MlDsa {
        parameters,
        bytes: vec![0x5a; parameters.public_key_length()].into(),
    }
}

#[test]
fn every_scheme_reads_back_the_key_it_writes() {
    let rsa = public("rsa", "rsassa-pss-sha256", RSA_2048_PEM);
    for scheme in Scheme::ALL {
        let key = match (scheme.curve(), scheme.ml_dsa_parameters()) {
            (Some(Curve::P256), _) => public("ecdsa", scheme.name(), P256_PEM),
            (Some(Curve::P384), _) => public("ecdsa", scheme.name(), P384_PEM),
            (Some(Curve::P521), _) => public("ecdsa", scheme.name(), P521_PEM),
            (None, Some(parameters)) => ml_dsa_key(parameters),
            (None, None) if scheme == Scheme::Ed25519 => public("ed25519", "ed25519", ED25519_HEX),
            (None, None) => rsa.clone(),
        };
        let strings = key.to_metadata(scheme).unwrap();
        assert_eq!(strings.scheme, scheme.name());
        let read = Key::parse(
            strings.keytype,
            strings.scheme,
            Some(&strings.public),
            b"{}",
        );
        assert_eq!(read.usable(), Some((scheme, &key)), "{scheme}");
        assert_eq!(read.legacy(), [], "{scheme}");
        assert_eq!(read.keytype(), scheme.keytype());
        assert_eq!(read.scheme(), scheme.name());
        assert_eq!(PublicKey::from_spki_der(&key.to_spki_der()), Ok(key));
        assert_eq!(Scheme::from_name(scheme.name()), Some(scheme));
    }
}

#[test]
fn written_pem_is_the_pem_of_other_tools() {
    for (scheme, pem) in [
        ("ecdsa-sha2-nistp256", P256_PEM),
        ("ecdsa-sha2-nistp256", P256_COMPRESSED_PEM),
        ("ecdsa-sha2-nistp384", P384_PEM),
        ("ecdsa-sha2-nistp384", P384_COMPRESSED_PEM),
        ("ecdsa-sha2-nistp521", P521_PEM),
        ("ecdsa-sha2-nistp521", P521_COMPRESSED_PEM),
    ] {
        assert_eq!(public("ecdsa", scheme, pem).to_spki_pem(), pem);
    }
    assert_eq!(
        public("rsa", "rsassa-pss-sha256", RSA_2048_PEM).to_spki_pem(),
        RSA_2048_PEM
    );
    assert_eq!(
        public("ed25519", "ed25519", ED25519_PEM).to_spki_pem(),
        ED25519_PEM
    );
}

#[test]
fn a03_one_key_has_one_identity_however_it_is_written() {
    let ecdsa = |scheme: &str, forms: [&str; 3]| -> Vec<PublicKey> {
        forms
            .iter()
            .map(|form| public("ecdsa", scheme, form))
            .collect()
    };
    let upper = ED25519_HEX.to_uppercase();
    let groups = [
        ecdsa(
            "ecdsa-sha2-nistp256",
            [P256_PEM, P256_COMPRESSED_PEM, P256_HEX],
        ),
        ecdsa(
            "ecdsa-sha2-nistp384",
            [P384_PEM, P384_COMPRESSED_PEM, P384_HEX],
        ),
        ecdsa(
            "ecdsa-sha2-nistp521",
            [P521_PEM, P521_COMPRESSED_PEM, P521_HEX],
        ),
        [ED25519_HEX, &upper, ED25519_PEM]
            .map(|form| public("ed25519", "ed25519", form))
            .into(),
        vec![
            public("rsa", "rsassa-pss-sha256", RSA_2048_PEM),
            public("rsa", "rsa-pkcs1v15-sha512", RSA_2048_PKCS1_PEM),
        ],
        vec![ml_dsa_key(MlDsaParameters::MlDsa44)],
        vec![ml_dsa_key(MlDsaParameters::MlDsa65)],
    ];
    for (left, group) in groups.iter().enumerate() {
        for (right, other) in groups.iter().enumerate() {
            for (one, two) in group
                .iter()
                .flat_map(|one| other.iter().map(move |two| (one, two)))
            {
                assert_eq!(
                    one.identity() == two.identity(),
                    left == right,
                    "{one:?} {two:?}"
                );
            }
        }
    }
}

#[test]
fn a03_a_key_and_its_negative_are_one_key() {
    let mut negative = P256_COMPRESSED_PEM_POINT.to_vec();
    negative[0] ^= 0x01;
    let [one, two] = [P256_COMPRESSED_PEM_POINT.to_vec(), negative].map(|point| PublicKey::Ecdsa {
        curve: Curve::P256,
        point: point.into(),
    });
    assert_ne!(one, two);
    assert_eq!(one.identity(), two.identity());

    let mut bytes = [9; 32];
    let one = PublicKey::Ed25519(bytes);
    bytes[31] ^= 0x80;
    assert_eq!(one.identity(), PublicKey::Ed25519(bytes).identity());
    bytes[0] ^= 1;
    assert_ne!(one.identity(), PublicKey::Ed25519(bytes).identity());
}

const P256_COMPRESSED_PEM_POINT: [u8; 33] = [2; 33];

#[test]
fn a03_a_modulus_is_one_key_whatever_its_exponent() {
    let rsa = |modulus: &[u8], exponent: &[u8]| PublicKey::Rsa {
        modulus: modulus.into(),
        exponent: exponent.into(),
    };
    let key = rsa(&[5, 7], &[1, 0, 1]);
    assert_eq!(key.identity(), rsa(&[5, 7], &[3]).identity());
    assert_eq!(key.identity(), rsa(&[0, 5, 7], &[0, 3]).identity());
    assert_ne!(key.identity(), rsa(&[5, 9], &[1, 0, 1]).identity());
    assert_ne!(key.identity(), rsa(&[5], &[7, 1, 0, 1]).identity());
}

#[test]
fn older_spellings_are_read_and_reported() {
    let legacy = |keytype, scheme, public| {
        let key = Key::parse(keytype, scheme, Some(public), b"{}");
        assert!(key.usable().is_some(), "{key}");
        key.legacy().to_vec()
    };
    use LegacyKeyForm::{Ed25519Pem, HexPoint, KeytypeAlias, RsaPublicKeyPem};
    let p256 = "ecdsa-sha2-nistp256";
    assert_eq!(legacy("ecdsa", p256, P256_PEM), []);
    assert_eq!(legacy("ecdsa", p256, P256_HEX), [HexPoint]);
    assert_eq!(legacy(p256, p256, P256_PEM), [KeytypeAlias]);
    assert_eq!(legacy(p256, p256, P256_HEX), [KeytypeAlias, HexPoint]);
    for (alias, pem) in [
        ("ecdsa-sha2-nistp384", P384_PEM),
        ("ecdsa-sha2-nistp521", P521_PEM),
    ] {
        assert_eq!(legacy(alias, alias, pem), [KeytypeAlias]);
    }
    assert_eq!(legacy("rsa", "rsassa-pss-sha256", RSA_2048_PEM), []);
    assert_eq!(
        legacy("rsa", "rsassa-pss-sha256", RSA_2048_PKCS1_PEM),
        [RsaPublicKeyPem]
    );
    assert_eq!(legacy("ed25519", "ed25519", ED25519_HEX), []);
    assert_eq!(legacy("ed25519", "ed25519", ED25519_PEM), [Ed25519Pem]);
}

#[test]
fn pem_is_read_with_any_white_space_and_nothing_else() {
    let expected = public("ecdsa", "ecdsa-sha2-nistp256", P256_PEM);
    let one_line: String = P256_PEM.lines().collect();
    for form in [
        P256_PEM.trim_end().to_string(),
        P256_PEM.replace('\n', "\r\n"),
        format!("\n  {P256_PEM}\n\n\t"),
        P256_PEM.replace('\n', " \n"),
        one_line,
    ] {
        assert_eq!(PublicKey::from_pem(&form), Ok(expected.clone()), "{form:?}");
    }
    for form in [
        format!("comment\n{P256_PEM}"),
        format!("{P256_PEM}comment"),
        format!("{P256_PEM}{P256_PEM}"),
        P256_PEM.replace("-----END PUBLIC", "-----END PRIVATE"),
        P256_PEM.replace("BEGIN", "begin"),
        P256_PEM.replace("PUBLIC KEY-----\nM", "PUBLIC KEY-----\nProc-Type: 4\nM"),
        P256_PEM.replace("PUBLIC KEY", "CERTIFICATE"),
        P256_PEM.replace('=', ""),
        P256_PEM.replace("MFkw", "MF!w"),
        "-----BEGIN PUBLIC KEY-----".into(),
        "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----".into(),
        "-----".into(),
        String::new(),
    ] {
        assert!(PublicKey::from_pem(&form).is_err(), "{form:?}");
    }
}

#[test]
fn a04_keys_of_unknown_kinds_are_opaque_with_a_reason() {
    use OpaqueReason::{
        NoPublic, PublicNotOfScheme, SchemeNotOfKeytype, TooShort, UnknownKeytype, UnknownScheme,
    };
    let p256 = "ecdsa-sha2-nistp256";
    let cases = [
        ("sigstore-oidc", "Fulcio", None, UnknownKeytype),
        ("sphincs", "sphincs-shake-128s", Some("00"), UnknownKeytype),
        ("ED25519", "ed25519", Some(ED25519_HEX), UnknownKeytype),
        ("", "", None, UnknownKeytype),
        ("rsa", "rsassa-pss-sha1", Some(RSA_2048_PEM), UnknownScheme),
        ("rsa", "pgp+rsa-pkcsv1.5", Some(RSA_2048_PEM), UnknownScheme),
        ("ml-dsa", "ml-dsa-44/2", None, UnknownScheme),
        (
            "ed25519",
            "ecdsa-sha2-nistp256",
            Some(ED25519_HEX),
            SchemeNotOfKeytype,
        ),
        ("rsa", "ed25519", Some(ED25519_HEX), SchemeNotOfKeytype),
        ("ml-dsa", "ed25519", Some(ED25519_HEX), SchemeNotOfKeytype),
        (
            p256,
            "ecdsa-sha2-nistp384",
            Some(P384_PEM),
            SchemeNotOfKeytype,
        ),
        ("ed25519", "ed25519", None, NoPublic),
        ("ecdsa", p256, Some(P384_PEM), PublicNotOfScheme),
        ("ecdsa", p256, Some(RSA_2048_PEM), PublicNotOfScheme),
        (
            "ecdsa",
            "ecdsa-sha2-nistp384",
            Some(P256_PEM),
            PublicNotOfScheme,
        ),
        (
            "rsa",
            "rsassa-pss-sha256",
            Some(P256_PEM),
            PublicNotOfScheme,
        ),
        (
            "ml-dsa",
            "ml-dsa-44/1",
            Some(ED25519_PEM),
            PublicNotOfScheme,
        ),
        (
            "rsa",
            "rsassa-pss-sha256",
            Some(RSA_1024_PEM),
            TooShort { bits: 1024 },
        ),
    ];
    for (keytype, scheme, public, expected) in cases {
        assert_eq!(why(keytype, scheme, public), expected, "{keytype}/{scheme}");
    }
    let other = ml_dsa_key(MlDsaParameters::MlDsa65).to_spki_pem();
    assert_eq!(
        why("ml-dsa", "ml-dsa-44/1", Some(&other)),
        PublicNotOfScheme
    );
}

#[test]
fn malformed_keys_are_opaque() {
    let off = |text: &str, at: usize| text[..at].to_string();
    let hybrid = format!("06{}", &P256_HEX[2..]);
    let infinity = "00".to_string();
    for (keytype, scheme, public) in [
        ("ed25519", "ed25519", off(ED25519_HEX, 63)),
        ("ed25519", "ed25519", off(ED25519_HEX, 62)),
        ("ed25519", "ed25519", format!("{ED25519_HEX}00")),
        ("ed25519", "ed25519", format!(" {ED25519_HEX}")),
        ("ed25519", "ed25519", String::new()),
        ("ecdsa", "ecdsa-sha2-nistp256", off(P256_HEX, 128)),
        ("ecdsa", "ecdsa-sha2-nistp256", P384_HEX.to_string()),
        ("ecdsa", "ecdsa-sha2-nistp256", hybrid),
        ("ecdsa", "ecdsa-sha2-nistp256", infinity),
        ("ecdsa", "ecdsa-sha2-nistp256", String::new()),
        (
            "ecdsa",
            "ecdsa-sha2-nistp256",
            P256_EXPLICIT_PEM.to_string(),
        ),
        ("rsa", "rsassa-pss-sha256", "00ff".to_string()),
        ("ml-dsa", "ml-dsa-44/1", "00".repeat(1312)),
    ] {
        let why = why(keytype, scheme, Some(&public));
        assert!(
            matches!(why, OpaqueReason::Malformed(_)),
            "{keytype} {public}: {why}"
        );
    }
}

#[test]
fn f11_rsa_keys_outside_the_limits_are_opaque() {
    let rsa = |modulus: Vec<u8>, exponent: &[u8]| {
        let key = PublicKey::Rsa {
            modulus: modulus.into(),
            exponent: exponent.into(),
        };
        PublicKey::from_spki_der(&key.to_spki_der()).map(|_| ())
    };
    let modulus = |length: usize, first: u8, last: u8| {
        let mut bytes = vec![0xff; length];
        bytes[0] = first;
        bytes[length - 1] = last;
        bytes
    };
    assert_eq!(rsa(modulus(256, 0x80, 0xff), &[3]), Ok(()));
    assert_eq!(rsa(modulus(1024, 0xff, 0xff), &[1, 0, 1]), Ok(()));
    assert_eq!(
        rsa(modulus(256, 0x7f, 0xff), &[3]),
        Err(OpaqueReason::TooShort { bits: 2047 })
    );
    assert_eq!(
        rsa(modulus(1025, 0x01, 0xff), &[3]),
        Err(OpaqueReason::TooLong { bits: 8193 })
    );
    assert_eq!(
        // 128 is the first length that DER writes in two bytes.
        rsa(modulus(128, 0x7f, 0xff), &[3]),
        Err(OpaqueReason::TooShort { bits: 1023 })
    );
    assert_eq!(rsa(vec![], &[3]), Err(OpaqueReason::TooShort { bits: 0 }));
    for (last, exponent) in [
        (0xfe, &[3][..]),
        (0xff, &[1]),
        (0xff, &[2]),
        (0xff, &[]),
        (0xff, &[2, 0, 0, 0, 1]),
    ] {
        assert!(
            matches!(
                rsa(modulus(256, 0x80, last), exponent),
                Err(OpaqueReason::Malformed(_))
            ),
            "{last:02x} {exponent:?}"
        );
    }
    assert_eq!(rsa(modulus(256, 0x80, 0xff), &[1, 0, 0, 0, 1]), Ok(()));
}

#[test]
fn der_with_anything_before_inside_or_after_is_refused() {
    for key in [
        public("ed25519", "ed25519", ED25519_HEX),
        public("ecdsa", "ecdsa-sha2-nistp256", P256_PEM),
        public("rsa", "rsassa-pss-sha256", RSA_2048_PEM),
        ml_dsa_key(MlDsaParameters::MlDsa44),
    ] {
        let der = key.to_spki_der();
        let mut longer = der.clone();
        longer.push(0);
        assert!(PublicKey::from_spki_der(&longer).is_err());
        for length in 0..der.len() {
            assert!(PublicKey::from_spki_der(&der[..length]).is_err());
        }
    }
    // An ed25519 key whose algorithm has a NULL parameter (RFC 8410 §3 forbids it), and one with unused bits.
    let with_null = [
        &hex::decode("302c300706032b65700500032100").unwrap()[..],
        &[7; 32],
    ]
    .concat();
    let unused_bits = [
        &hex::decode("302a300506032b6570032101").unwrap()[..],
        &[8; 32],
    ]
    .concat();
    let correct = [
        &hex::decode("302a300506032b6570032100").unwrap()[..],
        &[8; 32],
    ]
    .concat();
    assert!(PublicKey::from_spki_der(&with_null).is_err());
    assert!(PublicKey::from_spki_der(&unused_bits).is_err());
    assert_eq!(
        PublicKey::from_spki_der(&correct),
        Ok(PublicKey::Ed25519([8; 32]))
    );
}

#[test]
fn messages_about_keys_escape_and_cut_what_the_file_says() {
    let shown = |keytype: &str, scheme: &str| Key::parse(keytype, scheme, None, b"{}").to_string();
    assert_eq!(
        shown("sigstore-oidc", "Fulcio"),
        "unsupported key sigstore-oidc/Fulcio: unknown keytype"
    );
    assert_eq!(shown("rsa", "x"), "unsupported key rsa/x: unknown scheme");
    assert_eq!(
        shown("ed25519", "ed25519"),
        "unusable key ed25519/ed25519: it has no public key text"
    );
    assert!(!shown("a\u{1b}[31m\n", "b").contains(['\u{1b}', '\n']));
    assert!(shown(&"k".repeat(10_000), &"s".repeat(10_000)).len() < 200);
    let key = Key::parse("ed25519", "ed25519", Some(ED25519_HEX), b"{\"x\":1}");
    assert_eq!(key.to_string(), "key ed25519/ed25519");
    assert_eq!(key.raw(), b"{\"x\":1}");
}

#[test]
fn a06_empty_and_non_hexadecimal_signatures_are_as_good_as_absent() {
    let bytes = |sig: &str| Signature::new("id", sig, b"{}").bytes;
    assert_eq!(bytes("00fF"), [0x00, 0xff]);
    for sig in [
        "", "0", "0g", "0x00", " 00", "00 ", "00\n", "+1", "é", "ＡＡ",
    ] {
        assert_eq!(bytes(sig), [], "{sig:?}");
    }
}

#[test]
fn a20_only_strong_hashes_have_a_name() {
    for algorithm in HashAlgorithm::ALL {
        assert_eq!(HashAlgorithm::from_name(algorithm.name()), Some(algorithm));
        let digest = Digest::from_bytes(algorithm, &vec![0xab; algorithm.length()]).unwrap();
        assert_eq!(digest.algorithm(), algorithm);
        assert_eq!(digest.to_hex(), "ab".repeat(algorithm.length()));
        assert_eq!(
            Digest::from_hex(algorithm, &digest.to_hex().to_uppercase()),
            Some(digest)
        );
        assert_eq!(
            Digest::from_bytes(algorithm, &vec![0; algorithm.length() - 1]),
            None
        );
        assert_eq!(Digest::from_hex(algorithm, "zz"), None);
        assert_eq!(algorithm.to_string(), algorithm.name());
        assert_eq!(digest.to_string(), digest.to_hex());
        assert_eq!(format!("{digest:?}"), format!("{algorithm}:{digest}"));
    }
    for weak in ["md5", "sha1", "SHA256", "sha-256", ""] {
        assert_eq!(HashAlgorithm::from_name(weak), None);
    }
}

/// A backend whose digests are all `0x11`.
struct Fixed;

impl Crypto for Fixed {
    fn digest(&self, algorithm: HashAlgorithm, _: &[u8]) -> Digest {
        Digest::from_bytes(algorithm, &vec![0x11; algorithm.length()]).unwrap()
    }
    fn hasher(&self, _: HashAlgorithm) -> Box<dyn Hasher> {
        panic!("not used here")
    }
    fn verify(&self, _: &SignatureCheck<'_>) -> Verdict {
        Verdict::Unsupported
    }
}

#[test]
fn tap21_ml_dsa_signs_a_prefixed_digest_and_all_others_the_canonical_form() {
    let prefixed = [b"tuf\x01".as_slice(), &[0x11; 64]].concat();
    for scheme in Scheme::ALL {
        let message = signed_message(scheme, b"{}", &Fixed);
        if scheme.keytype() == "ml-dsa" {
            assert_eq!(*message, prefixed, "{scheme}");
        } else {
            assert_eq!(*message, *b"{}", "{scheme}");
        }
    }
}

#[test]
fn every_pair_of_characters_is_a_byte_or_is_refused() {
    let digit = |character: u8| char::from(character).to_digit(16);
    for (high, low) in (0..128).flat_map(|high| (0..128).map(move |low| (high, low))) {
        let text = String::from_utf8(vec![high, low]).unwrap();
        let expected = digit(high)
            .zip(digit(low))
            .map(|(high, low)| (high * 16 + low) as u8);
        assert_eq!(
            hex::decode(&text),
            expected.map(|byte| vec![byte]),
            "{text:?}"
        );
        assert_eq!(
            hex::decode_array(&text),
            expected.map(|byte| [byte]),
            "{text:?}"
        );
        // Wherever it stands.
        let beside = format!("00{text}ff");
        assert_eq!(
            hex::decode_array(&beside),
            expected.map(|byte| [0, byte, 255]),
            "{beside:?}"
        );
    }
    for text in ["é", "0é0", "a", "abc", "00é"] {
        assert_eq!(hex::decode(text), None, "{text:?}");
        assert_eq!(hex::decode_array::<1>(text), None, "{text:?}");
    }
    assert_eq!(hex::decode_array::<2>("ab"), None);
    assert_eq!(hex::decode_array::<1>("abab"), None);
}

proptest! {
    #[test]
    fn any_text_is_a_key_of_some_kind(
        keytype in prop_oneof![Just("rsa"), Just("ecdsa"), Just("ed25519"), Just("ml-dsa")],
        scheme in proptest::sample::select(&Scheme::ALL[..]),
        public in "(-----BEGIN )?\\PC{0,40}(-----\n)?[A-Za-z0-9+/=]{0,80}(\n-----END PUBLIC KEY-----)?",
    ) {
        let key = Key::parse(keytype, scheme.name(), Some(&public), b"");
        let _ = (key.to_string(), key.usable().map(|(_, public)| public.identity()));
    }

    #[test]
    fn damaged_der_never_panics_and_reads_back_what_it_was_read_as(
        which in 0..4_usize,
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut der = [
            public("ed25519", "ed25519", ED25519_HEX),
            public("ecdsa", "ecdsa-sha2-nistp521", P521_PEM),
            public("rsa", "rsassa-pss-sha256", RSA_2048_PEM),
            ml_dsa_key(MlDsaParameters::MlDsa44),
        ][which].to_spki_der();
        *at.get_mut(&mut der) = byte;
        if let Ok(key) = PublicKey::from_spki_der(&der) {
            prop_assert_eq!(key.to_spki_der(), der);
        }
    }

    #[test]
    fn hexadecimal_text_reads_back(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        prop_assert_eq!(hex::decode(&hex::encode(&bytes)), Some(bytes.clone()));
        prop_assert_eq!(hex::decode(&hex::encode(&bytes).to_uppercase()), Some(bytes));
    }
}
