//! Rollback, freeze, fast-forward, mix-and-match: files that were right once, or will be.

use super::{APP, Attack, Class, FORGED, Lab, Script, Site, attack};
use crate::{Delegated, Listing, Repository, TestKey, remove};

pub(super) fn attacks() -> Vec<Attack> {
    let mut attacks = rollbacks();
    attacks.extend(freezes());
    attacks.extend(mixtures());
    attacks
}

const GO: &[&str] = &["CVE-2022-29173"];

fn rollbacks() -> Vec<Attack> {
    let attack = |id, what, advisories, play| attack(Class::Rollback, id, what, advisories, play);
    vec![
        attack(
            "rollback-timestamp",
            "everything as it was before",
            GO,
            |lab| {
                let (script, before, _) = two_states(lab);
                script.refuses(&before, &["rollback.timestamp"])
            },
        ),
        attack(
            "rollback-snapshot",
            "a new timestamp that lists the snapshot of before",
            GO,
            |lab| {
                let (script, before, after) = two_states(lab);
                script.refuses(
                    &reverted(&before, &after, "snapshot"),
                    &["rollback.snapshot"],
                )
            },
        ),
        attack(
            "rollback-targets",
            "a new snapshot that lists the targets role of before",
            GO,
            |lab| {
                let (script, before, after) = two_states(lab);
                script.refuses(&reverted(&before, &after, "targets"), &["rollback.targets"])
            },
        ),
        attack(
            "rollback-delegated",
            "a new snapshot that lists a delegated role as it was before",
            &["CVE-2025-2887"],
            |lab| {
                let (script, before, after) = two_states(lab);
                script.refuses(&reverted(&before, &after, "team"), &["rollback.delegated"])
            },
        ),
        attack(
            "rollback-removed",
            "a new snapshot that does not list a delegated role any more",
            &[],
            |lab| {
                let (script, _, mut after) = two_states(lab);
                after.unlisted.insert("team".to_owned());
                remove(&mut after.snapshot.signed, &["meta", "team.json"]);
                after.publish();
                script.refuses(&after, &["rollback.removed"])
            },
        ),
        attack(
            "rollback-root",
            "the root that the client has, as the next one",
            &[],
            |lab| {
                let honest = lab.repository();
                let site = Site::of(&honest).with("2.root.json", honest.root.bytes());
                Script::of(&honest)
                    .accepts(&honest, b"app 1")
                    .refuses(site, &["version.root"])
            },
        ),
        attack(
            "root-version-skipped",
            "version 3 of root in the place of version 2",
            &["CVE-2025-2885"],
            |lab| {
                let mut honest = lab.repository();
                let script = Script::of(&honest);
                let site = Site::of(&honest);
                honest.root.set_version(3);
                let bytes = honest.root.bytes();
                script.refuses(site.with("2.root.json", bytes), &["version.root"])
            },
        ),
        attack(
            "refused-timestamp-is-kept",
            "a rollback, and then the honest state of the same version",
            &["CVE-2025-2888"],
            |lab| {
                let (script, before, mut after) = two_states(lab);
                let forged = reverted(&before, &after, "snapshot");
                after.add_target("targets", APP, b"app 3");
                after.publish();
                script
                    .refuses(&forged, &["rollback.snapshot"])
                    .accepts(&after, b"app 3")
            },
        ),
        attack(
            "expired-floor",
            "everything as it was before, when what came after it has expired",
            &["sigstore-rust #198"],
            |lab| {
                let before = lab.repository();
                let mut after = before.clone();
                // Long enough for the client to see it in time.
                after.timestamp.expire(&lab.after(SOON));
                after.publish();
                Script::of(&before)
                    .accepts(&after, b"app 1")
                    .refuses(&before, &["rollback.timestamp"])
                    .not_before(lab.moment(SOON + 1))
            },
        ),
        attack(
            "withheld-root",
            "everything as it was before a root that the client has seen",
            &[],
            |lab| {
                let before = lab.repository();
                let mut after = before.clone();
                after.rotate("timestamp", &[TestKey::real("another")], 1);
                after.publish();
                Script::of(&before)
                    .accepts(&after, b"app 1")
                    .refuses(&before, &["threshold.timestamp", "rollback.timestamp"])
            },
        ),
    ]
}

/// How long the attacks that wait leave a client for an honest state, in seconds.
const SOON: i64 = 5;

fn freezes() -> Vec<Attack> {
    let freeze = |id, what, play| attack(Class::Freeze, id, what, &[], play);
    vec![
        freeze("expired-root", "a root that has expired", |lab| {
            let mut honest = lab.repository();
            let script = Script::of(&honest);
            honest.root.expire(&lab.after(-3600));
            honest.publish_root();
            script.refuses(&honest, &["expired.root"])
        }),
        freeze("expired-timestamp", "a timestamp that has expired", |lab| {
            expired(lab, "timestamp", &["expired.timestamp"])
        }),
        freeze("expired-snapshot", "a snapshot that has expired", |lab| {
            expired(lab, "snapshot", &["expired.snapshot"])
        }),
        freeze(
            "expired-targets",
            "a targets role that has expired",
            |lab| expired(lab, "targets", &["expired.targets"]),
        ),
        freeze(
            "frozen",
            "the same state again, after it has expired",
            |lab| {
                let mut honest = lab.repository();
                let script = Script::of(&honest);
                honest.timestamp.expire(&lab.after(SOON));
                honest.publish();
                script
                    .accepts(&honest, b"app 1")
                    .refuses(&honest, &["expired.timestamp"])
                    .not_before(lab.moment(SOON + 1))
            },
        ),
    ]
}

