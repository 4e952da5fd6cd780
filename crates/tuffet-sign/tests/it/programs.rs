//! Keys in the hands of a program.

use std::fs;
use std::path::Path;
use std::process::Command;

use tuffet_core::crypto::Scheme;
use tuffet_sign::{FileKey, Protection, Signer};

use crate::matrix::{self, kind};
use crate::python;
use crate::surroundings::{is_accepted, open, refused};

/// Signs with OpenSSL: the recipe of docs/keys.md, with more schemes.
const SIGN: &str = r#"
request=$(cat)
text() { printf '%s' "$request" | sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }
work=$(mktemp -d) || exit 1
trap 'rm -r "$work"' EXIT
case "$request" in *'"request":"public"'*)
    public=$(openssl pkey -in "$1" -pubout | awk '{printf "%s\\n", $0}') || exit 1
    printf '{"public":"%s","scheme":"%s"}\n' "$public" "$2"
    exit ;;
esac
text message | base64 -d > "$work/message"
hash="-sha${2##*[!0-9]}"
case "$2" in
    ed25519) openssl pkeyutl -sign -rawin -inkey "$1" -in "$work/message" > "$work/out" ;;
    ecdsa-*) case "$2" in *256) hash=-sha256;; *384) hash=-sha384;; *521) hash=-sha512;; esac
        openssl dgst "$hash" -sign "$1" "$work/message" > "$work/out" ;;
    rsassa-pss-*) openssl dgst "$hash" -sign "$1" -sigopt rsa_padding_mode:pss \
        -sigopt rsa_pss_saltlen:digest "$work/message" > "$work/out" ;;
    *) openssl dgst "$hash" -sign "$1" "$work/message" > "$work/out" ;;
esac || exit 1
printf '{"signature":"%s"}\n' "$(base64 -w 0 < "$work/out")"
"#;

fn is_missing(program: &str) -> bool {
    let missing = Command::new(program).arg("version").output().is_err();
    if missing {
        println!("skipped: {program} cannot be run");
    }
    missing
}

/// `exec:` for a shell that runs a script with arguments.
fn shell(script: &Path, arguments: &[&str]) -> String {
    let arguments: String = arguments
        .iter()
        .map(|argument| format!("&arg={}", argument.replace('/', "%2F")))
        .collect();
    format!("exec:sh?arg={}{arguments}", script.display())
}

#[test]
fn every_scheme_of_a_program_is_accepted() {
    if is_missing("openssl") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("sign.sh");
    fs::write(&script, SIGN).unwrap();
    for scheme in matrix::programs() {
        let path = directory.path().join(kind(scheme).name());
        if !path.exists() {
            let key = FileKey::generate(kind(scheme)).unwrap();
            key.save(&path, Protection::Plain).unwrap();
        }
        let path = path.to_string_lossy();
        let uri = shell(&script, &[&*path, scheme.name()]);
        is_accepted(&*open(&uri), scheme);
    }
    python::accepts_all();
}

/// A program that answers the first request with the public key of `key`, and signs with `signature`.
fn fake(directory: &Path, key: &FileKey, signature: &str) -> String {
    let public = key.public().public().to_spki_pem().replace('\n', "\\n");
    let script = format!(
        r#"case "$(cat)" in *message*) {signature} ;; *) printf '%s' '{{"public":"{public}","scheme":"ed25519"}}' ;; esac"#
    );
    let path = directory.join("fake.sh");
    fs::write(&path, script).unwrap();
    shell(&path, &[])
}

#[test]
fn a_signature_of_a_program_is_verified_before_it_is_handed_out() {
    let directory = tempfile::tempdir().unwrap();
    let key = FileKey::generate(Scheme::Ed25519).unwrap();
    let wrong = format!(r#"printf '{{"signature":"{}=="}}'"#, "A".repeat(86));
    for (answer, code, what) in [
        (wrong.as_str(), "key.mismatch", "does not verify"),
        (r#"printf '{"signature":"!"}'"#, "key.program", "in base64"),
        ("printf '{}'", "key.program", "without a `signature`"),
        ("printf nothing", "key.program", "no JSON"),
        ("exit 3", "key.program", "exit status: 3"),
        (
            r#"printf '%s' '{"error":"the card is\nlocked"}'; exit 1"#,
            "key.program",
            "says: the card is\\nlocked",
        ),
        ("yes", "key.program", "more than 64 KiB"),
    ] {
        let signer = open(&fake(directory.path(), &key, answer));
        let error = signer.sign(b"message").unwrap_err();
        assert_eq!(error.code(), code, "{answer}: {error}");
        assert!(error.to_string().contains(what), "{answer}: {error}");
    }
}

#[test]
fn a_program_may_answer_before_it_has_read_everything() {
    let directory = tempfile::tempdir().unwrap();
    let key = FileKey::generate(Scheme::Ed25519).unwrap();
    let public = key.public().public().to_spki_pem().replace('\n', "\\n");
    let script = format!(
        r#"read -r line; printf '%s' '{{"public":"{public}","scheme":"ed25519"}}'; exec 0<&-"#
    );
    let path = directory.path().join("early.sh");
    fs::write(&path, script).unwrap();
    let signer = open(&shell(&path, &[]));
    assert_eq!(signer.public(), key.public());
    // The request is longer than any pipe, and nobody reads it.
    let error = signer.sign(&vec![0; 4 << 20]).unwrap_err();
    assert_eq!(error.code(), "key.program");
    assert!(error.to_string().contains("`signature`"), "{error}");
}

#[test]
fn programs_that_are_none_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("nothing");
    let error = refused(&format!("exec:{}", missing.display()));
    assert_eq!(error.code(), "key.program");
    assert!(error.to_string().contains("cannot be run"), "{error}");
    for (answer, what) in [
        (r#"{"scheme":"ed25519"}"#, "without text `public`"),
        (r#"{"public":"x"}"#, "without text `scheme`"),
        (
            r#"{"public":"x","scheme":"rsa"}"#,
            "scheme that is not known",
        ),
        (r#"{"public":"x","scheme":"ed25519"}"#, "cannot be used"),
        ("[]", "without text"),
    ] {
        let path = directory.path().join("fake.sh");
        fs::write(&path, format!("cat > /dev/null; printf '%s' '{answer}'")).unwrap();
        let error = refused(&shell(&path, &[]));
        assert_eq!(error.code(), "key.program", "{answer}: {error}");
        assert!(error.to_string().contains(what), "{answer}: {error}");
    }
}
