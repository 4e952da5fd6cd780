//! What a client must do, written from the specification (TUF §5) and its reading in `docs/rules.md` over files whose makers are
//! known: no bytes are parsed here, no signature is verified, and nothing of the core is called.
//!
//! Of a file that is wrong in several ways every code is admissible: the specification does not say which check comes first.

mod agreement;
mod audit;
mod kept;
mod question;
mod search;

use super::artifact::{Id, Listed, Role};
use kept::{Remembered, accept, keep, retain};
use question::Got;

pub(crate) use agreement::{Entry, Opinion, agreement};
pub(crate) use audit::{Audited, Auditing};
pub(crate) use kept::{Change, Kept, Record, Slot};
pub(crate) use question::{Code, LIMITS, Question, Rules, SKEW, Trusted, Verdict, code};
pub(crate) use search::{Hit, Known, matches};

/// A stored file below which nothing goes.
#[derive(Clone, Copy)]
struct Floor {
    id: Id,
    /// Whether it is good under the present keyids, so that it may be used again.
    usable: bool,
}

/// A refresh of a client.
pub(crate) struct Refreshing<'q> {
    question: &'q Question<'q>,
    kept: &'q Kept,
    record: Record,
    remembers: bool,
    root_floor: Option<u64>,
    chain: Vec<Id>,
    /// The newest root that took a key from timestamp or snapshot.
    rotated: Option<u64>,
    timestamp_floor: Option<Floor>,
    snapshot_floor: Option<Floor>,
    /// What is written on the way, in order.
    pub(crate) changes: Vec<Change>,
}

impl<'q> Refreshing<'q> {
    /// Begins a refresh.
    #[must_use]
    pub(crate) fn new(question: &'q Question<'q>, kept: &'q Kept) -> Self {
        let (record, remembers) = match &kept.record {
            Remembered::This(record) => (record.clone(), true),
            Remembered::Nothing | Remembered::Garbled => (Record::default(), false),
        };
        Self {
            question,
            kept,
            root_floor: record
                .timestamp
                .iter()
                .chain(&record.snapshot)
                .map(|of| of.1)
                .max(),
            record,
            remembers,
            chain: vec![question.anchor],
            rotated: None,
            timestamp_floor: None,
            snapshot_floor: None,
            changes: Vec::new(),
        }
    }

    /// Goes through it.
    ///
    /// # Errors
    /// Why it must end.
    pub(crate) fn run(&mut self) -> Result<Trusted, Verdict> {
        self.look_at_the_clock()?;
        refused(self.question.refused_deviations(self.root()).collect())?;
        self.look_before_the_anchor();
        self.follow_history()?;
        self.keep_the_copy_true()?;
        if !self.question.offline {
            self.fetch_roots()?;
        }
        self.settle()?;
        self.load_floors()?;
        let timestamp = self.timestamp()?;
        let snapshot = self.snapshot(timestamp)?;
        let targets = self.targets(snapshot)?;
        // Without the repository nothing is known about how new it all is.
        if !self.question.offline {
            self.record.last_refresh = Some(self.question.now);
            self.remember();
        }
        Ok(Trusted {
            root: self.root(),
            timestamp,
            snapshot,
            targets,
        })
    }

    fn root(&self) -> Id {
        *self.chain.last().expect("the anchor")
    }

    fn root_version(&self) -> u64 {
        self.question.version(self.root())
    }

    /// A strict client stops at damage, others go on without what is damaged.
    fn damaged(&self) -> Result<(), Verdict> {
        if self.question.rules.strict {
            return Err(Verdict::Refused(vec!["cache.corrupt"]));
        }
        Ok(())
    }

    fn remember(&mut self) {
        self.changes.push(Change::Remember(self.record.clone()));
    }

    fn put(&mut self, slot: Slot, id: Id) {
        self.changes.push(Change::Put(slot, id));
    }

    fn look_at_the_clock(&self) -> Result<(), Verdict> {
        if matches!(self.kept.record, Remembered::Garbled) {
            self.damaged()?;
        }
        let behind = |last| self.question.now + SKEW < last;
        if self.question.rules.strict && self.record.last_refresh.is_some_and(behind) {
            return Err(Verdict::Refused(vec!["clock.back"]));
        }
        Ok(())
    }

