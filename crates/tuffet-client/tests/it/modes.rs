//! Online, from the cache, offline; and the clock.

use std::time::Duration;

use tuffet_client::blocking::Updater;
use tuffet_client::{
    Class, Destination, Fault, MemoryStore, Mode, Policy, ReadOnlyStore, Source, Store, UnixTime,
};
use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::metadata::RoleName;
use tuffet_core::trust::Item;

use crate::repository::{NOW, Repository, digest};
use crate::world::{World, path};

const HOUR: Duration = Duration::from_secs(3600);

fn later(seconds: i64) -> UnixTime {
    UnixTime(NOW.0 + seconds)
}

fn world() -> World {
    let mut repository = Repository::with_target("app", b"content");
    repository.delegate("team", &["team/*"], false);
    repository.delegated_target("team", "team/app", b"team content");
    repository.publish();
    World::new(repository)
}

fn updater(world: &World, mode: Mode) -> Updater {
    world
        .builder(world.store.clone())
        .source(Source::at("memory://one"))
        .mode(mode)
        .build()
        .unwrap()
}

#[test]
fn a_young_cache_does_without_the_repository_and_an_old_one_does_not() {
    let world = world();
    let mode = Mode::PreferCache { max_age: HOUR };
    updater(&world, mode).refresh().unwrap();
    assert_eq!(world.take_urls().len(), 4);
    for (seconds, requests) in [(0, 0), (3600, 0), (3601, 2), (3602, 0), (-1, 2)] {
        world.clock.set(later(seconds));
        updater(&world, mode).refresh().unwrap();
        assert_eq!(world.take_urls().len(), requests, "{seconds}");
    }
}

#[test]
fn f23_a_program_that_runs_for_long_does_not_search_in_what_has_expired() {
    let world = world();
    let updater = updater(&world, Mode::Online);
    updater.find(&path("app")).unwrap();
    let fresh_until = updater.view().unwrap().fresh_until();
    world.take_urls();
    world.clock.set(UnixTime(fresh_until.0 - 1));
    updater.find(&path("app")).unwrap();
    assert_eq!(world.take_urls().len(), 0);
    world.clock.set(fresh_until);
    let error = updater.find(&path("app")).unwrap_err();
    assert_eq!(error.class(), Class::Stale, "{error}");
    assert!(!world.take_urls().is_empty(), "the repository was asked");
}

#[test]
fn a_cache_that_has_expired_or_is_incomplete_is_not_enough() {
    let world = world();
    let mode = Mode::PreferCache { max_age: HOUR };
    updater(&world, mode).refresh().unwrap();
    world.take_urls();
    world
        .store
        .apply(&[tuffet_core::trust::Write {
            item: Item::Role(RoleName::Targets),
            kind: tuffet_core::trust::WriteKind::Delete,
        }])
        .unwrap();
    updater(&world, mode).refresh().unwrap();
    assert_eq!(world.take_urls().len(), 3);
}

#[test]
fn a_search_in_a_cache_that_the_repository_has_left_behind_refreshes() {
    let mut world = world();
    // Without consistent snapshots the old version of a role is gone once there is a new one.
    world.repository = Repository::new();
    world.repository.set_consistent(false);
    world.repository.delegate("team", &["team/*"], false);
    world.repository.publish();
    world.serve();
    let mode = Mode::PreferCache { max_age: HOUR };
    updater(&world, mode).refresh().unwrap();
    world
        .repository
        .delegated_target("team", "team/app", b"content");
    world.repository.publish();
    world.serve();
    let updater = updater(&world, mode);
    updater.refresh().unwrap();
    updater.find(&path("team/app")).unwrap();
    assert_eq!(updater.view().unwrap().timestamp().version().number(), 2);
}

#[test]
fn offline_nothing_is_fetched_and_everything_is_verified() {
    let world = world();
    let online = updater(&world, Mode::Online);
    online.refresh().unwrap();
    online.find(&path("team/app")).unwrap();
    world.take_urls();

    let offline = updater(&world, Mode::OfflineAsOf(later(60)));
    let view = offline.refresh().unwrap();
    assert_eq!(view.started(), later(60));
    let found = offline.find(&path("team/app")).unwrap();
    assert_eq!(found.role.as_str(), "team");

    let directory = tempfile::tempdir().unwrap();
    let destination = Destination::below(directory.path());
    let error = offline.download(&found, &destination).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("offline.target", Class::Local)
    );
    std::fs::write(directory.path().join("team/app"), b"team content").unwrap();
    assert!(offline.download(&found, &destination).unwrap().from_cache);
    assert!(world.take_urls().is_empty());
}

