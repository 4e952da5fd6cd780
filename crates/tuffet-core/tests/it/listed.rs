//! Files that another file lists: snapshot by timestamp, targets roles by snapshot (TUF §5.5, §5.6). Rules C-30 to C-33, C-35,
//! C-40 to C-44, F-32, F-35, decisions. The same checks for each, so the same scenarios.

use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::json::Value;
use tuffet_core::trust::{Rejected, Signers, UncountedReason};

use tuffet_testkit::expect::{expired, length, threshold, uncounted, wrong_version};
use tuffet_testkit::{
    Delegated, Listing, NOW, Op, Repository, TestKey, World, edit, insert, name, sha256, sha512,
    text, version,
};

/// A client of a repository that delegates `team/*`, looking for `team/tool`.
fn world() -> World {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("team", &["team/*"]));
    repository.add_target("team", "team/tool", b"tool 1");
    repository.write();
    let mut world = World::of(repository);
    world.wanted = Some("team/tool");
    world.attempt().unwrap();
    world
}

fn world_without_hashes() -> World {
    let mut world = world();
    world.repository.listing = Listing::VersionOnly;
    world.repository.publish();
    world.attempt().unwrap();
    world
}

/// Where the entry of a role stands, and the function that writes and signs what was changed there.
fn listing<'r>(repository: &'r mut Repository, role: &str) -> &'r mut Value {
    match role {
        "snapshot" => edit(&mut repository.timestamp.signed, &["meta", "snapshot.json"]),
        other => {
            let file = format!("{other}.json");
            edit(&mut repository.snapshot.signed, &["meta", file.as_str()])
        }
    }
}

/// Publishes, then changes what is listed about a role and signs that.
fn list(repository: &mut Repository, role: &str, change: impl FnOnce(&mut Value, &[u8])) {
    repository.publish();
    let bytes = repository.file(role).clone();
    change(listing(repository, role), &bytes);
    match role {
        "snapshot" => repository.write_timestamp(),
        _ => repository.write_snapshot(),
    }
}

/// The name of a role with its version, and the limit of its fetch.
fn fetch_of(world: &World, role: &str) -> (String, u64) {
    let fetch = world.log.iter().find_map(|op| match op {
        Op::Fetch(path, limit) if path.contains(role) => Some((path.clone(), *limit)),
        _ => None,
    });
    fetch.unwrap_or_else(|| panic!("{role} was not fetched"))
}

fn name_and_limit(role: &str) {
    for consistent in [true, false] {
        let mut world = world();
        insert(
            &mut world.repository.root.signed,
            &["consistent_snapshot"],
            consistent,
        );
        world.repository.publish_root();
        world.repository.publish();
        world.attempt().unwrap();
        let bytes = world.repository.file(role).len() as u64;
        let file = if consistent {
            format!("2.{role}.json")
        } else {
            format!("{role}.json")
        };
        assert_eq!(fetch_of(&world, role), (file, bytes));
    }
}

fn own_limit_without_a_length(role: &str) {
    let mut world = world();
    world.repository.listing = Listing::VersionOnly;
    world.repository.publish();
    let longest = ["snapshot", "targets", "team"].map(|role| world.repository.file(role).len());
    let limit = longest.into_iter().max().unwrap() as u64;
    (world.policy.limits.snapshot, world.policy.limits.targets) = (limit, limit);
    world.clone().attempt().unwrap();

    let file = world.repository.file(role);
    file.resize(usize::try_from(limit).unwrap() + 1, b' ');
    let received = file.len() as u64;
    assert_eq!(
        world.attempt().unwrap_err(),
        length(role, limit, false, received)
    );
    assert_eq!(fetch_of(&world, role).1, limit);
}

