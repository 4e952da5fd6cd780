//! How far clients of a place have come: a copy that is behind does not publish because the timestamp there does not say it.

use std::fs;
use std::path::{Path, PathBuf};

use tuffet_core::json::Value;
use tuffet_core::metadata::RoleName;
use tuffet_repo::{Action, Adopt, Destination, Error, Publish, Repository, RotateKey};
use tuffet_sign::Signer;

use crate::crash::crash;
use crate::support::{NOW, World, code, files, key, named, run, versions};

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
fn r18_a_copy_that_is_behind_is_not_published_over_a_damaged_timestamp() {
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
fn r18_a_timestamp_that_was_put_back_is_noticed_by_the_copy_that_published_the_later_one() {
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
fn r18_a_copy_that_was_put_back_itself_does_not_publish_below_what_it_remembers() {
    let world = World::published();
    let place = Destination::from(world.public());
    let own = world.directory().join("metadata/timestamp.json");
    let mut old = Vec::new();
    for _ in 0..3 {
        old.push(fs::read(&own).unwrap());
        world.publish(NOW);
    }
    fs::remove_file(world.metadata("timestamp.json")).unwrap();
    // The last one leads to the very version that was published: clients ignore another one of it.
    for old in old {
        fs::write(&own, old).unwrap();
        // Nor by naming it: clients would refuse that.
        for result in [
            world.plan_to(&place, NOW).map(drop),
            replacing(&world, &place).map(drop),
        ] {
            assert_eq!(code(result), "rollback.timestamp");
        }
    }
}

#[test]
fn r18_a_tree_that_has_vanished_is_published_again_by_who_says_so() {
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
        let name = fs::canonicalize(world.public()).unwrap();
        let mut value = Value::parse(&fs::read(remembered(&base)).unwrap()).unwrap();
        let places = value.get_mut("places").and_then(Value::as_object_mut);
        let places = places.unwrap();
        let mut last = places.values().next().unwrap().clone();
        *last.get_mut("timestamp").unwrap() = 9_000_000.into();
        places.insert(name.to_str().unwrap().to_owned(), last);
        fs::write(remembered(&world), value.to_compact_json()).unwrap();
        crash(world.plan(&[online], NOW).unwrap(), after);
        run(world.plan(&[online], NOW));
        world.client().refresh(&world.public(), NOW).unwrap();
        run(world.plan(&[online], NOW));
    }
}

/// A repository whose online key was replaced after it was published, the new key, a copy that has learned of that as by `git pull`, and
/// the timestamp of before.
fn rotated() -> (World, &'static dyn Signer, World, Vec<u8>) {
    let (world, online) = (World::published(), key());
    let (copy, old) = (world.fork(), fs::read(world.metadata("timestamp.json")));
    let rotate = RotateKey::new("online", named("online", online));
    run(world.repository().rotate_key(&rotate, NOW));
    world.sign();
    for _ in 0..3 {
        run(world.plan(&[online], NOW));
    }
    let pulled = files(&world.directory().join("metadata")).into_iter();
    for name in pulled
        .map(|name| format!("metadata/{name}"))
        .chain(["tuffet.toml".to_owned()])
    {
        fs::copy(world.directory().join(&name), copy.directory().join(&name)).unwrap();
    }
    (world, online, copy, old.unwrap())
}

/// How a copy that holds a new online key comes through where the other one has published.
fn result(copy: &World, online: &dyn Signer, place: &World) -> &'static str {
    let publish = Publish::to(place.public());
    code(copy.repository().publish(&publish, &[online], NOW))
}

#[test]
fn r18_roots_that_were_taken_away_from_a_place_make_no_copy_forget() {
    let (world, online, _, _) = rotated();
    fs::remove_file(world.metadata("2.root.json")).unwrap();
    fs::remove_file(world.metadata("timestamp.json")).unwrap();
    assert_eq!(result(&world, online, &world), "publish.timestamp");
}

