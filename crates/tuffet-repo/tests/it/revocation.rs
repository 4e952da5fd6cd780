//! Taking keys away.

use tuffet_core::metadata::RoleName;
use tuffet_repo::{Action, RevokeKey};

use crate::support::{NOW, World, code, key, named, role, run, versions};

#[test]
fn k02_a_key_that_is_revoked_is_a_new_root_and_what_it_signed_is_signed_again() {
    let world = World::published();
    let mut client = world.client();
    client.refresh(&world.public(), NOW).unwrap();
    let actions = run(world.repository().revoke_key(&RevokeKey::new("ben"), NOW));
    let removed: Vec<&RoleName> = actions
        .iter()
        .filter_map(|action| match action {
            Action::KeyRemoved { role, .. } => Some(role),
            _ => None,
        })
        .collect();
    assert_eq!(removed, [&RoleName::Root, &RoleName::Targets]);
    let change = world.repository().change().unwrap();
    let drafted: Vec<_> = change
        .drafts
        .iter()
        .map(|draft| (draft.role.as_str(), draft.version.number()))
        .collect();
    assert_eq!(drafted, [("root", 2), ("targets", 3)]);
    // The key that goes can help the old root to say so, but does not count in the new one.
    run(world.repository().sign(&[world.ana, world.ben]));
    assert_eq!(code(world.plan(&[world.online], NOW)), "signatures.missing");
    run(world.repository().sign(&[world.vault]));
    world.publish(NOW);
    for mut client in [client, world.client()] {
        let (_, bytes) = client.get(&world.public(), NOW, "app.tar").unwrap();
        assert_eq!(bytes, b"app 1");
        assert_eq!(
            versions(&client.refresh(&world.public(), NOW).unwrap()),
            [2, 3, 3, 3]
        );
    }
    let identity = named("ben", world.ben).identity();
    assert_eq!(world.repository().roles_of(&identity).unwrap(), []);
    let root = world.document("2.root.json");
    let keys = root.member("keys").unwrap();
    assert!(keys.get(named("ben", world.ben).keyid().as_str()).is_none());
}

#[test]
fn a_key_that_is_needed_is_not_revoked() {
    let world = World::published();
    run(world.repository().revoke_key(&RevokeKey::new("ben"), NOW));
    let before = world.repository().change().unwrap();
    let revoke = |revoke: &RevokeKey| code(world.repository().revoke_key(revoke, NOW));
    assert_eq!(revoke(&RevokeKey::new("vault")), "policy.too-few-keys");
    let lower = |key: &str| {
        RevokeKey::new(key)
            .threshold(RoleName::Root, 1)
            .threshold(RoleName::Targets, 1)
    };
    let none = RevokeKey::new("vault").threshold(RoleName::Root, 0);
    assert_eq!(revoke(&none), "policy.threshold");
    assert_eq!(revoke(&RevokeKey::new("online")), "policy.too-few-keys");
    assert_eq!(
        world.repository().change().unwrap().drafts.len(),
        before.drafts.len()
    );

    // A threshold that is named is set as `role set` does it: the policy learns it with the change.
    let policy = || std::fs::read_to_string(world.directory().join("tuffet.toml")).unwrap();
    assert!(policy().contains("threshold = 2"), "{}", policy());
    run(world.repository().revoke_key(&lower("vault"), NOW));
    run(world.repository().sign(&[world.ana, world.ben]));
    world.publish(NOW);
    assert!(!policy().contains("threshold = 2"), "{}", policy());
    world.client().refresh(&world.public(), NOW).unwrap();
    let root = world.document("2.root.json");
    let threshold = root.member("roles").unwrap().get("targets").unwrap();
    assert_eq!(threshold.get("threshold").unwrap().as_u64(), Some(1));
}

#[test]
fn k04_a_delegated_key_that_is_revoked_is_a_new_version_of_the_delegator() {
    let (world, sam, lin) = (World::published(), key(), key());
    world.delegate("edge", &[("sam", sam), ("lin", lin)]);
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    let only = RevokeKey::new("sam").role(role("edge"));
    run(world.repository().revoke_key(&only, NOW));
    let change = world.repository().change().unwrap();
    let drafted: Vec<RoleName> = change
        .drafts
        .iter()
        .map(|draft| draft.role.clone())
        .collect();
    assert_eq!(drafted, [RoleName::Targets, role("edge")]);
    run(world.repository().sign(&[world.ana, world.ben, lin]));
    world.publish(NOW);
    world.client().refresh(&world.public(), NOW).unwrap();
    let revoke = RevokeKey::new("lin");
    assert_eq!(
        code(world.repository().revoke_key(&revoke, NOW)),
        "policy.too-few-keys"
    );
}

#[test]
fn wrong_revocations_are_refused() {
    let world = World::published();
    let revoke = |revoke: RevokeKey| code(world.repository().revoke_key(&revoke, NOW));
    assert_eq!(revoke(RevokeKey::new("nobody")), "key.unknown");
    let elsewhere = RevokeKey::new("ben").role(RoleName::Snapshot);
    assert_eq!(revoke(elsewhere), "key.not-there");
    let untouched = RevokeKey::new("ben").threshold(RoleName::Snapshot, 1);
    assert_eq!(revoke(untouched), "role.unsuited");
    assert!(world.repository().change().unwrap().drafts.is_empty());
}
