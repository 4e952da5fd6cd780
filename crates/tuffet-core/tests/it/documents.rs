//! What each of the four roles holds (TUF §4.3 to §4.6): rules F-21, F-24, F-26, F-31, F-34, F-40 to F-42, decisions A-08,
//! A-09, A-19, A-20, A-35, A-36.

mod accessors;
mod delegations;

use tuffet_core::json::{Reason, Value};
use tuffet_core::metadata::{Parsed, Role, RoleName, Root, Snapshot, Targets, Timestamp};
use tuffet_core::trust::Rejected;

use tuffet_testkit::{
    Delegated, Repository, TestKey, World, edit, insert, name, object, remove, sha256, sha384,
    sha512, text,
};

/// Puts a value, written as JSON, at a place of a signed part; nothing written takes the member away.
fn put(signed: &mut Value, place: &[&str], json: &str) {
    if json.is_empty() {
        remove(signed, place);
    } else {
        let value = Value::parse(json.as_bytes()).expect("JSON");
        match place.split_last() {
            Some((last, parents)) if last.parse::<usize>().is_err() => {
                insert(edit(signed, parents), &[last], value);
            }
            _ => *edit(signed, place) = value,
        }
    }
}

fn parse<R: Role>(signed: &Value) -> Result<Parsed<R>, (String, Reason)> {
    let file = object([
        ("signatures", Value::Array(vec![])),
        ("signed", signed.clone()),
    ]);
    Parsed::parse(file.to_compact_json()).map_err(|error| (error.path, error.reason))
}

/// Asserts for each row where and why a changed file is refused.
fn refused<R: Role + std::fmt::Debug>(role: &str, table: &[(&[&str], &str, &str, Reason)]) {
    let mut repository = repository();
    let honest = repository.document(role).signed.clone();
    parse::<R>(&honest).unwrap();
    for (place, json, at, reason) in table {
        let mut changed = honest.clone();
        put(&mut changed, place, json);
        let error = parse::<R>(&changed).unwrap_err();
        assert_eq!(
            error,
            (format!("signed{at}"), reason.clone()),
            "{role} {place:?} {json}"
        );
    }
}

fn accepted<R: Role>(role: &str, place: &[&str], json: &str) -> Parsed<R> {
    let mut repository = repository();
    let mut signed = repository.document(role).signed.clone();
    put(&mut signed, place, json);
    parse(&signed).unwrap_or_else(|error| panic!("{place:?} {json}: {error:?}"))
}

fn repository() -> Repository {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("team", &["team/*"]));
    repository.delegate("targets", Delegated::new("other", &["other/*"]));
    repository.write();
    repository
}

const OBJECT: Reason = Reason::Expected("an object");
const ARRAY: Reason = Reason::Expected("an array");
const STRING: Reason = Reason::Expected("a string");
const INTEGER: Reason = Reason::Expected("an integer");
const BOOLEAN: Reason = Reason::Expected("true or false");

#[test]
fn f21_a08_consistent_snapshot_may_be_absent() {
    let root = accepted::<Root>("root", &["consistent_snapshot"], "");
    assert!(!root.unverified().consistent_snapshot());
    for (json, expected) in [("true", true), ("false", false)] {
        let root = accepted::<Root>("root", &["consistent_snapshot"], json);
        assert_eq!(root.unverified().consistent_snapshot(), expected);
    }
    refused::<Root>(
        "root",
        &[
            (
                &["consistent_snapshot"],
                "\"true\"",
                ".consistent_snapshot",
                BOOLEAN,
            ),
            (
                &["consistent_snapshot"],
                "1",
                ".consistent_snapshot",
                BOOLEAN,
            ),
            (
                &["consistent_snapshot"],
                "null",
                ".consistent_snapshot",
                BOOLEAN,
            ),
        ],
    );
}

