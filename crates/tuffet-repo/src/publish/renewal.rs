//! Whether clients will still accept the release when the next one is due.

use std::collections::{BTreeMap, BTreeSet};

use tuffet_core::metadata::{
    Parsed, PathSet, Role as _, RoleDelegations, RoleName, Targets, UnixTime,
};
use tuffet_core::trust::TrustedView;

use super::release::{Place, Release};
use crate::Error;
use crate::plan::Action;
use crate::policy::Policy;
use crate::write::read_optional;

/// What of the release clients will refuse at the moment when the next publication is due: what was verified now is the same then
/// but for what expires until then.
///
/// Snapshot and timestamp have just been given that much time. A role that people sign may honestly expire before: that is said and
/// not refused, because what is about to be published is good now, and without it clients would be off no later.
///
/// Of the roles that are not about to be published those are looked at that have names of their own. Bins are not: there may be tens of
/// thousands, which `status` goes through.
pub(super) fn warnings(
    place: &Place<'_>,
    release: &Release,
    view: &TrustedView,
    now: UnixTime,
) -> Result<Vec<Action>, Error> {
    let due = next_publication(place.policy, now);
    let mut early: BTreeMap<RoleName, UnixTime> = view
        .expired_at(due)
        .map(|(role, expires)| (role.clone(), expires))
        .collect();
    for role in named(place) {
        let looked_at = view.delegated().any(|(_, file)| *file.role() == role);
        if looked_at {
            continue;
        }
        if let Some(expires) = expires(place, release, view, &role)?.filter(|at| *at <= due) {
            early.insert(role, expires);
        }
    }
    let warn = |(role, expires)| Action::ExpiresEarly { role, expires, due };
    Ok(early.into_iter().map(warn).collect())
}

/// The delegated roles that are no bins.
fn named(place: &Place<'_>) -> BTreeSet<RoleName> {
    let mut all = BTreeSet::new();
    for (_, delegations) in place.graph.delegations() {
        if let RoleDelegations::Named(roles) = delegations.roles() {
            let roles = roles.iter();
            let roles = roles.filter(|role| !matches!(role.paths, PathSet::HashPrefixes(_)));
            all.extend(roles.map(|role| RoleName::Delegated(role.name.clone())));
        }
    }
    all
}

/// When the version that clients are about to see expires, if it is at hand.
fn expires(
    place: &Place<'_>,
    release: &Release,
    view: &TrustedView,
    role: &RoleName,
) -> Result<Option<UnixTime>, Error> {
    let Some(version) = view.snapshot().listing().version(role) else {
        return Ok(None);
    };
    let mut staged = release.files.iter();
    let staged = staged.find(|staged| staged.role == *role && staged.version == Some(version));
    let bytes = match staged {
        Some(staged) => Some(staged.bytes.to_vec()),
        None => read_optional(&place.store.sealed_path(role, version))?,
    };
    let file = bytes.and_then(|bytes| Parsed::<Targets>::parse(bytes).ok());
    Ok(file.map(|file| file.unverified().expires()))
}

/// When `status` asks for the next publication: when half the time of snapshot or timestamp is over.
fn next_publication(policy: &Policy, now: UnixTime) -> UnixTime {
    let half = |role| i64::from(policy.period(&role).seconds()) / 2;
    let wait = half(RoleName::Timestamp).min(half(RoleName::Snapshot));
    UnixTime(now.0.saturating_add(wait))
}
