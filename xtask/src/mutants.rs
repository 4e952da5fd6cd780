//! Changes `tuffet-core` in small ways, one at a time, and sees whether its own tests notice.
//!
//! `cargo-mutants` says which changes there are. All of them are woven into one copy of the core below `target/`, each behind a
//! number, and a variable chooses which one counts: one build instead of thousands.
//! Only the tests of the core itself are run: what only a client notices is a test that is missing.
//!
//! What is found is kept in `target/mutants`: the next run leaves out what was caught before, so that a run can be broken off. What
//! no test can notice stands in `.cargo/mutants.toml` with the reason.

mod notes;
mod trial;
mod weave;

use crate::arguments::Arguments;
use crate::command;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use notes::Notes;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use trial::{Trial, Verdict};
use weave::Mutant;

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let module = arguments.value("--module")?;
    let shard = arguments.value("--shard")?;
    let jobs = arguments.value("--jobs")?;
    let install = arguments.flag("--install");
    arguments.finish()?;
    let Some(program) = workspace.tool("cargo-mutants", install)? else {
        return Ok(Outcome::Skipped("needs cargo-mutants (--install)".into()));
    };
    let jobs: usize = jobs
        .as_deref()
        .unwrap_or("1")
        .parse()
        .map_err(|error| Failure::new(format!("--jobs: {error}")))?;
    let output = workspace.target.join("mutants");
    fs::create_dir_all(&output).map_err(|error| Failure::file(&output, error))?;
    let all = list(workspace, &program)?;
    let mut notes = Notes::read(workspace, output.join("found.tsv"), &all)?;
    let open = notes.open(choose(&all, module.as_deref(), shard.as_deref())?);
    let mutants: BTreeMap<usize, Mutant> = all.into_iter().enumerate().collect();
    println!("    {} mutants to be tried", open.len());
    if !open.is_empty() {
        try_woven(workspace, &mutants, &open, jobs, &mut notes)?;
    }
    notes.outcome()
}

/// The mutants as `cargo-mutants` sees them, of the whole core: what is woven is the same whatever is chosen, so that it is built once.
fn list(workspace: &Workspace, program: &Path) -> Result<Vec<Mutant>, Failure> {
    let mut list = Command::new(program);
    list.current_dir(&workspace.root).args([
        "mutants",
        "--package",
        "tuffet-core",
        "--list",
        "--json",
    ]);
    let said: Value = serde_json::from_str(&command::output(&mut list)?)
        .map_err(|error| Failure::new(format!("cargo mutants: {error}")))?;
    let values = said.as_array().into_iter().flatten();
    values
        .map(|value| Mutant::read(value).ok_or_else(|| Failure::new(format!("strange: {value}"))))
        .collect()
}

/// The numbers of the mutants of a module and of a shard such as `0/4`.
fn choose(
    all: &[Mutant],
    module: Option<&str>,
    shard: Option<&str>,
) -> Result<BTreeSet<usize>, Failure> {
    let (shard, shards) = match shard {
        None => (0, 1),
        Some(text) => text
            .split_once('/')
            .and_then(|(k, n)| Some((k.parse::<usize>().ok()?, n.parse::<usize>().ok()?)))
            .filter(|(k, n)| k < n)
            .ok_or_else(|| Failure::new("--shard is K/N with K below N"))?,
    };
    let within = |mutant: &Mutant| {
        module.is_none_or(|module| {
            let path = mutant.file.strip_prefix("crates/tuffet-core/src/");
            path.and_then(|path| path.strip_prefix(module))
                .is_some_and(|rest| rest.starts_with(['/', '.']))
        })
    };
    let numbers = all.iter().enumerate().filter(|(_, mutant)| within(mutant));
    let chosen: BTreeSet<usize> = numbers
        .map(|(number, _)| number)
        .filter(|number| number % shards == shard)
        .collect();
    if chosen.is_empty() {
        return Err(Failure::new("no mutant is there"));
    }
    Ok(chosen)
}

/// Builds them all, and tries those that are open.
fn try_woven(
    workspace: &Workspace,
    mutants: &BTreeMap<usize, Mutant>,
    open: &BTreeSet<usize>,
    jobs: usize,
    notes: &mut Notes,
) -> Result<(), Failure> {
    let trial = Trial::build(workspace, mutants, notes.unviable())?;
    for number in trial.unviable.difference(&notes.unviable()) {
        notes.note(*number, Verdict::Unviable)?;
    }
    if trial.run(None)? != Verdict::Missed {
        return Err(Failure::new("the tests fail without any change"));
    }
    let queue = Mutex::new(trial.viable.intersection(open));
    let notes = Mutex::new(notes);
    let work = || -> Result<(), Failure> {
        loop {
            let next = queue.lock().map(|mut queue| queue.next());
            let Ok(Some(number)) = next else {
                return Ok(());
            };
            let verdict = trial.run(Some(*number))?;
            if let Ok(mut notes) = notes.lock() {
                notes.note(*number, verdict)?;
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            let ended = |_| Err(Failure::new("a worker has panicked"));
            worker.join().unwrap_or_else(ended)
        })
    })
}
