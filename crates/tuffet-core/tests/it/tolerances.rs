//! What reading forgives: accepted and reported by default, refused by name by whoever asks for that.

use std::collections::BTreeSet;

use tuffet_core::crypto::{Curve, HashAlgorithm, PublicKey, Scheme};
use tuffet_core::metadata::{Note, Tolerance, ToleranceSet};
use tuffet_core::trust::{Event, Item, Mode, Policy, Rejected};

use tuffet_testkit::expect::rollback;
use tuffet_testkit::{
    Delegated, Repository, TestKey, World, base64, edit, insert, name, object, text, version,
};

/// A deviation: the tolerance it needs, how a repository comes to have it, and the role and field that have it.
struct Deviation {
    tolerance: Tolerance,
    apply: Box<dyn Fn(&mut Repository)>,
    role: &'static str,
    field: String,
}

fn deviation(
    tolerance: Tolerance,
    role: &'static str,
    field: impl Into<String>,
    apply: impl Fn(&mut Repository) + 'static,
) -> Deviation {
    Deviation {
        tolerance,
        apply: Box::new(apply),
        role,
        field: field.into(),
    }
}

/// The targets role is signed by this key, which root lists in its own way.
fn key(tolerance: Tolerance, key: TestKey, member: &str) -> Deviation {
    let field = format!("signed.keys.{}{member}", key.keyid);
    deviation(tolerance, "root", field, move |repository| {
        repository.set_role("targets", std::slice::from_ref(&key), 1);
        repository.targets.signers = vec![key.clone()];
    })
}

fn set(
    tolerance: Tolerance,
    role: &'static str,
    field: &str,
    path: &'static [&'static str],
    value: &'static str,
) -> Deviation {
    deviation(tolerance, role, field, move |repository| {
        insert(&mut repository.document(role).signed, path, value);
    })
}

/// Snapshot lists a file that is no targets role.
fn extra(file: &'static str) -> Deviation {
    let field = format!("signed.meta.{file}");
    deviation(
        Tolerance::SnapshotExtra,
        "snapshot",
        field,
        move |repository| {
            let entry = object([("version", 1.into())]);
            insert(&mut repository.snapshot.signed, &["meta", file], entry);
        },
    )
}

fn point_pem() -> String {
    let curve = Curve::P256;
    let point = std::iter::once(4).chain([7; 64]).collect();
    PublicKey::Ecdsa { curve, point }.to_spki_pem()
}

fn rsa_public_key_pem() -> String {
    let key = TestKey::rsa_public(256, &[1, 0, 1]);
    let lines = base64(&key.to_rsa_der().expect("an RSA key"));
    let lines: Vec<&str> = (0..lines.len())
        .step_by(64)
        .map(|start| &lines[start..lines.len().min(start + 64)])
        .collect();
    format!(
        "-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n",
        lines.join("\n")
    )
}

