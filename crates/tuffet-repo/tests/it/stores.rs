//! Publishing to object stores: one in memory, servers of others that speak the protocols of S3 and Azure, and a stand-in for Google.

use std::fs;

use tuffet_core::metadata::RoleName;
use tuffet_repo::{Action, Class, Destination, Publish, RotateKey};

use crate::crash::crash;
use crate::prune::pruning_overtakes;
use crate::race;
use crate::support::{Azure, Gcs, NOW, S3, Store as _, World, code, key, named, run, versions};

/// A change that is signed and waits to be published.
type Change = fn(&World);

fn adds_a_target_and_a_role(world: &World) {
    let sam = key();
    world.add("b", b"b");
    world.delegate("edge", &[("sam", sam)]);
    run(world.repository().sign(&[world.ana, world.ben, sam]));
}

fn rotates_a_key(world: &World) {
    let rotate = RotateKey::new("ben", named("ben", key()));
    run(world.repository().rotate_key(&rotate, NOW));
    run(world.repository().sign(&[world.ana, world.vault]));
}

/// Publishes a change with a crash after every write in turn, each time to a new place. What clients may see of it are versions of
/// root, timestamp, snapshot and targets: the old ones, the new ones, and for a new root those between the two.
fn survives_a_crash_at_every_write(
    new_place: &dyn Fn() -> Destination,
    change: Change,
    states: &[[u64; 4]],
) {
    let base = World::published();
    let last = states[states.len() - 1];
    let mut after = 0;
    loop {
        let (world, place) = (base.fork(), new_place());
        run(world.plan_to(&place, NOW));
        let mut old = world.client();
        let before = versions(&old.refresh(&place, NOW).unwrap());
        assert_eq!(before, states[0]);
        change(&world);
        let plan = world.plan_to(&place, NOW).unwrap();
        if after == plan.writes().count() {
            break;
        }
        crash(plan, after);
        for mut client in [old.clone(), world.client()] {
            let seen = versions(&client.refresh(&place, NOW).unwrap());
            assert!(states.contains(&seen), "after {after} writes: {seen:?}");
        }
        // Whoever publishes again gets to the end; a timestamp that was sealed already is not used a second time.
        run(world.plan_to(&place, NOW));
        for mut client in [old, world.client()] {
            let seen = versions(&client.refresh(&place, NOW).unwrap());
            assert_eq!((seen[0], seen[2], seen[3]), (last[0], last[2], last[3]));
            let (_, bytes) = client.get(&place, NOW, "app.tar").unwrap();
            assert_eq!(bytes, b"app 1");
        }
        after += 1;
    }
    assert!(after > 5, "{after}");
}

fn publishing_survives(new_place: &dyn Fn() -> Destination) {
    let states = [[1, 3, 2, 2], [1, 4, 3, 3]];
    survives_a_crash_at_every_write(new_place, adds_a_target_and_a_role, &states);
    // What is published is not good under the new root, so the timestamp goes first.
    let states = [[1, 3, 2, 2], [1, 4, 3, 3], [2, 4, 3, 3]];
    survives_a_crash_at_every_write(new_place, rotates_a_key, &states);
}

/// The first publication to a place.
fn a_first_publication_survives(new_place: &dyn Fn() -> Destination) {
    let base = World::published();
    let mut after = 0;
    loop {
        let (world, place) = (base.fork(), new_place());
        let plan = world.plan_to(&place, NOW).unwrap();
        if after == plan.writes().count() {
            break;
        }
        crash(plan, after);
        match world.client().refresh(&place, NOW) {
            Ok(view) => assert_eq!(versions(&view), [1, 3, 2, 2]),
            Err(error) => assert_eq!(error.code(), "missing.timestamp"),
        }
        run(world.plan_to(&place, NOW));
        let (_, bytes) = world.client().get(&place, NOW, "app.tar").unwrap();
        assert_eq!(bytes, b"app 1");
        after += 1;
    }
    assert!(after > 5, "{after}");
}

