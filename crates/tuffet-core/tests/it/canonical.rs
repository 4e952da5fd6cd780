//! What is signed is what was received (TUF §4, §4.1): rules F-01, F-02, F-05.

use tuffet_core::json::Value;
use tuffet_core::trust::{Item, Signers, TrustAnchor, UncountedReason};

use tuffet_testkit::expect::{threshold, uncounted};
use tuffet_testkit::{
    Delegated, Listing, Repository, TestKey, World, insert, name, object, remove, text, version,
};

/// Every object of the files that a client reads, as role and path.
fn objects() -> Vec<(&'static str, Vec<String>)> {
    fn walk(value: &Value, path: &mut Vec<String>, found: &mut impl FnMut(&[String])) {
        match value {
            Value::Object(members) => {
                found(path);
                for (name, member) in members {
                    path.push(name.clone());
                    walk(member, path, found);
                    path.pop();
                }
            }
            Value::Array(elements) => {
                for (place, element) in elements.iter().enumerate() {
                    path.push(place.to_string());
                    walk(element, path, found);
                    path.pop();
                }
            }
            _ => {}
        }
    }
    let mut repository = repository();
    let mut all = Vec::new();
    for role in ["root", "timestamp", "snapshot", "targets", "team"] {
        let document = repository.document(role);
        walk(&document.signed.clone(), &mut Vec::new(), &mut |path| {
            all.push((role, path.to_vec()))
        });
    }
    all
}

fn repository() -> Repository {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("team", &["team/*"]));
    repository.add_target("team", "team/tool", b"tool");
    repository.listing = Listing::VersionOnly;
    repository.write();
    repository
}

/// Objects whose members are data: names of keys, roles, files and targets, and algorithms.
fn is_map(path: &[String]) -> bool {
    matches!(
        path.last().map(String::as_str),
        Some("keys" | "roles" | "meta" | "targets" | "hashes")
    )
}

