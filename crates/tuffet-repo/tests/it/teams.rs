//! Teams with a right of their own and no other: in their own copies, by changes that travel, and by files signed elsewhere.

use std::fs;
use std::path::Path;

use tuffet_core::json::Value;
use tuffet_core::metadata::{DelegatedName, RoleName, UnixTime, Version};
use tuffet_repo::{
    Action, AddTarget, Delegate, DelegatedPaths, Document, Error, Period, Plan, Publish, SetRole,
    builder,
};
use tuffet_sign::{FileKey, Signer};

use crate::support::{NOW, World, after, code, delegated, key, named, path, role, run};

fn patterns(all: &[&str]) -> DelegatedPaths {
    DelegatedPaths::Patterns(all.iter().map(|&pattern| pattern.to_owned()).collect())
}

fn edge(sam: &FileKey, lin: &FileKey) -> Delegate {
    let keys = vec![named("sam", sam), named("lin", lin)];
    Delegate::new(delegated("edge"), patterns(&["edge/*"]), keys)
}

/// A repository that delegates `edge/*` to Sam and Lin, and Sam's copy of it.
fn with_team() -> (World, World, &'static FileKey) {
    let (world, sam, lin) = (World::published(), key(), key());
    run(world.repository().delegate(&edge(sam, lin), NOW));
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    let team = world.fork();
    (world, team, sam)
}

fn add(world: &World, name: &str, by: &str) -> Result<Plan, Error> {
    let file = world.file("file", name.as_bytes());
    let add = AddTarget::new(path(name), file).role(role(by));
    world.repository().add_target(&add, NOW)
}

fn receive(world: &World, change: &[u8], only: &[&str]) -> Result<Plan, Error> {
    let only: Vec<RoleName> = only.iter().map(|name| role(name)).collect();
    let from = Path::new("change.tuf");
    world.repository().receive_change_of(change, from, &only)
}

fn export(world: &World) -> Vec<u8> {
    world.repository().export_change().unwrap()
}

#[test]
fn a_team_signs_in_its_own_copy_and_a_publisher_with_online_keys_publishes() {
    let (publisher, team, sam) = with_team();
    run(add(&team, "edge/fw-7.bin", "edge"));
    run(team.repository().sign(&[sam]));
    let change = team.repository().change().unwrap();
    assert_eq!((change.drafts.len(), change.is_quorate()), (1, true));

    run(receive(&publisher, &export(&team), &["edge"]));
    // The bytes travel beside the change; bringing them keeps the signature.
    let missing = publisher.plan(&[publisher.online], after(1));
    assert_eq!(code(missing), "target.content-missing");
    let file = publisher.file("fw", b"edge/fw-7.bin");
    let bring = AddTarget::new(path("edge/fw-7.bin"), file).role(role("edge"));
    let actions = run(publisher.repository().add_target(&bring, after(1)));
    assert!(
        matches!(&actions[..], [Action::Staged { .. }]),
        "{actions:?}"
    );
    assert!(publisher.repository().change().unwrap().is_quorate());
    publisher.publish(after(1));
    let (found, bytes) = publisher
        .client()
        .get(&publisher.public(), after(1), "edge/fw-7.bin")
        .unwrap();
    assert_eq!(
        (found.role, bytes.as_slice()),
        (role("edge"), &b"edge/fw-7.bin"[..])
    );
}

#[test]
fn a_team_cannot_sign_another_role() {
    let (publisher, team, sam) = with_team();
    run(add(&team, "app.tar.3", "targets"));
    assert_eq!(code(team.repository().sign(&[sam])), "key.not-needed");
    // Nor does it get through beside its own role.
    run(add(&team, "edge/fw-7.bin", "edge"));
    run(team.repository().sign(&[sam]));
    let both = export(&team);
    assert_eq!(code(receive(&publisher, &both, &["edge"])), "change.role");
    run(receive(&publisher, &both, &[]));
    let plan = publisher.plan(&[publisher.online], NOW);
    assert_eq!(code(plan), "signatures.missing");
}

