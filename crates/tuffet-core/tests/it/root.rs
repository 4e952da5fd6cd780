//! The chain of roots (TUF §5.2, §5.3): rules C-02 to C-10 and C-12, decisions.

mod kept;

use tuffet_core::json::Reason;
use tuffet_core::trust::{Event, Item, Mode, Signers, TrustAnchor};

use tuffet_testkit::expect::{
    assert_format, expired, length, not_signed, threshold, wrong_version,
};
use tuffet_testkit::{NOW, Repository, TestKey, World, insert, name, time, version};

fn keys<const N: usize>(names: [&str; N]) -> [TestKey; N] {
    names.map(TestKey::new)
}

#[test]
fn c02_anchor_must_be_signed_by_a_threshold_of_its_own_keys() {
    let [one, two, three] = keys(["root-1", "root-2", "root-3"]);
    let mut repository = Repository::new();
    repository.root.signers = vec![two.clone()];
    let mut world = World::of(repository);
    assert_eq!(
        world.refresh().unwrap_err(),
        threshold(
            "root",
            Signers::Root(version(1)),
            [1, 2],
            not_signed(&[&one, &three])
        )
    );
    assert_eq!(
        world.story(),
        "load record of the last refresh\nrefused threshold.root\n"
    );
    assert!(world.store.is_empty());
}

#[test]
fn c02_anchor_must_be_a_root() {
    let mut world = World::new();
    world.anchor = TrustAnchor::Root(world.repository.timestamp.bytes());
    let rejected = world.refresh().unwrap_err();
    assert_format(&rejected, "root", "signed._type", &Reason::Expected("root"));
}

#[test]
fn c02_expiry_of_the_anchor_does_not_matter() {
    let mut repository = Repository::new();
    repository.root.expire("2029-01-01T00:00:00Z");
    repository.write_root();
    let mut world = World::of(repository);
    world.repository.root.expire("2031-01-01T00:00:00Z");
    world.repository.publish_root();
    let view = world.refresh().unwrap();
    assert_eq!(view.root().version(), version(2));
}

#[test]
fn c03_every_root_between_is_fetched_in_order() {
    let mut world = World::new();
    for number in 2..=4 {
        let key = TestKey::new(&format!("timestamp of root {number}"));
        world.repository.rotate("timestamp", &[key], 1);
    }
    world.repository.publish();
    assert_eq!(world.refresh().unwrap().root().version(), version(4));
    assert_eq!(
        world.fetched()[..4],
        ["2.root.json", "3.root.json", "4.root.json", "5.root.json"]
    );
}

#[test]
fn c03_a_root_that_is_left_out_ends_the_chain() {
    let mut world = World::new();
    world.repository.publish_root();
    world.repository.publish_root();
    world.repository.files.remove("2.root.json");
    assert_eq!(world.refresh().unwrap().root().version(), version(1));
    assert!(!world.fetched().contains(&"3.root.json"));
}

#[test]
fn c04_roots_have_a_version_in_their_name_without_consistent_snapshots_too() {
    let mut repository = Repository::new();
    insert(&mut repository.root.signed, &["consistent_snapshot"], false);
    repository.write_root();
    repository.write();
    let mut world = World::of(repository);
    world.repository.publish_root();
    world.refresh().unwrap();
    assert_eq!(
        world.fetched(),
        [
            "2.root.json",
            "3.root.json",
            "timestamp.json",
            "snapshot.json",
            "targets.json"
        ]
    );
}

#[test]
fn c04_root_is_received_up_to_the_limit() {
    let mut world = World::new();
    world.repository.publish_root();
    let limit = world.repository.root.bytes().len() as u64;
    world.policy.limits.root = limit;
    assert_eq!(world.refresh().unwrap().root().version(), version(2));

    let mut world = World::new();
    world.repository.publish_root();
    world.policy.limits.root = limit - 1;
    assert_eq!(
        world.refresh().unwrap_err(),
        length("root", limit - 1, false, limit)
    );
}

