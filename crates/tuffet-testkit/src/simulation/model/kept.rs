//! A client's store as the model sees it.

use std::collections::BTreeMap;

use super::super::artifact::{Id, Role};

/// A place in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// A root of the history.
    History(u64),
    /// The current file of a role; of root it is a copy.
    Current(Role),
    /// What is remembered beside the metadata.
    Record,
}

/// What is remembered: which root accepted which file, and when the last refresh succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    pub(super) timestamp: Vec<(Id, u64)>,
    pub(super) snapshot: Vec<(Id, u64)>,
    /// When the last successful refresh began.
    pub(crate) last_refresh: Option<i64>,
}

/// A change of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// A file is written.
    Put(Slot, Id),
    /// A file is removed.
    Delete(Slot),
    /// The record is written.
    Remember(Record),
}

/// A store as the model sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub(super) files: BTreeMap<Slot, Id>,
    pub(super) record: Remembered,
}

/// The record in a store.
#[derive(Debug, Clone, Default)]
pub(super) enum Remembered {
    #[default]
    Nothing,
    This(Record),
    /// It is there and cannot be read.
    Garbled,
}

impl Kept {
    /// Makes a change.
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Put(slot, id) => drop(self.files.insert(slot, id)),
            Change::Delete(slot) => drop(self.files.remove(&slot)),
            Change::Remember(record) => self.record = Remembered::This(record),
        }
    }

    /// Loses what is at a place.
    pub(crate) fn lose(&mut self, slot: Slot) {
        self.files.remove(&slot);
        if slot == Slot::Record {
            self.record = Remembered::Nothing;
        }
    }

    /// Damages the record.
    pub(crate) fn garble_record(&mut self) {
        self.record = Remembered::Garbled;
    }

    /// The files.
    #[must_use]
    pub(crate) fn files(&self) -> &BTreeMap<Slot, Id> {
        &self.files
    }

    /// When the last successful refresh began, as far as it is remembered.
    #[must_use]
    pub(crate) fn last_refresh(&self) -> Option<i64> {
        match &self.record {
            Remembered::This(record) => record.last_refresh,
            Remembered::Nothing | Remembered::Garbled => None,
        }
    }
}

/// Forgets what is remembered of files that are not there; the root that accepted the one that is.
pub(super) fn retain(accepted: &mut Vec<(Id, u64)>, stored: Option<Id>) -> Option<u64> {
    accepted.retain(|(id, _)| Some(*id) == stored);
    accepted.last().map(|(_, root)| *root)
}

pub(super) fn accept(accepted: &mut Vec<(Id, u64)>, id: Id, root: u64) {
    accepted.retain(|(known, _)| *known != id);
    accepted.push((id, root));
}

/// Only if the record was lost: nothing else is remembered of a file that is kept.
pub(super) fn keep(accepted: &mut Vec<(Id, u64)>, id: Id, root: u64) {
    if accepted.is_empty() {
        accepted.push((id, root));
    }
}
