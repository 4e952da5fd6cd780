//! Two copies of a repository that publish to the same place at the same time.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tuffet_core::metadata::UnixTime;
use tuffet_repo::{
    Class, Delegate, DelegatedPaths, Destination, Disk, Error, FileSystem, Plan, Publish,
    RotateKey, Write,
};

use crate::support::{NOW, World, delegated, key, named, role, run, versions};

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
pub(crate) fn directories() -> (tempfile::TempDir, impl Fn() -> Destination) {
    let above = tempfile::tempdir().unwrap();
    let (below, next) = (above.path().to_owned(), AtomicUsize::new(0));
    let new = move || {
        let name = next.fetch_add(1, Ordering::Relaxed).to_string();
        Destination::from(below.join(name))
    };
    (above, new)
}

/// Makes the changes of a step in one order or the other, and carries another plan out before one of them.
struct OneByOne {
    backwards: bool,
    left: usize,
    other: Option<Plan>,
    result: Option<Result<Vec<tuffet_repo::Action>, Error>>,
}

impl OneByOne {
    fn forwards() -> Self {
        Self {
            backwards: false,
            left: 0,
            other: None,
            result: None,
        }
    }
}

impl Disk for OneByOne {
    fn apply(&mut self, write: &Write) -> Result<(), Error> {
        if self.left == 0
            && let Some(other) = self.other.take()
        {
            self.result = Some(other.execute_on(&mut Self::forwards()));
        }
        self.left = self.left.saturating_sub(1);
        FileSystem.apply(write)
    }

    fn apply_all(&mut self, writes: &[Write]) -> Result<(), Error> {
        if self.backwards {
            writes.iter().rev().try_for_each(|write| self.apply(write))
        } else {
            writes.iter().try_for_each(|write| self.apply(write))
        }
    }
}

/// Stores get many roles in any order.
#[test]
fn r14_of_two_copies_that_publish_many_roles_one_comes_through() {
    let (base, machine) = (World::published(), key());
    let paths = DelegatedPaths::Bins { bit_length: 5 };
    let bins = Delegate::new(delegated("bin"), paths, vec![named("bins", machine)]).online();
    run(base.repository().delegate(&bins, NOW));
    base.sign();
    let bins: Vec<_> = (0..32).map(|bin| role(&format!("bin-{bin:02x}"))).collect();
    let plan = |world: &World, place: &Destination, now| {
        let publish = Publish::to(place.clone());
        let online: [&dyn tuffet_sign::Signer; 2] = [world.online, machine];
        world.repository().publish(&publish, &online, now).unwrap()
    };
    let (_above, new_place) = directories();
    let mut won = [0, 0];
    for after in [0, 1, 2, 16, 31, 32, 33] {
        let (one, place) = (base.fork(), new_place());
        run(Ok(plan(&one, &place, NOW)));
        let other = one.fork();
        let later = UnixTime(NOW.0 + 1);
        run(one.repository().renew(&bins, NOW));
        run(other.repository().renew(&bins, later));
        let first = plan(&one, &place, NOW);
        let published = place.to_string();
        let begins = first.writes().position(|write| {
            let at = write.at.to_string();
            at.starts_with(&published) && at.contains("2.bin-")
        });
        let mut disk = OneByOne {
            backwards: true,
            left: begins.unwrap() + after,
            other: Some(plan(&other, &place, later)),
            result: None,
        };
        let first = first.execute_on(&mut disk);
        let first_won = who_came_through(&[first, disk.result.take().unwrap()]);
        won[usize::from(first_won)] += 1;
        let winner = if first_won { &one } else { &other };
        let mut client = winner.client();
        let view = client.refresh(&place, NOW).unwrap();
        assert_eq!(versions(&view)[2..], [4, 3]);
        run(Ok(plan(winner, &place, later)));
        client.refresh(&place, NOW).unwrap();
    }
    assert_eq!(won, [1, 6]);
}

/// The place of a file in the order of a plan.
fn place_of(plan: &Plan, world: &World, name: &str) -> usize {
    let file = world.metadata(name);
    let mut writes = plan.writes();
    let found = writes.position(|write| write.at.path() == Some(&file));
    found.unwrap()
}

#[test]
fn who_is_overtaken_after_a_root_says_that_clients_wait_for_another_publication() {
    for (rotated, gap) in [("online", true), ("ben", false)] {
        let (world, new) = (World::published(), key());
        let place = Destination::from(world.public());
        let mut old = world.client();
        old.refresh(&place, NOW).unwrap();
        let other = world.fork();
        let rotate = RotateKey::new(rotated, named(rotated, new));
        run(world.repository().rotate_key(&rotate, NOW));
        run(world.repository().sign(&[world.ana, world.vault]));
        let online = if gap { new } else { world.online };
        let plan = world.plan(&[online], NOW).unwrap();
        // A machine that knows nothing of the rotation comes between root and timestamp, or before both.
        let mut disk = Interleaves {
            left: place_of(&plan, &world, "timestamp.json"),
            other: Some(other.plan_to(&place, UnixTime(NOW.0 + 1)).unwrap()),
            result: None,
        };
        let lost = plan.execute_on(&mut disk).unwrap_err();
        disk.result.take().unwrap().unwrap();
        assert_eq!(lost.code(), "publish.overtaken");
        assert_eq!(world.metadata("2.root.json").exists(), gap);
        assert_eq!(lost.to_string().contains("root v2"), gap, "{lost}");
        for mut client in [old.clone(), world.client()] {
            assert_eq!(client.refresh(&place, NOW).is_err(), gap);
        }
        if gap {
            // Another publication ends it.
            run(world.plan(&[new], UnixTime(NOW.0 + 2)));
            for mut client in [old, world.client()] {
                let view = client.refresh(&place, NOW).unwrap();
                assert_eq!(versions(&view)[0], 2);
            }
        }
    }
}

#[test]
fn r14_of_two_copies_that_publish_to_a_directory_one_comes_through() {
    let (_above, new_place) = directories();
    one_of_two_comes_through_at_every_write(&new_place);
    one_of_two_threads_comes_through(&new_place, 25);
}
