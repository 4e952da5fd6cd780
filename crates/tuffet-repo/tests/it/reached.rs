//! How far clients of a place have come: a copy that is behind does not publish because the timestamp there does not say it.

use std::fs;
use std::path::{Path, PathBuf};

use tuffet_core::json::Value;
use tuffet_repo::{Action, Destination, Error, Publish, RotateKey};

use crate::crash::crash;
use crate::support::{NOW, World, code, key, named, run, versions};

/// What becomes of the timestamp that is published.
type Damage = fn(&Path);

const DAMAGES: [(&str, Damage); 4] = [
    ("nonsense", |file| fs::write(file, b"{}").unwrap()),
    ("a flipped bit", |file| {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(file, bytes).unwrap();
    }),
    ("nothing in it", |file| fs::write(file, b"").unwrap()),
    ("gone", |file| fs::remove_file(file).unwrap()),
];

/// Publishes in spite of the timestamp that is there.
fn replacing(world: &World, place: &Destination) -> Result<Vec<Action>, Error> {
    let publish = Publish::to(place.clone()).replace("timestamp.json");
    let plan = world.repository().publish(&publish, &[world.online], NOW)?;
    plan.execute()
}

fn noticed(actions: &[Action]) -> bool {
    let noticed = |action: &Action| matches!(action, Action::DestinationUnverified { .. });
    actions.iter().any(noticed)
}

/// What the copy remembers of the places that it has published to.
fn remembered(world: &World) -> PathBuf {
    world.directory().join(".tuffet/published.json")
}

#[test]
fn a_copy_that_is_behind_is_not_published_over_a_damaged_timestamp() {
    for forgets in [false, true] {
        for (what, damage) in DAMAGES {
            let world = World::published();
            let (copy, place) = (world.fork(), Destination::from(world.public()));
            let mut seen = world.client();
            for _ in 0..3 {
                world.publish(NOW);
            }
            seen.refresh(&place, NOW).unwrap();
            // A clone has never published anywhere.
            if forgets {
                fs::remove_file(remembered(&copy)).unwrap();
            }
            damage(&world.metadata("timestamp.json"));
            let error = copy.plan_to(&place, NOW).unwrap_err();
            assert_eq!(error.code(), "publish.timestamp", "{what}: {error}");
            // The one that is not behind goes on, once somebody has looked.
            assert_eq!(code(world.plan_to(&place, NOW)), "publish.timestamp");
            let actions = replacing(&world, &place).unwrap();
            assert!(noticed(&actions), "{what}: {actions:?}");
            let view = seen.refresh(&place, NOW).unwrap();
            assert_eq!(versions(&view), [1, 6, 2, 2]);
            assert!(!noticed(&run(world.plan_to(&place, NOW))));
        }
    }
}

#[test]
fn a_timestamp_that_was_put_back_is_noticed_by_the_copy_that_published_the_later_one() {
    let world = World::published();
    let place = Destination::from(world.public());
    let old = fs::read(world.metadata("timestamp.json")).unwrap();
    world.publish(NOW);
    world.publish(NOW);
    fs::write(world.metadata("timestamp.json"), old).unwrap();
    let error = world.plan_to(&place, NOW).unwrap_err();
    assert_eq!(error.code(), "publish.timestamp");
    let said = error.to_string();
    assert!(
        said.contains("is version 2") && said.contains("version 4 there"),
        "{said}"
    );
    assert!(noticed(&replacing(&world, &place).unwrap()));
    let view = world.client().refresh(&place, NOW).unwrap();
    assert_eq!(versions(&view)[1], 5);
}

#[test]
fn a_copy_that_was_put_back_itself_does_not_publish_below_what_it_remembers() {
    let world = World::published();
    let place = Destination::from(world.public());
    let own = world.directory().join("metadata/timestamp.json");
    let old = fs::read(&own).unwrap();
    for _ in 0..3 {
        world.publish(NOW);
    }
    fs::write(own, old).unwrap();
    fs::remove_file(world.metadata("timestamp.json")).unwrap();
    // Nor by naming it: clients would refuse that.
    for result in [
        world.plan_to(&place, NOW).map(drop),
        replacing(&world, &place).map(drop),
    ] {
        assert_eq!(code(result), "rollback.timestamp");
    }
}

#[test]
fn a_tree_that_has_vanished_is_published_again_by_who_says_so() {
    let world = World::published();
    let others = ["one", "two"].map(|name| Destination::from(world.public().with_file_name(name)));
    for other in &others {
        run(world.plan_to(other, NOW));
    }
    let vanished = Destination::from(world.public());
    fs::remove_dir_all(world.public()).unwrap();
    assert_eq!(code(world.plan_to(&vanished, NOW)), "publish.timestamp");
    assert!(noticed(&replacing(&world, &vanished).unwrap()));
    // Each place is remembered by itself.
    for other in &others {
        run(world.plan_to(other, NOW));
    }
}

#[test]
fn r17_what_clients_forget_with_the_keys_does_not_keep_anybody_from_publishing() {
    let (base, online) = (World::published(), key());
    let rotate = RotateKey::new("online", named("online", online));
    run(base.repository().rotate_key(&rotate, NOW));
    base.sign();
    let writes = base.plan(&[online], NOW).unwrap().writes().count();
    for after in 0..writes {
        let world = base.fork();
        // The copy has published a timestamp that a thief had driven up.
        let high = Value::from_iter([("root", 1.into()), ("timestamp", 9_000_000.into())]);
        let name = fs::canonicalize(world.public()).unwrap();
        let places = Value::from_iter([(name.to_str().unwrap(), high)]);
        let value = Value::from_iter([("format", Value::from(1)), ("places", places)]);
        fs::write(remembered(&world), value.to_compact_json()).unwrap();
        crash(world.plan(&[online], NOW).unwrap(), after);
        run(world.plan(&[online], NOW));
        world.client().refresh(&world.public(), NOW).unwrap();
        run(world.plan(&[online], NOW));
    }
}
