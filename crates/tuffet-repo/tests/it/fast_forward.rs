//! A thief who drives up the version of a role, so that clients refuse every honest one, and what the owner does about it (R-17).

use std::fs;
use std::path::Path;

use tuffet_core::json::Value;
use tuffet_core::metadata::Version;
use tuffet_repo::{Action, AddTarget, Delegate, DelegatedPaths, Document, Publish, Recover};
use tuffet_sign::{FileKey, Signer};

use crate::crash::crash;
use crate::recovery::{HIGH, forge, listed};
use crate::support::{Client, NOW, World, code, delegated, files, key, named, path, role, run};

/// A repository with a team that has published `team/good` and, as version 2, `team/more`.
struct Attacked {
    world: World,
    team: &'static FileKey,
}

fn with_team() -> Attacked {
    let (world, team) = (World::published(), key());
    world.delegate("team", &[("team", team)]);
    let attacked = Attacked { world, team };
    attacked.add("team/good", &[attacked.world.ana, attacked.world.ben, team]);
    attacked.add("team/more", &[team]);
    attacked
}

impl Attacked {
    fn add(&self, name: &str, signers: &[&dyn Signer]) {
        let world = &self.world;
        let file = world.file(name, name.as_bytes());
        let add = AddTarget::new(path(name), file).role(role("team"));
        run(world.repository().add_target(&add, NOW));
        run(world.repository().sign(signers));
        world.publish(NOW);
    }

    /// The team's file as the thief makes it: with another target, and the highest version.
    fn forged(&self, version: u64) -> Document {
        let mut team = self.world.document("2.team.json");
        let evil = team.object("targets").get("team/good").unwrap().clone();
        team.object("targets").insert("team/evil".to_owned(), evil);
        team.set("version", version.into());
        team
    }

    /// The thief has the key of automation too, and publishes it.
    fn publish_forged(&self) {
        let (world, stolen) = (&self.world, [self.world.online as &dyn Signer]);
        let name = format!("{HIGH}.team.json");
        let team = forge(world, &name, self.forged(HIGH), &[self.team]);
        let mut timestamp = world.document("timestamp.json");
        let last = number(timestamp.member("meta"), "snapshot.json");
        let mut snapshot = world.document(&format!("{last}.snapshot.json"));
        // Far enough ahead that the honest publisher does not meet it by its name.
        let next = last + 1000;
        snapshot.set("version", next.into());
        let meta = snapshot.object("meta");
        meta.insert("team.json".to_owned(), listed(HIGH, &team));
        let name = format!("{next}.snapshot.json");
        let snapshot = forge(world, &name, snapshot, &stolen);
        let version = timestamp.version().unwrap().number() + 1000;
        timestamp.set("version", version.into());
        let meta = timestamp.object("meta");
        meta.insert("snapshot.json".to_owned(), listed(next, &snapshot));
        forge(world, "timestamp.json", timestamp, &stolen);
    }

    /// The thief can push to the git remote that people share, so that the honest publisher publishes it.
    fn plant_forged(&self) {
        self.push_forged();
        self.world.publish(NOW);
    }

    /// The same, before anybody publishes it.
    fn push_forged(&self) {
        self.push_forged_as(HIGH);
    }

    fn push_forged_as(&self, version: u64) {
        let mut forged = self.forged(version);
        forged.clear_signatures();
        let bytes = forged.sign(&[self.team]).unwrap().to_bytes();
        let name = format!("metadata/{version}.team.json");
        fs::write(self.world.directory().join(name), bytes).unwrap();
    }

    fn recover(&self, new: &FileKey, online: Option<&FileKey>) -> Recover {
        let recover = Recover::stolen().key("team", Some(named("team", new)));
        match online {
            Some(online) => recover.key("online", Some(named("online", online))),
            None => recover,
        }
    }

    fn version_of_team(&self, client: &mut Client) -> u64 {
        let view = client.refresh(&self.world.public(), NOW).unwrap();
        let listed = view.snapshot().listed(&role("team")).unwrap();
        listed.version.number()
    }

    /// What every client has to find, whatever it has seen before.
    fn require_honest(&self, clients: &mut [Client], version: u64) {
        for client in clients {
            assert_eq!(self.version_of_team(client), version);
            let public = self.world.public();
            for name in ["team/good", "team/more"] {
                let (_, bytes) = client.get(&public, NOW, name).unwrap();
                assert_eq!(bytes, name.as_bytes());
            }
            assert!(client.find(&public, NOW, "team/evil").is_err());
        }
    }
}

