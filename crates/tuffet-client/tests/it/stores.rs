//! Stores: what is in a directory, who may use it, and what is never followed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tuffet_client::blocking::Updater;
use tuffet_client::{Class, DirectoryStore, MemoryStore, ReadOnlyStore, Source, Store};
use tuffet_core::metadata::{RoleName, Version};
use tuffet_core::trust::{Item, Policy, Write, WriteKind};

use crate::repository::Repository;
use crate::world::{World, path};

fn world() -> World {
    let mut repository = Repository::with_target("app", b"content");
    repository.delegate("../Team", &["team/*"], false);
    repository.delegated_target("../Team", "team/app", b"team content");
    repository.publish();
    repository.new_root();
    World::new(repository)
}

fn updater(world: &World, store: impl Store + 'static) -> Updater {
    world
        .builder(store)
        .source(Source::at("memory://one"))
        .build()
        .unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn put(item: Item, bytes: &[u8]) -> Write {
    Write {
        item,
        kind: WriteKind::Put(bytes.to_vec().into()),
    }
}

#[test]
fn a40_a_directory_holds_flat_metadata_and_nothing_else_that_looks_like_it() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    let updater = updater(&world, DirectoryStore::new(directory.path()));
    updater.refresh().unwrap();
    updater.find(&path("team/app")).unwrap();
    assert_eq!(
        names(directory.path()),
        [
            "lock",
            "record",
            "role.%2e.%2f%54eam.json",
            "root.json",
            "roots",
            "snapshot.json",
            "targets.json",
            "timestamp.json",
        ]
    );
    assert_eq!(names(&directory.path().join("roots")), ["1.json", "2.json"]);
    for (stored, published) in [
        ("root.json", "2.root.json"),
        ("timestamp.json", "timestamp.json"),
        ("snapshot.json", "2.snapshot.json"),
        ("role.%2e.%2f%54eam.json", "2...%2FTeam.json"),
    ] {
        assert_eq!(
            fs::read(directory.path().join(stored)).unwrap(),
            world.repository.made.files[published]
        );
    }
}

#[test]
fn every_store_keeps_what_it_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let stores: [Box<dyn Store>; 4] = [
        Box::new(MemoryStore::new()),
        Box::new(DirectoryStore::new(directory.path().join("new/store"))),
        Box::new(ReadOnlyStore::embedded([])),
        Box::new(ReadOnlyStore::directory(directory.path().join("absent"))),
    ];
    let items = [
        Item::Record,
        Item::Root(Version::FIRST),
        Item::Role(RoleName::Timestamp),
        Item::Role(RoleName::new("a/b").unwrap()),
        Item::Role(RoleName::new("A/b").unwrap()),
    ];
    for store in stores {
        let _lock = store.lock().unwrap();
        for (place, item) in items.iter().enumerate() {
            assert_eq!(store.load(item, u64::MAX).unwrap(), None);
            let write = put(item.clone(), &[u8::try_from(place).unwrap()]);
            store.apply(&[write]).unwrap();
        }
        for (place, item) in items.iter().enumerate() {
            let bytes = store.load(item, u64::MAX).unwrap().unwrap();
            assert_eq!(bytes, [u8::try_from(place).unwrap()]);
            let delete = Write {
                item: item.clone(),
                kind: WriteKind::Delete,
            };
            store.apply(&[delete.clone(), delete]).unwrap();
            assert_eq!(store.load(item, u64::MAX).unwrap(), None);
        }
    }
    assert!(!directory.path().join("absent").exists());
}

#[test]
fn a_read_only_directory_is_read_and_never_written() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    updater(&world, DirectoryStore::new(&store))
        .refresh()
        .unwrap();
    fs::remove_file(store.join("targets.json")).unwrap();
    fs::remove_file(store.join("lock")).unwrap();
    let before = names(&store);
    let read_only = updater(&world, ReadOnlyStore::directory(&store));
    world.take_urls();
    read_only.refresh().unwrap();
    assert_eq!(world.take_urls().len(), 3);
    // What could not be written was kept for this process.
    read_only.refresh().unwrap();
    assert_eq!(world.take_urls().len(), 2);
    assert_eq!(names(&store), before);
}

