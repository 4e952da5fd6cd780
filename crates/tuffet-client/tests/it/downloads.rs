//! Downloads: verified before they are visible, resumed after a failure, and never outside their place.

mod place;
mod resume;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    repository.made.algorithms = vec![HashAlgorithm::Sha256, HashAlgorithm::Sha512];
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
fn several_targets_are_downloaded_side_by_side_and_reported_in_order() {
    let mut repository = Repository::new();
    // More than are made durable together, in more directories than are held open, and one of them larger than those that wait.
    let names: Vec<String> = (0..150).map(|n| format!("dir{}/file{n}", n % 70)).collect();
    for name in &names {
        repository.target(name, name.as_bytes());
    }
    repository.target(&names[9], &vec![9; 1_100_000]);
    repository.publish();
    let world = World::new(repository);
    let updater = world.updater();
    let mut found: Vec<Found> = names
        .iter()
        .map(|name| updater.find(&path(name)).unwrap())
        .collect();
    // The same target twice at a time does no harm.
    found.push(found[149].clone());
    world
        .transport
        .remove(&format!("memory://one/targets/{}", found[7].url_paths()[0]));
    for parallel in [0, 1, 4, 100] {
        let directory = tempfile::tempdir().unwrap();
        let destination = Destination::below(directory.path());
        let results = updater.download_all(&found, &destination, parallel);
        assert_eq!(results.len(), 151);
        for (place, result) in results.iter().enumerate() {
            match result {
                Ok(done) => assert_eq!(done.verified.path(), &found[place].path),
                Err(error) => assert_eq!((place, error.code()), (7, "missing.target")),
            }
        }
        let mut files = Vec::new();
        list(directory.path(), "", &mut files);
        assert_eq!(files.len(), 149, "{files:?}");
        for name in names
            .iter()
            .filter(|name| ![&names[7], &names[9]].contains(name))
        {
            assert_eq!(
                fs::read_to_string(directory.path().join(name)).unwrap(),
                *name
            );
        }
    }
}

/// Small targets wait for each other to be made durable, and what ends the run does not end that.
#[test]
fn what_was_verified_before_a_run_is_cancelled_is_in_its_place() {
    let mut repository = Repository::new();
    let names: Vec<String> = (0..20).map(|number| format!("file{number}")).collect();
    for name in &names {
        repository.target(name, name.as_bytes());
    }
    repository.publish();
    let world = World::new(repository);
    let updater = world.updater();
    let found: Vec<Found> = names
        .iter()
        .map(|name| updater.find(&path(name)).unwrap())
        .collect();
    let (cancel, last) = (CancelToken::new(), path(&names[12]));
    let switch = cancel.clone();
    let cancelled = world
        .builder(world.store.clone())
        .source(Source::at("memory://one"))
        .cancel(cancel)
        .observer(move |notice: &Notice<'_>| {
            if matches!(notice, Notice::Progress { subject: Subject::Target(at), .. } if **at == last)
            {
                switch.cancel();
            }
        })
        .build()
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let destination = Destination::below(directory.path());
    let results = cancelled.download_all(&found, &destination, 1);
    for (number, result) in results.iter().enumerate() {
        match result {
            Ok(_) => assert!(number < 12, "{number}"),
            Err(error) => assert!(number >= 12 && matches!(error, Error::Cancelled), "{error}"),
        }
    }
    let done = updater.download_all(&found, &destination, 1);
    assert_eq!(
        done.iter().flatten().filter(|done| done.from_cache).count(),
        12
    );
    let mut files = Vec::new();
    list(directory.path(), "", &mut files);
    assert_eq!(files.len(), 20, "{files:?}");
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
