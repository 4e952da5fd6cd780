//! Recovering from keys that were lost or stolen, and what becomes of clients that believed the thief (R-17, K-02, K-04).

use std::fs;

use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::json::Value;
use tuffet_core::metadata::{RoleName, Version};
use tuffet_repo::{Action, Document, Outcome, Recover, Repository, Suspect};
use tuffet_sign::{FileKey, Signer};

use crate::support::{Client, NOW, World, code, key, named, path, role, run, versions};

/// As high as a version can be that every implementation reads.
pub(crate) const HIGH: u64 = (1 << 53) - 1;

/// What snapshot or timestamp says about a file.
pub(crate) fn listed(version: u64, bytes: &[u8]) -> Value {
    let digest = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, bytes);
    let hashes = Value::from_iter([("sha256", Value::from(digest.to_hex()))]);
    Value::from_iter([
        ("hashes", hashes),
        ("length", Value::from(bytes.len() as u64)),
        ("version", Value::from(version)),
    ])
}

/// Puts a file into the published tree, signed by whatever keys were stolen.
pub(crate) fn forge(
    world: &World,
    name: &str,
    document: Document,
    signers: &[&dyn Signer],
) -> Vec<u8> {
    let mut document = document;
    document.clear_signatures();
    let bytes = document.sign(signers).unwrap().to_bytes();
    fs::write(world.metadata(name), &bytes).unwrap();
    bytes
}

/// A thief of the online key publishes the highest versions of snapshot and timestamp; `targets` is what they list.
fn fast_forward(world: &World, online: &FileKey, targets: Option<(u64, &[u8])>) {
    let version = world.document("timestamp.json").member("meta").cloned();
    let version = version
        .unwrap()
        .get("snapshot.json")
        .unwrap()
        .get("version")
        .unwrap()
        .as_u64();
    let mut snapshot = world.document(&format!("{}.snapshot.json", version.unwrap()));
    snapshot.set("version", HIGH.into());
    if let Some((version, bytes)) = targets {
        let meta = snapshot.object("meta");
        meta.insert("targets.json".to_owned(), listed(version, bytes));
    }
    let snapshot = forge(world, &format!("{HIGH}.snapshot.json"), snapshot, &[online]);
    let mut timestamp = world.document("timestamp.json");
    timestamp.set("version", HIGH.into());
    let meta = timestamp.object("meta");
    meta.insert("snapshot.json".to_owned(), listed(HIGH, &snapshot));
    forge(world, "timestamp.json", timestamp, &[online]);
}

/// Recovers with a new root, which a client that has seen the state before accepts.
fn harms_nobody(world: &World, recover: &Recover, client: &mut Client) {
    assert_eq!(outcome(world, recover), Outcome::Unharmed);
    run(world.repository().recover(recover, NOW));
    world.sign();
    world.publish(NOW);
    let view = client.refresh(&world.public(), NOW).unwrap();
    assert_eq!(versions(&view)[0], 2);
}

fn outcome(world: &World, recover: &Recover) -> Outcome {
    world.repository().assess(recover).unwrap().outcome
}

#[test]
fn r17_clients_recover_from_stolen_online_keys_whether_they_believed_the_thief_or_not() {
    let world = World::published();
    let (mut believer, mut sceptic) = (world.client(), world.client());
    let honest = versions(&sceptic.refresh(&world.public(), NOW).unwrap());
    fast_forward(&world, world.online, None);
    let forged = versions(&believer.refresh(&world.public(), NOW).unwrap());
    assert_eq!(forged, [1, HIGH, HIGH, honest[3]]);
    let forgery = fs::read(world.metadata("timestamp.json")).unwrap();

    let new = key();
    let recover = Recover::stolen().key("online", Some(named("online", new)));
    assert_eq!(outcome(&world, &recover), Outcome::Themselves);
    run(world.repository().recover(&recover, NOW));
    run(world.repository().sign(&[world.ana, world.ben]));
    run(world.plan(&[new], NOW));
    for client in [&mut believer, &mut sceptic, &mut world.client()] {
        let now = versions(&client.refresh(&world.public(), NOW).unwrap());
        assert_eq!(now, [2, honest[1] + 1, honest[2] + 1, honest[3]]);
        assert_eq!(
            client.get(&world.public(), NOW, "app.tar").unwrap().1,
            b"app 1"
        );
    }
    // What the thief still has is of no use to him.
    fs::write(world.metadata("timestamp.json"), forgery).unwrap();
    for client in [&mut believer, &mut sceptic] {
        let refused = client.refresh(&world.public(), NOW).unwrap_err();
        assert!(refused.to_string().contains("timestamp"), "{refused}");
    }
}

