//! A world that attacks a client as often as one likes, and knows what the client must do.
//!
//! A trace is a list of [`Operation`]s: keyholders publish, rotate, delegate and recover; an attacker steals keys, forges,
//! replays, mixes and withholds; disks rot, clocks jump, the client crashes. After each operation of the client it is compared
//! with a model that was written from the specification over files whose makers are known, and invariants are looked up in
//! the archive of who really signed what. A trace follows from its seed; one that fails is made as short as possible.
//!
//! ```
//! use tuffet_testkit::simulation::{Core, Fast, play};
//!
//! let tally = play(7, &Fast, || Core).expect("no invariant is broken");
//! assert!(tally.of("steps") > 10);
//! ```

mod artifact;
mod attacker;
mod blunder;
mod chance;
mod client;
mod invariants;
mod model;
mod network;
mod operation;
mod repository;
mod scene;
mod signing;
mod story;
mod tally;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use artifact::Role;
pub use chance::Chance;
pub use client::{
    Call, Client, Core, End, FoundTarget, Listing, Report, Store, Written, described, files,
};
pub use operation::Operation;
pub use scene::Broken;
pub use signing::{Fast, Signing};
pub use tally::Tally;

use artifact::{Archive, digest};
use client::item;
use model::{Change, Hit, Slot, Trusted, Verdict};
use scene::Scene;

/// Operations of a trace, before it is put right at the end.
const LENGTH: u64 = 48;

/// The operations of a seed.
#[must_use]
pub fn operations(seed: u64) -> Vec<Operation> {
    let mut chance = Chance::new(seed);
    let drawn = (0..LENGTH).map(|_| Operation::draw(&mut chance));
    let mut operations: Vec<Operation> = drawn.collect();
    operations.push(Operation::Heal);
    operations
}

/// A trace that shows a broken invariant.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The operations that are needed.
    pub operations: Vec<Operation>,
    /// What is broken.
    pub broken: Broken,
    /// What happens, line by line.
    pub story: Vec<String>,
    /// How many operations of the whole trace went well.
    pub steps: u64,
}

/// Plays the trace of a seed.
///
/// # Errors
/// The first invariant that is broken, with the shortest trace that was found to break one.
pub fn play<C: Client>(
    seed: u64,
    signing: &dyn Signing,
    client: impl Fn() -> C,
) -> Result<Tally, Box<Failure>> {
    let operations = operations(seed);
    let mut scene = Scene::new(seed, signing, client());
    for operation in &operations {
        if step(&mut scene, *operation).is_err() {
            let steps = scene.tally.steps();
            return Err(Box::new(shortest(seed, operations, steps, signing, client)));
        }
    }
    scene.tally.end_of_trace();
    Ok(scene.tally)
}

/// A panic is a broken invariant, too.
fn step<C: Client>(scene: &mut Scene<'_, C>, operation: Operation) -> Result<(), Broken> {
    let stepped = catch_unwind(AssertUnwindSafe(|| scene.step(operation)));
    stepped.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("a panic: {}", words.unwrap_or("without words")))
    })
}

/// Plays operations; the place and the words of what breaks.
fn breaks<C: Client>(
    seed: u64,
    operations: &[Operation],
    signing: &dyn Signing,
    client: C,
    told: bool,
) -> Option<(usize, Broken, Vec<String>)> {
    let mut scene = Scene::new(seed, signing, client);
    if told {
        scene.tell_all();
    }
    for (place, operation) in operations.iter().enumerate() {
        if let Err(broken) = step(&mut scene, *operation) {
            return Some((place, broken, scene.story.unwrap_or_default()));
        }
    }
    None
}

