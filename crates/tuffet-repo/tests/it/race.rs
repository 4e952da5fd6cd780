//! Two copies of a repository that publish to the same place at the same time.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tuffet_core::metadata::UnixTime;
use tuffet_repo::{Class, Destination, Disk, Error, FileSystem, Plan, Write};

use crate::support::{NOW, World, run, versions};

/// What each of the two does before it publishes.
type Edit = fn(&World, &str);

fn renews(_: &World, _: &str) {}

fn edits(world: &World, who: &str) {
    world.add(who, who.as_bytes());
    world.sign();
}

/// Two copies that have published to a place, each with something else to publish now.
fn two_copies(place: &Destination, one: &World, edit: Edit) -> (World, [Plan; 2]) {
    let other = one.fork();
    edit(one, "one");
    edit(&other, "other");
    // Another second, so that the two timestamps differ.
    let plans = [
        one.plan_to(place, NOW).unwrap(),
        other.plan_to(place, UnixTime(NOW.0 + 1)).unwrap(),
    ];
    (other, plans)
}

/// Whether the first came through; exactly one has to.
fn who_came_through(results: &[Result<Vec<tuffet_repo::Action>, Error>; 2]) -> bool {
    let lost: Vec<&Error> = results
        .iter()
        .filter_map(|result| result.as_ref().err())
        .collect();
    let [lost] = lost.as_slice() else {
        panic!("one of two has to lose: {results:?}");
    };
    assert_eq!(lost.class(), Class::Conflict, "{lost}");
    let codes = ["publish.overtaken", "version.reused"];
    assert!(codes.contains(&lost.code()), "{lost}");
    results[0].is_ok()
}

/// Clients see what the winner published, and the next publication of the winner comes through.
fn goes_on(place: &Destination, winner: &World) {
    let mut clients = [winner.client(), winner.client()];
    let seen = versions(&clients[0].refresh(place, NOW).unwrap());
    run(winner.plan_to(place, NOW));
    for client in &mut clients {
        let now = versions(&client.refresh(place, NOW).unwrap());
        assert_eq!(now[1], seen[1] + 1);
    }
}

/// Carries a plan out, and another one as a whole before one of its writes.
struct Interleaves {
    left: usize,
    other: Option<Plan>,
    result: Option<Result<Vec<tuffet_repo::Action>, Error>>,
}

impl Disk for Interleaves {
    fn apply(&mut self, write: &Write) -> Result<(), Error> {
        if self.left == 0
            && let Some(other) = self.other.take()
        {
            self.result = Some(other.execute());
        }
        self.left = self.left.saturating_sub(1);
        FileSystem.apply(write)
    }
}

pub(crate) fn one_of_two_comes_through_at_every_write(new_place: &dyn Fn() -> Destination) {
    for edit in [renews as Edit, edits] {
        let base = World::published();
        let mut at = 0;
        loop {
            let (one, place) = (base.fork(), new_place());
            run(one.plan_to(&place, NOW));
            let (other, [plan, interrupting]) = two_copies(&place, &one, edit);
            if at == plan.writes().count() {
                break;
            }
            let mut disk = Interleaves {
                left: at,
                other: Some(interrupting),
                result: None,
            };
            let first = plan.execute_on(&mut disk);
            let second = disk.result.take().unwrap();
            let first_won = who_came_through(&[first, second]);
            goes_on(&place, if first_won { &one } else { &other });
            at += 1;
        }
        assert!(at > 0);
    }
}

pub(crate) fn one_of_two_threads_comes_through(new_place: &dyn Fn() -> Destination, rounds: usize) {
    for edit in [renews as Edit, edits] {
        let base = World::published();
        for _ in 0..rounds {
            let (one, place) = (base.fork(), new_place());
            run(one.plan_to(&place, NOW));
            let (other, plans) = two_copies(&place, &one, edit);
            let barrier = Barrier::new(2);
            let results = thread::scope(|scope| {
                let runs = plans.map(|plan| {
                    scope.spawn(|| {
                        barrier.wait();
                        plan.execute()
                    })
                });
                runs.map(|run| run.join().unwrap())
            });
            let first_won = who_came_through(&results);
            goes_on(&place, if first_won { &one } else { &other });
        }
    }
}

/// Directories that are there until the end of a test.
fn directories() -> (tempfile::TempDir, impl Fn() -> Destination) {
    let above = tempfile::tempdir().unwrap();
    let (below, next) = (above.path().to_owned(), AtomicUsize::new(0));
    let new = move || {
        let name = next.fetch_add(1, Ordering::Relaxed).to_string();
        Destination::from(below.join(name))
    };
    (above, new)
}

#[test]
fn r14_of_two_copies_that_publish_to_a_directory_one_comes_through() {
    let (_above, new_place) = directories();
    one_of_two_comes_through_at_every_write(&new_place);
    one_of_two_threads_comes_through(&new_place, 25);
}
