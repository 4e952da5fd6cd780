//! Removing from a published tree what nobody needs any more.

use std::fs::{self, File};
use std::time::{Duration, UNIX_EPOCH};

use tuffet_core::metadata::{RoleName, UnixTime};
use tuffet_repo::{
    Action, Destination, Disk, Error, FileSystem, Period, Plan, Prune, Write, WriteKind,
};

use crate::race::directories;
use crate::support::{DAY, NOW, World, after, code, files, path, run};

/// Publishes `old` on day 0, takes it out on day 10, and publishes once more on day 40, each file dated as of then.
fn history() -> World {
    let world = World::founded();
    world.add("app.tar", b"app");
    world.add("old", b"old");
    world.sign();
    publish_on(&world, 0);
    run(world.repository().remove_target(&path("old"), None, NOW));
    world.sign();
    publish_on(&world, 10);
    world.add("new", b"new");
    world.sign();
    publish_on(&world, 40);
    world
}

fn publish_on(world: &World, day: i64) {
    let before = files(&world.public());
    world.publish(after(day));
    for name in files(&world.public()) {
        if !before.contains(&name) || name == "metadata/timestamp.json" {
            date(world, &name, day);
        }
    }
}

fn date(world: &World, name: &str, day: i64) {
    let at = u64::try_from(NOW.0 + day * DAY).unwrap();
    let file = File::options()
        .write(true)
        .open(world.public().join(name))
        .unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(at))
        .unwrap();
}

fn removals(plan: &Plan) -> usize {
    let removal = |write: &&Write| write.kind == WriteKind::Remove;
    plan.writes().filter(removal).count()
}

/// What a pruning on some day removes, by the names that people know.
fn removed(world: &World, day: i64, period: &str) -> Vec<String> {
    let world = world.fork();
    let before = files(&world.public());
    let prune = Prune::older_than(Period::parse(period).unwrap()).from(world.public());
    let plan = world.repository().prune(&prune, after(day)).unwrap();
    let planned = removals(&plan) as u64;
    let actions = plan.execute().unwrap();
    let left = files(&world.public());
    let gone: Vec<String> = before
        .into_iter()
        .filter(|name| !left.contains(name))
        .collect();
    let [Action::Pruned { count, .. }] = actions.as_slice() else {
        panic!("{actions:?}")
    };
    assert_eq!((*count, gone.len() as u64), (planned, planned));
    // Whatever goes, clients find what they found before.
    let mut client = world.client();
    client.get(&world.public(), after(40), "app.tar").unwrap();
    client.get(&world.public(), after(40), "new").unwrap();
    world.publish(after(day.max(41)));
    gone.iter()
        .map(|name| {
            let last = name.rsplit('/').next().unwrap();
            match last.split_once('.') {
                Some((hash, rest)) if hash.len() == 64 => rest.to_owned(),
                _ => last.to_owned(),
            }
        })
        .collect()
}

#[test]
fn what_has_been_out_of_use_for_the_period_goes_and_nothing_else() {
    let world = history();
    // On day 45 snapshot 2 was in use within the last 30 days, and snapshot 1 was not.
    assert_eq!(
        removed(&world, 45, "30d"),
        ["1.snapshot.json", "1.targets.json", "old"]
    );
    // Within the last 36 days snapshot 1 was, too.
    assert!(removed(&world, 45, "36d").is_empty());
    assert_eq!(
        removed(&world, 45, "4d"),
        [
            "1.snapshot.json",
            "1.targets.json",
            "2.snapshot.json",
            "2.targets.json",
            "old"
        ]
    );
}

#[test]
fn a_snapshot_is_in_use_until_clients_are_switched_to_the_next() {
    let world = history();
    // Snapshot 3 was written on day 40, by a publication that came to its end on day 44.
    date(&world, "metadata/timestamp.json", 44);
    assert_eq!(
        removed(&world, 45, "4d"),
        ["1.snapshot.json", "1.targets.json", "old"]
    );
}

#[test]
fn r06_roots_and_what_clients_see_are_never_removed() {
    let world = history();
    run(world.repository().renew(&[RoleName::Root], after(41)));
    world.sign();
    publish_on(&world, 41);
    let prune = Prune::older_than(Period::parse("1m").unwrap()).from(world.public());
    let late = UnixTime(i64::from(u32::MAX));
    run(world.repository().prune(&prune, late));
    let left = files(&world.public().join("metadata"));
    let expected = [
        "1.root.json",
        "2.root.json",
        "3.snapshot.json",
        "3.targets.json",
        "timestamp.json",
    ];
    assert_eq!(left, expected);
    world
        .client()
        .get(&world.public(), after(41), "new")
        .unwrap();
    // There is nothing left to remove.
    let plan = world.repository().prune(&prune, late).unwrap();
    assert_eq!(plan.writes().count(), 0);
}

