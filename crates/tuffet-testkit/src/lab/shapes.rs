//! Bytes that break readers. Most come before any signature is looked at: whoever has the network can send them.

use tuffet_core::json::Value;

use super::{Attack, Class, Lab, Script, Site, attack};
use crate::{Repository, TestKey, array, insert, object, text};

pub(super) fn attacks() -> Vec<Attack> {
    let attack = |id, what, advisories, play| attack(Class::Parser, id, what, advisories, play);
    vec![
        attack(
            "wrong-shapes",
            "JSON of any shape but the right one as the timestamp",
            &["CVE-2026-23991"],
            |lab| timestamps(lab, &SHAPES.map(|shape| shape.as_bytes().to_vec())),
        ),
        attack(
            "wrong-shapes-root",
            "JSON of any shape but the right one as the next root",
            &["CVE-2026-23991"],
            |lab| {
                files(
                    lab,
                    "2.root.json",
                    &SHAPES.map(|shape| shape.as_bytes().to_vec()),
                    &["format.root"],
                )
            },
        ),
        attack("deep-nesting", "ten thousand brackets", &[], |lab| {
            timestamps(lab, &[vec![b'['; 10_000]])
        }),
        attack(
            "long-number",
            "a version of fifteen thousand digits",
            &["X41 audit of python-tuf, 2022"],
            |lab| {
                let digits = "9".repeat(15_000);
                let signed = format!(r#"{{"_type":"timestamp","version":{digits}}}"#);
                let file = format!(r#"{{"signatures":[],"signed":{signed}}}"#);
                timestamps(lab, &[file.into_bytes()])
            },
        ),
        attack("not-text", "bytes that are no text", &[], |lab| {
            timestamps(
                lab,
                &[
                    b"\xff\xfe\x00{".to_vec(),
                    b"{\"signed\":\"\xc3\x28\"}".to_vec(),
                    vec![0; 1000],
                ],
            )
        }),
        attack(
            "member-twice",
            "a timestamp whose signed part is there twice, the forged one last",
            &[],
            member_twice,
        ),
        attack(
            "key-of-wrong-length",
            "a rightly signed root with an ed25519 key of 31 bytes",
            &["go-tuf #739"],
            |lab| {
                let short = TestKey::of("ed25519", "ed25519", &"ab".repeat(31));
                broken_root(
                    lab,
                    |root| {
                        root.set_role("timestamp", &[short], 1);
                    },
                    &["format.root", "threshold.timestamp"],
                )
            },
        ),
        attack(
            "key-null",
            "a rightly signed root with a key that is null",
            &[],
            |lab| {
                broken_root(
                    lab,
                    |root| {
                        let keyid = TestKey::real("timestamp").keyid;
                        insert(&mut root.root.signed, &["keys", &keyid], Value::Null);
                    },
                    &["format.root"],
                )
            },
        ),
        attack(
            "hashes-empty",
            "a target without any hash",
            &["go-tuf #721"],
            |lab| {
                let mut honest = lab.repository();
                let script = Script::of(&honest);
                insert(
                    &mut honest.targets.signed,
                    &["targets", "app", "hashes"],
                    object([]),
                );
                honest.publish();
                script.refuses(&honest, &["format.targets"])
            },
        ),
        attack(
            "version-not-a-number",
            "rightly signed timestamps whose versions are no numbers",
            &[],
            |lab| {
                let honest = lab.repository();
                let mut script = Script::of(&honest);
                let versions = [
                    Value::from(true),
                    text("2"),
                    Value::Null,
                    array([Value::from(2)]),
                ];
                for version in versions {
                    let mut broken = honest.clone();
                    insert(&mut broken.timestamp.signed, &["version"], version);
                    broken.write_timestamp();
                    script = script.refuses(&broken, &["format.timestamp"]);
                }
                script
            },
        ),
    ]
}

const SHAPES: [&str; 12] = [
    "",
    "null",
    "[]",
    "0",
    "{}",
    r#"{"signatures":[]}"#,
    r#"{"signed":null,"signatures":null}"#,
    r#"{"signed":null,"signatures":[]}"#,
    r#"{"signed":[],"signatures":[]}"#,
    r#"{"signed":{},"signatures":{}}"#,
    r#"{"signed":{"_type":"timestamp","version":1,"meta":null,"expires":null,"spec_version":null},"signatures":[null]}"#,
    r#"{"signed":{"_type":null},"signatures":[{"keyid":null,"sig":null}]}"#,
];

fn timestamps(lab: &Lab, files: &[Vec<u8>]) -> Script {
    self::files(lab, "timestamp.json", files, &["format.timestamp"])
}

fn files(lab: &Lab, name: &str, files: &[Vec<u8>], codes: &'static [&'static str]) -> Script {
    let honest = lab.repository();
    let script = Script::of(&honest).accepts(&honest, b"app 1");
    let script = files.iter().fold(script, |script, file| {
        script.refuses(Site::of(&honest).with(name, file.clone()), codes)
    });
    script.accepts(&honest, b"app 1")
}

/// Root is signed by all who have to, and cannot be used.
fn broken_root(
    lab: &Lab,
    change: impl FnOnce(&mut Repository),
    codes: &'static [&'static str],
) -> Script {
    let honest = lab.repository();
    let mut broken = honest.clone();
    change(&mut broken);
    broken.publish_root();
    Script::of(&honest)
        .accepts(&honest, b"app 1")
        .refuses(&broken, codes)
}

/// Readers that keep the first member and readers that keep the last one see different files.
fn member_twice(lab: &Lab) -> Script {
    let honest = lab.repository();
    let mut forged = honest.clone();
    forged.timestamp.set_version(9);
    let signed = forged.timestamp.signed.to_compact_json();
    let signed = String::from_utf8(signed).expect("JSON");
    let mut file = String::from_utf8(honest.timestamp.bytes()).expect("JSON");
    file.truncate(file.trim_end().len() - 1);
    let file = format!("{file},\"signed\":{signed}}}");
    Script::of(&honest).accepts(&honest, b"app 1").refuses(
        Site::of(&honest).with("timestamp.json", file),
        &["format.timestamp"],
    )
}
