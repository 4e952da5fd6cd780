//! Every role that can be reached by delegation, for audits and listings.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::mem;

use super::phases::{Delegation, targets_fetch, verify_targets};
use super::{Answer, Context, Error, Rejected, Signers, Step, TrustedView, Verified};
use crate::metadata::{DelegatedName, Delegations, RoleDelegations, RoleName, Targets};

/// A walk over all delegated roles: tells a shell which roles to fetch, and verifies each for every role that delegates to it.
///
/// Unlike [`Search`](super::Search) it goes on after a role that cannot be trusted, and never stores anything. Of hash bins
/// it visits those that snapshot lists and reports how many are missing.
#[derive(Debug)]
pub struct Walk<'c> {
    cx: Context<'c>,
    view: TrustedView,
    pending: Vec<Pending>,
    seen: BTreeSet<(RoleName, DelegatedName)>,
    visited: Vec<Walked>,
    missing_bins: u64,
}

#[derive(Debug)]
struct Pending {
    delegator: Verified<Targets>,
    name: DelegatedName,
}

/// One delegated role of a walk.
#[derive(Debug)]
pub struct Walked {
    /// The role that delegates to it.
    pub delegator: RoleName,
    /// The role.
    pub name: DelegatedName,
    /// The verified role, or why it cannot be trusted.
    pub result: Result<Verified<Targets>, Box<Rejected>>,
}

impl<'c> Walk<'c> {
    /// Begins at the top-level targets role of a view.
    #[must_use]
    pub fn new(view: TrustedView, cx: Context<'c>) -> Self {
        let cx = Context {
            now: view.started(),
            ..cx
        };
        let targets = view.targets().clone();
        let mut walk = Self {
            cx,
            view,
            pending: Vec::new(),
            seen: BTreeSet::new(),
            visited: Vec::new(),
            missing_bins: 0,
        };
        walk.expand(&targets);
        walk.pass_unlisted();
        walk
    }

    /// What is wanted now: the store's copy of a role is not looked at, only the repository's.
    #[must_use]
    pub fn step(&self) -> Step {
        let fetch = self.pending.last().and_then(|pending| {
            targets_fetch(
                &self.cx,
                self.view.root(),
                self.view.snapshot(),
                &pending.role(),
            )
            .ok()
        });
        fetch.map_or(Step::Done, Step::Fetch)
    }

    /// Answers the step. A role that is absent or refused is noted with its reason, and the walk goes on.
    ///
    /// # Errors
    /// [`Error::Misuse`] if nothing was asked for, or the answer is none to a fetch.
    pub fn answer(&mut self, answer: Answer) -> Result<(), Error> {
        let Some(pending) = self.pending.pop() else {
            return Err(Error::Misuse("the walk is done"));
        };
        let result = match answer {
            Answer::Bytes(bytes) => self.verify(&pending, bytes),
            Answer::Absent => Err(Rejected::Missing {
                role: pending.role(),
                version: self
                    .view
                    .snapshot()
                    .listed(&pending.role())
                    .map(|listed| listed.version),
            }),
            Answer::Stored => {
                self.pending.push(pending);
                return Err(Error::Misuse("the answer does not fit the step"));
            }
        };
        if let Ok(role) = &result {
            self.expand(role);
        }
        self.note(&pending, result);
        self.pass_unlisted();
        Ok(())
    }

    /// The roles visited so far, in pre-order, since the last call.
    pub fn take_visited(&mut self) -> Vec<Walked> {
        mem::take(&mut self.visited)
    }

    /// How many hash bins exist by their delegation and are not listed by snapshot.
    #[must_use]
    pub fn missing_bins(&self) -> u64 {
        self.missing_bins
    }

    fn note(&mut self, pending: &Pending, result: Result<Verified<Targets>, Rejected>) {
        self.visited.push(Walked {
            delegator: pending.delegator.role().clone(),
            name: pending.name.clone(),
            result: result.map_err(Box::new),
        });
    }

    fn verify(&self, pending: &Pending, bytes: Vec<u8>) -> Result<Verified<Targets>, Rejected> {
        let unlisted = || Rejected::Unlisted {
            role: pending.role(),
        };
        let delegations = pending
            .delegator
            .content()
            .delegations()
            .ok_or_else(unlisted)?;
        let by = Delegation {
            role: pending.role(),
            signers: Signers::Delegator(pending.delegator.role().clone()),
            keys: delegations.keys(),
            role_keys: delegations.role(&pending.name).ok_or_else(unlisted)?,
        };
        verify_targets(&self.cx, self.view.snapshot(), &by, bytes)
    }

    /// Puts the roles that a role delegates to before everything else that is pending.
    fn expand(&mut self, role: &Verified<Targets>) {
        let Some(delegations) = role.content().delegations() else {
            return;
        };
        let mut names = self.delegated_names(delegations);
        names.reverse();
        for name in names {
            if self.seen.insert((role.role().clone(), name.clone())) {
                self.pending.push(Pending {
                    delegator: role.clone(),
                    name,
                });
            }
        }
    }

    fn delegated_names(&mut self, delegations: &Delegations) -> Vec<DelegatedName> {
        match delegations.roles() {
            RoleDelegations::Named(roles) => roles.iter().map(|role| role.name.clone()).collect(),
            RoleDelegations::Succinct(bins) => {
                let listed: Vec<DelegatedName> = self
                    .view
                    .snapshot()
                    .roles()
                    .filter_map(|(role, _)| match role {
                        RoleName::Delegated(name) if bins.contains(name.as_str()) => Some(name),
                        _ => None,
                    })
                    .collect();
                let all = 1_u64.checked_shl(bins.bit_length()).unwrap_or(u64::MAX);
                let missing = all.saturating_sub(listed.len() as u64);
                self.missing_bins = self.missing_bins.saturating_add(missing);
                listed
            }
        }
    }

    /// Roles that snapshot does not list need no fetch to be refused.
    fn pass_unlisted(&mut self) {
        while let Some(pending) = self.pending.pop() {
            if self.view.snapshot().listed(&pending.role()).is_some() {
                self.pending.push(pending);
                return;
            }
            let role = pending.role();
            self.note(&pending, Err(Rejected::Unlisted { role }));
        }
    }
}

impl Pending {
    fn role(&self) -> RoleName {
        RoleName::Delegated(self.name.clone())
    }
}