fn deviations() -> Vec<Deviation> {
    let p256 = Scheme::EcdsaP256Sha256.name();
    let hex_point = format!("04{}", "07".repeat(64));
    let ed25519_pem = PublicKey::Ed25519([7; 32]).to_spki_pem();
    let with_point = key(
        Tolerance::HexPoint,
        TestKey::of("ecdsa", p256, &hex_point),
        ".keyval.public",
    );
    let ghost = |signature: &'static str| {
        move |repository: &mut Repository| {
            let entry = object([("keyid", text("ghost")), ("sig", text(signature))]);
            repository.snapshot.extra = vec![entry];
        }
    };
    vec![
        set(
            Tolerance::ExpiresForm,
            "root",
            "signed.expires",
            &["expires"],
            "2031-01-01T00:00:00.5Z",
        ),
        set(
            Tolerance::ExpiresForm,
            "timestamp",
            "signed.expires",
            &["expires"],
            "2031-01-01T00:00:00+02:00",
        ),
        with_point,
        key(
            Tolerance::KeytypeAlias,
            TestKey::of(p256, p256, &point_pem()),
            ".keytype",
        ),
        key(
            Tolerance::KeyForm,
            TestKey::of("ed25519", "ed25519", &ed25519_pem),
            ".keyval.public",
        ),
        key(
            Tolerance::KeyForm,
            TestKey::of(
                "rsa",
                Scheme::RsaPss(HashAlgorithm::Sha256).name(),
                &rsa_public_key_pem(),
            ),
            ".keyval.public",
        ),
        key(
            Tolerance::KeyidMismatch,
            TestKey::new("targets").named("one"),
            "",
        ),
        deviation(
            Tolerance::KeyidMismatch,
            "targets",
            "signed.delegations.keys.two",
            |repository| {
                let keys = vec![TestKey::new("team").named("two")];
                repository.delegate(
                    "targets",
                    Delegated {
                        keys,
                        ..Delegated::new("team", &["team/*"])
                    },
                );
            },
        ),
        deviation(
            Tolerance::KeyidUndefined,
            "root",
            "signed.roles.targets.keyids.ghost",
            |repository| {
                let keyids = edit(&mut repository.root.signed, &["roles", "targets", "keyids"]);
                keyids.as_array_mut().unwrap().push(text("ghost"));
            },
        ),
        deviation(
            Tolerance::KeyidUndefined,
            "targets",
            "signed.delegations.roles.team.keyids.ghost",
            |repository| {
                repository.delegate("targets", Delegated::new("team", &["team/*"]));
                let path = ["delegations", "roles", "0", "keyids"];
                let keyids = edit(&mut repository.targets.signed, &path);
                keyids.as_array_mut().unwrap().push(text("ghost"));
            },
        ),
        deviation(
            Tolerance::SignatureForm,
            "snapshot",
            "signatures[0].sig",
            ghost(""),
        ),
        deviation(
            Tolerance::SignatureForm,
            "snapshot",
            "signatures[0].sig",
            ghost("not hexadecimal"),
        ),
        set(
            Tolerance::SpecVersionForm,
            "targets",
            "signed.spec_version",
            &["spec_version"],
            "1.0",
        ),
        deviation(
            Tolerance::ExtraRole,
            "root",
            "signed.roles.future",
            |repository| {
                repository.set_role("future", &[TestKey::new("future")], 1);
            },
        ),
        set(
            Tolerance::CustomForm,
            "targets",
            "signed.targets.app.custom",
            &["targets", "app", "custom"],
            "text",
        ),
        extra("root.json"),
        extra("timestamp.json"),
        extra("snapshot.json"),
        extra("README"),
        set(
            Tolerance::HashUnknown,
            "targets",
            "signed.targets.app.hashes.sha4096",
            &["targets", "app", "hashes", "sha4096"],
            "future",
        ),
        deviation(
            Tolerance::HashUnknown,
            "snapshot",
            "signed.meta.old.json.hashes.sha4096",
            |repository| {
                let hashes = object([
                    ("sha256", text(&"ab".repeat(32))),
                    ("sha4096", text("future")),
                ]);
                let entry = object([("version", 1.into()), ("hashes", hashes)]);
                insert(
                    &mut repository.snapshot.signed,
                    &["meta", "old.json"],
                    entry,
                );
            },
        ),
    ]
}

fn world(deviation: &Deviation) -> World {
    let mut repository = Repository::new();
    (deviation.apply)(&mut repository);
    repository.write_root();
    repository.write();
    World::of(repository)
}

fn all_but(tolerance: Tolerance) -> ToleranceSet {
    Tolerance::ALL
        .into_iter()
        .filter(|&other| other != tolerance)
        .fold(ToleranceSet::NONE, ToleranceSet::with)
}

#[test]
fn every_tolerance_is_forgiven_by_default_and_reported() {
    for deviation in deviations() {
        let mut world = world(&deviation);
        world
            .refresh()
            .unwrap_or_else(|error| panic!("{}: {error}", deviation.field));
        let event = Event::Tolerated {
            role: name(deviation.role),
            note: Note {
                tolerance: deviation.tolerance,
                field: deviation.field.clone(),
            },
        };
        // Keyids are compared with their keys only when somebody asks for it.
        let reported = deviation.tolerance != Tolerance::KeyidMismatch;
        assert_eq!(
            world.events.contains(&event),
            reported,
            "{}: {:?}",
            deviation.field,
            world.events
        );
    }
}

#[test]
fn a01_a06_every_tolerance_is_refused_by_its_name() {
    for deviation in deviations() {
        let mut world = world(&deviation);
        world.policy.refuse = ToleranceSet::NONE.with(deviation.tolerance);
        let rejected = world.refresh().unwrap_err();
        assert_eq!(
            rejected.code(),
            format!("strict.{}", deviation.tolerance.name())
        );
        assert_eq!(
            rejected,
            Rejected::Strict {
                role: name(deviation.role),
                note: Note {
                    tolerance: deviation.tolerance,
                    field: deviation.field.clone(),
                },
            }
        );
        world.policy = Policy::strict();
        assert_eq!(
            world.refresh().unwrap_err(),
            rejected,
            "strict refuses every one"
        );
        world.policy.refuse = all_but(deviation.tolerance);
        world
            .refresh()
            .unwrap_or_else(|error| panic!("{}: {error}", deviation.field));
    }
}

#[test]
fn every_tolerance_has_a_deviation_that_needs_it() {
    let met: BTreeSet<Tolerance> = deviations().iter().map(|each| each.tolerance).collect();
    assert_eq!(met, Tolerance::ALL.into_iter().collect());
}

