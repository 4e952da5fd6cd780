//! Which keys count, and as which (TUF §4.2.2, TAP 12): rules F-10 to F-12, F-25, F-26, decisions A-01, A-03 to A-05.

use tuffet_core::crypto::{HashAlgorithm, Scheme, hex};
use tuffet_core::json::{Reason, Value};
use tuffet_core::trust::{Rejected, Signers, TrustAnchor, UncountedReason};

use tuffet_testkit::expect::{assert_format, threshold, timestamp_by, uncounted};
use tuffet_testkit::{
    Delegated, Document, Layout, Repository, TestKey, Toy, World, array, edit, insert, name,
    object, remove, role, text, version,
};

#[test]
fn a01_tap12_keyids_are_any_text() {
    for keyid in ["x", "KEY 1", "é", "\u{1F511}", "../..", "a\"b\\c\n"] {
        let key = TestKey::new("key").named(keyid);
        let view = World::with_timestamp(std::slice::from_ref(&key), 1, std::slice::from_ref(&key))
            .refresh()
            .unwrap();
        assert_eq!(view.timestamp().quorum().counted[0].keyid.as_str(), keyid);
    }
    let key = TestKey::new("key").named("");
    let rejected = World::with_timestamp(std::slice::from_ref(&key), 1, &[])
        .refresh()
        .unwrap_err();
    assert_format(
        &rejected,
        "root",
        "signed.keys",
        &Reason::Invalid("an empty keyid"),
    );
}

#[test]
fn a01_tap12_keyids_mean_something_only_in_the_file_that_lists_them() {
    // `k` is one key in root, another in targets, and a third in a delegated role.
    let [in_root, in_targets, in_team] = TestKey::all(["r", "t", "m"]).map(|key| key.named("k"));
    let mut repository = Repository::new();
    repository.set_role("targets", std::slice::from_ref(&in_root), 1);
    repository.targets.signers = vec![in_root.clone()];
    let delegated = |name, paths: &[&str], key: &TestKey| Delegated {
        keys: vec![key.clone()],
        ..Delegated::new(name, paths)
    };
    repository.delegate("targets", delegated("team", &["team/*"], &in_targets));
    repository.delegate("team", delegated("deep", &["team/*"], &in_team));
    repository.add_target("deep", "team/tool", b"tool");
    repository.write_root();
    repository.write();
    let mut world = World::of(repository);
    world.wanted = Some("team/tool");
    world.attempt().unwrap();
    for (role, wrong) in [
        ("team", &in_root),
        ("team", &in_team),
        ("deep", &in_root),
        ("deep", &in_targets),
    ] {
        world.refuses(
            |repository| {
                repository.document(role).signers = vec![wrong.clone()];
                repository.publish();
            },
            |rejected| {
                let delegator = if role == "team" { "targets" } else { "team" };
                let expected = threshold(
                    role,
                    Signers::Delegator(name(delegator)),
                    [0, 1],
                    vec![uncounted(wrong, UncountedReason::Invalid)],
                );
                assert_eq!(*rejected, expected);
            },
        );
    }
}