fn number(meta: Option<&Value>, name: &str) -> u64 {
    let entry = meta.and_then(|meta| meta.get(name)).unwrap();
    entry.get("version").unwrap().as_u64().unwrap()
}

#[test]
fn r17_clients_recover_from_a_delegated_role_that_was_driven_up() {
    let attacked = with_team();
    let world = &attacked.world;
    let (mut believer, mut sceptic) = (world.client(), world.client());
    assert_eq!(attacked.version_of_team(&mut sceptic), 2);
    attacked.publish_forged();
    assert_eq!(attacked.version_of_team(&mut believer), HIGH);
    believer.find(&world.public(), NOW, "team/evil").unwrap();
    let forgery = fs::read(world.metadata("timestamp.json")).unwrap();

    // The team's key alone is not enough: what is honest is lower than what clients have seen.
    let (team, online) = (key(), key());
    let fork = world.fork();
    run(fork
        .repository()
        .recover(&attacked.recover(team, None), NOW));
    run(fork.repository().sign(&[world.ana, world.ben, team]));
    let publish = Publish::to(world.public());
    let plan = fork.repository().publish(&publish, &[world.online], NOW);
    assert_eq!(code(plan), "rollback.timestamp");

    let recover = attacked.recover(team, Some(online));
    let recover = recover.published(world.public());
    run(world.repository().recover(&recover, NOW));
    run(world.repository().sign(&[world.ana, world.ben, team]));
    run(world.plan(&[online], NOW));
    let mut clients = [believer, sceptic, world.client()];
    attacked.require_honest(&mut clients, 3);
    // What the thief still has is of no use to him.
    fs::write(world.metadata("timestamp.json"), forgery).unwrap();
    for client in &mut clients {
        let refused = client.refresh(&world.public(), NOW).unwrap_err();
        assert_eq!(refused.code(), "threshold.timestamp");
    }
}

/// A forged version in `metadata/` that the honest publisher has published, with a client that believed it and one that saw what was
/// before.
fn planted() -> (Attacked, [Client; 2]) {
    let attacked = with_team();
    let mut clients = [attacked.world.client(), attacked.world.client()];
    assert_eq!(attacked.version_of_team(&mut clients[0]), 2);
    attacked.plant_forged();
    assert_eq!(attacked.version_of_team(&mut clients[1]), HIGH);
    (attacked, clients)
}

/// While a recovery waits for its signatures, what it gives up is not in force.
#[test]
fn r17_a_renewal_publishes_nothing_that_an_open_recovery_gives_up() {
    let attacked = with_team();
    let (world, mut client) = (&attacked.world, attacked.world.client());
    attacked.push_forged();
    let (team, online) = (key(), key());
    let recover = attacked.recover(team, Some(online));
    let recover = recover.restore(role("team"), Version::new(2).unwrap());
    run(world.repository().recover(&recover, NOW));
    let open = fs::read(world.change()).unwrap();
    let renew = Publish::to(world.public()).in_force().new_snapshot();
    run(world.repository().publish(&renew, &[world.online], NOW));
    assert_eq!(attacked.version_of_team(&mut client), 2);
    assert_eq!(fs::read(world.change()).unwrap(), open);
    // The recovery goes on.
    run(world.repository().sign(&[world.ana, world.ben, team]));
    run(world.plan(&[online], NOW));
    attacked.require_honest(&mut [client, world.client()], 3);
}

