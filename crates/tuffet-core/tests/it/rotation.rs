//! What a rotation of the online keys makes void (TUF §5.3.11): rule C-11, decision A-15.

mod anchor;

use tuffet_core::json::Value;
use tuffet_core::trust::{Event, Item, TrustAnchor};

use tuffet_testkit::expect::rollback;
use tuffet_testkit::{Op, Stop, TestKey, World, array, insert, name, sha256, text, version};

const HIGH: u64 = i64::MAX as u64;

fn key(name: &str) -> Vec<TestKey> {
    vec![TestKey::new(name)]
}

/// A client that a thief of the online keys has driven to the highest versions there are.
fn fast_forwarded() -> World {
    let mut world = World::refreshed();
    let honest = world.repository.clone();
    world.repository.timestamp.set_version(HIGH);
    world.repository.snapshot.set_version(HIGH);
    world.repository.write();
    world.refresh().unwrap();
    assert_eq!(world.versions(), [1, HIGH, HIGH, 1]);
    world.repository = honest;
    world.repository.publish();
    world
}

fn purged(world: &World) -> Option<u64> {
    world.events.iter().find_map(|event| match event {
        Event::Purged { root } => Some(root.number()),
        _ => None,
    })
}

fn deletes(world: &World) -> Vec<&Op> {
    world
        .log
        .iter()
        .filter(|op| matches!(op, Op::Delete(_)))
        .collect()
}

#[test]
fn c11_without_a_rotation_the_client_stays_where_the_thief_left_it() {
    let mut world = fast_forwarded();
    assert_eq!(world.refresh().unwrap_err(), rollback("timestamp", HIGH, 2));
    world.repository.rotate("targets", &key("other"), 1);
    world.repository.rotate("root", &key("other root"), 1);
    world.repository.write();
    assert_eq!(
        world.refresh().unwrap_err(),
        rollback("timestamp", HIGH, 2),
        "neither targets nor root keys say anything about timestamp and snapshot"
    );
    assert_eq!(purged(&world), None);
}

#[test]
fn c11_a_rotated_timestamp_or_snapshot_key_voids_both_files() {
    for role in ["timestamp", "snapshot"] {
        let mut world = fast_forwarded();
        world.repository.rotate(role, &key("new"), 1);
        world.repository.write();
        let view = world.refresh().unwrap();
        assert_eq!(
            (view.timestamp().version(), view.snapshot().version()),
            (version(2), version(2))
        );
        assert_eq!(purged(&world), Some(2), "{role}");
        let story = world.story();
        let deletion =
            "delete timestamp metadata\ndelete snapshot metadata\nfetch timestamp.json\n";
        assert!(story.contains(deletion), "{story}");
        assert_eq!(world.versions(), [2, 2, 2, 2]);

        world.repository.publish();
        world.refresh().unwrap();
        assert_eq!(
            (purged(&world), deletes(&world)),
            (None, vec![]),
            "once is enough"
        );
    }
}

#[test]
fn c11_a_key_that_leaves_a_role_of_several_keys_is_a_rotation() {
    let mut world = World::new();
    let (stays, leaves) = (TestKey::new("timestamp"), TestKey::new("stolen"));
    world
        .repository
        .rotate("timestamp", &[stays.clone(), leaves], 1);
    world.repository.timestamp.set_version(HIGH);
    world.repository.write();
    world.refresh().unwrap();

    // Signed by both: the file is still good under the new root, and void all the same.
    world.repository.rotate("timestamp", &[stays], 1);
    // Later roots that rotate nothing do not make it less so.
    world.repository.publish_root();
    world.repository.publish_root();
    world.repository.timestamp.set_version(2);
    world.repository.write();
    world.refresh().unwrap();
    assert_eq!(
        (purged(&world), world.stored("timestamp")),
        (Some(3), Some(2))
    );
}

