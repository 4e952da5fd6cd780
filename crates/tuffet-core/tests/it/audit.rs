//! Visiting every role of a repository: the rules of the search, without its order and without its end at the first error.

use std::collections::BTreeMap;

use tuffet_core::trust::{Audit, Context, Covered, Found, Rejected, Signers};

use crate::search::two_files_of_one_role;
use tuffet_testkit::expect::{not_signed, threshold};
use tuffet_testkit::{
    Delegated, NOW, Repository, TestKey, World, name, path, sha256, time, version,
};

/// A role as audited: who delegates to it, which roles it lacks, and its targets with whether they are covered.
#[derive(Debug, Default, PartialEq)]
struct Report {
    roles: Vec<String>,
    unlisted: Vec<String>,
    targets: BTreeMap<String, bool>,
    refused: Vec<Rejected>,
    fetched: Vec<String>,
}

fn audit(world: &mut World) -> Report {
    let view = world.refresh().expect("the refresh is not in question");
    let (crypto, policy) = (world.crypto.clone(), world.policy.clone());
    // The moment of the view's refresh counts, not that of the audit.
    let context = Context {
        crypto: &*crypto,
        policy: &policy,
        now: time("2050-01-01T00:00:00Z"),
    };
    let (mut audit, top) = Audit::new(view, context);
    let mut report = Report::default();
    let mut next = Some(top);
    loop {
        if let Some(audited) = next.take() {
            let delegator = audited.delegator().map_or("-", |role| role.as_str());
            let role = audited.role().role();
            report.roles.push(format!("{delegator}>{role}"));
            let unlisted = audited.unvisited().iter();
            report
                .unlisted
                .extend(unlisted.map(|rejected| rejected.to_string()));
            let targets: Vec<(Found, Covered)> = audited.targets(&*crypto).collect();
            for (found, covered) in targets {
                assert_eq!(found.role, *role);
                report
                    .targets
                    .entry(format!("{role}:{}", found.path))
                    .and_modify(|by_any| *by_any |= covered == Covered::Yes)
                    .or_insert(covered == Covered::Yes);
            }
        }
        let Some(fetch) = audit.fetch() else {
            assert!(matches!(audit.answer(None), Ok(None)), "nothing is left");
            return report;
        };
        let url = fetch.file.url_path();
        let bytes = world.repository.files.get(&url).cloned();
        report.fetched.push(url);
        match audit.answer(bytes) {
            Ok(audited) => next = audited,
            Err(rejected) => report.refused.push(*rejected),
        }
    }
}

fn repository() -> Repository {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("a", &["a/*"]).terminating());
    repository.delegate("targets", Delegated::new("b", &["b/*"]));
    repository.delegate("a", Delegated::new("c", &["a/c*"]));
    repository.delegate("b", Delegated::new("c", &["b/c*"]));
    repository.delegate("c", Delegated::new("a", &["a/*"]));
    for (role, target) in [("a", "a/1"), ("a", "elsewhere"), ("b", "b/1"), ("c", "a/c")] {
        repository.add_target(role, target, b"x");
    }
    repository.write();
    repository
}

#[test]
fn c42_every_role_is_visited_by_the_word_of_each_delegator() {
    let report = audit(&mut World::of(repository()));
    assert_eq!(
        report.roles,
        ["->targets", "targets>a", "a>c", "c>a", "targets>b", "b>c"]
    );
    assert_eq!((report.unlisted.len(), report.refused.len()), (0, 0));
}

#[test]
fn f47_targets_outside_of_the_delegated_paths_are_told_apart() {
    let report = audit(&mut World::of(repository()));
    let expected = [
        ("targets:app", true),
        ("a:a/1", true),
        ("a:elsewhere", false),
        ("b:b/1", true),
        // As `a` delegates to it; by the word of `b` the same target is not covered.
        ("c:a/c", true),
    ];
    let expected = expected.map(|(target, covered)| (target.to_owned(), covered));
    assert_eq!(report.targets, expected.into());
}

#[test]
fn a26_a_role_that_one_delegator_cannot_vouch_for_is_refused_for_that_one() {
    let mut repository = repository();
    let other = TestKey::new("other");
    let keys = vec![other.clone()];
    repository.delegate(
        "b",
        Delegated {
            keys,
            ..Delegated::new("d", &["*"])
        },
    );
    repository.delegate("a", Delegated::new("d", &["*"]));
    repository.document("d").signers = vec![other];
    repository.write();
    let report = audit(&mut World::of(repository));
    let by_a = threshold(
        "d",
        Signers::Delegator(name("a")),
        [0, 1],
        not_signed(&[&TestKey::new("d")]),
    );
    assert_eq!(report.refused, [by_a]);
    assert!(report.roles.contains(&"b>d".to_owned()));
}

