//! What a thief has left in the published tree under the names of the next versions.

use std::fs;

use tuffet_core::metadata::{RoleName, Version};
use tuffet_repo::{Action, Publish, Recover};
use tuffet_sign::{FileKey, Signer};

use crate::exchanged::two_roles_of_one_key;
use crate::recovery::forge;
use crate::support::{NOW, World, after, code, key, named, role, run, versions};

/// Leaves the next version of a role, signed by keys that the thief has.
fn leave(world: &World, file: &str, next: &str, signers: &[&dyn Signer]) -> Vec<u8> {
    let mut document = world.document(file);
    let version = document.version().map_or(Version::FIRST, Version::next);
    document.set("version", version.number().into());
    document.set("x-thief", true.into());
    forge(world, next, document, signers)
}

fn replacing(
    world: &World,
    names: &[&str],
    online: &FileKey,
) -> Result<Vec<Action>, tuffet_repo::Error> {
    let publish = Publish::to(world.public());
    let publish = names
        .iter()
        .fold(publish, |publish, name| publish.replace(name));
    let plan = world.repository().publish(&publish, &[online], NOW)?;
    plan.execute()
}

#[test]
fn r14_a_snapshot_gets_another_number_where_something_else_lies_under_its_own() {
    let world = World::published();
    let mut seen = world.client();
    seen.refresh(&world.public(), NOW).unwrap();
    fs::write(world.metadata("3.snapshot.json"), b"other").unwrap();
    leave(&world, "2.snapshot.json", "4.snapshot.json", &[key()]);
    world.add("b", b"b");
    world.sign();
    let actions = world.publish(NOW);
    let skipped: Vec<String> = actions
        .iter()
        .filter(|action| matches!(action, Action::Skipped { .. }))
        .map(ToString::to_string)
        .collect();
    assert_eq!(skipped.len(), 2, "{actions:?}");
    for client in [&mut seen, &mut world.client()] {
        let view = client.refresh(&world.public(), NOW).unwrap();
        assert_eq!(versions(&view)[2..], [5, 3]);
    }
    assert_eq!(
        fs::read(world.metadata("3.snapshot.json")).unwrap(),
        b"other"
    );
    // The one that clients are to see next is as good as its name.
    fs::write(world.metadata("5.snapshot.json"), b"other").unwrap();
    world.publish(NOW);
    let view = world.client().refresh(&world.public(), NOW).unwrap();
    assert_eq!(versions(&view)[2], 6);
}

#[test]
fn r14_a_snapshot_of_somebody_else_who_may_sign_it_is_never_passed_over() {
    let world = World::published();
    leave(
        &world,
        "2.snapshot.json",
        "3.snapshot.json",
        &[world.online],
    );
    world.add("b", b"b");
    world.sign();
    assert_eq!(code(world.plan(&[world.online], NOW)), "version.reused");
    let replaced = replacing(&world, &["3.snapshot.json"], world.online);
    assert_eq!(code(replaced), "version.reused");
}

#[test]
fn r14_a_recovery_goes_around_the_numbers_that_a_thief_has_used() {
    let world = World::published();
    let stolen: [&dyn Signer; 2] = [world.ben, world.vault];
    leave(&world, "2.targets.json", "3.targets.json", &stolen);
    fs::write(world.metadata("4.targets.json"), b"{}").unwrap();
    leave(
        &world,
        "2.snapshot.json",
        "3.snapshot.json",
        &[world.online],
    );
    let (vault, online) = (key(), key());
    let recover = Recover::stolen()
        .key("vault", Some(named("vault", vault)))
        .key("online", Some(named("online", online)));

    // Two of the three have signed 3.targets.json, and one of them stays: the other one has to go as well.
    let ben = key();
    let recover = recover.key("ben", Some(named("ben", ben)));
    run(world
        .repository()
        .recover(&recover.published(world.public()), NOW));
    let change = world.repository().change().unwrap();
    let targets = change
        .drafts
        .iter()
        .find(|one| one.role == RoleName::Targets);
    assert_eq!(targets.unwrap().version.number(), 5);
    // It follows a number that is not here, and nobody takes that for a change of another copy.
    run(world.repository().sign(&[world.ana, world.ben, ben]));
    run(world.plan(&[online], NOW));
    let view = world.client().refresh(&world.public(), NOW).unwrap();
    assert_eq!(versions(&view), [2, 3, 4, 5]);
    // The next one is the next one.
    world.add("b", b"b");
    run(world.repository().sign(&[world.ana, ben]));
    run(world.plan(&[online], NOW));
    let view = world.client().refresh(&world.public(), NOW).unwrap();
    assert_eq!(versions(&view)[3], 6);
}

/// Puts a version under the name of the next one, for which no key is needed. No client accepts it as that.
fn put_again(world: &World, file: &str, next: &str) {
    fs::copy(world.metadata(file), world.metadata(next)).unwrap();
}

