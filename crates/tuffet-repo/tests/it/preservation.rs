//! Members that nobody here knows stay as they are (F-02).

use tuffet_core::json::Value;
use tuffet_core::metadata::RoleName;
use tuffet_repo::{AddTarget, Delegate, DelegatedPaths, RotateKey};

use crate::support::{NOW, World, delegated, key, named, path, role, run};

/// Puts an unknown member into an object.
fn mark(object: &mut std::collections::BTreeMap<String, Value>) {
    let value = Value::parse(
        br#"{"nested":[1,"two",{"three":null}],"big":123456789012345678901234567890}"#,
    );
    object.insert("x-unknown".to_owned(), value.unwrap());
}

fn marked(value: &Value) -> bool {
    value
        .get("x-unknown")
        .is_some_and(|unknown| unknown.get("big").is_some())
}

fn member<'v>(
    value: &'v mut Value,
    name: &str,
) -> &'v mut std::collections::BTreeMap<String, Value> {
    value.get_mut(name).and_then(Value::as_object_mut).unwrap()
}

#[test]
fn f02_unknown_members_survive_edits_of_targets() {
    let (world, sam) = (World::published(), key());
    let patterns = DelegatedPaths::Patterns(vec!["edge/*".to_owned()]);
    let delegate =
        |name: &str| Delegate::new(delegated(name), patterns.clone(), vec![named("sam", sam)]);
    run(world.repository().delegate(&delegate("edge"), NOW));
    world.edit_draft("targets", |targets| {
        targets.set("x-top", Value::from(true));
        mark(member(
            targets.object("targets").get_mut("app.tar").unwrap(),
            "hashes",
        ));
        let entry = targets.object("targets").get_mut("app.tar").unwrap();
        mark(entry.as_object_mut().unwrap());
        let delegations = targets.object("delegations");
        mark(delegations);
        let keys = member_of(delegations, "keys");
        keys.values_mut()
            .for_each(|key| mark(key.as_object_mut().unwrap()));
        let roles = delegations
            .get_mut("roles")
            .and_then(Value::as_array_mut)
            .unwrap();
        roles
            .iter_mut()
            .for_each(|role| mark(role.as_object_mut().unwrap()));
    });
    // Unknown hash algorithms are not text here, so take that mark out again: it has to stay readable for clients.
    world.edit_draft("targets", |targets| {
        let entry = targets.object("targets").get_mut("app.tar").unwrap();
        member(entry, "hashes").remove("x-unknown");
    });
    // Three edits of different kinds.
    run(world
        .repository()
        .add_target(&AddTarget::new(path("b"), world.file("b", b"b")), NOW));
    run(world.repository().delegate(&delegate("edge-2"), NOW));
    run(world.repository().rotate_key(
        &RotateKey::new("sam", named("sam", key())).role(role("edge-2")),
        NOW,
    ));

    let change = world.repository().change().unwrap();
    let draft = change
        .drafts
        .iter()
        .find(|draft| draft.role == RoleName::Targets)
        .unwrap();
    let targets = Value::parse(draft.bytes()).unwrap();
    let targets = targets.get("signed").unwrap();
    assert_eq!(targets.get("x-top"), Some(&Value::Bool(true)));
    assert!(marked(
        targets.get("targets").unwrap().get("app.tar").unwrap()
    ));
    let delegations = targets.get("delegations").unwrap();
    assert!(marked(delegations));
    let edge = &delegations.get("roles").unwrap().as_array().unwrap()[0];
    assert!(marked(edge));
    let keyid = edge.get("keyids").unwrap().as_array().unwrap()[0]
        .as_str()
        .unwrap();
    assert!(marked(delegations.get("keys").unwrap().get(keyid).unwrap()));
}

fn member_of<'v>(
    object: &'v mut std::collections::BTreeMap<String, Value>,
    name: &str,
) -> &'v mut std::collections::BTreeMap<String, Value> {
    object.get_mut(name).and_then(Value::as_object_mut).unwrap()
}

#[test]
fn f02_unknown_members_survive_rotations_and_renewals_of_root_snapshot_and_timestamp() {
    let world = World::published();
    run(world.repository().renew(&[RoleName::Root], NOW));
    world.edit_draft("root", |root| {
        root.set("x-top", Value::from(true));
        let roles = root.object("roles");
        roles
            .values_mut()
            .for_each(|role| mark(role.as_object_mut().unwrap()));
        mark(roles.get_mut("root").unwrap().as_object_mut().unwrap());
    });
    run(world
        .repository()
        .rotate_key(&RotateKey::new("ben", named("ben", key())), NOW));
    run(world.repository().sign(&[world.ana, world.vault]));
    world.publish(NOW);
    let root = world.document("2.root.json");
    assert_eq!(root.member("x-top"), Some(&Value::Bool(true)));
    for of in ["root", "timestamp", "snapshot", "targets"] {
        assert!(
            marked(root.member("roles").unwrap().get(of).unwrap()),
            "{of}"
        );
    }

    // Snapshot and timestamp of a repository that another tool began.
    let own = world.directory().join("metadata");
    for name in ["3.snapshot.json", "timestamp.json"] {
        let mut document = world.document(name);
        document.set("x-top", Value::from(true));
        document.clear_signatures();
        let document = document.sign(&[world.online]).unwrap();
        std::fs::write(own.join(name), document.to_bytes()).unwrap();
    }
    world.add("b", b"b");
    run(world.repository().sign(&[world.ana, world.vault]));
    world.publish(NOW);
    for name in ["4.snapshot.json", "timestamp.json"] {
        assert_eq!(
            world.document(name).member("x-top"),
            Some(&Value::Bool(true)),
            "{name}"
        );
    }
    world.client().get(&world.public(), NOW, "b").unwrap();
}
