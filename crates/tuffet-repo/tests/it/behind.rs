//! Copies that others have overtaken: what they are told, and how they catch up.

use std::fs;

use tuffet_core::metadata::RoleName;
use tuffet_repo::{Class, Error, Plan, Publish};

use crate::support::{NOW, World, files, run, versions};

/// A repository and a copy of it.
fn two() -> (World, World) {
    let world = World::published();
    let copy = world.fork();
    (world, copy)
}

/// Publishes from a copy to where the other one publishes.
fn publish(copy: &World, place: &World, replace: &[&str]) -> Result<Plan, Error> {
    let mut publish = Publish::to(place.public());
    publish.replace = replace.iter().map(|&name| name.to_owned()).collect();
    copy.repository().publish(&publish, &[copy.online], NOW)
}

/// Brings a copy up to date as the documents say, without git.
fn catch_up(copy: &World, place: &World) {
    let published = place.public().join("metadata");
    for name in files(&published) {
        let own = copy.directory().join("metadata").join(&name);
        fs::copy(published.join(name), own).unwrap();
    }
}

#[test]
fn a_copy_that_is_behind_is_told_so_and_catches_up() {
    for publications in [1, 2, 5] {
        let (world, copy) = two();
        world.add("theirs", b"theirs");
        world.sign();
        for _ in 0..publications {
            world.publish(NOW);
        }
        for replace in [&[][..], &["timestamp.json"]] {
            let error = publish(&copy, &world, replace).unwrap_err();
            assert_eq!(error.code(), "publish.behind", "{error}");
            assert_eq!(error.class(), Class::Conflict);
            let said = error.to_string();
            let last = format!("is v{}, and the last one here is v2", 2 + publications);
            assert!(said.contains(&last), "{said}");
        }
        catch_up(&copy, &world);
        run(publish(&copy, &world, &[]));
        let view = world.client().refresh(&world.public(), NOW).unwrap();
        assert_eq!(versions(&view), [1, 3 + publications, 3, 3]);
    }
}

#[test]
fn a_copy_that_has_lost_its_timestamp_is_behind() {
    let world = World::published();
    fs::remove_file(world.directory().join("metadata/timestamp.json")).unwrap();
    let error = publish(&world, &world, &[]).unwrap_err();
    assert_eq!(error.code(), "publish.behind");
    assert!(error.to_string().contains("there is none here"), "{error}");
}

#[test]
fn a_draft_that_somebody_else_has_used_the_version_of_is_overtaken() {
    let (world, copy) = two();
    copy.add("ours", b"ours");
    world.add("theirs", b"theirs");
    world.sign();
    world.publish(NOW);
    assert!(!copy.repository().change().unwrap().is_overtaken());
    catch_up(&copy, &world);
    let change = copy.repository().change().unwrap();
    assert!(change.is_overtaken());
    assert!(change.drafts[0].overtaken);
    run(copy.repository().drop_change());
    assert!(!copy.repository().change().unwrap().is_overtaken());
    run(publish(&copy, &world, &[]));
}

#[test]
fn a_change_that_somebody_else_has_published_with_other_signatures_is_done() {
    let (world, copy) = two();
    world.add("same", b"same");
    let change = world.repository().export_change().unwrap();
    let from = std::path::Path::new("change.tuf");
    let receive = copy.repository().receive_change_of(&change, from, &[]);
    run(receive);
    run(copy.repository().sign(&[copy.vault]));
    world.sign();
    world.publish(NOW);
    assert_eq!(copy.repository().change().unwrap().drafts.len(), 1);
    catch_up(&copy, &world);
    let change = copy.repository().change().unwrap();
    assert!(change.drafts.is_empty() && !change.is_overtaken());
    assert_eq!(change.unpublished, None);
    run(publish(&copy, &world, &[]));
    assert!(!copy.change().exists());
}

#[test]
fn what_is_in_force_and_not_in_its_place_is_missing() {
    let missing = |world: &World| -> Vec<RoleName> {
        let roles = world.repository().roles().unwrap().into_iter();
        let missing = roles.filter(|status| status.missing);
        missing.map(|status| status.role).collect()
    };
    let gone = |name: &str| {
        let world = World::published();
        assert!(missing(&world).is_empty());
        fs::remove_file(world.directory().join("metadata").join(name)).unwrap();
        missing(&world)
    };
    assert_eq!(gone("timestamp.json"), [RoleName::Timestamp]);
    // The version before is still there.
    assert_eq!(gone("2.snapshot.json"), [RoleName::Snapshot]);
    assert_eq!(gone("2.targets.json"), [RoleName::Targets]);
    assert!(gone("1.targets.json").is_empty());
}
