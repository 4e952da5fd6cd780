//! Histories of a repository, of a client that crashes, and of an attacker who replays what he has seen.

use proptest::prelude::*;
use proptest::sample::Index;

use tuffet_core::trust::TrustedView;

use tuffet_testkit::{Delegated, Op, Repository, Stop, TestKey, World};

#[derive(Debug, Clone)]
enum Event {
    Publish,
    /// The keys of a role are replaced by new ones.
    Rotate(&'static str),
    Delegate,
    /// The client asks the repository; it crashes after so many operations, if it gets that far.
    Refresh(Option<usize>),
    /// The client asks an attacker, who shows a former state of the repository, or withholds a file of the present one.
    Replay(Index, Option<usize>),
    Withhold(Index),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let stop = prop::option::weighted(0.7, 0..30_usize);
    let rotated = prop::sample::select(vec!["root", "timestamp", "snapshot", "targets"]);
    let event = prop_oneof![
        3 => Just(Event::Publish),
        2 => rotated.prop_map(Event::Rotate),
        1 => Just(Event::Delegate),
        4 => stop.clone().prop_map(Event::Refresh),
        2 => (any::<Index>(), stop).prop_map(|(age, stop)| Event::Replay(age, stop)),
        1 => any::<Index>().prop_map(Event::Withhold),
    ];
    prop::collection::vec(event, 1..25)
}

/// The highest versions that the client has had.
#[derive(Debug, Default)]
struct Floors {
    /// In the store, since the last rotation that voided timestamp and snapshot.
    stored: [u64; 4],
    /// In a view, ever: with keys that are new each time, no rotation opens a way back.
    seen: [u64; 4],
}

impl Floors {
    fn check(&mut self, world: &World) -> Result<(), TestCaseError> {
        if world.log.iter().any(|op| matches!(op, Op::Delete(_))) {
            (self.stored[1], self.stored[2]) = (0, 0);
        }
        let now = world.versions();
        for (version, floor) in now.into_iter().zip(&mut self.stored) {
            prop_assert!(version >= *floor, "{version} is below {floor} in {now:?}");
            *floor = version;
        }
        Ok(())
    }

    fn see(&mut self, view: &TrustedView) -> Result<(), TestCaseError> {
        let versions = [
            view.root().version(),
            view.timestamp().version(),
            view.snapshot().version(),
            view.targets().version(),
        ];
        for (version, floor) in versions.into_iter().zip(&mut self.seen) {
            prop_assert!(version.number() >= *floor, "{version} is below {floor}");
            *floor = version.number();
        }
        Ok(())
    }
}

fn refresh(
    world: &mut World,
    stop: Option<usize>,
    floors: &mut Floors,
) -> Result<(), TestCaseError> {
    world.stop_after = stop;
    match world.try_refresh() {
        Ok(view) => floors.see(&view)?,
        Err(Stop::Crash) => prop_assert!(stop.is_some()),
        Err(Stop::Rejected(_)) => {}
        Err(Stop::Unavailable) => prop_assert!(false, "the repository always answers"),
    }
    world.stop_after = None;
    floors.check(world)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn c00_no_history_leads_back_or_into_a_dead_end(events in events()) {
        let mut world = World::new();
        let mut past: Vec<Repository> = vec![world.repository.clone()];
        let mut floors = Floors::default();
        for (number, event) in events.into_iter().enumerate() {
            match event {
                Event::Publish => world.repository.publish(),
                Event::Rotate(role) => {
                    let keys = [1, 2].map(|key| TestKey::new(&format!("{role} {number} {key}")));
                    world.repository.rotate(role, &keys, 2);
                    world.repository.publish();
                }
                Event::Delegate => {
                    world.repository.delegate("targets", Delegated::new(&format!("role {number}"), &["*"]));
                    world.repository.publish();
                }
                Event::Refresh(stop) => refresh(&mut world, stop, &mut floors)?,
                Event::Replay(age, stop) => {
                    let old = age.get(&past).clone();
                    let honest = std::mem::replace(&mut world.repository, old);
                    refresh(&mut world, stop, &mut floors)?;
                    world.repository = honest;
                }
                Event::Withhold(which) => {
                    let honest = world.repository.clone();
                    let paths: Vec<String> = honest.files.keys().cloned().collect();
                    world.repository.files.remove(which.get(&paths));
                    refresh(&mut world, None, &mut floors)?;
                    world.repository = honest;
                }
            }
            past.push(world.repository.clone());
        }
        match world.refresh() {
            Ok(view) => floors.see(&view)?,
            Err(rejected) => prop_assert!(false, "the client is stuck: {rejected}"),
        }
        floors.check(&world)?;
        let newest = &world.repository;
        prop_assert_eq!(
            world.versions(),
            [newest.root.version(), newest.timestamp.version(), newest.snapshot.version(), newest.targets.version()]
        );
    }
}