#[test]
fn a_store_that_another_updater_uses_is_waited_for_and_then_given_up() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    let store = DirectoryStore::new(directory.path());
    let lock = store.lock().unwrap();
    let impatient = DirectoryStore::new(directory.path()).lock_timeout(Duration::ZERO);
    let error = updater(&world, impatient.clone()).refresh().unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("lock.timeout", Class::Conflict)
    );
    assert!(error.to_string().contains("lock"));
    assert!(world.take_urls().is_empty());
    drop(lock);
    updater(&world, impatient).refresh().unwrap();
}

#[test]
fn updaters_of_one_store_take_turns() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let updater = updater(&world, DirectoryStore::new(directory.path()));
                updater.refresh().unwrap();
                updater.find(&path("team/app")).unwrap();
            });
        }
    });
    assert_eq!(names(directory.path()).len(), 8);
}

#[test]
fn what_a_killed_process_has_left_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirectoryStore::new(directory.path());
    drop(store.lock().unwrap());
    for left in [".tuffet-a.tmp", "roots/.tuffet-b.tmp"] {
        fs::write(directory.path().join(left), b"half").unwrap();
    }
    fs::write(directory.path().join("anchor"), b"mine").unwrap();
    drop(store.lock().unwrap());
    assert_eq!(names(directory.path()), ["anchor", "lock", "roots"]);
    assert!(names(&directory.path().join("roots")).is_empty());
}

#[test]
fn a_directory_in_the_place_of_a_file_is_an_error_and_not_absent() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("timestamp.json")).unwrap();
    let error = updater(&world, DirectoryStore::new(directory.path()))
        .refresh()
        .unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("store.obstructed", Class::Local)
    );
}

#[test]
fn a34_a_corrupt_file_is_ignored_and_reported() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    let store = DirectoryStore::new(directory.path());
    updater(&world, store.clone()).refresh().unwrap();
    for name in [
        "timestamp.json",
        "snapshot.json",
        "targets.json",
        "record",
        "root.json",
    ] {
        fs::write(directory.path().join(name), b"\0\xff{").unwrap();
    }
    updater(&world, store).refresh().unwrap();
    assert!(world.seen.has("the stored timestamp metadata was ignored"));
    assert!(
        world
            .seen
            .has("the stored record of the last refresh was ignored")
    );
}

#[cfg(unix)]
#[test]
fn symbolic_links_in_a_store_are_replaced_and_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let victim = directory.path().join("victim");
    fs::write(&victim, b"precious").unwrap();
    let store = DirectoryStore::new(directory.path().join("store"));
    drop(store.lock().unwrap());
    let link = store.path().join("timestamp.json");
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    let item = Item::Role(RoleName::Timestamp);
    assert_eq!(store.load(&item, u64::MAX).unwrap().unwrap(), b"");
    store.apply(&[put(item.clone(), b"new")]).unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    assert_eq!(store.load(&item, u64::MAX).unwrap().unwrap(), b"new");

    let locked = DirectoryStore::new(directory.path().join("other"));
    drop(locked.lock().unwrap());
    fs::remove_file(locked.path().join("lock")).unwrap();
    std::os::unix::fs::symlink(&victim, locked.path().join("lock")).unwrap();
    assert_eq!(locked.lock().unwrap_err().code(), "lock.unavailable");
}

#[cfg(unix)]
#[test]
fn a34_what_is_no_file_is_ignored_reported_and_replaced() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("store");
    let store = DirectoryStore::new(&place);
    updater(&world, store.clone()).refresh().unwrap();
    let all = [
        "root.json",
        "timestamp.json",
        "snapshot.json",
        "targets.json",
        "record",
        "roots/2.json",
    ];
    for name in all {
        let (file, elsewhere) = (place.join(name), directory.path().join("elsewhere"));
        fs::rename(&file, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        let kept = fs::read(&elsewhere).unwrap();

        let strict = world
            .builder(store.clone())
            .source(Source::at("memory://one"))
            .policy(Policy::strict())
            .build()
            .unwrap();
        // Targets are no floor: what is not the file that snapshot lists is fetched again, as any older version is.
        if name != "targets.json" {
            let error = strict.refresh().map(drop).expect_err(name);
            assert_eq!(error.code(), "cache.corrupt", "{name}");
        }

        updater(&world, store.clone())
            .refresh()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(file.is_file() && !file.is_symlink(), "{name} is replaced");
        assert_eq!(fs::read(&elsewhere).unwrap(), kept, "{name}");
    }
    assert!(world.seen.has("was ignored"));

    // What is in a directory may be somebody's: that is for people to decide.
    for name in all {
        let file = place.join(name);
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let error = updater(&world, store.clone()).refresh().unwrap_err();
        assert_eq!(error.code(), "store.obstructed", "{name}");
        assert!(error.to_string().contains(name), "{name}: {error}");
        fs::remove_dir(&file).unwrap();
        updater(&world, store.clone()).refresh().unwrap();
    }
}

