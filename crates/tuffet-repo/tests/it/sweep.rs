//! What editing and publishing leave in the working directories.

use std::fs;

use tuffet_repo::AddTarget;

use crate::support::{NOW, World, files, path, run};

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
fn content_of_a_change_that_is_dropped_goes_unless_a_role_lists_it() {
    let world = World::published();
    world.add("same", b"app 1");
    world.add("b", b"b 1");
    replace(&world, "b", b"b 2");
    drop(world.repository().drop_change().unwrap());
    assert_eq!(staged(&world), ["app 1", "b 1", "b 2"]);
    // Nothing can bring back what was taken back.
    run(world.repository().undo());
    run(world.repository().drop_change());
    assert_eq!(staged(&world), ["app 1"]);
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