    fn follow(&mut self, id: Id) {
        self.note_rotation(self.root(), id);
        self.chain.push(id);
    }

    fn note_rotation(&mut self, before: Id, id: Id) {
        let gone = |role: usize| {
            let [before, after] = [before, id].map(|root| &self.question.grants(root)[role]);
            let stays = |key| after.keys.iter().any(|named| named.key == key);
            before.keys.iter().any(|named| !stays(named.key))
        };
        if gone(1) || gone(2) {
            self.rotated = Some(self.question.version(id));
        }
    }

    /// Where the anchor is newer than what accepted the stored files, the roots since then say whether a key has left. The
    /// copy of the current root goes on where the history breaks off.
    fn look_before_the_anchor(&mut self) {
        let accepted = self.record.timestamp.iter().chain(&self.record.snapshot);
        let Some(first) = accepted.map(|of| of.1).min() else {
            return;
        };
        let (anchor, mut last): (_, Option<Id>) = (self.root_version(), None);
        let mut slots = (first..anchor).map(Slot::History).collect::<Vec<_>>();
        while !slots.is_empty() {
            let slot = slots.remove(0);
            let stored = self.kept.files.get(&slot).copied();
            let follows = |id: Id| {
                let version = self.question.version(id);
                self.question.file(id).is_readable_as(Role::Root)
                    && version < anchor
                    && last.is_none_or(|last| self.question.version(last) < version)
            };
            match stored.filter(|id| follows(*id)) {
                Some(id) => {
                    if let Some(last) = last {
                        self.note_rotation(last, id);
                    }
                    last = Some(id);
                }
                None if slot == Slot::Current(Role::Root) => break,
                None => slots = vec![Slot::Current(Role::Root)],
            }
        }
        if let Some(last) = last {
            self.note_rotation(last, self.root());
        }
    }

    /// Stored roots count only as successors of the anchor.
    fn follow_history(&mut self) -> Result<(), Verdict> {
        while let Some(&id) = self.kept.files.get(&Slot::History(self.root_version() + 1)) {
            // A policy that has become stricter is no way back to an older root.
            refused(self.question.refused_deviations(id).collect())?;
            if !self.question.root_faults(id, self.root()).is_empty() {
                return self.damaged();
            }
            self.follow(id);
        }
        Ok(())
    }

    /// A copy that its own keys have signed is a floor; the copy of an older root is written again.
    fn keep_the_copy_true(&mut self) -> Result<(), Verdict> {
        let copy = self.kept.files.get(&Slot::Current(Role::Root)).copied();
        if copy == Some(self.root()) {
            return Ok(());
        }
        if let Some(copy) = copy {
            let is_signed = self.question.file(copy).is_readable_as(Role::Root) && {
                let [grant, ..] = self.question.grants(copy);
                self.question.file(copy).count(grant) >= grant.threshold
            };
            let version = if is_signed {
                self.question.version(copy)
            } else {
                self.damaged()?;
                1
            };
            self.root_floor = self.root_floor.max(Some(version));
        }
        if self.root_floor <= Some(self.root_version()) {
            self.put(Slot::History(self.root_version()), self.root());
            self.put(Slot::Current(Role::Root), self.root());
        }
        Ok(())
    }

    fn fetch_roots(&mut self) -> Result<(), Verdict> {
        for taken in 0..self.question.rules.roots {
            let before = self.root();
            let version = self.question.version(before) + 1;
            let faults = |id| self.question.root_faults(id, before);
            match self
                .question
                .fetch((Role::Root, version), faults, Question::endless(Role::Root))
            {
                Got::Absent => break,
                Got::Not(verdict) => return Err(verdict),
                Got::Accepted(id) => {
                    if taken == 0 {
                        self.put(Slot::History(version - 1), before);
                    }
                    self.put(Slot::History(version), id);
                    if self.root_floor <= Some(version) {
                        self.put(Slot::Current(Role::Root), id);
                    }
                    self.follow(id);
                }
            }
        }
        Ok(())
    }

