//! Signatures of real repositories, each by whichever tool its operators used.

use std::fs;
use std::path::{Path, PathBuf};

use tuffet_core::crypto::{Key, Scheme, Signature, Verdict, signed_message};
use tuffet_core::json::Value;

use crate::support::verdict;

/// Real repositories, which are not part of this project: `TUFFET_TESTDATA`, or beside the workspace.
fn testdata() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata");
    let path = std::env::var_os("TUFFET_TESTDATA").map_or_else(beside, PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no TUFFET_TESTDATA");
    None
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

/// The keys of a root file, each with its keyid.
fn keys(root: &Value) -> Vec<(String, Key)> {
    let Some(Value::Object(keys)) = root.get("signed").and_then(|signed| signed.get("keys")) else {
        panic!("a root file has keys");
    };
    keys.iter()
        .map(|(keyid, key)| {
            let [keytype, scheme] = ["keytype", "scheme"].map(|name| text(key, name).unwrap());
            let public = key.get("keyval").and_then(|keyval| text(keyval, "public"));
            (keyid.clone(), Key::parse(keytype, scheme, public, b"{}"))
        })
        .collect()
}

/// The verdicts over every signature of `file` whose key is in `keys`, with their schemes.
fn verdicts(name: &str, file: &Value, keys: &[(String, Key)]) -> Vec<(Scheme, Verdict)> {
    let canonical = file.get("signed").unwrap().canonical();
    let Some(Value::Array(signatures)) = file.get("signatures") else {
        panic!("{name} has signatures");
    };
    let mut verdicts = Vec::new();
    for entry in signatures {
        let [keyid, sig] = ["keyid", "sig"].map(|name| text(entry, name).unwrap());
        let signature = Signature::new(keyid, sig, b"{}");
        let key = keys.iter().find(|(id, _)| id == keyid).map(|(_, key)| key);
        let Some((scheme, key)) = key.and_then(|key| Some((key.usable()?.0, key))) else {
            continue;
        };
        let message = signed_message(scheme, &canonical, tuffet_crypto::default_provider());
        verdicts.push((scheme, verdict(name, key, &message, &signature.bytes)));
    }
    verdicts
}

fn files(directory: &Path, suffix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with(suffix)))
        .collect();
    files.sort();
    files
}

fn read(path: &Path) -> Value {
    Value::parse(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn tap21_every_signature_of_a_real_ml_dsa_repository_is_valid() {
    let Some(testdata) = testdata() else {
        return;
    };
    let metadata = testdata.join("ml-dsa-44-2026-08/metadata");
    let keys = keys(&read(&metadata.join("1.root.json")));
    for name in ["1.root.json", "timestamp.json", "1.snapshot.json"] {
        let verdicts = verdicts(name, &read(&metadata.join(name)), &keys);
        assert!(!verdicts.is_empty(), "{name} is signed");
        for verdict in verdicts {
            assert_eq!(verdict, (Scheme::MlDsa44, Verdict::Valid), "{name}");
        }
    }
}

#[test]
fn every_real_root_has_a_valid_signature_of_each_scheme_it_is_signed_with() {
    let Some(testdata) = testdata() else {
        return;
    };
    let mut schemes = Vec::new();
    for repository in fs::read_dir(testdata).unwrap() {
        for path in files(&repository.unwrap().path().join("metadata"), ".root.json") {
            let root = read(&path);
            let verdicts = verdicts(&path.display().to_string(), &root, &keys(&root));
            for (scheme, _) in &verdicts {
                let valid = (*scheme, Verdict::Valid);
                assert!(
                    verdicts.contains(&valid),
                    "{}: {verdicts:?}",
                    path.display()
                );
                schemes.push(*scheme);
            }
        }
    }
    schemes.sort();
    schemes.dedup();
    assert!(schemes.len() >= 4, "{schemes:?}");
}