#[test]
fn a03_one_key_counts_once_whatever_it_is_called_and_however_it_is_written() {
    let one = TestKey::new("one");
    let mut annotated = one.object.clone();
    insert(
        &mut annotated,
        &["x-comment"],
        "another object, the same key",
    );
    let public = "ab".repeat(32);
    let upper = TestKey::ed25519(&public.to_uppercase());
    let negated = TestKey::ed25519(&format!("{}2b", "ab".repeat(31)));
    let (x, y) = ([7_u8; 32], [9_u8; 32]);
    let point = |form: u8, parts: &[&[u8]]| {
        std::iter::once(form)
            .chain(parts.concat())
            .collect::<Vec<u8>>()
    };
    let hex_point = TestKey::of(
        "ecdsa",
        Scheme::EcdsaP256Sha256.name(),
        &hex::encode(&point(4, &[&x, &y])),
    );
    let pss = Scheme::RsaPss(HashAlgorithm::Sha256);
    let pkcs1 = Scheme::RsaPkcs1v15(HashAlgorithm::Sha512);
    let table = [
        (one.clone(), one.named("two")),
        (one.clone(), TestKey::from_object(annotated)),
        (TestKey::ed25519(&public), upper),
        (TestKey::ed25519(&public), negated),
        (
            TestKey::p256(&point(4, &[&x, &y])),
            TestKey::p256(&point(2, &[&x])),
        ),
        (
            TestKey::p256(&point(2, &[&x])),
            TestKey::p256(&point(3, &[&x])),
        ),
        (TestKey::p256(&point(4, &[&x, &y])), hex_point),
        (TestKey::rsa(pss, 256), TestKey::rsa(pkcs1, 256)),
        (TestKey::rsa(pss, 256), TestKey::rsa_with(pss, 256, &[3])),
        (TestKey::ml_dsa(1), TestKey::ml_dsa(1).named("two")),
    ];
    for (place, (first, second)) in table.into_iter().enumerate() {
        assert_ne!(first.keyid, second.keyid, "{place}");
        let both = [first.clone(), second.clone()];
        let same = vec![uncounted(&second, UncountedReason::SameKey)];
        assert_eq!(
            World::with_timestamp(&both, 2, &both)
                .refresh()
                .unwrap_err(),
            timestamp_by(1, 2, same.clone()),
            "{place}"
        );
        World::with_timestamp(&both, 1, std::slice::from_ref(&second))
            .refresh()
            .unwrap_or_else(|error| panic!("{place}: {error}"));

        // A delegated role and a new root count in the same way.
        let mut repository = Repository::new();
        let delegated = Delegated {
            keys: both.to_vec(),
            threshold: 2,
            ..Delegated::new("team", &["team/*"])
        };
        repository.delegate("targets", delegated);
        repository.write();
        let rejected = World::of(repository).find("team/tool").unwrap_err();
        assert_eq!(
            rejected,
            threshold(
                "team",
                Signers::Delegator(name("targets")),
                [1, 2],
                same.clone()
            ),
            "{place}"
        );

        let mut world = World::new();
        world.repository.rotate("root", &both, 2);
        let rejected = world.refresh().unwrap_err();
        assert_eq!(
            rejected,
            threshold("root", Signers::Root(version(2)), [1, 2], same),
            "{place}"
        );
    }
    let different = [
        TestKey::ml_dsa(1),
        TestKey::ml_dsa(2),
        TestKey::rsa(pss, 256),
        TestKey::rsa(pss, 257),
        one,
    ];
    World::with_timestamp(&different, 5, &different)
        .refresh()
        .unwrap();
}

/// Keys of kinds that are not known, and of known kinds that cannot be used.
fn opaque() -> Vec<(Value, &'static str)> {
    let text_key = |keytype, scheme, public: &str| TestKey::of(keytype, scheme, public).object;
    let identity = object([
        ("keytype", text("sigstore-oidc")),
        ("scheme", text("Fulcio")),
        (
            "keyval",
            object([
                ("identity", text("someone@example.com")),
                ("issuer", text("https://issuer.example")),
            ]),
        ),
    ]);
    let mut without_keyval = text_key("ed25519", "ed25519", "");
    remove(&mut without_keyval, &["keyval"]);
    let mut odd = text_key("ed25519", "ed25519", "");
    insert(&mut odd, &["keyval"], array([text("a list")]));
    let mut odder = text_key("ed25519", "ed25519", "");
    insert(&mut odder, &["scheme"], 7);
    insert(&mut odder, &["keyval", "public"], array([]));
    let short_rsa = TestKey::rsa(Scheme::RsaPss(HashAlgorithm::Sha256), 128).object;
    vec![
        (
            identity,
            "unsupported key sigstore-oidc/Fulcio: unknown keytype",
        ),
        (
            text_key("falcon", "falcon-512", "ab"),
            "unsupported key falcon/falcon-512: unknown keytype",
        ),
        (
            text_key("rsa", "rsassa-pss-sha1", "ab"),
            "unsupported key rsa/rsassa-pss-sha1: unknown scheme",
        ),
        (
            text_key("ed25519", "rsassa-pss-sha256", &"ab".repeat(32)),
            "unusable key ed25519/rsassa-pss-sha256: the scheme is not one of its keytype",
        ),
        (
            text_key("ed25519", "ed25519", &"ab".repeat(31)),
            "unusable key ed25519/ed25519: an ed25519 key is 64 hexadecimal digits",
        ),
        (
            text_key("ed25519", "ed25519", &"ab".repeat(33)),
            "unusable key ed25519/ed25519: an ed25519 key is 64 hexadecimal digits",
        ),
        (
            text_key("ecdsa", "ecdsa-sha2-nistp256", "not a key"),
            "unusable key ecdsa/ecdsa-sha2-nistp256: it is neither PEM nor hexadecimal",
        ),
        (
            short_rsa,
            "unusable key rsa/rsassa-pss-sha256: its RSA modulus of 1024 bits is shorter than 2048",
        ),
        (
            without_keyval,
            "unusable key ed25519/ed25519: it has no public key text",
        ),
        (
            odd,
            "unusable key ed25519/ed25519: it has no public key text",
        ),
        (odder, "unsupported key ed25519/: unknown scheme"),
        (object([]), "unsupported key /: unknown keytype"),
        (
            text_key("\u{1b}[2J\n", "x", ""),
            "unsupported key \\u{1b}[2J\\n/x: unknown keytype",
        ),
    ]
}

