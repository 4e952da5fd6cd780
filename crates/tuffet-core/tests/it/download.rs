//! Targets and the names of files on a server (TUF §5.7, §3.1): rules C-51, O-01, O-04, O-10, O-11, decisions,
//! A-41; and what a proof says.

use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::trust::{Found, Rejected};

use tuffet_testkit::{
    Delegated, Repository, TestKey, World, insert, object, path, sha256, sha512, text,
};

fn world(targets: &[&str]) -> World {
    let mut repository = Repository::new();
    for target in targets {
        repository.add_target("targets", target, target.as_bytes());
    }
    repository.write();
    World::of(repository)
}

fn found(target: &str) -> (World, Found) {
    let mut world = world(&[target]);
    let found = world.find(target).unwrap();
    (world, found)
}

fn wrong_length(target: &str, received: u64) -> Rejected {
    Rejected::TargetLength {
        path: path(target),
        expected: target.len() as u64,
        received,
    }
}

#[test]
fn c51_a_target_has_exactly_its_length() {
    let (world, found) = found("file");
    let check = |bytes: &[u8]| found.check_bytes(bytes, &*world.crypto);
    let verified = check(b"file").unwrap();
    assert_eq!((verified.path(), verified.length()), (&path("file"), 4));
    assert_eq!(verified.hashes(), &found.target.hashes);
    for (bytes, received) in [
        (&b""[..], 0),
        (b"fil", 3),
        (b"file ", 5),
        (&[b'x'; 1000], 1000),
    ] {
        let rejected = check(bytes).unwrap_err();
        assert_eq!(rejected, wrong_length("file", received));
        assert_eq!(rejected.code(), "length.target");
    }
}

#[test]
fn c51_bytes_beyond_the_length_are_refused_as_they_come() {
    let (world, found) = found("file");
    let mut check = found.check(&*world.crypto);
    assert_eq!(check.remaining(), 4);
    check.update(b"fi").unwrap();
    assert_eq!(check.remaining(), 2);
    check.update(b"").unwrap();
    assert_eq!(check.update(b"le!").unwrap_err(), wrong_length("file", 5));
    assert_eq!(check.remaining(), 2, "nothing of that piece was taken");
    check.update(b"le").unwrap();
    assert_eq!(check.update(b"!").unwrap_err(), wrong_length("file", 5));
    check.finish().unwrap();

    let mut short = found.check(&*world.crypto);
    short.update(b"fil").unwrap();
    assert_eq!(short.finish().unwrap_err(), wrong_length("file", 3));
}

#[test]
fn c51_every_known_hash_of_a_target_must_match() {
    let (right, wrong) = (sha256(b"file").to_hex(), sha256(b"elif").to_hex());
    let (long, wrong_long) = (sha512(b"file").to_hex(), sha512(b"elif").to_hex());
    for (short, long, differs) in [
        (&right, &long, None),
        (&wrong, &long, Some(HashAlgorithm::Sha256)),
        (&right, &wrong_long, Some(HashAlgorithm::Sha512)),
        (&wrong, &wrong_long, Some(HashAlgorithm::Sha256)),
    ] {
        let mut world = world(&["file"]);
        let hashes = object([("sha256", text(short)), ("sha512", text(long))]);
        insert(
            &mut world.repository.targets.signed,
            &["targets", "file", "hashes"],
            hashes,
        );
        world.repository.write();
        let outcome = world
            .find("file")
            .unwrap()
            .check_bytes(b"file", &*world.crypto);
        match differs {
            None => drop(outcome.unwrap()),
            Some(algorithm) => {
                let rejected = outcome.unwrap_err();
                assert_eq!(rejected.code(), "hash.target");
                assert_eq!(
                    rejected,
                    Rejected::TargetHash {
                        path: path("file"),
                        algorithm
                    }
                );
            }
        }
    }
}

#[test]
fn c51_an_empty_target_is_one() {
    let mut repository = Repository::new();
    repository.add_target("targets", "empty", b"");
    repository.write();
    let mut world = World::of(repository);
    world.download("empty").unwrap();
    let found = world.find("empty").unwrap();
    assert_eq!(
        found.check_bytes(b"x", &*world.crypto).unwrap_err().code(),
        "length.target"
    );
}

#[test]
fn o04_nothing_says_that_a_target_is_verified_before_its_last_byte() {
    let (world, found) = found("file");
    let mut check = found.check(&*world.crypto);
    for (place, byte) in b"file".iter().enumerate() {
        let witness = found.check_bytes(&b"file"[..place], &*world.crypto);
        assert!(witness.is_err(), "{place}");
        check.update(&[*byte]).unwrap();
    }
    assert_eq!(check.finish().unwrap().path(), &path("file"));
}

