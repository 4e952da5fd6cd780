//! Everything that decides what a client must do, and what may be wrong with a file.

use std::collections::BTreeMap;

use super::super::artifact::{Archive, Artifact, Body, Grant, Id, Listed, Role};
use super::super::deviation::Deviations;
use super::super::network::{Served, Url};

/// An error code.
pub(crate) type Code = &'static str;

/// What a client asks of a repository, as far as the simulation varies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Whether local damage is an error.
    pub(crate) strict: bool,
    /// Which deviations are refused.
    pub(crate) refuse: Deviations,
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
    /// Whether nobody may be asked.
    pub(crate) offline: bool,
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
pub(super) enum Got {
    Accepted(Id),
    Absent,
    Not(Verdict),
}

impl Question<'_> {
    pub(super) fn file(&self, id: Id) -> &Artifact {
        self.archive.get(id)
    }

    pub(super) fn version(&self, id: Id) -> u64 {
        self.file(id).draft.version
    }

    pub(super) fn expired(&self, id: Id) -> bool {
        self.file(id).draft.expires <= self.now
    }

    pub(super) fn grants(&self, root: Id) -> &[Grant; 4] {
        match &self.file(root).draft.body {
            Body::Root { grants, .. } => grants,
            other => panic!("no root: {other:?}"),
        }
    }

    pub(super) fn is_consistent(&self, root: Id) -> bool {
        matches!(self.file(root).draft.body, Body::Root { consistent, .. } if consistent)
    }

    pub(super) fn snapshot_listed(&self, timestamp: Id) -> &Listed {
        match &self.file(timestamp).draft.body {
            Body::Timestamp(listed) => listed,
            other => panic!("no timestamp: {other:?}"),
        }
    }

    pub(super) fn roles_listed(&self, snapshot: Id) -> &BTreeMap<Role, Listed> {
        match &self.file(snapshot).draft.body {
            Body::Snapshot(listed) => listed,
            other => panic!("no snapshot: {other:?}"),
        }
    }

    /// The mirrors are asked in order; that there is no newer root is believed when one says so (F-60).
    pub(super) fn fetch(
        &self,
        url: Url,
        faults: impl Fn(Id) -> Vec<Code>,
        endless: Vec<Code>,
    ) -> Got {
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
    pub(super) fn byte_faults(&self, id: Id, role: Role, listed: Option<&Listed>) -> Vec<Code> {
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
    pub(super) fn endless(role: Role) -> Vec<Code> {
        ["length", "hash", "format"]
            .map(|family| code(family, role))
            .to_vec()
    }

    /// What is wrong with a targets role (C-41 to C-44).
    pub(super) fn targets_faults(
        &self,
        id: Id,
        role: Role,
        listed: &Listed,
        grant: &Grant,
    ) -> Vec<Code> {
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
        wrong.extend(self.refused_deviations(id));
        wrong
    }

    /// What a strict policy says about a file that is to be used.
    pub(super) fn refused_deviations(&self, id: Id) -> impl Iterator<Item = Code> {
        self.file(id).deviations.only(self.rules.refuse).codes()
    }

    /// What is wrong with a successor of a root (C-05, C-06).
    pub(super) fn root_faults(&self, id: Id, before: Id) -> Vec<Code> {
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
        wrong.extend(self.refused_deviations(id));
        wrong
    }
}

impl Question<'_> {
    pub(super) fn url(&self, root: Id, role: Role, listed: &Listed) -> Url {
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
