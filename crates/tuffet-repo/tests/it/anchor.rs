//! The root that a copy of a repository trusts: whoever may push must not replace the history.

use std::fs;
use std::path::{Path, PathBuf};

use tuffet_core::crypto::{Digest, HashAlgorithm};
use tuffet_core::metadata::{RoleName, UnixTime};
use tuffet_repo::{Action, Adopt, Document, Import, Repository, RevokeKey};
use tuffet_sign::Signer;

use crate::crash::crash;
use crate::support::{NOW, World, code, run};

/// Another repository of the same shape, made by somebody else.
fn replace_history(world: &World, by: &World) {
    let (ours, theirs) = (metadata(world), metadata(by));
    fs::remove_dir_all(&ours).unwrap();
    fs::create_dir(&ours).unwrap();
    for entry in fs::read_dir(theirs).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, ours.join(path.file_name().unwrap())).unwrap();
    }
}

fn metadata(world: &World) -> PathBuf {
    world.directory().join("metadata")
}

fn renewed(world: &World) -> &'static str {
    code(world.repository().renew(&[RoleName::Root], NOW))
}

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, bytes)
}

/// As a clone is: nothing of `.tuffet` comes with it.
fn cloned(world: &World) -> World {
    let clone = world.fork();
    fs::remove_dir_all(clone.directory().join(".tuffet")).unwrap();
    clone
}

#[test]
fn k02_another_history_is_refused_however_well_it_is_signed() {
    let world = World::published();
    replace_history(&world, &World::published());
    let repository = world.repository();
    for (what, code) in [
        ("renew", renewed(&world)),
        ("change", code(repository.change())),
        ("roles", code(repository.roles())),
        ("publish", code(world.plan(&[world.online], NOW))),
        ("export", code(repository.export_change())),
    ] {
        assert_eq!(code, "anchor.differs", "{what}");
    }
    // Neither is one that begins later, nor none at all.
    let world = World::published();
    let mut root =
        Document::parse(&fs::read(metadata(&world).join("1.root.json")).unwrap()).unwrap();
    root.set("version", 50.into());
    let root = root.sign(&[world.ana, world.ben]).unwrap();
    fs::write(metadata(&world).join("50.root.json"), root.to_bytes()).unwrap();
    assert_eq!(renewed(&world), "anchor.differs");
    let world = World::published();
    fs::remove_dir_all(metadata(&world)).unwrap();
    assert_eq!(renewed(&world), "anchor.differs");
}

/// A repository whose second root has revoked Ben's key, and the file that remembers a root.
fn revoked() -> (World, PathBuf) {
    let world = World::published();
    run(world.repository().revoke_key(&RevokeKey::new("ben"), NOW));
    let signers: [&dyn Signer; 3] = [world.ana, world.ben, world.vault];
    run(world.repository().sign(&signers));
    world.publish(NOW);
    let remembered = world.directory().join(".tuffet/root.json");
    (world, remembered)
}

/// What somebody does with a copy, and with a change of another one.
type Use = fn(&World, &[u8], &Path);

/// Takes the second root away, as a push could, or puts one in its place that the first root's keys have signed.
fn take_root_away(world: &World, replaced: bool) {
    let second = metadata(world).join("2.root.json");
    if !replaced {
        fs::remove_file(second).unwrap();
        return;
    }
    let first = fs::read(metadata(world).join("1.root.json")).unwrap();
    let mut root = Document::parse(&first).unwrap();
    root.set("version", 2.into());
    root.clear_signatures();
    let root = root.sign(&[world.ana, world.ben]).unwrap();
    fs::write(second, root.to_bytes()).unwrap();
}