#[test]
fn a26_a_role_is_audited_by_each_file_of_its_delegator() {
    let [forged, honest] = two_files_of_one_role();
    let mut world = World::of(forged);
    let view = world.refresh().unwrap();
    let (crypto, policy) = (world.crypto.clone(), world.policy.clone());
    let context = Context {
        crypto: &*crypto,
        policy: &policy,
        now: time(NOW),
    };
    let (mut audit, _) = Audit::new(view, context);
    let mut asked = Vec::new();
    while let Some(fetch) = audit.fetch() {
        let role = fetch.file.role.to_string();
        // Whoever is asked second gets the other file.
        let second = asked.contains(&role);
        let files = if second {
            &honest.files
        } else {
            &world.repository.files
        };
        let bytes = files.get(&fetch.file.url_path()).cloned();
        assert!(audit.answer(bytes).is_ok(), "{role}");
        asked.push(role);
    }
    assert_eq!(asked, ["a", "d", "x", "b", "d", "x"]);
}

#[test]
fn f47_a_target_is_covered_when_every_delegation_on_the_way_covers_it() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("a", &["a/*"]));
    repository.delegate("a", Delegated::new("b", &["*/*"]));
    for target in ["a/x", "b/x"] {
        repository.add_target("b", target, b"x");
    }
    repository.write();
    let report = audit(&mut World::of(repository));
    assert_eq!(report.targets.get("b:a/x"), Some(&true));
    assert_eq!(report.targets.get("b:b/x"), Some(&false));
}

#[test]
fn a37_an_audit_goes_no_deeper_than_a_search_and_says_so() {
    let mut repository = Repository::new();
    let roles: Vec<String> = (0..8).map(|number| format!("r{number}")).collect();
    let mut by = "targets".to_owned();
    for role in &roles {
        repository.delegate(&by, Delegated::new(role, &["*"]));
        by.clone_from(role);
    }
    repository.write();
    let mut world = World::of(repository);
    world.policy.limits.roles = 4;
    let report = audit(&mut world);
    assert_eq!(report.roles.len(), 5, "{:?}", report.roles);
    assert_eq!(
        report.unlisted,
        ["not every role that r3 delegates to was visited"]
    );
}

#[test]
fn a37_an_audit_goes_no_deeper_into_bins_either() {
    let key = TestKey::new("bins");
    let mut repository = Repository::new();
    let mut by = "targets";
    for role in ["r0", "r1"] {
        repository.delegate(by, Delegated::new(role, &["*"]));
        by = role;
    }
    repository.delegate_bins(by, &key, 1);
    for bin in ["bin-0", "bin-1"] {
        repository.add_bin(bin, &key);
    }
    repository.write();
    let mut world = World::of(repository);
    world.policy.limits.roles = 3;
    let all = ["->targets", "targets>r0", "r0>r1", "r1>bin-0", "r1>bin-1"];
    assert_eq!(audit(&mut world).roles, all);
    world.policy.limits.roles = 2;
    let report = audit(&mut world);
    assert_eq!(report.roles, all[..3]);
    assert_eq!(
        report.unlisted,
        ["not every role that r1 delegates to was visited"]
    );
}

#[test]
fn a30_the_proof_of_an_audited_target_names_its_bin() {
    let key = TestKey::new("bins");
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("a", &["*"]).terminating());
    repository.delegate_bins("a", &key, 1);
    let first = sha256(b"x").as_bytes()[0] >> 7;
    let bin = format!("bin-{first:x}");
    repository.add_bin(&bin, &key);
    repository.add_target(&bin, "x", b"x");
    repository.write();
    let mut world = World::of(repository);
    let view = world.refresh().unwrap();
    let (crypto, policy) = (world.crypto.clone(), world.policy.clone());
    let context = Context {
        crypto: &*crypto,
        policy: &policy,
        now: time(NOW),
    };
    let (mut audit, _) = Audit::new(view.clone(), context);
    let mut found = Vec::new();
    while let Some(fetch) = audit.fetch() {
        let bytes = world.repository.files.get(&fetch.file.url_path()).cloned();
        let audited = audit.answer(bytes).unwrap().unwrap();
        found.extend(audited.targets(&*crypto).map(|(found, _)| found));
    }
    let steps = view.proof(&found[0]).steps;
    let delegations: Vec<(&str, Option<&str>, bool)> = steps[3..]
        .iter()
        .map(|step| {
            let matched = step.matched.as_deref();
            (step.role.as_str(), matched, step.terminating)
        })
        .collect();
    assert_eq!(
        delegations,
        [
            ("targets", None, false),
            ("a", None, true),
            (&*bin, Some(&*bin), true)
        ]
    );
}