#[test]
fn every_tolerance_stands_in_the_table_for_people() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tolerances.md");
    let Ok(table) = std::fs::read_to_string(path) else {
        println!("skipped: this copy of the crate is not in its repository, where the table is");
        return;
    };
    let rows: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let names: Vec<&str> = Tolerance::ALL.into_iter().map(Tolerance::name).collect();
    assert_eq!(rows, names);
    for tolerance in Tolerance::ALL {
        assert!(
            table.contains(&format!("`{}`", tolerance.code())),
            "{tolerance:?}"
        );
    }
}

#[test]
fn strict_mode_accepts_what_the_specification_says() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("team", &["team/*"]));
    repository.add_target("team", "team/tool", b"tool");
    repository.set_role("mirrors", &[TestKey::new("mirrors")], 1);
    repository.write_root();
    repository.write();
    let mut world = World::of(repository);
    world.policy = Policy::strict();
    world.wanted = Some("team/tool");
    world.attempt().unwrap();
    world
        .repository
        .rotate("timestamp", &[TestKey::new("new")], 1);
    world.recovers();
}

#[test]
fn a01_strict_mode_refuses_a_successor_of_root_that_needs_a_tolerance() {
    let mut world = World::refreshed();
    world.policy = Policy::strict();
    let honest = world.repository.clone();
    world.repository.root.expire("2031-01-01T00:00:00+00:00");
    world.repository.publish_root();
    assert_eq!(world.refresh().unwrap_err().code(), "strict.expires-form");
    assert_eq!(world.stored("root"), Some(1));
    world.repository = honest;
    let renamed = TestKey::new("targets").named("renamed");
    world.repository.rotate("targets", &[renamed], 1);
    let rejected = world.refresh().unwrap_err();
    assert_eq!(rejected.code(), "strict.keyid-mismatch");
    assert_eq!(world.stored("root"), Some(1));
}

#[test]
fn a33_a_policy_that_becomes_stricter_forgets_no_floor() {
    let mut world = World::refreshed();
    let old = world.repository.clone();
    world
        .repository
        .timestamp
        .expire("2031-01-01T00:00:00+00:00");
    world
        .repository
        .snapshot
        .expire("2031-01-01T00:00:00+00:00");
    for _ in 2..=5 {
        world.repository.publish();
    }
    world.refresh().unwrap();
    for strict_local in [false, true] {
        let mut strict = world.clone();
        strict.policy.refuse = ToleranceSet::all();
        strict.policy.strict_local = strict_local;
        assert_eq!(strict.refresh().unwrap_err().code(), "strict.expires-form");
        strict.repository = old.clone();
        assert_eq!(strict.refresh().unwrap_err(), rollback("timestamp", 5, 1));
        strict.repository.timestamp.set_version(6);
        strict.repository.snapshot.set_version(6);
        strict.repository.write();
        assert_eq!(strict.refresh().unwrap_err(), rollback("targets", 5, 1));
        strict.repository.rise_above(&world.repository);
        strict.recovers();
    }
}

#[test]
fn a32_a_policy_that_becomes_stricter_is_no_way_back_to_an_older_root() {
    let mut world = World::refreshed();
    world.repository.root.expire("2031-01-01T00:00:00+00:00");
    world.repository.publish_root();
    world.refresh().unwrap();
    let before = world.store.clone();
    world.repository.files.remove("2.root.json");
    world.policy.refuse = ToleranceSet::all();
    let rejected = world.refresh().unwrap_err();
    assert_eq!(rejected.code(), "strict.expires-form");
    assert!(world.fetched().is_empty() && world.store == before);
    assert!(world.store.contains_key(&Item::Root(version(2))));
}

#[test]
fn a13_a_stored_timestamp_that_a_stricter_policy_refuses_is_not_kept() {
    let mut repository = Repository::new();
    repository.timestamp.expire("2031-01-01T00:00:00+00:00");
    repository.write();
    let mut world = World::of(repository);
    world.refresh().unwrap();
    // Nothing is wrong with the other file of that version, but it is the first one that counts.
    world.repository.timestamp.expire("2031-01-01T00:00:00Z");
    world.repository.write_timestamp();
    world.policy.refuse = ToleranceSet::all();
    assert_eq!(world.refresh().unwrap_err().code(), "strict.expires-form");
    world.repository.timestamp.set_version(2);
    world.repository.write_timestamp();
    world.refresh().unwrap();
}

#[test]
fn c31_a_policy_that_becomes_stricter_holds_offline_too() {
    for role in ["timestamp", "snapshot"] {
        let mut repository = Repository::new();
        let document = repository.document(role);
        document.expire("2031-01-01T00:00:00+00:00");
        repository.write();
        let mut world = World::of(repository);
        world.refresh().unwrap();
        world.mode = Mode::Offline;
        world.refresh().unwrap();
        world.policy.refuse = ToleranceSet::all();
        let rejected = world.refresh().unwrap_err();
        let expected = Rejected::Strict {
            role: name(role),
            note: Note {
                tolerance: Tolerance::ExpiresForm,
                field: "signed.expires".to_owned(),
            },
        };
        assert_eq!(rejected, expected);
    }
}