#[test]
fn a15_a_key_that_left_and_came_back_was_rotated() {
    for role in ["timestamp", "snapshot"] {
        let mut world = fast_forwarded();
        world.repository.rotate(role, &key("between"), 1);
        world.repository.rotate(role, &key(role), 1);
        world.repository.write();
        world.refresh().unwrap();
        assert_eq!(purged(&world), Some(3), "{role}");
        assert_eq!(world.versions(), [3, 2, 2, 2]);
    }
}

#[test]
fn a15_a_key_that_is_added_or_renamed_is_no_rotation() {
    let mut world = fast_forwarded();
    let timestamp = TestKey::new("timestamp");
    world
        .repository
        .rotate("timestamp", &[timestamp.clone(), TestKey::new("added")], 1);
    world.repository.write();
    assert_eq!(world.refresh().unwrap_err(), rollback("timestamp", HIGH, 2));

    let mut world = fast_forwarded();
    world
        .repository
        .rotate("timestamp", &[timestamp.named("another id")], 1);
    world.repository.write();
    assert_eq!(world.refresh().unwrap_err(), rollback("timestamp", HIGH, 2));
    assert_eq!(purged(&world), None, "no key has left");
}

#[test]
fn a33_a_file_signed_under_a_former_keyid_is_still_a_floor() {
    for role in ["timestamp", "snapshot"] {
        let mut world = World::refreshed();
        let old = world.repository.clone();
        world.repository.publish();
        world.refresh().unwrap();
        let renamed = TestKey::new(role).named("another id");
        // Whoever replays the old file writes the new keyid beside the signature, which is by the same key.
        let mut replay = world.clone();
        for document in ["timestamp", "snapshot", "targets"] {
            *replay.repository.document(document) = match document {
                "timestamp" => old.timestamp.clone(),
                "snapshot" => old.snapshot.clone(),
                _ => old.targets.clone(),
            };
        }
        if role == "snapshot" {
            // The thief has the timestamp key, and with it the version of snapshot alone goes up.
            replay.repository.timestamp.set_version(3);
            replay.repository.snapshot.set_version(3);
        }
        for repository in [&mut replay.repository, &mut world.repository] {
            repository.rotate(role, std::slice::from_ref(&renamed), 1);
            repository.write();
        }
        let before = replay.metadata();
        let (of, trusted, offered) = match role {
            "timestamp" => ("timestamp", 2, 1),
            _ => ("targets", 2, 1),
        };
        assert_eq!(
            replay.refresh().unwrap_err(),
            rollback(of, trusted, offered),
            "{role}"
        );
        assert_eq!(replay.stored(of), Some(trusted));
        assert_eq!(
            before[&Item::Role(name("snapshot"))],
            replay.metadata()[&Item::Role(name("snapshot"))]
        );
        // The honest file of the same version, signed anew, takes its place.
        if role == "snapshot" {
            // It is another file for the timestamp that lists it.
            world.repository.timestamp.set_version(3);
            world.repository.write();
        }
        let view = world.refresh().unwrap();
        assert_eq!(view.snapshot().version(), version(2), "{role}");
        let counted = match role {
            "timestamp" => &view.timestamp().quorum().counted,
            _ => &view.snapshot().quorum().counted,
        };
        assert_eq!(counted[0].keyid.as_str(), "another id");
        world.recovers();
    }
}

#[test]
fn a33_a_file_below_the_present_threshold_is_no_floor() {
    let mut world = fast_forwarded();
    let timestamp = TestKey::new("timestamp");
    let keys = [timestamp.named("another id"), TestKey::new("added")];
    world.repository.rotate("timestamp", &keys, 2);
    world.repository.rotate("snapshot", &key("snapshot 2"), 1);
    world.store.remove(&Item::Record);
    world.repository.write();
    world.refresh().unwrap();
    assert_eq!(world.stored("timestamp"), Some(2));
}