#[test]
fn a37_the_visits_of_an_audit_are_bounded_by_what_snapshot_lists() {
    // Every bin delegates to all bins, itself included.
    let key = TestKey::new("bins");
    let mut repository = Repository::new();
    repository.delegate_bins("targets", &key, 6);
    for number in 0..64 {
        let bin = format!("bin-{number:02x}");
        repository.add_bin(&bin, &key);
        repository.delegate_bins(&bin, &key, 6);
        // No two of them are the same file.
        repository.add_target(&bin, &bin, b"x");
    }
    repository.write();
    let report = audit(&mut World::of(repository));
    let most = 4 * 65 + 1024;
    assert_eq!(report.fetched.len(), most);
    assert!(
        report
            .unlisted
            .iter()
            .all(|what| what.starts_with("not every role that bin-"))
    );
    assert!(!report.unlisted.is_empty());

    // Every role delegates to all roles by name.
    let mut repository = Repository::new();
    let roles: Vec<String> = (0..40).map(|number| format!("r{number}")).collect();
    for by in std::iter::once("targets").chain(roles.iter().map(String::as_str)) {
        for role in &roles {
            repository.delegate(by, Delegated::new(role, &["*"]));
        }
    }
    repository.write();
    let report = audit(&mut World::of(repository));
    assert_eq!(report.fetched.len(), 4 * 41 + 1024);
    assert!(!report.unlisted.is_empty());
}

#[test]
fn a22_what_is_wrong_with_one_role_does_not_hide_the_others() {
    let mut world = World::of(repository());
    world.repository.unlisted.insert("c".to_owned());
    tuffet_testkit::remove(&mut world.repository.snapshot.signed, &["meta", "c.json"]);
    world
        .repository
        .document("a")
        .expire("2029-01-01T00:00:00Z");
    world.repository.write();
    world.repository.files.remove("1.b.json");
    let report = audit(&mut world);
    assert_eq!(report.fetched, ["1.a.json", "1.b.json"]);
    assert_eq!(report.roles, ["->targets"]);
    let [expired, missing] = &report.refused[..] else {
        panic!("{:?}", report.refused);
    };
    let Rejected::Expired { now, .. } = expired else {
        panic!("{expired:?}");
    };
    assert_eq!(*now, time(NOW));
    let role = name("b");
    let version = Some(version(1));
    assert_eq!(*missing, Rejected::Missing { role, version });
}

#[test]
fn f30_delegated_roles_that_snapshot_passes_over_are_reported() {
    let mut world = World::of(repository());
    world.repository.unlisted.insert("c".to_owned());
    tuffet_testkit::remove(&mut world.repository.snapshot.signed, &["meta", "c.json"]);
    world.repository.write();
    let report = audit(&mut world);
    let expected = "c is delegated to, but snapshot does not list it";
    assert_eq!(report.unlisted, [expected, expected]);
    assert_eq!(report.roles, ["->targets", "targets>a", "targets>b"]);
}

#[test]
fn a30_of_hash_bins_those_are_visited_that_snapshot_lists() {
    let key = TestKey::new("bins");
    let mut repository = Repository::new();
    repository.delegate_bins("targets", &key, 4);
    let bin = |target: &str| format!("bin-{:x}", sha256(target.as_bytes()).as_bytes()[0] >> 4);
    for target in ["x", "y", "z"] {
        repository.add_bin(&bin(target), &key);
        repository.add_target(&bin(target), target, b"x");
    }
    let wrong = ["x", "y", "z"]
        .into_iter()
        .find(|target| bin(target) != bin("app"));
    repository.add_target(&bin(wrong.unwrap()), "app", b"x");
    // Names that are no bins, whatever they look like.
    for stranger in ["bin-10", "bin-X", "other"] {
        repository.add_bin(stranger, &key);
    }
    repository.write();
    let report = audit(&mut World::of(repository));
    let listed = report.targets.iter().filter(|(_, covered)| **covered);
    assert_eq!(listed.count(), 4, "app of targets, and x, y, z");
    let misplaced = format!("{}:{}", bin(wrong.unwrap()), path("app"));
    assert_eq!(report.targets.get(&misplaced), Some(&false));
    assert_eq!(report.unlisted.len(), 1, "one bin stands for all that lack");
    let stranger = |role: &String| role.ends_with("bin-10") || role.ends_with('X');
    assert!(!report.roles.iter().any(stranger) && !report.roles.contains(&"targets>other".into()));
}