#[test]
fn r14_a_snapshot_goes_around_an_older_one_under_its_name() {
    let world = World::published();
    let mut seen = world.client();
    seen.refresh(&world.public(), NOW).unwrap();
    put_again(&world, "2.snapshot.json", "3.snapshot.json");
    world.add("b", b"b");
    world.sign();
    let actions = world.publish(NOW);
    let skipped = Action::Skipped {
        role: RoleName::Snapshot,
        version: Version::new(3).unwrap(),
    };
    assert!(actions.contains(&skipped), "{actions:?}");
    for client in [&mut seen, &mut world.client()] {
        let view = client.refresh(&world.public(), NOW).unwrap();
        assert_eq!(versions(&view)[2..], [4, 3]);
    }
}

#[test]
fn r14_an_older_version_under_the_name_of_the_next_gives_way_when_it_is_named() {
    let (base, sam) = (World::published(), key());
    base.delegate("edge", &[("sam", sam)]);
    run(base.repository().sign(&[base.ana, base.ben, sam]));
    base.publish(NOW);
    let people: [&dyn Signer; 2] = [base.ana, base.ben];
    let team: [&dyn Signer; 1] = [sam];
    for (file, next, renewed, signers) in [
        (
            "3.targets.json",
            "4.targets.json",
            RoleName::Targets,
            &people[..],
        ),
        ("1.edge.json", "2.edge.json", role("edge"), &team),
    ] {
        let world = base.fork();
        put_again(&world, file, next);
        run(world.repository().renew(&[renewed], NOW));
        run(world.repository().sign(signers));
        assert_eq!(code(world.plan(&[world.online], NOW)), "version.reused");
        replacing(&world, &[next], world.online).unwrap();
        let sealed = fs::read(world.directory().join("metadata").join(next)).unwrap();
        assert_eq!(fs::read(world.metadata(next)).unwrap(), sealed);
        world.client().refresh(&world.public(), NOW).unwrap();
    }
}

#[test]
fn r14_a_recovery_goes_around_older_versions_under_the_names_of_the_next() {
    let world = World::published();
    put_again(&world, "2.targets.json", "3.targets.json");
    put_again(&world, "2.snapshot.json", "3.snapshot.json");
    // A thief of Ben's key alone has made neither of them.
    let ben = key();
    let recover = Recover::stolen().key("ben", Some(named("ben", ben)));
    let recover = recover.published(world.public());
    run(world.repository().recover(&recover, NOW));
    run(world.repository().sign(&[world.ana, world.ben, ben]));
    world.publish(NOW);
    let view = world.client().refresh(&world.public(), NOW).unwrap();
    assert_eq!(versions(&view), [2, 3, 4, 4]);
}

#[test]
fn r14_a_copy_that_is_behind_does_not_go_around_what_others_have_published() {
    let world = World::published();
    let other = world.fork();
    other.add("theirs", b"theirs");
    other.sign();
    let publish = Publish::to(world.public());
    run(other.repository().publish(&publish, &[world.online], NOW));
    // Ana and Ben have signed 3.targets.json, and a thief of Ben's key alone has not.
    for recover in [Recover::lost(), Recover::stolen()] {
        let recover = recover.key("ben", Some(named("ben", key())));
        let recover = recover.published(world.public());
        assert_eq!(
            code(world.repository().recover(&recover, NOW)),
            "version.reused"
        );
    }
    // Neither is a snapshot passed over that the key of automation has signed.
    let recover = Recover::lost().key("online", Some(named("online", key())));
    let recover = recover.published(world.public());
    assert_eq!(
        code(world.repository().recover(&recover, NOW)),
        "version.reused"
    );
}

#[test]
fn r14_a_root_that_nobody_has_signed_gives_way_when_it_is_named() {
    let world = World::published();
    let mut seen = world.client();
    seen.refresh(&world.public(), NOW).unwrap();
    fs::write(world.metadata("2.root.json"), b"not a root").unwrap();
    assert!(seen.clone().refresh(&world.public(), NOW).is_err());
    let vault = key();
    let recover = Recover::stolen().key("vault", Some(named("vault", vault)));
    run(world.repository().recover(&recover, NOW));
    world.sign();
    assert_eq!(code(world.plan(&[world.online], NOW)), "version.reused");
    assert_eq!(
        code(replacing(&world, &["3.root.json"], world.online)),
        "version.reused"
    );
    let actions = replacing(&world, &["2.root.json"], world.online).unwrap();
    let overwritten = Action::Overwritten {
        role: RoleName::Root,
        version: Version::new(2).unwrap(),
        accepted: false,
    };
    assert!(actions.contains(&overwritten), "{actions:?}");
    for client in [&mut seen, &mut world.client()] {
        assert_eq!(
            versions(&client.refresh(&world.public(), NOW).unwrap())[0],
            2
        );
    }
}

