//! What is published, under which names, in which order.

use std::fs;

use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::json::Value;
use tuffet_core::metadata::{RoleName, UnixTime};
use tuffet_repo::{Action, AddTarget, Class, Publish, Repository};

use crate::support::{NOW, World, after, code, delegated, files, path, run, versions};

#[test]
fn a_new_client_and_one_that_has_seen_the_last_state_accept_it() {
    let world = World::founded();
    world.publish(NOW);
    let mut seen = world.client();
    assert_eq!(
        versions(&seen.refresh(&world.public(), NOW).unwrap()),
        [1, 1, 1, 1]
    );
    world.add("app.tar", b"app 1");
    world.sign();
    world.publish(NOW);
    for mut client in [world.client(), seen] {
        let (_, bytes) = client.get(&world.public(), NOW, "app.tar").unwrap();
        assert_eq!(bytes, b"app 1");
        assert_eq!(
            versions(&client.refresh(&world.public(), NOW).unwrap()),
            [1, 2, 2, 2]
        );
    }
}

#[test]
fn r01_r02_r03_files_are_published_under_their_version_or_hash_and_timestamp_without() {
    let world = World::published();
    let file = world.file("x", b"x");
    let add = AddTarget::new(path("dir/x.tar"), file).sha512();
    run(world.repository().add_target(&add, NOW));
    world.sign();
    world.publish(NOW);
    assert_eq!(
        files(&world.public().join("metadata")),
        [
            "1.root.json",
            "1.snapshot.json",
            "1.targets.json",
            "2.snapshot.json",
            "2.targets.json",
            "3.snapshot.json",
            "3.targets.json",
            "timestamp.json"
        ]
    );
    let digest = |algorithm, content| tuffet_crypto::aws_lc().digest(algorithm, content);
    let mut expected = [
        format!("{}.app.tar", digest(HashAlgorithm::Sha256, b"app 1")),
        format!("dir/{}.x.tar", digest(HashAlgorithm::Sha256, b"x")),
        format!("dir/{}.x.tar", digest(HashAlgorithm::Sha512, b"x")),
    ];
    expected.sort();
    assert_eq!(files(&world.public().join("targets")), expected);
    world
        .client()
        .get(&world.public(), NOW, "dir/x.tar")
        .unwrap();
}

#[test]
fn r04_names_inside_metadata_have_no_version_and_no_hash() {
    let world = World::published();
    let names = |file: &str, member: &str| -> Vec<String> {
        let document = world.document(file);
        let object = document.member(member).and_then(Value::as_object).unwrap();
        object.keys().cloned().collect()
    };
    assert_eq!(names("timestamp.json", "meta"), ["snapshot.json"]);
    assert_eq!(names("2.snapshot.json", "meta"), ["targets.json"]);
    assert_eq!(names("2.targets.json", "targets"), ["app.tar"]);
}

#[test]
fn r05_root_says_that_snapshots_are_consistent() {
    let world = World::published();
    let root = world.document("1.root.json");
    assert_eq!(root.member("consistent_snapshot"), Some(&Value::Bool(true)));
}

#[test]
fn r06_every_root_is_published_also_to_a_new_place() {
    let world = World::published();
    for _ in 0..2 {
        run(world.repository().renew(&[RoleName::Root], NOW));
        world.sign();
        world.publish(NOW);
    }
    let elsewhere = world.public().with_file_name("elsewhere");
    let publish = Publish::to(&elsewhere);
    run(world.repository().publish(&publish, &[world.online], NOW));
    for place in [world.public(), elsewhere] {
        for root in ["1.root.json", "2.root.json", "3.root.json"] {
            assert!(place.join("metadata").join(root).exists(), "{root}");
        }
        let (_, bytes) = world.client().get(&place, NOW, "app.tar").unwrap();
        assert_eq!(bytes, b"app 1");
    }
}

