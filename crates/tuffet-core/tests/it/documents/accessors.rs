//! What documents say of themselves to whoever writes the next ones, or shows them: rules F-05, F-24, F-30, F-40.

use tuffet_core::json::canonicalize;
use tuffet_core::metadata::{
    DelegatedName, EnvelopeKind, KeyTable, Parsed, Role as _, RoleName, Root, Snapshot, Targets,
    Tolerance, ToleranceSet,
};

use tuffet_testkit::{Delegated, Repository, TestKey, World, insert, name, object, version};

const META: &str =
    r#"{"a.json":{"version":2},"root.json":{"version":1},"targets.json":{"length":5,"version":3}}"#;

fn snapshot(meta: &str) -> String {
    format!(
        r#"{{"signatures":[{{"keyid":"k","sig":"00"}}],"signed":{{"_type":"snapshot","expires":"2030-01-01T00:00:00Z","meta":{meta},"spec_version":"1.0.34","version":7}}}}"#
    )
}

#[test]
fn f30_a_listing_is_shown_as_it_stands_in_the_file() {
    for (meta, canonical) in [(META.to_owned(), true), (META.replace("},", "} , "), false)] {
        let file = snapshot(&meta);
        let parsed = Parsed::<Snapshot>::parse(file.clone().into_bytes()).unwrap();
        let listing = parsed.unverified_listing();
        assert_eq!((listing.len(), listing.is_empty()), (3, false));
        assert_eq!(listing.is_canonical(), canonical);
        assert_eq!(listing.text(), meta.as_bytes());
        let (before, behind) = listing.around();
        assert!(before.ends_with(b"\"meta\":") && behind.starts_with(b",\"spec_version\""));
        assert_eq!([before, listing.text(), behind].concat(), file.as_bytes());
        let entries: Vec<(String, &[u8], u64)> = listing
            .iter()
            .map(|entry| {
                let version = entry.version().unwrap().number();
                (entry.file().into_owned(), entry.text(), version)
            })
            .collect();
        assert_eq!(
            entries,
            [
                ("a.json".to_owned(), &br#"{"version":2}"#[..], 2),
                ("root.json".to_owned(), br#"{"version":1}"#, 1),
                ("targets.json".to_owned(), br#"{"length":5,"version":3}"#, 3),
            ]
        );
        assert_eq!(listing.version(&RoleName::Targets), Some(version(3)));
        assert_eq!(listing.version(&name("b")), None);
        // Root is not under the control of snapshot.
        let roles: Vec<(RoleName, Option<u64>)> = parsed
            .unverified_roles()
            .map(|(role, listed)| (role, listed.length))
            .collect();
        assert_eq!(roles, [(name("a"), None), (RoleName::Targets, Some(5))]);
        let content = parsed.unverified();
        assert_eq!((content.len(), content.is_empty()), (3, false));
        assert_eq!(content.version(), version(7));
    }
    let none = Parsed::<Snapshot>::parse(snapshot("{}").into_bytes()).unwrap();
    let listing = none.unverified_listing();
    assert_eq!((listing.len(), listing.is_empty()), (0, true));
    assert_eq!(none.unverified().len(), 0);
    assert!(none.unverified().is_empty());
}

#[test]
fn f05_the_message_of_a_file_is_the_canonical_form_of_what_is_signed() {
    for meta in [META.to_owned(), META.replace("},", "} , ")] {
        let file = snapshot(&meta);
        let start = file.find(r#"{"_type""#).unwrap();
        let signed = &file.as_bytes()[start..file.len() - 1];
        let parsed = Parsed::<Snapshot>::parse(file.clone().into_bytes()).unwrap();
        assert_eq!(parsed.message(), &*canonicalize(signed).unwrap());
        assert_eq!(parsed.envelope(), EnvelopeKind::Json);
        let keyids: Vec<&str> = parsed
            .signature_keyids()
            .map(|keyid| keyid.as_str())
            .collect();
        assert_eq!(keyids, ["k"]);
        let notes: Vec<(Tolerance, &str)> = parsed
            .notes()
            .iter()
            .map(|note| (note.tolerance, note.field.as_str()))
            .collect();
        assert_eq!(notes, [(Tolerance::SnapshotExtra, "signed.meta.root.json")]);
    }
}

#[test]
fn f24_f40_a_view_shows_all_that_its_files_list() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("team", &["*"]));
    repository.add_target("targets", "b", b"two");
    repository.write();
    let bytes = repository.targets.bytes();
    let view = World::of(repository.clone()).refresh().unwrap();

    let targets: Vec<(String, u64)> = view
        .targets()
        .targets()
        .map(|(path, target)| (path, target.length))
        .collect();
    assert_eq!(
        targets,
        [("app".to_owned(), targets[0].1), ("b".to_owned(), 3)]
    );
    let content = view.targets().content();
    assert_eq!((content.len(), content.is_empty()), (2, false));
    let parsed = Parsed::<Targets>::parse(bytes).unwrap();
    let unverified = parsed
        .unverified_targets()
        .map(|(path, target)| (path, target.length));
    assert_eq!(unverified.collect::<Vec<_>>(), targets);

    let roles: Vec<RoleName> = view.snapshot().roles().map(|(role, _)| role).collect();
    assert_eq!(roles, [RoleName::Targets, name("team")]);
    let listing = view.snapshot().listing();
    assert_eq!(listing.version(&name("team")), Some(version(1)));

    let root: &Root = view.root().content();
    let keys: Vec<&str> = root
        .keys()
        .iter()
        .map(|(keyid, _)| keyid.as_str())
        .collect();
    assert_eq!(
        (root.keys().len(), root.keys().is_empty()),
        (keys.len(), false)
    );
    let delegated = content.delegations().unwrap().keys();
    assert_eq!(delegated.len(), 1);
    assert!(
        root.role(&RoleName::Root)
            .unwrap()
            .keyids
            .iter()
            .all(|keyid| keys.contains(&keyid.as_str()))
    );
}

#[test]
fn a42_a_delegator_says_who_signs_for_which_role() {
    let signers = |repository: &Repository, role: &str| {
        let parsed = Parsed::<Targets>::parse(repository.targets.bytes()).unwrap();
        let delegations = parsed.unverified().delegations().unwrap();
        let keys = delegations.role(&DelegatedName::new(role).unwrap());
        keys.map(|keys| keys.keyids[0].as_str().to_owned())
    };
    let mut named = Repository::new();
    for role in ["a", "b"] {
        named.delegate("targets", Delegated::new(role, &["*"]));
    }
    for role in ["a", "b"] {
        assert_eq!(signers(&named, role), Some(TestKey::new(role).keyid));
    }
    assert_eq!(signers(&named, "c"), None);
    let key = TestKey::new("bins");
    let mut bins = Repository::new();
    bins.delegate_bins("targets", &key, 1);
    assert_eq!(signers(&bins, "bin-1"), Some(key.keyid));
    assert_eq!(signers(&bins, "bin-2"), None);
}

#[test]
fn f25_f42_lists_without_entries_are_empty() {
    let none = KeyTable::default();
    assert_eq!((none.len(), none.is_empty()), (0, true));
    let mut repository = Repository::new();
    insert(&mut repository.targets.signed, &["targets"], object([]));
    let parsed = Parsed::<Targets>::parse(repository.targets.bytes()).unwrap();
    let none = parsed.unverified();
    assert_eq!((none.len(), none.is_empty()), (0, true));
}

#[test]
fn a_tolerance_that_is_added_twice_is_in_the_set() {
    let [one, other] = [Tolerance::HexPoint, Tolerance::KeyForm];
    let set = ToleranceSet::NONE.with(one).with(one);
    assert!(set.contains(one) && !set.contains(other));
}
