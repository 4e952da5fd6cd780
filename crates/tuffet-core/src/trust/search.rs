//! The search for a target through delegations: pre-order, depth first (TUF §5.6.7).

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use super::phases::{Delegation, targets_fetch, verify_targets};
use super::proof::{Trail, extended};
use super::{
    Answer, Context, Error, Event, Found, Item, Mode, ProofStep, Rejected, Signers, Step,
    TrustedView, Verified, Write, WriteKind,
};
use crate::crypto::{Digest, HashAlgorithm};
use crate::metadata::{
    DelegatedName, MetaFile, RoleDelegations, RoleKeys, RoleName, TargetPath, Targets,
};

/// What a search ended in.
#[derive(Debug)]
pub struct Outcome {
    /// The target, or why there is none.
    pub found: Result<Found, Box<Rejected>>,
    /// The view, with the delegated roles that the search has verified: the next search need not load them again.
    pub view: TrustedView,
}

/// A search: tells a shell which delegated roles to load, fetch and store.
///
/// A role that is withheld or invalid ends the search with an error, never with the next role in order: that would let an
/// attacker choose who is asked.
#[derive(Debug)]
pub struct Search<'c> {
    cx: Context<'c>,
    mode: Mode,
    view: TrustedView,
    path: TargetPath,
    hash: Digest,
    /// What is still to be visited; the last comes first.
    stack: Vec<Visit>,
    visited: BTreeSet<RoleName>,
    state: State,
    events: Vec<Event>,
}

/// A delegated role to visit, and by whose word.
#[derive(Debug, Clone)]
struct Visit {
    name: DelegatedName,
    delegator: Verified<Targets>,
    keys: RoleKeys,
    matched: String,
    terminating: bool,
    trail: Trail,
}

/// A role that is needed now, and what snapshot says about its file.
#[derive(Debug)]
struct Wanted {
    visit: Visit,
    listed: MetaFile,
}

#[derive(Debug)]
enum State {
    Load(Box<Wanted>),
    Fetch(Box<Wanted>),
    Store(Box<Wanted>, Verified<Targets>),
    Done(Result<Found, Box<Rejected>>),
    /// Only while an answer is being worked on.
    Busy,
}

impl<'c> Search<'c> {
    /// Begins a search in a view. Expiries are checked against the moment of the view's refresh (C-01).
    #[must_use]
    pub fn new(view: TrustedView, path: TargetPath, mode: Mode, cx: Context<'c>) -> Self {
        let hash = cx
            .crypto
            .digest(HashAlgorithm::Sha256, path.as_str().as_bytes());
        let cx = Context {
            now: view.started(),
            ..cx
        };
        let targets = view.targets().clone();
        let mut search = Self {
            cx,
            mode,
            view,
            path,
            hash,
            stack: Vec::new(),
            visited: BTreeSet::new(),
            state: State::Busy,
            events: Vec::new(),
        };
        search.visited.insert(RoleName::Targets);
        let step = ProofStep::of(&targets, None, false);
        search.state = search.look(&targets, Arc::new(vec![step]));
        search
    }

    /// What is wanted now; the same until it is answered.
    #[must_use]
    pub fn step(&self) -> Step {
        match &self.state {
            State::Load(wanted) => Step::Load(Item::Role(wanted.visit.role())),
            State::Fetch(wanted) => Step::Fetch(targets_fetch(
                &self.cx,
                self.view.root(),
                wanted.visit.role(),
                &wanted.listed,
            )),
            State::Store(wanted, role) => Step::Store(vec![Write {
                item: Item::Role(wanted.visit.role()),
                kind: WriteKind::Put(role.received().clone()),
            }]),
            State::Done(_) | State::Busy => Step::Done,
        }
    }

    /// Answers the step.
    ///
    /// # Errors
    /// As for [`Refresh::answer`](super::Refresh::answer).
    pub fn answer(&mut self, answer: Answer) -> Result<(), Error> {
        match (mem::replace(&mut self.state, State::Busy), answer) {
            (State::Load(wanted), Answer::Bytes(bytes)) => self.loaded(wanted, bytes),
            (State::Load(wanted), Answer::Absent) => self.not_loaded(wanted, None),
            (State::Fetch(wanted), Answer::Bytes(bytes)) => match self.verify(&wanted, bytes) {
                Ok(role) => {
                    self.accepted(&role, false);
                    self.state = State::Store(wanted, role);
                    Ok(())
                }
                Err(error) => self.stay(State::Fetch(wanted), error),
            },
            (State::Fetch(wanted), Answer::Absent) => {
                let missing = Rejected::Missing {
                    role: wanted.visit.role(),
                    version: Some(wanted.listed.version),
                };
                self.stay(State::Fetch(wanted), missing)
            }
            (State::Store(wanted, role), Answer::Stored) => {
                self.enter(wanted.visit, role);
                Ok(())
            }
            (state, _) => {
                self.state = state;
                Err(Error::Misuse("the answer does not fit the step"))
            }
        }
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        mem::take(&mut self.events)
    }

    /// The result, once the step is [`Step::Done`].
    ///
    /// # Errors
    /// [`Error::Misuse`] before that.
    pub fn finish(self) -> Result<Outcome, Error> {
        match self.state {
            State::Done(found) => Ok(Outcome {
                found,
                view: self.view,
            }),
            _ => Err(Error::Misuse("the search is not done")),
        }
    }

    fn stay(&mut self, state: State, error: Rejected) -> Result<(), Error> {
        self.state = state;
        Err(error.into())
    }