#[test]
fn a_team_cannot_list_what_its_delegation_does_not_cover() {
    let (publisher, team, sam) = with_team();
    let error = add(&team, "stable/acme.tar", "edge").unwrap_err();
    assert_eq!(error.code(), "target.outside-delegation");
    assert!(error.to_string().contains("edge/*"), "{error}");
    // Written by hand it has no effect on clients, and nobody takes it over.
    run(add(&team, "edge/fw-7.bin", "edge"));
    team.edit_draft("edge", |draft| {
        let targets = draft.object("targets");
        let entry = targets.get("edge/fw-7.bin").unwrap().clone();
        targets.insert("stable/acme.tar".to_owned(), entry);
    });
    run(team.repository().sign(&[sam]));
    let plan = receive(&publisher, &export(&team), &["edge"]);
    assert_eq!(code(plan), "target.outside-delegation");
}

#[test]
fn a_team_cannot_change_its_own_right() {
    let (publisher, team, sam) = with_team();
    let repository = team.repository();
    run(repository.set_role(&SetRole::new("edge").threshold(2), NOW));
    let drafted: Vec<RoleName> = repository
        .change()
        .unwrap()
        .drafts
        .into_iter()
        .map(|draft| draft.role)
        .collect();
    assert_eq!(drafted, [RoleName::Targets, role("edge")]);
    run(team.repository().sign(&[sam]));
    let change = export(&team);
    assert_eq!(code(receive(&publisher, &change, &["edge"])), "change.role");
    run(receive(&publisher, &change, &[]));
    let plan = publisher.plan(&[publisher.online], NOW);
    assert_eq!(code(plan), "signatures.missing");
}

#[test]
fn a_team_cannot_lay_hands_on_the_role_of_another() {
    let (publisher, _, sam) = with_team();
    let (pat, paths) = (key(), patterns(&["other/*"]));
    let other = Delegate::new(delegated("other"), paths, vec![named("pat", pat)]);
    run(publisher.repository().delegate(&other, NOW));
    let people: [&dyn Signer; 3] = [publisher.ana, publisher.ben, pat];
    run(publisher.repository().sign(&people));
    publisher.publish(NOW);
    let team = publisher.fork();
    // From then on nobody could sign for it without a key that the team has named.
    let grab = Delegate::new(
        delegated("other"),
        patterns(&["edge/*"]),
        vec![named("pat", pat)],
    );
    run(team.repository().delegate(&grab.by(role("edge")), NOW));
    run(team.repository().sign(&[sam]));
    let change = export(&team);
    assert_eq!(code(receive(&publisher, &change, &["edge"])), "role.exists");
    let signed = team.repository().change().unwrap().drafts[0]
        .bytes()
        .to_vec();
    let accepted = publisher
        .repository()
        .accept_role(&delegated("edge"), signed, NOW);
    assert_eq!(code(accepted), "role.exists");
}

#[test]
fn a_team_cannot_delegate_to_a_role_in_whose_place_a_file_of_another_belongs() {
    for name in ["2.root", "1.edge", "Root"] {
        let (publisher, team, sam) = with_team();
        let keys = vec![named("pat", key())];
        let nested = Delegate::new(delegated("nested"), patterns(&["edge/*"]), keys);
        let nested = nested.by(role("edge")).external();
        run(team.repository().delegate(&nested, NOW));
        team.rename("edge", "nested", name);
        run(team.repository().sign(&[sam]));
        let change = export(&team);
        let received = receive(&publisher, &change, &["edge"]);
        assert_eq!(code(received), "role.name", "{name}");
        let signed = team.repository().change().unwrap().drafts[0]
            .bytes()
            .to_vec();
        let accepted = publisher
            .repository()
            .accept_role(&delegated("edge"), signed, NOW);
        assert_eq!(code(accepted), "role.name", "{name}");
    }
}

