//! Key files: protection, refusal to overwrite, and content that is no key.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use tuffet_core::crypto::Scheme;
use tuffet_sign::error::PassphraseProblem;
use tuffet_sign::{FileKey, Passphrase, Protection, SignError, Signer};

use crate::not_asked;

fn open_with(path: &Path, passphrase: &str) -> Result<FileKey, SignError> {
    FileKey::open(path, || Some(Passphrase::new(passphrase)))
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn encrypted_files_open_with_their_passphrase_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    let key = FileKey::generate(Scheme::EcdsaP256Sha256).unwrap();
    key.save(&path, Protection::Passphrase(&Passphrase::new("right")))
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"),
        "{text}"
    );

    assert_eq!(open_with(&path, "right").unwrap().public(), key.public());
    for wrong in ["wrong", "", "right ", "Right"] {
        let error = open_with(&path, wrong).unwrap_err();
        assert!(
            matches!(
                error,
                SignError::Passphrase {
                    what: PassphraseProblem::Wrong,
                    ..
                }
            ),
            "{wrong:?}: {error}"
        );
    }
    let error = FileKey::open(&path, || None).unwrap_err();
    assert!(matches!(
        error,
        SignError::Passphrase {
            what: PassphraseProblem::Missing,
            ..
        }
    ));
    assert_eq!(error.code(), "key.passphrase");
}

#[test]
fn every_wrong_passphrase_is_reported_as_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    // A file with cheap parameters, so that enough passphrases can be tried to meet padding that looks right.
    fs::write(&path, CHEAP).unwrap();
    assert!(open_with(&path, "cheap").is_ok());
    for number in 0..2000 {
        let error = open_with(&path, &number.to_string()).unwrap_err();
        assert_eq!(error.code(), "key.passphrase", "{number}: {error}");
    }
}

#[test]
fn an_empty_passphrase_is_refused_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let key = FileKey::generate(Scheme::Ed25519).unwrap();
    let error = key
        .save(
            directory.path().join("key.pem"),
            Protection::Passphrase(&Passphrase::new("")),
        )
        .unwrap_err();
    assert!(matches!(
        error,
        SignError::Passphrase {
            what: PassphraseProblem::Empty,
            ..
        }
    ));
    assert_eq!(names(directory.path()), [""; 0]);
}

#[test]
fn two_files_of_one_key_share_neither_salt_nor_ciphertext() {
    let directory = tempfile::tempdir().unwrap();
    let key = FileKey::generate(Scheme::Ed25519).unwrap();
    let texts = ["one", "two"].map(|name| {
        let path = directory.path().join(name);
        key.save(&path, Protection::Passphrase(&Passphrase::new("same")))
            .unwrap();
        fs::read_to_string(path).unwrap()
    });
    assert_ne!(texts[0], texts[1]);
}

#[test]
fn existing_files_are_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    let key = FileKey::generate(Scheme::Ed25519).unwrap();
    fs::write(&path, "precious").unwrap();
    let error = key.save(&path, Protection::Plain).unwrap_err();
    assert_eq!(error.code(), "key.exists");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    assert_eq!(names(directory.path()), ["key.pem"]);
}

#[cfg(unix)]
#[test]
fn a_dangling_link_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    std::os::unix::fs::symlink(directory.path().join("elsewhere"), &path).unwrap();
    let key = FileKey::generate(Scheme::Ed25519).unwrap();
    assert_eq!(
        key.save(&path, Protection::Plain).unwrap_err().code(),
        "key.exists"
    );
    assert_eq!(names(directory.path()), ["key.pem"]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_a_key_file() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let key = FileKey::generate(Scheme::Ed25519).unwrap();
    for protection in [
        Protection::Plain,
        Protection::Passphrase(&Passphrase::new("secret")),
    ] {
        let path = directory.path().join(format!("{protection:?}"));
        key.save(&path, protection).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn missing_files_and_directories_are_reported() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let error = FileKey::open(&missing, not_asked).unwrap_err();
    assert_eq!(error.code(), "key.unavailable");
    assert!(error.to_string().contains("missing"));
    assert_eq!(
        FileKey::open(directory.path(), not_asked)
            .unwrap_err()
            .code(),
        "key.unavailable"
    );
    let key = FileKey::generate(Scheme::Ed25519).unwrap();
    let error = key
        .save(missing.join("key.pem"), Protection::Plain)
        .unwrap_err();
    assert_eq!(error.code(), "key.write");
}

#[test]
fn files_that_are_no_keys_are_refused_with_what_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    let key = FileKey::generate(Scheme::Ed25519).unwrap();
    key.save(&path, Protection::Plain).unwrap();
    let plain = fs::read_to_string(&path).unwrap();
    let public = key.public().public().to_spki_pem();
    let body = |label: &str| format!("-----BEGIN {label}-----\nMAA=\n-----END {label}-----\n");
    for (text, what) in [
        (String::new(), "not one PEM block"),
        ("ed25519".into(), "not one PEM block"),
        (plain.replace("END", "BEGIN"), "not one PEM block"),
        (format!("{plain}{plain}"), "not one PEM block"),
        (public, "its PEM label is `PUBLIC KEY`"),
        (body("RSA PRIVATE KEY"), "convert it to PKCS#8"),
        (body("EC PRIVATE KEY"), "convert it to PKCS#8"),
        (body("PRIVATE KEY"), "not a PKCS#8 document"),
        (
            body("ENCRYPTED PRIVATE KEY"),
            "not an encrypted PKCS#8 document",
        ),
        ("x".repeat(65 * 1024), "longer than 65536 bytes"),
    ] {
        fs::write(&path, &text).unwrap();
        let error = FileKey::open(&path, not_asked).unwrap_err();
        assert_eq!(error.code(), "key.format");
        assert!(error.to_string().contains(what), "{error}");
    }
    fs::write(&path, [0xff; 8]).unwrap();
    assert_eq!(
        FileKey::open(&path, not_asked).unwrap_err().code(),
        "key.format"
    );
}

