//! What is stored, in which order, and what becomes of a store that is interrupted, damaged or old: rules C-00, C-01, O-02,
//! decisions, core rule 4.5 (the clock), offline use.

use tuffet_core::metadata::UnixTime;
use tuffet_core::trust::{
    Answer, Context, Error, Event, Item, Limits, Mode, Policy, Refresh, Rejected, Step,
    TrustAnchor, last_refresh,
};

use tuffet_testkit::expect::rollback;
use tuffet_testkit::{Delegated, NOW, Repository, TestKey, Toy, World, name, time, version};

/// A client that looks for a target of a delegated role.
fn world() -> World {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("team", &["team/*"]));
    repository.add_target("team", "team/tool", b"tool 1");
    repository.write();
    let mut world = World::of(repository);
    world.wanted = Some("team/tool");
    world
}

/// Lets the client crash after every single operation, and asserts that it then holds old or new files and nothing else, and
/// that its next attempt ends where an undisturbed one does.
fn crash_everywhere(start: &World) {
    let mut whole = start.clone();
    whole.attempt().expect("the undisturbed attempt succeeds");
    let (old, new) = (start.metadata(), whole.metadata());
    for stop in 0..whole.log.len() {
        let mut world = start.clone();
        world.stop_after = Some(stop);
        let mut view = world.try_refresh();
        if let Ok(view) = &mut view {
            world
                .try_search(view, "team/tool")
                .expect_err("it has to stop somewhere");
        }
        for (item, digest) in world.metadata() {
            let known = [old.get(&item), new.get(&item)];
            let of_a_root_between = item == Item::Role(name("root"));
            assert!(
                known.contains(&Some(&digest)) || of_a_root_between,
                "{stop}: {item}"
            );
        }
        world.stop_after = None;
        world
            .attempt()
            .unwrap_or_else(|error| panic!("{stop}: {error}"));
        assert_eq!(world.metadata(), new, "{stop}");
        world.recovers();
    }
}

#[test]
fn c00_a_first_refresh_may_stop_anywhere() {
    crash_everywhere(&world());
}

#[test]
fn c00_a_later_refresh_may_stop_anywhere() {
    let mut world = world();
    world.attempt().unwrap();
    world.repository.publish();
    crash_everywhere(&world);
}

#[test]
fn c00_a_refresh_over_several_rotations_may_stop_anywhere() {
    let mut world = world();
    world.attempt().unwrap();
    let keys = ["new-1", "new-2"].map(TestKey::new);
    world.repository.rotate("root", &keys, 2);
    for role in ["timestamp", "snapshot", "targets"] {
        world
            .repository
            .rotate(role, &[TestKey::new(&format!("new {role}"))], 1);
    }
    world.repository.publish();
    crash_everywhere(&world);
}

#[test]
fn c00_a_switch_of_consistent_snapshots_may_stop_anywhere() {
    let mut world = world();
    world.attempt().unwrap();
    tuffet_testkit::insert(
        &mut world.repository.root.signed,
        &["consistent_snapshot"],
        false,
    );
    world.repository.publish_root();
    world.repository.publish();
    crash_everywhere(&world);
}

#[test]
fn c00_the_order_of_the_first_refresh() {
    let mut world = world();
    world.attempt().unwrap();
    assert_eq!(
        world.story(),
        "load record of the last refresh\n\
         load root version 2\n\
         load root metadata\n\
         put root version 1\n\
         put root metadata\n\
         fetch 2.root.json\n\
         load timestamp metadata\n\
         load snapshot metadata\n\
         fetch timestamp.json\n\
         put record of the last refresh\n\
         put timestamp metadata\n\
         fetch 1.snapshot.json\n\
         put record of the last refresh\n\
         put snapshot metadata\n\
         load targets metadata\n\
         fetch 1.targets.json\n\
         put targets metadata\n\
         put record of the last refresh\n\
         load team metadata\n\
         fetch 1.team.json\n\
         put team metadata\n"
    );
}

#[test]
fn c01_one_moment_decides_about_every_expiry() {
    let mut world = world();
    let date = "2030-01-01T00:00:01Z";
    world
        .repository
        .delegated
        .get_mut("team")
        .unwrap()
        .expire(date);
    world.repository.publish();
    let mut view = world.refresh().unwrap();
    assert_eq!(view.started(), time(NOW));
    // Hours later a search in that view still goes by the moment at which its refresh began.
    world.now = time("2030-01-01T09:00:00Z");
    world.search(&mut view, "team/tool").unwrap();
    let rejected = world.find("team/tool").unwrap_err();
    assert_eq!(
        rejected.code(),
        "expired.delegated",
        "a new refresh has a new moment"
    );
}