#[test]
fn k02_a_root_that_was_used_is_neither_taken_away_nor_replaced() {
    for replaced in [false, true] {
        let (world, _) = revoked();
        take_root_away(&world, replaced);
        let repository = world.repository();
        for (what, code) in [
            ("renew", renewed(&world)),
            ("change", code(repository.change())),
            ("publish", code(world.plan(&[world.online], NOW))),
        ] {
            assert_eq!(code, "anchor.differs", "{what}, replaced: {replaced}");
        }
        // Nor is it forgotten by looking away.
        let adopt = Repository::open(&world.directory())
            .unwrap()
            .adopt(&Adopt::FirstUse);
        assert_eq!(code(adopt), "anchor.differs");
    }
}

#[test]
fn k02_a_root_that_was_used_is_left_only_by_who_says_so() {
    for replaced in [false, true] {
        let (world, remembered) = revoked();
        let newest = fs::read(&remembered).unwrap();
        take_root_away(&world, replaced);
        let first = fs::read(metadata(&world).join("1.root.json")).unwrap();
        for adopt in [Adopt::Root(first.clone()), Adopt::Sha256(sha256(&first))] {
            let error = Repository::open(&world.directory())
                .unwrap()
                .adopt(&adopt)
                .unwrap_err();
            assert_eq!(error.code(), "anchor.left", "replaced: {replaced}");
            assert!(error.to_string().contains("remembers root v2"), "{error}");
            assert_eq!(fs::read(&remembered).unwrap(), newest);
        }
        let adopt = Adopt::Root(first);
        run(Repository::open(&world.directory())
            .unwrap()
            .adopt_instead(&adopt));
        assert_ne!(fs::read(&remembered).unwrap(), newest);
        // What was signed under the second root counts for nothing under the first, so it has to go, too.
        assert_ne!(code(world.repository().change()), "anchor.differs");
    }
}

#[test]
fn k02_every_use_of_a_copy_remembers_the_last_root() {
    let (world, remembered) = revoked();
    let newest = fs::read(&remembered).unwrap();
    let first = fs::read(metadata(&world).join("1.root.json")).unwrap();
    let first = format!(
        r#"{{"format":1,"sha256":"{}","version":1}}"#,
        sha256(&first).to_hex()
    );
    let other = world.fork();
    run(other.repository().renew(&[RoleName::Targets], NOW));
    let change = other.repository().export_change().unwrap();
    let from = Path::new("change.tuf");
    let uses: [(&str, bool, Use); 7] = [
        ("look", false, |world, _, _| {
            world.repository().change().unwrap();
        }),
        ("edit", true, |world, _, _| {
            run(world.repository().renew(&[RoleName::Root], NOW));
        }),
        ("receive", true, |world, change, from| {
            run(world.repository().receive_change(change, from));
        }),
        ("sign", true, |world, change, _| {
            fs::write(world.change(), change).unwrap();
            run(world.repository().sign(&[world.ana]));
        }),
        ("publish", true, |world, _, _| drop(world.publish(NOW))),
        ("adopt", true, |world, _, _| {
            run(Repository::open(&world.directory())
                .unwrap()
                .adopt(&Adopt::FirstUse));
        }),
        ("adopt the first", true, |world, _, _| {
            let root = fs::read(metadata(world).join("1.root.json")).unwrap();
            run(Repository::open(&world.directory())
                .unwrap()
                .adopt(&Adopt::Root(root)));
        }),
    ];
    for (what, remembers, act) in uses {
        let world = world.fork();
        let remembered = world.directory().join(".tuffet/root.json");
        fs::write(&remembered, &first).unwrap();
        act(&world, &change, from);
        let now = fs::read(&remembered).unwrap();
        assert_eq!(now == newest, remembers, "{what}");
        take_root_away(&world, false);
        let gone = code(world.repository().change());
        assert_eq!(gone == "anchor.differs", remembers, "{what}: {gone}");
    }
}

