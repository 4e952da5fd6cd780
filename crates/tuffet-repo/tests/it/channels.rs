//! Channels, targets in them, and taking targets back.

use std::fs;

use tuffet_core::json::Value;
use tuffet_core::metadata::RoleName;
use tuffet_repo::{Action, AddTarget, Error, NewChannel, Plan, Promote};
use tuffet_sign::{FileKey, Signer};

use crate::support::{NOW, World, code, delegated, files, key, named, path, role, run};

/// A repository with the channels beta, signed by a machine, and stable, signed by those who sign targets.
fn with_channels() -> (World, &'static FileKey) {
    let (world, machine) = (World::published(), key());
    let beta = NewChannel::new(delegated("beta")).signers(vec![named("ci", machine)], 1);
    run(world.repository().new_channel(&beta, NOW));
    run(world
        .repository()
        .new_channel(&NewChannel::new(delegated("stable")), NOW));
    sign(&world, machine);
    world.publish(NOW);
    (world, machine)
}

fn sign(world: &World, machine: &FileKey) {
    run(world.repository().sign(&[world.ana, world.ben, machine]));
}

fn add(world: &World, name: &str, by: &str, content: &[u8]) {
    let add = AddTarget::new(path(name), world.file("file", content)).role(role(by));
    let custom = Value::from_iter([("version", Value::from("1.5.0"))]);
    run(world.repository().add_target(&add.custom(custom), NOW));
}

fn promote(world: &World, target: &str) -> Result<Plan, Error> {
    let promote = Promote::new(target, delegated("beta"), delegated("stable"));
    world.repository().promote(&promote, NOW)
}

#[test]
fn a_channel_is_a_terminating_delegation_with_keys_of_its_own() {
    let (world, _) = with_channels();
    let channels = world.repository().channels().unwrap();
    let names: Vec<&str> = channels.iter().map(|one| one.role.as_str()).collect();
    assert_eq!(names, ["beta", "stable"]);
    assert!(
        channels
            .iter()
            .all(|one| one.terminating && one.by == RoleName::Targets)
    );
    let signers: Vec<(u64, usize)> = channels
        .iter()
        .map(|one| (one.threshold, one.keys.len()))
        .collect();
    assert_eq!(signers, [(1, 1), (2, 3)], "stable is signed as targets is");
    let again = NewChannel::new(delegated("beta"));
    assert_eq!(
        code(world.repository().new_channel(&again, NOW)),
        "role.exists"
    );
    // The key of the one does not sign for the other.
    add(&world, "stable/app.tar", "stable", b"app");
    let change = world.repository().change().unwrap();
    assert_eq!(change.drafts.len(), 1);
    assert_eq!(code(world.plan(&[world.online], NOW)), "signatures.missing");
}

#[test]
fn a_promotion_needs_no_file_and_publishes_the_same_bytes() {
    let (world, machine) = with_channels();
    add(&world, "beta/app.tar", "beta", b"app 1.5.0");
    run(world.repository().sign(&[machine]));
    world.publish(NOW);
    // Whoever promotes never had the file.
    fs::remove_dir_all(world.directory().join(".tuffet/objects")).unwrap();
    fs::remove_dir_all(world.directory().join("../files")).unwrap();

    let actions = run(promote(&world, "app.tar"));
    assert!(actions.contains(&Action::Promoted {
        from: path("beta/app.tar"),
        to: path("stable/app.tar"),
        role: role("stable"),
        length: 9
    }));
    world.sign();
    let plan = world.plan(&[world.online], NOW).unwrap();
    let copies: Vec<String> = plan
        .writes()
        .filter(|write| {
            write
                .at
                .path()
                .is_some_and(|path| path.starts_with(world.public().join("targets")))
        })
        .map(|write| format!("{:?}", write.kind))
        .collect();
    assert_eq!(copies.len(), 1);
    assert!(
        copies[0].contains("beta"),
        "from where it is published: {copies:?}"
    );
    plan.execute().unwrap();
    let (found, bytes) = world
        .client()
        .get(&world.public(), NOW, "stable/app.tar")
        .unwrap();
    assert_eq!(
        (found.role.clone(), bytes.as_slice()),
        (role("stable"), &b"app 1.5.0"[..])
    );
    let listed = world
        .repository()
        .find_target(&path("stable/app.tar"))
        .unwrap();
    assert!(listed[0].entry.custom.is_some(), "custom data goes along");
    let published = files(&world.public().join("targets"));
    let names = published.iter().filter(|name| name.ends_with(".app.tar"));
    assert_eq!(names.count(), 3, "{published:?}");
}