#[test]
fn a_team_cannot_smuggle_a_draft_into_its_change() {
    let (publisher, team, sam) = with_team();
    run(add(&team, "edge/fw-7.bin", "edge"));
    run(team.repository().sign(&[sam]));
    let honest = export(&team);
    let mut change = Value::parse(&honest).unwrap();
    let draft = change.get("drafts").unwrap().get("edge").unwrap().clone();
    for name in ["other", "root", "snapshot"] {
        let mut smuggled = change.clone();
        let drafts = smuggled.get_mut("drafts").unwrap().as_object_mut().unwrap();
        drafts.insert(name.to_owned(), draft.clone());
        let bytes = smuggled.to_compact_json();
        let code = code(receive(&publisher, &bytes, &["edge"]));
        assert!(
            ["change.role", "repo.format"].contains(&code),
            "{name}: {code}"
        );
        assert_eq!(publisher.repository().change().unwrap().drafts.len(), 0);
    }
    // A signature of somebody who is not of the team does not count.
    let stranger = key();
    let drafts = change.get_mut("drafts").unwrap().as_object_mut().unwrap();
    let unsigned = Document::parse(&draft.to_compact_json()).unwrap();
    let mut unsigned = unsigned.clone();
    unsigned.clear_signatures();
    let signed = unsigned.sign(&[stranger]).unwrap().to_bytes();
    drafts.insert("edge".to_owned(), Value::parse(&signed).unwrap());
    run(receive(&publisher, &change.to_compact_json(), &["edge"]));
    assert_eq!(
        code(publisher.plan(&[publisher.online], NOW)),
        "signatures.missing"
    );
}

#[test]
fn r15_a_role_that_is_no_longer_delegated_stays_listed_until_a_rotation() {
    let (world, _, sam) = with_team();
    run(add(&world, "edge/fw-7.bin", "edge"));
    run(world.repository().sign(&[sam]));
    world.publish(NOW);
    world
        .client()
        .get(&world.public(), NOW, "edge/fw-7.bin")
        .unwrap();

    let actions = run(world.repository().remove_delegation("edge", None, NOW));
    assert!(actions.contains(&Action::Undelegated {
        role: "edge".to_owned(),
        by: RoleName::Targets,
        listed: true
    }));
    let shown = world.repository().change().unwrap().drafts[0]
        .differences
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    assert!(
        shown
            .iter()
            .any(|line| line.starts_with("- delegations = ")),
        "{shown:?}"
    );
    assert_eq!(world.repository().change().unwrap().forgotten, ["edge"]);
    // Whoever receives that forgets it, too.
    let copy = world.fork();
    run(copy.repository().drop_change());
    run(receive(&copy, &export(&world), &[]));
    assert_eq!(copy.repository().change().unwrap().forgotten, ["edge"]);
    world.sign();
    world.publish(NOW);
    let policy = fs::read_to_string(world.directory().join("tuffet.toml")).unwrap();
    assert!(!policy.contains("edge"), "{policy}");
    let snapshot = world.document("5.snapshot.json");
    assert!(snapshot.member("meta").unwrap().get("edge.json").is_some());
    let lost = world.client().get(&world.public(), NOW, "edge/fw-7.bin");
    assert_eq!(lost.unwrap_err().code(), "target.not-found");
    let gone = world.repository().remove_delegation("edge", None, NOW);
    assert_eq!(code(gone), "role.unknown");
    let dropped = Publish::to(world.public()).drop_role(delegated("edge"));
    let plan = world.repository().publish(&dropped, &[world.online], NOW);
    assert_eq!(code(plan), "role.removed");
}

#[test]
fn a_change_cannot_make_the_policy_forget_a_role_that_is_still_there() {
    let (world, copy, _) = with_team();
    world.add("more", b"more");
    let mut change = Value::parse(&export(&world)).unwrap();
    for name in ["edge", "targets"] {
        let roles = change.get_mut("roles").unwrap().as_object_mut().unwrap();
        roles.insert(name.to_owned(), Value::Null);
        let plan = receive(&copy, &change.to_compact_json(), &[]);
        assert_eq!(code(plan), "change.foreign", "{name}");
    }
}

#[test]
fn a_delegation_that_was_never_published_leaves_nothing_behind() {
    let (world, sam) = (World::published(), key());
    run(world.repository().delegate(&edge(sam, key()), NOW));
    let nested = Delegate::new(
        delegated("edge-fw"),
        patterns(&["edge/fw-*"]),
        vec![named("lin", sam)],
    );
    run(world.repository().delegate(&nested.by(role("edge")), NOW));
    let actions = run(world.repository().remove_delegation("edge", None, NOW));
    let dropped = |name: &str| Action::Dropped {
        role: role(name),
        version: Version::FIRST,
    };
    assert!(actions.contains(&dropped("edge")) && actions.contains(&dropped("edge-fw")));
    let change = world.repository().change().unwrap();
    assert_eq!(change.drafts.len(), 1);
    assert!(change.named.is_empty() && change.asked.is_empty());
    world.sign();
    world.publish(NOW);
}