#[test]
fn f01_unknown_members_are_signed_and_accepted_at_every_level() {
    let mut seen = 0;
    for (role, path) in objects().into_iter().filter(|(_, path)| !is_map(path)) {
        let mut repository = repository();
        let mut place: Vec<&str> = path.iter().map(String::as_str).collect();
        place.push("x-unknown");
        let unknown = object([("anything", text("at all"))]);
        insert(&mut repository.document(role).signed, &place, unknown);
        // Signed with the unknown member the file is accepted …
        let honest = {
            let mut repository = repository.clone();
            repository.write_root();
            repository.write();
            repository
        };
        let mut world = World::of(honest);
        world.wanted = Some("team/tool");
        world
            .attempt()
            .unwrap_or_else(|error| panic!("{role} {place:?}: {error}"));
        // … and without it, or with another, it is not what was signed.
        let mut changed = repository.clone();
        insert(&mut changed.document(role).signed, &place, "something else");
        for changed in [Some(changed), None] {
            let mut forged = world.repository.clone();
            let signed = match changed {
                Some(mut changed) => changed.document(role).signed.clone(),
                None => {
                    let mut signed = forged.document(role).signed.clone();
                    remove(&mut signed, &place);
                    signed
                }
            };
            let honest = String::from_utf8(forged.file(role).clone()).unwrap();
            let signatures = Value::parse(honest.as_bytes()).unwrap();
            let signatures = signatures.get("signatures").unwrap().clone();
            *forged.file(role) =
                object([("signatures", signatures), ("signed", signed)]).to_compact_json();
            let mut victim = World::of(forged);
            victim.wanted = Some("team/tool");
            if role == "root" {
                victim.anchor = TrustAnchor::Root(victim.repository.file("root").clone());
            }
            let rejected = victim.attempt().unwrap_err();
            let code = if role == "team" {
                "threshold.delegated".to_owned()
            } else {
                format!("threshold.{role}")
            };
            assert_eq!(rejected.code(), code, "{place:?}");
        }
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn f05_any_layout_of_the_same_values_is_what_was_signed() {
    let mut repository = Repository::new();
    let odd = "z\u{10000}\u{e000}\u{7f}\u{1}\n\t\"\\/ é e\u{301}";
    insert(&mut repository.timestamp.signed, &[odd], odd);
    insert(
        &mut repository.timestamp.signed,
        &["big"],
        Value::parse(b"-12345678901234567890123").unwrap(),
    );
    repository.write_timestamp();
    let compact = String::from_utf8(repository.timestamp.bytes()).unwrap();
    let escaped: String = compact
        .chars()
        .map(|character| match character {
            '/' => "\\/".to_owned(),
            'é' => "\\u00E9".to_owned(),
            '\u{10000}' => "\\ud800\\uDC00".to_owned(),
            '_' => "\\u005f".to_owned(),
            other => other.to_string(),
        })
        .collect();
    let mut reversed = Value::parse(compact.as_bytes()).unwrap();
    let members = reversed.as_object_mut().unwrap().remove("signed").unwrap();
    let members = members
        .as_object()
        .unwrap()
        .iter()
        .rev()
        .map(|(name, member)| {
            let name = String::from_utf8(text(name).to_compact_json()).unwrap();
            let member = String::from_utf8(member.to_pretty_json()).unwrap();
            format!("{name} : {member}")
        });
    let members: Vec<String> = members.collect();
    let signatures = reversed.get("signatures").unwrap().to_pretty_json();
    let reversed = format!(
        "{{ \"signed\" : {{ {} }} , \"signatures\" : {} }}",
        members.join(" ,\n"),
        String::from_utf8(signatures).unwrap()
    );
    let pretty = Value::parse(compact.as_bytes()).unwrap().to_pretty_json();
    for bytes in [
        compact.clone().into_bytes(),
        pretty,
        escaped.into_bytes(),
        reversed.into_bytes(),
    ] {
        let mut world = World::of(repository.clone());
        world
            .repository
            .files
            .insert("timestamp.json".to_owned(), bytes.clone());
        let view = world.refresh().unwrap();
        assert_eq!(**view.timestamp().received(), bytes, "kept as received");
    }
}

#[test]
fn f05_unicode_is_not_normalised() {
    // Two names that look alike are two names: neither can be slipped in beside the other.
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    let mut repository = Repository::new();
    repository.listing = Listing::VersionOnly;
    repository.add_target("targets", composed, b"honest");
    repository.write();
    let mut world = World::of(repository);
    world.find(composed).unwrap();
    assert_eq!(
        world.find(decomposed).unwrap_err().code(),
        "target.not-found"
    );

    let honest = String::from_utf8(world.repository.file("targets").clone()).unwrap();
    let entry = format!(
        "\"{decomposed}\": {{\"length\": 1, \"hashes\": {{\"sha256\": \"{}\"}}}},",
        "ab".repeat(32)
    );
    let forged = honest.replace("\"targets\": {", &format!("\"targets\": {{{entry}"));
    assert_ne!(honest, forged);
    *world.repository.file("targets") = forged.into_bytes();
    world.store.clear();
    let key = TestKey::new("targets");
    assert_eq!(
        world.refresh().unwrap_err(),
        threshold(
            "targets",
            Signers::Root(version(1)),
            [0, 1],
            vec![uncounted(&key, UncountedReason::Invalid)]
        )
    );
}

#[test]
fn f02_the_bytes_that_are_kept_are_those_that_came() {
    let mut world = World::refreshed();
    let mut view = world.refresh().unwrap();
    let spaced = |bytes: Vec<u8>| [b" \n".to_vec(), bytes].concat();
    world.repository.timestamp.set_version(2);
    let bytes = spaced(world.repository.timestamp.bytes());
    world
        .repository
        .files
        .insert("timestamp.json".to_owned(), bytes.clone());
    assert_ne!(**view.timestamp().received(), bytes);
    view = world.refresh().unwrap();
    assert_eq!(**view.timestamp().received(), bytes);
    let stored = world.store.get(&Item::Role(name("timestamp")));
    assert_eq!(stored, Some(&bytes));
}