#[test]
fn an_unfinished_publication_and_files_of_others_stay() {
    let world = history();
    world.add("next", b"next");
    world.sign();
    let plan = world.plan(&[world.online], after(41)).unwrap();
    let writes = plan.writes().count();
    crate::crash::crash(plan, writes - 2);
    fs::write(world.public().join("targets/readme.txt"), b"ours").unwrap();
    fs::write(world.metadata("notes.json"), b"{}").unwrap();
    let prune = Prune::older_than(Period::parse("1m").unwrap()).from(world.public());
    run(world
        .repository()
        .prune(&prune, UnixTime(i64::from(u32::MAX))));
    for name in [
        "metadata/4.targets.json",
        "metadata/notes.json",
        "targets/readme.txt",
    ] {
        assert!(world.public().join(name).exists(), "{name}");
    }
    world.publish(after(41));
    world
        .client()
        .get(&world.public(), after(41), "next")
        .unwrap();
}

#[test]
fn what_no_version_has_listed_stays_whatever_its_name_looks_like() {
    let world = history();
    let hash = "0".repeat(64);
    let foreign = [
        format!("targets/{hash}.backup.tar"),
        format!("targets/dir/{hash}.x"),
        // What a thief has left need not even be metadata.
        "metadata/9.targets.json".to_owned(),
        "metadata/1.edge.json".to_owned(),
        "metadata/9.snapshot.json".to_owned(),
    ];
    for name in &foreign {
        let path = world.public().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"theirs").unwrap();
        date(&world, name, 0);
    }
    let prune = Prune::older_than(Period::parse("1m").unwrap()).from(world.public());
    let late = UnixTime(i64::from(u32::MAX));
    let actions = run(world.repository().prune(&prune, late));
    let spared = Action::Spared {
        count: 5,
        first: "metadata/1.edge.json".to_owned(),
    };
    assert!(actions.contains(&spared), "{actions:?}");
    let left = files(&world.public());
    for name in &foreign {
        assert!(left.contains(name), "{name}");
    }
    for name in ["1.targets.json", "1.snapshot.json", "2.targets.json"] {
        assert!(!left.contains(&format!("metadata/{name}")), "{name}");
    }
    assert!(!left.iter().any(|name| name.ends_with(".old")));
    world
        .client()
        .get(&world.public(), after(40), "new")
        .unwrap();
}

#[test]
fn what_others_have_published_meanwhile_stays_though_this_copy_does_not_know_it() {
    let world = history();
    let other = world.fork();
    run(world.repository().remove_target(&path("new"), None, NOW));
    world.add("newest", b"newest");
    world.sign();
    publish_on(&world, 41);
    // The copy still lists `new`, and knows nothing of what clients see.
    let prune = Prune::older_than(Period::parse("1m").unwrap()).from(world.public());
    let late = UnixTime(i64::from(u32::MAX));
    run(other.repository().prune(&prune, late));
    let mut client = world.client();
    for name in ["app.tar", "newest"] {
        client.get(&world.public(), after(41), name).unwrap();
    }
}

#[test]
fn nothing_is_removed_from_a_tree_that_does_not_verify() {
    let world = history();
    let prune = Prune::older_than(Period::days(1)).from(world.public());
    let timestamp = fs::read(world.metadata("timestamp.json")).unwrap();
    fs::write(world.metadata("timestamp.json"), b"{}").unwrap();
    let plan = |world: &World| code(world.repository().prune(&prune, after(400)));
    assert_eq!(plan(&world), "format.timestamp");
    fs::write(world.metadata("timestamp.json"), timestamp).unwrap();
    // Nor as long as a list cannot be read that says what is needed.
    fs::write(world.metadata("3.targets.json"), b"{}").unwrap();
    assert_ne!(plan(&world), "no error");
    let elsewhere = Prune::older_than(Period::days(1)).from(world.public().join("nothing"));
    assert_eq!(
        code(world.repository().prune(&elsewhere, NOW)),
        "missing.timestamp"
    );
}

#[test]
fn nothing_is_removed_when_somebody_has_published_meanwhile() {
    let world = history();
    let other = world.fork();
    let prune = Prune::older_than(Period::days(1)).from(world.public());
    let plan = world.repository().prune(&prune, after(60)).unwrap();
    assert!(removals(&plan) > 0);
    let before = files(&world.public());
    run(other.plan_to(&Destination::from(world.public()), after(41)));
    assert_eq!(plan.execute().unwrap_err().code(), "publish.overtaken");
    assert_eq!(files(&world.public()), before);
}

