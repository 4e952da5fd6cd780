//! Which signatures count (TUF §4.2.1, §5.3.4): rules O-05, F-08 to F-10, decisions, TAP 21.

use std::sync::atomic::Ordering;

use tuffet_core::crypto::hex;
use tuffet_core::json::Reason;
use tuffet_core::trust::UncountedReason;

use tuffet_testkit::expect::{assert_format, not_signed, timestamp_by, uncounted};
use tuffet_testkit::{TestKey, Toy, World, insert, object, text};

#[test]
fn o05_every_role_may_have_any_number_of_keys_and_a_threshold() {
    let all = TestKey::all(["a", "b", "c", "d"]);
    for need in 1..=4 {
        for signed in 0_usize..16 {
            let signers: Vec<TestKey> = (0..4)
                .filter(|bit| signed >> bit & 1 == 1)
                .map(|bit| all[bit].clone())
                .collect();
            let outcome = World::with_timestamp(&all, need, &signers).refresh();
            if signers.len() as u64 >= need {
                let view = outcome.unwrap();
                let quorum = view.timestamp().quorum();
                assert_eq!(
                    (quorum.have(), quorum.need),
                    (need, need),
                    "no more are looked at than needed"
                );
            } else {
                let missing: Vec<&TestKey> =
                    all.iter().filter(|key| !signers.contains(key)).collect();
                assert_eq!(
                    outcome.unwrap_err(),
                    timestamp_by(signers.len() as u64, need, not_signed(&missing))
                );
            }
        }
    }
}

#[test]
fn o05_a_threshold_above_the_number_of_keys_is_never_met() {
    let all = TestKey::all(["a", "b"]);
    let mut world = World::with_timestamp(&all, 3, &all);
    assert_eq!(world.refresh().unwrap_err(), timestamp_by(2, 3, vec![]));
    let mut world = World::with_timestamp(&all, i64::MAX as u64, &all);
    assert_eq!(
        world.refresh().unwrap_err(),
        timestamp_by(2, i64::MAX as u64, vec![])
    );
    let mut world = World::with_timestamp(&[], 1, &all);
    assert_eq!(world.refresh().unwrap_err(), timestamp_by(0, 1, vec![]));
}

#[test]
fn a02_f08_two_signatures_with_one_keyid_are_refused() {
    let [good, other] = TestKey::all(["good", "other"]);
    for (twice, key) in [("of the role", &good), ("of nobody", &other)] {
        let mut world = World::with_timestamp(
            std::slice::from_ref(&good),
            1,
            &[good.clone(), key.clone(), key.clone()],
        );
        assert_format(
            &world.refresh().unwrap_err(),
            "timestamp",
            "signatures",
            &Reason::Invalid("two signatures with one keyid"),
        );
        world.repository.timestamp.signers.dedup();
        world.repository.timestamp.signers.truncate(2);
        world.repository.write_timestamp();
        world
            .refresh()
            .unwrap_or_else(|error| panic!("{twice}: {error}"));
    }
}

#[test]
fn a06_f09_signatures_that_are_no_hexadecimal_count_as_none() {
    let [bad, good] = TestKey::all(["bad", "good"]);
    let both = [bad.clone(), good.clone()];
    let table = [
        ("", UncountedReason::NoValue),
        ("abc", UncountedReason::NoValue),
        ("0x00", UncountedReason::NoValue),
        ("zz", UncountedReason::NoValue),
        ("00", UncountedReason::Invalid),
        (&"00".repeat(5000), UncountedReason::Invalid),
    ];
    for (value, reason) in table {
        let entry = object([("keyid", text(&bad.keyid)), ("sig", text(value))]);
        let mut world = World::with_timestamp(&both, 1, std::slice::from_ref(&good));
        world.repository.timestamp.extra = vec![entry.clone()];
        world.repository.write_timestamp();
        world
            .refresh()
            .unwrap_or_else(|error| panic!("{value:?}: {error}"));

        let mut world = World::with_timestamp(&both, 2, std::slice::from_ref(&good));
        world.repository.timestamp.extra = vec![entry];
        world.repository.write_timestamp();
        assert_eq!(
            world.refresh().unwrap_err(),
            timestamp_by(1, 2, vec![uncounted(&bad, reason)]),
            "{value:?}"
        );
    }
}

#[test]
fn a21_signatures_in_upper_case_count_and_keyids_are_compared_as_they_are() {
    let key = TestKey::new("key");
    let mut world = World::with_timestamp(std::slice::from_ref(&key), 1, &[]);
    let signature = key.sign(&world.repository.timestamp.signed.canonical());
    let entry = |keyid: &str, sig: String| object([("keyid", text(keyid)), ("sig", text(&sig))]);
    let upper = hex::encode(&signature).to_uppercase();
    world.repository.timestamp.extra = vec![entry(&key.keyid, upper)];
    world.repository.write_timestamp();
    world.clone().refresh().unwrap();
    world.repository.timestamp.extra =
        vec![entry(&key.keyid.to_uppercase(), hex::encode(&signature))];
    world.repository.write_timestamp();
    assert_eq!(
        world.refresh().unwrap_err(),
        timestamp_by(0, 1, not_signed(&[&key]))
    );
}