#[test]
fn r17_honest_numbers_go_on_after_a_version_that_used_them_up() {
    let (attacked, clients) = planted();
    let world = &attacked.world;
    let renew = world.repository().renew(&[role("team")], NOW);
    assert_eq!(code(renew), "version.used-up");

    let (team, online) = (key(), key());
    let stolen = attacked.recover(team, None);
    let assessment = world.repository().assess(&stolen).unwrap();
    let suspect = &assessment.suspects[0];
    assert_eq!(suspect.role, role("team"));
    assert!(suspect.is_after_a_leap());
    let numbers = (suspect.first.number(), suspect.before);
    assert_eq!(numbers, (HIGH, Version::new(2)));
    // While clients remember it there is no way back.
    let back = Version::new(2).unwrap();
    let restored = stolen.restore(role("team"), back);
    let refused = world.repository().recover(&restored, NOW);
    assert_eq!(code(refused), "version.used-up");

    let recover = attacked.recover(team, Some(online));
    let recover = recover.restore(role("team"), back);
    let actions = run(world.repository().recover(&recover, NOW));
    let gave_up = Action::GivenUp {
        role: role("team"),
        version: Version::new(HIGH).unwrap(),
    };
    assert!(actions.contains(&gave_up), "{actions:?}");
    let change = world.repository().change().unwrap();
    let draft = change.drafts.iter().find(|one| one.role == role("team"));
    let draft = draft.unwrap();
    assert_eq!((draft.from, draft.version), (Some(back), back.next()));
    assert_eq!(
        change.given_up,
        [(role("team"), Version::new(HIGH).unwrap())]
    );
    run(world.repository().sign(&[world.ana, world.ben, team]));
    run(world.plan(&[online], NOW));

    let [sceptic, believer] = clients;
    let mut clients = [sceptic, believer, world.client()];
    attacked.require_honest(&mut clients, 3);
    let name = format!("{HIGH}.team.json");
    assert!(!world.directory().join("metadata").join(&name).exists());
    let kept = world.directory().join(".tuffet/given-up").join(&name);
    assert_eq!(
        fs::read(kept).unwrap(),
        fs::read(world.metadata(&name)).unwrap()
    );
    // Life goes on.
    run(world.repository().renew(&[role("team")], NOW));
    run(world.repository().sign(&[team]));
    run(world.plan(&[online], NOW));
    attacked.require_honest(&mut clients, 4);
}

#[test]
fn r17_a_recovery_that_gives_versions_up_survives_a_crash_at_every_write() {
    let (attacked, clients) = planted();
    let (team, online) = (key(), key());
    let recover = attacked.recover(team, Some(online));
    let recover = recover.restore(role("team"), Version::new(2).unwrap());
    let world = &attacked.world;
    run(world.repository().recover(&recover, NOW));
    run(world.repository().sign(&[world.ana, world.ben, team]));
    let writes = world.plan(&[online], NOW).unwrap().writes().count();
    for after in 0..writes {
        let world = attacked.world.fork();
        crash(world.plan(&[online], NOW).unwrap(), after);
        run(world.plan(&[online], NOW));
        let attacked = Attacked { world, ..attacked };
        let mut clients = clients.clone();
        attacked.require_honest(&mut clients, 3);
        let metadata = files(&attacked.world.directory().join("metadata"));
        assert!(!metadata.contains(&format!("{HIGH}.team.json")), "{after}");
        assert!(!attacked.world.change().exists());
    }
}

#[test]
fn r17_what_a_recovery_gives_up_travels_with_it_and_only_with_the_rotation() {
    let (attacked, _) = planted();
    let (world, copy) = (&attacked.world, attacked.world.fork());
    let (team, online) = (key(), key());
    let recover = attacked.recover(team, Some(online));
    let recover = recover.restore(role("team"), Version::new(2).unwrap());
    run(world.repository().recover(&recover, NOW));
    let change = world.repository().export_change().unwrap();
    let receive = |change: &[u8]| {
        let from = Path::new("change.tuf");
        copy.repository().receive_change(change, from)
    };
    // Without the root that takes the key from snapshot, clients would refuse the lower version.
    let mut alone = Value::parse(&change).unwrap();
    let drafts = alone.get_mut("drafts").and_then(Value::as_object_mut);
    drafts.unwrap().remove("root");
    assert_eq!(
        code(receive(&alone.to_compact_json())),
        "version.remembered"
    );
    // Without what is given up, it follows versions that are not the last.
    let mut silent = Value::parse(&change).unwrap();
    silent.as_object_mut().unwrap().remove("void");
    assert_eq!(code(receive(&silent.to_compact_json())), "change.stale");

    // Honest versions cannot be given up beside it.
    let mut more = Value::parse(&change).unwrap();
    let void = more.get_mut("void").and_then(Value::as_object_mut).unwrap();
    let numbers = void.get_mut("team").unwrap().as_array_mut().unwrap();
    numbers.push(Value::from(2));
    assert_eq!(code(receive(&more.to_compact_json())), "change.foreign");
    let mut more = Value::parse(&change).unwrap();
    let void = more.get_mut("void").and_then(Value::as_object_mut).unwrap();
    void.insert("snapshot".to_owned(), Value::Array(vec![Value::from(2)]));
    assert_eq!(code(receive(&more.to_compact_json())), "change.foreign");

    let actions = run(receive(&change));
    assert!(
        actions
            .iter()
            .any(|action| matches!(action, Action::GivenUp { .. })),
        "{actions:?}"
    );
    assert_eq!(
        copy.repository().change().unwrap().drafts,
        world.repository().change().unwrap().drafts
    );
    assert_eq!(code(receive(&silent.to_compact_json())), "change.differs");
    run(copy.repository().sign(&[world.ana, world.ben, team]));
    run(copy.plan(&[online], NOW));
}

