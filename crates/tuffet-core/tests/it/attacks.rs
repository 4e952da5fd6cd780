//! The attacks that TUF is made against, each as a scenario: arbitrary installation, endless data, fast-forward, freeze,
//! malicious mirrors, mix-and-match, rollback, wrong software, and keys stolen below the threshold.

use tuffet_core::trust::{Class, Event, Rejected, Signers};

use tuffet_testkit::expect::{length, not_signed, rollback, threshold};
use tuffet_testkit::{
    Delegated, Files, Listing, Op, Repository, TestKey, World, name, time, version,
};

const HIGH: u64 = i64::MAX as u64;

/// A client of a repository with a 2-of-3 key set for every role, looking for a target of a delegated role.
fn guarded() -> World {
    let mut repository = Repository::new();
    for role in ["timestamp", "snapshot", "targets"] {
        let keys = keys(role);
        repository.set_role(role, &keys, 2);
        repository.document(role).signers = keys.to_vec();
    }
    let team = keys("team");
    let delegated = Delegated {
        keys: team.to_vec(),
        threshold: 2,
        ..Delegated::new("team", &["team/*"])
    };
    repository.delegate("targets", delegated);
    repository.add_target("team", "team/tool", b"tool 1");
    repository.write_root();
    repository.write();
    let mut world = World::of(repository);
    world.wanted = Some("team/tool");
    world.attempt().unwrap();
    world
}

fn keys(role: &str) -> [TestKey; 3] {
    [1, 2, 3].map(|number| TestKey::new(&format!("{role}-{number}")))
}

#[test]
fn arbitrary_installation_a_tampered_target_is_refused() {
    let mut world = guarded();
    for bytes in world.repository.blobs.values_mut() {
        bytes[0] ^= 1;
    }
    let rejected = world.download("team/tool").unwrap_err();
    assert_eq!(
        (rejected.code(), rejected.class()),
        ("hash.target", Class::Untrustworthy)
    );
    world.download("app").unwrap_err();
}

#[test]
fn arbitrary_installation_metadata_of_a_stranger_is_refused() {
    // Somebody without any key writes a whole repository of his own, and serves it under the names of the true one.
    let world = guarded();
    world.refuses(
        |repository| {
            let mut forged = Repository::new();
            for role in ["root", "timestamp", "snapshot", "targets"] {
                let key = TestKey::new("mallory");
                forged.set_role(role, std::slice::from_ref(&key), 1);
                forged.document(role).signers = vec![key];
            }
            forged.root.set_version(2);
            forged.write_root();
            forged.publish();
            repository.files = forged.files;
        },
        |rejected| assert_eq!(rejected.code(), "threshold.root"),
    );
    world.refuses(
        |repository| {
            let mut forged = Repository::new();
            forged.timestamp.signers = vec![TestKey::new("mallory")];
            forged.publish();
            repository.files = forged.files;
        },
        |rejected| assert_eq!(rejected.code(), "threshold.timestamp"),
    );
}

#[test]
fn keys_stolen_below_the_threshold_are_of_no_use() {
    let world = guarded();
    for role in ["root", "timestamp", "snapshot", "targets", "team"] {
        let all = keys(role);
        for stolen in [&all[..1], &all[1..2], &all[2..], &[]] {
            let missing: Vec<&TestKey> = all.iter().filter(|key| !stolen.contains(key)).collect();
            let signers = match role {
                "team" => Signers::Delegator(name("targets")),
                _ => Signers::Root(version(1)),
            };
            let have = stolen.len() as u64;
            let expected = threshold(role, signers, [have, 2], not_signed(&missing));
            world.refuses(
                |repository| {
                    repository.document(role).signers = stolen.to_vec();
                    if role == "root" {
                        repository.publish_root();
                    }
                    repository.publish();
                },
                |rejected| assert_eq!(*rejected, expected, "{role}"),
            );
        }
    }
}

