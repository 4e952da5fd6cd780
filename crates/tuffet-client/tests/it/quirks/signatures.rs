//! Signatures beside the good ones, keys that nobody has, and thresholds.

use tuffet_core::metadata::Tolerance;

use super::Quirk;
use super::document::{object, text};
use super::keys::Key;
use super::repository::Repository;
use super::schemes::of_key;

/// Every file has other signatures beside the good ones.
fn beside(signatures: &[(&str, &str)]) -> Repository {
    let mut repository = of_key(Key::ed25519());
    repository.each(|document| {
        for (keyid, value) in signatures {
            document.add_signature(keyid, value);
        }
    });
    repository
}

pub(super) fn quirks() -> Vec<Quirk> {
    let wrong = "ab".repeat(64);
    vec![
        Quirk::once(
            "signers who did not sign",
            &[Tolerance::SignatureForm],
            beside(&[("one", ""), ("two", "")]),
        ),
        Quirk::once(
            "signatures that are not hexadecimal",
            &[Tolerance::SignatureForm],
            beside(&[("one", "bm90IGhleA=="), ("two", "abc"), ("three", "zz")]),
        ),
        Quirk::once(
            "a signer of the role who did not sign",
            &[Tolerance::SignatureForm],
            empty_signature_of_a_signer(),
        ),
        Quirk::once("signatures by strangers", &[], beside(&[("one", &wrong)])),
        Quirk::once("signatures in capital digits", &[], in_capitals()),
        Quirk::once(
            "roles that name keys which nobody defines",
            &[Tolerance::KeyidUndefined],
            undefined_keyids(),
        ),
        Quirk::once(
            "a delegation that names a key which nobody defines",
            &[Tolerance::KeyidUndefined],
            undefined_keyid_of_a_delegation(),
        ),
        Quirk::once("several keys, of which one signs", &[], several_keys()),
        Quirk::once(
            "a Sigstore identity beside keys",
            &[],
            with_identity(|_, _| ()),
        ),
        Quirk::once(
            "a Sigstore identity beside keys, and its signature",
            &[Tolerance::SignatureForm],
            with_identity(sign_as_identity),
        ),
        Quirk::once(
            "a key of a kind to come",
            &[],
            with_stranger(Key::opaque(object([
                ("keytype", text("lattice")),
                ("scheme", text("lattice-1")),
                ("keyval", object([("certificate", text("x"))])),
            ]))),
        ),
        Quirk::once(
            "a key without anything",
            &[],
            with_stranger(Key::opaque(object([]))),
        ),
    ]
}

fn in_capitals() -> Repository {
    let mut repository = of_key(Key::ed25519());
    repository.each(|document| document.capitals = true);
    repository
}

fn empty_signature_of_a_signer() -> Repository {
    let (signs, does_not) = (Key::ed25519(), Key::ed25519());
    let mut repository = Repository::signed_by(&[signs.clone(), does_not.clone()], 1);
    // Root keys sign as a matter of course here, so it is the others that lack one.
    repository.add_target("targets", "app", b"app");
    for role in ["timestamp", "snapshot", "targets"] {
        let document = repository.document(role);
        document.signers = vec![signs.clone()];
        document.add_signature(&does_not.id, "");
    }
    repository
}

fn undefined_keyids() -> Repository {
    let mut repository = of_key(Key::ed25519());
    for role in ["root", "timestamp", "targets"] {
        let keyids = repository.root().signed.get_mut("roles").unwrap();
        let keyids = keyids.get_mut(role).unwrap().get_mut("keyids").unwrap();
        keyids.as_array_mut().unwrap().insert(0, text("gone"));
    }
    repository
}

fn undefined_keyid_of_a_delegation() -> Repository {
    let mut repository = of_key(Key::ed25519());
    let keyids = repository.delegation("targets").get_mut("keyids").unwrap();
    keyids.as_array_mut().unwrap().push(text("gone"));
    repository
}

/// Each of several people may sign alone.
fn several_keys() -> Repository {
    let keys = [Key::ed25519(), Key::ed25519(), Key::ed25519()];
    let mut repository = Repository::signed_by(&keys, 1);
    repository.delegate("targets", "law", &keys, &["*"]);
    repository.add_target("law", "branch", b"main");
    for (role, key) in ["timestamp", "snapshot", "targets", "law"]
        .into_iter()
        .zip(keys.iter().cycle())
    {
        repository.document(role).signers = vec![key.clone()];
    }
    repository
}

/// Every role may be signed for by somebody whose signature cannot be verified here, or by keys.
fn with_stranger(stranger: Key) -> Repository {
    let key = Key::ed25519();
    let keys = [stranger, key];
    let mut repository = Repository::signed_by(&keys, 1);
    repository.add_target("targets", "app", b"app");
    repository.delegate("targets", "team", &keys, &["team/*"]);
    repository.add_target("team", "team/tool", b"tool");
    repository
}

fn with_identity(sign: impl Fn(&mut Repository, &Key)) -> Repository {
    let identity = Key::identity();
    let mut repository = with_stranger(identity.clone());
    sign(&mut repository, &identity);
    repository
}

/// The signature of an identity is base64 and comes with the proof that it was the identity's.
pub(super) fn sign_as_identity(repository: &mut Repository, identity: &Key) {
    let bundle = object([
        (
            "mediaType",
            text("application/vnd.dev.sigstore.bundle.v0.3+json"),
        ),
        ("verificationMaterial", object([("tlogEntries", text("…"))])),
    ]);
    repository.each(|document| {
        document.others.push(object([
            ("keyid", text(&identity.id)),
            ("sig", text("MEUCIQDf/+A=")),
            ("bundle", bundle.clone()),
        ]));
    });
}

#[test]
fn signatures_that_do_not_count_beside_those_that_do() {
    super::check(quirks());
}