/// Leaves out operations, many at once and then fewer, for as long as something still breaks.
fn shortest<C: Client>(
    seed: u64,
    mut operations: Vec<Operation>,
    steps: u64,
    signing: &dyn Signing,
    client: impl Fn() -> C,
) -> Failure {
    let mut size = operations.len();
    while size > 0 {
        let mut at = 0;
        while at < operations.len() {
            let mut fewer = operations.clone();
            fewer.drain(at..operations.len().min(at + size));
            match breaks(seed, &fewer, signing, client(), false) {
                Some((place, ..)) => {
                    fewer.truncate(place + 1);
                    operations = fewer;
                }
                None => at += size,
            }
        }
        size /= 2;
    }
    let (_, broken, story) = breaks(seed, &operations, signing, client(), true)
        .unwrap_or_else(|| (0, "does not break again".to_owned(), Vec::new()));
    Failure {
        seed,
        operations,
        broken,
        story,
        steps,
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.broken)?;
        self.story
            .iter()
            .try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// What the model says that a client does.
struct Expected {
    changes: Vec<Change>,
    refreshed: Result<Trusted, Verdict>,
    /// What each search ends in, and how many changes were made before it.
    found: Vec<(Result<Hit, Verdict>, usize)>,
}

impl Expected {
    fn compare(
        &self,
        report: &Report,
        archive: &Archive,
        signing: &dyn Signing,
        (body, crash): (u8, Option<usize>),
    ) -> Result<(), Broken> {
        for (place, (written, bytes)) in report.writes.iter().enumerate() {
            let change = self.changes.get(place);
            let fits = match change {
                Some(Change::Put(slot, id)) => {
                    item(*slot) == *written && bytes.as_ref() == Some(&archive.get(*id).bytes)
                }
                Some(Change::Delete(slot)) => item(*slot) == *written && bytes.is_none(),
                Some(Change::Remember(_)) => item(Slot::Record) == *written && bytes.is_some(),
                None => false,
            };
            if !fits {
                return Err(format!("{written} is written where {change:?} was to come"));
            }
        }
        let cut = crash.filter(|crash| *crash < self.changes.len());
        let missing = report.writes.len() != cut.unwrap_or(self.changes.len());
        let ended = |refused: &Result<(), End>, expected: &Verdict| match (refused, expected) {
            (Err(End::Refused(code)), Verdict::Refused(codes)) => codes.contains(code),
            (Err(End::Unavailable), Verdict::Unavailable) => true,
            _ => false,
        };
        match (&report.refreshed, &self.refreshed) {
            (Err(End::Crash), _) if cut.is_some() => return Ok(()),
            (Ok(files), Ok(trusted)) => {
                let Trusted {
                    root,
                    timestamp,
                    snapshot,
                    targets,
                } = *trusted;
                let same = [root, timestamp, snapshot, targets]
                    .into_iter()
                    .zip(files)
                    .all(|(id, bytes)| archive.get(id).bytes == *bytes);
                if !same {
                    return Err(format!("other files are trusted than {trusted:?}"));
                }
            }
            (Err(end), Err(verdict)) if ended(&Err(end.clone()), verdict) => {}
            (got, expected) => {
                let got = got.as_ref().map(|_| "trusted");
                return Err(format!(
                    "the refresh ended in {got:?}, the model says {expected:?}"
                ));
            }
        }
        if missing {
            return Err(format!(
                "{} of {} changes were written",
                report.writes.len(),
                self.changes.len()
            ));
        }
        for (place, (expected, _)) in self.found.iter().enumerate() {
            match (report.found.get(place), expected) {
                (Some(Err(End::Crash)), _) if cut.is_some() => return Ok(()),
                (Some(Ok(target)), Ok(hit)) => compare_target(target, *hit, body, signing)?,
                (Some(Err(end)), Err(verdict)) if ended(&Err(end.clone()), verdict) => {}
                (got, expected) => {
                    return Err(format!(
                        "a search ended in {got:?}, the model says {expected:?}"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn compare_target(
    target: &FoundTarget,
    hit: Hit,
    body: u8,
    signing: &dyn Signing,
) -> Result<(), Broken> {
    let right = hit.content.bytes();
    let delivered = scene::wrong_by(right.clone(), body);
    let checked = if delivered == right {
        Ok(())
    } else if delivered.len() == right.len() {
        Err("hash.target")
    } else {
        Err("length.target")
    };
    let expected = FoundTarget {
        role: hit.role,
        length: right.len() as u64,
        hash: digest(&right, signing).to_vec(),
        checked,
    };
    if *target == expected {
        return Ok(());
    }
    Err(format!("found {target:?}, the model says {expected:?}"))
}