#[test]
fn f09_what_is_signed_is_the_canonical_form() {
    let key = TestKey::new("key");
    let mut world = World::with_timestamp(std::slice::from_ref(&key), 1, &[]);
    let signed = &world.repository.timestamp.signed;
    let wrong = [
        signed.to_pretty_json(),
        [signed.canonical(), b"\n".to_vec()].concat(),
        Vec::new(),
    ];
    for message in wrong {
        let mut world = world.clone();
        world.repository.timestamp.extra = vec![key.entry(&message)];
        world.repository.write_timestamp();
        let reason = vec![uncounted(&key, UncountedReason::Invalid)];
        assert_eq!(world.refresh().unwrap_err(), timestamp_by(0, 1, reason));
    }
    world.repository.timestamp.extra =
        vec![key.entry(&world.repository.timestamp.signed.canonical())];
    world.repository.write_timestamp();
    world.refresh().unwrap();
}

#[test]
fn a07_signatures_of_strangers_are_not_verified() {
    let key = TestKey::new("key");
    let count = |strangers: usize| {
        let mut world =
            World::with_timestamp(std::slice::from_ref(&key), 1, std::slice::from_ref(&key));
        let entry = |number| {
            object([
                ("keyid", text(&format!("stranger {number}"))),
                ("sig", text("00")),
            ])
        };
        world.repository.timestamp.extra = (0..strangers).map(entry).collect();
        world.repository.write_timestamp();
        world
            .refresh()
            .map(|_| world.crypto.verified.load(Ordering::Relaxed))
    };
    assert_eq!(count(1023), count(0));
    let rejected = count(1024).unwrap_err();
    assert_format(
        &rejected,
        "timestamp",
        "signatures[1024]",
        &Reason::Invalid("more than 1024 signatures"),
    );
}

#[test]
fn a07_no_more_keys_are_looked_at_than_needed_unless_asked_for() {
    let all = TestKey::all(["a", "b", "c", "d"]);
    let mut world = World::with_timestamp(&all, 2, &all);
    let quorum = world.refresh().unwrap().timestamp().quorum().clone();
    assert_eq!((quorum.have(), quorum.uncounted), (2, vec![]));
    let looked = world.crypto.verified.swap(0, Ordering::Relaxed);
    let mut audit = World::with_timestamp(&all, 2, &all[1..]);
    audit.policy.exhaustive_signatures = true;
    let quorum = audit.refresh().unwrap().timestamp().quorum().clone();
    assert_eq!(
        (quorum.have(), quorum.uncounted),
        (3, not_signed(&[&all[0]]))
    );
    // Two for root, one each for snapshot and targets, and those of the timestamp.
    assert_eq!(looked, 2 + 2 + 2);
    assert_eq!(audit.crypto.verified.load(Ordering::Relaxed), 2 + 2 + 3);
}

#[test]
fn tap21_ml_dsa_signs_a_digest_with_a_prefix() {
    let key = TestKey::ml_dsa(1);
    let mut world =
        World::with_timestamp(std::slice::from_ref(&key), 1, std::slice::from_ref(&key));
    world.refresh().unwrap();
    // The canonical form itself, signed without the prefix, is nothing that was signed for TUF.
    let canonical = world.repository.timestamp.signed.canonical();
    let bare = Toy::signature(&key.key(), &canonical);
    let entry = object([
        ("keyid", text(&key.keyid)),
        ("sig", text(&hex::encode(&bare))),
    ]);
    world.store.clear();
    world.repository.timestamp.signers.clear();
    world.repository.timestamp.extra = vec![entry];
    world.repository.write_timestamp();
    let reason = vec![uncounted(&key, UncountedReason::Invalid)];
    assert_eq!(world.refresh().unwrap_err(), timestamp_by(0, 1, reason));
}

#[test]
fn f10_nothing_in_a_signature_chooses_how_it_is_verified() {
    let key = TestKey::new("key");
    let mut world = World::with_timestamp(std::slice::from_ref(&key), 1, &[]);
    let mut entry = key.entry(b"another message");
    insert(&mut entry, &["method"], "none");
    insert(&mut entry, &["scheme"], "none");
    world.repository.timestamp.extra = vec![entry];
    world.repository.write_timestamp();
    let reason = vec![uncounted(&key, UncountedReason::Invalid)];
    assert_eq!(world.refresh().unwrap_err(), timestamp_by(0, 1, reason));
    let mut entry = key.entry(&world.repository.timestamp.signed.canonical());
    insert(
        &mut entry,
        &["bundle"],
        object([("whatever", text("later kinds of key need"))]),
    );
    world.repository.timestamp.extra = vec![entry];
    world.repository.write_timestamp();
    world.refresh().unwrap();
}
