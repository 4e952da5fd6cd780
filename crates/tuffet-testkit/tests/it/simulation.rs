//! The simulation finds what is wrong, and says so briefly.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tuffet_core::metadata::RoleName;
use tuffet_core::trust::Item;
use tuffet_testkit::simulation::{
    Call, Client, Core, End, Fast, Operation, Report, Store, Tally, operations, play,
};

fn many<C: Client>(client: impl Fn() -> C) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for seed in 0..120 {
        match play(seed, &Fast, &client) {
            Ok(played) => tally.add(&played),
            Err(failure) => return Err(failure.to_string()),
        }
    }
    Ok(tally)
}

#[test]
fn c00_the_core_does_what_the_model_says_and_always_finds_back() {
    let tally = many(|| Core).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(tally.of("steps") > 5_000);
    for reached in [
        "accepted",
        "found",
        "crashes",
        "unavailable",
        "audited",
        "agreed",
        "reached-by-map",
        "code.map.disagreement",
        "op.heal",
        "code.audit.limit",
        "code.offline.missing",
        "code.threshold.root",
    ] {
        assert!(tally.of(reached) > 0, "{reached}");
    }
    let mut reached = tally.counts.keys();
    assert!(reached.any(|name| name.starts_with("code.strict.")));
}

#[test]
fn a_seed_is_the_same_trace_every_time() {
    assert_eq!(operations(5), operations(5));
    assert_ne!(operations(5), operations(6));
    assert_eq!(
        play(5, &Fast, || Core).expect("no finding"),
        play(5, &Fast, || Core).expect("no finding")
    );
}

/// Runs the program; whether it went well, and what it said.
fn simulate(arguments: &[&str], state: &Path) -> (bool, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_simulate"));
    let output = program.args(arguments).arg("--state").arg(state).output();
    let output = output.expect("the program starts");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8(said).expect("text"),
    )
}

#[test]
fn a_run_that_is_gone_on_with_ends_like_one_that_was_never_stopped() {
    let directory = tempfile::tempdir().expect("a directory");
    let [stopped, whole] = ["stopped", "whole"].map(|name| directory.path().join(name));
    // A round of one job is 100 traces of 49 steps.
    let (went_well, _) = simulate(&["--seed", "3", "--jobs", "1", "--steps", "1"], &stopped);
    assert!(went_well);
    let resumed = ["--seed", "3", "--jobs", "1", "--steps", "4901", "--resume"];
    let (went_well, said) = simulate(&resumed, &stopped);
    assert!(
        went_well && said.contains("9800 steps, 200 traces"),
        "{said}"
    );
    simulate(&["--seed", "3", "--jobs", "2", "--steps", "1"], &whole);
    let [stopped_at, whole] =
        [&stopped, &whole].map(|path| std::fs::read_to_string(path).expect("a state"));
    assert_eq!(stopped_at, whole);

    let (went_well, said) = simulate(&["--seed", "4", "--resume"], &stopped);
    assert!(!went_well && said.contains("is about seed 3"), "{said}");

    // The traces of a simulation with other operations are others.
    let state = std::fs::read_to_string(&stopped).expect("a state");
    let (first, rest) = state.split_once('\n').expect("lines");
    for other in [rest.to_owned(), format!("{first}0\n{rest}")] {
        std::fs::write(&stopped, other).expect("a file");
        let (went_well, said) = simulate(&["--seed", "3", "--resume"], &stopped);
        assert!(!went_well && said.contains("another version"), "{said}");
    }
}

/// Loses the timestamp before every refresh, and with it the floor.
struct Forgetful;

impl Client for Forgetful {
    fn update(&mut self, call: &Call<'_>, store: &mut Store) -> Report {
        store.remove(&Item::Role(RoleName::Timestamp));
        Core.update(call, store)
    }
}

/// Says that everything was refused for its signatures.
struct Monotonous;

impl Client for Monotonous {
    fn update(&mut self, call: &Call<'_>, store: &mut Store) -> Report {
        let report = Core.update(call, store);
        let refreshed = report.refreshed.map_err(|end| match end {
            End::Refused(_) => End::Refused("threshold.root"),
            other => other,
        });
        Report {
            refreshed,
            ..report
        }
    }
}

/// Keeps an older copy of what it is to write.
struct Stuck;

impl Client for Stuck {
    fn update(&mut self, call: &Call<'_>, store: &mut Store) -> Report {
        let before = store.get(&Item::Role(RoleName::Targets)).map(Arc::clone);
        let report = Core.update(call, store);
        if let Some(before) = before {
            store.insert(Item::Role(RoleName::Targets), before);
        }
        report
    }
}

/// Panics in the middle.
struct Fragile;

impl Client for Fragile {
    fn update(&mut self, _: &Call<'_>, _: &mut Store) -> Report {
        panic!("a crack")
    }
}

#[test]
fn clients_that_are_wrong_are_found_out() {
    let forgetful = many(|| Forgetful).unwrap_err();
    assert!(forgetful.contains("timestamp"), "{forgetful}");
    let monotonous = many(|| Monotonous).unwrap_err();
    assert!(monotonous.contains("threshold.root"), "{monotonous}");
    assert!(many(|| Stuck).is_err());
    assert!(many(|| Fragile).unwrap_err().contains("a panic: a crack"));
}

#[test]
fn a_trace_that_fails_is_made_short() {
    let failure = (0..).find_map(|seed| play(seed, &Fast, || Fragile).err());
    let failure = failure.expect("it fails at once");
    let [operation] = failure.operations[..] else {
        panic!("{failure}");
    };
    assert!(matches!(
        operation,
        Operation::Update { .. } | Operation::Heal
    ));
}
