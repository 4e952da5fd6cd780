//! Documents in memory, read by the core.

use std::fs;

use tuffet_core::crypto::{Digest, HashAlgorithm, Scheme};
use tuffet_core::metadata::{EnvelopeKind, Parsed, RoleName, Targets, Version};
use tuffet_repo::{Delegate, DelegatedPaths, NamedKey, builder};
use tuffet_sign::{FileKey, Signer};

use crate::support::{Client, NOW, after, delegated, key, named, path, role};

fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

/// The four roles, all signed by one key, written with `write`.
fn published(
    signer: &dyn Signer,
    write: impl Fn(tuffet_repo::Document) -> Vec<u8>,
) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let keys = [named("one", signer)];
    let mut root = builder::Root::new(version(1), after(9));
    for of in ["root", "timestamp", "snapshot", "targets"] {
        root = root.role(&role(of), &keys, 1);
    }
    let targets = builder::Targets::new(version(5), after(9)).content(&path("a/b"), b"content");
    let targets = write(targets.build());
    let snapshot = builder::Snapshot::new(version(6), after(9));
    let snapshot = write(
        snapshot
            .list(&RoleName::Targets, version(5), Some(&targets))
            .build(),
    );
    let timestamp = builder::Timestamp::new(version(7), after(9), version(6), Some(&snapshot));
    let digest = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, b"content");
    for (name, bytes) in [
        ("metadata/1.root.json".to_owned(), write(root.build())),
        ("metadata/5.targets.json".to_owned(), targets),
        ("metadata/6.snapshot.json".to_owned(), snapshot),
        (
            "metadata/timestamp.json".to_owned(),
            write(timestamp.build()),
        ),
        (format!("targets/a/{digest}.b"), b"content".to_vec()),
    ] {
        let path = place.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    place
}

fn get(place: &tempfile::TempDir) -> Vec<u8> {
    let root = fs::read(place.path().join("metadata/1.root.json")).unwrap();
    let (_, bytes) = Client::new(root).get(place.path(), NOW, "a/b").unwrap();
    bytes
}

#[test]
fn every_scheme_signs_a_repository_that_clients_accept() {
    for scheme in [
        Scheme::Ed25519,
        Scheme::EcdsaP256Sha256,
        Scheme::EcdsaP384Sha384,
        Scheme::EcdsaP521Sha512,
        Scheme::MlDsa44,
        Scheme::MlDsa65,
        Scheme::MlDsa87,
    ] {
        let key = FileKey::generate(scheme).unwrap();
        let place = published(&key, |document| document.sign(&[&key]).unwrap().to_bytes());
        assert_eq!(get(&place), b"content", "{scheme}");
    }
}

#[test]
fn the_other_envelope_is_accepted_too() {
    for scheme in [Scheme::Ed25519, Scheme::MlDsa65] {
        let key = FileKey::generate(scheme).unwrap();
        let place = published(&key, |document| {
            builder::to_dsse(&document, &[&key]).unwrap()
        });
        assert_eq!(get(&place), b"content", "{scheme}");
        let targets = fs::read(place.path().join("metadata/5.targets.json")).unwrap();
        let parsed = Parsed::<Targets>::parse(targets).unwrap();
        assert_eq!(parsed.envelope(), EnvelopeKind::Dsse);
    }
}

#[test]
fn a_stream_writes_what_the_builder_writes() {
    let signer = key();
    let digests = |number: usize| {
        let content = number.to_le_bytes();
        [HashAlgorithm::Sha256, HashAlgorithm::Sha512]
            .map(|algorithm| tuffet_crypto::aws_lc().digest(algorithm, &content))
    };
    let delegates = [
        None,
        Some(Delegate::new(
            delegated("bin"),
            DelegatedPaths::Bins { bit_length: 14 },
            vec![NamedKey::of("bins", signer).unwrap()],
        )),
    ];
    for delegate in delegates {
        let mut stream = builder::TargetsStream::new(version(3), after(9), delegate.as_ref());
        let mut builder = builder::Targets::new(version(3), after(9));
        if let Some(delegate) = &delegate {
            builder = builder.delegate(delegate);
        }
        for number in 0..1000 {
            let path = path(&format!("päckage \"{:04}\"\u{1}", number));
            let digests = digests(number);
            let some = &digests[..1 + number % 2];
            stream.push(&path, number as u64, some).unwrap();
            builder = builder.target(&path, number as u64, some, None);
        }
        let mut streamed = Vec::new();
        let late = stream.push(&path("a"), 1, &[Digest::sha256([0; 32])]);
        assert_eq!(late.unwrap_err().path, path("a"));
        stream.finish(&[signer], &mut streamed).unwrap();
        let built = builder.build().sign(&[signer]).unwrap().to_bytes();
        assert!(streamed == built);
        let parsed = Parsed::<Targets>::parse(streamed).unwrap();
        assert_eq!(parsed.unverified().len(), 1000);
    }
}