#[test]
fn r17_a_stolen_threshold_of_root_is_answered_with_another_root_of_the_same_number() {
    let world = World::published();
    let (mut sceptic, mut believer) = (world.client(), world.client());
    sceptic.refresh(&world.public(), NOW).unwrap();
    let stolen: [&dyn Signer; 2] = [world.ben, world.vault];
    leave(&world, "1.root.json", "2.root.json", &stolen);
    let forged = versions(&believer.refresh(&world.public(), NOW).unwrap());
    assert_eq!(forged[0], 2);
    let (ben, vault) = (key(), key());
    let recover = Recover::stolen()
        .key("ben", Some(named("ben", ben)))
        .key("vault", Some(named("vault", vault)));
    run(world.repository().recover(&recover, NOW));
    run(world.repository().sign(&[world.ana, world.ben, ben]));
    assert_eq!(code(world.plan(&[world.online], NOW)), "version.reused");
    let actions = replacing(&world, &["2.root.json"], world.online).unwrap();
    assert!(
        actions
            .iter()
            .any(|action| matches!(action, Action::Overwritten { accepted: true, .. })),
        "{actions:?}"
    );
    for client in [&mut sceptic, &mut world.client()] {
        let seen = versions(&client.refresh(&world.public(), NOW).unwrap());
        assert_eq!((seen[0], seen[3]), (2, 3));
    }
}

#[test]
fn an_incident_does_not_wait_for_a_place_that_cannot_be_read() {
    let world = World::published();
    let place = world.file("no-directory", b"");
    let recover = Recover::stolen().key("vault", Some(named("vault", key())));
    let actions = run(world.repository().recover(&recover.published(&place), NOW));
    assert!(
        actions
            .iter()
            .any(|action| matches!(action, Action::DestinationUnread { .. })),
        "{actions:?}"
    );
}

/// A file that takes no room and that nobody can hold in memory.
fn endless(world: &World, name: &str) {
    let file = fs::File::create(world.metadata(name)).unwrap();
    file.set_len(1 << 42).unwrap();
}

#[test]
fn what_is_longer_than_any_client_reads_is_not_read() {
    let world = World::published();
    let mut seen = world.client();
    seen.refresh(&world.public(), NOW).unwrap();
    endless(&world, "3.snapshot.json");
    world.add("b", b"b");
    world.sign();
    endless(&world, "timestamp.json");
    assert_eq!(code(world.plan(&[world.online], NOW)), "publish.timestamp");
    replacing(&world, &["timestamp.json"], world.online).unwrap();
    for client in [&mut seen, &mut world.client()] {
        let view = client.refresh(&world.public(), NOW).unwrap();
        assert_eq!(versions(&view)[2..], [4, 3]);
    }
    // People have signed the number of a role, and roots follow one another.
    for (file, edit) in [
        ("4.targets.json", RoleName::Targets),
        ("2.root.json", RoleName::Root),
    ] {
        endless(&world, file);
        run(world.repository().renew(&[edit], NOW));
        world.sign();
        assert_eq!(code(world.plan(&[world.online], NOW)), "version.reused");
        replacing(&world, &[file], world.online).unwrap();
        world.client().refresh(&world.public(), NOW).unwrap();
    }
}

#[test]
fn r14_numbers_are_not_skipped_for_ever() {
    let world = World::published();
    for number in 3..=1_003 {
        fs::write(world.metadata(&format!("{number}.snapshot.json")), b"other").unwrap();
    }
    world.add("b", b"b");
    world.sign();
    let error = world.plan(&[world.online], NOW).unwrap_err();
    assert_eq!(error.code(), "version.taken");
    assert!(error.to_string().contains("1003.snapshot.json"), "{error}");
    fs::remove_file(world.metadata("1003.snapshot.json")).unwrap();
    world.publish(NOW);
    let view = world.client().refresh(&world.public(), NOW).unwrap();
    assert_eq!(versions(&view)[2], 1_003);
}

#[test]
fn r14_r16_the_file_of_another_role_is_no_version_that_is_in_the_way() {
    let (base, sam) = two_roles_of_one_key();
    put_again(&base, "2.edge.json", "2.core.json");
    let world = base.fork();
    run(world.repository().renew(&[role("core")], after(1)));
    run(world.repository().sign(&[sam]));
    assert_eq!(code(world.plan(&[world.online], NOW)), "version.reused");
    replacing(&world, &["2.core.json"], world.online).unwrap();
    let view = world.client().refresh(&world.public(), NOW).unwrap();
    let listed = view.snapshot().listed(&role("core")).unwrap();
    assert_eq!(listed.version.number(), 2);
    // A recovery takes another number.
    let new = key();
    let recover = Recover::lost().key("sam", Some(named("sam-2", new)));
    let recover = recover.published(base.public());
    run(base.repository().recover(&recover, NOW));
    let change = base.repository().change().unwrap();
    let core = change.drafts.iter().find(|one| one.role == role("core"));
    assert_eq!(core.unwrap().version.number(), 3);
}
