//! Teams and bins: roles that other roles delegate to.

use tuffet_core::json::Value;
use tuffet_core::metadata::RoleName;
use tuffet_repo::{Action, AddTarget, Delegate, DelegatedPaths, NewChannel, Period};
use tuffet_sign::{FileKey, Signer};

use crate::support::{NOW, World, after, code, delegated, key, named, path, role, run};

fn patterns(all: &[&str]) -> DelegatedPaths {
    DelegatedPaths::Patterns(all.iter().map(|&pattern| pattern.to_owned()).collect())
}

fn edge(sam: &FileKey) -> Delegate {
    Delegate::new(
        delegated("edge"),
        patterns(&["edge/*"]),
        vec![named("sam", sam)],
    )
}

/// A repository that delegates `edge/*` to Sam.
fn with_team() -> (World, &'static FileKey) {
    let (world, sam) = (World::published(), key());
    run(world.repository().delegate(&edge(sam), NOW));
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    (world, sam)
}

fn add(
    world: &World,
    name: &str,
    by: Option<&str>,
) -> Result<tuffet_repo::Plan, tuffet_repo::Error> {
    let mut add = AddTarget::new(path(name), world.file("file", name.as_bytes()));
    if let Some(by) = by {
        add = add.role(role(by));
    }
    world.repository().add_target(&add, NOW)
}

#[test]
fn a_team_publishes_with_its_own_key_alone() {
    let (world, sam) = with_team();
    run(add(&world, "edge/fw-7.bin", Some("edge")));
    run(world.repository().sign(&[sam]));
    world.publish(NOW);
    let (found, bytes) = world
        .client()
        .get(&world.public(), NOW, "edge/fw-7.bin")
        .unwrap();
    assert_eq!(
        (found.role, bytes.as_slice()),
        (role("edge"), &b"edge/fw-7.bin"[..])
    );
    assert_eq!(world.document("2.edge.json").expires(), Some(after(30)));
}

#[test]
fn f47_a_target_outside_the_delegation_is_refused() {
    let (world, _) = with_team();
    for name in ["stable/acme.tar", "edge", "edge/a/b", "Edge/x"] {
        assert_eq!(
            code(add(&world, name, Some("edge"))),
            "target.outside-delegation",
            "{name}"
        );
    }
    let error = add(&world, "stable/acme.tar", Some("edge")).unwrap_err();
    assert!(
        error.to_string().ends_with("its delegation covers edge/*"),
        "{error}"
    );
    assert_eq!(code(add(&world, "x", Some("nobody"))), "role.unknown");
    assert_eq!(code(add(&world, "x", Some("root"))), "role.unsuited");
}

#[test]
fn f47_every_delegation_on_the_way_has_to_cover_the_target() {
    let (world, sam) = with_team();
    let lin = key();
    let nested = Delegate::new(
        delegated("edge-fw"),
        patterns(&["edge/fw-*", "other/*"]),
        vec![named("lin", lin)],
    );
    run(world.repository().delegate(&nested.by(role("edge")), NOW));
    run(world.repository().sign(&[sam, lin]));
    world.publish(NOW);
    assert_eq!(
        code(add(&world, "other/x", Some("edge-fw"))),
        "target.outside-delegation"
    );
    run(add(&world, "edge/fw-1", Some("edge-fw")));
    run(world.repository().sign(&[lin]));
    world.publish(NOW);
    let (found, _) = world
        .client()
        .get(&world.public(), NOW, "edge/fw-1")
        .unwrap();
    assert_eq!(found.role, role("edge-fw"));
    let roles = world.repository().roles().unwrap();
    let delegators: Vec<_> = roles[4..]
        .iter()
        .map(|status| (status.role.clone(), status.delegator.clone()))
        .collect();
    assert_eq!(
        delegators,
        [
            (role("edge"), Some(RoleName::Targets)),
            (role("edge-fw"), Some(role("edge")))
        ]
    );
}

#[test]
fn f33_r16_delegated_roles_are_listed_with_length_and_hash() {
    let (world, _) = with_team();
    let snapshot = world.document("3.snapshot.json");
    let entry = snapshot.member("meta").unwrap().get("edge.json").unwrap();
    let length = std::fs::metadata(world.metadata("1.edge.json"))
        .unwrap()
        .len();
    assert_eq!(entry.get("length").and_then(Value::as_u64), Some(length));
    assert!(entry.get("hashes").unwrap().get("sha256").is_some());
}