#[test]
fn a_clone_is_used_once_it_knows_which_root_to_trust() {
    let world = World::published();
    run(world.repository().renew(&[RoleName::Root], NOW));
    world.sign();
    world.publish(NOW);
    let root = |version: u64| fs::read(world.metadata(&format!("{version}.root.json"))).unwrap();
    for (adopt, version) in [
        (Adopt::FirstUse, 1),
        (Adopt::Root(root(1)), 1),
        (Adopt::Root(root(2)), 2),
        (Adopt::Sha256(sha256(&root(2))), 2),
    ] {
        let clone = cloned(&world);
        let error = clone.repository().change().unwrap_err();
        assert_eq!(error.code(), "anchor.unknown");
        let first = sha256(&root(1)).to_hex();
        assert!(error.to_string().contains(&first), "{error}");
        let actions = run(Repository::open(&clone.directory()).unwrap().adopt(&adopt));
        let [
            Action::Adopted {
                version: found,
                sha256: pinned,
                threshold: 2,
                keys,
            },
        ] = &actions[..]
        else {
            panic!("{actions:?}");
        };
        assert_eq!((found.number(), keys.len()), (version, 3));
        assert_eq!(*pinned, sha256(&root(version)));
        assert_eq!(renewed(&clone), "no error");
        let ignored = fs::read(clone.directory().join(".tuffet/.gitignore"));
        assert_eq!(ignored.unwrap(), b"*\n!.gitignore\n");
    }
}

#[test]
fn a_clone_of_another_history_is_not_used_by_who_knows_the_root() {
    let (world, thief) = (World::published(), World::published());
    let root = fs::read(world.metadata("1.root.json")).unwrap();
    replace_history(&world, &thief);
    let clone = cloned(&world);
    for adopt in [Adopt::Root(root.clone()), Adopt::Sha256(sha256(&root))] {
        assert_eq!(
            code(Repository::open(&clone.directory()).unwrap().adopt(&adopt)),
            "anchor.differs"
        );
    }
    // Who knows one root is not talked into another one by looking away.
    let adopt = Repository::open(&world.directory())
        .unwrap()
        .adopt(&Adopt::FirstUse);
    assert_eq!(code(adopt), "anchor.differs");
    // But may say so.
    let theirs = Adopt::Root(fs::read(thief.metadata("1.root.json")).unwrap());
    let adopt = Repository::open(&world.directory()).unwrap().adopt(&theirs);
    assert_eq!(code(adopt), "anchor.left");
    run(Repository::open(&world.directory())
        .unwrap()
        .adopt_instead(&theirs));
    assert_eq!(renewed(&world), "no error");
    // What does not follow the root is not taken, either.
    let broken = cloned(&world);
    fs::write(
        metadata(&broken).join("2.root.json"),
        fs::read(metadata(&broken).join("1.root.json")).unwrap(),
    )
    .unwrap();
    let adopt = Repository::open(&broken.directory())
        .unwrap()
        .adopt(&Adopt::FirstUse);
    assert_eq!(code(adopt), "repo.unsigned");
    let empty = World::founded();
    let adopt = Repository::open(&empty.directory())
        .unwrap()
        .adopt(&Adopt::FirstUse);
    assert_eq!(code(adopt), "role.unknown");
}

#[test]
fn the_root_is_remembered_where_nobody_can_push_to() {
    let world = World::empty();
    let git = world.directory().join(".git");
    fs::create_dir_all(&git).unwrap();
    let world = world.found();
    world.publish(NOW);
    let kept = fs::read_dir(git.join("tuffet")).unwrap().count();
    assert_eq!(kept, 1);
    assert!(!world.directory().join(".tuffet/root.json").exists());
    assert_eq!(renewed(&world), "no error");
    // git overwrites what it ignores with what somebody has pushed, so nothing there counts in a work tree.
    let clone = cloned(&world);
    fs::remove_dir_all(clone.directory().join(".git/tuffet")).unwrap();
    let sha256 = sha256(&fs::read(world.metadata("1.root.json")).unwrap());
    let text = format!(
        r#"{{"format":1,"sha256":"{}","version":1}}"#,
        sha256.to_hex()
    );
    fs::create_dir(clone.directory().join(".tuffet")).unwrap();
    fs::write(clone.directory().join(".tuffet/root.json"), text).unwrap();
    assert_eq!(renewed(&clone), "anchor.unknown");
    // A work tree that shares the git directory of another names it in a file.
    fs::rename(
        clone.directory().join(".git"),
        clone.directory().join("shared"),
    )
    .unwrap();
    fs::write(clone.directory().join(".git"), "gitdir: shared\n").unwrap();
    run(Repository::open(&clone.directory())
        .unwrap()
        .adopt(&Adopt::FirstUse));
    assert!(clone.directory().join("shared/tuffet").is_dir());
    assert_eq!(renewed(&clone), "no error");
}

