//! Visiting every role of a repository, not only those that one target needs.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use super::phases::{Delegation, targets_fetch, verify_targets};
use super::proof::{Trail, extended};
use super::{Context, Fetch, Found, ProofStep, Rejected, Signers, TrustedView, Verified};
use crate::crypto::{Crypto, Digest, HashAlgorithm};
use crate::delegation::SuccinctRoles;
use crate::metadata::{
    DelegatedName, MetaFile, PathSet, RoleDelegations, RoleKeys, RoleName, TargetPath, Targets,
};

/// Visits every delegated role that can be reached from a verified view, each by the word of each of its delegators.
///
/// Unlike a [`Search`](super::Search) it stores nothing, and a role that is refused does not end it: the next one is
/// visited. It is for whoever keeps a repository or a mirror, and for receipts; a client that wants a target searches.
///
/// A shell asks [`Audit::fetch`] for the next file and hands the bytes to [`Audit::answer`], until there is none.
///
/// The work is bounded by what snapshot lists: of hash bins only those are visited that it lists, each role a few times on
/// average, and none deeper than a search goes. What is left out is said ([`AuditedRole::unvisited`]).
#[derive(Debug)]
pub struct Audit<'c> {
    cx: Context<'c>,
    view: TrustedView,
    /// The roles that were taken up, each by the word of one file: of several true files of a delegator each is asked.
    seen: BTreeSet<(RoleName, Digest, DelegatedName)>,
    /// How many roles snapshot lists.
    listed: u64,
    /// How many more visits are made.
    left: usize,
    /// The first bin that snapshot does not list, of the bins looked at so far.
    lacking: BTreeMap<(String, u32), Option<RoleName>>,
    /// How many more times a pattern is tried on a path, or a name of snapshot looked at.
    matches: Arc<AtomicU64>,
    /// What is still to be visited; the last comes first.
    stack: Vec<Visit>,
}

/// How many visits are made for each role that snapshot lists, and how many whatever it lists. In an honest repository nearly
/// every role has one delegator.
const VISITS: (usize, usize) = (4, 1024);

/// How often patterns are tried on paths, and names of snapshot looked at, in all: some seconds of work.
const MATCHES: u64 = 200_000_000;

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

/// Which paths a role may list: those that every delegation on the way to it covers (F-47).
#[derive(Debug, Clone, Default)]
struct Coverage {
    own: Option<Paths>,
    above: Option<Arc<Coverage>>,
    /// How many delegations lead to the role.
    depth: u32,
}

/// What one delegation covers.
#[derive(Debug, Clone)]
enum Paths {
    Listed(PathSet),
    Bin(SuccinctRoles, DelegatedName),
}

impl Coverage {
    fn below(self: &Arc<Self>, own: Paths) -> Self {
        Self {
            own: Some(own),
            above: Some(Arc::clone(self)),
            depth: self.depth.saturating_add(1),
        }
    }

    fn covers(&self, path: &TargetPath, hash: &Digest) -> bool {
        let own = match &self.own {
            None => true,
            Some(Paths::Listed(paths)) => paths.matching(path, hash).is_some(),
            Some(Paths::Bin(bins, name)) => bins.bin(hash).as_ref() == Some(name),
        };
        own && self
            .above
            .as_ref()
            .is_none_or(|above| above.covers(path, hash))
    }

    /// How many patterns stand on the way.
    fn patterns(&self) -> u64 {
        let own = match &self.own {
            Some(Paths::Listed(PathSet::Patterns(all))) => all.len(),
            Some(Paths::Listed(PathSet::HashPrefixes(all))) => all.len(),
            _ => 1,
        };
        let above = self.above.as_ref().map_or(0, |above| above.patterns());
        above.saturating_add(own as u64)
    }
}

/// Whether clients find a target in the role that lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covered {
    /// Every delegation on the way covers its path.
    Yes,
    /// One does not, so no client ever finds it there.
    No,
    /// So many patterns and targets meet in this repository that it was not tried.
    Untried,
}

/// A role that was verified, and what it says.
#[derive(Debug, Clone)]
pub struct AuditedRole {
    delegator: Option<RoleName>,
    role: Verified<Targets>,
    coverage: Arc<Coverage>,
    matches: Arc<AtomicU64>,
    trail: Trail,
    consistent: bool,
    unvisited: Vec<Rejected>,
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

    /// Why roles that this one delegates to are not visited: [`Rejected::Unlisted`] for each that snapshot does not list, where
    /// the first hash bin stands for all; [`Rejected::Unvisited`] if the audit would have no end with them.
    #[must_use]
    pub fn unvisited(&self) -> &[Rejected] {
        &self.unvisited
    }