/// A target that is sent in several parts.
fn a_long_target_arrives(place: &Destination) {
    let world = World::published();
    let long: Vec<u8> = (0..20_000_003_u32).map(|at| (at % 251) as u8).collect();
    world.add("long", &long);
    world.sign();
    run(world.plan_to(place, NOW));
    let (_, bytes) = world.client().get(place, NOW, "long").unwrap();
    assert_eq!(bytes, long);

    // What is not any more what was signed does not arrive at all.
    world.add("other", &[&long[..], b"!"].concat());
    world.add("short", b"short and new");
    world.sign();
    for length in [13, long.len() + 1] {
        let plan = world.plan_to(place, NOW).unwrap();
        let staged = world.staged(length as u64);
        let content = fs::read(&staged).unwrap();
        let mut changed = content.clone();
        changed[2] ^= 1;
        fs::write(&staged, changed).unwrap();
        assert_eq!(plan.execute().unwrap_err().code(), "target.content-changed");
        fs::write(&staged, content).unwrap();
        let error = world.client().get(place, NOW, "other").unwrap_err();
        assert_eq!(error.code(), "target.not-found");
    }
    run(world.plan_to(place, NOW));
    for name in ["other", "short"] {
        world.client().get(place, NOW, name).unwrap();
    }
}

#[test]
fn a_publication_to_a_store_survives_a_crash_at_every_write() {
    publishing_survives(&Destination::memory);
    a_first_publication_survives(&Destination::memory);
}

#[test]
fn r14_of_two_copies_that_publish_to_a_store_one_comes_through() {
    race::one_of_two_comes_through_at_every_write(&Destination::memory);
    race::one_of_two_threads_comes_through(&Destination::memory, 30);
}

#[test]
fn r14_other_bytes_under_a_published_version_are_refused_in_a_store_too() {
    let (world, place) = (World::published(), Destination::memory());
    run(world.plan_to(&place, NOW));
    let other = world.fork();
    other.add("theirs", b"theirs");
    other.sign();
    let plan = other.plan_to(&place, NOW).unwrap();
    let writes = plan.writes().count();
    // All but the switch, what is remembered, and the end of the change.
    crash(plan, writes - 3);
    world.add("ours", b"ours");
    world.sign();
    let error = world.plan_to(&place, NOW).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("version.reused", Class::Conflict)
    );
    assert!(error.to_string().contains("3.targets.json"), "{error}");
}

#[test]
fn r14_what_a_thief_has_left_in_a_store_is_gone_around_or_gives_way() {
    use tuffet_repo::{Disk as _, FileSystem, Write, WriteKind};

    let (world, place) = (World::published(), Destination::memory());
    run(world.plan_to(&place, NOW));
    run(world.repository().renew(&[RoleName::Root], NOW));
    world.add("b", b"b");
    world.sign();
    let plan = world.plan_to(&place, NOW).unwrap();
    let writes: Vec<Write> = plan.writes().cloned().collect();
    drop(plan);
    let mut left = 0;
    for write in writes {
        let name = write.at.to_string();
        let next = name.ends_with("/2.root.json") || name.ends_with("/3.snapshot.json");
        if next && write.at.path().is_none() {
            let kind = WriteKind::Replace(b"left".to_vec());
            FileSystem.apply(&Write { at: write.at, kind }).unwrap();
            left += 1;
        }
    }
    assert_eq!(left, 2);
    let error = world.plan_to(&place, NOW).unwrap_err();
    assert!(error.to_string().contains("2.root.json"), "{error}");
    let publish = Publish::to(place.clone()).replace("2.root.json");
    let plan = world.repository().publish(&publish, &[world.online], NOW);
    run(plan);
    let view = world.client().refresh(&place, NOW).unwrap();
    assert_eq!(versions(&view), [2, 4, 4, 3]);
}

#[test]
fn a_long_target_goes_to_a_store_in_parts_and_is_checked_on_the_way() {
    a_long_target_arrives(&Destination::memory());
}

#[test]
fn what_was_tampered_with_in_a_store_is_pointed_out_and_replaced() {
    use tuffet_repo::{Disk as _, FileSystem, Write, WriteKind};

    let (world, place) = (World::published(), Destination::memory());
    let writes: Vec<Write> = world
        .plan_to(&place, NOW)
        .unwrap()
        .writes()
        .cloned()
        .collect();
    run(world.plan_to(&place, NOW));
    for write in &writes {
        let name = write.at.to_string();
        let wanted = name.ends_with("timestamp.json") || name.ends_with(".app.tar");
        if wanted && write.at.path().is_none() {
            let at = write.at.clone();
            let kind = WriteKind::Replace(b"evil!".to_vec());
            FileSystem.apply(&Write { at, kind }).unwrap();
        }
    }
    world.client().refresh(&place, NOW).unwrap_err();
    assert_eq!(code(world.plan_to(&place, NOW)), "publish.timestamp");
    let publish = Publish::to(place.clone()).replace("timestamp.json");
    let actions = run(world.repository().publish(&publish, &[world.online], NOW));
    let noticed = |action: &Action| matches!(action, Action::DestinationUnverified { .. });
    assert!(actions.iter().any(noticed), "{actions:?}");
    world.client().refresh(&place, NOW).unwrap();
}

