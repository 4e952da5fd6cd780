//! Kinds of keys, and the ways in which they are listed.

use tuffet_core::crypto::{HashAlgorithm, Scheme};
use tuffet_core::metadata::Tolerance;

use super::Quirk;
use super::document::{array, text};
use super::keys::Key;
use super::repository::Repository;

/// One key for all roles, and for a role that targets delegates to.
pub(super) fn of_key(key: Key) -> Repository {
    of_keys(&[key], 1)
}

pub(super) fn of_keys(keys: &[Key], threshold: u64) -> Repository {
    let mut repository = Repository::signed_by(keys, threshold);
    repository.add_target("targets", "app", b"app");
    repository.delegate("targets", "team", keys, &["team/*"]);
    repository.add_target("team", "team/tool", b"tool");
    repository
}

fn p256() -> Key {
    Key::new(Scheme::EcdsaP256Sha256)
}

fn keys(count: usize, key: impl Fn() -> Key) -> Vec<Key> {
    (0..count).map(|_| key()).collect()
}

/// Members of keys that tools have added.
fn with_owner(key: Key) -> Key {
    key.listed(|key| {
        let owner = ("x-owner".to_owned(), text("@release"));
        key.as_object_mut().unwrap().extend([owner]);
    })
}

pub(super) fn quirks() -> Vec<Quirk> {
    let (p384, p521) = (Scheme::EcdsaP384Sha384, Scheme::EcdsaP521Sha512);
    let alias = |scheme: Scheme| Key::new(scheme).with_keytype(scheme.name());
    let mut quirks = vec![
        Quirk::once("P-256", &[], of_key(p256())),
        Quirk::once("P-384", &[], of_key(Key::new(p384))),
        Quirk::once("P-521", &[], of_key(Key::new(p521))),
        Quirk::once(
            "offline keys on P-384, online keys on P-256",
            &[],
            mixed_curves(),
        ),
        Quirk::once("ML-DSA-44", &[], of_key(Key::new(Scheme::MlDsa44))),
        Quirk::once("ML-DSA-65", &[], of_key(Key::new(Scheme::MlDsa65))),
        Quirk::once("ML-DSA-87", &[], of_key(Key::new(Scheme::MlDsa87))),
        Quirk::once("a key of every kind for one role", &[], every_kind()),
        Quirk::once(
            "five keys that all roles share, threshold three",
            &[],
            of_keys(&keys(5, Key::ed25519), 3),
        ),
        Quirk::once(
            "ECDSA keys as hexadecimal points",
            &[Tolerance::HexPoint],
            of_keys(&keys(5, || p256().with_hex_point()), 3),
        ),
        Quirk::once(
            "the scheme as keytype",
            &[Tolerance::KeytypeAlias],
            of_key(alias(Scheme::EcdsaP256Sha256)),
        ),
        Quirk::once(
            "the scheme as keytype, P-384",
            &[Tolerance::KeytypeAlias],
            of_key(alias(p384)),
        ),
        Quirk::once(
            "the scheme as keytype and a hexadecimal point",
            &[Tolerance::KeytypeAlias, Tolerance::HexPoint],
            of_key(alias(Scheme::EcdsaP256Sha256).with_hex_point()),
        ),
        Quirk::once(
            "ed25519 keys as PEM",
            &[Tolerance::KeyForm],
            of_key(Key::ed25519().with_pem()),
        ),
        Quirk::once(
            "a key with members of its tool's own",
            &[],
            of_key(with_owner(p256())),
        ),
        Quirk::once("keyid_hash_algorithms", &[], of_key(with_hash_algorithms())),
        Quirk::once(
            "a key that was edited and kept its keyid",
            &[Tolerance::KeyidMismatch],
            edited_key(),
        ),
        Quirk::once(
            "keyids that hash three members only",
            &[Tolerance::KeyidMismatch],
            of_key(partial_keyid()),
        ),
        Quirk::once(
            "keyids of a key service",
            &[Tolerance::KeyidMismatch],
            of_key(Key::ed25519().named("projects/p/keys/1")),
        ),
        Quirk::once(
            "a delegated key whose keyid is not its hash",
            &[Tolerance::KeyidMismatch],
            edited_delegated_key(),
        ),
        Quirk::once(
            "one keyid for different keys in different files",
            &[Tolerance::KeyidMismatch],
            one_keyid_for_two_keys(),
        ),
    ];
    for (scheme, key) in Key::rsa_with_each_scheme() {
        quirks.push(Quirk::once(scheme.name(), &[], of_key(key.clone())));
        if scheme == Scheme::RsaPkcs1v15(HashAlgorithm::Sha256) {
            let older = key.with_rsa_public_key();
            quirks.push(Quirk::once(
                "RSA PUBLIC KEY",
                &[Tolerance::KeyForm],
                of_key(older),
            ));
        }
    }
    quirks
}

fn mixed_curves() -> Repository {
    let offline = keys(3, || Key::new(Scheme::EcdsaP384Sha384));
    let mut repository = of_keys(&offline, 2);
    for role in ["timestamp", "snapshot"] {
        repository.set_role(role, &[p256()], 1);
    }
    repository
}

fn every_kind() -> Repository {
    let kinds = [
        Scheme::Ed25519,
        Scheme::EcdsaP256Sha256,
        Scheme::EcdsaP384Sha384,
        Scheme::EcdsaP521Sha512,
        Scheme::MlDsa44,
    ];
    of_keys(&kinds.map(Key::new), 5)
}

fn with_hash_algorithms() -> Key {
    Key::ed25519().listed(|key| {
        let algorithms = array([text("sha256"), text("sha512")]);
        let member = ("keyid_hash_algorithms".to_owned(), algorithms);
        key.as_object_mut().unwrap().extend([member]);
    })
}

fn edited_key() -> Repository {
    let key = p256();
    let before = key.id.clone();
    of_key(with_owner(key).named(&before))
}

fn partial_keyid() -> Key {
    let key = p256();
    let three_members = key.id.clone();
    with_owner(key).named(&three_members)
}

fn edited_delegated_key() -> Repository {
    let mut repository = Repository::new();
    repository.delegate("targets", "team", &[p256().named("1")], &["team/*"]);
    repository.add_target("team", "team/tool", b"tool");
    repository
}

/// What a keyid means is said by the file that delegates.
fn one_keyid_for_two_keys() -> Repository {
    let mut repository = of_key(Key::ed25519().named("1"));
    let other = Key::ed25519().named("1");
    repository.delegate("team", "deeper", &[other], &["team/*"]);
    repository.add_target("deeper", "team/app", b"deeper");
    repository
}

#[test]
fn kinds_of_keys_and_ways_of_listing_them() {
    super::check(quirks());
}
