//! Whether clients will still accept the release when the next one is due.

use std::collections::BTreeMap;

use tuffet_core::metadata::{RoleName, UnixTime};
use tuffet_core::trust::TrustedView;

use crate::plan::Action;
use crate::policy::Policy;

/// What of the release clients will refuse at the moment when the next publication is due: what was verified now is the same then
/// but for what expires until then.
///
/// Snapshot and timestamp have just been given that much time. A role that people sign may honestly expire before: that is said and
/// not refused, because what is about to be published is good now, and without it clients would be off no later.
pub(super) fn warnings(policy: &Policy, view: &TrustedView, now: UnixTime) -> Vec<Action> {
    let due = next_publication(policy, now);
    let early: BTreeMap<&RoleName, UnixTime> = view.expired_at(due).collect();
    let early = early.into_iter();
    let warn = |(role, expires): (&RoleName, _)| Action::ExpiresEarly {
        role: role.clone(),
        expires,
        due,
    };
    early.map(warn).collect()
}

/// When `status` asks for the next publication: when half the time of snapshot or timestamp is over.
fn next_publication(policy: &Policy, now: UnixTime) -> UnixTime {
    let half = |role| i64::from(policy.period(&role).seconds()) / 2;
    let wait = half(RoleName::Timestamp).min(half(RoleName::Snapshot));
    UnixTime(now.0.saturating_add(wait))
}
