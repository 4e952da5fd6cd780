//! Downloads: verified before they are visible, resumed after a failure, and never outside their place.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tuffet_client::transport::TransportErrorKind as Kind;
use tuffet_client::{
    CancelToken, Class, Destination, Error, Fault, Found, Notice, Retry, Source, Subject,
};
use tuffet_core::crypto::HashAlgorithm;

use crate::repository::{Repository, digest};
use crate::world::{World, path};

/// Longer than some buffers.
fn content() -> Vec<u8> {
    (0..700_000_u32).map(|n| (n % 251) as u8).collect()
}

struct Setup {
    world: World,
    found: Found,
    directory: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        Self::of("dir/app", &content())
    }

    fn of(name: &str, bytes: &[u8]) -> Self {
        let world = World::new(Repository::with_target(name, bytes));
        let updater = world.updater();
        updater.refresh().unwrap();
        let found = updater.find(&path(name)).unwrap();
        world.take_urls();
        Self {
            world,
            found,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn destination(&self) -> Destination {
        Destination::below(self.directory.path())
    }

    /// The path of the target at a mirror.
    fn url(&self, mirror: &str) -> String {
        format!("{mirror}/targets/{}", self.found.url_paths()[0])
    }

    /// Asks each mirror once.
    fn once(&self) -> tuffet_client::blocking::Updater {
        self.world
            .builder(self.world.store.clone())
            .source(Source::at("memory://one"))
            .source(Source::at("memory://two"))
            .retry(Retry::never())
            .build()
            .unwrap()
    }

    /// Where the requests since the last call were to begin.
    fn take_offsets(&self) -> Vec<u64> {
        self.world
            .transport
            .take_requests()
            .into_iter()
            .map(|request| request.resume.map_or(0, |resume| resume.offset))
            .collect()
    }

    /// All files of the destination.
    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        list(self.directory.path(), "", &mut files);
        files.sort();
        files
    }

    fn is_downloaded(&self) -> bool {
        self.files() == ["dir/app"]
            && fs::read(self.directory.path().join("dir/app")).unwrap() == content()
    }
}

fn list(directory: &Path, prefix: &str, files: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            list(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push(name);
        }
    }
}

#[test]
fn c51_a_target_is_fetched_once_and_then_found() {
    let setup = Setup::new();
    let updater = setup.world.updater();
    let first = updater
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert!(!first.from_cache);
    assert_eq!(first.path, setup.directory.path().join("dir/app"));
    assert_eq!(first.verified.path(), &setup.found.path);
    assert_eq!(first.verified.length(), content().len() as u64);
    assert!(setup.is_downloaded());
    let hash = digest(HashAlgorithm::Sha256, &content());
    assert_eq!(
        setup.world.take_urls(),
        [format!("one/targets/dir/{hash}.app")]
    );

    let second = updater
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert!(second.from_cache);
    assert!(setup.world.take_urls().is_empty());
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let setup = Setup::new();
    setup.world.fail(
        &setup.url("one"),
        [
            Fault::Interrupted(300_000),
            Fault::Retryable(Kind::Connect, None),
            Fault::Interrupted(100_000),
        ],
    );
    let retry = {
        let mut retry = Retry::default();
        retry.attempts = 4;
        retry
    };
    let updater = setup
        .world
        .builder(setup.world.store.clone())
        .source(Source::at("memory://one"))
        .retry(retry)
        .build()
        .unwrap();
    updater
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert_eq!(setup.take_offsets(), [0, 300_000, 300_000, 400_000]);
    assert!(setup.is_downloaded());
}

#[test]
fn a_download_goes_on_after_a_restart_and_at_another_mirror() {
    let setup = Setup::new();
    for (mirror, bytes) in [("one", 200_000), ("two", 150_000)] {
        setup
            .world
            .fail(&setup.url(mirror), [Fault::Interrupted(bytes)]);
    }
    let error = setup
        .once()
        .download(&setup.found, &setup.destination())
        .unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("network.interrupted", Class::Unavailable)
    );
    assert_eq!(error.attempts().len(), 2);
    // Nothing but the partial file and its note is there, hidden.
    assert_eq!(setup.files().len(), 2);
    assert!(
        setup
            .files()
            .iter()
            .all(|file| file.starts_with("dir/.app."))
    );

    setup
        .once()
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert_eq!(setup.take_offsets(), [0, 200_000, 350_000]);
    assert!(setup.is_downloaded());
}

