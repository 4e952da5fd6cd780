//! Replacing keys, and what clients make of it.

use tuffet_core::metadata::RoleName;
use tuffet_core::trust::Signers;
use tuffet_repo::{Action, Delegate, DelegatedPaths, Document, RotateKey};
use tuffet_sign::Signer;

use crate::support::{NOW, World, after, code, delegated, key, named, path, role, run, versions};

fn rotate(world: &World, old: &str, new: &dyn Signer) {
    let rotate = RotateKey::new(old, named(old, new));
    run(world.repository().rotate_key(&rotate, NOW));
}

#[test]
fn k02_replacing_a_top_level_key_is_a_new_root_and_what_the_key_signed_is_signed_again() {
    let world = World::published();
    let mut client = world.client();
    client.refresh(&world.public(), NOW).unwrap();
    let new = key();
    rotate(&world, "ben", new);
    let change = world.repository().change().unwrap();
    let drafted: Vec<_> = change
        .drafts
        .iter()
        .map(|draft| (draft.role.as_str(), draft.version.number()))
        .collect();
    assert_eq!(drafted, [("root", 2), ("targets", 3)]);
    run(world.repository().sign(&[world.ana, world.vault]));
    world.publish(NOW);
    for mut client in [client, world.client()] {
        let (_, bytes) = client.get(&world.public(), NOW, "app.tar").unwrap();
        assert_eq!(bytes, b"app 1");
        assert_eq!(
            versions(&client.refresh(&world.public(), NOW).unwrap()),
            [2, 3, 3, 3]
        );
    }
    let root = world.document("2.root.json");
    let keys = root.member("keys").unwrap();
    assert!(keys.get(named("x", world.ben).keyid().as_str()).is_none());
    assert!(keys.get(named("x", new).keyid().as_str()).is_some());
}

#[test]
fn k03_a_new_root_needs_the_thresholds_of_the_old_and_of_the_new_root() {
    // Two of three keys are replaced: ana stays, ben and vault go, new-b and new-v come.
    let (new_b, new_v) = (key(), key());
    let world = World::published();
    rotate(&world, "ben", new_b);
    rotate(&world, "vault", new_v);
    let needs = |world: &World| {
        let change = world.repository().change().unwrap();
        let root = change
            .drafts
            .iter()
            .find(|draft| draft.role == RoleName::Root)
            .unwrap();
        let counts = root.needs.iter().map(|need| {
            let Signers::Root(version) = &need.signers else {
                panic!("{:?}", need.signers);
            };
            (version.number(), need.have, need.need)
        });
        counts.collect::<Vec<_>>()
    };
    let table: [(&[&dyn Signer], [u64; 2], &str); 6] = [
        (&[world.ana], [1, 1], "signatures.missing"),
        (&[world.ana, world.ben], [2, 1], "signatures.missing"),
        (&[world.ana, new_b], [1, 2], "signatures.missing"),
        (&[world.ben, world.vault], [2, 0], "signatures.missing"),
        (&[new_b, new_v], [0, 2], "signatures.missing"),
        (&[world.ana, world.ben, new_b], [2, 2], "no error"),
    ];
    for (signers, [old, new], expected) in table {
        let world = world.fork();
        run(world.repository().sign(signers));
        assert_eq!(needs(&world), [(1, old, 2), (2, new, 2)]);
        assert_eq!(code(world.plan(&[world.online], NOW)), expected);
    }
}

