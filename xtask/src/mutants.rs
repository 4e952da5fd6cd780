//! Changes `tuffet-core` in small ways, one at a time, and sees whether its own tests notice.
//!
//! `cargo-mutants` says which changes there are. All of them are woven into one copy of the core below `target/`, each behind a
//! number, and a variable chooses which one counts: one build instead of thousands. The few that cannot be woven are left to
//! `cargo-mutants`, which builds each.
//!
//! What is found is kept in `target/mutants`: the next run leaves out what was caught before, so that a run can be broken off. What
//! no test can notice stands in `.cargo/mutants.toml` with the reason.

mod trial;
mod weave;

use crate::arguments::Arguments;
use crate::command;
use crate::report::{Failure, Outcome};
use crate::workspace::{self, Workspace};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
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
    let chosen = choose(&all, module.as_deref(), shard.as_deref())?;
    notes.keep(&chosen);
    let mutants: BTreeMap<usize, Mutant> = all.into_iter().enumerate().collect();
    let open: BTreeSet<usize> = chosen
        .into_iter()
        .filter(|number| notes.open(*number))
        .collect();
    println!("    {} mutants to be tried", open.len());
    if !open.is_empty() {
        try_woven(workspace, &mutants, &open, jobs, &mut notes)?;
        let rest = open.iter().filter(|number| notes.unknown(**number));
        let rest: Vec<(usize, &Mutant)> = rest.map(|number| (*number, &mutants[number])).collect();
        try_built(workspace, &program, &rest, &mut notes)?;
    }
    notes.outcome()
}

/// The mutants as `cargo-mutants` sees them, of the whole core: what is woven is the same whatever is chosen, so that it is built once.
fn list(workspace: &Workspace, program: &Path) -> Result<Vec<Mutant>, Failure> {
    let mut list = mutants(workspace, program);
    let said: Value = serde_json::from_str(&command::output(list.args(["--list", "--json"]))?)
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

fn mutants(workspace: &Workspace, program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(&workspace.root)
        .args(["mutants", "--package", "tuffet-core"]);
    command
}

/// Tries those that can stand in one build.
fn try_woven(
    workspace: &Workspace,
    mutants: &BTreeMap<usize, Mutant>,
    open: &BTreeSet<usize>,
    jobs: usize,
    notes: &mut Notes,
) -> Result<(), Failure> {
    let trial = Trial::build(workspace, mutants, notes.unviable.clone())?;
    for number in trial.unviable.difference(&notes.unviable.clone()) {
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
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or(Ok(())))
    })
}

/// Leaves the others to `cargo-mutants`, which builds the core for each.
fn try_built(
    workspace: &Workspace,
    program: &Path,
    rest: &[(usize, &Mutant)],
    notes: &mut Notes,
) -> Result<(), Failure> {
    if rest.is_empty() {
        return Ok(());
    }
    let output = workspace.target.join("mutants");
    let mut test = mutants(workspace, program);
    test.arg("--output").arg(&output);
    for (_, mutant) in rest {
        test.args(["--re", &format!("^{}$", literal(&mutant.name))]);
    }
    // The tests of the core alone: what only a client notices is a test that is missing.
    let status = test.args(["--", "--lib", "--test", "it"]).status();
    status.map_err(|error| Failure::file(program, error))?;
    for (name, verdict) in [
        ("caught", Verdict::Caught),
        ("timeout", Verdict::Stuck),
        ("missed", Verdict::Missed),
        ("unviable", Verdict::Unviable),
    ] {
        let file = output.join("mutants.out").join(format!("{name}.txt"));
        let text = fs::read_to_string(file).unwrap_or_default();
        for (number, _) in rest
            .iter()
            .filter(|(_, mutant)| text.lines().any(|line| line == mutant.name))
        {
            notes.note(*number, verdict)?;
        }
    }
    Ok(())
}

/// A regular expression that means a text.
fn literal(text: &str) -> String {
    let mut expression = String::new();
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            expression.push('\\');
        }
        expression.push(character);
    }
    expression
}

/// What is known of each mutant, now and from the runs before.
#[derive(Debug)]
struct Notes {
    file: PathBuf,
    names: Vec<String>,
    keys: Vec<String>,
    found: BTreeMap<usize, Verdict>,
    before: BTreeSet<usize>,
    chosen: BTreeSet<usize>,
    /// Of all that there are, not only of those chosen.
    unviable: BTreeSet<usize>,
}

impl Notes {
    fn read(workspace: &Workspace, file: PathBuf, all: &[Mutant]) -> Result<Self, Failure> {
        let (mut texts, mut keys) = (BTreeMap::new(), Vec::new());
        for mutant in all {
            if !texts.contains_key(&mutant.file) {
                let text = workspace::read(&workspace.root.join(&mutant.file))?;
                texts.insert(mutant.file.clone(), text);
            }
            keys.push(mutant.key(&texts[&mutant.file]));
        }
        let text = fs::read_to_string(&file).unwrap_or_default();
        let known: BTreeMap<&str, Verdict> = text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .filter_map(|(word, key)| Some((key, Verdict::read(word)?)))
            .collect();
        let found: BTreeMap<usize, Verdict> = keys
            .iter()
            .enumerate()
            .filter_map(|(number, key)| Some((number, *known.get(key.as_str())?)))
            .filter(|(_, verdict)| *verdict != Verdict::Missed)
            .collect();
        Ok(Self {
            file,
            names: all.iter().map(|mutant| mutant.name.clone()).collect(),
            keys,
            chosen: (0..all.len()).collect(),
            before: found.keys().copied().collect(),
            unviable: found
                .iter()
                .filter(|(_, verdict)| **verdict == Verdict::Unviable)
                .map(|(number, _)| *number)
                .collect(),
            found,
        })
    }

    /// Leaves out what this run is not about.
    fn keep(&mut self, chosen: &BTreeSet<usize>) {
        self.found.retain(|number, _| chosen.contains(number));
        self.chosen = chosen.clone();
    }

    /// Whether it is to be tried: what was missed before may be caught now.
    fn open(&self, number: usize) -> bool {
        !self.before.contains(&number)
    }

    fn unknown(&self, number: usize) -> bool {
        !self.found.contains_key(&number)
    }

    fn note(&mut self, number: usize, verdict: Verdict) -> Result<(), Failure> {
        if verdict == Verdict::Missed {
            println!("missed   {}", self.names[number]);
        }
        if self.chosen.contains(&number) {
            self.found.insert(number, verdict);
        }
        trial::note(&self.file, verdict, &self.keys[number])
    }

    fn outcome(&self) -> Result<Outcome, Failure> {
        let count = |wanted| {
            self.found
                .values()
                .filter(|found| **found == wanted)
                .count()
        };
        let of = |wanted: Verdict| {
            let found = self
                .found
                .iter()
                .filter(move |(_, found)| **found == wanted);
            found.map(|(number, _)| self.names[*number].clone())
        };
        let missed: Vec<String> = of(Verdict::Missed).collect();
        let note = format!(
            "{} caught, {} run for too long, {} not viable",
            count(Verdict::Caught),
            count(Verdict::Stuck),
            count(Verdict::Unviable)
        );
        let untried = self.chosen.len().saturating_sub(self.found.len());
        if untried > 0 {
            return Err(Failure::new(format!("{note}, {untried} not tried")));
        }
        if missed.is_empty() {
            return Ok(Outcome::Passed(note));
        }
        Err(Failure::list(
            &format!("{note}; no test notices {}", missed.len()),
            &missed,
        ))
    }
}