/// Publishes and prunes; the timestamp says the same in other bytes, so whoever has planned before is overtaken.
pub(crate) fn pruning_overtakes(place: &Destination) {
    let world = World::published();
    run(world.plan_to(place, NOW));
    run(world
        .repository()
        .remove_target(&path("app.tar"), None, NOW));
    world.sign();
    run(world.plan_to(place, NOW));
    let timestamp = || place.read("metadata/timestamp.json").unwrap().unwrap();
    let (before, other) = (timestamp(), world.fork());
    let plan = other.plan_to(place, NOW).unwrap();
    let prune = Prune::older_than(Period::days(1)).from(place.clone());
    let late = UnixTime(i64::from(u32::MAX));
    run(world.repository().prune(&prune, late));
    assert_ne!(timestamp(), before);
    assert_eq!(timestamp().trim_ascii_end(), before.trim_ascii_end());
    assert_eq!(plan.execute().unwrap_err().code(), "publish.overtaken");
    world.client().refresh(place, NOW).unwrap();
    run(world.plan_to(place, NOW));
    world.client().refresh(place, NOW).unwrap();
}

#[test]
fn r14_who_planned_to_publish_before_a_pruning_is_overtaken_by_other_bytes() {
    let directory = tempfile::tempdir().unwrap();
    pruning_overtakes(&Destination::from(directory.path().join("public")));
    #[cfg(feature = "object-store")]
    pruning_overtakes(&Destination::memory());
}

#[test]
fn who_planned_to_publish_before_two_prunings_is_overtaken_too() {
    let world = history();
    let other = world.fork();
    let place = Destination::from(world.public());
    let plan = other.plan_to(&place, after(41)).unwrap();
    let mut seen = vec![fs::read(world.metadata("timestamp.json")).unwrap()];
    for period in ["30d", "4d"] {
        let prune = Prune::older_than(Period::parse(period).unwrap()).from(world.public());
        let plan = world.repository().prune(&prune, after(45)).unwrap();
        assert!(removals(&plan) > 0);
        for write in plan.writes() {
            if let WriteKind::Switch { bytes, .. } = &write.kind {
                assert!(!seen.contains(bytes), "a claim is as it was before");
                seen.push(bytes.clone());
            }
        }
        run(Ok(plan));
        date(&world, "metadata/timestamp.json", 40);
    }
    assert_eq!(plan.execute().unwrap_err().code(), "publish.overtaken");
}

/// Carries a plan out, and does something else before one of its writes.
struct Meets<'m> {
    left: usize,
    then: Option<Box<dyn FnOnce() + 'm>>,
}

impl Meets<'_> {
    fn meet(&mut self) {
        if let Some(then) = self.then.take() {
            then();
        }
    }
}

impl Disk for Meets<'_> {
    fn apply(&mut self, write: &Write) -> Result<(), Error> {
        if self.left == 0 {
            self.meet();
        }
        self.left = self.left.saturating_sub(1);
        FileSystem.apply(write)
    }
}

/// Prunes a target that another copy lists again, which begins before each of the removals in turn, and ends after all of them, or at
/// once.
fn who_lists_again_what_is_removed_is_overtaken(new_place: &dyn Fn() -> Destination) {
    let base = World::published();
    for ends_at_once in [false, true] {
        let (mut at, mut lost) = (0, 0);
        loop {
            let (world, place) = (base.fork(), new_place());
            run(world.plan_to(&place, NOW));
            run(world
                .repository()
                .remove_target(&path("app.tar"), None, NOW));
            world.sign();
            run(world.plan_to(&place, NOW));
            let other = world.fork();
            other.add("app.tar", b"app 1");
            other.sign();
            let prune = Prune::older_than(Period::days(1)).from(place.clone());
            let late = UnixTime(i64::from(u32::MAX));
            let pruning = world.repository().prune(&prune, late).unwrap();
            if at > pruning.writes().count() {
                break;
            }
            let (mut begun, mut ended) = (None, None);
            let mut disk = Meets {
                left: at,
                then: Some(Box::new(|| {
                    let plan = other.plan_to(&place, NOW).unwrap();
                    if ends_at_once {
                        ended = Some(plan.execute());
                    } else {
                        begun = Some(plan);
                    }
                })),
            };
            let pruned = pruning.execute_on(&mut disk);
            disk.meet();
            drop(disk);
            let overtaken = |error: Error| assert_eq!(error.code(), "publish.overtaken", "{at}");
            let warned = pruned.map_err(overtaken).is_err();
            let published = ended.unwrap_or_else(|| begun.unwrap().execute());
            if published.map_err(overtaken).is_err() {
                run(other.plan_to(&place, NOW));
            }
            let found = other.client().find(&place, NOW, "app.tar").unwrap();
            let read = |url| place.read(&format!("targets/{url}")).unwrap();
            if found.url_paths().into_iter().any(|url| read(url).is_none()) {
                // Nobody could know, but it is said.
                assert!(ends_at_once && warned, "{at}");
                lost += 1;
            }
            at += 1;
        }
        assert!(at > 5 && lost <= 1, "{at} {lost}");
    }
}

