//! What is asked of roles, edits that are taken back, and what new repositories begin with.

use std::fs;
use std::path::Path;

use tuffet_core::metadata::{DelegatedName, RoleName, UnixTime, Version};
use tuffet_repo::{
    Action, BinOptions, Error, InitLayout, InitOptions, Period, Plan, Publish, Repository,
    RolePolicy, SetRole,
};
use tuffet_sign::Signer;

use crate::support::{DAY, NOW, World, after, code, delegated, key, role, run};

fn set(world: &World, set: &SetRole) -> Result<Plan, Error> {
    world.repository().set_role(set, NOW)
}

fn drafted(world: &World) -> Vec<RoleName> {
    let change = world.repository().change().unwrap();
    change.drafts.into_iter().map(|draft| draft.role).collect()
}

fn policy(world: &World) -> String {
    fs::read_to_string(world.directory().join("tuffet.toml")).unwrap()
}

fn asked(world: &World, role: &str) -> RolePolicy {
    world.repository().policy().roles[role]
}

#[test]
fn a_threshold_changes_in_metadata_and_policy_together() {
    let world = World::published();
    let before = policy(&world);
    let actions = run(set(&world, &SetRole::new("targets").threshold(3)));
    assert!(actions.contains(&Action::Threshold {
        role: "targets".to_owned(),
        from: 2,
        to: 3
    }));
    // Two have signed the current targets, so it has to be signed again.
    assert_eq!(drafted(&world), [RoleName::Root, RoleName::Targets]);
    assert_eq!(policy(&world), before, "the policy waits for the change");
    world.sign();
    assert_eq!(code(world.plan(&[world.online], NOW)), "signatures.missing");
    run(world.repository().sign(&[world.vault]));
    world.publish(NOW);
    assert_eq!(asked(&world, "targets").threshold, 3);
    let root = world.document("2.root.json");
    let targets = root.member("roles").unwrap().get("targets").unwrap();
    assert_eq!(targets.get("threshold").unwrap().as_u64(), Some(3));
    world.client().refresh(&world.public(), NOW).unwrap();
    // And down again: who said so is shown it, and root has to agree.
    run(set(&world, &SetRole::new("targets").threshold(1)));
    assert_eq!(drafted(&world), [RoleName::Root]);
    world.sign();
    world.publish(NOW);
    assert_eq!(asked(&world, "targets").threshold, 1);
}

#[test]
fn a_threshold_that_cannot_be_reached_is_refused() {
    let world = World::published();
    for (name, threshold, expected) in [
        ("targets", 4, "policy.too-few-keys"),
        ("root", 4, "policy.too-few-keys"),
        ("snapshot", 2, "policy.too-few-keys"),
        ("targets", 0, "policy.threshold"),
        ("nobody", 1, "role.unknown"),
    ] {
        let plan = set(&world, &SetRole::new(name).threshold(threshold));
        assert_eq!(code(plan), expected, "{name} {threshold}");
    }
    assert!(drafted(&world).is_empty());
}

#[test]
fn the_threshold_of_a_team_stands_with_its_delegator() {
    let (world, sam, lin) = (World::published(), key(), key());
    world.delegate("edge", &[("sam", sam), ("lin", lin)]);
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    run(set(&world, &SetRole::new("edge").threshold(2)));
    assert_eq!(drafted(&world), [RoleName::Targets, role("edge")]);
    run(world.repository().sign(&[world.ana, world.ben, sam, lin]));
    world.publish(NOW);
    assert_eq!(asked(&world, "edge").threshold, 2);
}

#[test]
fn a_period_is_written_at_once_and_what_people_wrote_around_it_stays() {
    let world = World::published();
    let file = world.directory().join("tuffet.toml");
    let text = format!("# ours\n{}", policy(&world));
    fs::write(&file, &text).unwrap();
    let period = Period::parse("12h").unwrap();
    let actions = run(set(&world, &SetRole::new("timestamp").period(period)));
    assert!(matches!(&actions[..], [Action::Asked { role, .. }] if role == "timestamp"));
    assert!(policy(&world).starts_with("# ours\n"));
    assert!(drafted(&world).is_empty(), "nobody has to sign for that");
    assert!(run(set(&world, &SetRole::new("timestamp").period(period))).is_empty());
    world.publish(NOW);
    let expires = world.document("timestamp.json").expires();
    assert_eq!(expires, Some(UnixTime(NOW.0 + DAY / 2)));
}

