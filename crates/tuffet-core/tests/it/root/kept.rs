//! The roots that a client keeps: floors that nobody can lower, and nothing more (decisions A-32, A-34).

use tuffet_core::trust::{Event, Item, Mode, TrustAnchor};

use tuffet_testkit::expect::rollback;
use tuffet_testkit::{Repository, TestKey, World, name, version};

#[test]
fn o06_a32_stored_roots_count_only_as_successors_of_the_anchor() {
    let mut world = World::new();
    world.repository.publish_root();
    world.refresh().unwrap();
    let honest = world.metadata();

    // Whoever can write the store puts a root of his own there, as successor and as current root.
    let mut forged = Repository::new();
    let mallory = TestKey::new("mallory");
    forged.set_role("root", std::slice::from_ref(&mallory), 1);
    forged.root.signers = vec![mallory];
    forged.root.set_version(2);
    world
        .store
        .insert(Item::Root(version(2)), forged.root.bytes());
    world
        .store
        .insert(Item::Role(name("root")), forged.root.bytes());
    let view = world.refresh().unwrap();
    assert_eq!(
        **view.root().received(),
        world.repository.files["2.root.json"]
    );
    assert_eq!(world.metadata(), honest, "the store is repaired");
    assert!(world.events.iter().any(|event| matches!(
        event,
        Event::CacheIgnored { item, reason } if *item == Item::Root(version(2)) && reason.code() == "threshold.root"
    )));
}

#[test]
fn a32_an_anchor_newer_than_the_store_is_what_counts() {
    let mut world = World::refreshed();
    for _ in 2..=3 {
        world.repository.publish_root();
    }
    world.anchor = TrustAnchor::Root(world.repository.files["3.root.json"].clone());
    world.refresh().unwrap();
    assert_eq!(world.fetched(), ["4.root.json", "timestamp.json"]);
    assert_eq!(world.stored("root"), Some(3));
}

/// A client at root 3 whose way there is lost: of the roots it keeps only the copy of the current one.
fn without_a_way() -> World {
    let mut world = World::refreshed();
    for _ in 2..=3 {
        world.repository.publish_root();
    }
    world.refresh().unwrap();
    world.store.remove(&Item::Root(version(2)));
    world.store.remove(&Item::Root(version(3)));
    world
}

#[test]
fn a32_a_stored_root_that_the_chain_does_not_reach_is_a_floor() {
    for (withheld, reached) in [("2.root.json", 1), ("3.root.json", 2)] {
        for strict in [false, true] {
            let mut world = without_a_way();
            world.policy.strict_local = strict;
            world.repository.files.remove(withheld);
            let kept = world.store[&Item::Role(name("root"))].clone();
            let rejected = world.refresh().unwrap_err();
            assert_eq!(rejected, rollback("root", 3, reached));
            assert_eq!(world.store[&Item::Role(name("root"))], kept);
            assert!(!world.fetched().contains(&"timestamp.json"));
            // The evidence stays: nothing is forgotten by trying again.
            assert_eq!(world.refresh().unwrap_err(), rollback("root", 3, reached));
        }
    }
}

#[test]
fn a32_a_way_that_is_lost_is_found_again_at_the_repository() {
    let mut world = without_a_way();
    world.repository.publish_root();
    world.policy.strict_local = true;
    let view = world.refresh().unwrap();
    assert_eq!(view.root().version(), version(4));
    assert_eq!(world.stored("root"), Some(4));
}

#[test]
fn a32_offline_a_root_whose_way_is_lost_is_a_floor_too() {
    let mut world = without_a_way();
    world.mode = Mode::Offline;
    assert_eq!(world.refresh().unwrap_err(), rollback("root", 3, 1));
}

#[test]
fn a32_what_a_lost_root_has_accepted_is_not_taken_over_by_an_older_one() {
    for role in ["timestamp", "snapshot"] {
        let mut world = World::refreshed();
        world.repository.publish_root();
        world.repository.publish();
        world.refresh().unwrap();
        let other = if role == "timestamp" {
            "snapshot"
        } else {
            "timestamp"
        };
        for item in [
            Item::Root(version(2)),
            Item::Role(name("root")),
            Item::Role(name(other)),
        ] {
            world.store.remove(&item);
        }
        world.repository.files.remove("2.root.json");
        let before = world.store.get(&Item::Role(name(role))).cloned();
        assert_eq!(world.refresh().unwrap_err(), rollback("root", 2, 1));
        assert_eq!(world.store.get(&Item::Role(name(role))).cloned(), before);
    }
}

#[test]
fn a32_the_record_alone_is_a_floor() {
    let mut world = World::refreshed();
    world.repository.publish_root();
    world.repository.publish();
    world.refresh().unwrap();
    world.store.retain(|item, _| *item == Item::Record);
    let newer = world.repository.files.remove("2.root.json").unwrap();
    for _ in 0..2 {
        assert_eq!(world.refresh().unwrap_err(), rollback("root", 2, 1));
        assert!(!world.fetched().contains(&"timestamp.json"));
        assert_eq!(world.stored("root"), None, "no older root is current");
    }
    world
        .repository
        .files
        .insert("2.root.json".to_owned(), newer);
    world.refresh().unwrap();
    assert_eq!(world.stored("root"), Some(2));
}

#[test]
fn a32_a_digit_that_changed_in_the_record_is_no_floor() {
    let mut world = World::refreshed();
    let record = String::from_utf8(world.store[&Item::Record].clone()).unwrap();
    let damaged = record.replace(r#""root":1"#, r#""root":7"#);
    assert_ne!(damaged, record);
    world.store.insert(Item::Record, damaged.into_bytes());
    let ignored = |world: &World| {
        let record = |event: &&Event| matches!(event, Event::CacheIgnored { item: Item::Record, reason } if reason.code() == "format.root");
        world.events.iter().filter(record).count()
    };
    world.refresh().unwrap();
    assert_eq!((world.stored("root"), ignored(&world)), (Some(1), 1));
    world.refresh().unwrap();
    assert_eq!(ignored(&world), 0, "the record is repaired");
}

#[test]
fn a34_a_damaged_copy_of_the_root_locks_nobody_out() {
    let mut world = World::refreshed();
    let mut forged = world.repository.root.clone();
    forged.set_version(9);
    forged.signers = vec![TestKey::new("mallory")];
    for (damaged, code) in [
        (b"{}".to_vec(), "format.root"),
        (forged.bytes(), "threshold.root"),
    ] {
        let item = Item::Role(name("root"));
        world.store.insert(item.clone(), damaged);
        let mut strict = world.clone();
        strict.policy.strict_local = true;
        let rejected = strict.refresh().unwrap_err();
        assert_eq!(rejected.code(), "cache.corrupt");
        world.refresh().unwrap();
        assert_eq!(world.stored("root"), Some(1));
        assert!(world.events.iter().any(|event| matches!(
            event,
            Event::CacheIgnored { item: ignored, reason } if *ignored == item && reason.code() == code
        )));
    }
}