#[test]
fn r18_a_copy_that_learned_of_a_rotation_from_others_is_as_careful_as_one_that_knows_nothing() {
    let (world, online, copy, _) = rotated();
    assert_eq!(result(&copy, online, &world), "no error");
    fs::remove_file(world.metadata("timestamp.json")).unwrap();
    assert_eq!(result(&copy, online, &world), "publish.timestamp");
    fs::remove_file(remembered(&copy)).unwrap();
    assert_eq!(result(&copy, online, &world), "publish.timestamp");
}

#[test]
fn r18_a_timestamp_of_before_a_rotation_does_not_pass_for_a_publication_that_broke_off() {
    let (world, online, copy, old) = rotated();
    fs::write(world.metadata("timestamp.json"), old).unwrap();
    assert_eq!(result(&world, online, &world), "publish.timestamp");
    assert_eq!(result(&copy, online, &world), "publish.timestamp");
}

#[test]
fn r18_only_a_key_of_timestamp_or_snapshot_that_leaves_makes_a_copy_forget() {
    let world = World::published();
    let first = fs::read(remembered(&world)).unwrap();
    run(world.repository().renew(&[RoleName::Root], NOW));
    world.sign();
    world.publish(NOW);
    let keys = |bytes: &[u8]| {
        let value = Value::parse(bytes).unwrap();
        let places = value
            .get("places")
            .and_then(Value::as_object)
            .unwrap()
            .clone();
        places.values().next().unwrap().get("keys").unwrap().clone()
    };
    let second = fs::read(remembered(&world)).unwrap();
    assert_eq!(keys(&first).as_array().unwrap().len(), 2);
    assert_eq!(keys(&first), keys(&second));
    // What is remembered of before the second root still counts.
    fs::write(remembered(&world), first).unwrap();
    fs::remove_file(world.metadata("timestamp.json")).unwrap();
    assert_eq!(code(world.plan(&[world.online], NOW)), "publish.timestamp");
}

#[test]
fn r18_an_older_timestamp_whose_tree_does_not_verify_is_said_to_be_older() {
    let world = World::published();
    let old = fs::read(world.metadata("timestamp.json")).unwrap();
    world.publish(NOW);
    fs::write(world.metadata("timestamp.json"), old).unwrap();
    fs::remove_file(world.metadata("2.snapshot.json")).unwrap();
    let older = |action: &Action| {
        matches!(
            action,
            Action::DestinationUnverified {
                code: "rollback.timestamp",
                ..
            }
        )
    };
    let actions = replacing(&world, &Destination::from(world.public())).unwrap();
    assert!(actions.iter().any(older), "{actions:?}");
}

#[test]
fn r18_a_copy_that_is_led_to_another_history_forgets_how_far_the_places_of_the_first_have_come() {
    let (world, other) = (World::published(), World::published());
    let metadata = |world: &World| world.directory().join("metadata");
    let adopt = Adopt::Root(fs::read(metadata(&world).join("1.root.json")).unwrap());
    run(Repository::open(&world.directory())
        .unwrap()
        .adopt_instead(&adopt));
    assert!(remembered(&world).exists());
    for name in files(&metadata(&other)) {
        fs::copy(metadata(&other).join(&name), metadata(&world).join(&name)).unwrap();
    }
    let adopt = Adopt::Root(fs::read(metadata(&other).join("1.root.json")).unwrap());
    run(Repository::open(&world.directory())
        .unwrap()
        .adopt_instead(&adopt));
    assert!(!remembered(&world).exists());
}

#[cfg(feature = "object-store")]
#[test]
fn a_store_in_memory_is_not_remembered() {
    let world = World::published();
    let before = fs::read(remembered(&world)).unwrap();
    run(world.plan_to(&Destination::memory(), NOW));
    assert_eq!(fs::read(remembered(&world)).unwrap(), before);
}