#[test]
fn an_expiry_is_that_of_the_next_version_alone() {
    let world = World::published();
    run(set(
        &world,
        &SetRole::new("targets").expires(Period::days(7)),
    ));
    world.sign();
    world.publish(NOW);
    assert_eq!(world.document("3.targets.json").expires(), Some(after(7)));
    run(world.repository().renew(&[RoleName::Targets], NOW));
    world.sign();
    world.publish(NOW);
    assert_eq!(world.document("4.targets.json").expires(), Some(after(90)));
    let snapshot = set(&world, &SetRole::new("snapshot").expires(Period::days(7)));
    assert_eq!(code(snapshot), "role.unsuited");
}

#[test]
fn what_is_asked_of_a_role_that_is_new_with_the_change_travels_with_it() {
    let (world, sam) = (World::published(), key());
    world.delegate("edge", &[("sam", sam)]);
    run(set(&world, &SetRole::new("edge").period(Period::days(5))));
    assert_eq!(asked(&world, "edge").period, Period::days(5));
    assert!(!policy(&world).contains("edge"));
    run(world.repository().undo());
    assert_eq!(asked(&world, "edge").period, Period::days(30));
}

#[test]
fn a_higher_threshold_travels_and_a_lower_one_does_not() {
    let ana = World::published();
    let ben = ana.fork();
    let receive = |change: &[u8]| ben.repository().receive_change(change, Path::new("x"));
    run(set(&ana, &SetRole::new("root").threshold(3)));
    run(receive(&ana.repository().export_change().unwrap()));
    assert_eq!(ben.repository().change().unwrap().asked[0].0, "root");
    run(ben.repository().drop_change());
    run(ana.repository().drop_change());
    // Whoever has it lower here has said so in this copy's own policy.
    run(set(&ana, &SetRole::new("root").threshold(1)));
    let lower = ana.repository().export_change().unwrap();
    assert_eq!(code(receive(&lower)), "policy.threshold");
}

#[test]
fn an_edit_is_taken_back_until_somebody_has_signed() {
    let world = World::published();
    assert_eq!(code(world.repository().undo()), "change.none");
    world.add("one", b"1");
    let first = fs::read(world.change()).unwrap();
    world.add("two", b"2");
    run(set(&world, &SetRole::new("root").expires(Period::days(9))));
    let actions = run(world.repository().undo());
    assert_eq!(
        actions,
        [Action::Dropped {
            role: RoleName::Root,
            version: Version::new(2).unwrap()
        }]
    );
    let actions = run(world.repository().undo());
    assert_eq!(
        actions,
        [Action::Restored {
            role: RoleName::Targets,
            version: Version::new(3).unwrap()
        }]
    );
    assert_eq!(fs::read(world.change()).unwrap(), first);
    run(world.repository().sign(&[world.ana]));
    let error = world.repository().undo().unwrap_err();
    assert_eq!(error.code(), "change.signed");
    assert!(error.to_string().contains("ana "), "{error}");
    run(world.repository().sign(&[world.ben]));
    world.publish(NOW);
    // A new change knows nothing of the old one's edits.
    world.add("three", b"3");
    run(world.repository().undo());
    assert!(!world.change().exists());
    assert_eq!(code(world.repository().undo()), "change.none");
}

#[test]
fn signatures_from_before_the_edit_come_back_with_it() {
    let world = World::founded();
    let founded = fs::read(world.change()).unwrap();
    world.add("one", b"1");
    assert!(!world.repository().change().unwrap().is_quorate());
    run(world.repository().undo());
    assert_eq!(fs::read(world.change()).unwrap(), founded);
    assert!(world.repository().change().unwrap().is_quorate());
    assert_eq!(code(world.repository().undo()), "change.no-edit");
}

#[test]
fn a_change_that_came_from_somebody_else_is_not_undone_but_dropped() {
    let ana = World::published();
    let ben = ana.fork();
    ana.add("one", b"1");
    let change = ana.repository().export_change().unwrap();
    run(ben.repository().receive_change(&change, Path::new("x")));
    assert_eq!(code(ben.repository().undo()), "change.no-edit");
    ben.add("two", b"2");
    run(ben.repository().undo());
    assert_eq!(drafted(&ben), [RoleName::Targets]);
    assert_eq!(code(ben.repository().undo()), "change.no-edit");
}

#[test]
fn a_change_that_cannot_be_read_is_dropped_and_kept_aside() {
    let world = World::published();
    for damaged in [
        "{",
        "[]",
        r#"{"drafts":{"targets":{}},"format":1,"keys":{},"roles":{}}"#,
    ] {
        world.add("one", b"1");
        fs::write(world.change(), damaged).unwrap();
        assert_eq!(code(world.repository().change()), "repo.format");
        assert_eq!(code(world.repository().undo()), "repo.format");
        let aside = world.change().with_file_name("change.damaged.json");
        let actions = run(world.repository().drop_change());
        assert_eq!(actions, [Action::PutAside { to: aside.clone() }]);
        assert_eq!(fs::read_to_string(&aside).unwrap(), damaged);
        assert_eq!(code(world.repository().drop_change()), "change.none");
    }
    world.add("one", b"1");
    assert_eq!(drafted(&world), [RoleName::Targets]);
    // Other files are not dropped with it.
    fs::write(world.directory().join("metadata/2.targets.json"), "{").unwrap();
    assert_eq!(code(world.repository().drop_change()), "repo.format");
    assert!(world.change().exists());
}

