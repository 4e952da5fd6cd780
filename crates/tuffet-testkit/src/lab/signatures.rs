//! Thresholds: too few keys, one key counted twice, keys that are not trusted any more.

use super::software::mallory;
use super::{APP, Attack, Class, FORGED, Lab, Script, attack};
use crate::{Repository, TestKey, insert, object, role, text};

pub(super) fn attacks() -> Vec<Attack> {
    let attack =
        |id, what, advisories, play| attack(Class::KeyCompromise, id, what, advisories, play);
    vec![
        attack(
            "root-below-threshold",
            "a root signed by one of two that are needed",
            &[],
            |lab| root_signed_by(lab, vec![key("root-1")]),
        ),
        attack(
            "signature-twice",
            "a root on which one key has signed twice",
            &["CVE-2020-6174", "CVE-2020-15093"],
            |lab| root_signed_by(lab, vec![key("root-1"), key("root-1")]),
        ),
        attack(
            "key-under-two-ids",
            "a root on which one key has signed under two ids that it is listed under",
            &["go-tuf #369"],
            key_under_two_ids,
        ),
        attack(
            "new-keys-counted-twice",
            "a root whose own threshold is met by one of its new keys twice",
            &["WS-2022-0303"],
            new_keys_counted_twice,
        ),
        attack(
            "root-without-old-keys",
            "a root signed by its own new keys alone",
            &[],
            |lab| {
                let honest = lab.repository();
                Script::of(&honest).refuses(&own_root(&honest), &["threshold.root"])
            },
        ),
        attack(
            "root-without-new-keys",
            "a root signed by the old keys alone",
            &[],
            root_without_new_keys,
        ),
        attack(
            "refused-root-is-kept",
            "a root that was refused, then another one signed by the keys of that one",
            &["CVE-2020-15163"],
            refused_root_is_kept,
        ),
        attack(
            "revoked-timestamp-key",
            "a timestamp by a key that the newest root does not name",
            &[],
            |lab| {
                revoked(
                    lab,
                    "timestamp",
                    &["threshold.timestamp", "rollback.timestamp"],
                )
            },
        ),
        attack(
            "revoked-targets-key",
            "a targets role by a key that the newest root does not name",
            &[],
            |lab| revoked(lab, "targets", &["threshold.targets"]),
        ),
        attack(
            "revoked-root-keys",
            "the next root by keys that the newest root does not name",
            &[],
            revoked_root_keys,
        ),
        attack(
            "threshold-zero",
            "a root that says that nobody has to sign timestamps",
            &["CVE-2026-23992"],
            |lab| threshold(lab, 0_u64.into()),
        ),
        attack(
            "threshold-negative",
            "a root that says that fewer than nobody has to sign timestamps",
            &["CVE-2026-23992"],
            |lab| {
                threshold(
                    lab,
                    tuffet_core::json::Value::parse(b"-1").expect("a number"),
                )
            },
        ),
        attack(
            "algorithm-chosen-by-signature",
            "a signature that brings its own method",
            &["CVE-2015-9258"],
            algorithm_chosen,
        ),
        attack(
            "many-signatures",
            "a timestamp with ten thousand signatures by nobody before the right one",
            &["CVE-2020-6173"],
            many_signatures,
        ),
    ]
}

fn key(name: &str) -> TestKey {
    TestKey::real(name)
}

/// A root that names the attacker for everything, with a repository below it.
fn own_root(honest: &Repository) -> Repository {
    let mut forged = honest.clone();
    for role in ["root", "timestamp", "snapshot", "targets"] {
        forged.set_role(role, &[mallory()], 1);
        forged.document(role).signers = vec![mallory()];
    }
    forged.add_target("targets", APP, FORGED);
    forged.publish();
    forged.publish_root();
    forged
}

fn root_signed_by(lab: &Lab, signers: Vec<TestKey>) -> Script {
    let honest = lab.repository();
    let mut forged = own_root(&honest);
    forged.root.set_version(honest.root.version());
    forged.root.signers = signers.into_iter().chain([mallory()]).collect();
    forged.publish_root();
    Script::of(&honest)
        .accepts(&honest, b"app 1")
        .refuses(&forged, &["threshold.root", "format.root"])
        .accepts(&honest, b"app 1")
}

fn key_under_two_ids(lab: &Lab) -> Script {
    let mut honest = lab.repository();
    let (one, other) = (key("root-1"), key("root-2"));
    let alias = one.named(&"ab".repeat(32));
    honest.set_role("root", &[one.clone(), alias.clone(), other.clone()], 2);
    honest.root.signers = vec![one.clone(), other];
    honest.write_root();
    let mut forged = own_root(&honest);
    forged.root.set_version(honest.root.version());
    forged.root.signers = vec![one, alias, mallory()];
    forged.publish_root();
    Script::of(&honest).refuses(&forged, &["threshold.root", "format.root"])
}