#[test]
fn r17_clients_recover_from_a_thief_of_targets_and_online_keys() {
    let world = World::published();
    let (mut believer, mut sceptic) = (world.client(), world.client());
    let honest = versions(&sceptic.refresh(&world.public(), NOW).unwrap());
    let mut targets = world.document(&format!("{}.targets.json", honest[3]));
    targets.set("version", HIGH.into());
    let evil = targets.object("targets").get("app.tar").unwrap().clone();
    targets
        .object("targets")
        .insert("evil.tar".to_owned(), evil);
    let stolen: [&dyn Signer; 2] = [world.ben, world.vault];
    let targets = forge(&world, &format!("{HIGH}.targets.json"), targets, &stolen);
    fast_forward(&world, world.online, Some((HIGH, &targets)));
    believer.refresh(&world.public(), NOW).unwrap();
    believer.find(&world.public(), NOW, "evil.tar").unwrap();

    let (ben, vault, online) = (key(), key(), key());
    let recover = Recover::stolen()
        .key("ben", Some(named("ben", ben)))
        .key("vault", Some(named("vault", vault)))
        .key("online", Some(named("online", online)));
    // Two of three: the thief can sign a root as well.
    assert_eq!(outcome(&world, &recover), Outcome::NewRoot);
    run(world.repository().recover(&recover, NOW));
    // The old threshold of root needs one of the stolen keys, which its owner still has (K-03).
    run(world.repository().sign(&[world.ana, world.ben, ben, vault]));
    run(world.plan(&[online], NOW));
    for client in [&mut believer, &mut sceptic, &mut world.client()] {
        let now = versions(&client.refresh(&world.public(), NOW).unwrap());
        assert_eq!(now, [2, honest[1] + 1, honest[2] + 1, honest[3] + 1]);
        let gone = client.find(&world.public(), NOW, "evil.tar").unwrap_err();
        assert!(
            gone.to_string().contains("no role lists evil.tar"),
            "{gone}"
        );
        client.get(&world.public(), NOW, "app.tar").unwrap();
    }
}

#[test]
fn r17_clients_recover_from_a_stolen_key_of_timestamp_alone() {
    let (world, own) = (World::empty(), key());
    let mut options = world.options();
    options.timestamp.keys = vec![named("clock", own)];
    run(Repository::init(
        &world.directory(),
        &options,
        &[world.ana, world.ben],
        NOW,
    ));
    run(world.plan(&[world.online, own], NOW));
    let mut believer = world.client();
    let honest = versions(&believer.refresh(&world.public(), NOW).unwrap());
    let mut timestamp = world.document("timestamp.json");
    timestamp.set("version", HIGH.into());
    forge(&world, "timestamp.json", timestamp, &[own]);
    let forged = versions(&believer.refresh(&world.public(), NOW).unwrap());
    assert_eq!(forged, [1, HIGH, honest[2], honest[3]]);

    let new = key();
    let recover = Recover::stolen().key("clock", Some(named("clock", new)));
    let assessment = world.repository().assess(&recover).unwrap();
    assert_eq!(assessment.outcome, Outcome::Themselves);
    assert_eq!(assessment.exposures.len(), 1, "snapshot has another key");
    run(world.repository().recover(&recover, NOW));
    run(world.repository().sign(&[world.ana, world.ben]));
    run(world.plan(&[world.online, new], NOW));
    for client in [&mut believer, &mut world.client()] {
        let now = versions(&client.refresh(&world.public(), NOW).unwrap());
        assert_eq!((now[0], now[1]), (2, honest[1] + 1));
    }
}

#[test]
fn k02_keys_of_root_below_its_threshold_are_replaced_before_they_do_harm() {
    let world = World::published();
    let mut client = world.client();
    client.refresh(&world.public(), NOW).unwrap();
    let new = key();
    let recover = Recover::stolen().key("vault", Some(named("vault", new)));
    harms_nobody(&world, &recover, &mut client);
    // The stolen key is worth nothing now, not even one signature of two.
    world.add("x", b"x");
    assert_eq!(
        code(world.repository().sign(&[world.vault])),
        "key.not-needed"
    );
}