#[test]
fn a_promotion_is_refused_where_it_has_no_sense() {
    let (world, machine) = with_channels();
    assert_eq!(code(promote(&world, "app.tar")), "target.not-listed");
    add(&world, "beta/app.tar", "beta", b"new");
    add(&world, "stable/app.tar", "stable", b"old");
    assert_eq!(code(promote(&world, "beta/app.tar")), "target.exists");
    let replace = Promote::new("app.tar", delegated("beta"), delegated("stable")).replace();
    run(world.repository().promote(&replace, NOW));
    assert!(run(promote(&world, "app.tar")).is_empty(), "it is there");
    for (from, to) in [("beta", "nightly"), ("nightly", "beta"), ("beta", "team")] {
        let promote = Promote::new("app.tar", delegated(from), delegated(to));
        assert_eq!(
            code(world.repository().promote(&promote, NOW)),
            "channel.unknown"
        );
    }
    sign(&world, machine);
    world.publish(NOW);
    let (_, bytes) = world
        .client()
        .get(&world.public(), NOW, "stable/app.tar")
        .unwrap();
    assert_eq!(bytes, b"new");
}

#[test]
fn bytes_that_are_published_under_another_name_are_not_taken_on_trust() {
    let (world, machine) = with_channels();
    add(&world, "beta/app.tar", "beta", b"app 1.5.0");
    run(world.repository().sign(&[machine]));
    world.publish(NOW);
    fs::remove_dir_all(world.directory().join(".tuffet/objects")).unwrap();
    let name = files(&world.public().join("targets"));
    let name = name.iter().find(|name| name.starts_with("beta/")).unwrap();
    fs::write(world.public().join("targets").join(name), b"app 6.6.6").unwrap();
    run(promote(&world, "app.tar"));
    world.sign();
    assert_eq!(
        code(world.plan(&[world.online], NOW)),
        "target.content-missing"
    );
}

#[test]
fn a_target_says_who_lists_it_and_how_clients_come_there() {
    let (world, _) = with_channels();
    add(&world, "stable/app.tar", "stable", b"new");
    let listed = world
        .repository()
        .find_target(&path("stable/app.tar"))
        .unwrap();
    let [one] = listed.as_slice() else {
        panic!("{listed:?}");
    };
    assert!(one.found);
    assert_eq!(
        (one.entry.role.clone(), one.entry.length),
        (role("stable"), 3)
    );
    let [link] = one.way.as_slice() else {
        panic!("{listed:?}");
    };
    assert_eq!(
        (link.matched.as_str(), link.terminating),
        ("stable/*", true)
    );
    // What targets lists itself comes before every delegation.
    add(&world, "stable/app.tar", "targets", b"other");
    let listed = world
        .repository()
        .find_target(&path("stable/app.tar"))
        .unwrap();
    let order: Vec<(RoleName, bool)> = listed
        .iter()
        .map(|one| (one.entry.role.clone(), one.found))
        .collect();
    assert_eq!(order, [(RoleName::Targets, true), (role("stable"), false)]);
    let nothing = world.repository().find_target(&path("stable/nothing"));
    assert_eq!(code(nothing), "target.unlisted");
}

#[test]
fn a_target_that_is_yanked_leaves_every_channel_in_one_change() {
    let (world, machine) = with_channels();
    add(&world, "beta/app.tar.5", "beta", b"bad");
    add(&world, "app.tar.5", "targets", b"bad");
    run(promote(&world, "app.tar.5"));
    sign(&world, machine);
    world.publish(NOW);
    let mut has_it = world.client();
    has_it.get(&world.public(), NOW, "beta/app.tar.5").unwrap();

    let actions = run(world.repository().yank_target(&path("app.tar.5"), NOW));
    let removed = |name: &str, by: &str| Action::TargetRemoved {
        path: path(name),
        role: role(by),
    };
    for (name, by) in [
        ("app.tar.5", "targets"),
        ("beta/app.tar.5", "beta"),
        ("stable/app.tar.5", "stable"),
    ] {
        assert!(actions.contains(&removed(name, by)), "{name}: {actions:?}");
    }
    let signers: [&dyn Signer; 3] = [world.ana, world.ben, machine];
    run(world.repository().sign(&signers));
    world.publish(NOW);
    for name in ["app.tar.5", "beta/app.tar.5", "stable/app.tar.5"] {
        let lost = has_it.get(&world.public(), NOW, name);
        assert_eq!(lost.unwrap_err().code(), "target.not-found", "{name}");
    }
    // Other targets are still there, and of a channel only what is named is taken.
    add(&world, "beta/app.tar.6", "beta", b"good");
    run(promote(&world, "app.tar.6"));
    run(world
        .repository()
        .yank_target(&path("stable/app.tar.6"), NOW));
    assert_eq!(
        world
            .repository()
            .targets(Some(&role("beta")))
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        world
            .repository()
            .targets(Some(&role("stable")))
            .unwrap()
            .len(),
        0
    );
    let nothing = world.repository().yank_target(&path("nothing"), NOW);
    assert_eq!(code(nothing), "target.unlisted");
}
