//! What a client must do, written from the specification (TUF §5) and its reading in `docs/rules.md` over files whose makers are
//! known: no bytes are parsed here, no signature is verified, and nothing of the core is called.
//!
//! Of a file that is wrong in several ways every code is admissible: the specification does not say which check comes first.

mod search;

use std::collections::BTreeMap;

use super::artifact::{Archive, Artifact, Body, Grant, Id, Listed, Role};
use super::network::{Served, Url};

pub(crate) use search::{Hit, Known};

/// An error code.
pub(crate) type Code = &'static str;

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
    timestamp: Vec<(Id, u64)>,
    snapshot: Vec<(Id, u64)>,
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
    files: BTreeMap<Slot, Id>,
    record: Remembered,
}

/// The record in a store.
#[derive(Debug, Clone, Default)]
enum Remembered {
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

/// What a client asks of a repository, as far as the simulation varies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Whether local damage is an error.
    pub(crate) strict: bool,
    /// New roots in one refresh.
    pub(crate) roots: u32,
    /// Targets roles in one search.
    pub(crate) roles: usize,
    /// The lowest root to settle for.
    pub(crate) least_root: u64,
    /// The lowest snapshot to settle for.
    pub(crate) least_snapshot: u64,
}

/// Bytes of a root, a timestamp, a snapshot and a targets file, and of any file whose length is listed, at most.
pub(crate) const LIMITS: [u64; 5] = [16_384, 4_096, 8_192, 8_192, 12_288];

/// How many seconds a clock may be behind the last refresh.
pub(crate) const SKEW: i64 = 300;

/// Everything that decides what a client must do.
pub(crate) struct Question<'q> {
    /// All files.
    pub(crate) archive: &'q Archive,
    /// What is asked of the repository.
    pub(crate) rules: Rules,
    /// Where trust begins.
    pub(crate) anchor: Id,
    /// What the client's clock says.
    pub(crate) now: i64,
    /// What each mirror answers; `None` if there are not so many.
    pub(crate) served: &'q dyn Fn(usize, Url) -> Option<Served>,
}

/// Why it must not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// With one of these codes.
    Refused(Vec<Code>),
    /// Nothing that anybody answered says anything.
    Unavailable,
}

/// The four files of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trusted {
    /// Root.
    pub(crate) root: Id,
    /// Timestamp.
    pub(crate) timestamp: Id,
    /// Snapshot.
    pub(crate) snapshot: Id,
    /// The top-level targets role.
    pub(crate) targets: Id,
}

/// What comes of asking for a file.
enum Got {
    Accepted(Id),
    Absent,
    Not(Verdict),
}

/// A stored file below which nothing goes.
#[derive(Clone, Copy)]
struct Floor {
    id: Id,
    /// Whether it is good under the present keyids, so that it may be used again.
    usable: bool,
}