/// A signed length is believed up to a ceiling.
fn ceiling_on_a_signed_length(role: &str) {
    let mut world = world();
    let pad = "x".repeat(2_000);
    insert(
        &mut world.repository.document(role).signed,
        &["x"],
        pad.as_str(),
    );
    world.repository.publish();
    let bytes = world.repository.file(role).len() as u64;
    world.policy.limits.signed_length = bytes;
    world.clone().attempt().unwrap();
    // Below the ceiling and at it, the signed length is what a file has to have.
    for ceiling in [bytes, bytes + 1] {
        let mut longer = world.clone();
        longer.policy.limits.signed_length = ceiling;
        longer.repository.file(role).push(b' ');
        assert_eq!(
            longer.attempt().unwrap_err(),
            length(role, bytes, true, bytes + 1)
        );
    }
    world.policy.limits.signed_length = bytes - 1;
    assert_eq!(
        world.attempt().unwrap_err(),
        length(role, bytes - 1, false, bytes)
    );
    assert_eq!(fetch_of(&world, role).1, bytes - 1);
}

fn exact_length(role: &str) {
    let world = world();
    for (code, by) in [("longer", 1_i64), ("shorter", -1)] {
        world.refuses(
            |repository| {
                list(repository, role, |entry, bytes| {
                    let listed = bytes.len() as u64;
                    insert(entry, &["length"], listed.checked_add_signed(by).unwrap());
                });
            },
            |rejected| {
                let Rejected::Length {
                    role: refused,
                    expected,
                    exact,
                    received,
                } = rejected
                else {
                    panic!("{code}: {rejected:?}");
                };
                assert_eq!((refused.as_str(), exact), (role, &true), "{code}");
                // Of a file that is longer, one byte too many is received.
                let difference =
                    i64::try_from(*received).unwrap() - i64::try_from(*expected).unwrap();
                assert_eq!(difference, -by, "{code}");
            },
        );
    }
}

fn every_hash(role: &str) {
    let world = world();
    let wrong = |algorithm| Rejected::Hash {
        role: name(role),
        algorithm,
    };
    let other = sha256(b"other").to_hex();
    let code = match role {
        "team" => "hash.delegated".to_owned(),
        role => format!("hash.{role}"),
    };
    let one = |hashes: &'static str, value: String, algorithm| {
        world.refuses_with(
            |repository| {
                list(repository, role, |entry, _| {
                    insert(entry, &["hashes", hashes], value.as_str());
                });
            },
            &code,
            &wrong(algorithm),
        );
    };
    one("sha256", other, HashAlgorithm::Sha256);
    one("sha512", sha512(b"other").to_hex(), HashAlgorithm::Sha512);

    // Both right, in upper case, and an algorithm from the future beside them.
    let mut world = world.clone();
    list(&mut world.repository, role, |entry, bytes| {
        insert(
            entry,
            &["hashes", "sha256"],
            sha256(bytes).to_hex().to_uppercase(),
        );
        insert(entry, &["hashes", "sha512"], sha512(bytes).to_hex());
        insert(entry, &["hashes", "sha4096"], "future");
    });
    world.attempt().unwrap();
}

fn hash_before_content(role: &str) {
    world().refuses(
        |repository| {
            repository.publish();
            let file = repository.file(role);
            let length = file.len();
            *file = vec![b'x'; length];
        },
        |rejected| {
            assert!(matches!(rejected, Rejected::Hash { .. }), "{rejected:?}");
        },
    );
}

fn signatures(role: &str, signers: &Signers) {
    let world = world_without_hashes();
    let key = TestKey::new(role);
    let code = match role {
        "team" => "threshold.delegated".to_owned(),
        role => format!("threshold.{role}"),
    };
    let table = [
        (vec![], UncountedReason::NotSigned),
        (vec![TestKey::new("timestamp")], UncountedReason::NotSigned),
        (
            vec![TestKey::new("mallory").named(&key.keyid)],
            UncountedReason::Invalid,
        ),
    ];
    for (keys, reason) in table {
        world.refuses_with(
            |repository| {
                repository.document(role).signers = keys;
                repository.publish();
            },
            &code,
            &threshold(role, signers.clone(), [0, 1], vec![uncounted(&key, reason)]),
        );
    }
}

fn listed_version(role: &str) {
    let world = world_without_hashes();
    for offered in [1, 2, 4] {
        let code = match role {
            "team" => "version.delegated".to_owned(),
            role => format!("version.{role}"),
        };
        world.refuses_with(
            |repository| {
                repository.publish();
                let document = repository.document(role);
                document.set_version(offered);
                let bytes = document.bytes();
                let path = repository.path(role, 3);
                repository.files.insert(path, bytes);
            },
            &code,
            &wrong_version(role, 3, offered),
        );
    }
}

