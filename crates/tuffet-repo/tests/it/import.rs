//! Taking over what another tool has published.

use std::fs;

use tuffet_core::metadata::{RoleName, Version};
use tuffet_repo::{Import, Publish, Repository, builder};
use tuffet_sign::Signer;

use crate::support::{DAY, NOW, World, after, code, key, named, path, run, versions};

/// What a world has published, taken over into a new directory beside it.
fn import(world: &World, now: tuffet_core::metadata::UnixTime) -> Result<Repository, &'static str> {
    let directory = world.directory().with_file_name("imported");
    let import = Import::new("acme", world.public().join("metadata"));
    let plan = Repository::import(&directory, &import, now).map_err(|error| error.code())?;
    plan.execute().unwrap();
    Ok(Repository::open(&directory).unwrap())
}

#[test]
fn r14_the_next_versions_follow_those_that_clients_know() {
    let world = World::published();
    let team = key();
    world.delegate("team", &[("team", team)]);
    run(world.repository().sign(&[world.ana, world.ben, team]));
    world.publish(NOW);
    let mut client = world.client();
    let before = versions(&client.refresh(&world.public(), NOW).unwrap());

    let imported = import(&world, NOW).unwrap();
    assert_eq!(imported.make_consistent(NOW).unwrap().map(drop), None);
    let period = imported.policy().period(&RoleName::Timestamp);
    assert_eq!(i64::from(period.seconds()), DAY);
    run(imported.renew(&[RoleName::Targets], NOW));
    run(imported.sign(&[world.ana, world.vault]));
    let publish = Publish::to(world.public());
    run(imported.publish(&publish, &[world.online], NOW));
    let now = versions(&client.refresh(&world.public(), NOW).unwrap());
    assert_eq!(
        now,
        [before[0], before[1] + 1, before[2] + 1, before[3] + 1]
    );
}

#[test]
fn r02_targets_of_a_repository_without_consistent_snapshots_get_names_with_hashes() {
    let world = World::empty();
    let (first, late) = (Version::FIRST, after(200));
    let sign = |document: tuffet_repo::Document, key: &dyn Signer| {
        document.sign(&[key]).unwrap().to_bytes()
    };
    let targets = builder::Targets::new(first, late).content(&path("dir/file"), b"content");
    let targets = sign(targets.build(), world.ana);
    let snapshot = builder::Snapshot::new(first, late);
    let snapshot = snapshot.list(&RoleName::Targets, first, Some(&targets));
    let snapshot = sign(snapshot.build(), world.online);
    let timestamp = builder::Timestamp::new(first, late, first, Some(&snapshot));
    let timestamp = sign(timestamp.build(), world.online);
    let (ana, online) = (named("ana", world.ana), named("online", world.online));
    let mut root = builder::Root::new(first, late).consistent_snapshot(false);
    for (role, key) in [
        (RoleName::Root, &ana),
        (RoleName::Targets, &ana),
        (RoleName::Snapshot, &online),
        (RoleName::Timestamp, &online),
    ] {
        root = root.role(&role, std::slice::from_ref(key), 1);
    }
    let root = sign(root.build(), world.ana);
    let metadata = world.public().join("metadata");
    fs::create_dir_all(&metadata).unwrap();
    fs::create_dir_all(world.public().join("targets/dir")).unwrap();
    for (name, bytes) in [
        ("1.root.json", &root),
        ("root.json", &root),
        ("targets.json", &targets),
        ("snapshot.json", &snapshot),
        ("timestamp.json", &timestamp),
    ] {
        fs::write(metadata.join(name), bytes).unwrap();
    }
    fs::write(world.public().join("targets/dir/file"), b"content").unwrap();

    run(Repository::import(
        &world.directory(),
        &Import::new("acme", metadata),
        NOW,
    ));
    let imported = world.repository();
    if let Some(plan) = imported.make_consistent(NOW).unwrap() {
        run(Ok(plan));
    }
    run(imported.sign(&[world.ana]));
    run(imported.publish(&Publish::to(world.public()), &[world.online], NOW));
    let mut client = world.client();
    client.get(&world.public(), NOW, "dir/file").unwrap();
}

#[test]
fn what_has_expired_can_be_taken_over_and_renewed() {
    let world = World::published();
    let late = after(200);
    let imported = import(&world, late).unwrap();
    run(imported.renew(&[RoleName::Targets], late));
    run(imported.sign(&[world.ana, world.ben]));
    run(imported.publish(&Publish::to(world.public()), &[world.online], late));
    world.client().refresh(&world.public(), late).unwrap();
}

#[test]
fn what_clients_would_refuse_is_not_taken_over() {
    let world = World::published();
    let broken = world.fork();
    let path = broken.metadata("2.targets.json");
    let text = fs::read_to_string(&path)
        .unwrap()
        .replace("app.tar", "evil.tar");
    fs::write(&path, text).unwrap();
    assert_eq!(import(&broken, NOW).unwrap_err(), "length.targets");
    let bare = world.fork();
    fs::remove_dir_all(bare.public().join("metadata")).unwrap();
    fs::create_dir(bare.public().join("metadata")).unwrap();
    assert_eq!(import(&bare, NOW).unwrap_err(), "repo.not-found");
    assert!(import(&world, NOW).is_ok());
    assert_eq!(import(&world, NOW).unwrap_err(), "repo.exists");
    let other = Repository::open(&world.directory()).unwrap();
    assert_eq!(code(other.renew(&[RoleName::Targets], NOW)), "no error");
}