#[test]
fn a_download_that_was_complete_when_the_process_died_needs_no_request() {
    let setup = Setup::new();
    setup.world.fail(&setup.url("one"), [Fault::Interrupted(1)]);
    setup
        .once()
        .download(
            &setup.found,
            &Destination::below(setup.directory.path().join("x")),
        )
        .unwrap();
    setup.world.fail(&setup.url("one"), [Fault::Interrupted(1)]);
    setup.world.fail(&setup.url("two"), [Fault::Interrupted(1)]);
    setup
        .once()
        .download(&setup.found, &setup.destination())
        .unwrap_err();
    let partial = setup
        .files()
        .into_iter()
        .find(|file| file.ends_with(".part"))
        .unwrap();
    fs::write(setup.directory.path().join(partial), content()).unwrap();
    fs::remove_dir_all(setup.directory.path().join("x")).unwrap();
    setup.take_offsets();
    let done = setup
        .once()
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert!(!done.from_cache);
    assert!(setup.take_offsets().is_empty());
    assert!(setup.is_downloaded());
}

#[test]
fn a_server_that_does_not_resume_begins_anew() {
    let setup = Setup::new();
    setup.world.fail(
        &setup.url("one"),
        [Fault::Interrupted(300_000), Fault::NoResume],
    );
    setup
        .world
        .updater()
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert_eq!(setup.take_offsets(), [0, 300_000]);
    assert!(setup.is_downloaded());
}

#[test]
fn an_answer_from_another_place_than_was_asked_for_is_not_taken() {
    let setup = Setup::new();
    setup.world.fail(
        &setup.url("one"),
        [Fault::Interrupted(300_000), Fault::WrongOffset],
    );
    let error = setup
        .world
        .updater()
        .download(&setup.found, &setup.destination())
        .unwrap_err();
    assert_eq!(error.code(), "network.protocol");
    // The bytes at hand are still good.
    setup
        .world
        .updater()
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert_eq!(setup.take_offsets(), [0, 300_000, 300_000]);
    assert!(setup.is_downloaded());
}

#[test]
fn a_damaged_partial_file_is_thrown_away_and_the_mirror_not_blamed() {
    for damage in [
        b"damaged".to_vec(),
        content()[1..].to_vec(),
        vec![0; 800_000],
    ] {
        let setup = Setup::new();
        setup
            .world
            .fail(&setup.url("one"), [Fault::Interrupted(300_000)]);
        setup.world.fail(&setup.url("two"), [Fault::Interrupted(0)]);
        setup
            .once()
            .download(&setup.found, &setup.destination())
            .unwrap_err();
        let partial = setup
            .files()
            .into_iter()
            .find(|file| file.ends_with(".part"))
            .unwrap();
        fs::write(setup.directory.path().join(partial), damage).unwrap();
        setup
            .once()
            .download(&setup.found, &setup.destination())
            .unwrap();
        assert!(setup.is_downloaded());
        assert!(!setup.world.seen.has("SHA"), "no mirror is blamed");
    }
}

#[test]
fn bytes_of_a_hostile_mirror_do_not_spoil_those_of_a_good_one() {
    let setup = Setup::new();
    // The first mirror sends wrong bytes of the right length and breaks off: the second one goes on from there.
    let wrong = vec![b'x'; content().len()];
    setup
        .world
        .transport
        .put(format!("memory://{}", setup.url("one")), wrong);
    setup
        .world
        .fail(&setup.url("one"), [Fault::Interrupted(300_000)]);
    setup
        .once()
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert_eq!(setup.take_offsets(), [0, 300_000, 0]);
    assert!(setup.is_downloaded());
}

#[test]
fn c51_what_is_not_the_target_never_reaches_the_destination() {
    let mut wrong = content();
    wrong[699_999] ^= 1;
    let table = [
        (Fault::Other(wrong), "hash.target"),
        (Fault::Other(content()[1..].to_vec()), "length.target"),
        (Fault::Other(Vec::new()), "length.target"),
        (Fault::Endless, "length.target"),
    ];
    for (fault, code) in table {
        let setup = Setup::new();
        setup.world.fail(&setup.url("one"), [fault]);
        let error = setup
            .world
            .updater()
            .download(&setup.found, &setup.destination())
            .unwrap_err();
        assert_eq!((error.code(), error.class()), (code, Class::Untrustworthy));
        assert_eq!(error.attempts().len(), 1);
        assert!(setup.files().is_empty(), "{:?}", setup.files());
        // Nothing was asked for twice, and the next download succeeds.
        assert_eq!(setup.take_offsets(), [0]);
        setup
            .world
            .updater()
            .download(&setup.found, &setup.destination())
            .unwrap();
    }
}

#[test]
fn a_mirror_with_other_bytes_is_passed_over() {
    let setup = Setup::new();
    setup.world.transport.put(
        format!("memory://{}", setup.url("one")),
        b"malware".to_vec(),
    );
    setup
        .world
        .mirrored()
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert!(setup.is_downloaded());
    assert!(setup.world.seen.has("mirror failed"));
}