#[test]
fn keys_of_one_role_sign_for_no_other() {
    let world = guarded();
    let roles = ["root", "timestamp", "snapshot", "targets", "team"];
    for role in roles {
        let thief: Vec<TestKey> = roles
            .into_iter()
            .filter(|&other| other != role)
            .flat_map(keys)
            .collect();
        world.refuses(
            |repository| {
                repository.document(role).signers = thief;
                if role == "root" {
                    repository.publish_root();
                }
                repository.publish();
            },
            |rejected| {
                let Rejected::Threshold {
                    role: refused,
                    have,
                    ..
                } = rejected
                else {
                    panic!("{rejected:?}");
                };
                assert_eq!((refused.as_str(), *have), (role, 0));
            },
        );
    }
}

#[test]
fn endless_data_is_cut_off_at_the_limit() {
    let mut start = guarded();
    start.repository.listing = Listing::VersionOnly;
    start.repository.publish();
    start.attempt().unwrap();
    for role in ["root", "timestamp", "snapshot", "targets", "team"] {
        let limit = 50_000;
        let mut world = start.clone();
        world.repository.publish_root();
        world.repository.publish();
        let limits = &mut world.policy.limits;
        (limits.root, limits.timestamp) = (limit, limit);
        (limits.snapshot, limits.targets) = (limit, limit);
        world.clone().attempt().unwrap();
        world.repository.file(role).resize(3_000_000, b' ');
        let rejected = world.attempt().unwrap_err();
        assert_eq!(
            rejected,
            length(role, limit, false, limit + 1),
            "one byte more is received, and no other"
        );
        assert!(matches!(world.log.last(), Some(Op::Refused(code)) if code.starts_with("length.")));
    }
}

#[test]
fn endless_data_is_cut_off_at_a_signed_length() {
    for role in ["snapshot", "targets", "team"] {
        let mut world = guarded();
        world.repository.publish();
        let signed = world.repository.file(role).len() as u64;
        world.repository.file(role).resize(3_000_000, b' ');
        assert_eq!(
            world.attempt().unwrap_err(),
            length(role, signed, true, signed + 1)
        );
    }
}

#[test]
fn fast_forward_of_every_role_is_recovered_from() {
    for role in ["timestamp", "snapshot", "targets", "team"] {
        let mut world = guarded();
        let honest = world.repository.clone();
        // The thief of all online keys, and of those of the role, publishes the highest version there is.
        for publish in ["timestamp", "snapshot", role] {
            let version = if publish == role { HIGH } else { 2 };
            world.repository.document(publish).set_version(version);
        }
        world.repository.write();
        world.attempt().unwrap();
        assert_eq!(world.stored(role), Some(HIGH));

        world.repository = honest;
        for _ in 0..3 {
            world.repository.publish();
        }
        let rejected = world.attempt().unwrap_err();
        assert_eq!(
            rejected,
            rollback(role, HIGH, 4),
            "without a rotation the client is stuck"
        );

        // One rotated key is enough: timestamp for its own version, snapshot for what snapshot lists.
        let rotated = if role == "timestamp" {
            "timestamp"
        } else {
            "snapshot"
        };
        world.repository.rotate(rotated, &[TestKey::new("new")], 1);
        world.recovers();
        assert_eq!(world.stored(role), Some(6));
    }
}

#[test]
fn freeze_ends_when_the_replayed_file_expires() {
    let mut world = guarded();
    let frozen = {
        let mut repository = world.repository.clone();
        repository.timestamp.expire("2030-01-08T00:00:00Z");
        repository.publish();
        repository
    };
    world.repository = frozen.clone();
    world.attempt().unwrap();
    // The repository goes on; the attacker shows what it was.
    world.now = time("2030-01-07T23:59:59Z");
    world.attempt().expect("until then nobody can tell");
    world.now = time("2030-01-08T00:00:00Z");
    let rejected = world.attempt().unwrap_err();
    assert_eq!(
        (rejected.code(), rejected.class()),
        ("expired.timestamp", Class::Stale)
    );
    world.repository.timestamp.expire("2031-01-01T00:00:00Z");
    world.recovers();
}

#[test]
fn f23_nothing_that_has_expired_is_trusted() {
    let world = guarded();
    for role in ["root", "timestamp", "snapshot", "targets", "team"] {
        let code = match role {
            "team" => "expired.delegated".to_owned(),
            role => format!("expired.{role}"),
        };
        let mut victim = world.clone();
        victim
            .repository
            .document(role)
            .expire("2029-12-31T23:59:59Z");
        victim.repository.publish_root();
        victim.repository.publish();
        let rejected = victim.attempt().unwrap_err();
        assert_eq!((rejected.code(), rejected.class()), (&*code, Class::Stale));
    }
}

