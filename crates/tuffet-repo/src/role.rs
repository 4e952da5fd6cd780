//! What is asked of a role: how many signatures, and for how long they are good.

use tuffet_core::metadata::{RoleName, UnixTime, Version};

use crate::Error;
use crate::edit::Edit;
use crate::entry;
use crate::plan::{Action, Plan};
use crate::policy::{Learned, Period, RolePolicy};
use crate::repository::Repository;

/// What is to be changed about a role.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SetRole {
    /// The role, or what the names of its bins begin with.
    pub role: String,
    /// How many of its keys have to sign.
    pub threshold: Option<u64>,
    /// How long its next version is valid, counted from now.
    pub expires: Option<Period>,
    /// How long its versions are valid from now on, unless something else is said for one of them.
    pub period: Option<Period>,
}

impl SetRole {
    /// Nothing is changed yet.
    #[must_use]
    pub fn new(role: &str) -> Self {
        Self {
            role: role.to_owned(),
            threshold: None,
            expires: None,
            period: None,
        }
    }

    /// So many of its keys have to sign.
    #[must_use]
    pub fn threshold(self, threshold: u64) -> Self {
        Self {
            threshold: Some(threshold),
            ..self
        }
    }

    /// The next version is valid for so long.
    #[must_use]
    pub fn expires(self, period: Period) -> Self {
        Self {
            expires: Some(period),
            ..self
        }
    }

    /// Every version from now on is valid for so long.
    #[must_use]
    pub fn period(self, period: Period) -> Self {
        Self {
            period: Some(period),
            ..self
        }
    }
}

impl Repository {
    /// Changes what is asked of a role, in the metadata and in the policy, so that the two agree.
    ///
    /// A threshold stands in the file that names the keys of the role, which gets a new version; so does the role itself if its
    /// current version has too few signatures then. The policy learns the threshold when the change is applied. A period is a
    /// matter of the policy alone and written at once; [`Repository::renew`] makes a version that goes by it.
    ///
    /// # Errors
    /// [`Error::RoleUnknown`]; [`Error::TooFewKeys`] for a threshold that the keys cannot reach, [`Error::BelowPolicy`] for none;
    /// [`Error::RoleUnsuited`] for an expiry of snapshot or timestamp, which get theirs when they are published.
    pub fn set_role(&self, set: &SetRole, now: UnixTime) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        self.set_what_is_asked(&mut edit, set, now)?;
        if let Some(period) = set.expires {
            set_expiry(&mut edit, &set.role, period, now)?;
        }
        edit.finish()
    }

    /// The threshold and the period, as a part of an edit.
    pub(crate) fn set_what_is_asked(
        &self,
        edit: &mut Edit,
        set: &SetRole,
        now: UnixTime,
    ) -> Result<(), Error> {
        let role = RoleName::new(&set.role).map_err(|_| Error::RoleNameUnsafe {
            name: set.role.clone(),
            why: "it is empty or holds NUL",
        })?;
        require_some(&role, set.threshold.unwrap_or(1))?;
        let places: Vec<(RoleName, u64)> = {
            let graph = edit.graph()?;
            let named = graph.named_in(&set.role).into_iter();
            named.map(|(by, keys)| (by, keys.threshold)).collect()
        };
        let Some(lowest) = places.iter().map(|(_, threshold)| *threshold).min() else {
            return Err(Error::RoleUnknown(role));
        };
        let period = edit.policy.period(&role);
        let changed = match set.threshold {
            Some(threshold) => set_threshold(edit, &set.role, threshold, &places, now)?,
            None => false,
        };
        self.set_policy(edit, set, lowest, period, changed)?;
        if changed {
            let roles = edit.graph()?.meant_by(&set.role);
            // Root is opened already, and publishing signs snapshot and timestamp whenever that is needed.
            let people =
                |role: &RoleName| matches!(role, RoleName::Targets | RoleName::Delegated(_));
            edit.open_unsigned(roles.into_iter().filter(people), now)?;
        }
        Ok(())
    }

    /// Says in the policy what was asked: with the change as far as people sign it or the role is new, at once as far as they do not.
    /// `lowest` is the threshold in the metadata before, `changed` whether it is another one now.
    fn set_policy(
        &self,
        edit: &mut Edit,
        set: &SetRole,
        lowest: u64,
        period: Period,
        changed: bool,
    ) -> Result<(), Error> {
        let written = self.written_policy()?.roles.get(&set.role).copied();
        let open = edit.policy.roles.get(&set.role).copied();
        let threshold_of = |known: Option<RolePolicy>| known.map_or(lowest, |one| one.threshold);
        let waits = edit.store.learned.asks_of(&set.role);
        let before = RolePolicy {
            external: written.or(open).is_some_and(|known| known.external),
            ..RolePolicy::new(threshold_of(written), period)
        };
        let after = RolePolicy {
            threshold: set.threshold.unwrap_or_else(|| threshold_of(open)),
            period: set.period.unwrap_or(period),
            ..before
        };
        if changed || waits {
            edit.ask_of(&set.role, after);
        }
        if waits && written.is_none() {
            edit.actions
                .extend((after.period != period).then(|| Action::Asked {
                    role: set.role.clone(),
                    policy: after,
                }));
            return Ok(());
        }
        let at_once = RolePolicy {
            threshold: match set.threshold {
                Some(threshold) if !changed && !waits => threshold,
                _ => before.threshold,
            },
            ..after
        };
        let said = set.period.is_some() || set.threshold.is_some();
        if said && at_once != before {
            self.ask(edit, &set.role, at_once)?;
        }
        Ok(())
    }

    /// Writes into the file of the policy what is asked of a role.
    fn ask(&self, edit: &mut Edit, role: &str, policy: RolePolicy) -> Result<(), Error> {
        let mut learned = Learned::default();
        learned.ask_of(role, policy);
        edit.writes.extend(self.write_policy(&learned)?);
        if !edit.store.learned.asks_of(role) {
            edit.policy.roles.insert(role.to_owned(), policy);
        }
        edit.actions.push(Action::Asked {
            role: role.to_owned(),
            policy,
        });
        Ok(())
    }
}