#[test]
fn o10_a39_consistent_targets_carry_their_hash_in_the_last_part_of_their_name() {
    let names = |target: &str| {
        let (_, found) = found(target);
        found.url_paths()
    };
    for (target, directory, name) in [
        ("file", "", "file"),
        ("dir/file", "dir/", "file"),
        ("a/b/c.tar.gz", "a/b/", "c.tar.gz"),
        ("dir/", "dir/", ""),
        ("/file", "/", "file"),
    ] {
        let expected = [
            format!("{directory}{}.{name}", sha256(target.as_bytes()).to_hex()),
            format!("{directory}{}.{name}", sha512(target.as_bytes()).to_hex()),
        ];
        assert_eq!(names(target), expected, "every listed hash is a name of it");
    }
    let mut world = world(&["dir/file"]);
    world.download("dir/file").unwrap();
    insert(
        &mut world.repository.root.signed,
        &["consistent_snapshot"],
        false,
    );
    world.repository.publish_root();
    world.repository.blobs.clear();
    world.repository.add_target("targets", "dir/file", b"plain");
    world.repository.publish();
    world.download("dir/file").unwrap();
    assert_eq!(world.find("dir/file").unwrap().url_paths(), ["dir/file"]);
}

#[test]
fn a41_target_paths_are_encoded_so_that_decoding_gives_them_back() {
    let mut plain = Repository::new();
    insert(&mut plain.root.signed, &["consistent_snapshot"], false);
    plain.write_root();
    for (target, url) in [
        ("a b", "a%20b"),
        ("a?b#c", "a%3Fb%23c"),
        ("https://evil.example/x", "https%3A//evil.example/x"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("a\\b", "a%5Cb"),
        ("%2e%2e/x", "%252e%252e/x"),
        ("caf\u{e9}", "caf%C3%A9"),
        ("a\nb", "a%0Ab"),
    ] {
        let mut repository = plain.clone();
        repository.add_target("targets", target, b"x");
        repository.write();
        let found = World::of(repository).find(target).unwrap();
        assert_eq!(found.url_paths(), [url]);
        assert_eq!(found.path, path(target), "the name itself stays as it is");
    }
}

#[test]
fn a38_role_names_are_encoded_in_urls() {
    for (role, url) in [
        ("?", "1.%3F.json"),
        ("#", "1.%23.json"),
        ("/delegatedrole", "1.%2Fdelegatedrole.json"),
        ("../delegatedrole", "1...%2Fdelegatedrole.json"),
        ("a b", "1.a%20b.json"),
        ("r\u{f4}le", "1.r%C3%B4le.json"),
    ] {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegated::new(role, &["*"]));
        repository.add_target(role, "x", b"x");
        repository.write();
        let mut world = World::of(repository);
        world.find("x").unwrap();
        assert_eq!(world.fetched(), [url]);
        // The role is found again in the store, under its own name.
        world.find("x").unwrap();
        assert!(world.fetched().is_empty(), "{role}");
    }
}

#[test]
fn o11_metadata_files_have_the_fixed_names() {
    for (consistent, names) in [
        (
            true,
            [
                "2.root.json",
                "timestamp.json",
                "1.snapshot.json",
                "1.targets.json",
                "1.team.json",
            ],
        ),
        (
            false,
            [
                "2.root.json",
                "timestamp.json",
                "snapshot.json",
                "targets.json",
                "team.json",
            ],
        ),
    ] {
        let mut repository = Repository::new();
        insert(
            &mut repository.root.signed,
            &["consistent_snapshot"],
            consistent,
        );
        repository.delegate("targets", Delegated::new("team", &["*"]));
        repository.write_root();
        repository.write();
        let mut world = World::of(repository);
        world.wanted = Some("x");
        world.attempt().unwrap_err();
        assert_eq!(world.fetched(), names);
        assert!(
            world.fetched().iter().all(|name| name.ends_with(".json")),
            "O-01: nothing compressed is ever asked for"
        );
    }
}

#[test]
fn a_proof_names_every_file_and_key_on_the_way() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("a", &["no/*", "team/*"]));
    repository.delegate("a", Delegated::new("b", &["team/to??"]).terminating());
    repository.add_target("b", "team/tool", b"tool");
    repository.write();
    let mut world = World::of(repository);
    let mut view = world.refresh().unwrap();
    let found = world.search(&mut view, "team/tool").unwrap();
    let proof = view.proof(&found);
    assert_eq!(
        (&proof.path, proof.started),
        (&path("team/tool"), world.now)
    );
    assert_eq!(proof.target, found.target);
    let steps: Vec<(String, Option<&str>, bool)> = proof
        .steps
        .iter()
        .map(|step| {
            (
                step.role.to_string(),
                step.matched.as_deref(),
                step.terminating,
            )
        })
        .collect();
    let top = |role: &str| (role.to_owned(), None, false);
    assert_eq!(
        steps,
        [
            top("root"),
            top("timestamp"),
            top("snapshot"),
            top("targets"),
            ("a".to_owned(), Some("team/*"), false),
            ("b".to_owned(), Some("team/to??"), true),
        ]
    );
    for step in &proof.steps[1..] {
        let key = TestKey::new(step.role.as_str());
        let counted: Vec<&str> = step
            .quorum
            .counted
            .iter()
            .map(|counted| counted.keyid.as_str())
            .collect();
        assert_eq!(counted, [key.keyid.as_str()]);
    }
    assert_eq!(proof.steps[0].quorum.have(), 2);
    // The roles that were verified on the way are in the view; a second search says the same.
    let again = world.search(&mut view, "team/tool").unwrap();
    assert_eq!(view.proof(&again), proof);
}