#[test]
fn freeze_by_a_withheld_root_ends_when_the_old_root_expires() {
    let mut world = guarded();
    world.repository.publish_root();
    world.repository.files.remove("2.root.json");
    world.attempt().expect("until then nobody can tell");
    world.now = time("2031-01-01T00:00:00Z");
    let rejected = world.attempt().unwrap_err();
    assert_eq!(
        (rejected.code(), rejected.class()),
        ("expired.root", Class::Stale)
    );
}

/// The files of a server that has tampered with one of them.
fn tampered(repository: &Repository, path: &str, with: impl FnOnce(&mut Vec<u8>)) -> Files {
    let mut files = repository.files.clone();
    with(files.get_mut(path).expect("a published file"));
    files
}

#[test]
fn f60_a_malicious_mirror_does_not_stop_a_good_one() {
    let mut start = guarded();
    start.repository.publish_root();
    start.repository.publish();
    for path in [
        "2.root.json",
        "timestamp.json",
        "2.snapshot.json",
        "2.targets.json",
        "2.team.json",
    ] {
        let flip: fn(&mut Vec<u8>) = |bytes| *bytes.last_mut().unwrap() ^= 1;
        let empty: fn(&mut Vec<u8>) = Vec::clear;
        let endless: fn(&mut Vec<u8>) = |bytes| bytes.resize(1_000_000, b' ');
        for with in [flip, empty, endless] {
            let mut world = start.clone();
            world.mirrors = vec![tampered(&start.repository, path, with)];
            world
                .attempt()
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(world.versions(), [2, 2, 2, 2]);
            assert_eq!(world.stored("team"), Some(2));
        }
        // A mirror that lacks the file does not stop it either.
        let mut files = start.repository.files.clone();
        files.remove(path);
        let mut world = start.clone();
        world.mirrors = vec![files];
        world.attempt().unwrap();
        assert_eq!(world.versions(), [2, 2, 2, 2]);
        let asked = world.fetched();
        assert!(
            !asked.contains(&"mirrors.json"),
            "who the mirrors are is the client's own business"
        );
    }
}

#[test]
fn a_mirror_cannot_mix_files_of_different_snapshots() {
    for listing in [Listing::Full, Listing::VersionOnly] {
        for role in ["snapshot", "targets", "team"] {
            let mut world = guarded();
            world.repository.listing = listing;
            world.repository.publish();
            world.attempt().unwrap();
            let old = world.repository.file(role).clone();
            world.refuses(
                |repository| {
                    repository.publish();
                    *repository.file(role) = old;
                },
                |rejected| match (listing, rejected) {
                    (Listing::Full, Rejected::Hash { role: refused, .. }) => {
                        assert_eq!(refused.as_str(), role)
                    }
                    (Listing::VersionOnly, rejected) => assert_eq!(
                        *rejected,
                        Rejected::Version {
                            role: name(role),
                            expected: version(3),
                            offered: version(2)
                        }
                    ),
                    (_, other) => panic!("{other:?}"),
                },
            );
        }
    }
}

#[test]
fn roles_of_the_same_keys_and_versions_cannot_be_exchanged() {
    let mut repository = Repository::new();
    for role in ["one", "two"] {
        let keys = vec![TestKey::new("shared")];
        repository.delegate(
            "targets",
            Delegated {
                keys,
                ..Delegated::new(role, &["*"])
            },
        );
        repository.add_target(role, "x", role.as_bytes());
    }
    repository.write();
    let mut world = World::of(repository);
    world.wanted = Some("x");
    world.refuses(
        |repository| *repository.file("one") = repository.file("two").clone(),
        |rejected| assert_eq!(rejected.code(), "hash.delegated"),
    );
}