/// Refuses a role that nobody would have to sign: no client reads the file that says so.
pub(crate) fn require_some(role: &RoleName, threshold: u64) -> Result<(), Error> {
    if threshold > 0 {
        return Ok(());
    }
    Err(Error::BelowPolicy {
        role: role.clone(),
        threshold,
        floor: 1,
    })
}

/// Changes the threshold wherever the keys of the role are named; returns whether it was another one.
fn set_threshold(
    edit: &mut Edit,
    role: &str,
    threshold: u64,
    places: &[(RoleName, u64)],
    now: UnixTime,
) -> Result<bool, Error> {
    let mut changed = false;
    for (by, known) in places.iter().filter(|(_, known)| *known != threshold) {
        if let Some(entry) = entry::of(edit.open(by, now)?, by, role) {
            entry.insert("threshold".to_owned(), threshold.into());
        }
        edit.actions.push(Action::Threshold {
            role: role.to_owned(),
            from: *known,
            to: threshold,
        });
        changed = true;
    }
    Ok(changed)
}

/// Gives the next version of a role, or of every one of its bins, another expiry than the policy would.
fn set_expiry(edit: &mut Edit, role: &str, period: Period, now: UnixTime) -> Result<(), Error> {
    for role in edit.graph()?.meant_by(role) {
        if matches!(role, RoleName::Snapshot | RoleName::Timestamp) {
            return Err(Error::RoleUnsuited {
                role,
                why: "gets its expiry when it is published: set its period",
            });
        }
        let draft = edit.open(&role, now)?;
        let version = draft.version().unwrap_or(Version::FIRST);
        draft.set_header(version, period.after(now));
    }
    Ok(())
}
