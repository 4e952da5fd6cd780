//! Timestamp (TUF §5.4): rules C-20 to C-25, decisions.

use tuffet_core::trust::{Event, Item, Rejected, Signers, UncountedReason};

use tuffet_testkit::expect::{
    expired, length, not_signed, rollback, threshold, uncounted, unsigned,
};
use tuffet_testkit::{NOW, Op, Repository, TestKey, World, name, time, version};

/// A client at version 2 of everything but root.
fn at_version_2() -> World {
    let mut world = World::refreshed();
    world.repository.publish();
    world.refresh().unwrap();
    world
}

/// Asserts that an attack is refused with the exact error and leaves the store as it was.
fn refused(world: &World, attack: impl Fn(&mut Repository), code: &str, expected: &Rejected) {
    world.refuses_with(&attack, code, expected);
    let mut victim = world.clone();
    attack(&mut victim.repository);
    victim.refresh().unwrap_err();
    assert_eq!(victim.metadata(), world.metadata(), "{code}");
}

#[test]
fn c20_timestamp_never_has_a_version_in_its_name() {
    let mut world = World::new();
    world.refresh().unwrap();
    let limit = world.policy.limits.timestamp;
    assert!(
        world
            .log
            .contains(&Op::Fetch("timestamp.json".to_owned(), limit))
    );
}

#[test]
fn c20_timestamp_is_received_up_to_the_limit() {
    let mut world = World::new();
    let limit = world.repository.timestamp.bytes().len() as u64;
    world.policy.limits.timestamp = limit - 1;
    let expected = length("timestamp", limit - 1, false, limit);
    assert_eq!(world.refresh().unwrap_err(), expected);
    assert_eq!(expected.code(), "length.timestamp");
    world.policy.limits.timestamp = limit;
    world.refresh().unwrap();
}

#[test]
fn c21_timestamp_needs_the_keys_that_root_names() {
    let world = World::refreshed();
    let sign = |keys: Vec<TestKey>| {
        move |repository: &mut Repository| {
            repository.timestamp.set_version(2);
            repository.timestamp.signers = keys.clone();
            repository.write_timestamp();
        }
    };
    let timestamp = TestKey::new("timestamp");
    let table = [
        (vec![], UncountedReason::NotSigned),
        (vec![TestKey::new("snapshot")], UncountedReason::NotSigned),
        (
            vec![TestKey::new("root-1"), TestKey::new("root-2")],
            UncountedReason::NotSigned,
        ),
        (
            vec![TestKey::new("mallory").named(&timestamp.keyid)],
            UncountedReason::Invalid,
        ),
    ];
    for (keys, reason) in table {
        refused(
            &world,
            sign(keys),
            "threshold.timestamp",
            &unsigned("timestamp", reason),
        );
    }
}

#[test]
fn c21_timestamp_needs_its_threshold() {
    let [one, two, three] = ["t-1", "t-2", "t-3"].map(TestKey::new);
    let mut world = World::new();
    world
        .repository
        .rotate("timestamp", &[one.clone(), two.clone(), three.clone()], 2);
    world.repository.write();
    world.refresh().unwrap();
    let expected = threshold(
        "timestamp",
        Signers::Root(version(2)),
        [1, 2],
        not_signed(&[&one, &three]),
    );
    let attack = |repository: &mut Repository| {
        repository.timestamp.set_version(2);
        repository.timestamp.signers = vec![two.clone()];
        repository.write_timestamp();
    };
    refused(&world, attack, "threshold.timestamp", &expected);
}

#[test]
fn c21_a_signature_of_another_version_does_not_count() {
    let world = World::refreshed();
    let key = TestKey::new("timestamp");
    let attack = |repository: &mut Repository| {
        let old = repository.timestamp.signed.canonical();
        repository.timestamp.set_version(2);
        repository.timestamp.signers.clear();
        repository.timestamp.extra = vec![key.entry(&old)];
        repository.write_timestamp();
    };
    refused(
        &world,
        attack,
        "threshold.timestamp",
        &threshold(
            "timestamp",
            Signers::Root(version(1)),
            [0, 1],
            vec![uncounted(&key, UncountedReason::Invalid)],
        ),
    );
}

#[test]
fn c22_timestamp_does_not_go_back() {
    let mut world = World::refreshed();
    let old = world.repository.clone();
    for _ in 2..=9 {
        world.repository.publish();
    }
    world.refresh().unwrap();
    let attack = |repository: &mut Repository| *repository = old.clone();
    refused(
        &world,
        attack,
        "rollback.timestamp",
        &rollback("timestamp", 9, 1),
    );

    world.now = time("2030-06-01T00:00:00Z");
    assert_eq!(
        world.clone().refresh().unwrap().timestamp().version(),
        version(9)
    );
}