#[test]
fn k04_replacing_a_delegated_key_is_a_new_version_of_the_delegator() {
    let (world, sam) = (World::published(), key());
    world.delegate("edge", &[("sam", sam)]);
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    let mut client = world.client();
    client.refresh(&world.public(), NOW).unwrap();

    let new = key();
    rotate(&world, "sam", new);
    let drafted = |world: &World| {
        let change = world.repository().change().unwrap();
        change
            .drafts
            .iter()
            .map(|draft| draft.role.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(drafted(&world), [RoleName::Targets, role("edge")]);
    assert_eq!(code(world.repository().sign(&[sam])), "key.not-needed");
    run(world.repository().sign(&[world.ana, world.ben]));
    assert_eq!(code(world.plan(&[world.online], NOW)), "signatures.missing");
    run(world.repository().sign(&[new]));
    world.publish(NOW);
    let file = world.file("fw", b"fw");
    let add = tuffet_repo::AddTarget::new(path("edge/fw"), file).role(role("edge"));
    run(world.repository().add_target(&add, NOW));
    run(world.repository().sign(&[new]));
    world.publish(NOW);
    for mut client in [client, world.client()] {
        client.get(&world.public(), NOW, "edge/fw").unwrap();
    }
}

#[test]
fn k04_replacing_the_key_of_bins_signs_every_bin_again() {
    let (world, machine, new) = (World::published(), key(), key());
    let bins = DelegatedPaths::Bins { bit_length: 3 };
    let bins = Delegate::new(delegated("bin"), bins, vec![named("bins", machine)]).online();
    run(world.repository().delegate(&bins, NOW));
    let file = world.file("x", b"x");
    let add = tuffet_repo::AddTarget::new(path("x"), file);
    run(world.repository().add_target(&add, NOW));
    world.sign();
    run(world.plan(&[world.online, machine], NOW));

    rotate(&world, "bins", new);
    assert_eq!(world.repository().change().unwrap().drafts.len(), 9);
    world.sign();
    assert_eq!(
        code(world.plan(&[world.online, machine], NOW)),
        "signatures.missing"
    );
    run(world.plan(&[world.online, new], NOW));
    world.client().get(&world.public(), NOW, "x").unwrap();
}

#[test]
fn what_was_signed_before_has_to_count_after_the_change_too() {
    let (world, sam, lin) = (World::published(), key(), key());
    let patterns = DelegatedPaths::Patterns(vec!["edge/*".to_owned()]);
    let keys = vec![named("sam", sam), named("lin", lin)];
    let edge = Delegate::new(delegated("edge"), patterns, keys);
    run(world.repository().delegate(&edge, NOW));
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);

    // The threshold goes up, and version 1 of the role has one signature.
    run(world.repository().renew(&[RoleName::Targets], NOW));
    let raised = world.fork();
    raised.edit_draft("targets", |targets| {
        let roles = targets.object("delegations").get_mut("roles").unwrap();
        let edge = roles.as_array_mut().unwrap()[0].as_object_mut().unwrap();
        edge.insert("threshold".to_owned(), 2.into());
    });
    raised.sign();
    let error = raised.plan(&[world.online], NOW).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("edge v1 has 1 of 2 by targets (waiting for lin "),
        "{error}"
    );
    run(raised.repository().renew(&[role("edge")], NOW));
    run(raised.repository().sign(&[sam, lin]));
    raised.publish(NOW);
}

