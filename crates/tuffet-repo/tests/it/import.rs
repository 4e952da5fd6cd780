//! Taking over what another tool has published.

use std::fs;

use tuffet_core::metadata::RoleName;
use tuffet_repo::{Import, Publish, Repository};

use crate::support::{DAY, NOW, World, after, code, key, run, versions};

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