#[test]
fn a_role_that_comes_back_is_signed_by_those_who_may_now() {
    let (world, _, _) = with_team();
    let repository = || world.repository();
    run(repository().remove_delegation("edge", None, NOW));
    world.sign();
    world.publish(NOW);
    let pat = key();
    let again = Delegate::new(
        delegated("edge"),
        patterns(&["edge/*"]),
        vec![named("pat", pat)],
    );
    run(repository().delegate(&again, NOW));
    let drafts = repository().change().unwrap().drafts;
    let edge = drafts
        .iter()
        .find(|draft| draft.role == role("edge"))
        .unwrap();
    assert_eq!(edge.version.number(), 2, "the first one is used up");
    run(repository().sign(&[world.ana, world.ben, pat]));
    world.publish(NOW);
    world.client().refresh(&world.public(), NOW).unwrap();
}

#[test]
fn what_is_delegated_can_be_listed() {
    let (world, _, _) = with_team();
    let bins = {
        let keys = vec![named("lin", key())];
        let paths = DelegatedPaths::Bins { bit_length: 2 };
        Delegate::new(delegated("bin"), paths, keys).by(role("edge"))
    };
    run(world.repository().delegate(&bins, NOW));
    let all = world.repository().delegations().unwrap();
    let edge = all.iter().find(|one| one.role == "edge").unwrap();
    assert_eq!(edge.paths, patterns(&["edge/*"]));
    assert_eq!((edge.threshold, edge.keys.len()), (1, 2));
    assert_eq!(
        edge.version.map(Version::number),
        Some(2),
        "with the open change"
    );
    assert!(edge.terminating && edge.by == RoleName::Targets);
    let bin = all.iter().find(|one| one.role == "bin").unwrap();
    assert_eq!(bin.paths, DelegatedPaths::Bins { bit_length: 2 });
    assert_eq!(bin.by, role("edge"));
    run(world
        .repository()
        .remove_delegation("bin", Some(&role("edge")), NOW));
    assert_eq!(world.repository().delegations().unwrap().len(), 1);
    let drafts = world.repository().change().unwrap().drafts;
    assert_eq!(drafts.len(), 1, "the drafts of the bins are gone");
}

/// A repository that delegates `vendor/*` to two of three keys that sign elsewhere.
struct Vendor {
    world: World,
    keys: [&'static FileKey; 3],
}

impl Vendor {
    fn new() -> Self {
        let (world, keys) = (World::published(), [key(), key(), key()]);
        let names = ["one", "two", "three"].iter().zip(keys);
        let names = names.map(|(name, key)| named(name, key)).collect();
        let delegate = Delegate::new(delegated("vendor"), patterns(&["vendor/*"]), names);
        run(world
            .repository()
            .delegate(&delegate.threshold(2).external(), NOW));
        world.sign();
        Self { world, keys }
    }

    /// A version as the vendor's own program may lay it out.
    fn file(&self, version: u64, expires: UnixTime, signers: usize) -> Vec<u8> {
        let signers: Vec<&dyn Signer> = self.keys[..signers].iter().map(|&key| key as _).collect();
        let document = builder::Targets::new(Version::new(version).unwrap(), expires)
            .content(&path("vendor/driver.bin"), b"driver")
            .content(&path("other/driver.bin"), b"driver")
            .build()
            .sign(&signers)
            .unwrap();
        let mut bytes = Value::parse(&document.to_bytes()).unwrap().to_pretty_json();
        bytes.extend_from_slice(b"\n\n");
        bytes
    }

