//! What somebody puts into the repository who has no key: a git remote that people share lets them.

use std::fs;
use std::path::Path;

use tuffet_core::json::Value;
use tuffet_core::metadata::{RoleName, UnixTime, Version};
use tuffet_repo::{
    Delegate, DelegatedPaths, Document, Import, Repository, RevokeKey, RotateKey, builder,
};
use tuffet_sign::Signer;

use crate::support::{NOW, World, after, code, delegated, key, named, run};

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
fn a_snapshot_that_only_the_timestamp_vouches_for_is_not_signed_over() {
    let world = World::published();
    planted(&world, "2.snapshot.json", "3.snapshot.json", |document| {
        document.set("x-planted", Value::from(true));
    });
    let own = world.directory().join("metadata");
    let snapshot = fs::read(own.join("3.snapshot.json")).unwrap();
    let third = Version::new(3).unwrap();
    let timestamp = builder::Timestamp::new(third, after(1), third, Some(&snapshot)).build();
    let timestamp = timestamp.sign(&[world.online]).unwrap().to_bytes();
    fs::write(own.join("timestamp.json"), timestamp).unwrap();
    // Edits do not look into it, and nothing comes of them: who publishes counts its signatures.
    run(world.repository().renew(&[RoleName::Root], NOW));
    run(world.repository().drop_change());
    assert_eq!(code(world.plan(&[world.online], NOW)), "repo.unsigned");
}

#[test]
fn r14_an_old_version_under_a_new_name_is_nothing_to_go_on_from() {
    for (file, next) in [
        ("1.root.json", "2.root.json"),
        ("1.targets.json", "3.targets.json"),
        ("1.snapshot.json", "3.snapshot.json"),
        // The one that clients see.
        ("2.snapshot.json", "3.snapshot.json"),
    ] {
        let world = World::published();
        let metadata = world.directory().join("metadata");
        fs::copy(metadata.join(file), metadata.join(next)).unwrap();
        refused(&world);
    }
}

/// A file of a repository with these changes, signed by these keys, under a name in `metadata/`.
fn forged(
    world: &World,
    from: &str,
    next: &str,
    signers: &[&dyn Signer],
    edit: impl FnOnce(&mut Document),
) {
    let metadata = world.directory().join("metadata");
    let mut document = Document::parse(&fs::read(metadata.join(from)).unwrap()).unwrap();
    let (version, _) = next.split_once('.').unwrap();
    document.set("version", version.parse::<u64>().unwrap().into());
    edit(&mut document);
    document.clear_signatures();
    let signed = document.sign(signers).unwrap();
    fs::write(metadata.join(next), signed.to_bytes()).unwrap();
}

#[test]
fn k04_a_version_before_the_last_one_delegates_to_nobody() {
    let (world, sam, thief) = (World::published(), key(), key());
    world.delegate("edge", &[("sam", sam)]);
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    let named_by_thief = World::published();
    named_by_thief.delegate("edge", &[("thief", thief)]);
    run(named_by_thief
        .repository()
        .sign(&[named_by_thief.ana, named_by_thief.ben, thief]));
    named_by_thief.publish(NOW);
    let theirs = named_by_thief.document("3.targets.json");
    forged(&world, "3.targets.json", "2.targets.json", &[], |targets| {
        targets.set("delegations", theirs.member("delegations").unwrap().clone());
    });
    forged(&world, "1.edge.json", "9.edge.json", &[thief], |_| {});
    refused(&world);
}

#[test]
fn k04_a_delegated_key_that_was_replaced_signs_nothing_to_go_on_from() {
    let (world, sam, new) = (World::published(), key(), key());
    world.delegate("edge", &[("sam", sam)]);
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    let rotate = RotateKey::new("sam", named("sam", new));
    run(world.repository().rotate_key(&rotate, NOW));
    run(world.repository().sign(&[world.ana, world.ben, new]));
    world.publish(NOW);
    forged(&world, "2.edge.json", "7.edge.json", &[sam], |_| {});
    refused(&world);
}