/// A team with one key, whose thief got a version published by the honest publisher.
fn with_stolen_team() -> (World, &'static FileKey) {
    let world = World::published();
    let team = key();
    world.delegate("team", &[("team", team)]);
    let add = |name: &str, signers: &[&dyn Signer]| {
        let file = world.file(name, name.as_bytes());
        let add = tuffet_repo::AddTarget::new(path(name), file).role(role("team"));
        run(world.repository().add_target(&add, NOW));
        run(world.repository().sign(signers));
        world.publish(NOW);
    };
    add("team/good", &[world.ana, world.ben, team]);
    add("team/evil", &[team]);
    (world, team)
}

#[test]
fn k04_a_stolen_key_of_a_team_is_replaced_by_its_delegator_and_the_role_goes_back() {
    let (world, old) = with_stolen_team();
    let mut client = world.client();
    client.get(&world.public(), NOW, "team/evil").unwrap();
    let new = key();
    let stolen = Recover::stolen().key("team", Some(named("team", new)));
    let assessment = world.repository().assess(&stolen).unwrap();
    assert_eq!(assessment.outcome, Outcome::Themselves);
    let [exposure] = assessment.exposures.as_slice() else {
        panic!("{:?}", assessment.exposures);
    };
    assert_eq!(
        (&exposure.role, exposure.held, exposure.left),
        (&role("team"), 1, 0)
    );
    let [
        Suspect {
            role: suspected,
            first,
            last,
            ..
        },
    ] = assessment.suspects.as_slice()
    else {
        panic!("{:?}", assessment.suspects);
    };
    assert_eq!(
        (suspected, first.number(), last.number()),
        (&role("team"), 1, 2)
    );

    let recover = stolen.restore(role("team"), Version::FIRST);
    let actions = run(world.repository().recover(&recover, NOW));
    assert!(
        actions
            .iter()
            .any(|action| matches!(action, Action::TargetsRestored { .. }))
    );
    run(world.repository().sign(&[world.ana, world.ben]));
    assert_eq!(code(world.plan(&[world.online], NOW)), "signatures.missing");
    assert_eq!(code(world.repository().sign(&[old])), "key.not-needed");
    run(world.repository().sign(&[new]));
    world.publish(NOW);
    client.refresh(&world.public(), NOW).unwrap();
    client.get(&world.public(), NOW, "team/good").unwrap();
    assert!(client.find(&world.public(), NOW, "team/evil").is_err());
}

#[test]
fn k02_a_lost_key_is_replaced_and_no_client_notices() {
    let world = World::published();
    let mut client = world.client();
    client.refresh(&world.public(), NOW).unwrap();
    let vault = key();
    let recover = Recover::lost().key("vault", Some(named("vault", vault)));
    harms_nobody(&world, &recover, &mut client);
}

#[test]
fn k03_a_threshold_of_root_that_is_lost_is_said_to_be_lost() {
    let world = World::published();
    let recover = Recover::lost()
        .key("ana", Some(named("ana", key())))
        .key("ben", Some(named("ben", key())));
    assert_eq!(outcome(&world, &recover), Outcome::Expires);
    assert_eq!(
        code(world.repository().recover(&recover, NOW)),
        "recover.too-late"
    );
}

#[test]
fn an_incident_is_assessed_from_what_is_in_force() {
    let world = World::published();
    let one = Recover::stolen().key("ben", None);
    let assessment = world.repository().assess(&one).unwrap();
    assert_eq!(
        (assessment.outcome, assessment.suspects.len()),
        (Outcome::Unharmed, 0)
    );
    let reach: Vec<_> = assessment
        .exposures
        .iter()
        .map(|one| (one.role.clone(), one.held, one.left, one.threshold))
        .collect();
    assert_eq!(
        reach,
        [(RoleName::Root, 1, 2, 2), (RoleName::Targets, 1, 2, 2)]
    );
    assert_eq!(code(world.repository().recover(&one, NOW)), "recover.keys");
    for (key, expected) in [("nobody", "key.unknown"), ("ben", "no error")] {
        let recover = Recover::stolen().key(key, None);
        assert_eq!(code(world.repository().assess(&recover)), expected);
    }
    let never = Recover::stolen()
        .key("ben", Some(named("ben", key())))
        .restore(RoleName::Targets, Version::new(9).unwrap());
    assert_eq!(
        code(world.repository().recover(&never, NOW)),
        "recover.version"
    );
}
