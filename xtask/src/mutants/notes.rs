//! What was found out, kept from run to run.

use super::trial::Verdict;
use super::weave::Mutant;
use crate::report::{Failure, Outcome};
use crate::workspace::{self, Workspace};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::PathBuf;

const WORDS: [(&str, Verdict); 4] = [
    ("caught", Verdict::Caught),
    ("stuck", Verdict::Stuck),
    ("missed", Verdict::Missed),
    ("unviable", Verdict::Unviable),
];

/// What is known of each mutant, now and from the runs before.
#[derive(Debug)]
pub(super) struct Notes {
    file: PathBuf,
    names: Vec<String>,
    keys: Vec<String>,
    found: BTreeMap<usize, Verdict>,
    /// What this run is about.
    chosen: BTreeSet<usize>,
}

impl Notes {
    pub(super) fn read(
        workspace: &Workspace,
        file: PathBuf,
        all: &[Mutant],
    ) -> Result<Self, Failure> {
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
            .filter_map(|(word, key)| {
                let (_, verdict) = WORDS.iter().find(|(known, _)| *known == word)?;
                Some((key, *verdict))
            })
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
            chosen: BTreeSet::new(),
            found,
        })
    }

    /// Takes what this run is about; returns what of it is open: also what was missed before, because it may be caught now.
    pub(super) fn open(&mut self, chosen: BTreeSet<usize>) -> BTreeSet<usize> {
        self.chosen = chosen;
        let known = |number: &usize| self.found.contains_key(number);
        let open = self.chosen.iter().copied().filter(|number| !known(number));
        open.collect()
    }

    /// Those that the compiler has refused, whatever this run is about.
    pub(super) fn unviable(&self) -> BTreeSet<usize> {
        let refused =
            |(number, found): (&usize, &Verdict)| (*found == Verdict::Unviable).then_some(*number);
        self.found.iter().filter_map(refused).collect()
    }

    pub(super) fn note(&mut self, number: usize, verdict: Verdict) -> Result<(), Failure> {
        if verdict == Verdict::Missed {
            println!("missed   {}", self.names[number]);
        }
        self.found.insert(number, verdict);
        let fail = |error| Failure::file(&self.file, error);
        let words = WORDS.iter().find(|(_, known)| *known == verdict);
        let word = words.map_or("", |(word, _)| word);
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.file)
            .map_err(fail)?;
        writeln!(file, "{word}\t{}", self.keys[number]).map_err(fail)
    }

    pub(super) fn outcome(&self) -> Result<Outcome, Failure> {
        let of = |wanted: Verdict| -> Vec<String> {
            let chosen = self.chosen.iter();
            let found = chosen.filter(|number| self.found.get(*number) == Some(&wanted));
            found.map(|number| self.names[*number].clone()).collect()
        };
        let missed = of(Verdict::Missed);
        let note = format!(
            "{} caught, {} run for too long, {} not viable",
            of(Verdict::Caught).len(),
            of(Verdict::Stuck).len(),
            of(Verdict::Unviable).len()
        );
        let known = |number: &&usize| self.found.contains_key(number);
        let untried = self.chosen.len() - self.chosen.iter().filter(known).count();
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
