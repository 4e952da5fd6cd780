//! What python-tuf and securesystemslib make of our signatures, and we of theirs.
//!
//! `TUFFET_PEERS` says where `cargo xtask test` has installed them.

use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tuffet_core::json::Value;
use tuffet_sign::{FileKey, Protection, Signer};

use crate::matrix::{self, kind};
use crate::surroundings::{key_object, trust};

thread_local! {
    /// Roots that were signed in this test. A test has a thread of its own.
    static SIGNED: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a root for [`accepts_all`].
pub(crate) fn keep(root: Vec<u8>) {
    SIGNED.with_borrow_mut(|signed| signed.push(root));
}

fn interpreter() -> Option<PathBuf> {
    let Some(directory) = std::env::var_os("TUFFET_PEERS").map(PathBuf::from) else {
        println!("skipped: TUFFET_PEERS does not say where python-tuf is");
        return None;
    };
    let python = directory.join("python/bin/python");
    if python.exists() {
        return Some(python);
    }
    println!("skipped: no {}", python.display());
    None
}

/// Gives a script lines, and returns its lines.
fn run(python: &Path, script: &str, lines: &[Vec<u8>]) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    let mut child = Command::new(python)
        .arg(path.join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut input = lines.join(&b'\n');
    input.push(b'\n');
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    writer.join().unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// python-tuf accepts every root that this test has signed so far.
pub(crate) fn accepts_all() {
    let signed = SIGNED.take();
    assert!(!signed.is_empty());
    if let Some(python) = interpreter() {
        let said = run(&python, "accept_roots.py", &signed);
        assert_eq!(said, [signed.len().to_string()]);
    }
}

#[test]
fn what_securesystemslib_signs_with_our_key_files_is_accepted() {
    let Some(python) = interpreter() else { return };
    let directory = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    for scheme in matrix::FILES {
        let path = directory.path().join(kind(scheme).name().replace('/', "-"));
        if !path.exists() {
            let key = FileKey::generate(kind(scheme)).unwrap();
            key.save(&path, Protection::Plain).unwrap();
        }
        let key = FileKey::open(&path, || None).unwrap();
        let key = key.with_scheme(scheme).unwrap();
        let path = path.to_string_lossy().into_owned();
        let case = Value::from_iter([
            ("path", Value::from(path)),
            ("key", key_object(key.public())),
        ]);
        cases.push(case.to_compact_json());
    }
    let roots = run(&python, "sign_roots.py", &cases);
    assert_eq!(roots.len(), matrix::FILES.len());
    for (root, scheme) in roots.into_iter().zip(matrix::FILES) {
        assert!(root.contains(scheme.name()));
        let trusted = trust(root.into_bytes());
        assert!(trusted.is_ok(), "{scheme}: {:?}", trusted.err());
    }
}
