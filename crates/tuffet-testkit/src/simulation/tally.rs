//! What a simulation did, in numbers: so that one can see how deep it goes.

use std::collections::BTreeMap;

use super::client::{End, Finding, Report};

/// Counts. They add up over traces and runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Numbers by name: `steps`, `traces`, `op.publish`, `code.threshold.root` and so on.
    pub counts: BTreeMap<String, u64>,
    operations: BTreeMap<&'static str, u64>,
    codes: BTreeMap<&'static str, u64>,
    steps: u64,
    accepted: u64,
    found: u64,
    crashes: u64,
    audits: u64,
    audited: u64,
    agreed: u64,
    reached: u64,
    unavailable: u64,
}

impl Tally {
    pub(super) fn operation(&mut self, name: &'static str) {
        self.steps += 1;
        *self.operations.entry(name).or_default() += 1;
    }

    pub(super) fn report(&mut self, report: &Report) {
        match &report.refreshed {
            Ok(_) => self.accepted += 1,
            Err(end) => self.end(end),
        }
        for found in &report.found {
            match found {
                Ok(target) => {
                    self.found += 1;
                    if let Err(code) = &target.checked {
                        *self.codes.entry(code).or_default() += 1;
                    }
                }
                Err(end) => self.end(end),
            }
        }
        if let Some((findings, _)) = &report.audited {
            self.audit(findings);
        }
    }

    fn audit(&mut self, findings: &[Finding]) {
        self.audits += 1;
        for finding in findings {
            match finding {
                Finding::Refused(code) => *self.codes.entry(code).or_default() += 1,
                Finding::Role { unvisited, .. } => {
                    self.audited += 1;
                    for (code, _) in unvisited {
                        *self.codes.entry(code).or_default() += 1;
                    }
                }
            }
        }
    }

    pub(super) fn consultation(&mut self, refusal: Option<&'static str>) {
        match refusal {
            Some(code) => *self.codes.entry(code).or_default() += 1,
            None => self.agreed += 1,
        }
    }

    /// Enough honest repositories list a target, and a map came to it.
    pub(super) fn reached_by_map(&mut self) {
        self.reached += 1;
    }

    fn end(&mut self, end: &End) {
        match end {
            End::Refused(code) => *self.codes.entry(code).or_default() += 1,
            End::Unavailable => self.unavailable += 1,
            End::Crash => self.crashes += 1,
        }
    }

    /// Adds the numbers of another.
    pub fn add(&mut self, other: &Self) {
        for (name, count) in other.named() {
            *self.counts.entry(name).or_default() += count;
        }
    }

    /// One number; zero if nothing of the kind was counted.
    #[must_use]
    pub fn of(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// Every number by its name.
    fn named(&self) -> impl Iterator<Item = (String, u64)> {
        let operations = self
            .operations
            .iter()
            .map(|(name, count)| (format!("op.{name}"), *count));
        let codes = self
            .codes
            .iter()
            .map(|(name, count)| (format!("code.{name}"), *count));
        let others = [
            ("steps", self.steps),
            ("accepted", self.accepted),
            ("found", self.found),
            ("crashes", self.crashes),
            ("audits", self.audits),
            ("audited", self.audited),
            ("agreed", self.agreed),
            ("reached-by-map", self.reached),
            ("unavailable", self.unavailable),
        ];
        let others = others
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count));
        let added = self
            .counts
            .iter()
            .map(|(name, count)| (name.clone(), *count));
        operations.chain(codes).chain(others).chain(added)
    }
}

impl Tally {
    /// How many operations happened.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps + self.of_sum("steps")
    }

    fn of_sum(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// Turns everything that was counted into numbers by name.
    pub(super) fn end_of_trace(&mut self) {
        let mut sum = Self::default();
        sum.add(self);
        sum.counts.insert("traces".to_owned(), 1);
        *self = sum;
    }
}
