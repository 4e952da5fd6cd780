//! Chains of roots: keys that get other ids, and repositories that begin to keep consistent snapshots.

use tuffet_core::crypto::Scheme;
use tuffet_core::metadata::Tolerance;

use super::Quirk;
use super::keys::Key;
use super::repository::Repository;
use super::{names, schemes};

pub(super) fn quirks() -> Vec<Quirk> {
    vec![
        Quirk::new(
            "hexadecimal points, then PEM: other keyids for the same keys",
            &[Tolerance::HexPoint],
            points_become_pem(),
        ),
        keytype_alias_goes(),
        consistent_snapshots_begin(),
        fifteen_roots(),
        Quirk::once(
            "roots between that have expired",
            &[],
            expired_roots_between(),
        ),
    ]
}

/// A repository whose keys are listed in one way in the first root, and in another in the second.
fn relisted(keys: &[Key], listed: impl Fn(&Key) -> Key) -> [Repository; 2] {
    let old: Vec<Key> = keys.iter().map(listed).collect();
    let mut before = schemes::of_keys(&old, 3);
    before.publish();
    let mut after = before.clone();
    after.next_root();
    after.set(&["keys"], super::document::object([]));
    for role in ["root", "timestamp", "snapshot", "targets"] {
        after.set_role(role, keys, 3);
    }
    after.raise_versions();
    after.publish();
    [before, after]
}

/// Root 2 carries ten signatures: each key has signed under both of its ids.
pub(super) fn points_become_pem() -> [Repository; 2] {
    let keys: Vec<Key> = (0..5).map(|_| Key::new(Scheme::EcdsaP256Sha256)).collect();
    relisted(&keys, |key| key.clone().with_hex_point())
}

fn keytype_alias_goes() -> Quirk {
    let scheme = Scheme::EcdsaP256Sha256;
    let keys: Vec<Key> = (0..4).map(|_| Key::new(scheme)).collect();
    let states = relisted(&keys, |key| key.clone().with_keytype(scheme.name()));
    Quirk::new(
        "the scheme as keytype, then not: other keyids for the same keys",
        &[Tolerance::KeytypeAlias],
        states,
    )
}

fn consistent_snapshots_begin() -> Quirk {
    let mut before = names::repository().without_consistent_snapshots();
    before.publish();
    let mut after = before.clone();
    after.next_root();
    after.set(&["consistent_snapshot"], true);
    after.raise_versions();
    // The old files are gone: nothing but the new names can be what is read.
    after.files.retain(|name, _| name.ends_with(".root.json"));
    after.publish();
    Quirk::new("consistent snapshots begin", &[], [before, after])
}

fn fifteen_roots() -> Quirk {
    let mut repository = schemes::of_key(Key::ed25519());
    for _ in 2..=15 {
        repository.next_root();
        repository.set_role("root", &[Key::ed25519()], 1);
    }
    Quirk::once("fifteen roots, each with another key", &[], repository)
}

/// Only the expiry of the last root counts.
fn expired_roots_between() -> Repository {
    let mut repository = schemes::of_key(Key::ed25519());
    repository.set(&["expires"], "2021-12-18T13:28:12Z");
    repository.next_root();
    repository.next_root();
    repository.set(&["expires"], "2031-01-01T00:00:00Z");
    repository
}

#[test]
fn chains_of_roots() {
    super::check(quirks());
}
