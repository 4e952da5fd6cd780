//! Visiting every role of a repository, not only those that one target needs.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::phases::{Delegation, targets_fetch, verify_targets};
use super::proof::{Trail, extended};
use super::{Context, Fetch, Found, ProofStep, Rejected, Signers, TrustedView, Verified};
use crate::crypto::{Crypto, HashAlgorithm};
use crate::delegation::SuccinctRoles;
use crate::metadata::{
    DelegatedName, MetaFile, PathSet, RoleDelegations, RoleKeys, RoleName, TargetPath, Targets,
};

/// Visits every delegated role that can be reached from a verified view, each by the word of each of its delegators.
///
/// Unlike a [`Search`](super::Search) it stores nothing, and a role that is refused does not end it: the next one is
/// visited. It is for whoever keeps a repository or a mirror, and for receipts; a client that wants a target searches.
///
/// A shell asks [`Audit::fetch`] for the next file and hands the bytes to [`Audit::answer`], until there is none. The work
/// is bounded by the bytes received: of hash bins only those are visited that snapshot lists.
#[derive(Debug)]
pub struct Audit<'c> {
    cx: Context<'c>,
    view: TrustedView,
    seen: BTreeSet<(RoleName, DelegatedName)>,
    /// What is still to be visited; the last comes first.
    stack: Vec<Visit>,
}

#[derive(Debug, Clone)]
struct Visit {
    name: DelegatedName,
    /// What snapshot says about the role.
    listed: MetaFile,
    delegator: Verified<Targets>,
    keys: RoleKeys,
    coverage: Coverage,
    terminating: bool,
    trail: Trail,
}

/// Which paths a role may list.
#[derive(Debug, Clone)]
enum Coverage {
    Everything,
    Paths(PathSet),
    Bin(SuccinctRoles),
}

/// A role that was verified, and what it says.
#[derive(Debug, Clone)]
pub struct AuditedRole {
    delegator: Option<RoleName>,
    role: Verified<Targets>,
    coverage: Coverage,
    trail: Trail,
    consistent: bool,
    unlisted: Vec<Rejected>,
}

impl AuditedRole {
    /// The role that delegates to this one; `None` for the top-level targets role.
    #[must_use]
    pub fn delegator(&self) -> Option<&RoleName> {
        self.delegator.as_ref()
    }

    /// The verified file.
    #[must_use]
    pub fn role(&self) -> &Verified<Targets> {
        &self.role
    }

    /// One [`Rejected::Unlisted`] for each role that this one delegates to and snapshot does not list; for hash bins the
    /// first such bin stands for all.
    #[must_use]
    pub fn unlisted(&self) -> &[Rejected] {
        &self.unlisted
    }

    /// Every target that the role lists, and whether its delegation covers the path: if not, no client ever finds it here.
    pub fn targets<'a>(
        &'a self,
        crypto: &'a dyn Crypto,
    ) -> impl Iterator<Item = (Found, bool)> + 'a {
        self.role.targets().filter_map(move |(path, target)| {
            let path = TargetPath::new(&path).ok()?;
            let covered = self.covers(&path, crypto);
            let found = Found {
                path,
                target,
                role: self.role.role().clone(),
                trail: Arc::clone(&self.trail),
                consistent: self.consistent,
            };
            Some((found, covered))
        })
    }

    fn covers(&self, path: &TargetPath, crypto: &dyn Crypto) -> bool {
        let hash = || crypto.digest(HashAlgorithm::Sha256, path.as_str().as_bytes());
        match &self.coverage {
            Coverage::Everything => true,
            Coverage::Paths(paths) => paths.matching(path, &hash()).is_some(),
            Coverage::Bin(bins) => bins
                .bin(&hash())
                .is_some_and(|bin| bin.as_str() == self.role.role().as_str()),
        }
    }
}

impl<'c> Audit<'c> {
    /// Begins with the top-level targets role of a view. Expiries are checked against the moment of the view's refresh.
    #[must_use]
    pub fn new(view: TrustedView, cx: Context<'c>) -> (Self, AuditedRole) {
        let cx = Context {
            now: view.started(),
            ..cx
        };
        let role = view.targets().clone();
        let trail = Arc::new(vec![ProofStep::of(&role, None, false)]);
        let mut audit = Self {
            cx,
            view,
            seen: BTreeSet::new(),
            stack: Vec::new(),
        };
        let audited = audit.enter(role, None, Coverage::Everything, trail);
        (audit, audited)
    }

