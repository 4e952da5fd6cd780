//! Downloads that were interrupted go on where they stopped, and nobody is blamed for the bytes of another.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tuffet_client::transport::TransportErrorKind as Kind;
use tuffet_client::{
    CancelToken, Class, Destination, Error, Fault, FileDeadline, Notice, Retry, Source,
};

use super::{Setup, content};

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

/// What is written past the page cache: long, not of a round length, and broken off where no piece ends.
#[test]
fn a_long_download_goes_on_after_an_interruption_and_after_a_restart() {
    let bytes: Vec<u8> = (0..18_000_007_u32).map(|at| (at % 251) as u8).collect();
    let setup = Setup::of("long", &bytes);
    let (first, second) = (5_000_003_u64, 9_000_001);
    let broken = [Fault::Interrupted(first), Fault::Interrupted(second)];
    for (mirror, fault) in ["one", "two"].into_iter().zip(broken) {
        setup.world.fail(&setup.url(mirror), [fault]);
    }
    let (once, destination) = (setup.once(), setup.destination());
    once.download(&setup.found, &destination).unwrap_err();
    let partial = setup
        .files()
        .into_iter()
        .find(|file| file.ends_with(".part"));
    let partial = fs::read(setup.directory.path().join(partial.unwrap())).unwrap();
    let so_far = first + second;
    assert!(partial == bytes[..usize::try_from(so_far).unwrap()]);
    drop(once);

    setup.once().download(&setup.found, &destination).unwrap();
    assert_eq!(setup.take_offsets(), [0, first, so_far]);
    assert_eq!(setup.files(), ["long"]);
    assert!(fs::read(setup.directory.path().join("long")).unwrap() == bytes);
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

/// How often each mirror was asked.
fn asked(setup: &Setup) -> (usize, usize) {
    let urls = setup.world.take_urls();
    let of = |mirror| urls.iter().filter(|url| url.starts_with(mirror)).count();
    (of("one/"), of("two/"))
}

#[test]
fn a_mirror_that_begins_anew_and_breaks_is_given_up() {
    let bytes = vec![7; 4 * 1024 * 1024];
    let setup = Setup::of("big", &bytes);
    // More than a mebibyte each time, but never further than the first time.
    let begun_anew = vec![Fault::Restarted(1_200_000); 50];
    setup.world.fail(&setup.url("one"), begun_anew);
    let updater = setup.world.mirrored();
    updater
        .download(&setup.found, &setup.destination())
        .unwrap();
    let attempts = usize::try_from(Retry::default().attempts).unwrap();
    assert_eq!(asked(&setup), (attempts, 1));
}

#[test]
fn a_mirror_that_begins_anew_and_comes_a_little_further_each_time_is_given_up() {
    let bytes = vec![7; 24 * 1024 * 1024];
    let setup = Setup::of("big", &bytes);
    let further = (1..=20).map(|time| Fault::Restarted(time * 1_200_000));
    setup.world.fail(&setup.url("one"), further);
    let sent = Arc::new(AtomicU64::new(0));
    let (seen, last) = (Arc::clone(&sent), AtomicU64::new(0));
    let retry = {
        let mut retry = Retry::default();
        retry.attempts = 2;
        retry
    };
    let updater = setup
        .world
        .builder(setup.world.store.clone())
        .source(Source::at("memory://one"))
        .source(Source::at("memory://two"))
        .retry(retry)
        .observer(move |notice: &Notice<'_>| {
            if let Notice::Progress { received, .. } = notice {
                let before = last.swap(*received, Ordering::Relaxed);
                let more = received.checked_sub(before).unwrap_or(*received);
                seen.fetch_add(more, Ordering::Relaxed);
            }
        })
        .build()
        .unwrap();
    updater
        .download(&setup.found, &setup.destination())
        .unwrap();
    let (one, two) = asked(&setup);
    assert!(one < 20, "{one}");
    assert_eq!(two, 1);
    // Once for each attempt and once more, what the last stream brings beyond that, and the rest from the second mirror.
    let length = bytes.len() as u64;
    assert!(sent.load(Ordering::Relaxed) <= 5 * length);
}

#[test]
fn a_mirror_that_takes_too_long_for_a_target_is_passed_over() {
    let setup = Setup::new();
    let limited = |target_deadline| {
        setup
            .world
            .builder(setup.world.store.clone())
            .source(Source::at("memory://one"))
            .source(Source::at("memory://two"))
            .target_deadline(target_deadline)
            .build()
            .unwrap()
            .download(&setup.found, &setup.destination())
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
    assert_eq!(error.attempts().len(), 2);
    limited(None).unwrap();
    assert!(setup.is_downloaded());
}

#[test]
fn the_next_mirror_goes_on_where_the_time_of_the_first_one_ended() {
    let setup = Setup::new();
    let error = Fault::Stalled(300_000, Kind::Deadline);
    setup.world.fail(&setup.url("one"), [error]);
    setup
        .world
        .mirrored()
        .download(&setup.found, &setup.destination())
        .unwrap();
    assert_eq!(setup.take_offsets(), [0, 300_000]);
    assert!(setup.is_downloaded());
}