#[test]
fn a_key_can_be_replaced_in_one_role_only() {
    let world = World::published();
    let rotate = RotateKey::new("ben", named("ben-targets", key())).role(RoleName::Targets);
    let actions = run(world.repository().rotate_key(&rotate, NOW));
    let replaced: Vec<_> = actions
        .iter()
        .filter_map(|action| match action {
            Action::KeyReplaced { role, .. } => Some(role.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(replaced, ["targets"]);
    world.sign();
    let keys = |document: &Document| document.member("keys").unwrap().as_object().unwrap().len();
    run(world.repository().sign(&[world.vault]));
    world.publish(NOW);
    assert_eq!(keys(&world.document("2.root.json")), 5);
}

#[test]
fn wrong_rotations_are_refused() {
    let world = World::published();
    let plan = |old: &str, new: &dyn Signer, role: Option<RoleName>| {
        let mut rotate = RotateKey::new(old, named("new", new));
        if let Some(role) = role {
            rotate = rotate.role(role);
        }
        code(world.repository().rotate_key(&rotate, NOW))
    };
    assert_eq!(plan("nobody", key(), None), "key.unknown");
    assert_eq!(plan("ben", world.ana, None), "key.duplicate");
    assert_eq!(
        plan("ben", key(), Some(RoleName::Snapshot)),
        "key.not-there"
    );
    // The machine's key would come to sign root.
    assert_eq!(plan("ben", world.online, None), "policy.online-key");
}

#[test]
fn an_online_key_is_replaced_without_a_moment_in_which_clients_fail() {
    let world = World::published();
    let mut client = world.client();
    client.refresh(&world.public(), NOW).unwrap();
    let new = key();
    rotate(&world, "online", new);
    world.sign();
    assert_eq!(code(world.plan(&[world.online], NOW)), "signatures.missing");
    let actions = run(world.plan(&[world.online, new], NOW));
    assert!(!actions.contains(&Action::Gap));
    for mut client in [client, world.client()] {
        assert_eq!(
            versions(&client.refresh(&world.public(), NOW).unwrap()),
            [2, 3, 3, 2]
        );
    }
    // Afterwards the new key is enough, and it is an online key.
    run(world.plan(&[new], after(1)));
    assert!(world.repository().policy().keys["online"].online);
}

#[test]
fn r13_a_key_is_replaced_without_a_moment_in_which_clients_fail_if_the_old_one_signs_too() {
    let world = World::published();
    let mut client = world.client();
    client.refresh(&world.public(), NOW).unwrap();
    let new = key();
    rotate(&world, "ben", new);
    run(world.repository().sign(&[world.ana, world.ben, new]));
    let actions = run(world.plan(&[world.online], NOW));
    assert!(!actions.contains(&Action::Gap));
    for mut client in [client, world.client()] {
        client.get(&world.public(), NOW, "app.tar").unwrap();
    }
}

#[test]
fn a_lost_online_key_is_replaced_with_a_gap() {
    let world = World::published();
    let mut client = world.client();
    client.refresh(&world.public(), NOW).unwrap();
    let new = key();
    rotate(&world, "online", new);
    world.sign();
    let actions = run(world.plan(&[new], NOW));
    assert!(actions.contains(&Action::Gap));
    for mut client in [client, world.client()] {
        client.get(&world.public(), NOW, "app.tar").unwrap();
    }
}

#[test]
fn r17_clients_recover_from_versions_that_an_attacker_drove_up() {
    let world = World::published();
    // The attacker has the online key and publishes versions that nobody can reach.
    let attacked = world.fork();
    let mut snapshot = attacked.document("2.snapshot.json");
    let high = 1_u64 << 53;
    snapshot.set("version", high.into());
    snapshot.clear_signatures();
    let snapshot = snapshot.sign(&[world.online]).unwrap().to_bytes();
    let version = tuffet_core::metadata::Version::new(high).unwrap();
    let timestamp =
        tuffet_repo::builder::Timestamp::new(version, after(1), version, Some(&snapshot));
    let timestamp = timestamp.build().sign(&[world.online]).unwrap().to_bytes();
    std::fs::write(
        attacked.metadata(&format!("{high}.snapshot.json")),
        snapshot,
    )
    .unwrap();
    std::fs::write(attacked.metadata("timestamp.json"), timestamp).unwrap();
    let (mut victim, mut lucky) = (world.client(), world.client());
    assert_eq!(
        versions(&victim.refresh(&attacked.public(), NOW).unwrap())[1],
        high
    );
    lucky.refresh(&world.public(), NOW).unwrap();

    // Renewing alone does not help: the victim would refuse.
    assert_eq!(
        code(attacked.plan(&[world.online], NOW)),
        "rollback.timestamp"
    );

    let new = key();
    rotate(&attacked, "online", new);
    attacked.sign();
    run(attacked.plan(&[new], NOW));
    for client in [&mut victim, &mut lucky, &mut world.client()] {
        assert_eq!(
            versions(&client.refresh(&attacked.public(), NOW).unwrap()),
            [2, 3, 3, 2]
        );
        client.get(&attacked.public(), NOW, "app.tar").unwrap();
    }
}
