//! What a search must find (TUF §5.6.7), by recursion.

use std::collections::{BTreeMap, BTreeSet};

use super::super::artifact::{
    BIN, Body, Content, Delegation, Delegations, Grant, Id, PATTERNS, Paths, Role, TARGETS,
};
use super::question::Got;
use super::{Change, Code, Kept, Question, Slot, Trusted, Verdict, code};

/// Where a target was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    /// The role that lists it.
    pub(crate) role: Role,
    /// What it is.
    pub(crate) content: Content,
}

/// Roles that were verified in a view, by delegator and name; each with the file of the delegator whose keys it was verified with.
pub(crate) type Known = BTreeMap<(Role, Role), (Id, Id)>;

/// A search of a client.
pub(crate) struct Searching<'q> {
    question: &'q Question<'q>,
    kept: &'q Kept,
    known: &'q mut Known,
    view: Trusted,
    path: u8,
    hash: [u8; 32],
    visited: BTreeSet<Role>,
    changes: Vec<Change>,
}

/// How looking at a role ended.
enum Flow {
    Found(Hit),
    /// Nothing more is searched.
    Terminated,
    Goes,
}

impl Question<'_> {
    /// What a search for a path must end in, and what is written on the way. `hash` is that of the path.
    pub(crate) fn search(
        &self,
        kept: &Kept,
        known: &mut Known,
        view: Trusted,
        (path, hash): (u8, [u8; 32]),
    ) -> (Result<Hit, Verdict>, Vec<Change>) {
        let mut searching = Searching {
            question: self,
            kept,
            known,
            view,
            path,
            hash,
            visited: BTreeSet::from([Role::Targets]),
            changes: Vec::new(),
        };
        let found = match searching.look(view.targets, Role::Targets) {
            Ok(Flow::Found(hit)) => Ok(hit),
            Ok(Flow::Terminated | Flow::Goes) => refused("target.not-found"),
            Err(verdict) => Err(verdict),
        };
        (found, searching.changes)
    }
}

fn refused<T>(code: Code) -> Result<T, Verdict> {
    Err(Verdict::Refused(vec![code]))
}

impl Searching<'_> {
    fn look(&mut self, id: Id, role: Role) -> Result<Flow, Verdict> {
        let Body::Targets {
            targets,
            delegations,
        } = &self.question.file(id).draft.body
        else {
            panic!("no targets role");
        };
        if let Some(&content) = targets.get(&self.path) {
            return Ok(Flow::Found(Hit { role, content }));
        }
        match delegations {
            Delegations::None => Ok(Flow::Goes),
            // Of bins one covers the path and no other can.
            Delegations::Bins { grant, bits } => {
                let bin = Role::Delegated(BIN + (self.hash[0] >> (8 - bits)));
                match self.visit((id, role), bin, grant)? {
                    Flow::Goes => Ok(Flow::Terminated),
                    other => Ok(other),
                }
            }
            Delegations::Named(roles) => {
                for delegation in roles {
                    if !self.covers(delegation) {
                        continue;
                    }
                    match self.visit((id, role), delegation.role, &delegation.grant)? {
                        Flow::Goes if delegation.terminating => return Ok(Flow::Terminated),
                        Flow::Goes => {}
                        other => return Ok(other),
                    }
                }
                Ok(Flow::Goes)
            }
        }
    }

    fn visit(&mut self, delegator: (Id, Role), role: Role, grant: &Grant) -> Result<Flow, Verdict> {
        if self.visited.contains(&role) {
            return Ok(Flow::Goes);
        }
        if self.visited.len() >= self.question.rules.roles {
            return refused("target.search-limit");
        }
        self.visited.insert(role);
        let id = self.verified(delegator, role, grant)?;
        self.look(id, role)
    }

    /// The file of a role, verified by the word of this delegator.
    fn verified(
        &mut self,
        (delegator, delegating): (Id, Role),
        role: Role,
        grant: &Grant,
    ) -> Result<Id, Verdict> {
        let question = self.question;
        let Some(listed) = question.roles_listed(self.view.snapshot).get(&role) else {
            return refused("missing.entry");
        };
        match self.known.get(&(delegating, role)) {
            Some(&(by, known)) if by == delegator => return Ok(known),
            _ => {}
        }
        let faults = |id| question.targets_faults(id, role, listed, grant);
        let slot = Slot::Current(role);
        let id = match self.stored(slot) {
            Some(stored) if faults(stored).is_empty() => stored,
            Some(stored) if question.offline => return Err(Verdict::Refused(faults(stored))),
            None if question.offline => return refused("offline.missing"),
            _ => {
                let url = question.url(self.view.root, role, listed);
                match question.fetch(url, faults, Question::endless(role)) {
                    Got::Accepted(id) => {
                        self.changes.push(Change::Put(slot, id));
                        id
                    }
                    Got::Absent => return refused(code("missing", role)),
                    Got::Not(verdict) => return Err(verdict),
                }
            }
        };
        self.known.insert((delegating, role), (delegator, id));
        Ok(id)
    }

    /// A search visits each role once, so what it has written itself is never asked for again.
    fn stored(&self, slot: Slot) -> Option<Id> {
        self.kept.files().get(&slot).copied()
    }

    fn covers(&self, delegation: &Delegation) -> bool {
        covers(delegation.paths, self.path, &self.hash)
    }
}

/// Whether a delegation covers a path.
pub(super) fn covers(paths: Paths, path: u8, hash: &[u8; 32]) -> bool {
    match paths {
        Paths::Patterns(bits) => PATTERNS.iter().enumerate().any(|(place, pattern)| {
            bits & 1 << place != 0 && matches(pattern, TARGETS[usize::from(path)])
        }),
        Paths::Prefixes(bits) => bits & 1 << (hash[0] >> 4) != 0,
    }
}

/// `*` stands for a whole segment or is not there: that is all the patterns of the simulation use.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut segments) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), segments.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}
