//! Attestation of keys on YubiKeys: certificates of real ones, of people who sign for a well-known repository.

use std::fs;
use std::path::PathBuf;

use base64ct::Encoding;
use proptest::prelude::*;
use proptest::sample::Index;
use tuffet_core::crypto::{Curve, PublicKey};
use tuffet_sign::Attestation;
use tuffet_sign::attestation::{PinPolicy, TouchPolicy};

/// Real certificates, which are not part of this project: `TUFFET_TESTDATA`, or beside the workspace.
fn certificates() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata");
    let data = std::env::var_os("TUFFET_TESTDATA").map_or_else(beside, PathBuf::from);
    let path = data.join("trust-material/yubikey-attestation");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no TUFFET_TESTDATA");
    None
}

const SERIALS: [u64; 3] = [25_515_003, 25_599_865, 28_751_258];

/// The certificate of a key and that of its token.
fn pair(directory: &std::path::Path, serial: u64) -> (String, String) {
    let read = |name: &str| {
        let path = directory.join(format!("{serial}.{name}.pem"));
        fs::read_to_string(path).unwrap()
    };
    (read("Slot9CAttestation"), read("SlotF9Intermediate"))
}

fn refusal(chain: &str, roots: &str) -> String {
    let error = Attestation::verify(chain, roots).unwrap_err();
    assert_eq!(error.code(), "key.attestation");
    error.to_string()
}

#[test]
fn real_tokens_vouch_for_their_keys() {
    let Some(directory) = certificates() else {
        return;
    };
    for serial in SERIALS {
        let (key, token) = pair(&directory, serial);
        let attested = Attestation::verify(&key, &token).unwrap();
        assert_eq!(attested.serial, Some(serial));
        assert_eq!(attested.firmware, Some([5, 4, 3]));
        assert_eq!(
            (attested.pin, attested.touch),
            (PinPolicy::Always, TouchPolicy::Never)
        );
        assert!(!attested.wants_touch());
        assert!(matches!(
            attested.key,
            PublicKey::Ecdsa {
                curve: Curve::P384,
                ..
            }
        ));
        let shown = format!("token {serial}, firmware 5.4.3, PIN always, touch never");
        assert_eq!(attested.to_string(), shown);
    }
}

#[test]
fn a_token_vouches_for_no_key_of_another_and_for_nobody_without_a_root() {
    let Some(directory) = certificates() else {
        return;
    };
    let (key, token) = pair(&directory, SERIALS[0]);
    let (other_key, other_token) = pair(&directory, SERIALS[1]);
    assert!(refusal(&key, &other_token).contains("do not lead"));
    // That the certificates fit together says nothing as long as nobody trusts the last of them.
    let chain = format!("{key}{token}");
    assert!(refusal(&chain, "").contains("no root"));
    assert!(refusal(&chain, &other_token).contains("do not lead"));
    assert!(Attestation::verify(&chain, &format!("{other_token}{token}")).is_ok());
    // The certificate of a key vouches for nothing.
    assert!(refusal(&format!("{other_key}{key}"), &token).contains("do not lead"));
    assert!(refusal(&token, &token).contains("do not lead"));
    assert!(refusal("", &token).contains("no certificate"));
    assert!(refusal(&key.repeat(9), &token).contains("more than 8"));
    assert!(refusal(&key.replace("-----END", ""), &token).contains("has no end"));
}

/// A certificate in PEM, in lines as long as the reader wants them.
fn certificate(der: &[u8]) -> String {
    let body = base64ct::Base64::encode_string(der);
    let lines = body.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines: Vec<_> = lines.collect();
    let body = lines.join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

#[test]
fn a_certificate_with_any_one_byte_changed_is_refused() {
    let Some(directory) = certificates() else {
        return;
    };
    let (key, token) = pair(&directory, SERIALS[0]);
    let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64ct::Base64::decode_vec(&body).unwrap();
    for place in 0..der.len() {
        for bit in [0x01, 0x80] {
            let mut changed = der.clone();
            changed[place] ^= bit;
            let accepted = Attestation::verify(&certificate(&changed), &token).is_ok();
            assert!(!accepted, "byte {place}, bit {bit:#x}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_damaged_certificate_is_refused_and_never_panics(
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let Some(directory) = certificates() else {
            return Ok(());
        };
        let (key, token) = pair(&directory, SERIALS[0]);
        let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
        let mut der = base64ct::Base64::decode_vec(&body).unwrap();
        let before = der.clone();
        prop_assert!(Attestation::verify(&certificate(&before), &token).is_ok());
        for (place, byte) in &changes {
            let place = place.index(der.len());
            der[place] = *byte;
        }
        let accepted = Attestation::verify(&certificate(&der), &token).is_ok();
        prop_assert_eq!(accepted, der == before);
    }
}