fn expiry(role: &str) {
    let world = world();
    for date in ["2029-01-01T00:00:00Z", NOW] {
        let code = match role {
            "team" => "expired.delegated".to_owned(),
            role => format!("expired.{role}"),
        };
        world.refuses_with(
            |repository| {
                repository.document(role).expire(date);
                repository.publish();
            },
            &code,
            &expired(role, 2, date),
        );
    }
    let mut fine = world.clone();
    fine.repository
        .document(role)
        .expire("2030-01-01T00:00:01Z");
    fine.repository.publish();
    fine.attempt().unwrap();
}

fn withheld(role: &str) {
    let code = match role {
        "team" => "missing.delegated".to_owned(),
        role => format!("missing.{role}"),
    };
    world().refuses_with(
        |repository| {
            repository.publish();
            let path = repository.current(role);
            repository.files.remove(&path);
        },
        &code,
        &Rejected::Missing {
            role: name(role),
            version: Some(version(2)),
        },
    );
}

#[test]
fn c30_snapshot_has_the_name_and_the_limit_that_timestamp_says() {
    name_and_limit("snapshot");
    ceiling_on_a_signed_length("snapshot");
}

#[test]
fn c40_targets_roles_have_the_name_and_the_limit_that_snapshot_says() {
    for role in ["targets", "team"] {
        name_and_limit(role);
        ceiling_on_a_signed_length(role);
    }
}

#[test]
fn f32_without_a_listed_length_the_client_has_its_own_limit() {
    for role in ["snapshot", "targets", "team"] {
        own_limit_without_a_length(role);
    }
}

#[test]
fn a18_a_listed_length_is_exact() {
    for role in ["snapshot", "targets", "team"] {
        exact_length(role);
    }
}

#[test]
fn c31_every_listed_hash_of_snapshot_must_match() {
    every_hash("snapshot");
    hash_before_content("snapshot");
}

#[test]
fn c41_every_listed_hash_of_a_targets_role_must_match() {
    for role in ["targets", "team"] {
        every_hash(role);
        hash_before_content(role);
    }
}

#[test]
fn c32_snapshot_needs_the_keys_that_root_names() {
    signatures("snapshot", &Signers::Root(version(1)));
}

#[test]
fn c42_targets_roles_need_the_keys_that_their_delegator_names() {
    signatures("targets", &Signers::Root(version(1)));
    signatures("team", &Signers::Delegator(name("targets")));
}

#[test]
fn c33_snapshot_has_the_version_that_timestamp_lists() {
    listed_version("snapshot");
}

#[test]
fn c43_targets_roles_have_the_version_that_snapshot_lists() {
    listed_version("targets");
    listed_version("team");
}

#[test]
fn f35_listed_and_contained_versions_are_equal() {
    for role in ["snapshot", "targets", "team"] {
        listed_version(role);
        let mut world = world();
        world.repository.document(role).set_version(40);
        world.repository.publish();
        world.attempt().unwrap();
        assert_eq!(world.stored(role), Some(41));
    }
}

#[test]
fn c35_snapshot_must_not_have_expired() {
    expiry("snapshot");
}

#[test]
fn c44_targets_roles_must_not_have_expired() {
    expiry("targets");
    expiry("team");
}

#[test]
fn c30_c40_files_that_are_withheld_are_an_error() {
    for role in ["snapshot", "targets", "team"] {
        withheld(role);
    }
}

#[test]
fn a20_a_listing_with_weak_hashes_only_or_with_none_is_refused() {
    for role in ["snapshot", "targets", "team"] {
        for hashes in [vec![], vec![("md5", "d41d8cd98f00b204e9800998ecf8427e")]] {
            world().refuses(
                |repository| {
                    list(repository, role, |entry, _| {
                        let hashes: Value = hashes
                            .iter()
                            .map(|&(name, value)| (name, text(value)))
                            .collect();
                        insert(entry, &["hashes"], hashes);
                    });
                },
                |rejected| {
                    let lister = if role == "snapshot" {
                        "timestamp"
                    } else {
                        "snapshot"
                    };
                    assert_eq!(rejected.code(), format!("format.{lister}"));
                },
            );
        }
    }
}
