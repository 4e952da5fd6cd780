//! Mirrors and retries: one good mirror is enough, and an error tells of all.

use std::time::Duration;

use tuffet_client::transport::TransportErrorKind as Kind;
use tuffet_client::{Class, Destination, Error, Failure, Fault, FileDeadline, Retry, Source};

use tuffet_core::trust::Policy;

use crate::repository::Repository;
use crate::world::{World, path};

fn world() -> World {
    World::new(Repository::with_target("app", b"content"))
}

#[test]
fn a_mirror_that_is_down_is_passed_over_and_asked_last_from_then_on() {
    let world = world();
    world.fail("one/metadata/2.root.json", [Fault::Fatal(Kind::Connect)]);
    world.mirrored().refresh().unwrap();
    assert_eq!(
        world.take_urls(),
        [
            "one/metadata/2.root.json",
            "two/metadata/2.root.json",
            "two/metadata/timestamp.json",
            "two/metadata/1.snapshot.json",
            "two/metadata/1.targets.json",
        ]
    );
}

#[test]
fn a_newer_root_is_looked_for_at_every_mirror() {
    let mut world = world();
    world.repository.new_root();
    let newer = world.repository.made.files["2.root.json"].clone();
    world
        .transport
        .put("memory://two/metadata/2.root.json", newer);
    let view = world.mirrored().refresh().unwrap();
    assert_eq!(view.root().version().number(), 2);
    assert_eq!(
        world.take_urls()[..4],
        [
            "one/metadata/2.root.json",
            "two/metadata/2.root.json",
            "one/metadata/3.root.json",
            "two/metadata/3.root.json",
        ]
    );
}

#[test]
fn a17_a_root_that_nobody_can_answer_for_is_not_absent() {
    let world = world();
    for mirror in ["one", "two"] {
        world.fail(
            &format!("{mirror}/metadata/2.root.json"),
            [Fault::Fatal(Kind::Status(503))],
        );
    }
    let error = world.mirrored().refresh().unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("network.status", Class::Unavailable)
    );
    assert_eq!(error.attempts().len(), 2);
}

#[test]
fn a17_strictly_all_mirrors_must_say_that_there_is_no_newer_root() {
    let world = world();
    world.fail("one/metadata/2.root.json", [Fault::Fatal(Kind::Connect)]);
    let updater = |policy| {
        world
            .builder(world.store.clone())
            .source(Source::at("memory://one"))
            .source(Source::at("memory://two"))
            .policy(policy)
            .build()
            .unwrap()
    };
    let error = updater(Policy::strict()).refresh().unwrap_err();
    assert_eq!(error.class(), Class::Unavailable);
    updater(Policy::default()).refresh().unwrap();
}

#[test]
fn f60_a_hostile_mirror_cannot_keep_a_client_from_a_good_one() {
    let world = world();
    let other = Repository::with_target("app", b"malware");
    for file in ["timestamp.json", "1.snapshot.json", "1.targets.json"] {
        // Signed by the same keys in this test, but never what the snapshot of the good mirror lists.
        let mut bytes = other.made.files[file].clone();
        bytes.push(b'x');
        world
            .transport
            .put(format!("memory://one/metadata/{file}"), bytes);
    }
    world
        .transport
        .put("memory://one/metadata/2.root.json", b"{}".to_vec());
    world.mirrored().refresh().unwrap();
    assert!(
        world
            .seen
            .has("mirror failed: memory://one/metadata/2.root.json: root metadata")
    );
}

#[test]
fn the_gravest_refusal_is_the_error_and_every_mirror_is_listed() {
    let mut world = world();
    let old = world.repository.made.files["timestamp.json"].clone();
    world.repository.target("app", b"new");
    world.repository.publish();
    world.serve();
    world.updater().refresh().unwrap();
    // The first mirror is down, the second one goes back in time.
    world.fail("one/metadata/timestamp.json", [Fault::Fatal(Kind::Connect)]);
    world
        .transport
        .put("memory://two/metadata/timestamp.json", old);
    let error = world.mirrored().refresh().unwrap_err();
    assert_eq!(error.code(), "rollback.timestamp");
    assert_eq!(error.class(), Class::Untrustworthy);
    let urls: Vec<&str> = error
        .attempts()
        .iter()
        .map(|attempt| attempt.url.as_str())
        .collect();
    assert_eq!(
        urls,
        [
            "memory://one/metadata/timestamp.json",
            "memory://two/metadata/timestamp.json"
        ]
    );
    assert!(matches!(error.attempts()[0].failure, Failure::Transport(_)));
    assert!(matches!(error.attempts()[1].failure, Failure::Rejected(_)));
}

#[test]
fn a_file_that_one_mirror_does_not_have_comes_from_the_next() {
    let world = world();
    world
        .transport
        .remove("memory://one/metadata/1.snapshot.json");
    world.mirrored().refresh().unwrap();

    let world = self::world();
    for mirror in ["one", "two"] {
        world
            .transport
            .remove(&format!("memory://{mirror}/metadata/1.snapshot.json"));
    }
    let error = world.mirrored().refresh().unwrap_err();
    assert_eq!(error.code(), "missing.snapshot");
    assert_eq!(error.attempts().len(), 2);
}

#[test]
fn requests_are_repeated_as_often_as_the_policy_says_with_growing_pauses() {
    let world = world();
    world.fail(
        "one/metadata/timestamp.json",
        [
            Fault::Retryable(Kind::Status(503), Some(7)),
            Fault::Interrupted(10),
        ],
    );
    world.updater().refresh().unwrap();
    let pauses = world.clock.take_pauses();
    assert_eq!(pauses.len(), 2);
    assert_eq!(pauses[0], Duration::from_secs(7));
    assert!(pauses[1] >= Duration::from_millis(500) && pauses[1] <= Duration::from_secs(1));

    world.fail(
        "one/metadata/timestamp.json",
        vec![Fault::Retryable(Kind::Idle, None); 3],
    );
    world.take_urls();
    let error = world.updater().refresh().unwrap_err();
    assert_eq!(error.code(), "network.idle");
    assert_eq!(world.take_urls().len(), 4);
}

