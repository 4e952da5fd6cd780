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
mod deviation;
mod expected;
mod invariants;
mod model;
mod network;
mod operation;
mod render;
mod repository;
mod scene;
mod signing;
mod story;
mod tally;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use artifact::Role;
pub use chance::Chance;
pub use client::{
    AuditedTarget, Call, Client, Core, End, Finding, FoundTarget, Listing, Report, Store, Written,
    audited, described, files,
};
pub use operation::Operation;
pub use scene::Broken;
pub use signing::{Fast, Signing};
pub use tally::Tally;

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

/// A number that is another one when traces mean something else: it follows from the operations of some seeds and from what came of
/// them.
#[must_use]
pub fn fingerprint() -> u64 {
    let mut sum = 0;
    for seed in 0..8 {
        let came = match play(seed, &Fast, || Core) {
            Ok(tally) => tally.counts,
            Err(failure) => BTreeMap::from([(failure.broken, failure.steps)]),
        };
        for byte in format!("{:?} {came:?}", operations(seed)).bytes() {
            sum = chance::scramble(sum ^ u64::from(byte));
        }
    }
    sum
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
    let mut scene = Scene::new(seed, signing, &client);
    for operation in &operations {
        if step(&mut scene, *operation).is_err() {
            let steps = scene.tally.steps();
            return Err(Box::new(shortest(
                seed, operations, steps, signing, &client,
            )));
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
    client: &dyn Fn() -> C,
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
    client: &dyn Fn() -> C,
) -> Failure {
    let mut size = operations.len();
    while size > 0 {
        let mut at = 0;
        while at < operations.len() {
            let mut fewer = operations.clone();
            fewer.drain(at..operations.len().min(at + size));
            match breaks(seed, &fewer, signing, client, false) {
                Some((place, ..)) => {
                    fewer.truncate(place + 1);
                    operations = fewer;
                }
                None => at += size,
            }
        }
        size /= 2;
    }
    let (_, broken, story) = breaks(seed, &operations, signing, client, true)
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