#[test]
fn f33_r10_r11_r12_a_changed_role_gets_the_next_version_and_is_listed_with_length_and_hash() {
    let world = World::published();
    let listed = |file: &str, entry: &str, of: &str| {
        let bytes = fs::read(world.metadata(of)).unwrap();
        let digest = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, &bytes);
        let number = of.split('.').next().unwrap();
        let expected = format!(
            r#"{{"hashes":{{"sha256":"{digest}"}},"length":{},"version":{number}}}"#,
            bytes.len()
        );
        let document = world.document(file);
        let found = document.member("meta").unwrap().get(entry).unwrap();
        assert_eq!(
            String::from_utf8(found.to_compact_json()).unwrap(),
            expected
        );
    };
    listed("2.snapshot.json", "targets.json", "2.targets.json");
    listed("timestamp.json", "snapshot.json", "2.snapshot.json");
}

#[test]
fn r13_targets_first_then_roles_then_snapshot_and_timestamp_last() {
    let world = World::founded();
    world.add("app.tar", b"app");
    world.sign();
    let plan = world.plan(&[world.online], NOW).unwrap();
    let public = world.public();
    let order: Vec<String> = plan
        .writes()
        .filter_map(|write| write.at.path().unwrap().strip_prefix(&public).ok())
        .map(|path| path.to_str().unwrap().replace('\\', "/"))
        .collect();
    assert!(
        order[0].starts_with("targets/") && order[0].ends_with(".app.tar"),
        "{order:?}"
    );
    assert_eq!(
        order[1..],
        [
            "metadata/1.targets.json",
            "metadata/1.snapshot.json",
            "metadata/1.root.json",
            "metadata/timestamp.json"
        ]
    );
}

#[test]
fn r14_other_bytes_under_a_published_version_are_refused() {
    for name in ["3.targets.json", "1.root.json"] {
        let world = World::published();
        world.add("b", b"b");
        world.sign();
        fs::write(world.metadata(name), b"other").unwrap();
        let error = world.plan(&[world.online], NOW).unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            ("version.reused", Class::Conflict),
            "{name}"
        );
    }
}

#[test]
fn r14_two_copies_of_a_repository_cannot_both_publish() {
    let world = World::published();
    let publish = Publish::to(world.public());
    let other = world.fork();
    // Both only renew: the same timestamp version, with another expiry.
    run(other
        .repository()
        .publish(&publish, &[world.online], after(0)));
    assert_eq!(
        code(world.plan(&[world.online], UnixTime(NOW.0 + 1))),
        "publish.behind"
    );
    // Both edit.
    other.add("theirs", b"theirs");
    other.sign();
    run(other.repository().publish(&publish, &[world.online], NOW));
    world.add("ours", b"ours");
    world.sign();
    assert_eq!(code(world.plan(&[world.online], NOW)), "publish.behind");
    // One is behind and only renews: clients would see an older timestamp.
    run(world.repository().drop_change());
    assert_eq!(code(world.plan(&[world.online], NOW)), "publish.behind");
}

#[cfg(unix)]
#[test]
fn pipes_where_it_is_published_keep_nobody_waiting() {
    let world = World::published();
    world.add("empty", b"");
    world.sign();
    let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let public = world.public();
    let pipes = [
        public.join(format!("targets/{sha256}.empty")),
        world.metadata("3.snapshot.json"),
        world.metadata("timestamp.json"),
    ];
    fs::remove_file(&pipes[2]).unwrap();
    let made = std::process::Command::new("mkfifo").args(&pipes).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: there is no mkfifo");
        return;
    }
    assert_eq!(code(world.plan(&[world.online], NOW)), "publish.timestamp");
    let publish = Publish::to(&public).replace("timestamp.json");
    run(world.repository().publish(&publish, &[world.online], NOW));
    let mut client = world.client();
    let (_, bytes) = client.get(&public, NOW, "empty").unwrap();
    assert_eq!(bytes, b"");
    // What lies under the name of the next snapshot is gone around.
    assert_eq!(versions(&client.refresh(&public, NOW).unwrap())[2], 4);
}