#[test]
fn a33_a_raised_threshold_leaves_the_floor_where_it_is() {
    let [one, two] = TestKey::all(["one", "two"]);
    for role in ["timestamp", "snapshot"] {
        // Once, two keys had to sign; then one was enough, for the files that the client knows.
        let mut world = World::new();
        world
            .repository
            .rotate(role, &[one.clone(), two.clone()], 2);
        world.repository.write();
        world.refresh().unwrap();
        let old = world.repository.clone();
        world
            .repository
            .rotate(role, &[one.clone(), two.clone()], 1);
        world.repository.document(role).signers = vec![one.clone()];
        world.repository.publish();
        world.refresh().unwrap();
        // When two have to sign again, the old files are good by their signatures, and somebody serves them.
        world
            .repository
            .rotate(role, &[one.clone(), two.clone()], 2);
        let mut replay = world.clone();
        for document in ["timestamp", "snapshot", "targets"] {
            *replay.repository.document(document) = match document {
                "timestamp" => old.timestamp.clone(),
                "snapshot" => old.snapshot.clone(),
                _ => old.targets.clone(),
            };
        }
        if role == "snapshot" {
            // The thief has the timestamp key, and with it the version of snapshot alone goes up.
            replay.repository.timestamp.set_version(3);
            replay.repository.snapshot.set_version(3);
        }
        replay.repository.write();
        let of = if role == "snapshot" { "targets" } else { role };
        assert_eq!(replay.refresh().unwrap_err(), rollback(of, 2, 1), "{role}");
        world.recovers();
    }
}

#[test]
fn a15_files_accepted_by_the_root_that_rotated_are_not_void() {
    let mut world = World::refreshed();
    world.repository.rotate("timestamp", &key("new"), 1);
    world.repository.publish();
    world.refresh().unwrap();
    let stored = world.repository.clone();
    world.repository.publish();
    world.refresh().unwrap();
    world.repository = stored;
    assert_eq!(world.refresh().unwrap_err(), rollback("timestamp", 3, 2));
}

#[test]
fn a15_a_rotation_is_remembered_while_the_chain_is_cut_at_the_limit() {
    let mut world = fast_forwarded();
    world.policy.limits.roots = 1;
    world.repository.rotate("timestamp", &key("between"), 1);
    world.repository.rotate("timestamp", &key("timestamp"), 1);
    world.repository.write();
    // The first refresh ends at root 2, which does not know the key of the timestamp that is offered.
    let rejected = world.refresh().unwrap_err();
    assert_eq!(rejected.code(), "threshold.timestamp");
    world.refresh().unwrap();
    assert_eq!(world.versions(), [3, 2, 2, 2]);
}

#[test]
fn a15_without_a_record_the_floor_is_kept_as_long_as_it_verifies() {
    let mut world = fast_forwarded();
    world.store.remove(&Item::Record);
    world.repository.rotate("timestamp", &key("between"), 1);
    world.repository.rotate("timestamp", &key("timestamp"), 1);
    world.repository.write();
    assert_eq!(world.refresh().unwrap_err(), rollback("timestamp", HIGH, 2));
}

#[test]
fn a15_a_stored_file_that_the_present_keys_did_not_sign_is_no_floor() {
    let mut world = fast_forwarded();
    world.store.remove(&Item::Record);
    world.repository.rotate("timestamp", &key("new"), 1);
    world.repository.rotate("snapshot", &key("new snapshot"), 1);
    world.repository.write();
    world.policy.strict_local = true;
    world
        .refresh()
        .expect("what a rotation leaves behind is no damage, in strict mode either");
    assert_eq!(world.versions(), [3, 2, 2, 2]);
    for role in ["timestamp", "snapshot"] {
        assert!(world.events.iter().any(|event| matches!(
            event,
            Event::CacheIgnored { item, reason }
                if *item == Item::Role(name(role)) && reason.code() == format!("threshold.{role}")
        )));
    }
}

