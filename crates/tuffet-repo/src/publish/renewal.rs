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

/// How many bins are all read.
const FEW: usize = 256;

/// What of the release clients will refuse at the moment when the next publication is due: what was verified now is the same then
/// but for what expires until then.
///
/// Snapshot and timestamp have just been given that much time. A role that people sign may honestly expire before: that is said and
/// not refused, because what is about to be published is good now, and without it clients would be off no later.
///
/// Of the roles that are not about to be published those are looked at that have names of their own, and bins where there are few. Of more
/// bins, of which there may be tens of thousands, only those are that have been read anyway, and that is said: `status` goes through all.
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
    let verified: BTreeSet<&RoleName> = view.delegated().map(|(_, file)| file.role()).collect();
    let (named, bins) = sorted(place);
    let mut asked = bins.iter().filter(|bin| verified.contains(bin)).count();
    let few = bins.iter().take(if bins.len() > FEW { 0 } else { FEW });
    for role in named.iter().chain(few) {
        if verified.contains(role) {
            continue;
        }
        let Some(expires) = expires(place, release, view, role)? else {
            continue;
        };
        asked = asked.saturating_add(usize::from(bins.contains(role)));
        if expires <= due {
            early.insert(role.clone(), expires);
        }
    }
    let warn = |(role, expires)| Action::ExpiresEarly { role, expires, due };
    let mut actions: Vec<Action> = early.into_iter().map(warn).collect();
    if asked < bins.len() {
        actions.push(Action::BinsAsked {
            asked: asked as u64,
            count: bins.len() as u64,
        });
    }
    Ok(actions)
}

/// The delegated roles that have names of their own, and the bins.
fn sorted(place: &Place<'_>) -> (BTreeSet<RoleName>, BTreeSet<RoleName>) {
    let (mut named, mut bins) = (BTreeSet::new(), BTreeSet::new());
    for (by, delegations) in place.graph.delegations() {
        match delegations.roles() {
            RoleDelegations::Named(roles) => {
                for role in roles {
                    let name = RoleName::Delegated(role.name.clone());
                    match role.paths {
                        PathSet::HashPrefixes(_) => bins.insert(name),
                        _ => named.insert(name),
                    };
                }
            }
            RoleDelegations::Succinct(_) => {
                let all = place.graph.delegated_by(by).into_iter();
                bins.extend(all.map(RoleName::Delegated));
            }
        }
    }
    (named, bins)
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
        None => place.store.found(role, version)?,
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
