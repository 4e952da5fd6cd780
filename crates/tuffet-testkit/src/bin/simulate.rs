//! Runs the simulation; `cargo xtask simulate` builds and starts it.
//!
//! Traces are numbered from the seed on. What is done is written to a state file after every round, so that a long run can be
//! stopped and gone on with.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tuffet_core::explain::CODES;
use tuffet_testkit::simulation::{Core, Failure, Fast, Tally, fingerprint, play};

/// Traces that a job plays before it looks up.
const ROUND: u64 = 100;

/// How much work a stop may cost.
const BETWEEN_STATES: Duration = Duration::from_secs(1);

const USAGE: &str =
    "usage: simulate [--steps N] [--seed S] [--jobs N] [--seconds N] [--state FILE [--resume]]";

/// Which simulation it is.
static SIMULATION: LazyLock<u64> = LazyLock::new(fingerprint);

struct Options {
    steps: u64,
    seed: u64,
    jobs: u64,
    /// Ends the run however many steps were made.
    time: Option<Duration>,
    state: Option<PathBuf>,
    resume: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        steps: 1_000_000,
        seed: 1,
        jobs: 2,
        time: None,
        state: None,
        resume: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--resume" {
            options.resume = true;
            continue;
        }
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        if name == "--state" {
            options.state = Some(value.into());
            continue;
        }
        let number = value.replace('_', "").parse::<u64>();
        let number = number.map_err(|_| format!("{name} needs a number, not {value}"))?;
        match name.as_str() {
            "--steps" => options.steps = number,
            "--seed" => options.seed = number,
            "--jobs" => options.jobs = number.max(1),
            "--seconds" => options.time = Some(Duration::from_secs(number)),
            _ => return Err(format!("unexpected argument {name}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let run = options().map_err(|error| format!("{error}\n{USAGE}"));
    match run.and_then(|options| simulate(&options)) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(failure)) => {
            print!("{failure}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// What was done of a run: traces from the seed on, and what they counted.
#[derive(Debug, Default)]
struct Done {
    traces: u64,
    tally: Tally,
}

fn simulate(options: &Options) -> Result<Option<Box<Failure>>, String> {
    let mut done = match (&options.state, options.resume) {
        (Some(path), true) => read(path, options.seed)?,
        (None, true) => return Err("--resume needs --state".to_owned()),
        _ => Done::default(),
    };
    let (started, before) = (Instant::now(), done.tally.steps());
    let mut written = started;
    let mut failure = None;
    while failure.is_none() && done.tally.steps() < options.steps {
        if options.time.is_some_and(|time| started.elapsed() >= time) {
            break;
        }
        failure = round(options, &mut done);
        if failure.is_some() {
            break;
        }
        let ends = done.tally.steps() >= options.steps;
        if let Some(path) = options.state.as_deref()
            && (ends || written.elapsed() >= BETWEEN_STATES)
        {
            write(path, options.seed, &done)?;
            written = Instant::now();
        }
        progress(options, &done, (started.elapsed(), before));
    }
    let steps = done.tally.steps() + failure.as_ref().map_or(0, |failure| failure.steps);
    close(&done, steps, (started.elapsed(), before));
    Ok(failure)
}

/// Every job plays its share of the next traces.
fn round(options: &Options, done: &mut Done) -> Option<Box<Failure>> {
    let first = options.seed.wrapping_add(done.traces);
    let results: Vec<(Tally, Option<Box<Failure>>)> = std::thread::scope(|scope| {
        let share = |job: u64| {
            move || {
                let mut tally = Tally::default();
                for trace in 0..ROUND {
                    match play(first.wrapping_add(job * ROUND + trace), &Fast, || Core) {
                        Ok(played) => tally.add(&played),
                        Err(failure) => return (tally, Some(failure)),
                    }
                }
                (tally, None)
            }
        };
        let jobs: Vec<_> = (0..options.jobs)
            .map(|job| scope.spawn(share(job)))
            .collect();
        jobs.into_iter()
            .map(|job| job.join().expect("no trace panics"))
            .collect()
    });
    done.traces += options.jobs * ROUND;
    let mut first = None;
    for (tally, failure) in results {
        done.tally.add(&tally);
        first = first.or(failure);
    }
    first
}

fn rate(steps: u64, elapsed: Duration) -> u64 {
    (steps as f64 / elapsed.as_secs_f64().max(0.001)) as u64
}

fn progress(options: &Options, done: &Done, (elapsed, before): (Duration, u64)) {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let steps = done.tally.steps();
        let rate = rate(steps - before, elapsed);
        let _ = write!(
            out,
            "\r{steps} of {} steps, {rate} a second ",
            options.steps
        );
    }
}

fn close(done: &Done, steps: u64, (elapsed, before): (Duration, u64)) {
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
    let tally = &done.tally;
    let part = |prefix: &str| {
        let mut text = String::new();
        for (name, count) in &tally.counts {
            if let Some(name) = name.strip_prefix(prefix) {
                let _ = write!(
                    text,
                    "{}{name} {count}",
                    if text.is_empty() { "" } else { ", " }
                );
            }
        }
        text
    };
    let never: Vec<&str> = CODES
        .iter()
        .map(|explanation| explanation.code)
        .filter(|code| tally.of(&format!("code.{code}")) == 0)
        .collect();
    println!("operations: {}", part("op."));
    println!("refusals: {}", part("code."));
    println!("never refused with: {}", never.join(", "));
    println!(
        "{steps} steps, {} traces, {} accepted views, {} found targets, {} agreements, {} of them due, {} crashes, {} times nobody there; {} steps/s",
        tally.of("traces"),
        tally.of("accepted"),
        tally.of("found"),
        tally.of("agreed"),
        tally.of("reached-by-map"),
        tally.of("crashes"),
        tally.of("unavailable"),
        rate(steps - before, elapsed),
    );
}

/// The state: a line that says which simulation it is of, one for the seed, one for the traces that are done, and one for each
/// number.
fn write(path: &Path, seed: u64, done: &Done) -> Result<(), String> {
    let mut text = format!(
        "simulation {}\nseed {seed}\ntraces-done {}\n",
        *SIMULATION, done.traces
    );
    for (name, count) in &done.tally.counts {
        let _ = writeln!(text, "{name} {count}");
    }
    tuffet_files::replace(path, text.as_bytes(), tuffet_files::Readers::Umask)
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn read(path: &Path, seed: u64) -> Result<Done, String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Done::default()),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    // A seed is another trace when there are other operations: what was played then says nothing about those of now.
    let first = format!("simulation {}\n", *SIMULATION);
    let Some(text) = text.strip_prefix(&first) else {
        return Err(format!(
            "{}: is of another version of the simulation; begin again without --resume",
            path.display()
        ));
    };
    let mut done = Done::default();
    for line in text.lines() {
        let pair = line
            .split_once(' ')
            .and_then(|(name, count)| Some((name, count.parse().ok()?)));
        match pair {
            Some(("seed", of)) if of != seed => {
                return Err(format!("{}: is about seed {of}", path.display()));
            }
            Some(("seed", _)) => {}
            Some(("traces-done", traces)) => done.traces = traces,
            Some((name, count)) => drop(done.tally.counts.insert(name.to_owned(), count)),
            None => return Err(format!("{}: no state: {line}", path.display())),
        }
    }
    Ok(done)
}