#[test]
fn f24_a09_root_names_the_four_roles_and_may_name_others() {
    for role in ["root", "timestamp", "snapshot", "targets"] {
        refused::<Root>(
            "root",
            &[(&["roles", role], "", ".roles", Reason::Missing(role))],
        );
    }
    refused::<Root>(
        "root",
        &[
            (&["roles"], "", "", Reason::Missing("roles")),
            (&["roles"], "[]", ".roles", OBJECT),
            (&["keys"], "", "", Reason::Missing("keys")),
            (&["keys"], "[]", ".keys", OBJECT),
            // What stands there must still be a role.
            (
                &["roles", "mirrors"],
                "{}",
                ".roles.mirrors",
                Reason::Missing("keyids"),
            ),
            (&["roles", "future"], "7", ".roles.future", OBJECT),
        ],
    );
    for extra in ["mirrors", "future"] {
        let role = r#"{"keyids": ["x"], "threshold": 1}"#;
        let root = accepted::<Root>("root", &["roles", extra], role);
        assert_eq!(root.unverified().role(&name(extra)), None);
    }
}

#[test]
fn f26_a_role_has_keyids_and_a_threshold_of_at_least_one() {
    let zero = Reason::Invalid("a threshold of zero");
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let at = |member: &str| format!(".roles.{role}{member}");
        let (threshold, keyids) = (at(".threshold"), at(".keyids"));
        let element = at(".keyids[0]");
        refused::<Root>(
            "root",
            &[
                (&["roles", role, "threshold"], "0", &threshold, zero.clone()),
                (
                    &["roles", role, "threshold"],
                    "-1",
                    &threshold,
                    Reason::IntegerRange,
                ),
                (
                    &["roles", role, "threshold"],
                    "9223372036854775808",
                    &threshold,
                    Reason::IntegerRange,
                ),
                (&["roles", role, "threshold"], "\"1\"", &threshold, INTEGER),
                (&["roles", role, "threshold"], "true", &threshold, INTEGER),
                (&["roles", role, "threshold"], "null", &threshold, INTEGER),
                (
                    &["roles", role, "threshold"],
                    "",
                    &at(""),
                    Reason::Missing("threshold"),
                ),
                (
                    &["roles", role, "keyids"],
                    "",
                    &at(""),
                    Reason::Missing("keyids"),
                ),
                (&["roles", role, "keyids"], "{}", &keyids, ARRAY),
                (&["roles", role, "keyids"], "\"a\"", &keyids, ARRAY),
                (&["roles", role, "keyids"], "[7]", &element, STRING),
                (
                    &["roles", role, "keyids"],
                    "[\"\"]",
                    &element,
                    Reason::Invalid("an empty keyid"),
                ),
                (
                    &["roles", role, "keyids"],
                    "[\"a\",\"b\",\"a\"]",
                    &keyids,
                    Reason::Invalid("a keyid listed twice"),
                ),
            ],
        );
    }
    let zero = [(
        &["delegations", "roles", "0", "threshold"][..],
        "0",
        ".delegations.roles[0].threshold",
        zero,
    )];
    refused::<Targets>("targets", &zero);
}

#[test]
fn f34_a36_timestamp_lists_snapshot_and_nothing_else() {
    let other = || Reason::Invalid("a timestamp that lists a file other than snapshot.json");
    refused::<Timestamp>(
        "timestamp",
        &[
            (&["meta"], "", ".meta", Reason::Missing("snapshot.json")),
            (&["meta"], "{}", ".meta", Reason::Missing("snapshot.json")),
            (&["meta"], "[]", ".meta", OBJECT),
            (
                &["meta", "targets.json"],
                "{\"version\":1}",
                ".meta.targets.json",
                other(),
            ),
            (
                &["meta", "snapshot.txt"],
                "{\"version\":1}",
                ".meta.snapshot.txt",
                other(),
            ),
            (
                &["meta", "snapshot.json"],
                "7",
                ".meta.snapshot.json",
                OBJECT,
            ),
        ],
    );
}