#[test]
fn r15_a_role_stays_in_snapshot_until_a_key_of_snapshot_is_rotated() {
    let world = World::published();
    let sam = crate::support::key();
    let delegate = tuffet_repo::Delegate::new(
        delegated("edge"),
        tuffet_repo::DelegatedPaths::Patterns(vec!["edge/*".to_owned()]),
        vec![crate::support::named("sam", sam)],
    );
    run(world.repository().delegate(&delegate, NOW));
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    let mut client = world.client();
    client.refresh(&world.public(), NOW).unwrap();

    let drop = || Publish::to(world.public()).drop_role(delegated("edge"));
    let plan =
        |signers: &[&dyn tuffet_sign::Signer]| world.repository().publish(&drop(), signers, NOW);
    assert_eq!(code(plan(&[world.online])), "role.unsuited");

    // The delegation goes, the role stays listed.
    run(world.repository().renew(&[RoleName::Targets], NOW));
    world.edit_draft("targets", |targets| {
        targets.set("delegations", Value::Null);
        targets.object("delegations").extend([
            ("keys".to_owned(), Value::from_iter([("x", Value::Null); 0])),
            ("roles".to_owned(), Value::Array(Vec::new())),
        ]);
    });
    world.sign();
    assert_eq!(code(plan(&[world.online])), "role.removed");
    world.publish(NOW);
    let listed = |world: &World, name| {
        world
            .document(name)
            .member("meta")
            .unwrap()
            .get("edge.json")
            .is_some()
    };
    assert!(listed(&world, "4.snapshot.json"));
    client.refresh(&world.public(), NOW).unwrap();

    // With a rotation it may go.
    let new = crate::support::key();
    let rotate = tuffet_repo::RotateKey::new("online", crate::support::named("online", new));
    run(world.repository().rotate_key(&rotate, NOW));
    world.sign();
    run(plan(&[world.online, new]));
    assert!(!listed(&world, "5.snapshot.json"));
    for mut client in [client, world.client()] {
        client.refresh(&world.public(), NOW).unwrap();
    }
}

#[test]
fn without_a_change_the_timestamp_is_renewed_and_the_snapshot_when_half_its_time_is_over() {
    let world = World::published();
    for (day, expected) in [(1, [1, 3, 2, 2]), (3, [1, 4, 2, 2]), (4, [1, 5, 3, 2])] {
        world.publish(after(day));
        let view = world.client().refresh(&world.public(), after(day)).unwrap();
        assert_eq!(versions(&view), expected, "day {day}");
    }
}

#[test]
fn what_would_be_expired_is_not_published() {
    let world = World::published();
    let error = world.plan(&[world.online], after(91)).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("expired.targets", Class::Stale)
    );
    // A change that was left open for too long is not published either.
    world.add("b", b"b");
    world.sign();
    assert_eq!(
        code(world.plan(&[world.online], after(91))),
        "expired.targets"
    );
}

#[test]
fn what_expires_before_the_next_publication_is_due_is_published_and_said() {
    let world = World::published();
    let early = |actions: &[Action]| -> Vec<(String, UnixTime)> {
        let early = actions.iter().filter_map(|action| match action {
            Action::ExpiresEarly { role, expires, due } => {
                assert!(expires <= due, "{action}");
                Some((role.to_string(), *due))
            }
            _ => None,
        });
        early.collect()
    };
    let hour = 3600;
    // The timestamp lasts for a day, so the next publication is due in twelve hours; targets last for 90 days.
    let ends = after(90).0;
    assert_eq!(early(&world.publish(UnixTime(ends - 13 * hour))), []);
    let late = UnixTime(ends - 12 * hour);
    let due = UnixTime(ends);
    assert_eq!(early(&world.publish(late)), [("targets".to_owned(), due)]);
    // The client that has seen it before says the same.
    assert_eq!(early(&world.publish(late)), [("targets".to_owned(), due)]);

    // A delegated role that is about to be published is asked too.
    let (world, sam) = (World::published(), crate::support::key());
    let patterns = tuffet_repo::DelegatedPaths::Patterns(vec!["edge/*".to_owned()]);
    let keys = vec![crate::support::named("sam", sam)];
    let mut edge = tuffet_repo::Delegate::new(delegated("edge"), patterns, keys);
    edge.period = tuffet_repo::Period::parse("6h").unwrap();
    run(world.repository().delegate(&edge, NOW));
    let tool = AddTarget::new(path("edge/tool"), world.file("tool", b"tool"));
    let tool = tool.role(crate::support::role("edge"));
    run(world.repository().add_target(&tool, NOW));
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    let due = UnixTime(NOW.0 + 12 * hour);
    assert_eq!(early(&world.publish(NOW)), [("edge".to_owned(), due)]);
    // And so is one that others sign and that nobody has touched.
    let later = UnixTime(NOW.0 + hour);
    let due = UnixTime(later.0 + 12 * hour);
    assert_eq!(early(&world.publish(later)), [("edge".to_owned(), due)]);
}