#[test]
fn a32_stored_roots_count_only_as_successors_of_the_anchor() {
    let world = world();
    let updater = updater(&world, world.store.clone());
    updater.refresh().unwrap();
    // Another repository's root in the store changes nothing.
    let mut other = Repository::new();
    other.rotate_online_keys();
    let forged = other.made.files["2.root.json"].clone();
    world
        .store
        .apply(&[put(Item::Role(RoleName::Root), &forged)])
        .unwrap();
    let view = updater.refresh().unwrap();
    assert_eq!(
        view.root().received().as_slice(),
        world.repository.made.files["2.root.json"]
    );
}

#[cfg(unix)]
#[test]
fn a_store_that_is_a_link_to_another_place_is_refused() {
    use std::os::unix::fs::symlink;
    let world = world();
    for linked in ["store", "store/roots"] {
        let directory = tempfile::tempdir().unwrap();
        let elsewhere = directory.path().join("elsewhere");
        fs::create_dir_all(elsewhere.join("roots")).unwrap();
        fs::write(elsewhere.join(".tuffet-kept"), b"x").unwrap();
        let link = directory.path().join(linked);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(&elsewhere, link).unwrap();
        let store = DirectoryStore::new(directory.path().join("store"));
        let error = updater(&world, store).refresh().unwrap_err();
        assert_eq!(error.class(), Class::Local, "{linked}: {error}");
        assert_eq!(error.code(), "store.obstructed", "{linked}");
        assert_eq!(names(&elsewhere), [".tuffet-kept", "roots"], "{linked}");
        assert!(names(&elsewhere.join("roots")).is_empty(), "{linked}");
    }
}

#[test]
fn a_directory_with_the_name_of_a_leftover_keeps_nobody_out() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(".tuffet-x.tmp")).unwrap();
    updater(&world, DirectoryStore::new(directory.path()))
        .refresh()
        .unwrap();
}

#[test]
fn a_stored_file_is_read_up_to_the_limit_of_what_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = fs::File::create(directory.path().join("timestamp.json")).unwrap();
    // A hole: no bytes are on the disk.
    file.set_len(1 << 33).unwrap();
    let store = DirectoryStore::new(directory.path());
    let bytes = store
        .load(&Item::Role(RoleName::Timestamp), 65_536)
        .unwrap()
        .unwrap();
    assert_eq!(bytes.len(), 65_537);
}

#[test]
fn a34_a_stored_file_that_is_too_large_is_ignored_and_reported() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    let store = DirectoryStore::new(directory.path());
    updater(&world, store.clone()).refresh().unwrap();
    for name in ["timestamp.json", "record"] {
        let mut bytes = fs::read(directory.path().join(name)).unwrap();
        bytes.splice(1..1, [b' '; 70_000]);
        fs::write(directory.path().join(name), bytes).unwrap();
        let strict = world
            .builder(store.clone())
            .source(Source::at("memory://one"))
            .policy(Policy::strict())
            .build()
            .unwrap();
        assert_eq!(
            strict.refresh().unwrap_err().code(),
            "cache.corrupt",
            "{name}"
        );
        updater(&world, store.clone()).refresh().unwrap();
    }
    assert!(world.seen.has("the stored timestamp metadata was ignored"));
    assert!(
        world
            .seen
            .has("the stored record of the last refresh was ignored")
    );
}

#[cfg(unix)]
#[test]
fn a_store_behind_a_link_is_not_read_either() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    updater(&world, DirectoryStore::new(place("real")))
        .refresh()
        .unwrap();
    std::os::unix::fs::symlink(place("real"), place("link")).unwrap();
    for store in ["real", "link"] {
        let loaded =
            DirectoryStore::new(place(store)).load(&Item::Role(RoleName::Timestamp), u64::MAX);
        match store {
            "real" => assert!(loaded.unwrap().is_some()),
            _ => assert_eq!(loaded.unwrap_err().code(), "store.obstructed"),
        }
    }
}