#[test]
fn c05_root_needs_threshold_of_old_and_new_keys() {
    let [old1, old2, old3] = keys(["root-1", "root-2", "root-3"]);
    let [new1, new2, new3] = keys(["new-1", "new-2", "new-3"]);
    let by_old = |have, missing: &[&TestKey]| {
        Some(threshold(
            "root",
            Signers::Root(version(1)),
            [have, 2],
            not_signed(missing),
        ))
    };
    let by_new = |have, missing: &[&TestKey]| {
        Some(threshold(
            "root",
            Signers::Root(version(2)),
            [have, 3],
            not_signed(missing),
        ))
    };
    let table = [
        (vec![], by_old(0, &[&old1, &old2, &old3])),
        (vec![&new1, &new2, &new3], by_old(0, &[&old1, &old2, &old3])),
        (vec![&old3, &new1, &new2, &new3], by_old(1, &[&old1, &old2])),
        (vec![&old1, &old2], by_new(0, &[&new1, &new2, &new3])),
        (vec![&old1, &old2, &old3, &new3, &new1], by_new(2, &[&new2])),
        (vec![&old2, &old3, &new1, &new2, &new3], None),
    ];
    let world = World::refreshed();
    for (signers, expected) in table {
        let attack = |repository: &mut Repository| {
            repository.set_role("root", &[new1.clone(), new2.clone(), new3.clone()], 3);
            repository.root.signers = signers.into_iter().cloned().collect();
            repository.publish_root();
        };
        match expected {
            Some(expected) => world.refuses_with(attack, "threshold.root", &expected),
            None => {
                let mut world = world.clone();
                attack(&mut world.repository);
                assert_eq!(world.refresh().unwrap().root().version(), version(2));
            }
        }
    }
}

#[test]
fn c05_a_key_that_stays_counts_for_old_and_new() {
    let mut world = World::refreshed();
    let [one, two, new] = keys(["root-1", "root-2", "new"]);
    world
        .repository
        .set_role("root", &[new, two.clone(), one.clone()], 2);
    world.repository.root.signers = vec![one, two];
    world.repository.publish_root();
    assert_eq!(world.refresh().unwrap().root().version(), version(2));
}

#[test]
fn c05_threshold_of_the_new_root_counts_for_its_own_signatures() {
    let world = World::refreshed();
    let [one, two, three] = keys(["root-1", "root-2", "root-3"]);
    world.refuses_with(
        |repository| {
            let all = [one.clone(), two.clone(), three.clone()];
            repository.set_role("root", &all, 3);
            repository.publish_root();
        },
        "threshold.root",
        &threshold(
            "root",
            Signers::Root(version(2)),
            [2, 3],
            not_signed(&[&three]),
        ),
    );
}

#[test]
fn c05_the_next_refresh_starts_from_the_last_good_root() {
    let mut world = World::refreshed();
    world.repository.publish_root();
    let good = world.repository.clone();
    world.repository.root.signers.clear();
    world.repository.publish_root();
    assert_eq!(world.refresh().unwrap_err().code(), "threshold.root");
    assert_eq!(world.stored("root"), Some(2));
    assert!(!world.store.contains_key(&Item::Root(version(3))));
    world.repository = good;
    world.recovers();
    assert_eq!(world.fetched()[0], "3.root.json");
}

#[test]
fn c06_root_version_is_exactly_the_next() {
    let world = World::refreshed();
    for offered in [1, 3, 4, 1_000] {
        world.refuses_with(
            |repository| {
                repository.root.set_version(offered);
                let bytes = repository.root.bytes();
                repository.files.insert("2.root.json".to_owned(), bytes);
            },
            "version.root",
            &wrong_version("root", 2, offered),
        );
    }
}

#[test]
fn c07_expiry_of_intermediate_roots_does_not_matter() {
    let mut world = World::refreshed();
    world.repository.root.expire("2001-01-01T00:00:00Z");
    world.repository.publish_root();
    world.repository.root.expire("2031-01-01T00:00:00Z");
    world.repository.publish_root();
    assert_eq!(world.refresh().unwrap().root().version(), version(3));
}

#[test]
fn c08_every_root_is_stored_before_the_next_is_fetched() {
    let mut world = World::refreshed();
    world.repository.publish_root();
    world.repository.publish_root();
    world.refresh().unwrap();
    let story = world.story();
    assert!(
        story.contains(
            "fetch 2.root.json\nput root version 1\nput root version 2\nput root metadata\n\
             fetch 3.root.json\nput root version 3\nput root metadata\n\
             fetch 4.root.json\nload timestamp metadata\n"
        ),
        "{story}"
    );
    for number in [2, 3] {
        let stored = &world.store[&Item::Root(version(number))];
        assert_eq!(
            stored,
            &world.repository.files[&format!("{number}.root.json")]
        );
    }
    assert_eq!(
        world.store[&Item::Role(name("root"))],
        world.repository.files["3.root.json"]
    );
}

#[test]
fn c09_stored_roots_are_not_fetched_again() {
    let mut world = World::refreshed();
    world.repository.publish_root();
    world.refresh().unwrap();
    world.refresh().unwrap();
    assert_eq!(world.fetched(), ["3.root.json", "timestamp.json"]);
}