/// A change that only gives versions up, where git puts what somebody has forced into a commit.
fn plant_change(world: &World, void: &str) {
    let text = format!(r#"{{"drafts":{{}},"format":1,"keys":{{}},"roles":{{}},"void":{void}}}"#);
    fs::write(world.change(), text).unwrap();
}

#[test]
fn r17_a_change_that_was_put_there_takes_no_version_back() {
    let (attacked, _) = planted();
    for (void, expected) in [
        (r#"{"targets":[3]}"#, "change.foreign"),
        (r#"{"team":[2]}"#, "change.foreign"),
        // It has leapt ahead, but clients remember it.
        (&format!(r#"{{"team":[{HIGH}]}}"#), "version.remembered"),
        (r#"{"team":2}"#, "repo.format"),
    ] {
        let world = attacked.world.fork();
        plant_change(&world, void);
        let repository = world.repository();
        let renew = repository.renew(&[role("team")], NOW);
        for (what, code) in [
            ("change", code(repository.change())),
            ("renew", code(renew)),
            ("roles", code(repository.roles())),
            ("publish", code(world.plan(&[world.online], NOW))),
        ] {
            assert_eq!(code, expected, "{what} {void}");
        }
        if expected != "repo.format" {
            run(repository.drop_change());
            assert_eq!(code(repository.change()), "no error");
        }
    }
    // Numbers that nobody has used can be skipped, and it is said.
    let world = attacked.world.fork();
    plant_change(&world, r#"{"targets":[4]}"#);
    let change = world.repository().change().unwrap();
    assert_eq!(
        change.given_up,
        [(role("targets"), Version::new(4).unwrap())]
    );
    run(world.repository().drop_change());
    assert!(!world.change().exists());
}

#[test]
fn r17_a_state_before_an_edit_that_was_put_there_takes_no_version_back() {
    let attacked = with_team();
    let world = &attacked.world;
    world.add("new", b"new");
    let place = world.directory().join(".tuffet/undo/1.json");
    assert!(place.exists());
    let change = fs::read_to_string(world.change()).unwrap();
    let mut planted = Value::parse(change.as_bytes()).unwrap();
    let void = Value::from_iter([("team", Value::Array(vec![Value::from(2)]))]);
    let members = planted.as_object_mut().unwrap();
    members.insert("void".to_owned(), void);
    fs::write(&place, planted.to_compact_json()).unwrap();
    assert_eq!(code(world.repository().undo()), "change.foreign");
    assert_eq!(fs::read_to_string(world.change()).unwrap(), change);
}

#[test]
fn r17_a_team_gives_up_no_version_of_another_role() {
    let attacked = with_team();
    let (world, copy) = (&attacked.world, attacked.world.fork());
    run(world.repository().renew(&[role("team")], NOW));
    run(world.repository().sign(&[attacked.team]));
    let change = world.repository().export_change().unwrap();
    let only = [role("team")];
    for (of, expected) in [("team", "no error"), ("targets", "change.role")] {
        let mut change = Value::parse(&change).unwrap();
        let void = Value::from_iter([(of, Value::Array(vec![Value::from(9)]))]);
        let members = change.as_object_mut().unwrap();
        members.insert("void".to_owned(), void);
        let change = change.to_compact_json();
        let from = Path::new("change.tuf");
        let received = copy.repository().receive_change_of(&change, from, &only);
        assert_eq!(code(received), expected, "{of}");
    }
}

#[test]
fn r17_snapshots_and_timestamps_that_used_up_the_numbers_in_a_copy_are_given_up() {
    let attacked = with_team();
    let world = &attacked.world;
    let metadata = world.directory().join("metadata");
    let plant = |name: &str, mut document: Document| {
        document.set("version", HIGH.into());
        document.clear_signatures();
        let bytes = document.sign(&[world.online]).unwrap().to_bytes();
        fs::write(metadata.join(name), &bytes).unwrap();
        bytes
    };
    let mut timestamp = world.document("timestamp.json");
    let honest = number(timestamp.member("meta"), "snapshot.json");
    let snapshot = world.document(&format!("{honest}.snapshot.json"));
    let snapshot = plant(&format!("{HIGH}.snapshot.json"), snapshot);
    let meta = timestamp.object("meta");
    meta.insert("snapshot.json".to_owned(), listed(HIGH, &snapshot));
    plant("timestamp.json", timestamp);
    assert_eq!(code(world.plan(&[world.online], NOW)), "version.used-up");

    let mut sceptic = world.client();
    sceptic.refresh(&world.public(), NOW).unwrap();
    let online = key();
    let recover = Recover::stolen().key("online", Some(named("online", online)));
    run(world.repository().recover(&recover, NOW));
    run(world.repository().sign(&[world.ana, world.ben]));
    run(world.plan(&[online], NOW));
    for client in [&mut sceptic, &mut world.client()] {
        let view = client.refresh(&world.public(), NOW).unwrap();
        assert_eq!(view.snapshot().version().number(), honest + 1);
        assert_eq!(view.timestamp().version().number(), honest + 1);
    }
    run(world.plan(&[online], NOW));
    sceptic.refresh(&world.public(), NOW).unwrap();
}

#[test]
fn what_a_thief_delegated_further_is_pointed_out_when_targets_are_restored() {
    let attacked = with_team();
    let world = &attacked.world;
    let thief = key();
    let paths = DelegatedPaths::Patterns(vec!["team/x/*".to_owned()]);
    let delegate = Delegate::new(delegated("evil"), paths, vec![named("evil", thief)]);
    let delegate = delegate.by(role("team"));
    run(world.repository().delegate(&delegate, NOW));
    run(world.repository().sign(&[attacked.team, thief]));
    world.publish(NOW);
    let recover = attacked.recover(key(), None);
    let recover = recover.restore(role("team"), Version::new(2).unwrap());
    let actions = run(world.repository().recover(&recover, NOW));
    assert!(
        actions
            .iter()
            .any(|action| matches!(action, Action::DelegationsStay { .. })),
        "{actions:?}"
    );
    let unsigned = |actions: &[Action]| {
        let mut all = actions.iter();
        all.any(|action| matches!(action, Action::RestoredUnsigned { .. }))
    };
    assert!(!unsigned(&actions));

    // An old version is not looked at when the repository is opened, so it is looked at here.
    run(world.repository().drop_change());
    let old = world.directory().join("metadata/2.team.json");
    let mut planted = attacked.forged(2);
    planted.clear_signatures();
    fs::write(&old, planted.sign(&[thief]).unwrap().to_bytes()).unwrap();
    let actions = run(world.repository().recover(&recover, NOW));
    assert!(unsigned(&actions), "{actions:?}");
    fs::write(&old, attacked.forged(1).to_bytes()).unwrap();
    run(world.repository().drop_change());
    let recovered = world.repository().recover(&recover, NOW);
    assert_eq!(code(recovered), "repo.unsigned");
}

#[test]
fn r17_a_recovery_says_whose_signatures_go_with_what_it_gives_up() {
    let attacked = with_team();
    let (world, leapt) = (&attacked.world, 2_000_000);
    attacked.push_forged_as(leapt);
    let file = world.file("team/next", b"next");
    let add = AddTarget::new(path("team/next"), file).role(role("team"));
    run(world.repository().add_target(&add, NOW));
    run(world.repository().sign(&[attacked.team]));
    let (team, online) = (key(), key());
    let recover = attacked.recover(team, Some(online));
    let recover = recover.restore(role("team"), Version::new(2).unwrap());
    let actions = run(world.repository().recover(&recover, NOW));
    let discarded = |action: &Action| {
        let Action::Discarded {
            role: of,
            version,
            keys,
        } = action
        else {
            return false;
        };
        let signed = keys.iter().map(|key| key.name.as_deref());
        *of == role("team") && version.number() == leapt + 1 && signed.eq([Some("team")])
    };
    assert!(actions.iter().any(discarded), "{actions:?}");
}
