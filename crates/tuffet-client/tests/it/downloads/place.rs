//! Downloads never write outside their place, nor through links, nor over the files of others.

use std::fs;

use tuffet_client::{Class, Destination, Fault, Notice, Source, Subject};

use super::Setup;
use crate::repository::Repository;
use crate::world::{World, path};

#[test]
fn another_file_is_not_overwritten_unless_that_is_asked_for() {
    let setup = Setup::new();
    let file = setup.directory.path().join("dir/app");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, b"mine").unwrap();
    let updater = setup.world.updater();
    let error = updater
        .download(&setup.found, &setup.destination())
        .unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("disk.exists", Class::Conflict)
    );
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    assert!(setup.world.take_urls().is_empty());
    updater
        .download(&setup.found, &setup.destination().overwrite(true))
        .unwrap();
    assert!(setup.is_downloaded());
}

#[test]
fn a_file_that_appears_during_a_download_is_not_overwritten() {
    let setup = Setup::new();
    let file = setup.directory.path().join("dir/app");
    let appears = file.clone();
    let updater = setup
        .world
        .builder(setup.world.store.clone())
        .source(Source::at("memory://one"))
        .observer(move |notice: &Notice<'_>| {
            if matches!(
                notice,
                Notice::Progress {
                    subject: Subject::Target(_),
                    ..
                }
            ) {
                fs::write(&appears, b"mine").unwrap();
            }
        })
        .build()
        .unwrap();
    let error = updater
        .download(&setup.found, &setup.destination())
        .unwrap_err();
    assert_eq!(error.code(), "disk.exists");
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    assert_eq!(setup.files(), ["dir/app"]);
}

#[test]
fn names_that_could_lead_elsewhere_are_refused_before_anything_is_fetched() {
    for name in [
        "../app",
        "/etc/app",
        "a/../../app",
        "a//b",
        "C:/app",
        "a\\..\\b",
        "nul",
        "con.txt",
        "app.",
        "a:stream",
        "x\u{1}",
        ".other.0123456789abcdef.part",
        "dir/.other.0123456789abcdef.ETAG",
    ] {
        let world = World::new(Repository::with_target(name, b"content"));
        let updater = world.updater();
        let found = updater.find(&path(name)).unwrap();
        world.take_urls();
        let directory = tempfile::tempdir().unwrap();
        let error = updater
            .download(&found, &Destination::below(directory.path().join("base")))
            .unwrap_err();
        assert_eq!(error.code(), "target.path", "{name}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        assert!(world.take_urls().is_empty());
    }
}

#[test]
fn a_name_that_is_no_path_can_be_given_a_file() {
    let world = World::new(Repository::with_target("C:/odd?name", b"content"));
    let updater = world.updater();
    let found = updater.find(&path("C:/odd?name")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("plain");
    updater.download(&found, &Destination::file(&file)).unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"content");
    let error = updater
        .download(&found, &Destination::file("/"))
        .unwrap_err();
    assert_eq!(error.class(), Class::Misuse);
}

#[cfg(unix)]
#[test]
fn symbolic_links_below_the_destination_are_not_followed() {
    let setup = Setup::new();
    let outside = tempfile::tempdir().unwrap();
    let link = setup.directory.path().join("dir");
    std::os::unix::fs::symlink(outside.path(), &link).unwrap();
    let updater = setup.world.updater();
    let error = updater
        .download(&setup.found, &setup.destination())
        .unwrap_err();
    assert_eq!(error.code(), "disk.obstructed");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);

    // In the place of the file itself: replaced, if that is asked for, never written through.
    fs::remove_file(&link).unwrap();
    fs::create_dir(&link).unwrap();
    let victim = outside.path().join("victim");
    fs::write(&victim, b"precious").unwrap();
    std::os::unix::fs::symlink(&victim, link.join("app")).unwrap();
    let error = updater
        .download(&setup.found, &setup.destination())
        .unwrap_err();
    assert_eq!(error.code(), "disk.exists");
    updater
        .download(&setup.found, &setup.destination().overwrite(true))
        .unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    assert!(setup.is_downloaded());
}