#[test]
fn f31_an_entry_has_a_version_and_may_have_a_length_and_hashes() {
    fn entries<R: Role + std::fmt::Debug>(role: &str, file: &str) {
        let member = |member: &str| format!(".meta.{file}{member}");
        let (version, length, hashes) = (member(".version"), member(".length"), member(".hashes"));
        let sha = member(".hashes.sha256");
        let digest = Reason::Invalid("a digest that is not hexadecimal or has the wrong length");
        let weak = Reason::Invalid("no hash by sha256, sha384 or sha512");
        let entry = |name: &'static str| ["meta", file, name];
        let place = &entry;
        refused::<R>(
            role,
            &[
                (
                    &["meta", file],
                    "{}",
                    &member(""),
                    Reason::Missing("version"),
                ),
                (
                    &place("version"),
                    "0",
                    &version,
                    Reason::Invalid("a version of zero"),
                ),
                (&place("version"), "true", &version, INTEGER),
                (&place("length"), "-1", &length, Reason::IntegerRange),
                (&place("length"), "\"1\"", &length, INTEGER),
                (&place("length"), "null", &length, INTEGER),
                (&place("hashes"), "[]", &hashes, OBJECT),
                (&place("hashes"), "null", &hashes, OBJECT),
                (&place("hashes"), "{}", &hashes, weak.clone()),
                (
                    &place("hashes"),
                    "{\"md5\":\"00\",\"sha1\":\"00\"}",
                    &hashes,
                    weak,
                ),
                (&place("hashes"), "{\"sha256\":7}", &sha, STRING),
                (&place("hashes"), "{\"sha256\":\"\"}", &sha, digest.clone()),
                (
                    &place("hashes"),
                    "{\"sha256\":\"zz\"}",
                    &sha,
                    digest.clone(),
                ),
                (&place("hashes"), "{\"sha256\":\"abcdef\"}", &sha, digest),
            ],
        );
    }
    entries::<Timestamp>("timestamp", "snapshot.json");
    entries::<Snapshot>("snapshot", "targets.json");
    entries::<Snapshot>("snapshot", "team.json");
    refused::<Snapshot>(
        "snapshot",
        &[
            (&["meta"], "", "", Reason::Missing("meta")),
            (&["meta"], "[]", ".meta", OBJECT),
            (
                &["meta", "root.json"],
                "{}",
                ".meta.root.json",
                Reason::Missing("version"),
            ),
        ],
    );
    let bare = accepted::<Timestamp>("timestamp", &["meta", "snapshot.json"], "{\"version\":7}");
    let snapshot = bare.unverified().snapshot();
    assert_eq!(
        (snapshot.version.number(), snapshot.length, &snapshot.hashes),
        (7, None, &None)
    );
}

#[test]
fn f42_a20_a_target_has_a_length_and_a_strong_hash() {
    let at = |member: &str| format!(".targets.app{member}");
    let (entry, length, hashes) = (at(""), at(".length"), at(".hashes"));
    let weak = Reason::Invalid("no hash by sha256, sha384 or sha512");
    refused::<Targets>(
        "targets",
        &[
            (&["targets"], "", "", Reason::Missing("targets")),
            (&["targets"], "[]", ".targets", OBJECT),
            (&["targets"], "null", ".targets", OBJECT),
            (&["targets", "app"], "[]", &entry, OBJECT),
            (
                &["targets", "app", "length"],
                "",
                &entry,
                Reason::Missing("length"),
            ),
            (
                &["targets", "app", "length"],
                "-1",
                &length,
                Reason::IntegerRange,
            ),
            (&["targets", "app", "length"], "true", &length, INTEGER),
            (&["targets", "app", "length"], "\"5\"", &length, INTEGER),
            (
                &["targets", "app", "hashes"],
                "",
                &entry,
                Reason::Missing("hashes"),
            ),
            (&["targets", "app", "hashes"], "{}", &hashes, weak.clone()),
            (
                &["targets", "app", "hashes"],
                "{\"md5\":\"d41d8cd98f00b204e9800998ecf8427e\"}",
                &hashes,
                weak.clone(),
            ),
            (
                &["targets", "app", "hashes"],
                "{\"SHA256\":\"ab\"}",
                &hashes,
                weak,
            ),
            (&["targets", "app", "hashes"], "[]", &hashes, OBJECT),
        ],
    );
    accepted::<Targets>("targets", &["targets"], "{}");
    accepted::<Targets>("targets", &["targets", "app", "length"], "0");
}