#[test]
fn c01_a_view_is_fresh_until_the_first_of_its_files_expires() {
    let mut world = world();
    assert_eq!(
        world.refresh().unwrap().fresh_until(),
        time("2031-01-01T00:00:00Z")
    );
    for (month, role) in ["root", "timestamp", "snapshot", "targets"]
        .into_iter()
        .enumerate()
    {
        let date = format!("2030-{:02}-01T00:00:00Z", 9 - month);
        world.repository.document(role).expire(&date);
        world.repository.publish_root();
        world.repository.publish();
        assert_eq!(
            world.refresh().unwrap().fresh_until(),
            time(&date),
            "{role}"
        );
    }
}

fn ignored(world: &World) -> Vec<(Item, &'static str)> {
    let events = world.events.iter();
    events
        .filter_map(|event| match event {
            Event::CacheIgnored { item, reason } => Some((item.clone(), reason.code())),
            _ => None,
        })
        .collect()
}

#[test]
fn a34_damaged_files_are_ignored_and_reported() {
    let mut start = world();
    start.repository.publish_root();
    start.attempt().unwrap();
    let table = [
        (Item::Record, "format.root"),
        (Item::Root(version(2)), "format.root"),
        (Item::Role(name("timestamp")), "format.timestamp"),
        (Item::Role(name("snapshot")), "format.snapshot"),
    ];
    for (item, code) in table {
        let mut world = start.clone();
        world.store.insert(item.clone(), b"{".to_vec());
        world.attempt().unwrap();
        assert_eq!(ignored(&world), [(item.clone(), code)]);
        assert_eq!(world.metadata(), start.metadata(), "{item} is repaired");
        world.attempt().unwrap();
        assert_eq!(ignored(&world), []);

        let mut strict = start.clone();
        strict.policy.strict_local = true;
        strict.store.insert(item.clone(), b"{".to_vec());
        let before = strict.store.clone();
        let rejected = strict.refresh().unwrap_err();
        assert_eq!(
            (rejected.code(), rejected),
            ("cache.corrupt", Rejected::Cache { item })
        );
        assert!(
            strict.store == before,
            "the damaged file stays for whoever looks into it"
        );
    }
}

#[test]
fn a34_a_floor_that_is_not_the_file_that_was_accepted_is_damage_and_no_rotation() {
    let mut start = world();
    start.attempt().unwrap();
    for role in ["timestamp", "snapshot"] {
        let item = Item::Role(name(role));
        let damaged = String::from_utf8(start.store[&item].clone()).unwrap();
        let damaged = damaged
            .replacen("\"expires\":\"2", "\"expires\":\"3", 1)
            .into_bytes();
        assert_ne!(damaged, start.store[&item]);
        let mut world = start.clone();
        world.store.insert(item.clone(), damaged.clone());
        world.attempt().unwrap();
        let code = if role == "timestamp" {
            "threshold.timestamp"
        } else {
            "threshold.snapshot"
        };
        assert_eq!(ignored(&world), [(item.clone(), code)]);

        let mut strict = start.clone();
        strict.policy.strict_local = true;
        strict.store.insert(item.clone(), damaged);
        assert_eq!(strict.refresh().unwrap_err(), Rejected::Cache { item });
    }
}

#[test]
fn a34_what_a_lost_record_knew_of_the_stored_files_is_written_again() {
    for lost in [None, Some(b"{".to_vec())] {
        let mut world = world();
        world.attempt().unwrap();
        let before = world.store[&Item::Record].clone();
        match lost {
            None => world.store.remove(&Item::Record),
            Some(bytes) => world.store.insert(Item::Record, bytes),
        };
        world.attempt().unwrap();
        assert_eq!(
            String::from_utf8(world.store[&Item::Record].clone()),
            String::from_utf8(before)
        );
    }
}

#[test]
fn a34_damaged_targets_roles_are_fetched_again() {
    for role in ["targets", "team"] {
        let mut world = world();
        world.attempt().unwrap();
        let before = world.metadata();
        world.store.insert(Item::Role(name(role)), b"{".to_vec());
        world.attempt().unwrap();
        assert!(world.fetched().contains(&format!("1.{role}.json").as_str()));
        assert_eq!(world.metadata(), before);
    }
}

