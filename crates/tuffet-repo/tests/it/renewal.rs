//! Renewing what is in force while a change waits.

use std::fs;

use tuffet_core::metadata::RoleName;
use tuffet_repo::{Action, Error, Plan, Publish, SetRole};

use crate::crash::crash;
use crate::support::{NOW, World, after, code, files, key, run, versions};

/// Publishes what is in force.
fn renew(world: &World) -> Result<Plan, Error> {
    let publish = Publish::to(world.public()).in_force();
    world.repository().publish(&publish, &[world.online], NOW)
}

fn seen(world: &World) -> [u64; 4] {
    versions(&world.client().refresh(&world.public(), NOW).unwrap())
}

#[test]
fn what_is_in_force_is_renewed_while_a_change_waits_for_signatures() {
    let world = World::published();
    world.add("b", b"b");
    run(world.repository().sign(&[world.ana]));
    let open = fs::read(world.change()).unwrap();
    assert_eq!(code(world.plan(&[world.online], NOW)), "signatures.missing");
    assert_eq!(seen(&world), [1, 2, 2, 2]);
    for timestamp in [3, 4] {
        let actions = run(renew(&world));
        assert!(actions.contains(&Action::ChangeLeft), "{actions:?}");
        assert_eq!(seen(&world), [1, timestamp, 2, 2]);
        assert_eq!(fs::read(world.change()).unwrap(), open);
    }
    run(world.repository().sign(&[world.ben]));
    // Nor if it has all of its signatures: nobody has said that it is to be published.
    run(renew(&world));
    assert_eq!(seen(&world), [1, 5, 2, 2]);
    let actions = world.publish(NOW);
    assert!(!actions.contains(&Action::ChangeLeft), "{actions:?}");
    assert_eq!(seen(&world), [1, 6, 3, 3]);
}

#[test]
fn a_draft_that_was_overtaken_does_not_keep_anybody_from_renewing() {
    let world = World::published();
    let other = world.fork();
    other.add("theirs", b"theirs");
    other.sign();
    let publish = Publish::to(world.public());
    run(other.repository().publish(&publish, &[world.online], NOW));
    world.add("ours", b"ours");
    let published = world.public().join("metadata");
    for name in files(&published) {
        let own = world.directory().join("metadata").join(&name);
        fs::copy(published.join(name), own).unwrap();
    }
    assert_eq!(code(world.plan(&[world.online], NOW)), "change.stale");
    run(renew(&world));
    assert_eq!(seen(&world), [1, 4, 3, 3]);
    assert!(world.repository().change().unwrap().is_overtaken());
}

#[test]
fn what_an_open_change_will_ask_is_not_asked_of_what_is_in_force() {
    let world = World::published();
    let set = SetRole::new("targets").threshold(3);
    run(world.repository().set_role(&set, NOW));
    run(renew(&world));
    assert_eq!(seen(&world), [1, 3, 2, 2]);
}

#[test]
fn a_new_snapshot_is_made_if_it_is_asked_for_or_due() {
    let world = World::published();
    world.add("b", b"b");
    let publish = Publish::to(world.public()).in_force().new_snapshot();
    run(world.repository().publish(&publish, &[world.online], NOW));
    assert_eq!(seen(&world), [1, 3, 3, 2]);
    run(renew(&world));
    assert_eq!(seen(&world), [1, 4, 3, 2]);
    let publish = Publish::to(world.public()).in_force();
    let late = after(30);
    let plan = world.repository().publish(&publish, &[world.online], late);
    let due = |action: &Action| {
        matches!(
            action,
            Action::Published {
                role: RoleName::Snapshot,
                ..
            }
        )
    };
    assert!(plan.unwrap().actions().iter().any(due));
}