#[test]
fn every_new_version_is_looked_at_however_many_targets_there_are() {
    let world = World::published();
    let sam = crate::support::key();
    let all: [&dyn tuffet_sign::Signer; 3] = [world.ana, world.ben, sam];
    for team in ["a", "z"] {
        world.delegate(team, &[("sam", sam)]);
    }
    let targets = (0..300).map(|number| {
        let name = format!("a/{number}");
        AddTarget::new(path(&name), world.file("small", b"x")).role(crate::support::role("a"))
    });
    let targets: Vec<AddTarget> = targets.collect();
    run(world.repository().add_targets(&targets, NOW));
    // Clients find it in targets and never come to the role, which is the last one of those that are new.
    let last = AddTarget::new(path("z/last"), world.file("last", b"last"));
    run(world.repository().add_target(&last, NOW));
    let last = last.role(crate::support::role("z"));
    run(world.repository().add_target(&last, NOW));
    run(world.repository().sign(&all));
    let plan = world.plan(&[world.online], NOW).unwrap();
    let shadowed = |action: &Action| matches!(action, Action::Shadowed { path: of, .. } if *of == path("z/last"));
    assert!(plan.actions().iter().any(shadowed), "{:?}", plan.actions());
}

#[test]
fn a_tree_that_has_expired_is_published_again() {
    let world = World::published();
    let mut client = world.client();
    client.refresh(&world.public(), NOW).unwrap();
    assert_eq!(
        client
            .refresh(&world.public(), after(30))
            .unwrap_err()
            .code(),
        "expired.timestamp"
    );
    let actions = world.publish(after(30));
    assert!(
        !actions
            .iter()
            .any(|action| matches!(action, Action::DestinationUnverified { .. }))
    );
    assert_eq!(
        versions(&client.refresh(&world.public(), after(30)).unwrap()),
        [1, 3, 3, 2]
    );
}

#[test]
fn one_damaged_file_does_not_hide_that_a_copy_is_behind() {
    let world = World::published();
    let copy = world.fork();
    for _ in 0..3 {
        world.publish(NOW);
    }
    for (damaged, expected) in [
        (None, "publish.behind"),
        (Some("2.snapshot.json"), "rollback.timestamp"),
        (Some("2.targets.json"), "hash.targets"),
        (Some("1.root.json"), "publish.behind"),
    ] {
        let (world, copy) = (world.fork(), copy.fork());
        if let Some(damaged) = damaged {
            let mut bytes = fs::read(world.metadata(damaged)).unwrap();
            let last = bytes.len() - 1;
            bytes[last / 2] ^= 1;
            fs::write(world.metadata(damaged), bytes).unwrap();
        }
        let publish = Publish::to(world.public());
        let publish = |of: &World| of.repository().publish(&publish, &[of.online], NOW);
        assert_eq!(code(publish(&copy)), expected, "{damaged:?}");
    }
}

