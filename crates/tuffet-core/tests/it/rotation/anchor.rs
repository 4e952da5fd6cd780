//! A rotation from before the anchor, as the stored roots show it: decision A-15.

use tuffet_core::trust::{Item, TrustAnchor};

use super::{HIGH, fast_forwarded, purged, rotated};
use tuffet_testkit::expect::rollback;
use tuffet_testkit::{Op, TestKey, World, name, version};

/// The versions of the roots of the history that were looked for.
fn history(world: &World) -> Vec<u64> {
    let loads = world.log.iter().filter_map(|op| match op {
        Op::Load(Item::Root(version)) => Some(version.number()),
        _ => None,
    });
    loads.collect()
}

#[test]
fn a15_the_history_before_a_new_anchor_is_read_once_and_no_further_than_to_the_anchor() {
    let mut world = World::refreshed();
    world.refresh().unwrap();
    assert_eq!(history(&world), [2], "nothing stands before the first root");

    let mut world = rotated("snapshot");
    let root = |number: u64| world.repository.files[&format!("{number}.root.json")].clone();
    let (second, third) = (root(2), root(3));
    world.store.insert(Item::Root(version(2)), second);
    world.anchor = TrustAnchor::Root(third);
    world.refresh().unwrap();
    assert_eq!(purged(&world), Some(3));
    assert_eq!(history(&world), [1, 2, 4]);
}

#[test]
fn a15_where_the_history_breaks_off_the_copy_of_the_current_root_goes_on() {
    let mut world = rotated("new");
    world.anchor = TrustAnchor::Root(world.repository.files["3.root.json"].clone());
    world.store.remove(&Item::Root(version(1)));
    world.refresh().unwrap();
    assert_eq!(purged(&world), Some(3));
}

#[test]
fn a15_a_stored_root_that_is_newer_than_the_anchor_shows_no_rotation_before_it() {
    let mut world = fast_forwarded();
    world.repository.publish_root();
    let both = ["timestamp", "more"].map(TestKey::new);
    world.repository.rotate("timestamp", &both, 1);
    world.repository.write();
    // The third root has a key that the second has not; that is no key that left.
    world.anchor = TrustAnchor::Root(world.repository.files["2.root.json"].clone());
    let newest = world.repository.files["3.root.json"].clone();
    for item in [Item::Root(version(1)), Item::Role(name("root"))] {
        let mut world = world.clone();
        world.store.remove(&Item::Root(version(1)));
        world.store.insert(item.clone(), newest.clone());
        let refused = world.refresh().unwrap_err();
        assert_eq!(refused, rollback("timestamp", HIGH, 2), "{item}");
        assert_eq!(purged(&world), None, "{item}");
    }
}