    fn accept(&self, bytes: Vec<u8>) -> Result<Plan, Error> {
        self.world.repository().accept_role(&vendor(), bytes, NOW)
    }
}

fn vendor() -> DelegatedName {
    delegated("vendor")
}

#[test]
fn a_role_signed_elsewhere_is_published_byte_for_byte() {
    let vendor = Vendor::new();
    let world = &vendor.world;
    assert_eq!(code(world.plan(&[world.online], NOW)), "role.empty");
    let file = vendor.file(7, after(10), 2);
    let actions = run(vendor.accept(file.clone()));
    assert!(
        actions.contains(&Action::Accepted {
            role: role("vendor"),
            version: Version::new(7).unwrap(),
            from: None
        }),
        "{actions:?}"
    );
    let uncovered = |action: &Action| matches!(action, Action::Shadowed { path, by: None, .. } if path.as_str() == "other/driver.bin");
    assert!(actions.iter().any(uncovered), "{actions:?}");
    let driver = world.file("driver", b"driver");
    let bring = AddTarget::new(path("vendor/driver.bin"), &driver).role(role("vendor"));
    run(world.repository().add_target(&bring, NOW));
    world.publish(NOW);
    assert_eq!(fs::read(world.metadata("7.vendor.json")).unwrap(), file);
    let own = world.directory().join("metadata/7.vendor.json");
    assert_eq!(fs::read(own).unwrap(), file);
    world
        .client()
        .get(&world.public(), NOW, "vendor/driver.bin")
        .unwrap();
    // Who gets the same file again has nothing to do.
    assert!(run(vendor.accept(file)).is_empty());
    // The next one may leave numbers out, and is signed by others of the same set.
    let next = vendor.file(9, after(20), 3);
    run(vendor.accept(next.clone()));
    world.publish(NOW);
    assert_eq!(fs::read(world.metadata("9.vendor.json")).unwrap(), next);
}

#[test]
fn what_was_signed_elsewhere_has_to_be_what_clients_will_accept() {
    let vendor = Vendor::new();
    let file = |version, days, signers| vendor.file(version, after(days), signers);
    assert_eq!(code(vendor.accept(file(7, 10, 1))), "threshold.delegated");
    assert_eq!(code(vendor.accept(file(7, 0, 2))), "expired.delegated");
    assert_eq!(code(vendor.accept(b"<html>".to_vec())), "format.delegated");
    let mut changed = file(7, 10, 2);
    let place = changed
        .windows(6)
        .position(|part| part == b"driver")
        .unwrap();
    changed[place] = b'D';
    assert_eq!(code(vendor.accept(changed)), "threshold.delegated");
    let highest = file((1 << 53) - 1, 10, 2);
    assert_eq!(code(vendor.accept(highest)), "version.far");
    assert_eq!(code(vendor.accept(file(1 << 53, 10, 2))), "role.unsuited");
    let other = vendor.world.repository();
    let nobody = other.accept_role(&delegated("nobody"), file(7, 10, 2), NOW);
    assert_eq!(code(nobody), "role.unknown");
    // A root is no targets role, whoever signed it.
    let root = fs::read(vendor.world.metadata("1.root.json")).unwrap();
    assert_eq!(code(vendor.accept(root)), "format.delegated");

    // An older one is refused, both while the other waits and when it is published.
    run(vendor.accept(file(7, 10, 2)));
    for version in [6, 7] {
        assert_eq!(
            code(vendor.accept(file(version, 30, 2))),
            "rollback.delegated"
        );
    }
    run(vendor.accept(file(8, 10, 2)));
    let world = &vendor.world;
    let driver = world.file("driver", b"driver");
    let bring = AddTarget::new(path("vendor/driver.bin"), driver).role(role("vendor"));
    run(world.repository().add_target(&bring, NOW));
    world.publish(NOW);
    for version in [7, 8] {
        assert_eq!(
            code(vendor.accept(file(version, 30, 2))),
            "rollback.delegated"
        );
    }
}

#[test]
fn only_delegated_roles_are_signed_elsewhere() {
    let (world, copy, _) = with_team();
    world.add("more", b"more");
    world.sign();
    let mut change = Value::parse(&export(&world)).unwrap();
    let drafts = change.get_mut("drafts").unwrap();
    let targets = drafts.get_mut("targets").unwrap();
    *targets = Value::from(String::from_utf8(targets.to_compact_json()).unwrap());
    let plan = receive(&copy, &change.to_compact_json(), &[]);
    assert_eq!(code(plan), "repo.format");
}

#[test]
fn r16_a_file_of_another_role_with_the_same_keys_is_not_taken_for_this_one() {
    let vendor = Vendor::new();
    let names = ["one", "two", "three"].iter().zip(vendor.keys);
    let names = names.map(|(name, key)| named(name, key)).collect();
    let second = Delegate::new(delegated("second"), patterns(&["second/*"]), names);
    let repository = vendor.world.discarding();
    run(repository.delegate(&second.threshold(2).external(), NOW));
    let bytes = vendor.file(7, after(10), 2);
    let accepted = repository.accept_role(&delegated("second"), bytes, NOW);
    assert_eq!(code(accepted), "target.outside-delegation");
}

#[test]
fn what_was_accepted_is_not_edited_and_travels_as_it_is() {
    let vendor = Vendor::new();
    let world = &vendor.world;
    let copy = world.fork();
    run(copy.repository().drop_change());
    let file = vendor.file(3, after(10), 2);
    run(vendor.accept(file.clone()));
    assert_eq!(code(add(world, "vendor/x", "vendor")), "role.external");
    let set = SetRole::new("vendor").expires(Period::days(3));
    let set = world.repository().set_role(&set, NOW);
    assert_eq!(code(set), "role.external");
    assert!(run(world.repository().sign(&[vendor.keys[2]])).is_empty());
    let change = export(world);
    run(receive(&copy, &change, &[]));
    let drafts = copy.repository().change().unwrap().drafts;
    let draft = drafts
        .iter()
        .find(|one| one.role == role("vendor"))
        .unwrap();
    assert_eq!(draft.bytes(), file);
    assert!(draft.is_quorate());
    assert!(run(receive(&copy, &change, &[])).is_empty());
    // With too few signatures it does not travel.
    run(copy.repository().drop_change());
    let mut short = Value::parse(&change).unwrap();
    let one = String::from_utf8(vendor.file(3, after(10), 1)).unwrap();
    *short.get_mut("drafts").unwrap().get_mut("vendor").unwrap() = Value::from(one);
    let plan = receive(&copy, &short.to_compact_json(), &[]);
    assert_eq!(code(plan), "threshold.delegated");
}

#[test]
fn r17_a_version_that_uses_up_the_numbers_is_not_taken_over() {
    let vendor = Vendor::new();
    let file = |version| vendor.file(version, after(10), 2);
    assert_eq!(code(vendor.accept(file(1_000_001))), "version.far");
    assert_eq!(code(vendor.accept(file(1_000_000))), "no error");
    // What waits in the change does not move the limit: it is not sealed.
    run(vendor.accept(file(1_000_000)));
    assert_eq!(code(vendor.accept(file(1_000_001))), "version.far");
}

/// What a copy says to the change of a vendor's repository with this file for one of the roles; `second/*` is delegated, too.
fn receive_with(vendor: &Vendor, name: &str, file: Vec<u8>) -> (World, Result<Plan, Error>) {
    let names = ["one", "two", "three"].iter().zip(vendor.keys);
    let names = names.map(|(name, key)| named(name, key)).collect();
    let second = Delegate::new(delegated("second"), patterns(&["second/*"]), names);
    let world = vendor.world.fork();
    run(world
        .discarding()
        .delegate(&second.threshold(2).external(), NOW));
    world.sign();
    let mut change = Value::parse(&export(&world)).unwrap();
    let drafts = change.get_mut("drafts").unwrap().as_object_mut().unwrap();
    let file = String::from_utf8(file).unwrap();
    drafts.insert(name.to_owned(), Value::from(file));
    run(world.repository().drop_change());
    let plan = receive(&world, &change.to_compact_json(), &[]);
    (world, plan)
}

#[test]
fn r16_what_was_signed_elsewhere_is_checked_alike_when_it_comes_in_a_change() {
    let vendor = Vendor::new();
    let file = |version, days| vendor.file(version, after(days), 2);
    let (_world, plan) = receive_with(&vendor, "second", file(7, 10));
    assert_eq!(code(plan), "target.outside-delegation");
    let (_world, plan) = receive_with(&vendor, "vendor", file(1_000_001, 10));
    assert_eq!(code(plan), "version.far");
    // Receiving knows no time, and publishing does.
    let (world, plan) = receive_with(&vendor, "vendor", file(7, 0));
    run(plan);
    assert_eq!(code(world.plan(&[world.online], NOW)), "expired.delegated");
}