#[test]
fn c51_any_of_the_listed_hashes_may_be_in_the_name() {
    let mut repository = Repository::new();
    repository.algorithms = vec![HashAlgorithm::Sha256, HashAlgorithm::Sha512];
    repository.target("app", b"content");
    repository.publish();
    let world = World::new(repository);
    let updater = world.updater();
    let found = updater.find(&path("app")).unwrap();
    let sha256 = digest(HashAlgorithm::Sha256, b"content");
    world
        .transport
        .remove(&format!("memory://one/targets/{sha256}.app"));
    let directory = tempfile::tempdir().unwrap();
    let file = Destination::file(directory.path().join("here"));
    updater.download(&found, &file).unwrap();
    assert_eq!(fs::read(directory.path().join("here")).unwrap(), b"content");

    let sha512 = digest(HashAlgorithm::Sha512, b"content");
    world
        .transport
        .remove(&format!("memory://one/targets/{sha512}.app"));
    let other = Destination::file(directory.path().join("there"));
    let error = updater.download(&found, &other).unwrap_err();
    assert_eq!(error.code(), "missing.target");
    assert_eq!(error.attempts().len(), 2);
}

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
        ("target.exists", Class::Conflict)
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
    assert_eq!(error.code(), "target.exists");
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
    assert_eq!(error.code(), "target.exists");
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

#[test]
fn an_empty_target_is_a_target() {
    let setup = Setup::of("empty", b"");
    setup
        .world
        .updater()
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert_eq!(setup.files(), ["empty"]);
    assert!(
        setup
            .world
            .updater()
            .download(&setup.found, &setup.destination())
            .unwrap()
            .from_cache
    );
}

#[test]
fn a_cancelled_download_can_be_continued() {
    let setup = Setup::new();
    let cancel = CancelToken::new();
    let switch = cancel.clone();
    let updater = setup
        .world
        .builder(setup.world.store.clone())
        .source(Source::at("memory://one"))
        .cancel(cancel)
        .observer(move |notice: &Notice<'_>| {
            if matches!(
                notice,
                Notice::Progress {
                    received: 262_144..,
                    ..
                }
            ) {
                switch.cancel();
            }
        })
        .build()
        .unwrap();
    let error = updater
        .download(&setup.found, &setup.destination())
        .unwrap_err();
    assert!(matches!(error, Error::Cancelled));
    setup
        .world
        .updater()
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert_eq!(setup.take_offsets(), [0, 262_144]);
    assert!(setup.is_downloaded());
}

#[test]
fn a_stream_that_comes_forward_is_not_given_up() {
    let bytes = vec![7; 9 * 1024 * 1024];
    let setup = Setup::of("big", &bytes);
    // Seven breaks are more than three attempts, but each brought more than a mebibyte.
    setup
        .world
        .fail(&setup.url("one"), vec![Fault::Interrupted(1_200_000); 7]);
    setup
        .world
        .updater()
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert_eq!(setup.take_offsets().len(), 8);
}

#[test]
fn several_targets_are_downloaded_side_by_side_and_reported_in_order() {
    let mut repository = Repository::new();
    let names: Vec<String> = (0..20).map(|n| format!("dir{}/file{n}", n % 3)).collect();
    for name in &names {
        repository.target(name, name.as_bytes());
    }
    repository.publish();
    let world = World::new(repository);
    let updater = world.updater();
    let mut found: Vec<Found> = names
        .iter()
        .map(|name| updater.find(&path(name)).unwrap())
        .collect();
    // The same target twice at a time does no harm.
    found.push(found[19].clone());
    world
        .transport
        .remove(&format!("memory://one/targets/{}", found[7].url_paths()[0]));
    for parallel in [0, 1, 4, 100] {
        let directory = tempfile::tempdir().unwrap();
        let destination = Destination::below(directory.path());
        let results = updater.download_all(&found, &destination, parallel);
        assert_eq!(results.len(), 21);
        for (place, result) in results.iter().enumerate() {
            match result {
                Ok(done) => assert_eq!(done.verified.path(), &found[place].path),
                Err(error) => assert_eq!((place, error.code()), (7, "missing.target")),
            }
        }
        let mut files = Vec::new();
        list(directory.path(), "", &mut files);
        assert_eq!(files.len(), 19, "{files:?}");
    }
}

#[test]
fn progress_is_reported() {
    let setup = Setup::new();
    let last = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&last);
    let updater = setup
        .world
        .builder(setup.world.store.clone())
        .source(Source::at("memory://one"))
        .observer(move |notice: &Notice<'_>| {
            if let Notice::Progress {
                subject: Subject::Target(_),
                received,
                total,
            } = notice
            {
                assert_eq!(*total, Some(700_000));
                seen.store(usize::try_from(*received).unwrap(), Ordering::Relaxed);
            }
        })
        .build()
        .unwrap();
    updater
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert_eq!(last.load(Ordering::Relaxed), 700_000);
}