    fn loaded(&mut self, wanted: Box<Wanted>, bytes: Vec<u8>) -> Result<(), Error> {
        match self.verify(&wanted, bytes) {
            Ok(role) => {
                self.accepted(&role, true);
                self.enter(wanted.visit, role);
                Ok(())
            }
            Err(error) => self.not_loaded(wanted, Some(error)),
        }
    }

    fn not_loaded(&mut self, wanted: Box<Wanted>, reason: Option<Rejected>) -> Result<(), Error> {
        match self.mode {
            // Most often the stored file is just older than the one that snapshot lists now.
            Mode::Online => {
                self.state = State::Fetch(wanted);
                Ok(())
            }
            Mode::Offline => {
                let item = Item::Role(wanted.visit.role());
                self.stay(
                    State::Load(wanted),
                    reason.unwrap_or(Rejected::Offline { item }),
                )
            }
        }
    }

    fn verify(&self, wanted: &Wanted, bytes: Vec<u8>) -> Result<Verified<Targets>, Rejected> {
        let visit = &wanted.visit;
        let Some(delegations) = visit.delegator.content().delegations() else {
            return Err(Rejected::Unlisted { role: visit.role() });
        };
        let by = Delegation {
            role: visit.role(),
            signers: Signers::Delegator(visit.delegator.role().clone()),
            keys: delegations.keys(),
            role_keys: &visit.keys,
        };
        verify_targets(&self.cx, &wanted.listed, &by, bytes)
    }

    fn enter(&mut self, visit: Visit, role: Verified<Targets>) {
        self.view
            .add_role(&visit.delegator, visit.name.clone(), role.clone());
        let trail = extended(visit.trail, &role, Some(visit.matched), visit.terminating);
        self.state = self.look(&role, trail);
    }

    /// Looks at a role and at the verified ones that come after it, until the target is found or a role is needed.
    fn look(&mut self, role: &Verified<Targets>, trail: Trail) -> State {
        let mut next = (role.clone(), trail);
        loop {
            let (role, trail) = next;
            if let Some(target) = role.target(&self.path) {
                let consistent = self.view.root().content().consistent_snapshot();
                return State::Done(Ok(Found {
                    path: self.path.clone(),
                    target,
                    role: role.role().clone(),
                    trail,
                    consistent,
                }));
            }
            let (mut children, terminated) = self.children(&role, &trail);
            if terminated {
                // Nothing outside the terminating delegation's subtree is searched, at any level (C-48).
                self.stack.clear();
            }
            children.reverse();
            self.stack.append(&mut children);
            match self.advance() {
                Ok(verified) => next = verified,
                Err(state) => return *state,
            }
        }
    }

    /// The delegations that cover the path, in order, up to and including the first terminating one.
    fn children(&self, role: &Verified<Targets>, trail: &Trail) -> (Vec<Visit>, bool) {
        let Some(delegations) = role.content().delegations() else {
            return (Vec::new(), false);
        };
        let visit = |name: DelegatedName, keys: &RoleKeys, matched: &str, terminating| Visit {
            name,
            delegator: role.clone(),
            keys: keys.clone(),
            matched: matched.to_string(),
            terminating,
            trail: Arc::clone(trail),
        };
        match delegations.roles() {
            RoleDelegations::Succinct(bins) => match bins.bin(&self.hash) {
                // One bin covers the path and no other can, so nothing else is searched.
                Some(bin) => (
                    vec![visit(bin.clone(), bins.keys(), bin.as_str(), true)],
                    true,
                ),
                None => (Vec::new(), true),
            },
            RoleDelegations::Named(roles) => {
                let mut children = Vec::new();
                for delegated in roles {
                    let Some(matched) = delegated.paths.matching(&self.path, &self.hash) else {
                        continue;
                    };
                    children.push(visit(
                        delegated.name.clone(),
                        &delegated.keys,
                        matched,
                        delegated.terminating,
                    ));
                    if delegated.terminating {
                        return (children, true);
                    }
                }
                (children, false)
            }
        }
    }

    /// Goes to the next role that has not been visited; if it is not verified yet, or there is none, to a state.
    fn advance(&mut self) -> Result<(Verified<Targets>, Trail), Box<State>> {
        while let Some(visit) = self.stack.pop() {
            if self.visited.contains(&visit.role()) {
                continue;
            }
            if self.visited.len() >= self.cx.policy.limits.roles as usize {
                return Err(Box::new(self.not_found(true)));
            }
            self.visited.insert(visit.role());
            let Some(listed) = self.view.snapshot().listed(&visit.role()) else {
                let unlisted = Rejected::Unlisted { role: visit.role() };
                return Err(Box::new(State::Done(Err(Box::new(unlisted)))));
            };
            let Some(role) = self.view.role(&visit.delegator, &visit.name).cloned() else {
                let wanted = Wanted { visit, listed };
                return Err(Box::new(State::Load(Box::new(wanted))));
            };
            let trail = extended(visit.trail, &role, Some(visit.matched), visit.terminating);
            return Ok((role, trail));
        }
        Err(Box::new(self.not_found(false)))
    }

    fn not_found(&self, limit: bool) -> State {
        let searched = u32::try_from(self.visited.len()).unwrap_or(u32::MAX);
        State::Done(Err(Box::new(Rejected::NotFound {
            path: self.path.clone(),
            searched,
            limit,
        })))
    }

    fn accepted(&mut self, role: &Verified<Targets>, local: bool) {
        let name = role.role();
        self.events.push(Event::Accepted {
            role: name.clone(),
            version: role.version(),
            local,
        });
        self.events
            .extend(role.notes().iter().map(|note| Event::Tolerated {
                role: name.clone(),
                note: note.clone(),
            }));
    }
}

impl Visit {
    fn role(&self) -> RoleName {
        RoleName::Delegated(self.name.clone())
    }
}