#[test]
fn what_was_refused_is_not_asked_for_again_at_the_same_mirror() {
    let world = world();
    world.fail(
        "one/metadata/timestamp.json",
        [Fault::Other(b"{}".to_vec())],
    );
    let error = world.updater().refresh().unwrap_err();
    assert_eq!(error.code(), "format.timestamp");
    assert_eq!(
        world.take_urls(),
        ["one/metadata/2.root.json", "one/metadata/timestamp.json"]
    );
    assert!(world.clock.take_pauses().is_empty());
}

#[test]
fn a_cancelled_operation_ends_before_the_next_request() {
    let world = world();
    let cancel = tuffet_client::CancelToken::new();
    let updater = world
        .builder(world.store.clone())
        .source(Source::at("memory://one"))
        .cancel(cancel.clone())
        .retry(Retry::never())
        .build()
        .unwrap();
    updater.refresh().unwrap();
    cancel.cancel();
    world.take_urls();
    let error = updater.refresh().unwrap_err();
    assert!(matches!(error, Error::Cancelled));
    assert_eq!(error.class(), Class::Cancelled);
    assert!(world.take_urls().is_empty());
}

#[test]
fn c20_endless_metadata_ends_at_the_limit() {
    for (file, code) in [
        ("2.root.json", "length.root"),
        ("timestamp.json", "length.timestamp"),
        ("1.snapshot.json", "length.snapshot"),
        ("1.targets.json", "length.targets"),
    ] {
        let world = world();
        if file == "2.root.json" {
            world
                .transport
                .put("memory://one/metadata/2.root.json", b"".to_vec());
        }
        world.fail(&format!("one/metadata/{file}"), [Fault::Endless]);
        let error = world.updater().refresh().unwrap_err();
        assert_eq!(error.code(), code);
    }
}

#[test]
fn an_updater_without_a_source_or_with_a_broken_one_cannot_be_built() {
    let world = world();
    let none = world.builder(world.store.clone()).build().unwrap_err();
    assert_eq!(none.class(), Class::Misuse);
    let broken = world
        .builder(world.store.clone())
        .source(Source::new("https://host/a b", "https://host"))
        .build();
    assert_eq!(broken.unwrap_err().class(), Class::Misuse);
}

#[test]
fn a_search_asks_the_mirrors_too() {
    let mut repository = Repository::new();
    repository.delegate("team", &["team/*"], false);
    repository.delegated_target("team", "team/app", b"content");
    repository.publish();
    let world = World::new(repository);
    world.transport.remove("memory://one/metadata/2.team.json");
    let updater = world.mirrored();
    updater.refresh().unwrap();
    let found = updater.find(&path("team/app")).unwrap();
    assert_eq!(found.role.as_str(), "team");
    let proof = updater.proof(&found).unwrap();
    assert_eq!(
        proof.steps.last().unwrap().matched.as_deref(),
        Some("team/*")
    );

    let error = updater.find(&path("team/other")).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("target.not-found", Class::NotFound)
    );
}

#[test]
fn a_refresh_that_takes_too_long_ends() {
    let world = world();
    let limited = |deadline| {
        world
            .builder(world.store.clone())
            .source(Source::at("memory://one"))
            .deadline(deadline)
            .build()
            .unwrap()
            .refresh()
    };
    let error = limited(Some(Duration::ZERO)).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("network.deadline", Class::Unavailable)
    );
    limited(None).unwrap();
}

#[test]
fn a_mirror_that_takes_too_long_for_a_file_is_passed_over() {
    let world = world();
    let limited = |file_deadline| {
        world
            .builder(world.store.clone())
            .source(Source::at("memory://one"))
            .source(Source::at("memory://two"))
            .file_deadline(file_deadline)
            .build()
            .unwrap()
            .refresh()
    };
    let error = limited(Some(FileDeadline {
        base: Duration::ZERO,
        bytes_per_second: u64::MAX,
    }))
    .unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("network.deadline", Class::Unavailable)
    );
    let asked: Vec<_> = error
        .attempts()
        .iter()
        .map(|attempt| &attempt.url)
        .collect();
    assert_eq!(
        asked,
        [
            "memory://one/metadata/2.root.json",
            "memory://two/metadata/2.root.json"
        ]
    );
    limited(None).unwrap();
}

#[test]
fn every_file_is_asked_for_within_a_time() {
    let world = world();
    let updater = world.mirrored();
    updater.refresh().unwrap();
    let requests = world.transport.take_requests();
    assert_eq!(requests.len(), 5);
    for request in requests {
        // The largest root takes two minutes over the slowest line that is put up with, the largest file of all eleven.
        let root = request.url.contains("root");
        let most = Duration::from_secs(if root { 122 } else { 671 });
        assert!(request.within.is_some_and(|within| within <= most));
    }
    let directory = tempfile::tempdir().unwrap();
    let found = updater.find(&path("app")).unwrap();
    world.transport.take_requests();
    updater
        .download(&found, &Destination::below(directory.path()))
        .unwrap();
    let requests = world.transport.take_requests();
    assert_eq!(requests.len(), 1);
    for request in requests {
        let most = FileDeadline::of_targets().of(found.target.length);
        assert!(request.within.is_some_and(|within| within <= most));
    }
}