#[test]
fn a_publication_that_broke_off_is_renewed_as_a_whole_or_not_at_all() {
    let (world, sam) = (World::published(), key());
    world.delegate("edge", &[("sam", sam)]);
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    run(world
        .repository()
        .renew(&[RoleName::Targets, crate::support::role("edge")], NOW));
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    let listed = |world: &World| {
        let snapshot = format!("{}.snapshot.json", seen(world)[2]);
        let document = world.document(&snapshot);
        let meta = document.member("meta").unwrap();
        ["targets.json", "edge.json"].map(|file| {
            let version = meta.get(file).unwrap().get("version").unwrap();
            version.as_u64().unwrap()
        })
    };
    assert_eq!(listed(&world), [3, 1]);
    let writes = world.plan(&[world.online], NOW).unwrap().writes().count();
    let mut both = 0;
    for writes in 0..writes {
        let world = world.fork();
        crash(world.plan(&[world.online], NOW).unwrap(), writes);
        run(renew(&world));
        match listed(&world) {
            [3, 1] => assert!(world.change().exists()),
            [4, 2] => both += 1,
            half => panic!("after {writes} writes: {half:?}"),
        }
    }
    assert!(both > 0);
}

#[test]
fn what_was_never_published_is_not_renewed() {
    let world = World::founded();
    let error = renew(&world).unwrap_err();
    assert_eq!(error.code(), "role.unsuited");
    assert!(error.to_string().contains("never published"), "{error}");
}

#[test]
fn a_change_that_cannot_be_read_does_not_keep_anybody_from_renewing() {
    let world = World::published();
    world.add("b", b"b");
    fs::write(world.change(), b"{").unwrap();
    assert_eq!(code(world.plan(&[world.online], NOW)), "repo.format");
    let actions = run(renew(&world));
    let unread = |action: &Action| matches!(action, Action::ChangeUnread { code, .. } if *code == "repo.format");
    assert!(actions.iter().any(unread), "{actions:?}");
    assert_eq!(seen(&world), [1, 3, 2, 2]);
    assert_eq!(fs::read(world.change()).unwrap(), b"{");
    // Nor one that somebody has pushed to where it would be read without git.
    let world = World::founded_in_git();
    world.publish(NOW);
    fs::write(world.change(), b"{}").unwrap();
    assert_eq!(code(world.plan(&[world.online], NOW)), "change.elsewhere");
    run(renew(&world));
    assert_eq!(seen(&world)[..2], [1, 2]);
}

#[test]
fn nothing_of_a_change_that_cannot_be_read_is_published_by_a_renewal() {
    let base = World::published();
    base.add("b", b"b");
    base.sign();
    let writes = base.plan(&[base.online], NOW).unwrap().writes().count();
    let mut sealed = 0;
    for writes in 0..writes - 1 {
        let world = base.fork();
        crash(world.plan(&[world.online], NOW).unwrap(), writes);
        let before = world.client().refresh(&world.public(), NOW).unwrap();
        fs::write(world.change(), b"{").unwrap();
        let renewed = renew(&world).and_then(Plan::execute);
        assert_eq!(
            seen(&world)[3],
            versions(&before)[3],
            "after {writes} writes"
        );
        if let Err(error) = renewed {
            assert_eq!(error.code(), "repo.format");
            sealed += 1;
        }
    }
    assert!(sealed > 0);
}

#[test]
fn a_renewal_that_broke_off_beside_what_waits_is_ended_by_another_one() {
    let world = World::published();
    world.add("b", b"b");
    let plan = renew(&world).unwrap();
    let writes = plan.writes().count();
    crash(plan, writes - 2);
    let change = world.repository().change().unwrap();
    assert!(change.is_beside_unpublished());
    // With all signatures it is published together with that.
    let signed = world.fork();
    signed.sign();
    assert!(
        !signed
            .repository()
            .change()
            .unwrap()
            .is_beside_unpublished()
    );
    run(renew(&world));
    let change = world.repository().change().unwrap();
    assert_eq!(
        (change.unpublished, change.is_beside_unpublished()),
        (None, false)
    );
}
