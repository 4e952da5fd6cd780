//! Whether clients will still accept the release when the next one is due.

use std::collections::BTreeMap;

use tuffet_core::metadata::{RoleName, UnixTime};
use tuffet_core::trust::{self, Class, Rejected};

use super::release::{Place, Release};
use super::verify::new_targets;
use crate::Error;
use crate::plan::Action;
use crate::policy::Policy;
use crate::tree::{Client, Fault, Tree};

/// Verifies what will be published, at the moment when the next publication is due.
///
/// Snapshot and timestamp have just been given that much time. A role that people sign may honestly expire before: that is said and
/// not refused, because what is about to be published is good now, and without it clients would be off no later.
pub(super) fn verify(
    place: &Place<'_>,
    release: &Release,
    tree: &dyn Tree,
    clients: impl Iterator<Item = Client>,
    now: UnixTime,
) -> Result<Vec<Action>, Error> {
    let due = next_publication(place.policy, now);
    let mut early = BTreeMap::new();
    for client in clients {
        if let Some(rejected) = expired(place, release, tree, client, due)?
            && let Rejected::Expired { role, expires, .. } = rejected
        {
            early.insert(role, expires);
        }
    }
    let early = early.into_iter();
    let warn = |(role, expires)| Action::ExpiresEarly { role, expires, due };
    Ok(early.map(warn).collect())
}

/// When `status` asks for the next publication: when half the time of snapshot or timestamp is over.
fn next_publication(policy: &Policy, now: UnixTime) -> UnixTime {
    let half = |role| i64::from(policy.period(&role).seconds()) / 2;
    let wait = half(RoleName::Timestamp).min(half(RoleName::Snapshot));
    UnixTime(now.0.saturating_add(wait))
}

/// What a client says that finds something expired, at a moment; any other refusal is an error.
fn expired(
    place: &Place<'_>,
    release: &Release,
    tree: &dyn Tree,
    mut client: Client,
    at: UnixTime,
) -> Result<Option<Rejected>, Error> {
    let stale = |fault| match fault {
        Fault::Refused(trust::Error::Rejected(rejected)) if rejected.class() == Class::Stale => {
            Ok(Some(*rejected))
        }
        fault => Err(fault.while_doing("verifying at the next publication")),
    };
    let mut view = match client.refresh(tree, &release.first_root, at) {
        Ok(view) => view,
        Err(fault) => return stale(fault),
    };
    for (_, path) in new_targets(place, release)? {
        // Whether it is found was looked into already.
        view = match client.search(tree, view, path) {
            Ok((_, next)) => next,
            Err(fault) => return stale(fault),
        };
    }
    Ok(None)
}
