//! What a snapshot may say after another (TUF §5.5.5): rules C-34, C-36, C-45, F-30, decision A-33, the backstop option.

use tuffet_core::json::Reason;
use tuffet_core::trust::{Item, Rejected};

use tuffet_testkit::expect::{assert_format, rollback};
use tuffet_testkit::{
    Delegated, Listing, Repository, World, insert, name, object, path, remove, time, version,
};

/// A client at version 5 of everything but root, with a delegated role that it has never looked at.
fn at_version_5() -> World {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("team", &["team/*"]));
    repository.listing = Listing::VersionOnly;
    for _ in 2..=5 {
        repository.publish();
    }
    let mut world = World::of(repository);
    world.refresh().unwrap();
    world
}

/// Lists a version of a role, or does not list it, in a new snapshot.
fn list(repository: &mut Repository, file: &str, version: Option<u64>) {
    repository.publish();
    match version {
        Some(version) => insert(
            &mut repository.snapshot.signed,
            &["meta", file],
            object([("version", version.into())]),
        ),
        None => remove(&mut repository.snapshot.signed, &["meta", file]),
    }
    repository.write_snapshot();
}

#[test]
fn c34_no_listed_version_goes_back() {
    let world = at_version_5();
    for role in ["targets", "team"] {
        let file = format!("{role}.json");
        for offered in [1, 4] {
            let code = if role == "team" {
                "rollback.delegated"
            } else {
                "rollback.targets"
            };
            world.refuses_with(
                |repository| list(repository, &file, Some(offered)),
                code,
                &rollback(role, 5, offered),
            );
        }
    }
}

#[test]
fn c34_every_listed_role_stays_listed() {
    let world = at_version_5();
    let removed = |role| Rejected::Removed { role: name(role) };
    world.refuses_with(
        |repository| list(repository, "team.json", None),
        "rollback.removed",
        &removed("team"),
    );
    world.refuses_with(
        |repository| list(repository, "targets.json", None),
        "rollback.removed",
        &removed("targets"),
    );
}

#[test]
fn c34_equal_and_higher_versions_and_new_roles_are_fine() {
    let mut world = at_version_5();
    list(&mut world.repository, "targets.json", Some(6));
    insert(
        &mut world.repository.snapshot.signed,
        &["meta", "brand new.json"],
        object([("version", 1.into())]),
    );
    list(&mut world.repository, "team.json", Some(5));
    world.refresh().unwrap();
    assert_eq!(world.versions(), [1, 7, 7, 7]);
}

#[test]
fn c34_an_entry_that_is_no_targets_role_may_go() {
    // Names before, between and behind those of the roles.
    for extra in [
        "root.json",
        "timestamp.json",
        "snapshot.json",
        "notes.txt",
        "~.txt",
        "a.json.old",
    ] {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegated::new("team", &["team/*"]));
        let entry = object([("version", 7.into())]);
        insert(&mut repository.snapshot.signed, &["meta", extra], entry);
        repository.write();
        let mut world = World::of(repository);
        world.refresh().unwrap();
        let snapshot = &mut world.repository.snapshot.signed;
        remove(snapshot, &["meta", extra]);
        world.recovers();
    }
}

#[test]
fn c34_the_same_version_may_be_listed_in_another_way() {
    let mut world = at_version_5();
    world.repository.listing = Listing::Full;
    for document in [
        &mut world.repository.timestamp,
        &mut world.repository.snapshot,
    ] {
        document.set_version(6);
    }
    world.repository.write();
    world.refresh().unwrap();
    assert_eq!(world.versions(), [1, 6, 6, 5]);
}

#[test]
fn c34_a_refused_snapshot_is_not_stored() {
    let mut world = at_version_5();
    let before = world.store[&Item::Role(name("snapshot"))].clone();
    list(&mut world.repository, "team.json", Some(4));
    world.refresh().unwrap_err();
    assert_eq!(world.store[&Item::Role(name("snapshot"))], before);
}

#[test]
fn c34_a_view_follows_another_if_a_client_that_has_seen_that_accepts_it() {
    let seen = |world: &mut World| world.refresh().unwrap();
    for (file, offered) in [
        ("targets.json", Some(4)),
        ("team.json", Some(4)),
        ("team.json", None),
        ("team.json", Some(5)),
        ("team.json", Some(9)),
        ("other.json", Some(1)),
    ] {
        let mut old = at_version_5();
        let before = seen(&mut old);
        list(&mut old.repository, file, offered);
        let accepted = old.refresh();
        // What a new client sees is the same for it; the one that has seen more may refuse.
        let after = World::of(old.repository.clone()).refresh();
        let Ok(after) = after else {
            // A snapshot that lists a version that there is none of is no view.
            assert!(accepted.is_err(), "{file} {offered:?}");
            continue;
        };
        let follows = after.follows(&before).unwrap().map_err(|error| *error);
        assert_eq!(follows.err(), accepted.err(), "{file} {offered:?}");
    }
}