#[test]
fn a34_a_missing_file_is_fetched_again() {
    let mut start = world();
    start.repository.publish_root();
    start.attempt().unwrap();
    for item in start.store.keys() {
        let mut world = start.clone();
        world.policy.strict_local = true;
        world.store.remove(item);
        world.attempt().unwrap();
        let mut expected = start.metadata();
        if *item == Item::Root(version(1)) {
            // The copy of the anchor is for the day on which there is a newer anchor.
            expected.remove(item);
        }
        assert_eq!(world.metadata(), expected, "{item}");
    }
}

#[test]
fn a33_a_stored_timestamp_is_a_floor_in_a_store_without_a_snapshot_too() {
    let mut world = world();
    let old = world.repository.clone();
    world.repository.publish();
    world.refresh().unwrap();
    world.store.remove(&Item::Role(name("snapshot")));
    world.repository = old;
    assert_eq!(world.refresh().unwrap_err(), rollback("timestamp", 2, 1));
}

#[test]
fn clock_that_went_back_is_reported_and_strict_mode_stops() {
    let mut world = world();
    world.attempt().unwrap();
    let last = time(NOW);
    let at = |world: &mut World, seconds: i64| {
        world.now = UnixTime(last.0 - seconds);
        world.refresh().map(drop)
    };
    let back = |now: i64| Event::ClockBack {
        now: UnixTime(last.0 - now),
        last,
    };
    assert_eq!(world.policy.clock_skew, 300);
    at(&mut world.clone(), 300).unwrap();
    let mut behind = world.clone();
    at(&mut behind, 301).unwrap();
    assert!(behind.events.contains(&back(301)));
    let mut within = world.clone();
    at(&mut within, 300).unwrap();
    assert!(!within.events.contains(&back(300)));

    world.policy.strict_local = true;
    let before = world.store.clone();
    let rejected = at(&mut world, 301).unwrap_err();
    let expected = Rejected::Clock {
        now: UnixTime(last.0 - 301),
        last,
    };
    assert_eq!((rejected.code(), rejected), ("clock.back", expected));
    assert!(world.store == before && world.fetched().is_empty());
    at(&mut world, 300).unwrap();
}

#[test]
fn a40_clock_is_recorded_only_by_refreshes_that_succeed() {
    let mut world = world();
    world.attempt().unwrap();
    world.policy.strict_local = true;
    // With a clock far ahead everything has expired: nothing is recorded, and the way back is free.
    world.now = time("2040-01-01T00:00:00Z");
    assert_eq!(world.refresh().unwrap_err().code(), "expired.root");
    world.now = time(NOW);
    world.refresh().unwrap();
    // Nor does an offline refresh record anything.
    world.now = time("2030-06-01T00:00:00Z");
    world.mode = Mode::Offline;
    world.refresh().unwrap();
    world.now = time(NOW);
    world.refresh().unwrap();
}

#[test]
fn c24_c42_a33_offline_nothing_is_fetched_and_everything_is_verified() {
    let mut world = world();
    world.attempt().unwrap();
    world.mode = Mode::Offline;
    let before = world.store.clone();
    world.attempt().unwrap();
    assert!(world.fetched().is_empty() && world.store == before);

    for role in ["timestamp", "snapshot", "targets", "team"] {
        let item = Item::Role(name(role));
        let mut lacks = world.clone();
        lacks.store.remove(&item);
        let rejected = lacks.attempt().unwrap_err();
        assert_eq!(
            (rejected.code(), rejected),
            ("offline.missing", Rejected::Offline { item: item.clone() })
        );

        let mut forged = world.clone();
        forged.repository.document(role).signers.clear();
        forged
            .store
            .insert(item, forged.repository.document(role).bytes());
        let rejected = forged.attempt().unwrap_err();
        let expected = match role {
            // What cannot be trusted is no file at all; the event says why.
            "timestamp" | "snapshot" => "offline.missing".to_owned(),
            // Snapshot lists the hashes of the honest file.
            "targets" => "length.targets".to_owned(),
            _ => "length.delegated".to_owned(),
        };
        assert_eq!(rejected.code(), expected, "{role}");
    }

    let mut late = world.clone();
    late.repository
        .document("timestamp")
        .expire("2030-02-01T00:00:00Z");
    late.repository.publish();
    late.mode = Mode::Online;
    late.attempt().unwrap();
    late.mode = Mode::Offline;
    late.now = time("2030-02-01T00:00:00Z");
    assert_eq!(late.refresh().unwrap_err().code(), "expired.timestamp");
}

