//! Key URIs.

use std::path::Path;

use tuffet_core::crypto::Scheme;
use tuffet_sign::{FileKey, KeyUri, Protection, Signer};

use crate::not_asked;

#[test]
fn files_are_named_by_uri_or_path() {
    for (text, path) in [
        ("root.pem", "root.pem"),
        ("/keys/root.pem", "/keys/root.pem"),
        ("./a:b", "./a:b"),
        ("a/b:c", "a/b:c"),
        ("1a:b", "1a:b"),
        ("C:\\keys\\root.pem", "C:\\keys\\root.pem"),
        ("file:root.pem", "root.pem"),
        ("file:/keys/root.pem", "/keys/root.pem"),
        ("file:///keys/root.pem", "/keys/root.pem"),
        ("file:a%20b", "a%20b"),
        ("file:a:b", "a:b"),
    ] {
        let uri: KeyUri = text.parse().unwrap();
        assert_eq!(uri, KeyUri::File(Path::new(path).into()), "{text}");
        assert_eq!(uri.to_string().parse::<KeyUri>().unwrap(), uri, "{text}");
    }
}

#[test]
fn other_uris_are_refused_without_repeating_what_may_be_secret() {
    for (text, what) in [
        ("", "has no path"),
        ("file:", "has no path"),
        ("file://host/key.pem", "names a host"),
        ("pkcs11:token=x?pin-value=1234", "has scheme `pkcs11`"),
        ("awskms:alias/x", "has scheme `awskms`"),
        ("file2:key.pem", "has scheme `file2`"),
    ] {
        let error = text.parse::<KeyUri>().unwrap_err();
        assert_eq!(error.code(), "key.uri");
        assert!(error.to_string().contains(what), "{error}");
        assert!(!error.to_string().contains("1234"), "{error}");
    }
}

#[test]
fn a_uri_opens_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    let key = FileKey::generate(Scheme::Ed25519).unwrap();
    key.save(&path, Protection::Plain).unwrap();
    let signer = KeyUri::File(path).open(not_asked).unwrap();
    assert_eq!(signer.public(), key.public());
    let signature = signer.sign(b"message").unwrap();
    key.public().confirm(b"message", &signature).unwrap();
}