#[test]
fn thirty_two_edits_can_be_taken_back() {
    let world = World::published();
    for number in 0..35 {
        world.add(&format!("file-{number}"), b"x");
    }
    let kept = fs::read_dir(world.directory().join(".tuffet/undo")).unwrap();
    assert_eq!(kept.count(), 32);
    for _ in 0..32 {
        run(world.repository().undo());
    }
    assert_eq!(code(world.repository().undo()), "change.no-edit");
    assert_eq!(world.repository().targets(None).unwrap().len(), 4);
}

/// A repository of this layout, published with everybody's keys.
fn laid_out(options: impl FnOnce(InitOptions) -> InitOptions) -> World {
    let world = World::empty();
    let options = options(world.options());
    let signers: [&dyn Signer; 3] = [world.ana, world.ben, world.vault];
    run(Repository::init(
        &world.directory(),
        &options,
        &signers,
        NOW,
    ));
    let online: [&dyn Signer; 2] = [world.online, world.ana];
    let publish = Publish::to(world.public());
    run(world.repository().publish(&publish, &online, NOW));
    world.client().refresh(&world.public(), NOW).unwrap();
    world
}

#[test]
fn an_app_begins_with_two_channels() {
    let world = laid_out(|options| options.layout(InitLayout::App));
    let channels = world.repository().channels().unwrap();
    let names: Vec<&str> = channels.iter().map(|one| one.role.as_str()).collect();
    assert_eq!(names, ["stable", "beta"]);
    assert_eq!(asked(&world, "stable").threshold, 2);
    assert_eq!(world.document("1.stable.json").expires(), Some(after(90)));
}

#[test]
fn a_registry_begins_with_bins_that_automation_signs() {
    let world = laid_out(|options| options.layout(InitLayout::Registry));
    assert!(world.metadata("1.bin-ff.json").exists());
    assert_eq!(asked(&world, "bin").period, Period::days(30));
    world.add("serde/serde-1.0.0.crate", b"crate");
    world.publish(after(1));
    let (found, _) = world
        .client()
        .get(&world.public(), after(1), "serde/serde-1.0.0.crate")
        .unwrap();
    assert!(found.role.as_str().starts_with("bin-"), "{}", found.role);
    // All bins are renewed at once, by automation alone.
    run(world.repository().renew(&[role("bin")], after(20)));
    assert_eq!(drafted(&world).len(), 256);
    world.publish(after(20));
    let expires = world.document("2.bin-00.json").expires();
    assert_eq!(expires, Some(after(50)));
}

#[test]
fn behind_an_air_gap_people_sign_everything() {
    let world = laid_out(|options| options.layout(InitLayout::AirGap).by_hand());
    assert!(!policy(&world).contains("online"));
    assert_eq!(world.document("timestamp.json").expires(), Some(after(90)));
    assert_eq!(code(world.plan(&[world.online], NOW)), "signatures.missing");
    run(world.plan(&[world.ben], NOW));
}

#[test]
fn every_layout_makes_a_repository_that_clients_accept() {
    for layout in InitLayout::ALL {
        let world = laid_out(|options| options.layout(layout));
        let period = world.repository().policy().period(&RoleName::Root);
        assert!(period >= Period::days(182), "{}", layout.name());
    }
}

#[test]
fn channels_and_bins_that_clients_read_in_different_ways_are_refused() {
    let world = World::empty();
    let init = |edit: &dyn Fn(&mut InitOptions)| {
        let mut options = world.options();
        edit(&mut options);
        code(Repository::init(
            &world.directory(),
            &options,
            &[world.ana],
            NOW,
        ))
    };
    let channels = |names: &[&str]| -> Vec<DelegatedName> {
        names.iter().map(|name| delegated(name)).collect()
    };
    let bins = |bit_length| {
        let period = Period::days(1);
        Some(BinOptions { bit_length, period })
    };
    assert_eq!(
        init(&|options| options.channels = channels(&["a b"])),
        "role.name"
    );
    assert_eq!(
        init(&|options| options.channels = channels(&["a", "A"])),
        "role.unsuited"
    );
    assert_eq!(init(&|options| options.bins = bins(17)), "role.paths");
    assert_eq!(
        init(&|options| (options.bins, options.channels) = (bins(1), channels(&["a"]))),
        "role.unsuited"
    );
    assert!(!world.directory().exists());
}
