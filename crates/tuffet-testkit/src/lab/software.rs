//! Arbitrary software: targets and metadata that nobody signed, or somebody else did.

use super::{APP, Attack, Body, Class, FORGED, Lab, Script, Site};
use crate::{Repository, TestKey};

pub(super) fn attacks() -> Vec<Attack> {
    let attack = |id, what, play| Attack {
        id,
        class: Class::ArbitrarySoftware,
        what,
        advisories: &[],
        play,
    };
    vec![
        attack(
            "target-tampered",
            "other bytes of the same length in place of a target",
            |lab| {
                let honest = lab.repository();
                let site = with_targets(Site::of(&honest), FORGED);
                Script::of(&honest)
                    .accepts(&honest, b"app 1")
                    .refuses(site, &["hash.target"])
            },
        ),
        attack(
            "target-extended",
            "a target with something appended",
            |lab| {
                let honest = lab.repository();
                let longer = [b"app 1".as_slice(), FORGED].concat();
                let site = with_targets(Site::of(&honest), &longer);
                Script::of(&honest).refuses(site, &["length.target"])
            },
        ),
        attack(
            "targets-tampered",
            "a targets role that was changed after it was signed",
            |lab| {
                let mut honest = lab.repository();
                let script = Script::of(&honest);
                honest.listing = crate::Listing::VersionOnly;
                honest.publish();
                let script = script.accepts(&honest, b"app 1");
                // The attacker has the timestamp and snapshot keys, so that only the signature of targets stands in the way.
                honest.publish();
                let signed_before = honest.targets.bytes();
                let mut forged = honest.clone();
                forged.add_target("targets", APP, FORGED);
                let bytes = tampered(&forged, &signed_before);
                let path = honest.path("targets", honest.targets.version());
                let mut site = Site::of(&honest).with(&path, bytes);
                site.targets = Site::of(&forged).targets;
                script.refuses(site, &["threshold.targets"])
            },
        ),
        attack(
            "targets-unsigned",
            "a targets role without any signature",
            |lab| signed_by(lab, "targets", Vec::new(), &["threshold.targets"]),
        ),
        attack(
            "forged-targets",
            "a targets role signed with another key",
            |lab| signed_by(lab, "targets", vec![mallory()], &["threshold.targets"]),
        ),
        attack(
            "forged-snapshot",
            "a snapshot signed with another key",
            |lab| signed_by(lab, "snapshot", vec![mallory()], &["threshold.snapshot"]),
        ),
        attack(
            "forged-timestamp",
            "a timestamp signed with another key",
            |lab| signed_by(lab, "timestamp", vec![mallory()], &["threshold.timestamp"]),
        ),
        attack(
            "forged-targets-named",
            "a targets role signed with another key under the right key's id",
            |lab| {
                let keyid = TestKey::real("targets").keyid;
                signed_by(
                    lab,
                    "targets",
                    vec![mallory().named(&keyid)],
                    &["threshold.targets"],
                )
            },
        ),
        attack(
            "other-role",
            "a snapshot served as the timestamp, where both have one key",
            |lab| {
                let mut honest = lab.repository();
                let shared = TestKey::real("timestamp");
                honest.set_role("snapshot", std::slice::from_ref(&shared), 1);
                honest.snapshot.signers = vec![shared];
                honest.write_root();
                honest.write();
                let script = Script::of(&honest).accepts(&honest, b"app 1");
                honest.publish();
                let bytes = honest.snapshot.bytes();
                script.refuses(
                    Site::of(&honest).with("timestamp.json", bytes),
                    &["format.timestamp"],
                )
            },
        ),
    ]
}

pub(super) fn mallory() -> TestKey {
    TestKey::real("mallory")
}

/// The same site with other bytes for every target.
pub(super) fn with_targets(mut site: Site, bytes: &[u8]) -> Site {
    for body in site.targets.values_mut() {
        *body = Body::Bytes(bytes.to_vec());
    }
    site
}

/// After an honest state, one that offers [`FORGED`] as `app` with this role signed by these keys and everything else signed rightly.
fn signed_by(
    lab: &Lab,
    role: &str,
    signers: Vec<TestKey>,
    codes: &'static [&'static str],
) -> Script {
    let mut honest = lab.repository();
    let script = Script::of(&honest).accepts(&honest, b"app 1");
    let mut forged = honest.clone();
    forged.add_target("targets", APP, FORGED);
    forged.document(role).signers = signers;
    forged.publish();
    let script = script.refuses(&forged, codes);
    // Nothing of it stays, but for the version of what was signed rightly.
    honest.add_target("targets", APP, b"app 2");
    honest.publish();
    honest.publish();
    script.accepts(&honest, b"app 2")
}

/// The new content under the old signatures.
fn tampered(forged: &Repository, signed_before: &[u8]) -> Vec<u8> {
    let before = tuffet_core::json::Value::parse(signed_before).expect("a file of ours");
    let signatures = before.get("signatures").expect("signatures").clone();
    crate::object([
        ("signatures", signatures),
        ("signed", forged.targets.signed.clone()),
    ])
    .to_compact_json()
}