#[test]
fn a19_a43_any_strong_hash_will_do_and_unknown_ones_do_not_count() {
    let digests = [
        sha256(b"x").to_hex(),
        sha384(b"x").to_hex(),
        sha512(b"x").to_hex(),
    ];
    for (algorithm, digest) in ["sha256", "sha384", "sha512"].into_iter().zip(&digests) {
        let mut repository = Repository::new();
        let hashes = object([(algorithm, text(digest)), ("blake9", text("!"))]);
        let entry = object([("length", 1.into()), ("hashes", hashes)]);
        insert(&mut repository.targets.signed, &["targets", "only"], entry);
        repository.write();
        let mut world = World::of(repository);
        let found = world.find("only").unwrap();
        assert_eq!(found.target.hashes.digests().len(), 1);
        found.check_bytes(b"x", &*world.crypto).unwrap();
        found.check_bytes(b"y", &*world.crypto).unwrap_err();
    }
}

#[test]
fn f40_a35_custom_data_reaches_the_application_as_signed() {
    for (json, expected) in [
        ("{\"b\":1,\"a\":[{}]}", Some("{\"a\":[{}],\"b\":1}")),
        ("{}", Some("{}")),
        ("\"text\"", Some("\"text\"")),
        ("null", Some("null")),
        ("", None),
    ] {
        let mut repository = Repository::new();
        repository.targets.layout = tuffet_testkit::Layout::Canonical;
        insert(
            &mut repository.targets.signed,
            &["targets", "app", "custom"],
            "",
        );
        put(
            &mut repository.targets.signed,
            &["targets", "app", "custom"],
            json,
        );
        repository.write();
        let found = World::of(repository).find("app").unwrap();
        assert_eq!(found.target.custom.as_deref(), expected);
    }
}

#[test]
fn f41_a31_target_paths_are_taken_as_they_are() {
    let paths = [
        "a/b",
        "/a/b",
        "a//b",
        "./a",
        "a/../b",
        "a b",
        "A",
        "a",
        "a\\b",
        "caf\u{e9}",
        "?#%2e",
    ];
    let mut repository = Repository::new();
    for path in paths {
        repository.add_target("targets", path, path.as_bytes());
    }
    repository.write();
    let mut world = World::of(repository);
    let mut view = world.refresh().unwrap();
    for path in paths {
        let found = world.search(&mut view, path).unwrap();
        assert_eq!(found.target.length, path.len() as u64);
        found.check_bytes(path.as_bytes(), &*world.crypto).unwrap();
    }
    for path in ["b", "a/b/", "a/./b", "CAF\u{c9}", "cafe\u{301}", "?#."] {
        assert_eq!(
            world.search(&mut view, path).unwrap_err().code(),
            "target.not-found",
            "{path}"
        );
    }
    let listed: Vec<String> = view.targets().targets().map(|(path, _)| path).collect();
    assert_eq!(listed.len(), paths.len() + 1, "and every one is listed");
}

#[test]
fn f47_a_role_that_root_does_not_know_has_no_keys_in_root() {
    let root = parse::<Root>(&repository().root.signed).unwrap();
    assert_eq!(root.unverified().role(&name("team")), None);
    let names = [
        RoleName::Root,
        RoleName::Timestamp,
        RoleName::Snapshot,
        RoleName::Targets,
    ];
    for (role, key) in names
        .iter()
        .zip(["root-1", "timestamp", "snapshot", "targets"])
    {
        let first = &root.unverified().role(role).unwrap().keyids[0];
        assert_eq!(first.as_str(), TestKey::new(key).keyid);
    }
}

#[test]
fn a36_a_timestamp_with_more_than_snapshot_is_refused_by_the_client() {
    World::refreshed().refuses(
        |repository| {
            repository.publish();
            let entry = object([("version", 1.into())]);
            insert(
                &mut repository.timestamp.signed,
                &["meta", "root.json"],
                entry,
            );
            repository.write_timestamp();
        },
        |rejected| {
            assert!(matches!(rejected, Rejected::Format { role, .. } if *role == name("timestamp")))
        },
    );
}
