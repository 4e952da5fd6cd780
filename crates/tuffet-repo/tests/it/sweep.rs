//! What editing and publishing leave in the working directories.

use std::fs;
use std::path::{Path, PathBuf};

use tuffet_core::crypto::HashAlgorithm;
use tuffet_repo::{AddTarget, Publish};

use crate::support::{NOW, World, code, files, path, run};

/// The content that is staged, by its bytes.
fn staged(world: &World) -> Vec<String> {
    let objects = world.directory().join(".tuffet/objects");
    let names = files(&objects).into_iter();
    let mut all: Vec<String> = names
        .map(|name| fs::read_to_string(objects.join(name)).unwrap())
        .collect();
    all.sort();
    all
}

fn replace(world: &World, name: &str, content: &[u8]) {
    let add = AddTarget::new(path(name), world.file(name, content));
    run(world.repository().add_target(&add.replace(), NOW));
}

#[test]
fn content_that_no_role_lists_goes_when_the_change_is_published() {
    let world = World::published();
    assert_eq!(staged(&world), ["app 1"]);
    world.add("b", b"b 1");
    replace(&world, "b", b"b 2");
    replace(&world, "app.tar", b"app 2");
    // It is all there as long as an edit can be taken back.
    assert_eq!(staged(&world), ["app 1", "app 2", "b 1", "b 2"]);
    world.sign();
    drop(world.plan(&[world.online], NOW).unwrap());
    assert_eq!(staged(&world).len(), 4);
    world.publish(NOW);
    assert_eq!(staged(&world), ["app 2", "b 2"]);
    // What is listed can be published to another place.
    let other = world.directory().join("../other");
    run(world.plan_to(&other.into(), NOW));
}

#[test]
fn content_that_is_dropped_or_taken_back_goes_with_the_next_change_that_is_published() {
    let world = World::published();
    world.add("same", b"app 1");
    world.add("b", b"b 1");
    replace(&world, "b", b"b 2");
    run(world.repository().undo());
    drop(world.repository().drop_change().unwrap());
    run(world.repository().drop_change());
    world.add("c", b"c");
    run(world.repository().undo());
    let all = ["app 1", "b 1", "b 2", "c"];
    assert_eq!(staged(&world), all);
    // The same change may still come back from somebody else.
    let renewal = Publish::to(world.public()).in_force();
    let repository = world.repository();
    run(repository.publish(&renewal, &[world.online], NOW));
    world.publish(NOW);
    assert_eq!(staged(&world), all);
    world.add("c", b"c");
    world.sign();
    world.publish(NOW);
    assert_eq!(staged(&world), ["app 1", "c"]);
    let note = world.directory().join(".tuffet/unlisted.json");
    assert!(!note.exists());
    // A note of what roles list now costs them nothing.
    let app = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, b"app 1");
    let noted = format!(r#"{{"content":["{app}",7],"format":1}}"#);
    fs::write(&note, noted).unwrap();
    world.add("d", b"d");
    world.sign();
    world.publish(NOW);
    assert_eq!(staged(&world), ["app 1", "c", "d"]);
}

#[test]
fn a_change_that_was_dropped_to_receive_it_again_can_be_published() {
    let ana = World::published();
    let ben = ana.fork();
    let receive = |world: &World, change: &[u8]| {
        let repository = world.repository();
        repository.receive_change(change, Path::new("change.tuf"))
    };
    ana.add("x", b"x");
    let sent = ana.repository().export_change().unwrap();
    run(receive(&ben, &sent));
    ben.add("y", b"app 1");
    run(ben.repository().sign(&[ben.ben]));
    let back = ben.repository().export_change().unwrap();
    assert_eq!(code(receive(&ana, &back)), "change.differs");
    run(ana.repository().drop_change());
    run(receive(&ana, &back));
    run(ana.repository().sign(&[ana.ana]));
    ana.publish(NOW);
    let (_, bytes) = ana.client().get(&ana.public(), NOW, "x").unwrap();
    assert_eq!(bytes, b"x");
}

#[cfg(unix)]
#[test]
fn nothing_is_removed_where_a_link_leads_to() {
    let base = World::published();
    base.add("b", b"b 1");
    replace(&base, "b", b"b 2");
    base.sign();
    let objects = base.directory().join(".tuffet/objects");
    let replaced = files(&objects).into_iter();
    let replaced = replaced.map(|name| (fs::read(objects.join(&name)).unwrap(), name));
    let (_, replaced) = replaced
        .into_iter()
        .find(|(bytes, _)| bytes == b"b 1")
        .unwrap();
    let (first, _) = replaced.split_once('/').unwrap();
    fs::write(objects.join(first).join(".tuffet-1.tmp"), b"draft").unwrap();
    for link in ["", "objects", &format!("objects/{first}")] {
        let world = base.fork();
        let link = world.directory().join(".tuffet").join(link);
        let link: PathBuf = link.components().collect();
        let elsewhere = world.directory().join("../elsewhere");
        fs::rename(&link, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        world.publish(NOW);
        let all = ["app 1", "b 1", "b 2", "draft"];
        assert_eq!(staged(&world), all, "{}", link.display());
    }
    base.publish(NOW);
    assert_eq!(staged(&base), ["app 1", "b 2"]);
}

#[test]
fn drafts_of_files_that_somebody_has_left_who_was_killed_are_removed() {
    for dropped in [false, true] {
        let world = World::published();
        world.add("b", b"b");
        let left = [
            ".tuffet-1.tmp",
            "undo/.tuffet-2.tmp",
            "objects/ab/.tuffet-3.tmp",
        ];
        let left = left.map(|name| world.directory().join(".tuffet").join(name));
        for path in &left {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"half").unwrap();
        }
        let other = world.directory().join(".tuffet/notes.tmp");
        fs::write(&other, b"mine").unwrap();
        if dropped {
            drop(world.repository().drop_change().unwrap());
            assert!(left.iter().all(|path| path.exists()));
            run(world.repository().drop_change());
        } else {
            world.sign();
            world.publish(NOW);
        }
        assert!(left.iter().all(|path| !path.exists()));
        assert!(other.exists());
    }
}
