//! What an audit must come upon: every role that can be reached, by the word of every file that delegates to it.

use std::collections::BTreeSet;

use super::super::artifact::{
    BIN, Body, Content, Delegations, Grant, Id, Listed, Paths, Role, TARGETS,
};
use super::super::network::Served;
use super::search::covers;
use super::{Code, Question, Trusted, Verdict, code};

/// What an audit says about one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Audited {
    /// It was verified.
    Role {
        /// Who delegates to it; nobody to the top-level role.
        delegator: Option<Role>,
        /// Which it is.
        role: Role,
        /// Its file.
        file: Id,
        /// Why roles are not visited that it delegates to.
        unvisited: Vec<(Code, Role)>,
        /// Its targets, by place in [`TARGETS`], and whether clients find them here.
        targets: Vec<(u8, Content, bool)>,
    },
    /// It is refused, with one of these codes.
    Refused(Vec<Code>),
}

/// A delegation that covers some paths.
#[derive(Clone, Copy)]
enum Covering {
    Paths(Paths),
    Bin(Role, u8),
}

/// A role to be visited.
struct Visit<'a> {
    role: Role,
    listed: &'a Listed,
    grant: &'a Grant,
    covering: Covering,
}

/// An audit of a client.
pub(crate) struct Auditing<'q> {
    question: &'q Question<'q>,
    view: Trusted,
    /// The hashes of all paths.
    hashes: [[u8; 32]; TARGETS.len()],
    seen: BTreeSet<(Role, Id, Role)>,
    /// What it comes upon, in order.
    pub(crate) found: Vec<Audited>,
}

impl<'q> Auditing<'q> {
    /// Begins an audit of a view.
    #[must_use]
    pub(crate) fn new(
        question: &'q Question<'q>,
        view: Trusted,
        hashes: [[u8; 32]; TARGETS.len()],
    ) -> Self {
        Self {
            question,
            view,
            hashes,
            seen: BTreeSet::new(),
            found: Vec::new(),
        }
    }

    /// Goes through it.
    ///
    /// # Errors
    /// If a file cannot be had, and nobody says that it is not there.
    pub(crate) fn run(&mut self) -> Result<(), Verdict> {
        self.enter(None, (self.view.targets, Role::Targets), &[])
    }

    fn enter(
        &mut self,
        delegator: Option<Role>,
        (file, role): (Id, Role),
        chain: &[Covering],
    ) -> Result<(), Verdict> {
        let question = self.question;
        let Body::Targets {
            targets,
            delegations,
        } = &question.file(file).draft.body
        else {
            panic!("no targets role");
        };
        let (visits, unvisited) = self.plan((file, role), delegations, chain.len());
        let covered = |path: &u8| chain.iter().all(|one| self.covers(*one, *path));
        let targets = targets
            .iter()
            .map(|(path, content)| (*path, *content, covered(path)));
        let audited = Audited::Role {
            delegator,
            role,
            file,
            unvisited,
            targets: targets.collect(),
        };
        self.found.push(audited);
        for visit in visits {
            let chain = [chain, &[visit.covering]].concat();
            match self.verified(&visit)? {
                Ok(file) => self.enter(Some(role), (file, visit.role), &chain)?,
                Err(codes) => self.found.push(Audited::Refused(codes)),
            }
        }
        Ok(())
    }

    /// The visits that a file asks for, and what is left out: what snapshot does not list, and what lies too deep.
    fn plan(
        &mut self,
        (file, role): (Id, Role),
        delegations: &'q Delegations,
        depth: usize,
    ) -> (Vec<Visit<'q>>, Vec<(Code, Role)>) {
        let question = self.question;
        let listed = question.roles_listed(self.view.snapshot);
        let too_deep = depth >= question.rules.roles;
        let (mut visits, mut unvisited) = (Vec::new(), Vec::new());
        let mut visit = |to, listed, grant, covering| {
            if self.seen.insert((role, file, to)) {
                visits.push(Visit {
                    role: to,
                    listed,
                    grant,
                    covering,
                });
            }
        };
        match delegations {
            Delegations::None => {}
            Delegations::Named(_) | Delegations::Bins { .. } if too_deep => {
                unvisited.push(("audit.limit", role));
            }
            Delegations::Named(roles) => {
                for to in roles {
                    match listed.get(&to.role) {
                        None => unvisited.push(("missing.entry", to.role)),
                        Some(entry) => {
                            visit(to.role, entry, &to.grant, Covering::Paths(to.paths));
                        }
                    }
                }
            }
            Delegations::Bins { grant, bits } => {
                let bins = (0..1 << bits).map(|bin| Role::Delegated(BIN + bin));
                let mut lacking = None;
                for bin in bins {
                    match listed.get(&bin) {
                        None => drop(lacking.get_or_insert(bin)),
                        Some(entry) => visit(bin, entry, grant, Covering::Bin(bin, *bits)),
                    }
                }
                unvisited.extend(lacking.map(|bin| ("missing.entry", bin)));
            }
        }
        (visits, unvisited)
    }

    fn covers(&self, covering: Covering, path: u8) -> bool {
        let hash = &self.hashes[usize::from(path)];
        match covering {
            Covering::Paths(paths) => covers(paths, path, hash),
            Covering::Bin(bin, bits) => bin == Role::Delegated(BIN + (hash[0] >> (8 - bits))),
        }
    }

    /// The first mirror that delivers anything is the one that counts.
    fn verified(&self, visit: &Visit<'_>) -> Result<Result<Id, Vec<Code>>, Verdict> {
        let (question, role) = (self.question, visit.role);
        let url = question.url(self.view.root, role, visit.listed);
        let mut failed = false;
        for mirror in 0.. {
            match (question.served)(mirror, url) {
                None => break,
                Some(Served::Absent) => {}
                Some(Served::Failed) => failed = true,
                Some(Served::Endless) => return Ok(Err(Question::endless(role))),
                Some(Served::File(id)) => {
                    let wrong = question.targets_faults(id, role, visit.listed, visit.grant);
                    return Ok(if wrong.is_empty() { Ok(id) } else { Err(wrong) });
                }
            }
        }
        if failed {
            return Err(Verdict::Unavailable);
        }
        Ok(Err(vec![code("missing", role)]))
    }
}