#[test]
fn c11_a13_only_a_refresh_tells_what_follows_under_another_root_or_the_same_timestamp() {
    let mut world = at_version_5();
    let before = world.refresh().unwrap();
    assert!(before.follows(&before).is_none());
    world.repository.publish();
    let next = world.refresh().unwrap();
    assert_eq!(next.follows(&before), Some(Ok(())));
    let back = before.follows(&next).unwrap().map_err(|error| *error);
    assert_eq!(back, Err(rollback("timestamp", 6, 5)));
    world.repository.publish_root();
    let other = world.refresh().unwrap();
    assert!(other.follows(&before).is_none());
}

#[test]
fn a10_what_expires_until_a_moment_is_known_of_a_view() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("team", &["team/*"]));
    repository.snapshot.expire("2030-02-01T00:00:00Z");
    repository.write();
    let mut world = World::of(repository);
    let view = world.refresh().unwrap();
    let expired = |at: &str| -> Vec<String> {
        let expired = view.expired_at(time(at));
        expired.map(|(role, _)| role.to_string()).collect()
    };
    assert_eq!(expired("2030-01-31T23:59:59Z"), Vec::<String>::new());
    assert_eq!(expired("2030-02-01T00:00:00Z"), ["snapshot"]);
    assert_eq!(
        expired("2999-01-01T00:00:00Z"),
        ["root", "timestamp", "snapshot", "targets"]
    );
}

#[test]
fn f33_a_listing_says_of_which_bytes_it_speaks() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("team", &["team/*"]));
    for (layout, identified) in [(Listing::Full, true), (Listing::VersionOnly, false)] {
        repository.listing = layout;
        repository.publish();
        let mut world = World::of(repository.clone());
        let view = world.refresh().unwrap();
        let listing = view.snapshot().listing();
        let bytes = view.targets().received();
        let crypto = world.crypto.clone();
        let role = name("targets");
        assert_eq!(listing.identifies(&role, bytes, &*crypto), identified);
        assert!(!listing.identifies(&name("team"), bytes, &*crypto));
        assert!(!listing.identifies(&role, &bytes[1..], &*crypto));
        let (before, behind) = listing.around();
        let whole = [before, listing.text(), behind].concat();
        assert_eq!(whole, **view.snapshot().received());
    }
}

#[test]
fn a33_an_expired_snapshot_is_still_a_floor() {
    let mut repository = Repository::new();
    repository.listing = Listing::VersionOnly;
    repository.snapshot.expire("2030-01-02T00:00:00Z");
    repository.timestamp.expire("2030-01-02T00:00:00Z");
    repository.publish();
    let mut world = World::of(repository);
    world.refresh().unwrap();
    world.now = time("2030-03-01T00:00:00Z");
    for document in [
        &mut world.repository.snapshot,
        &mut world.repository.timestamp,
    ] {
        document.expire("2031-01-01T00:00:00Z");
    }
    world.repository.publish();
    world.refuses_with(
        |repository| list(repository, "targets.json", Some(1)),
        "rollback.targets",
        &rollback("targets", 2, 1),
    );
    world.refuses_with(
        |repository| {
            repository.timestamp.set_version(1);
            repository.write();
        },
        "rollback.timestamp",
        &rollback("timestamp", 2, 1),
    );
}

#[test]
fn a33_a_snapshot_that_timestamp_no_longer_lists_is_still_a_floor() {
    let mut world = at_version_5();
    // Half a refresh: the timestamp is stored, the snapshot it lists is withheld.
    world.repository.publish();
    let withheld = world.repository.current("snapshot");
    world.repository.files.remove(&withheld);
    world.refresh().unwrap_err();
    assert_eq!(world.versions(), [1, 6, 5, 5]);
    world.refuses_with(
        |repository| list(repository, "team.json", Some(4)),
        "rollback.delegated",
        &rollback("team", 5, 4),
    );
}

