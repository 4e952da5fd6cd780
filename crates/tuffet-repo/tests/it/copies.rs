//! Copies under names without versions and hashes, for clients that know no consistent snapshots.

use std::fs;

use tuffet_core::json::Value;
use tuffet_core::metadata::{RoleName, UnixTime};
use tuffet_repo::{AddTarget, Delegate, DelegatedPaths, Destination, Plan, Publish};

use crate::crash::crash;
use crate::support::{NOW, World, code, delegated, files, key, named, path, role, run, versions};

fn plan(world: &World) -> Plan {
    let publish = Publish::to(world.public()).unversioned_copies();
    let plan = world.repository().publish(&publish, &[world.online], NOW);
    plan.unwrap()
}

/// What a client reads that knows no consistent snapshots.
fn read(world: &World, name: &str) -> Vec<u8> {
    fs::read(world.public().join(name)).unwrap()
}

/// Every copy is what the newest version says.
fn copies_are_right(world: &World) {
    let view = world.client().refresh(&world.public(), NOW).unwrap();
    let [root, _, snapshot, targets] = versions(&view);
    for (copy, of) in [
        ("root.json", format!("{root}.root.json")),
        ("snapshot.json", format!("{snapshot}.snapshot.json")),
        ("targets.json", format!("{targets}.targets.json")),
        ("edge.json", "1.edge.json".to_owned()),
    ] {
        if copy != "edge.json" || world.metadata("1.edge.json").exists() {
            let of = read(world, &format!("metadata/{of}"));
            assert_eq!(read(world, &format!("metadata/{copy}")), of, "{copy}");
        }
    }
}

fn changed() -> World {
    let (world, sam) = (World::published(), key());
    run(world.repository().renew(&[RoleName::Root], NOW));
    world.delegate("edge", &[("sam", sam)]);
    let tool = world.file("tool", b"tool 1");
    let tool = AddTarget::new(path("edge/tool"), tool).role(role("edge"));
    run(world.repository().add_target(&tool, NOW));
    let app = world.file("app.tar", b"app 2");
    let app = AddTarget::new(path("app.tar"), app).replace();
    run(world.repository().add_target(&app, NOW));
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world
}

#[test]
fn every_role_and_every_target_has_a_copy() {
    let world = World::published();
    // Switched on later, so that what was published before is copied from where it lies.
    fs::remove_dir_all(world.directory().join(".tuffet/objects")).unwrap();
    run(Ok(plan(&world)));
    copies_are_right(&world);
    assert_eq!(read(&world, "targets/app.tar"), b"app 1");
    // What is right is not written again.
    let again = plan(&world);
    let names = again.writes().map(|write| write.at.to_string());
    let names: Vec<String> = names.filter(|name| name.contains("public")).collect();
    drop(again);
    assert_eq!(names.len(), 1, "{names:?}");
    // Without the option they are left alone.
    world.add("b", b"b");
    world.sign();
    world.publish(NOW);
    assert!(!world.public().join("targets/b").exists());
    assert!(!files(&world.public()).contains(&"metadata/3.timestamp.json".to_owned()));
    // And afterwards they catch up.
    run(Ok(plan(&world)));
    copies_are_right(&world);
    assert_eq!(read(&world, "targets/b"), b"b");
}

#[test]
fn the_policy_can_ask_for_copies() {
    let world = World::published();
    let policy = world.directory().join("tuffet.toml");
    let text = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, format!("unversioned-copies = true\n{text}")).unwrap();
    world.publish(NOW);
    copies_are_right(&world);
}

#[test]
fn r13_copies_come_after_what_they_copy_and_after_the_timestamp() {
    let world = changed();
    let public = world.public();
    let order: Vec<String> = plan(&world)
        .writes()
        .filter_map(|write| write.at.path().unwrap().strip_prefix(&public).ok())
        .map(|path| path.to_str().unwrap().replace('\\', "/"))
        .collect();
    let at = |name: &str| {
        let found = order.iter().position(|other| other == name);
        found.unwrap_or_else(|| panic!("{name} in {order:?}"))
    };
    for pair in [
        ["metadata/3.targets.json", "targets/app.tar"],
        ["metadata/timestamp.json", "targets/app.tar"],
        ["targets/app.tar", "metadata/targets.json"],
        ["targets/edge/tool", "metadata/edge.json"],
        ["metadata/edge.json", "metadata/snapshot.json"],
        ["metadata/edge.json", "metadata/root.json"],
    ] {
        assert!(at(pair[0]) < at(pair[1]), "{pair:?} in {order:?}");
    }
}

#[test]
fn who_is_overtaken_leaves_no_copies_beside_what_others_have_published() {
    let world = World::published();
    run(Ok(plan(&world)));
    let other = world.fork();
    world.add("b", b"b");
    world.sign();
    let lost = plan(&world);
    let place = Destination::from(world.public());
    run(other.plan_to(&place, UnixTime(NOW.0 + 1)));
    assert_eq!(lost.execute().unwrap_err().code(), "publish.overtaken");
    // What it was about to publish is there, where nobody asks for it.
    assert!(world.metadata("3.targets.json").exists());
    copies_are_right(&world);
    assert!(!world.public().join("targets/b").exists());
}