#[test]
fn a04_f10_f11_f12_keys_that_cannot_be_used_never_count_and_never_hurt() {
    let good = TestKey::new("good");
    for (value, why) in opaque() {
        let odd = TestKey::from_object(value);
        let reason = UncountedReason::Unsupported(why.to_owned());
        let both = [odd.clone(), good.clone()];
        let mut alone =
            World::with_timestamp(std::slice::from_ref(&odd), 1, std::slice::from_ref(&odd));
        assert_eq!(
            alone.refresh().unwrap_err(),
            timestamp_by(0, 1, vec![uncounted(&odd, reason.clone())])
        );
        let message = alone.refresh().unwrap_err().to_string();
        assert!(
            message.contains(why) && !message.contains('\u{1b}'),
            "{message}"
        );
        let mut beside = World::with_timestamp(&both, 2, &both);
        assert_eq!(
            beside.refresh().unwrap_err(),
            timestamp_by(1, 2, vec![uncounted(&odd, reason)])
        );
        World::with_timestamp(&both, 1, &both).refresh().unwrap();

        // Unused, in root and in the delegations of a role.
        let mut repository = Repository::new();
        insert(
            &mut repository.root.signed,
            &["keys", "unused"],
            odd.object.clone(),
        );
        repository.delegate("targets", Delegated::new("team", &["team/*"]));
        insert(
            &mut repository.targets.signed,
            &["delegations", "keys", "unused"],
            odd.object.clone(),
        );
        repository.add_target("team", "team/tool", b"tool");
        repository.write_root();
        repository.write();
        World::of(repository).find("team/tool").unwrap();
    }
}

#[test]
fn a04_a_key_that_is_no_object_is_refused() {
    let mut repository = Repository::new();
    insert(&mut repository.root.signed, &["keys", "x"], "a string");
    let rejected = World::of(repository).refresh().unwrap_err();
    assert_format(
        &rejected,
        "root",
        "signed.keys.x",
        &Reason::Expected("an object"),
    );
}

#[test]
fn a04_a_scheme_that_this_build_lacks_does_not_count() {
    let (key, good) = (TestKey::ml_dsa(1), TestKey::new("good"));
    let both = [key.clone(), good];
    let mut world = World::with_timestamp(&both, 2, &both);
    world.crypto = std::sync::Arc::new(Toy {
        lacks: Some(Scheme::MlDsa44),
        ..Toy::default()
    });
    let reason =
        UncountedReason::Unsupported("unsupported key: this build has no ml-dsa-44/1".to_owned());
    assert_eq!(
        world.refresh().unwrap_err(),
        timestamp_by(1, 2, vec![uncounted(&key, reason)])
    );
    world.crypto = std::sync::Arc::default();
    world.refresh().unwrap();
}

#[test]
fn a05_a_keyid_that_is_not_defined_does_not_count() {
    let good = TestKey::new("good");
    let ghost = TestKey::new("ghost");
    for (need, outcome) in [(1, None), (2, Some(1))] {
        let mut repository = Repository::new();
        repository.set_role("timestamp", std::slice::from_ref(&good), 1);
        let both = [ghost.clone(), good.clone()];
        insert(
            &mut repository.root.signed,
            &["roles", "timestamp"],
            role(&both, need),
        );
        repository.timestamp.signers = both.to_vec();
        repository.write_root();
        repository.write();
        let refreshed = World::of(repository).refresh();
        match outcome {
            None => drop(refreshed.unwrap()),
            Some(have) => assert_eq!(
                refreshed.unwrap_err(),
                timestamp_by(
                    have,
                    need,
                    vec![uncounted(&ghost, UncountedReason::Undefined)]
                )
            ),
        }
    }
}

