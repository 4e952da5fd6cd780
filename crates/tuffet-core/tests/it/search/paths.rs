//! Which roles a path leads to: rules F-46 to F-48, decisions, TAP 15.

use tuffet_core::crypto::hex;
use tuffet_core::trust::{Rejected, Signers, UncountedReason};

use super::{graph, not_found, visited};
use tuffet_testkit::expect::{threshold, uncounted};
use tuffet_testkit::{
    Delegated, Repository, TestKey, World, array, edit, insert, name, remove, sha256, text,
};

#[test]
fn f47_the_path_must_be_delegated_at_every_step() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("a", &["a/*"]));
    repository.delegate("a", Delegated::new("b", &["*", "*/*"]));
    for (role, target) in [
        ("a", "x"),
        ("a", "other/x"),
        ("b", "x"),
        ("b", "a/b/x"),
        ("b", "a/x"),
    ] {
        repository.add_target(role, target, b"x");
    }
    repository.write();
    let mut world = World::of(repository);
    assert_eq!(
        visited(&mut world, "a/x"),
        ("a b".to_owned(), Ok("b".to_owned()))
    );
    for target in ["x", "other/x", "a/b/x"] {
        assert_eq!(
            visited(&mut world, target),
            (String::new(), Err(not_found(target, 1))),
            "{target}"
        );
    }
}

#[test]
fn f48_patterns_are_matched_by_component() {
    let mut repository = Repository::new();
    repository.delegate(
        "targets",
        Delegated::new("a", &["targets/*.tgz", "targets/foo-version-?.tgz"]),
    );
    for target in [
        "targets/foo.tgz",
        "targets/foo-version-a.tgz",
        "foo.tgz",
        "targets/sub/foo.tgz",
        "targets/foo.txt",
    ] {
        repository.add_target("a", target, b"x");
    }
    repository.write();
    let mut world = World::of(repository);
    for (target, delegated) in [
        ("targets/foo.tgz", true),
        ("targets/foo-version-a.tgz", true),
        ("foo.tgz", false),
        ("targets/sub/foo.tgz", false),
        ("targets/foo.txt", false),
        ("TARGETS/foo.tgz", false),
    ] {
        assert_eq!(world.find(target).is_ok(), delegated, "{target}");
    }
}

#[test]
fn f46_prefixes_are_of_the_sha256_of_the_path() {
    let digest = sha256(b"x").to_hex();
    for (prefixes, expected) in [
        (vec![&digest[..1]], "a"),
        (vec![&digest[..7]], "a"),
        (vec![&digest[..]], "a"),
        (vec!["0000", &digest[..2]], "a"),
        (vec![], ""),
        (vec![&digest[1..3]], ""),
        (vec!["0000"], ""),
    ] {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegated::new("a", &[]));
        let role = edit(
            &mut repository.targets.signed,
            &["delegations", "roles", "0"],
        );
        remove(role, &["paths"]);
        insert(
            role,
            &["path_hash_prefixes"],
            array(prefixes.iter().map(|prefix| text(prefix))),
        );
        repository.write();
        assert_eq!(
            visited(&mut World::of(repository), "x").0,
            expected,
            "{prefixes:?}"
        );
    }
}

#[test]
fn a29_a_delegation_without_paths_covers_nothing() {
    let mut world = graph(&["targets -> a"], &[("a", "x")]);
    remove(
        &mut world.repository.targets.signed,
        &["delegations", "roles", "0", "paths"],
    );
    world.repository.write();
    assert_eq!(
        visited(&mut world, "x"),
        (String::new(), Err(not_found("x", 1)))
    );
}

/// The bin of a path among 2^bits.
fn bin(target: &str, bits: u32) -> String {
    let digest = sha256(target.as_bytes());
    let number = u32::from_be_bytes(digest.as_bytes()[..4].try_into().unwrap()) >> (32 - bits);
    let digits = bits.div_ceil(4) as usize;
    let all = hex::encode(&number.to_be_bytes());
    format!("bin-{}", &all[8 - digits..])
}

#[test]
fn a30_tap15_one_bin_is_searched_and_nothing_else() {
    let key = TestKey::new("bins");
    for bits in [1, 4, 5, 8, 10, 16, 32] {
        let mut repository = Repository::new();
        repository.delegate_bins("targets", &key, bits.into());
        let right = bin("x", bits);
        repository.add_bin(&right, &key);
        repository.add_target(&right, "x", b"x");
        // A bin cannot speak for paths of other bins, even if it lists them.
        let stranger = (0..)
            .map(|n| format!("y{n}"))
            .find(|path| bin(path, bits) != right)
            .unwrap();
        repository.add_target(&right, &stranger, b"x");
        repository.write();
        let mut world = World::of(repository);
        assert_eq!(
            visited(&mut world, "x"),
            (right.clone(), Ok(right.clone())),
            "{bits}"
        );
        let other = bin(&stranger, bits);
        assert_eq!(
            visited(&mut world, &stranger),
            (
                String::new(),
                Err(Rejected::Unlisted { role: name(&other) })
            )
        );
    }

    // Nor does anybody else who comes after the bins.
    let mut repository = Repository::new();
    for role in ["a", "b"] {
        repository.delegate("targets", Delegated::new(role, &["*"]));
    }
    repository.delegate_bins("a", &key, 4);
    let right = bin("x", 4);
    repository.add_bin(&right, &key);
    repository.add_target("b", "x", b"x");
    repository.write();
    assert_eq!(
        visited(&mut World::of(repository), "x"),
        (format!("a {right}"), Err(not_found("x", 3)))
    );
}

#[test]
fn tap15_bins_are_verified_and_may_delegate() {
    let key = TestKey::new("bins");
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("a", &["*"]));
    repository.delegate("targets", Delegated::new("b", &["*"]));
    repository.delegate_bins("a", &key, 1);
    let right = bin("x", 1);
    repository.add_bin(&right, &key);
    repository.delegate(&right, Delegated::new("deep", &["*"]));
    repository.add_target("b", "x", b"x");
    repository.write();
    let mut world = World::of(repository);
    assert_eq!(
        visited(&mut world, "x"),
        (format!("a {right} deep"), Err(not_found("x", 4))),
        "as if every bin were a terminating delegation"
    );
    let mallory = TestKey::new("mallory").named(&key.keyid);
    world.repository.document(&right).signers = vec![mallory];
    world.repository.publish();
    let expected = threshold(
        &right,
        Signers::Delegator(name("a")),
        [0, 1],
        vec![uncounted(&key, UncountedReason::Invalid)],
    );
    assert_eq!(visited(&mut world, "x").1, Err(expected));
}