fn new_keys_counted_twice(lab: &Lab) -> Script {
    let honest = lab.repository();
    let mut next = honest.clone();
    let (one, other) = (key("new-1"), key("new-2"));
    next.set_role("root", &[one.clone(), other], 2);
    next.root.signers = vec![key("root-1"), key("root-2"), one.clone(), one];
    next.publish_root();
    Script::of(&honest).refuses(&next, &["threshold.root", "format.root"])
}

fn root_without_new_keys(lab: &Lab) -> Script {
    let honest = lab.repository();
    let mut next = honest.clone();
    next.set_role("root", &[key("new-1"), key("new-2")], 2);
    next.publish_root();
    Script::of(&honest).refuses(&next, &["threshold.root"])
}

fn refused_root_is_kept(lab: &Lab) -> Script {
    let honest = lab.repository();
    let second = own_root(&honest);
    let mut third = second.clone();
    third.publish_root();
    let mut next = honest.clone();
    next.publish_root();
    Script::of(&honest)
        .accepts(&honest, b"app 1")
        .refuses(&second, &["threshold.root"])
        .refuses(&third, &["threshold.root"])
        .accepts(&next, b"app 1")
}

/// A role's key was rotated out and the client knows; the old key signs a newer file.
fn revoked(lab: &Lab, role: &str, codes: &'static [&'static str]) -> Script {
    let honest = lab.repository();
    let mut rotated = honest.clone();
    rotated.rotate(role, &[key("another")], 1);
    rotated.publish();
    let mut forged = rotated.clone();
    forged.add_target("targets", APP, FORGED);
    forged.document(role).signers = vec![key(role)];
    forged.publish();
    Script::of(&honest)
        .accepts(&honest, b"app 1")
        .accepts(&rotated, b"app 1")
        .refuses(&forged, codes)
        .accepts(&above(&rotated), b"app 1")
}

fn revoked_root_keys(lab: &Lab) -> Script {
    let honest = lab.repository();
    let mut rotated = honest.clone();
    rotated.rotate("root", &[key("new-1"), key("new-2")], 2);
    let mut forged = own_root(&rotated);
    forged.root.set_version(rotated.root.version());
    forged.root.signers = vec![key("root-1"), key("root-2"), mallory()];
    forged.publish_root();
    Script::of(&honest)
        .accepts(&rotated, b"app 1")
        .refuses(&forged, &["threshold.root"])
}

/// Root is signed rightly but says nonsense about the threshold of the timestamp, which then is the attacker's.
fn threshold(lab: &Lab, threshold: tuffet_core::json::Value) -> Script {
    let honest = lab.repository();
    let mut forged = honest.clone();
    let timestamp = ["roles", "timestamp", "threshold"];
    insert(&mut forged.root.signed, &timestamp, threshold);
    forged.publish_root();
    forged.timestamp.signers = vec![mallory()];
    forged.publish();
    Script::of(&honest)
        .accepts(&honest, b"app 1")
        .refuses(&forged, &["format.root"])
}

fn algorithm_chosen(lab: &Lab) -> Script {
    let honest = lab.repository();
    let mut forged = honest.clone();
    forged.add_target("targets", APP, FORGED);
    forged.targets.signers = Vec::new();
    forged.targets.extra = vec![object([
        ("keyid", text(&key("targets").keyid)),
        ("method", text("none")),
        ("scheme", text("none")),
        ("sig", text("")),
    ])];
    forged.publish();
    Script::of(&honest)
        .accepts(&honest, b"app 1")
        .refuses(&forged, &["threshold.targets", "format.targets"])
}

fn many_signatures(lab: &Lab) -> Script {
    let honest = lab.repository();
    let mut forged = honest.clone();
    let sig = "00".repeat(64);
    let entry = |number: u64| {
        let keyid = format!("{number:064x}");
        object([("keyid", text(&keyid)), ("sig", text(&sig))])
    };
    forged.timestamp.extra = (0..10_000).map(entry).collect();
    forged.publish();
    // A reader may refuse it for its size, or find the right signature among the others.
    Script::of(&honest)
        .accepts(&honest, b"app 1")
        .harmless(&forged, APP)
        .accepts(&above(&honest), b"app 1")
}

/// The honest repository some versions later.
fn above(honest: &Repository) -> Repository {
    let mut next = honest.clone();
    next.publish();
    next.publish();
    next
}

/// A role object for a delegation whose keyids name one key twice.
pub(super) fn doubled(key: &TestKey, threshold: u64) -> tuffet_core::json::Value {
    role(&[key.clone(), key.clone()], threshold)
}
