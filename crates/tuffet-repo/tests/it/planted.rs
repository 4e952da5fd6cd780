//! What somebody puts into the repository who has no key: a git remote that people share lets them.

use std::fs;

use tuffet_core::json::Value;
use tuffet_core::metadata::{RoleName, Version};
use tuffet_repo::{Delegate, DelegatedPaths, Document, Import, Repository};

use crate::support::{NOW, World, code, delegated, key, named, run};

/// The last version of a role with one number more, something else in it, and no signature that counts.
fn planted(world: &World, file: &str, next: &str, edit: impl FnOnce(&mut Document)) {
    let metadata = world.directory().join("metadata");
    let mut document = Document::parse(&fs::read(metadata.join(file)).unwrap()).unwrap();
    let version = document.version().map_or(Version::FIRST, Version::next);
    document.set("version", version.number().into());
    edit(&mut document);
    fs::write(metadata.join(next), document.to_bytes()).unwrap();
}

fn refused(world: &World) {
    let repository = world.repository();
    for (what, code) in [
        ("renew", code(repository.renew(&[RoleName::Root], NOW))),
        ("change", code(repository.change())),
        ("roles", code(repository.roles())),
        ("publish", code(world.plan(&[world.online], NOW))),
        ("export", code(repository.export_change())),
    ] {
        assert_eq!(code, "repo.unsigned", "{what}");
    }
}

#[test]
fn k03_a_root_that_nobody_signed_is_no_root_to_go_on_from() {
    let world = World::published();
    planted(&world, "1.root.json", "2.root.json", |_| {});
    refused(&world);
}

#[test]
fn what_nobody_signed_is_nothing_to_go_on_from() {
    for (file, next) in [
        ("2.targets.json", "3.targets.json"),
        ("2.snapshot.json", "3.snapshot.json"),
        ("timestamp.json", "timestamp.json"),
    ] {
        let world = World::published();
        planted(&world, file, next, |document| {
            document.set("x-planted", Value::from(true));
        });
        refused(&world);
    }
}

#[test]
fn r14_an_old_version_under_a_new_name_is_nothing_to_go_on_from() {
    for (file, next) in [
        ("1.root.json", "2.root.json"),
        ("1.targets.json", "3.targets.json"),
        ("1.snapshot.json", "3.snapshot.json"),
    ] {
        let world = World::published();
        let metadata = world.directory().join("metadata");
        fs::copy(metadata.join(file), metadata.join(next)).unwrap();
        refused(&world);
    }
}

#[test]
fn a_bin_that_nobody_signed_is_not_edited() {
    let (world, machine) = (World::published(), key());
    let paths = DelegatedPaths::Bins { bit_length: 1 };
    let bins = Delegate::new(delegated("bin"), paths, vec![named("bins", machine)]).online();
    run(world.repository().delegate(&bins, NOW));
    run(world.repository().sign(&[world.ana, world.ben]));
    run(world.plan(&[world.online, machine], NOW));
    for bin in ["bin-0", "bin-1"] {
        planted(
            &world,
            &format!("1.{bin}.json"),
            &format!("2.{bin}.json"),
            |document| {
                let hashes = Value::from_iter([("sha256", Value::from("0".repeat(64)))]);
                let entry = Value::from_iter([("hashes", hashes), ("length", Value::from(1))]);
                document.object("targets").insert("evil".to_owned(), entry);
            },
        );
    }
    let file = world.file("new", b"new");
    let add = tuffet_repo::AddTarget::new(crate::support::path("new"), file);
    assert_eq!(
        code(world.repository().add_target(&add, NOW)),
        "repo.unsigned"
    );
    assert_eq!(
        code(world.repository().rebin(&RoleName::Targets, 2, NOW)),
        "repo.unsigned"
    );
    assert_eq!(
        code(world.plan(&[world.online, machine], NOW)),
        "repo.unsigned"
    );
}

#[test]
fn a31_a_path_that_leads_elsewhere_is_neither_received_nor_published() {
    for name in ["../../../evil", "/evil", "a/../../evil", "a\\evil"] {
        let (world, other) = (World::published(), World::published());
        drop(other);
        let copy = world.fork();
        world.add("new.tar", b"new");
        world.edit_draft("targets", |document| {
            let targets = document.object("targets");
            let entry = targets.get("new.tar").unwrap().clone();
            targets.insert(name.to_owned(), entry);
        });
        world.sign();
        let change = world.repository().export_change().unwrap();
        let received = copy
            .repository()
            .receive_change(&change, std::path::Path::new("c.tuf"));
        assert_eq!(code(received), "target.name", "{name}");
        assert_eq!(
            code(world.plan(&[world.online], NOW)),
            "target.name",
            "{name}"
        );
    }
}

#[test]
fn import_leaves_out_what_no_client_would_verify() {
    let world = World::published();
    let metadata = world.public().join("metadata");
    for (file, next) in [
        ("2.targets.json", "99.targets.json"),
        ("1.root.json", "7.root.json"),
    ] {
        fs::copy(metadata.join(file), metadata.join(next)).unwrap();
    }
    fs::write(metadata.join("9.edge.json"), b"{}").unwrap();
    let directory = world.directory().with_file_name("imported");
    let import = Import::new("acme", &metadata);
    run(Repository::import(&directory, &import, NOW));
    for planted in ["99.targets.json", "7.root.json", "9.edge.json"] {
        assert!(
            !directory.join("metadata").join(planted).exists(),
            "{planted}"
        );
    }
    let imported = Repository::open(&directory).unwrap();
    assert_eq!(code(imported.renew(&[RoleName::Targets], NOW)), "no error");
}