    /// The file of the role that is visited next; `None` when every role has been visited.
    #[must_use]
    pub fn fetch(&self) -> Option<Fetch> {
        let visit = self.stack.last()?;
        let (root, role) = (self.view.root(), visit.role());
        Some(targets_fetch(&self.cx, root, role, &visit.listed))
    }

    /// Takes the bytes of the file that [`Audit::fetch`] names, `None` if there is no such file, and goes to the next one.
    ///
    /// # Errors
    /// Why the role cannot be trusted; what it delegates to is not visited then. `Ok(None)` when nothing was to be fetched.
    pub fn answer(&mut self, bytes: Option<Vec<u8>>) -> Result<Option<AuditedRole>, Box<Rejected>> {
        let Some(visit) = self.stack.pop() else {
            return Ok(None);
        };
        let role = self.verify(&visit, bytes).map_err(Box::new)?;
        let matched = match &visit.coverage {
            Coverage::Bin(_) => Some(visit.name.as_str().into()),
            _ => None,
        };
        let trail = extended(visit.trail, &role, matched, visit.terminating);
        let delegator = Some(visit.delegator.role().clone());
        Ok(Some(self.enter(role, delegator, visit.coverage, trail)))
    }

    fn verify(&self, visit: &Visit, bytes: Option<Vec<u8>>) -> Result<Verified<Targets>, Rejected> {
        let role = visit.role();
        let Some(bytes) = bytes else {
            let version = Some(visit.listed.version);
            return Err(Rejected::Missing { role, version });
        };
        let Some(delegations) = visit.delegator.content().delegations() else {
            return Err(Rejected::Unlisted { role });
        };
        let by = Delegation {
            role,
            signers: Signers::Delegator(visit.delegator.role().clone()),
            keys: delegations.keys(),
            role_keys: &visit.keys,
        };
        verify_targets(&self.cx, &visit.listed, &by, bytes)
    }

    /// Takes a verified role and plans the visits of what it delegates to.
    fn enter(
        &mut self,
        role: Verified<Targets>,
        delegator: Option<RoleName>,
        coverage: Coverage,
        trail: Trail,
    ) -> AuditedRole {
        let (mut visits, unlisted) = self.children(&role, &trail);
        visits.retain(|visit| self.seen.insert((role.role().clone(), visit.name.clone())));
        visits.reverse();
        self.stack.append(&mut visits);
        AuditedRole {
            delegator,
            role,
            coverage,
            trail,
            consistent: self.view.root().content().consistent_snapshot(),
            unlisted,
        }
    }

    fn children(&self, role: &Verified<Targets>, trail: &Trail) -> (Vec<Visit>, Vec<Rejected>) {
        let Some(delegations) = role.content().delegations() else {
            return (Vec::new(), Vec::new());
        };
        let visit = |name, listed, keys: &RoleKeys, coverage, terminating| Visit {
            name,
            listed,
            delegator: role.clone(),
            keys: keys.clone(),
            coverage,
            terminating,
            trail: Arc::clone(trail),
        };
        let snapshot = self.view.snapshot();
        let (mut visits, mut unlisted) = (Vec::new(), Vec::new());
        match delegations.roles() {
            RoleDelegations::Named(roles) => {
                for delegated in roles {
                    let role = RoleName::Delegated(delegated.name.clone());
                    let Some(listed) = snapshot.listed(&role) else {
                        unlisted.push(Rejected::Unlisted { role });
                        continue;
                    };
                    let coverage = Coverage::Paths(delegated.paths.clone());
                    visits.push(visit(
                        delegated.name.clone(),
                        listed,
                        &delegated.keys,
                        coverage,
                        delegated.terminating,
                    ));
                }
            }
            RoleDelegations::Succinct(bins) => {
                for (role, listed) in snapshot.roles() {
                    if let RoleName::Delegated(name) = role
                        && bins.contains(name.as_str())
                    {
                        let coverage = Coverage::Bin(bins.clone());
                        visits.push(visit(name, listed, bins.keys(), coverage, true));
                    }
                }
                let first = bins.names().find_map(|name| {
                    let role = RoleName::new(&name).ok()?;
                    snapshot.listed(&role).is_none().then_some(role)
                });
                unlisted.extend(first.map(|role| Rejected::Unlisted { role }));
            }
        }
        (visits, unlisted)
    }
}

impl Visit {
    fn role(&self) -> RoleName {
        RoleName::Delegated(self.name.clone())
    }
}