    /// Every target that the role lists, and whether clients find it here.
    pub fn targets<'a>(
        &'a self,
        crypto: &'a dyn Crypto,
    ) -> impl Iterator<Item = (Found, Covered)> + 'a {
        let patterns = self.coverage.patterns();
        self.role.targets().filter_map(move |(path, target)| {
            let path = TargetPath::new(&path).ok()?;
            let covered = if spend(&self.matches, patterns) {
                let hash = crypto.digest(HashAlgorithm::Sha256, path.as_str().as_bytes());
                match self.coverage.covers(&path, &hash) {
                    true => Covered::Yes,
                    false => Covered::No,
                }
            } else {
                Covered::Untried
            };
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
}

/// Takes this much of what is left, if there is as much.
fn spend(left: &AtomicU64, much: u64) -> bool {
    let take = |left: u64| left.checked_sub(much);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
        .is_ok()
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
        let (each, more) = VISITS;
        let listed = view.snapshot().roles().count();
        let mut audit = Self {
            cx,
            view,
            seen: BTreeSet::new(),
            listed: listed as u64,
            left: listed.saturating_mul(each).saturating_add(more),
            lacking: BTreeMap::new(),
            matches: Arc::new(AtomicU64::new(MATCHES)),
            stack: Vec::new(),
        };
        let audited = audit.enter(role, None, Coverage::default(), trail);
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
        let matched = match &visit.coverage.own {
            Some(Paths::Bin(_, name)) => Some(name.as_str().into()),
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
        let coverage = Arc::new(coverage);
        let mut planned = Plan {
            delegator: &role,
            coverage: &coverage,
            trail: &trail,
            visits: Vec::new(),
            unvisited: Vec::new(),
        };
        self.plan(&mut planned);
        let (mut visits, unvisited) = (planned.visits, planned.unvisited);
        visits.reverse();
        self.stack.append(&mut visits);
        AuditedRole {
            delegator,
            coverage,
            matches: Arc::clone(&self.matches),
            trail,
            consistent: self.view.root().content().consistent_snapshot(),
            unvisited,
            role,
        }
    }

    fn plan(&mut self, plan: &mut Plan<'_>) {
        let Some(delegations) = plan.delegator.content().delegations() else {
            return;
        };
        let too_deep = plan.coverage.depth >= self.cx.policy.limits.roles;
        let digest = self
            .cx
            .crypto
            .digest(HashAlgorithm::Sha256, plan.delegator.received());
        match delegations.roles() {
            RoleDelegations::Named(roles) if too_deep && !roles.is_empty() => plan.breaks_off(),
            RoleDelegations::Named(roles) => {
                for delegated in roles {
                    let role = RoleName::Delegated(delegated.name.clone());
                    let Some(listed) = self.view.snapshot().listed(&role) else {
                        plan.unvisited.push(Rejected::Unlisted { role });
                        continue;
                    };
                    if !self.take(plan, digest, &delegated.name) {
                        continue;
                    }
                    plan.visit(
                        (delegated.name.clone(), listed),
                        &delegated.keys,
                        Paths::Listed(delegated.paths.clone()),
                        delegated.terminating,
                    );
                }
            }
            RoleDelegations::Succinct(_) if too_deep => plan.breaks_off(),
            RoleDelegations::Succinct(bins) => self.plan_bins(plan, digest, bins),
        }
    }

    fn plan_bins(&mut self, plan: &mut Plan<'_>, digest: Digest, bins: &SuccinctRoles) {
        let view = self.view.clone();
        if !spend(&self.matches, self.listed) {
            return plan.breaks_off();
        }
        for (role, listed) in view.snapshot().roles() {
            if self.left == 0 {
                plan.breaks_off();
                break;
            }
            if let RoleName::Delegated(name) = role
                && bins.contains(name.as_str())
                && self.take(plan, digest, &name)
            {
                let paths = Paths::Bin(bins.clone(), name.clone());
                plan.visit((name, listed), bins.keys(), paths, true);
            }
        }
        let key = (bins.name_prefix().into(), bins.bit_length());
        let lacking = self.lacking.entry(key).or_insert_with(|| {
            bins.names().find_map(|name| {
                let role = RoleName::new(&name).ok()?;
                view.snapshot().listed(&role).is_none().then_some(role)
            })
        });
        plan.unvisited
            .extend(lacking.clone().map(|role| Rejected::Unlisted { role }));
    }

    /// Whether a role is to be visited by the word of this file: not if it was before, and not if it would be one too many.
    fn take(&mut self, plan: &mut Plan<'_>, digest: Digest, name: &DelegatedName) -> bool {
        let by = plan.delegator.role().clone();
        if self.left == 0 {
            plan.breaks_off();
            return false;
        }
        let new = self.seen.insert((by, digest, name.clone()));
        self.left = self.left.saturating_sub(usize::from(new));
        new
    }
}

/// The visits that one file asks for.
struct Plan<'p> {
    delegator: &'p Verified<Targets>,
    coverage: &'p Arc<Coverage>,
    trail: &'p Trail,
    visits: Vec<Visit>,
    unvisited: Vec<Rejected>,
}

impl Plan<'_> {
    fn visit(
        &mut self,
        (name, listed): (DelegatedName, MetaFile),
        keys: &RoleKeys,
        paths: Paths,
        terminating: bool,
    ) {
        self.visits.push(Visit {
            name,
            listed,
            delegator: self.delegator.clone(),
            keys: keys.clone(),
            coverage: self.coverage.below(paths),
            terminating,
            trail: Arc::clone(self.trail),
        });
    }

    /// Says once that something is left out.
    fn breaks_off(&mut self) {
        let role = self.delegator.role().clone();
        let said = Rejected::Unvisited { role };
        if self.unvisited.last() != Some(&said) {
            self.unvisited.push(said);
        }
    }
}

impl Visit {
    fn role(&self) -> RoleName {
        RoleName::Delegated(self.name.clone())
    }
}

#[cfg(test)]
mod tests;