#[test]
fn a_role_without_metadata_is_not_published() {
    let (world, sam) = (World::published(), key());
    run(world.repository().delegate(&edge(sam), NOW));
    world.sign();
    // Sam has not signed.
    let error = world.plan(&[world.online], NOW).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("edge v1 has 0 of 1 by targets (waiting for sam "),
        "{error}"
    );
    // The draft is lost.
    world.edit_change(|drafts| assert!(drafts.remove("edge").is_some()));
    assert_eq!(code(world.plan(&[world.online], NOW)), "role.empty");
}

#[test]
fn names_and_paths_that_others_read_differently_are_refused() {
    let (world, sam) = with_team();
    let by_name = |name: &str| {
        let mut delegate = edge(sam);
        delegate.role = delegated(name);
        code(world.repository().delegate(&delegate, NOW))
    };
    for name in [
        "a b",
        "../x",
        "a/b",
        "é",
        ".x",
        "nul",
        "Edge",
        "Root",
        "TIMESTAMP",
        "2.root",
        "1.x",
        &"a".repeat(201),
    ] {
        assert_eq!(by_name(name), "role.name", "{name}");
    }
    assert_eq!(by_name("edge"), "role.exists");
    let by_paths = |paths| {
        let mut delegate = edge(sam);
        (delegate.role, delegate.paths) = (delegated("other"), paths);
        code(world.repository().delegate(&delegate, NOW))
    };
    let prefixes = |all: &[&str]| {
        DelegatedPaths::HashPrefixes(all.iter().map(|&prefix| prefix.to_owned()).collect())
    };
    for paths in [
        patterns(&[]),
        patterns(&[""]),
        patterns(&["/x"]),
        patterns(&["a", "**/x"]),
        patterns(&["[ab]"]),
        patterns(&["{a,b}"]),
        prefixes(&[]),
        prefixes(&["A"]),
        prefixes(&[""]),
        DelegatedPaths::Bins { bit_length: 0 },
        DelegatedPaths::Bins { bit_length: 17 },
    ] {
        assert_eq!(by_paths(paths.clone()), "role.paths", "{paths:?}");
    }
    let bins = edge(sam).by(role("edge"));
    let mut bins = bins.clone();
    (bins.role, bins.paths) = (delegated("bin"), DelegatedPaths::Bins { bit_length: 1 });
    assert_eq!(
        code(
            world
                .repository()
                .delegate(&bins.clone().by(RoleName::Targets), NOW)
        ),
        "role.unsuited"
    );
    assert_eq!(
        code(
            world
                .repository()
                .delegate(&bins.clone().by(RoleName::Snapshot), NOW)
        ),
        "role.unsuited"
    );
    assert_eq!(
        code(world.repository().delegate(&bins.by(role("nobody")), NOW)),
        "role.unknown"
    );
}

