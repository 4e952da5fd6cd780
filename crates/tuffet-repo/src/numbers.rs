//! Which numbers versions get: one after the other, unless a number is given up.
//!
//! A number is given up by a recovery, as part of the open change. It is one that a thief has used: for a version in `metadata/` so
//! far above the honest ones that clients and programs would run out of numbers, or for a file in the published tree under a name
//! that the next version needs. What is given up counts as if it had never been there.

use std::collections::{BTreeMap, BTreeSet};

use tuffet_core::json::{FormatError, Reason, Value};
use tuffet_core::metadata::{RoleName, Version};

use crate::Error;

/// The highest version that is used or taken over: every program can hold it exactly, and whoever has lost a key that signed
/// elsewhere can still go on from it.
pub(crate) const HIGHEST: u64 = (1 << 53) - 1;

/// How far a version may be above the last one: numbers that are skipped are used up for ever (R-17).
pub(crate) const FURTHEST: u64 = 1_000_000;

/// How many numbers of one role can be given up at a time.
const MOST: usize = 10_000;

/// The numbers that are given up, by role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GivenUp(BTreeMap<RoleName, BTreeSet<Version>>);

impl GivenUp {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, role: &RoleName, version: Version) -> bool {
        self.0.get(role).is_some_and(|all| all.contains(&version))
    }

    /// Gives up one number more; `false` if there are too many.
    pub(crate) fn add(&mut self, role: &RoleName, version: Version) -> bool {
        let all = self.0.entry(role.clone()).or_default();
        all.insert(version);
        all.len() <= MOST
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&RoleName, Version)> {
        let all = self.0.iter();
        all.flat_map(|(role, versions)| versions.iter().map(move |version| (role, *version)))
    }

    /// The number after this one, or the first at all.
    pub(crate) fn next(&self, role: &RoleName, last: Option<Version>) -> Version {
        let mut next = last.map_or(Version::FIRST, Version::next);
        while self.has(role, next) && next.next() > next {
            next = next.next();
        }
        next
    }

    /// The number after this one, if every program can hold it.
    pub(crate) fn next_usable(
        &self,
        role: &RoleName,
        last: Option<Version>,
    ) -> Result<Version, Error> {
        let next = self.next(role, last);
        if next.number() > HIGHEST {
            return Err(Error::VersionsUsedUp {
                role: role.clone(),
                last,
            });
        }
        Ok(next)
    }

    /// The member of a change that says it.
    pub(crate) fn to_value(&self) -> Value {
        let all = self.0.iter().map(|(role, versions)| {
            let numbers = versions.iter().map(|version| version.number().into());
            (role.as_str(), Value::Array(numbers.collect()))
        });
        all.collect()
    }

    /// Reads that member. Roots follow one another without a gap, and a timestamp has no number in its name.
    pub(crate) fn from_value(value: &Value) -> Result<Self, FormatError> {
        let wrong = |what| FormatError::new(0, Reason::Invalid(what)).within("void");
        let mut given_up = Self::default();
        let roles = value.as_object();
        for (name, versions) in roles.ok_or_else(|| wrong("versions by role"))? {
            let role = RoleName::new(name).ok();
            let role = role.filter(|role| !matches!(role, RoleName::Root | RoleName::Timestamp));
            let role = role.ok_or_else(|| wrong("a role whose versions can be given up"))?;
            let versions = versions.as_array();
            for version in versions.ok_or_else(|| wrong("a list of versions"))? {
                let version = version.as_u64().and_then(Version::new);
                let version = version.ok_or_else(|| wrong("a version"))?;
                if !given_up.add(&role, version) {
                    return Err(wrong("so many versions"));
                }
            }
        }
        Ok(given_up)
    }
}

/// Those of the versions above this one that come after a leap which no honest program makes.
pub(crate) fn after_a_leap(versions: &BTreeSet<Version>, from: Version) -> Vec<Version> {
    let mut last = from;
    let mut above = versions.iter().copied().filter(|version| *version > from);
    while let Some(version) = above.next() {
        if version.number().saturating_sub(last.number()) > FURTHEST {
            return std::iter::once(version).chain(above).collect();
        }
        last = version;
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: u64) -> Version {
        Version::new(number).unwrap()
    }

    #[test]
    fn r17_a_leap_is_what_uses_up_more_numbers_than_may_be_skipped() {
        for (versions, from, expected) in [
            (&[1, 2, 3][..], 1, &[][..]),
            (&[1, 2, HIGHEST], 2, &[HIGHEST]),
            (&[1, 2, 5, 1_000_005], 2, &[]),
            (&[1, 2, 5, 1_000_006, 1_000_007], 2, &[1_000_006, 1_000_007]),
            (&[1, 2_000_000, 2_000_001], 2_000_000, &[]),
        ] {
            let versions = versions.iter().map(|number| version(*number)).collect();
            let found = after_a_leap(&versions, version(from));
            let found: Vec<u64> = found.into_iter().map(Version::number).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn r14_a_number_that_is_given_up_is_never_used() {
        let team = RoleName::new("team").unwrap();
        let mut given_up = GivenUp::default();
        for number in [4, 5, 9] {
            assert!(given_up.add(&team, version(number)));
        }
        let next = |last| given_up.next(&team, version(last).into()).number();
        assert_eq!([next(3), next(5), next(8)], [6, 6, 10]);
        assert_eq!(given_up.next(&RoleName::Targets, None), Version::FIRST);
        let read = GivenUp::from_value(&given_up.to_value()).unwrap();
        assert_eq!(read, given_up);
    }

    #[test]
    fn r17_no_number_is_used_that_other_programs_cannot_hold() {
        let none = GivenUp::default();
        let next = |last: u64| none.next_usable(&RoleName::Targets, Version::new(last));
        assert_eq!(next(HIGHEST - 1).unwrap().number(), HIGHEST);
        for last in [HIGHEST, u64::MAX] {
            assert_eq!(next(last).unwrap_err().code(), "version.used-up");
        }
    }

    #[test]
    fn roots_and_timestamps_cannot_be_given_up() {
        for text in [
            r#"{"root":[2]}"#,
            r#"{"timestamp":[2]}"#,
            r#"{"team":[0]}"#,
            r#"{"team":2}"#,
            r#"{"team":{}}"#,
            "[]",
        ] {
            let value = Value::parse(text.as_bytes()).unwrap();
            assert!(GivenUp::from_value(&value).is_err(), "{text}");
        }
    }
}