#[test]
fn who_lists_a_target_again_while_it_is_removed_is_overtaken_or_it_is_said() {
    let (_above, new_place) = directories();
    who_lists_again_what_is_removed_is_overtaken(&new_place);
    #[cfg(feature = "object-store")]
    who_lists_again_what_is_removed_is_overtaken(&Destination::memory);
}

#[cfg(feature = "object-store")]
#[test]
fn who_planned_to_publish_to_a_store_before_it_was_pruned_is_overtaken() {
    let (world, place) = (World::published(), Destination::memory());
    run(world.plan_to(&place, NOW));
    run(world
        .repository()
        .remove_target(&path("app.tar"), None, NOW));
    world.sign();
    run(world.plan_to(&place, NOW));
    // One copy lists the target again, whose bytes are still there, and the other removes them.
    let other = world.fork();
    other.add("app.tar", b"app 1");
    other.sign();
    let plan = other.plan_to(&place, NOW).unwrap();
    let prune = Prune::older_than(Period::days(1)).from(place.clone());
    run(world
        .repository()
        .prune(&prune, UnixTime(i64::from(u32::MAX))));
    assert_eq!(plan.execute().unwrap_err().code(), "publish.overtaken");
    run(other.plan_to(&place, NOW));
    let (_, bytes) = other.client().get(&place, NOW, "app.tar").unwrap();
    assert_eq!(bytes, b"app 1");
}

#[cfg(feature = "object-store")]
#[test]
fn a_store_is_pruned_alike() {
    let (world, place) = (World::published(), Destination::memory());
    run(world.plan_to(&place, NOW));
    run(world
        .repository()
        .remove_target(&path("app.tar"), None, NOW));
    world.add("b", b"b");
    world.sign();
    run(world.plan_to(&place, NOW));
    let prune = Prune::older_than(Period::days(1)).from(place.clone());
    // By the clock of the store everything is new.
    let plan = world.repository().prune(&prune, NOW).unwrap();
    assert_eq!(plan.writes().count(), 0);
    drop(plan);
    run(world
        .repository()
        .prune(&prune, UnixTime(i64::from(u32::MAX))));
    for (name, there) in [
        ("metadata/1.root.json", true),
        ("metadata/2.targets.json", false),
        ("metadata/3.targets.json", true),
        ("metadata/2.snapshot.json", false),
    ] {
        assert_eq!(place.read(name).unwrap().is_some(), there, "{name}");
    }
    world.client().get(&place, NOW, "b").unwrap();
}

#[test]
fn what_is_no_version_of_any_role_does_not_stop_pruning() {
    let world = history();
    let prune = Prune::older_than(Period::parse("30d").unwrap()).from(world.public());
    let plan = world.repository().prune(&prune, after(45)).unwrap();
    let before: Vec<Write> = plan.writes().cloned().collect();
    drop(plan);
    let own = world.directory().join("metadata");
    let version_of_another = fs::read(own.join("1.targets.json")).unwrap();
    // The role is nobody's: as another version than its name says, as no metadata at all, and where it is published, too.
    for (content, published) in [
        (&version_of_another[..], false),
        (b"no metadata", false),
        (b"no metadata", true),
    ] {
        let world = world.fork();
        let own = world.directory().join("metadata/5.zzz.json");
        fs::write(&own, content).unwrap();
        if published {
            fs::write(world.metadata("5.zzz.json"), content).unwrap();
            date(&world, "metadata/5.zzz.json", 44);
        }
        let prune = Prune::older_than(Period::parse("30d").unwrap()).from(world.public());
        let plan = world.repository().prune(&prune, after(45)).unwrap();
        assert_eq!(plan.writes().count(), before.len());
        let own = own.display().to_string();
        let said =
            |action: &Action| matches!(action, Action::Spared { first, .. } if *first == own);
        assert!(plan.actions().iter().any(said), "{:?}", plan.actions());
        let mut client = world.client();
        plan.execute().unwrap();
        client.get(&world.public(), after(40), "app.tar").unwrap();
    }
    // A version of a role that there is has to be readable where clients can come to it.
    fs::write(world.metadata("3.targets.json"), b"no metadata").unwrap();
    assert_ne!(
        code(world.repository().prune(&prune, after(45))),
        "no error"
    );
}
