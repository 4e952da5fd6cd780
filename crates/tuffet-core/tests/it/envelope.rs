//! Metadata in DSSE envelopes (TAP 17).

use tuffet_core::json::Reason;
use tuffet_core::metadata::{EnvelopeKind, Parsed, Root, Targets, Timestamp};
use tuffet_core::trust::{Rejected, Signers, TrustAnchor, UncountedReason};

use tuffet_testkit::expect::{assert_format, threshold, uncounted};
use tuffet_testkit::{
    Delegated, Document, Envelope, Layout, Listing, Repository, TestKey, World, base64, insert,
    object, text, version,
};

fn documents(repository: &mut Repository) -> Vec<&mut Document> {
    let Repository {
        root,
        timestamp,
        snapshot,
        targets,
        delegated,
        ..
    } = repository;
    let mut all = vec![root, timestamp, snapshot, targets];
    all.extend(delegated.values_mut());
    all
}

/// A repository of which every file is in a DSSE envelope.
fn repository() -> Repository {
    let mut repository = Repository::new();
    repository.listing = Listing::VersionOnly;
    repository.delegate("targets", Delegated::new("team", &["team/*"]));
    repository.add_target("team", "team/tool", b"tool");
    for document in documents(&mut repository) {
        document.envelope = Envelope::Dsse;
    }
    repository.write_root();
    repository.write();
    repository
}

fn world() -> World {
    let mut world = World::of(repository());
    world.wanted = Some("team/tool");
    world
}

/// A changed timestamp in the place of the honest one.
fn offered(bytes: Vec<u8>) -> Rejected {
    let mut world = world();
    world
        .repository
        .files
        .insert("timestamp.json".to_owned(), bytes);
    world.attempt().unwrap_err()
}

fn honest() -> String {
    String::from_utf8(repository().timestamp.bytes()).unwrap()
}

fn invalid() -> Rejected {
    threshold(
        "timestamp",
        Signers::Root(version(1)),
        [0, 1],
        vec![uncounted(
            &TestKey::new("timestamp"),
            UncountedReason::Invalid,
        )],
    )
}

#[test]
fn tap17_a_repository_may_use_dsse_envelopes() {
    let mut world = world();
    world.attempt().unwrap();
    let view = world.refresh().unwrap();
    assert_eq!(
        view.targets()
            .target(&tuffet_testkit::path("app"))
            .unwrap()
            .length,
        5
    );
    assert_eq!(view.snapshot().roles().count(), 2);
    world.repository.publish();
    world.repository.publish_root();
    world.attempt().unwrap();
    let stored = &world.store[&tuffet_core::trust::Item::Role(tuffet_testkit::name("root"))];
    let root = Parsed::<Root>::parse(stored.clone()).unwrap();
    assert_eq!(root.envelope(), EnvelopeKind::Dsse);
    assert_eq!(root.signature_keyids().count(), 2);
}

#[test]
fn tap17_both_envelopes_may_stand_in_one_repository() {
    for role in ["root", "timestamp", "snapshot", "targets", "team"] {
        let mut repository = repository();
        repository.document(role).envelope = Envelope::Json;
        repository.write_root();
        repository.write();
        let mut world = World::of(repository);
        world.wanted = Some("team/tool");
        world.attempt().unwrap();
    }
}

#[test]
fn f09_tap17_the_payload_is_signed_as_it_stands() {
    // A payload that is not canonical is fine: nothing is canonicalised, and nothing else is what was signed.
    let mut repository = repository();
    for document in documents(&mut repository) {
        document.layout = Layout::Pretty;
    }
    repository.write_root();
    repository.write();
    let pretty = String::from_utf8(repository.timestamp.bytes()).unwrap();
    let mut world = World::of(repository);
    world.refresh().unwrap();
    let compact = honest();
    let payload = |file: &str| {
        let value = tuffet_core::json::Value::parse(file.as_bytes()).unwrap();
        value.get("payload").unwrap().as_str().unwrap().to_owned()
    };
    let mixed = compact.replace(&payload(&compact), &payload(&pretty));
    assert_ne!(mixed, compact);
    assert_eq!(offered(mixed.into_bytes()), invalid());
}

#[test]
fn f09_tap17_the_payload_type_is_signed_and_must_be_that_of_tuf() {
    let other = repository().timestamp.dsse("application/vnd.in-toto+json");
    let wrong = Reason::Expected("application/vnd.tuf+json");
    assert_format(&offered(other.clone()), "timestamp", "payloadType", &wrong);
    // Signed as something else and relabelled, it is not what was signed.
    let relabelled = String::from_utf8(other)
        .unwrap()
        .replace("vnd.in-toto+json", "vnd.tuf+json");
    assert_eq!(offered(relabelled.into_bytes()), invalid());
    let without = honest().replace("\"payloadType\"", "\"x\"");
    assert_format(
        &offered(without.into_bytes()),
        "timestamp",
        "",
        &Reason::Missing("payloadType"),
    );
}