#[test]
fn rollback_is_refused_across_restarts_and_half_finished_refreshes() {
    let mut world = guarded();
    let mut history = vec![world.repository.clone()];
    for _ in 2..=5 {
        world.repository.publish();
        history.push(world.repository.clone());
    }
    world.attempt().unwrap();
    for (number, old) in (1..=4).zip(&history) {
        let expected = rollback("timestamp", 5, number);
        world.refuses_with(
            |repository| *repository = old.clone(),
            "rollback.timestamp",
            &expected,
        );
    }
    // Half a refresh later, of which only the timestamp was stored, the floors are the higher ones of both.
    world.repository.publish();
    let snapshot = world.repository.current("snapshot");
    let mut cut = world.repository.clone();
    cut.files.remove(&snapshot);
    let whole = std::mem::replace(&mut world.repository, cut);
    world.attempt().unwrap_err();
    world.repository = whole;
    let expected = rollback("timestamp", 6, 5);
    world.refuses_with(
        |repository| *repository = history[4].clone(),
        "rollback.timestamp",
        &expected,
    );
    world.refuses_with(
        |repository| {
            repository.timestamp.set_version(7);
            repository.snapshot.set_version(5);
            repository.write();
        },
        "rollback.snapshot",
        &rollback("snapshot", 6, 5),
    );
}

#[test]
fn rollback_with_revoked_keys_is_refused() {
    let mut world = World::refreshed();
    let old = world.repository.clone();
    for role in ["timestamp", "snapshot"] {
        world
            .repository
            .rotate(role, &[TestKey::new(&format!("new {role}"))], 1);
    }
    world.repository.publish();
    world.refresh().unwrap();
    let new = TestKey::new("new timestamp");
    let expected = threshold(
        "timestamp",
        Signers::Root(version(3)),
        [0, 1],
        not_signed(&[&new]),
    );
    world.refuses_with(
        |repository| {
            repository
                .files
                .extend([("timestamp.json".to_owned(), old.timestamp.bytes())])
        },
        "threshold.timestamp",
        &expected,
    );
}

#[test]
fn a_repository_that_equivocates_is_reported() {
    let mut world = guarded();
    world.repository.timestamp.expire("2030-05-05T00:00:00Z");
    world.repository.write_timestamp();
    world.attempt().unwrap();
    assert!(world.events.contains(&Event::Equivocation {
        role: name("timestamp"),
        version: version(1)
    }));
}

#[test]
fn wrong_software_a_target_under_another_name_is_refused() {
    let mut world = guarded();
    let tool = world.find("team/tool").unwrap();
    let app = world.find("app").unwrap();
    assert!(tool.check_bytes(b"tool 1", &*world.crypto).is_ok());
    let rejected = app.check_bytes(b"tool 1", &*world.crypto).unwrap_err();
    assert_eq!(rejected.code(), "length.target");
    let rejected = tool.check_bytes(b"tool 2", &*world.crypto).unwrap_err();
    assert_eq!(rejected.code(), "hash.target");
}

#[test]
fn wrong_software_a_role_that_shares_a_name_with_a_file_on_the_server_is_not_it() {
    // In a repository without consistent snapshots a delegated role may be called like another file of the server.
    let mut repository = Repository::new();
    tuffet_testkit::insert(&mut repository.root.signed, &["consistent_snapshot"], false);
    repository.delegate("targets", Delegated::new("1.root", &["*"]));
    repository.write_root();
    let root = repository.files["1.root.json"].clone();
    repository.listing = Listing::VersionOnly;
    repository.write();
    repository.files.insert("1.root.json".to_owned(), root);
    let rejected = World::of(repository).find("x").unwrap_err();
    assert_eq!(rejected.code(), "format.delegated");
}

#[test]
fn a_signature_of_a_stolen_and_revoked_key_does_not_count() {
    let mut world = World::refreshed();
    let stolen = TestKey::new("targets");
    let new = TestKey::new("new targets");
    world
        .repository
        .rotate("targets", std::slice::from_ref(&new), 1);
    world.repository.publish();
    world.refresh().unwrap();
    let refused = threshold(
        "targets",
        Signers::Root(version(2)),
        [0, 1],
        not_signed(&[&new]),
    );
    world.refuses_with(
        |repository| {
            repository.targets.signers = vec![stolen.clone()];
            repository.publish();
        },
        "threshold.targets",
        &refused,
    );
}