#[test]
fn a15_a_void_snapshot_takes_the_timestamp_with_it() {
    let mut world = fast_forwarded();
    // Nobody knows any more who accepted the timestamp.
    let record = Value::parse(&world.store[&Item::Record]).unwrap();
    let mut forgetful = record.get("record").unwrap().clone();
    insert(&mut forgetful, &["timestamp"], array([]));
    let content = forgetful.to_compact_json();
    let digest = sha256(&content).to_hex();
    let mut written = record.clone();
    insert(&mut written, &["record"], forgetful);
    insert(&mut written, &["sha256"], text(&digest));
    world.store.insert(Item::Record, written.to_compact_json());
    world.repository.rotate("timestamp", &key("between"), 1);
    world.repository.rotate("timestamp", &key("timestamp"), 1);
    world.repository.write();
    world.refresh().unwrap();
    assert_eq!((purged(&world), world.versions()), (Some(3), [3, 2, 2, 2]));
}

#[test]
fn a15_one_void_file_is_enough() {
    for (role, other) in [("timestamp", "snapshot"), ("snapshot", "timestamp")] {
        let mut world = fast_forwarded();
        world.store.remove(&Item::Role(name(other)));
        world.repository.rotate(role, &key("between"), 1);
        world.repository.rotate(role, &key(role), 1);
        world.repository.write();
        world.refresh().unwrap();
        assert_eq!(purged(&world), Some(3), "{role}");
        assert_eq!(world.versions(), [3, 2, 2, 2]);
    }
}

#[test]
fn a15_a_file_that_is_accepted_again_after_a_rotation_is_not_void_again() {
    let mut world = World::new();
    let (stays, leaves) = (TestKey::new("timestamp"), TestKey::new("leaves"));
    world
        .repository
        .rotate("timestamp", &[stays.clone(), leaves], 1);
    world.repository.write();
    world.refresh().unwrap();
    // The repository goes on offering the very same timestamp, which the key that stays has signed.
    let bytes = world.repository.files["timestamp.json"].clone();
    world.repository.rotate("timestamp", &[stays], 1);
    world
        .repository
        .files
        .insert("timestamp.json".to_owned(), bytes);
    world.refresh().unwrap();
    assert_eq!(purged(&world), Some(3));
    assert_eq!(remembered(&world), [1, 1]);
    world.refresh().unwrap();
    assert_eq!((purged(&world), deletes(&world)), (None, vec![]));
}

/// How many acceptances of timestamp and of snapshot the record holds.
fn remembered(world: &World) -> [usize; 2] {
    let record = Value::parse(&world.store[&Item::Record]).expect("a record");
    ["timestamp", "snapshot"].map(|role| {
        let entries = record
            .get("record")
            .unwrap()
            .get(role)
            .and_then(Value::as_array);
        entries.expect("acceptances").len()
    })
}

/// Crashes after every operation, and after every operation of the refresh after that.
fn crash_in_rotation(start: &World) {
    let steps = {
        let mut whole = start.clone();
        whole.refresh().unwrap();
        whole.log.len()
    };
    for first in 0..steps {
        for second in (0..steps).step_by(4) {
            let mut world = start.clone();
            for stop in [first, second] {
                world.stop_after = Some(stop);
                match world.try_refresh() {
                    Ok(_) | Err(Stop::Crash) => {}
                    Err(stop) => panic!("{first}, {second}: {stop:?}"),
                }
            }
            world.stop_after = None;
            world
                .refresh()
                .unwrap_or_else(|rejected| panic!("{first}, {second}: {rejected}"));
            assert_eq!(world.versions(), [3, 2, 2, 2], "{first}, {second}");

            // The purge is over: from here on there is a floor again.
            world.repository.publish();
            let old = world.repository.clone();
            world.repository.publish();
            world.refresh().unwrap();
            world.repository = old;
            assert_eq!(world.refresh().unwrap_err(), rollback("timestamp", 4, 3));
        }
    }
}

/// A client whose repository has rotated the snapshot key, and another one for that one.
fn rotated(last: &str) -> World {
    let mut world = fast_forwarded();
    world.repository.rotate("snapshot", &key("between"), 1);
    world.repository.rotate("snapshot", &key(last), 1);
    world.repository.write();
    world
}