#[test]
fn c10_final_root_must_not_have_expired() {
    let date = "2029-12-31T23:59:59Z";
    let mut world = World::refreshed();
    let good = world.repository.clone();
    world.repository.root.expire(date);
    world.repository.publish_root();
    assert_eq!(world.refresh().unwrap_err(), expired("root", 2, date));
    assert_eq!(world.stored("root"), Some(2), "it stays stored");
    assert_eq!(
        world.fetched(),
        ["2.root.json", "3.root.json"],
        "and nothing else is asked for"
    );

    world.repository = Repository {
        root: world.repository.root.clone(),
        ..good
    };
    world.repository.root.expire("2031-01-01T00:00:00Z");
    world.repository.publish_root();
    world.recovers();
}

#[test]
fn a10_root_that_expires_at_this_second_has_expired() {
    let world = World::refreshed();
    let publish = |repository: &mut Repository, date: &str| {
        repository.root.expire(date);
        repository.publish_root();
    };
    let mut victim = world.clone();
    publish(&mut victim.repository, NOW);
    assert_eq!(victim.refresh().unwrap_err(), expired("root", 2, NOW));

    let mut fine = world.clone();
    publish(&mut fine.repository, "2030-01-01T00:00:01Z");
    assert!(fine.refresh().is_ok());
}

#[test]
fn c12_consistent_snapshot_is_that_of_the_final_root() {
    let mut repository = Repository::new();
    insert(&mut repository.root.signed, &["consistent_snapshot"], false);
    repository.write_root();
    let mut world = World::of(repository);
    for consistent in [true, false] {
        insert(
            &mut world.repository.root.signed,
            &["consistent_snapshot"],
            consistent,
        );
        world.repository.publish_root();
    }
    world.repository.write();
    world.refresh().unwrap();
    assert_eq!(
        world.fetched()[3..],
        ["timestamp.json", "snapshot.json", "targets.json"]
    );

    insert(
        &mut world.repository.root.signed,
        &["consistent_snapshot"],
        true,
    );
    world.repository.publish_root();
    world.repository.publish();
    world.refresh().unwrap();
    assert_eq!(
        world.fetched()[2..],
        ["timestamp.json", "2.snapshot.json", "2.targets.json"]
    );
}

#[test]
fn a16_at_the_limit_of_roots_the_refresh_goes_on_and_the_next_continues() {
    let mut world = World::refreshed();
    world.policy.limits.roots = 2;
    for _ in 2..=4 {
        world.repository.publish_root();
    }
    let view = world.refresh().unwrap();
    assert_eq!(view.root().version(), version(3));
    assert_eq!(
        world.fetched(),
        ["2.root.json", "3.root.json", "timestamp.json"]
    );
    assert!(world.events.contains(&Event::RootLimitReached {
        version: version(3)
    }));

    let view = world.refresh().unwrap();
    assert_eq!(view.root().version(), version(4));
    assert_eq!(
        world.fetched(),
        ["4.root.json", "5.root.json", "timestamp.json"]
    );
    assert!(
        !world
            .events
            .iter()
            .any(|event| matches!(event, Event::RootLimitReached { .. }))
    );
}

#[test]
fn a17_a_successor_that_is_refused_is_not_the_end_of_the_chain() {
    let world = World::refreshed();
    world.refuses(
        |repository| {
            repository
                .files
                .insert("2.root.json".to_owned(), b"<html>".to_vec());
        },
        |rejected| assert_format(rejected, "root", "", &Reason::Syntax("not a JSON value")),
    );
}

#[test]
fn o06_the_stored_root_alone_is_trusted_only_by_name() {
    let mut world = World::new();
    world.anchor = TrustAnchor::DangerousStoredRoot;
    let rejected = world.refresh().unwrap_err();
    assert_eq!(
        rejected.code(),
        "offline.missing",
        "there is none, and none is fetched"
    );
    assert!(world.fetched().is_empty());

    let mut world = World::refreshed();
    world.repository.publish_root();
    world.anchor = TrustAnchor::DangerousStoredRoot;
    assert_eq!(world.refresh().unwrap().root().version(), version(2));
    assert_eq!(world.refresh().unwrap().root().version(), version(2));
    assert_eq!(world.fetched(), ["3.root.json", "timestamp.json"]);
}

#[test]
fn c10_offline_the_last_root_must_not_have_expired_either() {
    let mut world = World::refreshed();
    world.mode = Mode::Offline;
    assert!(world.refresh().is_ok());
    world.now = time("2031-01-01T00:00:00Z");
    assert_eq!(world.refresh().unwrap_err().code(), "expired.root");
}