#[test]
fn c22_a_timestamp_of_the_same_version_is_fine_and_changes_nothing() {
    let mut world = at_version_2();
    let before = world.metadata();
    world.refresh().unwrap();
    assert_eq!(world.fetched(), ["2.root.json", "timestamp.json"]);
    assert_eq!(world.metadata(), before);
    let equivocation = |event: &Event| matches!(event, Event::Equivocation { .. });
    assert!(
        !world.events.iter().any(equivocation),
        "the same bytes are no equivocation"
    );
}

#[test]
fn a13_of_two_timestamps_with_one_version_the_first_is_kept_and_the_second_reported() {
    let mut world = at_version_2();
    world.repository.timestamp.expire("2030-12-01T00:00:00Z");
    world.repository.snapshot.set_version(7);
    world.repository.write();
    let stored = world.metadata();
    let view = world.refresh().unwrap();
    assert_eq!(view.snapshot().version(), version(2));
    assert_eq!(world.metadata(), stored);
    let equivocation = Event::Equivocation {
        role: name("timestamp"),
        version: version(2),
    };
    assert!(world.events.contains(&equivocation));
    world.repository.timestamp.set_version(3);
    world.repository.write_timestamp();
    assert_eq!(world.refresh().unwrap().snapshot().version(), version(7));
    assert!(!world.events.contains(&equivocation));
}

#[test]
fn a13_after_half_a_refresh_the_same_timestamp_leads_on_to_the_snapshot() {
    let mut world = World::refreshed();
    world.repository.publish();
    let snapshot = world.repository.current("snapshot");
    let withheld = world.repository.files.remove(&snapshot).unwrap();
    assert_eq!(
        world.refresh().unwrap_err(),
        Rejected::Missing {
            role: name("snapshot"),
            version: Some(version(2))
        }
    );
    assert_eq!(world.versions(), [1, 2, 1, 1]);
    world.repository.files.insert(snapshot, withheld);
    world.refresh().unwrap();
    assert_eq!(world.versions(), [1, 2, 2, 2]);
}

#[test]
fn a14_a_timestamp_of_the_same_version_is_checked_for_expiry_again() {
    let mut world = at_version_2();
    let date = "2030-02-01T00:00:00Z";
    world.repository.timestamp.set_version(3);
    world.repository.timestamp.expire(date);
    world.repository.write();
    world.refresh().unwrap();
    world.now = time("2030-02-01T00:00:00Z");
    let expected = Rejected::Expired {
        role: name("timestamp"),
        version: version(3),
        expires: time(date),
        now: time(date),
    };
    assert_eq!(world.refresh().unwrap_err(), expected);
    // Nor does it help to offer other bytes under that version: the first are the ones that count.
    world.repository.timestamp.expire("2031-01-01T00:00:00Z");
    world.repository.write();
    assert_eq!(world.refresh().unwrap_err(), expected);
    world.recovers();
}

#[test]
fn c23_the_snapshot_that_timestamp_lists_does_not_go_back() {
    let world = at_version_2();
    let attack = |repository: &mut Repository| {
        repository.timestamp.set_version(3);
        repository.snapshot.set_version(1);
        repository.write();
    };
    refused(
        &world,
        attack,
        "rollback.snapshot",
        &rollback("snapshot", 2, 1),
    );
}

#[test]
fn c24_timestamp_must_not_have_expired() {
    let world = World::refreshed();
    let date = "2029-06-01T00:00:00Z";
    let attack = |repository: &mut Repository| {
        repository.timestamp.set_version(2);
        repository.timestamp.expire(date);
        repository.write_timestamp();
    };
    refused(
        &world,
        attack,
        "expired.timestamp",
        &expired("timestamp", 2, date),
    );
}

#[test]
fn a10_timestamp_that_expires_at_this_second_has_expired() {
    let world = World::refreshed();
    let until = |date: &'static str| {
        move |repository: &mut Repository| {
            repository.timestamp.set_version(2);
            repository.timestamp.expire(date);
            repository.write_timestamp();
        }
    };
    refused(
        &world,
        until(NOW),
        "expired.timestamp",
        &expired("timestamp", 2, NOW),
    );
    let mut fine = world.clone();
    until("2030-01-01T00:00:01Z")(&mut fine.repository);
    fine.refresh().unwrap();
}

#[test]
fn c25_timestamp_is_stored_before_the_snapshot_is_asked_for() {
    let mut world = World::refreshed();
    world.repository.publish();
    world.refresh().unwrap();
    let story = world.story();
    assert!(
        story.contains("put timestamp metadata\nfetch 2.snapshot.json\n"),
        "{story}"
    );
    assert_eq!(
        world.store[&Item::Role(name("timestamp"))],
        world.repository.timestamp.bytes(),
        "as received"
    );
}

#[test]
fn c20_a_timestamp_that_is_withheld_is_an_error() {
    let world = World::refreshed();
    let withhold = |repository: &mut Repository| {
        repository.files.remove("timestamp.json");
    };
    let expected = Rejected::Missing {
        role: name("timestamp"),
        version: None,
    };
    refused(&world, withhold, "missing.timestamp", &expected);
}