#[test]
fn a_crash_between_copies_does_not_touch_other_clients_and_is_made_good() {
    let base = changed();
    let mut old = base.client();
    old.refresh(&base.public(), NOW).unwrap();
    for after in 0..plan(&base).writes().count() {
        let world = base.fork();
        crash(plan(&world), after);
        for mut client in [old.clone(), world.client()] {
            let view = client.refresh(&world.public(), NOW).unwrap();
            let seen = versions(&view);
            let states = [[1, 2, 2, 2], [2, 2, 2, 2], [2, 3, 3, 3], [2, 4, 3, 3]];
            assert!(states.contains(&seen), "after {after} writes: {seen:?}");
        }
        run(Ok(plan(&world)));
        copies_are_right(&world);
        assert_eq!(read(&world, "targets/app.tar"), b"app 2");
        assert_eq!(read(&world, "targets/edge/tool"), b"tool 1");
    }
}

#[test]
fn of_two_roles_with_the_same_path_the_copy_is_the_one_that_clients_find() {
    let world = World::published();
    let sam = key();
    let patterns = DelegatedPaths::Patterns(vec!["*".to_owned()]);
    let edge = Delegate::new(delegated("edge"), patterns, vec![named("sam", sam)]);
    run(world.repository().delegate(&edge, NOW));
    let other = world.file("other", b"of another role");
    let other = AddTarget::new(path("app.tar"), other).role(role("edge"));
    run(world.repository().add_target(&other, NOW));
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    run(Ok(plan(&world)));
    assert_eq!(read(&world, "targets/app.tar"), b"app 1");
    // When the first lists it no longer, the second is found, though nothing of the second is new.
    run(world
        .repository()
        .remove_target(&path("app.tar"), None, NOW));
    world.sign();
    run(Ok(plan(&world)));
    assert_eq!(read(&world, "targets/app.tar"), b"of another role");
}

#[test]
fn what_clients_find_nowhere_has_no_copy_until_they_do() {
    let world = World::published();
    let sam = key();
    let delegate = |pattern: &str| {
        let patterns = DelegatedPaths::Patterns(vec![pattern.to_owned()]);
        Delegate::new(delegated("edge"), patterns, vec![named("sam", sam)])
    };
    run(world.repository().delegate(&delegate("*/tool"), NOW));
    let tool = world.file("tool", b"tool");
    let tool = AddTarget::new(path("edge/tool"), tool).role(role("edge"));
    run(world.repository().add_target(&tool, NOW));
    // The delegation gets narrower by hand, as another program could make it.
    let set = |pattern: &'static str| {
        world.edit_draft("targets", |draft| {
            let delegations = draft.object("delegations");
            let roles = delegations
                .get_mut("roles")
                .unwrap()
                .as_array_mut()
                .unwrap();
            let edge = roles[0].as_object_mut().unwrap();
            let patterns = [Value::from(pattern)].into_iter().collect();
            edge.insert("paths".to_owned(), patterns);
        });
    };
    set("other/*");
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    run(Ok(plan(&world)));
    assert!(!world.public().join("targets/edge/tool").exists());
    run(world.repository().renew(&[RoleName::Targets], NOW));
    set("edge/*");
    world.sign();
    run(Ok(plan(&world)));
    assert_eq!(read(&world, "targets/edge/tool"), b"tool");
}

#[test]
fn r02_a_copy_never_stands_where_a_name_with_a_hash_belongs() {
    let world = World::published();
    let name = format!("dir/{}.tar", "A0".repeat(32));
    world.add(&name, b"x");
    world.sign();
    let publish = Publish::to(world.public()).unversioned_copies();
    let plan = world.repository().publish(&publish, &[world.online], NOW);
    assert_eq!(code(plan), "target.copy-name");
    world.publish(NOW);
}

#[test]
fn r14_a_copy_never_stands_where_a_version_of_another_role_belongs() {
    for name in ["2.root", "1.targets", "2.edge", "Timestamp"] {
        let (world, sam) = (World::published(), key());
        world.delegate("edge", &[("sam", sam)]);
        // Another program may have called it so.
        world.rename("targets", "edge", name);
        run(world.repository().sign(&[world.ana, world.ben, sam]));
        let copies = Publish::to(world.public()).unversioned_copies();
        let plan = world.repository().publish(&copies, &[world.online], NOW);
        assert_eq!(code(plan), "role.name", "{name}");
        // Without copies nothing stands there.
        let before = fs::read(world.metadata("1.targets.json")).unwrap();
        world.publish(NOW);
        let mut client = world.client();
        client.refresh(&world.public(), NOW).unwrap();
        // Nor where nobody asks for the role any more, though snapshot goes on listing it.
        let removed = world.repository().remove_delegation(name, None, NOW);
        run(removed);
        world.sign();
        run(world.repository().publish(&copies, &[world.online], NOW));
        copies_are_right(&world);
        for copy in ["2.root.json", "2.edge.json", "Timestamp.json"] {
            assert!(!world.metadata(copy).exists(), "{copy}");
        }
        assert_eq!(fs::read(world.metadata("1.targets.json")).unwrap(), before);
        client.refresh(&world.public(), NOW).unwrap();
    }
}