#[cfg(unix)]
#[test]
fn a_file_that_takes_the_place_of_the_partial_one_never_reaches_the_destination() {
    let setup = Setup::new();
    let directory = setup.directory.path().join("dir");
    let updater = setup
        .world
        .builder(setup.world.store.clone())
        .source(Source::at("memory://one"))
        .observer(move |notice: &Notice<'_>| {
            if matches!(
                notice,
                Notice::Progress {
                    received: 700_000,
                    ..
                }
            ) {
                let mut names = fs::read_dir(&directory).unwrap();
                let partial = names
                    .find_map(|entry| {
                        let path = entry.unwrap().path();
                        (path.extension()? == "part").then_some(path)
                    })
                    .unwrap();
                fs::remove_file(&partial).unwrap();
                fs::write(&partial, b"malware").unwrap();
            }
        })
        .build()
        .unwrap();
    let error = updater
        .download(&setup.found, &setup.destination())
        .unwrap_err();
    assert_eq!(error.code(), "disk.write");
    assert!(setup.files().is_empty());
}

#[cfg(unix)]
#[test]
fn a_link_that_takes_the_place_of_a_directory_leads_no_download_elsewhere() {
    let setup = Setup::new();
    let outside = tempfile::tempdir().unwrap();
    let place = |name: &str| setup.directory.path().join(name);
    let (directory, moved) = (place("dir"), place("moved"));
    let elsewhere = outside.path().to_owned();
    let updater = setup
        .world
        .builder(setup.world.store.clone())
        .source(Source::at("memory://one"))
        .observer(move |notice: &Notice<'_>| {
            if let Notice::Progress {
                received: 700_000, ..
            } = notice
            {
                fs::rename(&directory, &moved).unwrap();
                std::os::unix::fs::symlink(&elsewhere, &directory).unwrap();
            }
        })
        .build()
        .unwrap();
    updater
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    assert_eq!(
        fs::metadata(place("moved/app")).unwrap().len(),
        setup.found.target.length
    );
}

#[cfg(unix)]
#[test]
fn a_partial_file_that_is_a_link_is_not_written_through() {
    let setup = Setup::new();
    for mirror in ["one", "two"] {
        setup
            .world
            .fail(&setup.url(mirror), [Fault::Interrupted(10)]);
    }
    setup
        .once()
        .download(&setup.found, &setup.destination())
        .unwrap_err();
    let outside = tempfile::tempdir().unwrap();
    for (place, partial) in setup.files().iter().enumerate() {
        let partial = setup.directory.path().join(partial);
        let victim = outside.path().join(place.to_string());
        fs::write(&victim, b"precious").unwrap();
        fs::remove_file(&partial).unwrap();
        if place == 0 {
            std::os::unix::fs::symlink(&victim, &partial).unwrap();
        } else {
            fs::hard_link(&victim, &partial).unwrap();
        }
    }
    setup
        .once()
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert!(setup.is_downloaded());
    for place in ["0", "1"] {
        assert_eq!(fs::read(outside.path().join(place)).unwrap(), b"precious");
    }
}

#[test]
fn a_directory_in_the_place_of_the_target_is_an_error() {
    let setup = Setup::new();
    fs::create_dir_all(setup.directory.path().join("dir/app")).unwrap();
    let error = setup
        .world
        .updater()
        .download(&setup.found, &setup.destination().overwrite(true))
        .unwrap_err();
    assert_eq!(error.code(), "disk.obstructed");
}

#[test]
fn a_very_long_name_has_a_partial_file_too() {
    let name = format!("{}é", "x".repeat(240));
    let setup = Setup::of(&name, b"content");
    setup
        .world
        .updater()
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert_eq!(setup.files(), [name]);
}