#[test]
fn k02_keys_that_a_root_has_revoked_sign_nothing_to_go_on_from() {
    // In the copy that published the new root, and in one that has only just got it.
    for fresh in [false, true] {
        let world = World::published();
        let remembered = world.directory().join(".tuffet/root.json");
        let first = fs::read(&remembered).unwrap();
        run(world.repository().revoke_key(&RevokeKey::new("ben"), NOW));
        run(world
            .repository()
            .sign(&[world.ana, world.ben, world.vault]));
        world.publish(NOW);
        if fresh {
            fs::write(&remembered, first).unwrap();
        }
        assert_eq!(code(world.repository().change()), "no error");
        let old: [&dyn Signer; 2] = [world.ana, world.ben];
        forged(&world, "2.targets.json", "7.targets.json", &old, |_| {});
        refused(&world);
        // A change that says that it is being published does not help.
        let root = fs::read_to_string(world.metadata("2.root.json")).unwrap();
        let text = format!(r#"{{"drafts":{{"root":{root}}},"format":1,"keys":{{}},"roles":{{}}}}"#);
        fs::write(world.change(), text).unwrap();
        refused(&world);
    }
}

/// A repository with two bins that the second key signs.
fn with_bins() -> (World, &'static tuffet_sign::FileKey) {
    let (world, machine) = (World::published(), key());
    let paths = DelegatedPaths::Bins { bit_length: 1 };
    let bins = Delegate::new(delegated("bin"), paths, vec![named("bins", machine)]).online();
    run(world.repository().delegate(&bins, NOW));
    run(world.repository().sign(&[world.ana, world.ben]));
    run(world.plan(&[world.online, machine], NOW));
    (world, machine)
}

#[test]
fn r14_an_old_bin_under_a_new_name_is_neither_signed_over_nor_published() {
    // The snapshot vouches for the bytes of v1, and then for those of v2.
    for renewed in [false, true] {
        let (world, machine) = with_bins();
        let bin = crate::support::role("bin-0");
        let next = if renewed {
            run(world
                .repository()
                .renew(std::slice::from_ref(&bin), after(1)));
            run(world.plan(&[world.online, machine], after(1)));
            "3.bin-0.json"
        } else {
            "2.bin-0.json"
        };
        let metadata = world.directory().join("metadata");
        fs::copy(metadata.join("1.bin-0.json"), metadata.join(next)).unwrap();
        let repository = world.repository();
        for (what, code) in [
            ("roles", code(repository.roles())),
            ("role", code(repository.role(&bin))),
            (
                "renew",
                code(repository.renew(std::slice::from_ref(&bin), after(2))),
            ),
            ("rebin", code(repository.rebin(&RoleName::Targets, 2, NOW))),
            (
                "publish",
                code(world.plan(&[world.online, machine], after(2))),
            ),
        ] {
            assert_eq!(code, "repo.unsigned", "{what}");
        }
    }
}

#[test]
fn the_status_of_bins_is_that_of_the_first_to_expire_and_believes_no_planted_one() {
    let (world, machine) = with_bins();
    let status = |world: &World, name: &str| {
        let roles = world
            .repository()
            .role(&crate::support::role(name))
            .unwrap();
        let role = roles.first().unwrap();
        (role.bins, role.version.map(Version::number), role.expires)
    };
    let first = status(&world, "bin").2.unwrap();
    run(world
        .repository()
        .renew(&[crate::support::role("bin-1")], after(1)));
    run(world.plan(&[world.online, machine], after(1)));
    assert_eq!(status(&world, "bin"), (Some(2), Some(1), Some(first)));
    let later = UnixTime(first.0 + 24 * 3600);
    assert_eq!(status(&world, "bin-1"), (None, Some(2), Some(later)));
    let roles = world.repository().roles().unwrap();
    let names: Vec<String> = roles.iter().map(|one| one.role.to_string()).collect();
    assert_eq!(names, ["root", "targets", "snapshot", "timestamp", "bin"]);
    let signed: Vec<_> = roles[4]
        .signed_by
        .iter()
        .map(|key| key.name.clone())
        .collect();
    assert_eq!(signed, [Some("bins".to_owned())]);

    // A version that snapshot does not list yet is good if it is signed, and nothing otherwise.
    let sealed = world.fork();
    let next =
        Document::parse(&fs::read(sealed.directory().join("metadata/1.bin-0.json")).unwrap());
    let mut next = next.unwrap();
    next.set("version", 2.into());
    next.set("expires", "2999-01-01T00:00:00Z".into());
    next.clear_signatures();
    let next = next.sign(&[machine]).unwrap().to_bytes();
    fs::write(sealed.directory().join("metadata/2.bin-0.json"), next).unwrap();
    assert_eq!(status(&sealed, "bin"), (Some(2), Some(2), Some(later)));
    planted(&world, "1.bin-0.json", "2.bin-0.json", |document| {
        document.set("expires", "2999-01-01T00:00:00Z".into());
    });
    assert_eq!(code(world.repository().roles()), "repo.unsigned");
}

#[test]
fn a_bin_that_is_gone_from_the_published_tree_is_published_again() {
    let (world, machine) = with_bins();
    let lost = world.metadata("1.bin-1.json");
    let bytes = fs::read(&lost).unwrap();
    fs::remove_file(&lost).unwrap();
    run(world.plan(&[world.online, machine], NOW));
    assert_eq!(fs::read(&lost).unwrap(), bytes);
}

#[test]
fn a_bin_that_nobody_signed_is_not_edited() {
    let (world, machine) = with_bins();
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

/// What lies under the name of a role that nothing leads to yet is not what the role begins with.
#[test]
fn what_lies_under_the_name_of_a_new_role_only_uses_up_its_number() {
    let (bins, _) = with_bins();
    let mut evil = bins.document("1.bin-0.json");
    evil.clear_signatures();
    for member in ["targets", "delegations"] {
        let hashes = Value::from_iter([("sha256", Value::from("0".repeat(64)))]);
        let entry = Value::from_iter([("hashes", hashes), ("length", Value::from(1))]);
        evil.object(member).insert("evil".to_owned(), entry);
    }
    let plant = |world: &World, name: &str| {
        let path = world.directory().join("metadata").join(name);
        fs::write(path, evil.to_bytes()).unwrap();
    };
    let begins_with_nothing = |world: &World, role: &str| {
        let change = world.repository().change().unwrap();
        let draft = change.drafts.iter().find(|one| one.role.as_str() == role);
        let draft = draft.unwrap();
        assert_eq!(draft.version, Version::FIRST.next());
        assert!(!String::from_utf8_lossy(draft.bytes()).contains("evil"));
        // All of it is shown.
        let shown: Vec<String> = draft.differences.iter().map(ToString::to_string).collect();
        assert!(shown.iter().any(|one| one.contains("_type")), "{shown:?}");
    };
    plant(&bins, "1.bin-3.json");
    run(bins.repository().rebin(&RoleName::Targets, 2, NOW));
    begins_with_nothing(&bins, "bin-3");

    let named = World::published();
    plant(&named, "1.team.json");
    named.delegate("team", &[("team", key())]);
    begins_with_nothing(&named, "team");
}

/// What the signer of a bin is shown is how it differs from the version before.
#[test]
fn a_bin_that_nobody_signed_is_not_what_a_draft_follows() {
    let (world, _) = with_bins();
    let victim = world.fork();
    let file = world.file("new", b"new");
    let add = tuffet_repo::AddTarget::new(crate::support::path("new"), file);
    run(world.repository().add_target(&add, NOW));
    let change = world.repository().export_change().unwrap();
    let mut change = Value::parse(&change).unwrap();
    let drafts = change.get("drafts").and_then(Value::as_object).unwrap();
    let bin = drafts.keys().find(|name| name.starts_with("bin-"));
    let bin = bin.unwrap().clone();

    let next = format!("2.{bin}.json");
    planted(&victim, &format!("1.{bin}.json"), &next, |document| {
        let hashes = Value::from_iter([("sha256", Value::from("0".repeat(64)))]);
        let entry = Value::from_iter([("hashes", hashes), ("length", Value::from(1))]);
        document.object("targets").insert("evil".to_owned(), entry);
    });
    let next = fs::read(victim.directory().join("metadata").join(next)).unwrap();
    let mut draft = Document::parse(&next).unwrap();
    draft.set("version", 3.into());
    let member = |change: &mut Value, name: &str, value| {
        let object = change.get_mut(name).and_then(Value::as_object_mut);
        object.unwrap().insert(bin.clone(), value);
    };
    member(
        &mut change,
        "drafts",
        Value::parse(&draft.to_bytes()).unwrap(),
    );
    let base = crate::anchor::sha256(&next).to_hex();
    member(&mut change, "base", Value::from(base));

    let from = Path::new("c.tuf");
    let bytes = change.to_compact_json();
    let received = victim.repository().receive_change(&bytes, from);
    assert_eq!(code(received), "repo.unsigned");
    // The same in the place of an open change.
    fs::create_dir_all(victim.directory().join(".tuffet")).unwrap();
    change.as_object_mut().unwrap().remove("base");
    fs::write(victim.change(), change.to_compact_json()).unwrap();
    assert_eq!(code(victim.repository().change()), "repo.unsigned");
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
            .receive_change(&change, Path::new("c.tuf"));
        assert_eq!(code(received), "target.name", "{name}");
        assert_eq!(
            code(world.plan(&[world.online], NOW)),
            "target.name",
            "{name}"
        );
    }
}

/// What a push can put into a repository.
const PUSHED: [&str; 7] = [
    "metadata/99.root.json",
    "metadata/99.targets.json",
    "metadata/99.snapshot.json",
    "metadata/99.edge.json",
    "metadata/timestamp.json",
    ".tuffet/change.json",
    "tuffet.toml",
];

/// A world that delegates by name, with something else in the place of a file, and what opening the repository and looking at it ends in.
fn looked_at(file: &str, put: impl FnOnce(&Path)) -> &'static str {
    let (world, sam) = (World::published(), key());
    world.delegate("edge", &[("sam", sam)]);
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    let place = world.directory().join(file);
    if place.exists() {
        fs::remove_file(&place).unwrap();
    }
    put(&place);
    let repository = Repository::open(&world.directory());
    code(repository.and_then(|repository| {
        repository.roles()?;
        repository.change()
    }))
}

#[test]
fn what_is_longer_than_anything_that_is_signed_is_not_read() {
    for file in PUSHED {
        let code = looked_at(file, |place| {
            // It takes no room, and nobody can hold it in memory.
            let endless = fs::File::create(place).unwrap();
            endless.set_len(1 << 42).unwrap();
        });
        assert!(!["no error", "repo.io"].contains(&code), "{file}: {code}");
    }
    // A state before an edit, too.
    let world = World::published();
    world.add("b", b"b");
    let before = fs::File::create(world.directory().join(".tuffet/undo/1.json")).unwrap();
    before.set_len(1 << 42).unwrap();
    assert_eq!(code(world.repository().undo()), "repo.format");
}

#[cfg(unix)]
#[test]
fn what_never_ends_is_not_read_to_its_end() {
    for file in PUSHED {
        let code = looked_at(file, |place| {
            std::os::unix::fs::symlink("/dev/zero", place).unwrap();
        });
        assert!(!["no error", "repo.io"].contains(&code), "{file}: {code}");
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