#[test]
fn bytes_that_were_tampered_with_are_copied_again() {
    let world = World::published();
    let target = files(&world.public().join("targets")).remove(0);
    fs::write(world.public().join("targets").join(target), b"evil!").unwrap();
    let elsewhere = world.public().with_file_name("elsewhere");
    fs::rename(world.public().join("targets"), elsewhere.join("targets")).unwrap_or_else(|_| {
        fs::create_dir_all(&elsewhere).unwrap();
        fs::rename(world.public().join("targets"), elsewhere.join("targets")).unwrap();
    });
    let publish = Publish::to(&elsewhere);
    run(world.repository().publish(&publish, &[world.online], NOW));
    let (_, bytes) = world.client().get(&elsewhere, NOW, "app.tar").unwrap();
    assert_eq!(bytes, b"app 1");
}

#[test]
fn a_target_without_bytes_is_not_published() {
    let world = World::founded();
    world.add("app.tar", b"app");
    world.sign();
    fs::remove_dir_all(world.directory().join(".tuffet/objects")).unwrap();
    let error = world.plan(&[world.online], NOW).unwrap_err();
    assert_eq!(error.code(), "target.content-missing");
    assert!(error.to_string().contains("app.tar"), "{error}");
}

#[test]
fn nothing_private_is_published() {
    let world = World::published();
    let repository = world.repository();
    let own = world.directory();
    for place in [
        own.clone(),
        own.join("."),
        own.parent().unwrap().to_owned(),
        own.join(".tuffet"),
        own.join(".tuffet/public"),
        own.join("metadata"),
        own.join("public/../metadata/x"),
    ] {
        let plan = repository.publish(&Publish::to(&place), &[world.online], NOW);
        assert_eq!(code(plan), "publish.inside", "{}", place.display());
    }
    assert_eq!(
        code(repository.publish(&Publish::default(), &[world.online], NOW)),
        "publish.no-destination"
    );
    let inside = own.join("public");
    run(repository.publish(&Publish::to(&inside), &[world.online], NOW));
    assert_eq!(
        fs::read_to_string(own.join(".tuffet/.gitignore")).unwrap(),
        "*\n!.gitignore\n"
    );
    assert!(repository.online_key_path().ends_with(".tuffet/online.key"));
}

#[cfg(unix)]
#[test]
fn nothing_private_is_published_where_a_link_leads_into_the_place() {
    for private in [".tuffet", ".tuffet/online.key", "metadata"] {
        let world = World::published();
        let place = world.directory().join("web");
        fs::create_dir(&place).unwrap();
        let (link, inside) = (world.directory().join(private), place.join("x"));
        if link.exists() {
            fs::rename(&link, &inside).unwrap();
        } else {
            fs::write(&inside, b"private").unwrap();
        }
        std::os::unix::fs::symlink(&inside, &link).unwrap();
        let publish = Publish::to(&place);
        let plan = world.repository().publish(&publish, &[world.online], NOW);
        assert_eq!(code(plan), "publish.inside", "{private}");
        // Somewhere else it is no matter.
        assert_eq!(code(world.plan(&[world.online], NOW)), "no error");
    }
}

#[test]
fn the_policy_can_name_the_place() {
    let world = World::empty();
    let mut options = world.options();
    options.publish_to = Some("../public".parse().unwrap());
    let signers: [&dyn tuffet_sign::Signer; 2] = [world.ana, world.ben];
    run(Repository::init(
        &world.directory(),
        &options,
        &signers,
        NOW,
    ));
    run(world
        .repository()
        .publish(&Publish::default(), &[world.online], NOW));
    world.client().refresh(&world.public(), NOW).unwrap();
}

#[test]
fn what_is_written_is_canonical_in_place() {
    let world = World::published();
    for name in files(&world.public().join("metadata")) {
        let bytes = fs::read(world.metadata(&name)).unwrap();
        let canonical = tuffet_core::json::canonicalize(&bytes).unwrap();
        assert_eq!(canonical, bytes, "{name}");
    }
}