#[test]
fn a_store_can_be_used_from_within_a_runtime() {
    let (world, place) = (World::published(), Destination::memory());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        run(world.plan_to(&place, NOW));
        drop(place);
    });
}

#[test]
fn a_store_that_is_not_there_is_an_error_and_no_panic() {
    let world = World::published();
    let Ok(Destination::Bucket(bucket)) = "s3://acme/tuf".parse() else {
        panic!("no bucket")
    };
    let wrong = bucket.clone().with_setting("AWS_COLOUR", "blue");
    let error = code(world.plan_to(&Destination::Bucket(wrong), NOW));
    assert_eq!(error, "publish.store-settings");
}

#[test]
fn publishing_to_s3_survives_a_crash_at_every_write() {
    let Some(s3) = S3::start() else { return };
    publishing_survives(&|| s3.place());
    a_first_publication_survives(&|| s3.place());
}

#[test]
fn r14_of_two_copies_that_publish_to_s3_one_comes_through() {
    let Some(s3) = S3::start() else { return };
    race::one_of_two_comes_through_at_every_write(&|| s3.place());
    race::one_of_two_threads_comes_through(&|| s3.place(), 10);
}

/// Long targets arrive, and every object says how long it may be kept.
fn serves_what_clients_ask_for(place: &Destination, head: &dyn Fn(&str) -> String) {
    a_long_target_arrives(place);
    for (name, kind, cache) in [
        ("metadata/timestamp.json", "application/json", "no-cache"),
        (
            "metadata/1.root.json",
            "application/json",
            "public, max-age=31536000, immutable",
        ),
    ] {
        let head = head(name);
        for line in [
            format!("content-type: {kind}"),
            format!("cache-control: {cache}"),
        ] {
            assert!(head.contains(&line), "{name}: {head}");
        }
    }
}

#[test]
fn s3_gets_long_targets_and_says_how_long_files_may_be_kept() {
    let Some(s3) = S3::start() else { return };
    let place = s3.place();
    serves_what_clients_ask_for(&place, &|name| s3.head(&place, name));
}

#[test]
fn publishing_to_azure_survives_a_crash_at_every_write() {
    let Some(azure) = Azure::start() else { return };
    publishing_survives(&|| azure.place());
    a_first_publication_survives(&|| azure.place());
}

#[test]
fn r14_of_two_copies_that_publish_to_azure_one_comes_through() {
    let Some(azure) = Azure::start() else { return };
    race::one_of_two_comes_through_at_every_write(&|| azure.place());
    race::one_of_two_threads_comes_through(&|| azure.place(), 10);
}

#[test]
fn azure_gets_long_targets_and_says_how_long_files_may_be_kept() {
    let Some(azure) = Azure::start() else { return };
    let place = azure.place();
    serves_what_clients_ask_for(&place, &|name| azure.head(&place, name));
}

#[test]
fn publishing_to_google_survives_a_crash_at_every_write() {
    let gcs = Gcs::start();
    publishing_survives(&|| gcs.place());
    a_first_publication_survives(&|| gcs.place());
}

#[test]
fn r14_of_two_copies_that_publish_to_google_one_comes_through() {
    let gcs = Gcs::start();
    race::one_of_two_comes_through_at_every_write(&|| gcs.place());
    race::one_of_two_threads_comes_through(&|| gcs.place(), 10);
}

#[test]
fn google_gets_long_targets_and_says_how_long_files_may_be_kept() {
    let gcs = Gcs::start();
    let place = gcs.place();
    serves_what_clients_ask_for(&place, &|name| gcs.head(&place, name));
}

#[test]
fn who_planned_to_publish_before_a_store_was_pruned_is_overtaken() {
    let gcs = Gcs::start();
    pruning_overtakes(&gcs.place());
    let Some(azure) = Azure::start() else { return };
    pruning_overtakes(&azure.place());
}