#[test]
fn f25_one_key_for_each_keyid() {
    let document = Document::new(Repository::new().root.signed, vec![], Layout::Canonical);
    let bytes = String::from_utf8(document.bytes()).unwrap();
    let twice = bytes.replacen("\"keys\":{", "\"keys\":{\"k\":{},\"k\":{},", 1);
    let mut world = World::new();
    world.anchor = TrustAnchor::Root(twice.into_bytes());
    let rejected = world.refresh().unwrap_err();
    assert_format(
        &rejected,
        "root",
        "signed.keys",
        &Reason::DuplicateName("k".to_owned()),
    );
}

#[test]
fn f26_a_keyid_stands_once_in_a_role() {
    for (list, path) in [
        (["root"], "signed.roles.root.keyids"),
        (["timestamp"], "signed.roles.timestamp.keyids"),
    ] {
        let mut repository = Repository::new();
        let keyids = edit(&mut repository.root.signed, &["roles", list[0], "keyids"]);
        let first = keyids.as_array().unwrap()[0].clone();
        keyids.as_array_mut().unwrap().push(first);
        let rejected = World::of(repository).refresh().unwrap_err();
        assert_format(
            &rejected,
            "root",
            path,
            &Reason::Invalid("a keyid listed twice"),
        );
    }
}

/// A root whose only key is `old`, and the next one that names `new` and carries these signatures.
fn successor(
    old: &TestKey,
    new: &TestKey,
    signatures: impl Fn(&[u8]) -> Vec<Value>,
) -> Result<u64, Rejected> {
    let mut repository = Repository::new();
    repository.set_role("root", std::slice::from_ref(old), 1);
    repository.root.signers = vec![old.clone()];
    repository.write_root();
    let mut world = World::of(repository);
    let root = &mut world.repository.root;
    root.set_version(2);
    world
        .repository
        .set_role("root", std::slice::from_ref(new), 1);
    let root = &mut world.repository.root;
    root.signers.clear();
    root.extra = signatures(&root.signed.canonical());
    world.repository.write_root();
    world.refresh().map(|view| view.root().version().number())
}

fn by_new_root(key: &TestKey, reason: UncountedReason) -> Rejected {
    threshold(
        "root",
        Signers::Root(version(2)),
        [0, 1],
        vec![uncounted(key, reason)],
    )
}

#[test]
fn c05_tap12_a_keyid_that_means_another_key_in_the_new_root_is_verified_with_that() {
    let [old, new] = TestKey::all(["old", "new"]).map(|key| key.named("k"));
    let outcome = successor(&old, &new, |message| vec![old.entry(message)]);
    assert_eq!(outcome, Err(by_new_root(&new, UncountedReason::Invalid)));
}

#[test]
fn c05_a_key_that_changes_its_scheme_is_verified_with_the_new_one() {
    let old = TestKey::rsa(Scheme::RsaPss(HashAlgorithm::Sha256), 256).named("k");
    let new = TestKey::rsa(Scheme::RsaPkcs1v15(HashAlgorithm::Sha256), 256).named("k");
    let outcome = successor(&old, &new, |message| vec![old.entry(message)]);
    assert_eq!(outcome, Err(by_new_root(&new, UncountedReason::Invalid)));
}

#[test]
fn c05_a_key_of_the_same_holder_is_verified_with_its_own_value() {
    let pss = Scheme::RsaPss(HashAlgorithm::Sha256);
    for (old, new) in [
        (TestKey::rsa(pss, 256), TestKey::rsa_with(pss, 256, &[3])),
        (
            TestKey::ed25519(&"ab".repeat(32)),
            TestKey::ed25519(&format!("{}2b", "ab".repeat(31))),
        ),
    ] {
        let [old, new] = [old, new].map(|key| key.named("k"));
        let outcome = successor(&old, &new, |message| vec![old.entry(message)]);
        assert_eq!(outcome, Err(by_new_root(&new, UncountedReason::Invalid)));
    }
}

#[test]
fn c05_a_key_that_changes_its_keyid_signs_under_both() {
    let key = TestKey::new("key");
    let (old, new) = (key.named("a"), key.named("b"));
    let both = successor(&old, &new, |message| {
        vec![old.entry(message), new.entry(message)]
    });
    assert_eq!(both, Ok(2));
    let wrong = successor(&old, &new, |message| {
        vec![old.entry(message), new.entry(b"other")]
    });
    assert_eq!(wrong, Err(by_new_root(&new, UncountedReason::Invalid)));
    let only_old = successor(&old, &new, |message| vec![old.entry(message)]);
    assert_eq!(only_old, Err(by_new_root(&new, UncountedReason::NotSigned)));
}