impl Question<'_> {
    fn file(&self, id: Id) -> &Artifact {
        self.archive.get(id)
    }

    fn version(&self, id: Id) -> u64 {
        self.file(id).draft.version
    }

    fn expired(&self, id: Id) -> bool {
        self.file(id).draft.expires <= self.now
    }

    fn grants(&self, root: Id) -> &[Grant; 4] {
        match &self.file(root).draft.body {
            Body::Root { grants, .. } => grants,
            other => panic!("no root: {other:?}"),
        }
    }

    fn is_consistent(&self, root: Id) -> bool {
        matches!(self.file(root).draft.body, Body::Root { consistent, .. } if consistent)
    }

    fn snapshot_listed(&self, timestamp: Id) -> &Listed {
        match &self.file(timestamp).draft.body {
            Body::Timestamp(listed) => listed,
            other => panic!("no timestamp: {other:?}"),
        }
    }

    fn roles_listed(&self, snapshot: Id) -> &BTreeMap<Role, Listed> {
        match &self.file(snapshot).draft.body {
            Body::Snapshot(listed) => listed,
            other => panic!("no snapshot: {other:?}"),
        }
    }

    /// The mirrors are asked in order; that there is no newer root is believed when one says so (F-60).
    fn fetch(&self, url: Url, faults: impl Fn(Id) -> Vec<Code>, endless: Vec<Code>) -> Got {
        let (mut absent, mut failed, mut first) = (false, false, None);
        for mirror in 0.. {
            let wrong = match (self.served)(mirror, url) {
                None => break,
                Some(Served::Absent) => {
                    absent = true;
                    continue;
                }
                Some(Served::Failed) => {
                    failed = true;
                    continue;
                }
                Some(Served::Endless) => endless.clone(),
                Some(Served::File(id)) => match faults(id) {
                    wrong if wrong.is_empty() => return Got::Accepted(id),
                    wrong => wrong,
                },
            };
            failed = true;
            first.get_or_insert(wrong);
        }
        let excused = url.0 == Role::Root && !self.rules.strict;
        if absent && (!failed || excused) {
            return Got::Absent;
        }
        Got::Not(first.map_or(Verdict::Unavailable, Verdict::Refused))
    }

    /// What is wrong with the bytes of a file, by what is listed and whether they can be read at all.
    fn byte_faults(&self, id: Id, role: Role, listed: Option<&Listed>) -> Vec<Code> {
        let (file, mut wrong) = (self.file(id), Vec::new());
        let length = file.bytes.len() as u64;
        let exact = listed.and_then(|listed| listed.length);
        if exact.is_some_and(|exact| exact != length) || length > most(role, exact) {
            wrong.push(code("length", role));
        }
        if listed
            .and_then(|listed| listed.hash)
            .is_some_and(|hash| hash != file.hash)
        {
            wrong.push(code("hash", role));
        }
        if !file.is_readable_as(role) {
            wrong.push(code("format", role));
        }
        wrong
    }

    /// The codes for bytes that never end.
    fn endless(role: Role) -> Vec<Code> {
        ["length", "hash", "format"]
            .map(|family| code(family, role))
            .to_vec()
    }

    /// What is wrong with a targets role (C-41 to C-44).
    fn targets_faults(&self, id: Id, role: Role, listed: &Listed, grant: &Grant) -> Vec<Code> {
        let mut wrong = self.byte_faults(id, role, Some(listed));
        if !self.file(id).is_readable_as(role) {
            return wrong;
        }
        if self.file(id).count(grant) < grant.threshold {
            wrong.push(code("threshold", role));
        }
        if self.version(id) != listed.version {
            wrong.push(code("version", role));
        }
        if self.expired(id) {
            wrong.push(code("expired", role));
        }
        wrong
    }

    /// What is wrong with a successor of a root (C-05, C-06).
    fn root_faults(&self, id: Id, before: Id) -> Vec<Code> {
        let mut wrong = self.byte_faults(id, Role::Root, None);
        if !self.file(id).is_readable_as(Role::Root) {
            return wrong;
        }
        let signed = |root| {
            let [grant, ..] = self.grants(root);
            self.file(id).count(grant) >= grant.threshold
        };
        if !signed(before) || !signed(id) {
            wrong.push("threshold.root");
        }
        if self.version(id) != self.version(before) + 1 {
            wrong.push("version.root");
        }
        wrong
    }
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
        self.follow_history()?;
        self.keep_the_copy_true()?;
        self.fetch_roots()?;
        self.settle()?;
        self.load_floors()?;
        let timestamp = self.timestamp()?;
        let snapshot = self.snapshot(timestamp)?;
        let targets = self.targets(snapshot)?;
        self.record.last_refresh = Some(self.question.now);
        self.remember();
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
        let gone = |role: usize| {
            let [before, after] = [self.root(), id].map(|root| &self.question.grants(root)[role]);
            let stays = |key| after.keys.iter().any(|named| named.key == key);
            before.keys.iter().any(|named| !stays(named.key))
        };
        if gone(1) || gone(2) {
            self.rotated = Some(self.question.version(id));
        }
        self.chain.push(id);
    }

    /// Stored roots count only as successors of the anchor.
    fn follow_history(&mut self) -> Result<(), Verdict> {
        while let Some(&id) = self.kept.files.get(&Slot::History(self.root_version() + 1)) {
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
        if usable || file.count_whatever_the_keyids(grant) >= grant.threshold {
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
            wrong
        };
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
        if let Some(floor) = self.snapshot_floor.filter(|floor| floor.usable)
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
        wrong
    }

    fn targets(&mut self, snapshot: Id) -> Result<Id, Verdict> {
        let question = self.question;
        let listed = &question.roles_listed(snapshot)[&Role::Targets];
        let [.., grant] = question.grants(self.root());
        let faults = |id| question.targets_faults(id, Role::Targets, listed, grant);
        let slot = Slot::Current(Role::Targets);
        if let Some(&stored) = self.kept.files.get(&slot)
            && faults(stored).is_empty()
        {
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

impl Question<'_> {
    fn url(&self, root: Id, role: Role, listed: &Listed) -> Url {
        (
            role,
            if self.is_consistent(root) {
                listed.version
            } else {
                0
            },
        )
    }
}

fn refused(wrong: Vec<Code>) -> Result<(), Verdict> {
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Verdict::Refused(wrong))
}

/// Forgets what is remembered of files that are not there; the root that accepted the one that is.
fn retain(accepted: &mut Vec<(Id, u64)>, stored: Option<Id>) -> Option<u64> {
    accepted.retain(|(id, _)| Some(*id) == stored);
    accepted.last().map(|(_, root)| *root)
}

fn accept(accepted: &mut Vec<(Id, u64)>, id: Id, root: u64) {
    accepted.retain(|(known, _)| *known != id);
    accepted.push((id, root));
}

/// Only if the record was lost: nothing else is remembered of a file that is kept.
fn keep(accepted: &mut Vec<(Id, u64)>, id: Id, root: u64) {
    if accepted.is_empty() {
        accepted.push((id, root));
    }
}

fn most(role: Role, listed: Option<u64>) -> u64 {
    let [root, timestamp, snapshot, targets, signed] = LIMITS;
    match (role, listed) {
        (Role::Root, _) => root,
        (Role::Timestamp, _) => timestamp,
        (_, Some(_)) => signed,
        (Role::Snapshot, None) => snapshot,
        (Role::Targets | Role::Delegated(_), None) => targets,
    }
}

/// The code of a family for a role.
#[must_use]
pub(crate) fn code(family: &str, role: Role) -> Code {
    macro_rules! of {
        ($($family:literal)+) => {
            match (family, role) {
                $(
                    ($family, Role::Root) => concat!($family, ".root"),
                    ($family, Role::Timestamp) => concat!($family, ".timestamp"),
                    ($family, Role::Snapshot) => concat!($family, ".snapshot"),
                    ($family, Role::Targets) => concat!($family, ".targets"),
                    ($family, Role::Delegated(_)) => concat!($family, ".delegated"),
                )+
                (other, _) => panic!("no family {other}"),
            }
        };
    }
    of!("format" "threshold" "version" "rollback" "expired" "length" "hash" "missing")
}