    fn settle(&self) -> Result<(), Verdict> {
        let mut wrong = Vec::new();
        if self.root_floor > Some(self.root_version()) {
            wrong.push("rollback.root");
        }
        if self.question.expired(self.root()) {
            wrong.push("expired.root");
        }
        if self.root_version() < self.question.rules.least_root {
            wrong.push("backstop.root");
        }
        refused(wrong)
    }

    /// Files that were accepted before a key left are void (C-11, A-15); the others are floors, expired or not.
    fn load_floors(&mut self) -> Result<(), Verdict> {
        let stored = |role| self.kept.files.get(&Slot::Current(role)).copied();
        let (timestamp, snapshot) = (stored(Role::Timestamp), stored(Role::Snapshot));
        let accepted_by = retain(&mut self.record.timestamp, timestamp);
        if let Some(id) = timestamp {
            if self.is_void(accepted_by) {
                self.purge();
                return Ok(());
            }
            self.timestamp_floor = self.floor(id, Role::Timestamp, accepted_by)?;
        }
        let accepted_by = retain(&mut self.record.snapshot, snapshot);
        if let Some(id) = snapshot {
            if self.is_void(accepted_by) {
                self.purge();
                return Ok(());
            }
            self.snapshot_floor = self.floor(id, Role::Snapshot, accepted_by)?;
        }
        Ok(())
    }

    fn is_void(&self, accepted_by: Option<u64>) -> bool {
        matches!((self.rotated, accepted_by), (Some(rotated), Some(by)) if rotated > by)
    }

    fn purge(&mut self) {
        (self.timestamp_floor, self.snapshot_floor) = (None, None);
        for role in [Role::Timestamp, Role::Snapshot] {
            self.changes.push(Change::Delete(Slot::Current(role)));
        }
    }

    fn floor(&self, id: Id, role: Role, by: Option<u64>) -> Result<Option<Floor>, Verdict> {
        let file = self.question.file(id);
        if !file.is_readable_as(role) {
            self.damaged()?;
            return Ok(None);
        }
        let place = if role == Role::Timestamp { 1 } else { 2 };
        let grant = &self.question.grants(self.root())[place];
        let usable = file.count(grant) >= grant.threshold;
        // No key has left since a root accepted it: a raised threshold is no way back.
        let need = if by.is_some() { 1 } else { grant.threshold };
        if usable || file.count_whatever_the_keyids(grant) >= need {
            return Ok(Some(Floor { id, usable }));
        }
        // What a rotation leaves behind is no damage, unless the record knows another file.
        if by.is_none() && self.remembers {
            self.damaged()?;
        }
        Ok(None)
    }

    fn timestamp(&mut self) -> Result<Id, Verdict> {
        let question = self.question;
        let [_, grant, ..] = question.grants(self.root());
        let floor = self.timestamp_floor;
        let same = |id: Id| {
            floor.filter(|floor| floor.usable && question.version(floor.id) == question.version(id))
        };
        let faults = |id: Id| {
            let mut wrong = question.byte_faults(id, Role::Timestamp, None);
            if !question.file(id).is_readable_as(Role::Timestamp) {
                return wrong;
            }
            if question.file(id).count(grant) < grant.threshold {
                wrong.push("threshold.timestamp");
            }
            // One of the same version is discarded, and the stored one kept.
            let used = same(id).map_or(id, |floor| floor.id);
            if let Some(floor) = floor.filter(|_| used == id) {
                if question.version(id) < question.version(floor.id) {
                    wrong.push("rollback.timestamp");
                }
                let [listed, before] =
                    [id, floor.id].map(|id| question.snapshot_listed(id).version);
                if listed < before {
                    wrong.push("rollback.snapshot");
                }
            }
            if question.expired(used) {
                wrong.push("expired.timestamp");
            }
            wrong.extend(question.refused_deviations(used));
            wrong
        };
        if question.offline {
            let stored = floor.filter(|floor| floor.usable).ok_or_else(not_stored)?;
            refused(faults(stored.id))?;
            return Ok(stored.id);
        }
        let url = (Role::Timestamp, 0);
        let id = match question.fetch(url, faults, Question::endless(Role::Timestamp)) {
            Got::Accepted(id) => id,
            Got::Absent => return Err(Verdict::Refused(vec!["missing.timestamp"])),
            Got::Not(verdict) => return Err(verdict),
        };
        let root = self.root_version();
        if let Some(floor) = same(id) {
            keep(&mut self.record.timestamp, floor.id, root);
            return Ok(floor.id);
        }
        accept(&mut self.record.timestamp, id, root);
        self.remember();
        self.put(Slot::Current(Role::Timestamp), id);
        Ok(id)
    }

