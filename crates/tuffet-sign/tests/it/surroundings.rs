//! What several back ends need to be tried out: other environments, and a core that has the last word.

use std::ffi::OsStr;
use std::process::Command;

use tuffet_core::crypto::{Scheme, hex};
use tuffet_core::json::Value;
use tuffet_core::metadata::UnixTime;
use tuffet_core::trust::{Context, Policy, Rejected, Roots};
use tuffet_sign::{KeyUri, NoSecrets, PublicKeyInfo, Secrets, Signer};

/// The variable that tells a test that it runs in the surroundings it has made.
const INSIDE: &str = "TUFFET_TEST_INSIDE";

/// Whether this is the test of that name in the surroundings that it asked for.
pub(crate) fn inside(test: &str) -> bool {
    std::env::var_os(INSIDE).is_some_and(|inside| inside == test)
}

/// Runs a test of this program again, alone and with these variables: a process cannot change its own safely.
pub(crate) fn again(test: &str, variables: &[(&str, &OsStr)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command
        .env(INSIDE, test)
        .envs(variables.iter().map(|(name, value)| (name, value)));
    let output = command.output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains("1 passed"), "{test} was not run: {out}");
    for line in out.lines().filter(|line| line.starts_with("skipped: ")) {
        println!("{line}");
    }
}

/// Opens a key that needs no secret.
pub(crate) fn open(uri: &str) -> Box<dyn Signer> {
    open_with(uri, &NoSecrets)
}

pub(crate) fn open_with(uri: &str, secrets: &dyn Secrets) -> Box<dyn Signer> {
    let uri: KeyUri = uri.parse().unwrap();
    uri.open(secrets)
        .unwrap_or_else(|error| panic!("{uri}: {error}"))
}

/// The error of a key that cannot be opened.
pub(crate) fn refused(uri: &str) -> tuffet_sign::SignError {
    let uri: KeyUri = uri.parse().unwrap();
    match uri.open(&NoSecrets) {
        Ok(_) => panic!("{uri} was opened"),
        Err(error) => error,
    }
}

/// The key as metadata lists it.
pub(crate) fn key_object(key: &PublicKeyInfo) -> Value {
    let metadata = key.metadata();
    let public = [("public", Value::from(metadata.public.as_str()))];
    Value::from_iter([
        ("keytype", Value::from(metadata.keytype)),
        ("scheme", Value::from(metadata.scheme)),
        ("keyval", public.into_iter().collect()),
    ])
}

/// What the core makes of a root that is to be trusted because it is signed by its own keys.
pub(crate) fn trust(root: Vec<u8>) -> Result<(), Rejected> {
    let policy = Policy::default();
    let context = Context {
        crypto: tuffet_crypto::default_provider(),
        policy: &policy,
        now: UnixTime(0),
    };
    Roots::trust(root, context).map(|_| ())
}

/// The key signs a root that names it, and the core trusts it; with another bit in it, it does not. What python-tuf makes of it is
/// seen by [`crate::python::accepts_all`].
pub(crate) fn is_accepted(signer: &dyn Signer, scheme: Scheme) {
    let key = signer.public();
    assert_eq!(key.scheme(), scheme);
    let role = || {
        Value::from_iter([
            ("keyids", [Value::from("k")].into_iter().collect()),
            ("threshold", Value::from(1)),
        ])
    };
    let named = ["root", "timestamp", "snapshot", "targets"].map(|name| (name, role()));
    let signed = Value::from_iter([
        ("_type", Value::from("root")),
        ("spec_version", Value::from("1.0.34")),
        ("version", Value::from(1)),
        ("expires", Value::from("2030-01-01T00:00:00Z")),
        ("consistent_snapshot", Value::from(true)),
        ("keys", [("k", key_object(key))].into_iter().collect()),
        ("roles", named.into_iter().collect()),
    ]);
    let mut signature = signer
        .sign_canonical(&signed.canonical())
        .unwrap()
        .into_bytes();
    let root = |signature: &[u8]| {
        let sig = Value::from_iter([
            ("keyid", Value::from("k")),
            ("sig", Value::from(hex::encode(signature))),
        ]);
        let signatures: Value = [sig].into_iter().collect();
        Value::from_iter([("signed", signed.clone()), ("signatures", signatures)]).to_compact_json()
    };
    let trusted = trust(root(&signature));
    assert!(trusted.is_ok(), "{scheme}: {:?}", trusted.err());
    crate::python::keep(root(&signature));
    let last = signature.last_mut().unwrap();
    *last ^= 1;
    let error = trust(root(&signature)).unwrap_err();
    assert_eq!(error.code(), "threshold.root", "{scheme}");
}