#[test]
fn offline_what_has_expired_or_is_missing_is_refused() {
    let world = world();
    let anchor = world.repository.anchor();
    let empty = Updater::builder(anchor, MemoryStore::new())
        .mode(Mode::OfflineAsOf(NOW))
        .build()
        .unwrap();
    assert_eq!(empty.refresh().unwrap_err().code(), "offline.missing");

    updater(&world, Mode::Online).refresh().unwrap();
    let late = UnixTime::parse("2031-01-01T00:00:00Z").unwrap();
    let error = updater(&world, Mode::OfflineAsOf(late))
        .refresh()
        .unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("expired.root", Class::Stale)
    );
    let error = updater(&world, Mode::OfflineAsOf(NOW))
        .find(&path("team/app"))
        .unwrap_err();
    assert_eq!(error.code(), "offline.missing");
}

#[test]
fn embedded_metadata_is_enough_to_work_offline() {
    let world = world();
    updater(&world, Mode::Online).refresh().unwrap();
    let items = [
        Item::Role(RoleName::Timestamp),
        Item::Role(RoleName::Snapshot),
        Item::Role(RoleName::Targets),
    ];
    let embedded = items.map(|item| {
        let bytes = world.store.load(&item, u64::MAX).unwrap().unwrap();
        (item, bytes)
    });
    let offline = Updater::builder(world.repository.anchor(), ReadOnlyStore::embedded(embedded))
        .mode(Mode::OfflineAsOf(NOW))
        .build()
        .unwrap();
    offline.refresh().unwrap();
    offline.find(&path("app")).unwrap();
}

#[test]
fn a_clock_that_goes_back_is_reported_and_under_a_strict_policy_refused() {
    let world = world();
    updater(&world, Mode::Online).refresh().unwrap();
    world.clock.set(later(-299));
    updater(&world, Mode::Online).refresh().unwrap();
    assert!(!world.seen.has("the clock says"));
    world.clock.set(later(-700));
    updater(&world, Mode::Online).refresh().unwrap();
    assert!(world.seen.has("the clock says"));

    world.clock.set(NOW);
    updater(&world, Mode::Online).refresh().unwrap();
    world.clock.set(later(-700));
    let strict = world
        .builder(world.store.clone())
        .source(Source::at("memory://one"))
        .policy(Policy::strict())
        .build()
        .unwrap();
    let error = strict.refresh().unwrap_err();
    assert_eq!((error.code(), error.class()), ("clock.back", Class::Local));
}

#[test]
fn minimum_versions_reach_the_core() {
    let world = world();
    let mut policy = Policy::default();
    policy.minimum_versions.snapshot = tuffet_core::metadata::Version::new(3);
    let updater = world
        .builder(world.store.clone())
        .source(Source::at("memory://one"))
        .policy(policy)
        .build()
        .unwrap();
    assert_eq!(updater.refresh().unwrap_err().code(), "backstop.snapshot");
}

#[test]
fn a_refresh_can_be_repeated_and_a_find_refreshes_first() {
    let mut world = world();
    let updater = world.updater();
    assert!(updater.view().is_none());
    let found = updater.find(&path("app")).unwrap();
    let first = updater.view().unwrap();
    world.repository.target("app", b"new content");
    world.repository.publish();
    world.serve();
    let second = updater.refresh().unwrap();
    assert!(second.targets().version() > first.targets().version());
    // The first view stays what it was.
    assert_eq!(first.targets().version().number(), 2);
    let error = updater.proof(&found).unwrap_err();
    assert_eq!(error.class(), Class::Misuse);
    let found = updater.find(&path("app")).unwrap();
    assert_eq!(updater.proof(&found).unwrap().target, found.target);
}

#[test]
fn c00_a_repository_that_is_repaired_is_trusted_again() {
    let world = world();
    for (file, fault) in [
        ("timestamp.json", Fault::Other(b"x".to_vec())),
        ("2.snapshot.json", Fault::Absent),
        ("2.targets.json", Fault::Endless),
    ] {
        world.fail(&format!("one/metadata/{file}"), [fault]);
        world.updater().refresh().unwrap_err();
    }
    world.updater().refresh().unwrap();
}

#[test]
fn c12_a_switch_to_consistent_snapshots_is_followed() {
    let mut repository = Repository::new();
    repository.set_consistent(false);
    repository.target("dir/app", b"content");
    repository.publish();
    let mut world = World::new(repository);
    let updater = world.updater();
    let found = updater.find(&path("dir/app")).unwrap();
    assert_eq!(found.url_paths(), ["dir/app"]);
    world.repository.set_consistent(true);
    world.repository.target("dir/app", b"new content");
    world.repository.publish();
    world.serve();
    world.take_urls();
    updater.refresh().unwrap();
    let found = updater.find(&path("dir/app")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    updater
        .download(&found, &Destination::below(directory.path()))
        .unwrap();
    let hash = digest(HashAlgorithm::Sha256, b"new content");
    assert_eq!(
        world.take_urls(),
        [
            "one/metadata/3.root.json",
            "one/metadata/4.root.json",
            "one/metadata/timestamp.json",
            "one/metadata/2.snapshot.json",
            "one/metadata/2.targets.json",
            &format!("one/targets/dir/{hash}.app"),
        ]
    );
}