#[test]
fn c31_a_stored_snapshot_is_kept_only_if_it_is_the_listed_one() {
    let mut repository = Repository::new();
    repository.publish();
    let mut world = World::of(repository);
    world.refresh().unwrap();
    // Another timestamp lists the same version with the same bytes …
    world.repository.timestamp.set_version(3);
    world.repository.write();
    world.refresh().unwrap();
    assert_eq!(world.fetched(), ["2.root.json", "timestamp.json"]);
    // … and another one the same version with other bytes.
    world.repository.timestamp.set_version(4);
    insert(&mut world.repository.snapshot.signed, &["x"], "other");
    world.repository.write();
    world.refresh().unwrap();
    assert!(world.fetched().contains(&"2.snapshot.json"));
    assert_eq!(
        world.store[&Item::Role(name("snapshot"))],
        world.repository.snapshot.bytes()
    );
}

#[test]
fn c36_snapshot_is_stored_before_targets_are_asked_for() {
    let mut world = at_version_5();
    world.repository.publish();
    world.refresh().unwrap();
    let story = world.story();
    assert!(
        story.contains("fetch 6.snapshot.json\nput record of the last refresh\nput snapshot metadata\nload targets metadata\nfetch 6.targets.json\nput targets metadata\n"),
        "{story}"
    );
    let stored = &world.store[&Item::Role(name("snapshot"))];
    assert_eq!(*stored, world.repository.snapshot.bytes(), "as received");
}

#[test]
fn c45_roles_are_stored_as_received_once_they_are_verified() {
    let mut world = at_version_5();
    world.repository.add_target("team", "team/tool", b"tool");
    world.repository.publish();
    let mut view = world.refresh().unwrap();
    assert!(
        world
            .story()
            .contains("fetch 6.targets.json\nput targets metadata\n")
    );
    assert_eq!(
        world.store[&Item::Role(name("targets"))],
        world.repository.targets.bytes()
    );
    world.search(&mut view, "team/tool").unwrap();
    assert_eq!(
        world.story(),
        "load team metadata\nfetch 6.team.json\nput team metadata\n"
    );
    assert_eq!(
        world.store[&Item::Role(name("team"))],
        world.repository.delegated["team"].bytes()
    );
    world.search(&mut view, "team/tool").unwrap();
    assert_eq!(world.story(), "", "the view has it");
    let mut view = world.refresh().unwrap();
    world.search(&mut view, "team/tool").unwrap();
    assert_eq!(
        world.story(),
        "load team metadata\n",
        "and so has the store"
    );
}

#[test]
fn f30_snapshot_lists_the_top_level_targets() {
    let mut repository = Repository::new();
    remove(&mut repository.snapshot.signed, &["meta", "targets.json"]);
    repository.write_snapshot();
    let mut world = World::of(repository);
    assert_eq!(
        world.refresh().unwrap_err(),
        Rejected::Unlisted {
            role: name("targets")
        }
    );
    assert_eq!(
        world.versions(),
        [1, 1, 0, 0],
        "and is not stored without them"
    );
    world.recovers();
}

#[test]
fn f31_an_entry_of_snapshot_needs_a_version() {
    let world = at_version_5();
    world.refuses(
        |repository| {
            repository.publish();
            remove(
                &mut repository.snapshot.signed,
                &["meta", "team.json", "version"],
            );
            repository.write_snapshot();
        },
        |rejected| {
            assert_format(
                rejected,
                "snapshot",
                "signed.meta.team.json",
                &Reason::Missing("version"),
            );
        },
    );
}

#[test]
fn f30_a_role_that_snapshot_does_not_list_is_not_searched() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("team", &["team/*"]));
    repository.unlisted.insert("team".to_owned());
    repository.write();
    let mut world = World::of(repository);
    assert_eq!(
        world.find("team/tool").unwrap_err(),
        Rejected::Unlisted { role: name("team") }
    );
    assert!(!world.fetched().contains(&"1.team.json"));
    assert_eq!(
        world.find("nobody's").unwrap_err(),
        Rejected::NotFound {
            path: path("nobody's"),
            searched: 1,
            limit: false
        },
        "other paths are not concerned"
    );
}

#[test]
fn backstop_versions_below_the_known_ones_are_refused() {
    let mut world = World::new();
    world.repository.publish();
    world.policy.minimum_versions.snapshot = Some(version(3));
    world.policy.minimum_versions.root = Some(version(2));
    let expected = |role, minimum, offered| Rejected::Backstop {
        role: name(role),
        minimum: version(minimum),
        offered: version(offered),
    };
    let rejected = world.refresh().unwrap_err();
    assert_eq!(
        (rejected.code(), rejected),
        ("backstop.root", expected("root", 2, 1))
    );
    world.repository.publish_root();
    let rejected = world.refresh().unwrap_err();
    assert_eq!(
        (rejected.code(), rejected),
        ("backstop.snapshot", expected("snapshot", 3, 2))
    );
    assert_eq!(world.stored("snapshot"), None);
    world.recovers();
}