/// The git directory outlives what lies in its work tree.
fn in_a_work_tree_that_remembers_another() -> World {
    let world = World::founded_in_git();
    world.publish(NOW);
    assert!(world.git().join("tuffet").is_dir());
    fs::remove_dir_all(world.directory()).unwrap();
    fs::remove_dir_all(world.public()).unwrap();
    world
}

#[test]
fn a_repository_that_is_made_in_the_place_of_another_begins_anew() {
    let world = in_a_work_tree_that_remembers_another();
    let signers: [&dyn Signer; 2] = [world.ana, world.ben];
    // A root of the same moment would be the same.
    let later = UnixTime(NOW.0 + 1);
    run(Repository::init(
        &world.directory(),
        &world.options(),
        &signers,
        later,
    ));
    world.publish(later);
    assert_eq!(renewed(&world), "no error");
}

#[test]
fn a_repository_that_is_imported_in_the_place_of_another_begins_anew() {
    let world = in_a_work_tree_that_remembers_another();
    let other = World::published();
    let import = Import::new("acme", other.public().join("metadata"));
    run(Repository::import(&world.directory(), &import, NOW));
    assert_eq!(renewed(&world), "no error");
}

/// Keys for automation sign what is in the open change without anybody looking.
#[test]
fn the_open_change_is_where_nobody_can_push_to() {
    let (world, plain) = (World::founded_in_git(), World::founded());
    world.publish(NOW);
    world.add("app.tar", b"app");
    assert!(!world.change().exists() && plain.change().exists());
    run(world.repository().undo());
    world.add("app.tar", b"app");
    fs::create_dir_all(world.change().parent().unwrap()).unwrap();
    fs::copy(plain.change(), world.change()).unwrap();
    for code in [
        code(world.repository().change()),
        code(world.plan(&[world.online], NOW)),
        code(world.repository().renew(&[RoleName::Root], NOW)),
    ] {
        assert_eq!(code, "change.elsewhere");
    }
    fs::remove_file(world.change()).unwrap();
    assert!(!world.repository().change().unwrap().drafts.is_empty());
}

#[test]
fn a_first_publication_that_broke_off_goes_on() {
    let world = World::founded();
    let writes = world.plan(&[world.online], NOW).unwrap().writes().count();
    for after in 0..writes {
        let world = world.fork();
        crash(world.plan(&[world.online], NOW).unwrap(), after);
        world.publish(NOW);
        assert_eq!(renewed(&world), "no error", "{after}");
    }
}

#[test]
fn what_is_imported_is_remembered_by_the_root_that_was_verified() {
    let world = World::published();
    let directory = world.directory().with_file_name("imported");
    let import = Import::new("acme", world.public().join("metadata"));
    run(Repository::import(&directory, &import, NOW));
    assert!(directory.join(".tuffet/root.json").is_file());
    let imported = Repository::open(&directory).unwrap();
    assert_eq!(code(imported.renew(&[RoleName::Root], NOW)), "no error");
    let other = fs::read(World::published().metadata("1.root.json")).unwrap();
    fs::write(directory.join("metadata/1.root.json"), other).unwrap();
    assert_eq!(
        code(imported.renew(&[RoleName::Root], NOW)),
        "anchor.differs"
    );
}