    fn snapshot(&mut self, timestamp: Id) -> Result<Id, Verdict> {
        let question = self.question;
        let listed = question.snapshot_listed(timestamp);
        let root = self.root_version();
        let stored = self.snapshot_floor.filter(|floor| floor.usable);
        if question.offline {
            let stored = stored.ok_or_else(not_stored)?;
            refused(self.snapshot_faults(stored.id, listed))?;
            return Ok(stored.id);
        }
        if let Some(floor) = stored
            && self.snapshot_faults(floor.id, listed).is_empty()
        {
            keep(&mut self.record.snapshot, floor.id, root);
            return Ok(floor.id);
        }
        let url = question.url(self.root(), Role::Snapshot, listed);
        let faults = |id| self.snapshot_faults(id, listed);
        match question.fetch(url, faults, Question::endless(Role::Snapshot)) {
            Got::Absent => Err(Verdict::Refused(vec!["missing.snapshot"])),
            Got::Not(verdict) => Err(verdict),
            Got::Accepted(id) => {
                accept(&mut self.record.snapshot, id, root);
                self.remember();
                self.put(Slot::Current(Role::Snapshot), id);
                Ok(id)
            }
        }
    }

    fn snapshot_faults(&self, id: Id, listed: &Listed) -> Vec<Code> {
        let question = self.question;
        let mut wrong = question.byte_faults(id, Role::Snapshot, Some(listed));
        if !question.file(id).is_readable_as(Role::Snapshot) {
            return wrong;
        }
        let [_, _, grant, _] = question.grants(self.root());
        if question.file(id).count(grant) < grant.threshold {
            wrong.push("threshold.snapshot");
        }
        if question.version(id) != listed.version {
            wrong.push("version.snapshot");
        }
        let roles = question.roles_listed(id);
        for (role, before) in self
            .snapshot_floor
            .iter()
            .flat_map(|f| question.roles_listed(f.id))
        {
            match roles.get(role) {
                None => wrong.push("rollback.removed"),
                Some(now) if now.version < before.version => wrong.push(code("rollback", *role)),
                Some(_) => {}
            }
        }
        if !roles.contains_key(&Role::Targets) {
            wrong.push("missing.entry");
        }
        if question.expired(id) {
            wrong.push("expired.snapshot");
        }
        if question.version(id) < question.rules.least_snapshot {
            wrong.push("backstop.snapshot");
        }
        wrong.extend(question.refused_deviations(id));
        wrong
    }

    fn targets(&mut self, snapshot: Id) -> Result<Id, Verdict> {
        let question = self.question;
        let listed = &question.roles_listed(snapshot)[&Role::Targets];
        let [.., grant] = question.grants(self.root());
        let faults = |id| question.targets_faults(id, Role::Targets, listed, grant);
        let slot = Slot::Current(Role::Targets);
        let stored = self.kept.files.get(&slot).copied();
        if question.offline {
            let stored = stored.ok_or_else(not_stored)?;
            refused(faults(stored))?;
            return Ok(stored);
        }
        if let Some(stored) = stored.filter(|stored| faults(*stored).is_empty()) {
            return Ok(stored);
        }
        let url = question.url(self.root(), Role::Targets, listed);
        match question.fetch(url, faults, Question::endless(Role::Targets)) {
            Got::Accepted(id) => {
                self.put(slot, id);
                Ok(id)
            }
            Got::Absent => Err(Verdict::Refused(vec!["missing.targets"])),
            Got::Not(verdict) => Err(verdict),
        }
    }
}

fn not_stored() -> Verdict {
    Verdict::Refused(vec!["offline.missing"])
}

fn refused(wrong: Vec<Code>) -> Result<(), Verdict> {
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Verdict::Refused(wrong))
}