#[test]
fn f09_tap17_signatures_do_not_move_between_envelopes() {
    // A signature over the canonical form is none over the DSSE encoding, and the other way round.
    let repository = repository();
    let key = TestKey::new("timestamp");
    let canonical = repository.timestamp.signed.canonical();
    let mut moved = Document {
        signers: vec![],
        ..repository.timestamp.clone()
    };
    moved.extra = vec![object([
        ("keyid", text(&key.keyid)),
        ("sig", text(&base64(&key.sign(&canonical)))),
    ])];
    assert_eq!(offered(moved.bytes()), invalid());

    let mut message =
        format!("DSSEv1 24 application/vnd.tuf+json {} ", canonical.len()).into_bytes();
    message.extend_from_slice(&canonical);
    moved.envelope = Envelope::Json;
    moved.extra = vec![key.entry(&message)];
    assert_eq!(offered(moved.bytes()), invalid());
}

#[test]
fn f06_tap17_one_envelope_and_not_two() {
    let both = honest().replacen('{', "{\"signed\":{\"_type\":\"timestamp\"},", 1);
    assert!(matches!(
        offered(both.into_bytes()),
        Rejected::Format { .. }
    ));
    let signed = String::from_utf8(repository().timestamp.signed.canonical()).unwrap();
    let both = honest().replacen('{', &format!("{{\"signed\":{signed},"), 1);
    assert_format(
        &offered(both.into_bytes()),
        "timestamp",
        "",
        &Reason::Invalid("signed and payload together"),
    );
}

#[test]
fn tap17_what_is_wrong_in_an_envelope_is_said() {
    let start = honest().find("\"payload\":\"").unwrap() + "\"payload\":\"".len();
    let with_payload = |payload: &str| {
        let file = honest();
        let end = start + file[start..].find('"').unwrap();
        format!("{}{payload}{}", &file[..start], &file[end..]).into_bytes()
    };
    let not_base64 = Reason::Invalid("a payload that is not base64");
    for payload in ["!", "a", "ab=c", "abc"] {
        assert_format(
            &offered(with_payload(payload)),
            "timestamp",
            "payload",
            &not_base64,
        );
    }
    for (payload, path, reason) in [
        ("", "payload", Reason::Truncated),
        ("{}", "payload", Reason::Missing("_type")),
        ("[]", "payload", Reason::Expected("an object")),
        (
            "{\"a\":1,\"a\":1}",
            "payload",
            Reason::DuplicateName("a".to_owned()),
        ),
        ("{\"a\":1.5}", "payload.a", Reason::FloatInSigned),
        (
            "{\"_type\":\"root\"}",
            "payload._type",
            Reason::Expected("timestamp"),
        ),
        ("\u{feff}{}", "payload", Reason::ByteOrderMark),
    ] {
        let bytes = with_payload(&base64(payload.as_bytes()));
        assert_format(&offered(bytes), "timestamp", path, &reason);
    }
    let trailing = [repository().timestamp.signed.canonical(), b"x".to_vec()].concat();
    assert_format(
        &offered(with_payload(&base64(&trailing))),
        "timestamp",
        "payload",
        &Reason::Trailing,
    );
    let without = honest().replace("\"payload\":", "\"x\":");
    assert_format(
        &offered(without.into_bytes()),
        "timestamp",
        "",
        &Reason::Missing("signed"),
    );
}

#[test]
fn tap17_url_safe_base64_is_read_too() {
    let mut repository = repository();
    // Characters whose base64 has the two digits in which the alphabets differ.
    insert(
        &mut repository.timestamp.signed,
        &["x"],
        "\u{3fff}\u{3ffe}\u{ffff}\u{fbff}???>>>~~~",
    );
    repository.write();
    let standard = String::from_utf8(repository.timestamp.bytes()).unwrap();
    let value = tuffet_core::json::Value::parse(standard.as_bytes()).unwrap();
    let payload = value.get("payload").unwrap().as_str().unwrap();
    let safe = payload.replace('+', "-").replace('/', "_");
    assert_ne!(payload, safe);
    let mut world = World::of(repository);
    let bytes = standard.replace(payload, &safe).into_bytes();
    world
        .repository
        .files
        .insert("timestamp.json".to_owned(), bytes);
    world.refresh().unwrap();
}

#[test]
fn tap17_the_anchor_may_be_one() {
    let mut world = world();
    assert!(
        matches!(&world.anchor, TrustAnchor::Root(bytes) if Parsed::<Targets>::parse(bytes.clone()).is_err())
    );
    world.repository.root.signers.truncate(1);
    world.anchor = TrustAnchor::Root(world.repository.root.bytes());
    assert_eq!(world.attempt().unwrap_err().code(), "threshold.root");
}

#[test]
fn tap17_a_signature_that_is_no_base64_counts_as_none() {
    let key = TestKey::new("timestamp");
    for value in ["", "!", "zz"] {
        let mut timestamp = repository().timestamp;
        timestamp.signers.clear();
        timestamp.extra = vec![object([("keyid", text(&key.keyid)), ("sig", text(value))])];
        let expected = threshold(
            "timestamp",
            Signers::Root(version(1)),
            [0, 1],
            vec![uncounted(&key, UncountedReason::NoValue)],
        );
        assert_eq!(offered(timestamp.bytes()), expected);
    }
}

#[test]
fn tap17_members_of_other_kinds_beside_what_is_signed_are_of_no_meaning() {
    let file = String::from_utf8(Repository::new().timestamp.bytes()).unwrap();
    for member in ["\"payload\":{}", "\"payload\":7", "\"payloadType\":null"] {
        let file = file.replacen('{', &format!("{{{member},"), 1);
        let parsed = Parsed::<Timestamp>::parse(file.into_bytes()).unwrap();
        assert_eq!(parsed.envelope(), EnvelopeKind::Json, "{member}");
    }
}