#[test]
fn costly_and_meaningless_key_derivations_are_refused_before_the_passphrase_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    for text in [NO_ROUNDS, HUGE_ROUNDS, NO_SCRYPT_COST, HUGE_SCRYPT_COST] {
        fs::write(&path, text).unwrap();
        let error = FileKey::open(&path, not_asked).unwrap_err();
        assert_eq!(error.code(), "key.format");
        assert!(error.to_string().contains("key derivation"), "{error}");
    }
}

#[test]
fn line_ends_and_space_around_the_block_do_not_matter() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    let key = FileKey::generate(Scheme::EcdsaP521Sha512).unwrap();
    key.save(&path, Protection::Plain).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    for text in [
        text.trim_end().to_string(),
        text.replace('\n', "\r\n"),
        format!("\n\n{text}\n\n"),
    ] {
        fs::write(&path, &text).unwrap();
        assert_eq!(
            FileKey::open(&path, not_asked).unwrap().public(),
            key.public(),
            "{text:?}"
        );
    }
}

proptest! {
    #[test]
    fn damaged_files_are_errors_and_never_panic(
        changes in prop::collection::vec((any::<Index>(), "[A-Za-z0-9+/=\n -]"), 1..4),
        passphrase in prop_oneof![Just("cheap"), Just("wrong")],
    ) {
        let mut text = CHEAP.to_string();
        for (at, character) in &changes {
            let at = at.index(text.len());
            text.replace_range(at..=at, character);
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        fs::write(&path, &text).unwrap();
        if let Err(error) = open_with(&path, passphrase) {
            prop_assert!(["key.format", "key.passphrase"].contains(&error.code()), "{error}");
        }
    }
}

/// Made by OpenSSL with a single round of PBKDF2 and passphrase `cheap`.
const CHEAP: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGaMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAhV2Qpz4jBQvgIBATAM
BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQ4lUV+7CQZujzDmHu3AgO7ARAorUo
A96qsHlJEYbMb23AnjxT4Dl+wWcIlrqFxZ28NSUxZtLopitlle82esfkr3HMTQWr
g24BwclU2b9pIk60QA==
-----END ENCRYPTED PRIVATE KEY-----
";

/// PBKDF2 with no round.
const NO_ROUNDS: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGaMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAiQFx6NfAeD1wIBADAM
BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQpbwKhMMPxKTfGJCz5l1J1wRADfds
ptoujgJ5dd2YUgMkQzcKhRob+guGWCwseF2s6PE//F45wVYxtizDENl+2wFnAWZn
8CPcDXh8FBdoXKiT+g==
-----END ENCRYPTED PRIVATE KEY-----
";

/// PBKDF2 with four thousand million rounds.
const HUGE_ROUNDS: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGeMFoGCSqGSIb3DQEFDTBNMCwGCSqGSIb3DQEFDDAfBAiQFx6NfAeD1wIFAO5r
KAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEKW8CoTDD8Sk3xiQs+ZdSdcE
QA33bKbaLo4CeXXdmFIDJEM3CoUaG/oLhlgsLHhdrOjxP/xeOcFWMbYswxDZftsB
ZwFmZ/Aj3A14fBQXaFyok/o=
-----END ENCRYPTED PRIVATE KEY-----
";

/// scrypt with N = 0.
const NO_SCRYPT_COST: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGSME4GCSqGSIb3DQEFDTBBMCAGCSsGAQQB2kcECzATBAiYGoF+XrNOwQIBAAIB
CAIBATAdBglghkgBZQMEASoEECNPb1yptU6EOzZhRieWWEsEQEY/mgBIeHFUZdJp
OXbEXzebu9QuwPIrWf+HtzclKAlcVek1I7KjG0Zt7zo1hpwmyA5JJuyTShUYOYRH
RgH5sSE=
-----END ENCRYPTED PRIVATE KEY-----
";

/// scrypt with N = 2^40.
const HUGE_SCRYPT_COST: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGXMFMGCSqGSIb3DQEFDTBGMCUGCSsGAQQB2kcECzAYBAiYGoF+XrNOwQIGAQAA
AAAAAgEIAgEBMB0GCWCGSAFlAwQBKgQQI09vXKm1ToQ7NmFGJ5ZYSwRARj+aAEh4
cVRl0mk5dsRfN5u71C7A8itZ/4e3NyUoCVxV6TUjsqMbRm3vOjWGnCbIDkkm7JNK
FRg5hEdGAfmxIQ==
-----END ENCRYPTED PRIVATE KEY-----
";