#[test]
fn offline_void_files_are_not_used() {
    let mut world = world();
    world.attempt().unwrap();
    // The root that rotates is stored, and then the line is cut.
    world.repository.rotate(
        "timestamp",
        &[TestKey::new("timestamp"), TestKey::new("more")],
        1,
    );
    world
        .repository
        .rotate("timestamp", &[TestKey::new("timestamp")], 1);
    world.repository.files.remove("timestamp.json");
    world.refresh().unwrap_err();
    world.mode = Mode::Offline;
    assert_eq!(
        world.refresh().unwrap_err(),
        Rejected::Offline {
            item: Item::Role(name("timestamp"))
        }
    );
}

#[test]
fn o02_every_way_out_of_a_refresh_is_a_typed_error() {
    let start = world();
    let names = ["timestamp", "snapshot", "targets", "team"];
    let mut codes = std::collections::BTreeSet::new();
    for role in names {
        let file = start.clone().repository.current(role);
        let whole = start.repository.files[&file].clone();
        let answers: [Option<Vec<u8>>; 6] = [
            None,
            Some(Vec::new()),
            Some(b"{}".to_vec()),
            Some(whole[..whole.len() / 2].to_vec()),
            Some([whole.clone(), b" {}".to_vec()].concat()),
            Some(vec![b' '; 6_000_000]),
        ];
        for answer in answers {
            let mut world = start.clone();
            match answer {
                Some(bytes) => drop(world.repository.files.insert(file.clone(), bytes)),
                None => drop(world.repository.files.remove(&file)),
            }
            let rejected = world.attempt().unwrap_err();
            let explained = tuffet_core::explain::find(rejected.code());
            assert!(explained.is_some(), "{}", rejected.code());
            assert!(rejected.to_string().contains(role), "{rejected}");
            codes.insert(rejected.code().split('.').next().unwrap().to_owned());
        }
    }
    let all: Vec<&str> = codes.iter().map(String::as_str).collect();
    assert_eq!(all, ["format", "length", "missing"]);
}

#[test]
fn o02_an_answer_that_does_not_fit_is_misuse_and_changes_nothing() {
    let (crypto, policy) = (Toy::default(), Policy::default());
    let context = Context {
        crypto: &crypto,
        policy: &policy,
        now: time(NOW),
    };
    let anchor = TrustAnchor::Root(Repository::new().root.bytes());
    let mut refresh = Refresh::new(anchor, Mode::Online, context);
    let misuse = Error::Misuse("the answer does not fit the step");
    let mut seen = 0;
    loop {
        let step = refresh.step();
        let (wrong, right) = match &step {
            Step::Load(_) => (Answer::Stored, Answer::Absent),
            Step::Fetch(fetch) if fetch.file.role == name("root") => {
                (Answer::Stored, Answer::Absent)
            }
            Step::Store(_) => (Answer::Absent, Answer::Stored),
            Step::Fetch(_) | Step::Done => break,
        };
        assert_eq!(refresh.answer(wrong), Err(misuse.clone()), "{step:?}");
        assert_eq!(refresh.step(), step);
        refresh.answer(right).unwrap();
        seen += 1;
    }
    assert_eq!(seen, 7, "up to the timestamp");
    assert_eq!(
        refresh.finish().unwrap_err(),
        Error::Misuse("the refresh is not done")
    );
}

#[test]
fn a40_the_record_says_when_the_last_refresh_began() {
    let world = World::refreshed();
    let record = &world.store[&Item::Record];
    assert_eq!(last_refresh(record, &*world.crypto), Some(world.now));
    let damaged = &record[..record.len() - 1];
    assert_eq!(last_refresh(damaged, &*world.crypto), None);
}

#[test]
fn f32_of_a_stored_item_no_more_is_read_than_was_ever_accepted() {
    let mut limits = Limits::default();
    for (ceiling, snapshot, targets) in [(1_000, 2_000, 3_000), (5_000, 5_000, 5_000)] {
        limits.root = 11;
        limits.timestamp = 12;
        limits.snapshot = 2_000;
        limits.targets = 3_000;
        limits.signed_length = ceiling;
        for (item, expected) in [
            (Item::Root(version(3)), 11),
            (Item::Role(name("root")), 11),
            (Item::Role(name("timestamp")), 12),
            (Item::Role(name("snapshot")), snapshot),
            (Item::Role(name("targets")), targets),
            (Item::Role(name("team")), targets),
            (Item::Record, 65_536),
        ] {
            assert_eq!(limits.of_stored(&item), expected, "{item} at {ceiling}");
        }
    }
}
