//! Several repositories that have to agree (TAP 4).

use std::sync::Arc;

use tuffet_client::blocking::{MapUpdater, Updater};
use tuffet_client::transport::TransportErrorKind as Kind;
use tuffet_client::{
    Class, Destination, Failure, Fault, FixedClock, MemoryStore, MemoryTransport, Rejected,
    RepositoryMap, Source,
};

use crate::repository::{NOW, Repository};
use crate::world::path;

const MAP: &[u8] = br#"{
    "repositories": {"a": ["memory://a"], "b": ["memory://b"], "c": ["memory://c"]},
    "mapping": [
        {"paths": ["app*"], "repositories": ["a", "b", "c"], "threshold": 2, "terminating": true},
        {"paths": ["either"], "repositories": ["a"], "threshold": 1, "terminating": false},
        {"paths": ["either"], "repositories": ["b"], "threshold": 1, "terminating": true}
    ]
}"#;

struct Three {
    transport: MemoryTransport,
    updater: MapUpdater,
}

/// Three repositories, each with its own list of targets.
fn three(targets: [&[(&str, &[u8])]; 3]) -> Three {
    let transport = MemoryTransport::new();
    let map = RepositoryMap::parse(MAP).unwrap();
    let updaters = ["a", "b", "c"]
        .into_iter()
        .zip(targets)
        .map(|(name, targets)| {
            let mut repository = Repository::new();
            for (path, bytes) in targets {
                repository.target(path, bytes);
            }
            repository.publish();
            let base = format!("memory://{name}");
            repository.serve(&transport, &base);
            let updater = Updater::builder(repository.anchor(), MemoryStore::new())
                .source(Source::at(&base))
                .transport(Arc::new(transport.clone()))
                .clock(FixedClock(NOW))
                .build()
                .unwrap();
            (name.to_owned(), updater)
        });
    let updater = MapUpdater::new(map, updaters).unwrap();
    Three { transport, updater }
}

#[test]
fn m01_enough_repositories_that_agree_are_enough() {
    let three = three([
        &[("app", b"good")],
        &[("app", b"evil")],
        &[("app", b"good")],
    ]);
    let agreed = three.updater.find(&path("app")).unwrap();
    let names: Vec<&str> = agreed
        .repositories
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["a", "c"]);

    // The first one fails to deliver, the other one that agrees does.
    let url = format!(
        "memory://a/targets/{}",
        agreed.found().unwrap().url_paths()[0]
    );
    three.transport.fail(url, Fault::Other(b"evil".to_vec()));
    let directory = tempfile::tempdir().unwrap();
    let done = three
        .updater
        .download(&agreed, &Destination::below(directory.path()))
        .unwrap();
    assert_eq!(std::fs::read(done.path).unwrap(), b"good");
}

#[test]
fn nobody_further_is_asked_once_it_is_decided() {
    let three = three([&[("app", b"good")], &[("app", b"good")], &[]]);
    three.updater.find(&path("app")).unwrap();
    let requests = three.transport.take_requests();
    assert!(
        requests
            .iter()
            .all(|request| !request.url.starts_with("memory://c"))
    );
}

#[test]
fn too_few_that_agree_are_an_error_that_tells_what_each_said() {
    let three = three([&[("app", b"one")], &[("app", b"two")], &[]]);
    let error = three.updater.find(&path("app")).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("map.disagreement", Class::Untrustworthy)
    );
    assert!(matches!(
        error.rejected(),
        Some(Rejected::Disagreement {
            have: 1,
            need: 2,
            ..
        })
    ));
    let attempts = error.attempts();
    assert_eq!((attempts.len(), attempts[0].url.as_str()), (1, "c"));
    assert!(matches!(&attempts[0].failure, Failure::Rejected(rejected)
        if matches!(**rejected, Rejected::NotFound { .. })));
}

#[test]
fn m04_a_repository_that_is_down_or_hostile_has_no_voice() {
    for fault in [Fault::Fatal(Kind::Connect), Fault::Other(b"{}".to_vec())] {
        let three = three([
            &[("app", b"good")],
            &[("app", b"good")],
            &[("app", b"good")],
        ]);
        three
            .transport
            .fail("memory://a/metadata/timestamp.json", fault);
        let agreed = three.updater.find(&path("app")).unwrap();
        assert_eq!(agreed.repositories[0].0, "b");
    }
    let three = three([&[("app", b"good")], &[], &[]]);
    three.transport.fail(
        "memory://a/metadata/timestamp.json",
        Fault::Fatal(Kind::Connect),
    );
    let error = three.updater.find(&path("app")).unwrap_err();
    assert_eq!(error.code(), "map.disagreement");
}

#[test]
fn a_target_that_nobody_lists_or_nobody_is_asked_for_is_not_found() {
    let three = three([&[], &[], &[]]);
    for name in ["app", "unmapped"] {
        let error = three.updater.find(&path(name)).unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            ("target.not-found", Class::NotFound)
        );
    }
}

#[test]
fn m03_the_next_mapping_decides_only_after_one_that_is_not_terminating() {
    let three = three([&[], &[("either", b"b")], &[("app", b"c")]]);
    assert_eq!(
        three.updater.find(&path("either")).unwrap().repositories[0].0,
        "b"
    );
    assert!(three.updater.find(&path("app")).is_err());
}

#[test]
fn every_repository_of_the_map_needs_an_updater() {
    let map = RepositoryMap::parse(MAP).unwrap();
    let error = MapUpdater::new(map, Vec::<(String, Updater)>::new()).unwrap_err();
    assert_eq!(error.class(), Class::Misuse);
}