fn mixtures() -> Vec<Attack> {
    let mix = |id, what, play| attack(Class::MixAndMatch, id, what, &[], play);
    vec![
        mix(
            "snapshot-of-before",
            "the new timestamp with the snapshot of before under the new name",
            |lab| {
                mixed(
                    lab,
                    "snapshot",
                    &["version.snapshot", "hash.snapshot", "length.snapshot"],
                )
            },
        ),
        mix(
            "targets-of-before",
            "the new snapshot with the targets role of before under the new name",
            |lab| {
                mixed(
                    lab,
                    "targets",
                    &["version.targets", "hash.targets", "length.targets"],
                )
            },
        ),
        mix(
            "version-not-as-listed",
            "a snapshot of another version than the timestamp lists, without hashes",
            |lab| {
                let mut honest = lab.repository();
                let script = Script::of(&honest).accepts(&honest, b"app 1");
                honest.listing = Listing::VersionOnly;
                honest.publish();
                let path = honest.current("snapshot");
                honest.snapshot.set_version(7);
                let bytes = honest.snapshot.bytes();
                script.refuses(Site::of(&honest).with(&path, bytes), &["version.snapshot"])
            },
        ),
        mix(
            "roles-exchanged",
            "one delegated role's file as another's, both of one key and one version",
            |lab| {
                let mut honest = lab.repository();
                let script = Script::of(&honest);
                let team = TestKey::real("team");
                for (role, paths) in [("one", "one/*"), ("two", "two/*")] {
                    honest.delegate(
                        "targets",
                        Delegated::signed_by(role, team.clone(), &[paths]),
                    );
                    honest.document(role).expire(&lab.after(86400));
                }
                honest.add_target("one", "one/app", b"one");
                honest.add_target("two", "one/app", FORGED);
                honest.publish();
                let path = honest.current("one");
                let exchanged = honest.file("two").clone();
                let site = Site::of(&honest).with(&path, exchanged);
                script.refuses_target(site, "one/app", &["hash.delegated", "length.delegated"])
            },
        ),
        attack(
            Class::FastForward,
            "fast-forward",
            "a thief with the online keys raises versions; the owner replaces the keys",
            &[],
            |lab| {
                let mut honest = lab.repository();
                let mut stolen = honest.clone();
                for role in ["timestamp", "snapshot"] {
                    stolen.document(role).set_version(4_000_000_000);
                }
                stolen.write();
                let script = Script::of(&honest)
                    .accepts(&honest, b"app 1")
                    .accepts(&stolen, b"app 1");
                honest.rotate("timestamp", &[TestKey::real("timestamp-2")], 1);
                honest.rotate("snapshot", &[TestKey::real("snapshot-2")], 1);
                honest.add_target("targets", APP, b"app 2");
                honest.publish();
                script.accepts(&honest, b"app 2")
            },
        ),
    ]
}

/// A client that has seen two states, with a delegated role in both.
fn two_states(lab: &Lab) -> (Script, Repository, Repository) {
    let mut before = lab.repository();
    let team = Delegated::signed_by("team", TestKey::real("team"), &["team/*"]);
    before.delegate("targets", team);
    before.document("team").expire(&lab.after(86400));
    before.write();
    let mut after = before.clone();
    after.add_target("targets", APP, b"app 2");
    after.publish();
    let script = Script::of(&before)
        .accepts(&before, b"app 1")
        .accepts(&after, b"app 2");
    (script, before, after)
}

/// The next versions of `after`, but for this role, which is listed as it was before. The attacker has the online keys.
fn reverted(before: &Repository, after: &Repository, role: &str) -> Repository {
    let mut forged = after.clone();
    if role == "snapshot" {
        forged.snapshot = before.snapshot.clone();
        forged.timestamp.set_version(after.timestamp.version() + 1);
        forged.write_snapshot();
        return forged;
    }
    let (mut timestamp, mut snapshot) = (after.timestamp.version(), after.snapshot.version());
    let mut source = before.clone();
    *forged.document(role) = source.document(role).clone();
    timestamp += 1;
    snapshot += 1;
    forged.timestamp.set_version(timestamp);
    forged.snapshot.set_version(snapshot);
    forged.write();
    forged
}

fn expired(lab: &Lab, role: &str, codes: &'static [&'static str]) -> Script {
    let mut honest = lab.repository();
    let script = Script::of(&honest);
    honest.document(role).expire(&lab.after(-3600));
    honest.publish();
    script.refuses(&honest, codes)
}

fn mixed(lab: &Lab, role: &str, codes: &'static [&'static str]) -> Script {
    let (script, mut before, mut after) = two_states(lab);
    after.publish();
    let path = after.current(role);
    let old = before.file(role).clone();
    script.refuses(Site::of(&after).with(&path, old), codes)
}