#[test]
fn all_that_is_said_about_a_delegation_is_shown_before_it_is_signed() {
    let sam = key();
    let plain = || edge(sam);
    let mut prefixes = plain();
    prefixes.paths = DelegatedPaths::HashPrefixes(vec!["0".to_owned(), "1f".to_owned()]);
    let mut bins = plain();
    bins.paths = DelegatedPaths::Bins { bit_length: 3 };
    let mut two = plain();
    two.keys.push(named("lin", key()));
    for (delegate, parts) in [
        (
            plain(),
            &[r#""paths":["edge/*"]"#, r#""terminating":true"#][..],
        ),
        (plain().terminating(false), &[r#""terminating":false"#]),
        (prefixes, &[r#""path_hash_prefixes":["0","1f"]"#]),
        (bins, &[r#""bit_length":3"#, r#""name_prefix":"edge""#]),
        (two.threshold(2), &[r#""threshold":2"#]),
    ] {
        let world = World::published();
        run(world.repository().delegate(&delegate, NOW));
        let change = world.repository().change().unwrap();
        let targets = &change.drafts[0].differences;
        let shown: Vec<String> = targets.iter().map(ToString::to_string).collect();
        let delegation = shown
            .iter()
            .find(|line| line.starts_with("+ delegations = "));
        let delegation = delegation.unwrap_or_else(|| panic!("{shown:?}"));
        let keys: Vec<String> = delegate
            .keys
            .iter()
            .map(|key| key.key().metadata().public.clone())
            .collect();
        let parts = parts.iter().map(|&part| part.to_owned());
        for part in parts.chain(keys) {
            assert!(delegation.contains(&part), "{part}: {delegation}");
        }
    }
}

#[test]
fn a_threshold_of_the_team_has_to_sign() {
    let (world, sam, lin) = (World::published(), key(), key());
    let two = Delegate::new(
        delegated("edge"),
        patterns(&["edge/*"]),
        vec![named("sam", sam), named("lin", lin)],
    );
    let three = two.clone().threshold(3);
    assert_eq!(
        code(world.repository().delegate(&three, NOW)),
        "policy.too-few-keys"
    );
    // Nor may it be nobody.
    let none = two.clone().threshold(0);
    let channel = NewChannel::new(delegated("beta")).signers(vec![named("sam", sam)], 0);
    for plan in [
        world.repository().delegate(&none, NOW),
        world.repository().new_channel(&channel, NOW),
    ] {
        assert_eq!(code(plan), "policy.threshold");
    }
    run(world.repository().delegate(&two.threshold(2), NOW));
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    assert_eq!(code(world.plan(&[world.online], NOW)), "signatures.missing");
    run(world.repository().sign(&[lin]));
    world.publish(NOW);
}

#[test]
fn hash_prefixes_are_delegated() {
    let (world, sam) = (World::published(), key());
    let digest = tuffet_crypto::aws_lc()
        .digest(tuffet_core::crypto::HashAlgorithm::Sha256, b"here")
        .to_hex();
    let mut delegate = edge(sam).terminating(false);
    delegate.paths = DelegatedPaths::HashPrefixes(vec![digest[..3].to_owned()]);
    run(world.repository().delegate(&delegate, NOW));
    run(add(&world, "here", Some("edge")));
    assert_eq!(
        code(add(&world, "elsewhere", Some("edge"))),
        "target.outside-delegation"
    );
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    world.client().get(&world.public(), NOW, "here").unwrap();
    world.client().get(&world.public(), NOW, "app.tar").unwrap();
}

#[test]
fn bins_are_signed_by_automation_and_found_by_the_hash_of_the_path() {
    let (world, machine) = (World::published(), key());
    let mut bins = edge(machine).period(Period::days(10)).online();
    (bins.role, bins.paths) = (delegated("bin"), DelegatedPaths::Bins { bit_length: 5 });
    bins.keys = vec![named("bins", machine)];
    let actions = run(world.repository().delegate(&bins, NOW));
    assert!(actions.contains(&Action::Delegated {
        role: "bin".to_owned(),
        by: RoleName::Targets,
        count: 32
    }));
    world.sign();
    let signers: [&dyn Signer; 2] = [world.online, machine];
    run(world.plan(&signers, NOW));
    assert_eq!(world.document("1.bin-1f.json").expires(), Some(after(10)));

    // Adding a target touches its bin, snapshot and timestamp.
    let name = "serde/serde-1.0.0.crate";
    run(add(&world, name, None));
    let drafts = world.repository().change().unwrap().drafts;
    assert_eq!(drafts.len(), 1);
    let bin = drafts[0].role.clone();
    run(world.plan(&signers, after(1)));
    let (found, _) = world.client().get(&world.public(), after(1), name).unwrap();
    assert_eq!(
        (found.role, found.target.length),
        (bin.clone(), name.len() as u64)
    );
    let second = format!("2.{bin}.json");
    assert_eq!(world.document(&second).expires(), Some(after(10)));
    let other = if bin.as_str() == "bin-00" {
        "bin-01"
    } else {
        "bin-00"
    };
    assert!(!world.metadata(&format!("2.{other}.json")).exists());
    let misplaced = add(&world, name, Some(other));
    assert_eq!(code(misplaced), "target.outside-delegation");

    // Bins delegate nothing, and nothing stands beside them.
    let beside = edge(key());
    assert_eq!(
        code(world.repository().delegate(&beside.clone().by(bin), NOW)),
        "role.unsuited"
    );
    assert_eq!(
        code(world.repository().delegate(&beside, NOW)),
        "role.unsuited"
    );
}

#[test]
fn a_target_that_clients_do_not_find_is_pointed_out() {
    let (world, sam) = with_team();
    run(add(&world, "edge/x", None));
    world.sign();
    world.publish(NOW);
    run(add(&world, "edge/x", Some("edge")));
    run(world.repository().sign(&[sam]));
    let actions = world.publish(NOW);
    assert!(actions.contains(&Action::Shadowed {
        path: path("edge/x"),
        role: role("edge"),
        by: Some(RoleName::Targets)
    }));
}