#[test]
fn a15_a_crash_at_any_step_of_a_rotation_neither_keeps_void_files_nor_loses_floors() {
    crash_in_rotation(&rotated("snapshot"));
    crash_in_rotation(&rotated("new"));
}

#[test]
fn a15_a_crash_does_not_keep_void_files_where_the_stored_root_is_the_anchor() {
    for last in ["snapshot", "new"] {
        let mut world = rotated(last);
        world.anchor = TrustAnchor::DangerousStoredRoot;
        crash_in_rotation(&world);
        // Somebody else put the root there, and there is no history.
        world.store.remove(&Item::Root(version(1)));
        crash_in_rotation(&world);
    }
}

#[test]
fn a15_a_crash_does_not_keep_void_files_where_a_new_anchor_rotates() {
    for last in ["snapshot", "new"] {
        let mut world = rotated(last);
        let anchor = &world.repository.files["3.root.json"];
        world.anchor = TrustAnchor::Root(anchor.clone());
        if last == "snapshot" {
            // The client has seen the roots between: the key came back, and had gone.
            for number in [2, 3] {
                let bytes = world.repository.files[&format!("{number}.root.json")].clone();
                world.store.insert(Item::Root(version(number)), bytes);
            }
        }
        crash_in_rotation(&world);
    }
}

#[test]
fn a15_a_key_that_came_back_before_a_new_anchor_is_not_seen_where_the_roots_between_are_not_stored()
{
    let mut world = rotated("snapshot");
    world.anchor = TrustAnchor::Root(world.repository.files["3.root.json"].clone());
    assert_eq!(world.refresh().unwrap_err(), rollback("timestamp", HIGH, 2));
}

#[test]
fn a15_crashes_before_a_rotation_do_not_make_the_client_forget_who_accepted_the_stored_file() {
    let mut world = World::refreshed();
    for document in [
        &mut world.repository.timestamp,
        &mut world.repository.snapshot,
    ] {
        document.set_version(HIGH - 9);
    }
    world.repository.write();
    world.refresh().unwrap();
    // New versions reach the record, and then the process ends before they reach the store; again and again.
    for role in ["snapshot", "snapshot", "timestamp", "timestamp"] {
        world.repository.publish();
        let mut whole = world.clone();
        whole.refresh().unwrap();
        let put = Op::Put(Item::Role(name(role)));
        world.stop_after = whole.log.iter().position(|op| *op == put);
        let before = world.stored(role);
        assert_eq!(world.try_refresh().unwrap_err(), Stop::Crash);
        assert_eq!(world.stored(role), before);
        assert!(remembered(&world).into_iter().all(|count| count <= 2));
        world.stop_after = None;
    }
    world.repository.rotate("timestamp", &key("between"), 1);
    world.repository.rotate("timestamp", &key("timestamp"), 1);
    for document in [
        &mut world.repository.timestamp,
        &mut world.repository.snapshot,
    ] {
        document.set_version(2);
    }
    world.repository.write();
    world.refresh().unwrap();
    assert_eq!(purged(&world), Some(3));
}

#[test]
fn a15_an_anchor_from_after_the_rotation_voids_what_the_removed_key_made() {
    let mut world = fast_forwarded();
    // Only the snapshot key goes, so the stored timestamp is still signed by the right key.
    world.repository.rotate("snapshot", &key("new"), 1);
    world.repository.publish_root();
    world.repository.write();
    let newest = format!("{}.root.json", world.repository.root.version());
    world.anchor = TrustAnchor::Root(world.repository.files[&newest].clone());
    let view = world.refresh().unwrap();
    assert_eq!(view.timestamp().version(), version(2));
    assert_eq!(purged(&world), Some(view.root().version().number()));

    // Without a rotation a newer anchor leaves the floor where it is.
    let mut world = fast_forwarded();
    world.repository.publish_root();
    world.anchor = TrustAnchor::Root(world.repository.files["2.root.json"].clone());
    assert_eq!(world.refresh().unwrap_err(), rollback("timestamp", HIGH, 2));
}
