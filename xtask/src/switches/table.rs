//! Which checks there are to take out.

use crate::report::Failure;

/// A check, and the core without it.
#[derive(Debug)]
pub(super) struct Switch {
    /// The rule of docs/rules.md that it keeps.
    pub(super) rule: &'static str,
    /// What is wrong without it.
    pub(super) what: &'static str,
    /// Where it stands.
    pub(super) file: &'static str,
    /// Its text.
    pub(super) search: &'static str,
    /// What stands there instead.
    pub(super) replace: &'static str,
}

impl Switch {
    /// The text of the file without the check.
    pub(super) fn apply(&self, text: &str) -> Result<String, Failure> {
        match text.matches(self.search).count() {
            1 => Ok(text.replacen(self.search, self.replace, 1)),
            count => Err(Failure::new(format!(
                "{}: the check of {} ({}) stands there {count} times",
                self.file, self.rule, self.what
            ))),
        }
    }
}

/// All of them.
pub(super) const SWITCHES: &[Switch] = &[
    Switch {
        rule: "A-03",
        what: "one key counts as often as it has ids",
        file: "crates/tuffet-core/src/trust/verified.rs",
        search: "if seen.contains(&identity) => {",
        replace: "if false && seen.contains(&identity) => {",
    },
    Switch {
        rule: "C-21",
        what: "one signature is enough",
        file: "crates/tuffet-core/src/trust/verified.rs",
        search: "self.have() >= self.need\n    }\n\n    fn require",
        replace: "self.have() >= 1\n    }\n\n    fn require",
    },
    Switch {
        rule: "C-22",
        what: "timestamp may go back",
        file: "crates/tuffet-core/src/trust/phases.rs",
        search: "rollback(&RoleName::Timestamp, stored.version(), offered.version())?;",
        replace: "",
    },
    Switch {
        rule: "C-23",
        what: "the snapshot that timestamp lists may go back",
        file: "crates/tuffet-core/src/trust/phases.rs",
        search: "stored.snapshot().version,",
        replace: "offered.snapshot().version,",
    },
    Switch {
        rule: "C-34",
        what: "a role may go back in snapshot",
        file: "crates/tuffet-core/src/metadata/snapshot.rs",
        search: "if offered >= Some(trusted) {",
        replace: "if offered.is_some() {",
    },
    Switch {
        rule: "C-34",
        what: "a role may go from snapshot",
        file: "crates/tuffet-core/src/metadata/snapshot.rs",
        search: "if offered >= Some(trusted) {",
        replace: "if offered.is_none() || offered >= Some(trusted) {",
    },
    Switch {
        rule: "C-10",
        what: "the final root may have expired",
        file: "crates/tuffet-core/src/trust/roots.rs",
        search: "if let Err(error) = self.trusted.check_expiry(&self.cx) {\n            return Err(Refused::new(self, error));\n        }",
        replace: "",
    },
    Switch {
        rule: "C-24",
        what: "timestamp may have expired",
        file: "crates/tuffet-core/src/trust/phases.rs",
        search: "accepted.0.check_expiry(&self.cx)?;",
        replace: "",
    },
    Switch {
        rule: "C-35",
        what: "snapshot may have expired",
        file: "crates/tuffet-core/src/trust/phases.rs",
        search: "snapshot.check_expiry(&self.cx)?;",
        replace: "",
    },
    Switch {
        rule: "C-44",
        what: "targets roles may have expired",
        file: "crates/tuffet-core/src/trust/phases.rs",
        search: "targets.check_expiry(cx)?;",
        replace: "",
    },
    Switch {
        rule: "A-10",
        what: "what expires at this very second has not expired",
        file: "crates/tuffet-core/src/trust/verified.rs",
        search: "if expires > now {",
        replace: "if expires >= now {",
    },
    Switch {
        rule: "C-31",
        what: "hashes of listed files are not compared",
        file: "crates/tuffet-core/src/trust/verified.rs",
        search: ".and_then(|hashes| hashes.mismatch(bytes, cx.crypto))",
        replace: ".and_then(|hashes| hashes.mismatch(bytes, cx.crypto).filter(|_| false))",
    },
    Switch {
        rule: "A-18",
        what: "a listed length is a limit",
        file: "crates/tuffet-core/src/trust/verified.rs",
        search: "check_length(role, bytes, expected, true)?;",
        replace: "check_length(role, bytes, expected, false)?;",
    },
    Switch {
        rule: "C-33",
        what: "snapshot may have another version than timestamp lists",
        file: "crates/tuffet-core/src/trust/phases.rs",
        search: "if offered != expected {",
        replace: "if false {",
    },
    Switch {
        rule: "C-43",
        what: "a targets role may have another version than snapshot lists",
        file: "crates/tuffet-core/src/trust/phases.rs",
        search: "candidate.require_version(listed.version)?;",
        replace: "",
    },
    Switch {
        rule: "C-06",
        what: "a root may have any version",
        file: "crates/tuffet-core/src/trust/roots.rs",
        search: "candidate.require_version(self.next_version())?;",
        replace: "",
    },
    Switch {
        rule: "C-05",
        what: "the keys of the old root need not sign the new one",
        file: "crates/tuffet-core/src/trust/roots.rs",
        search: "candidate.require(Signers::Root(old.version()), old.keys(), old.root_keys())?;",
        replace: "",
    },
    Switch {
        rule: "C-05",
        what: "the keys of the new root need not sign it",
        file: "crates/tuffet-core/src/trust/roots.rs",
        search: "candidate.require(Signers::Root(old.version()), old.keys(), old.root_keys())?;\n        let quorum = require_own_keys(&mut candidate)?;",
        replace: "let quorum =\n            candidate.require(Signers::Root(old.version()), old.keys(), old.root_keys())?;",
    },
    Switch {
        rule: "C-48",
        what: "the search goes on after a terminating delegation, above it",
        file: "crates/tuffet-core/src/trust/search.rs",
        search: "self.stack.clear();",
        replace: "",
    },
    Switch {
        rule: "F-50",
        what: "the search goes on after a terminating delegation, beside it",
        file: "crates/tuffet-core/src/trust/search.rs",
        search: "if delegated.terminating {",
        replace: "if false {",
    },
    Switch {
        rule: "F-47",
        what: "a delegation covers every path",
        file: "crates/tuffet-core/src/trust/search.rs",
        search: "let Some(matched) = delegated.paths.matching(&self.path, &self.hash) else {\n                        continue;\n                    };",
        replace: "let matched = delegated\n                        .paths\n                        .matching(&self.path, &self.hash)\n                        .unwrap_or_default();",
    },
    Switch {
        rule: "C-46",
        what: "a role that snapshot does not list is passed over",
        file: "crates/tuffet-core/src/trust/search.rs",
        search: "let unlisted = Rejected::Unlisted { role: visit.role() };\n                return Err(Box::new(State::Done(Err(Box::new(unlisted)))));",
        replace: "continue;",
    },
    Switch {
        rule: "A-37",
        what: "any number of roles is visited",
        file: "crates/tuffet-core/src/trust/search.rs",
        search: "if self.visited.len() >= self.cx.policy.limits.roles as usize {",
        replace: "if false {",
    },
    Switch {
        rule: "A-26",
        what: "a role verified for one delegator is good for another",
        file: "crates/tuffet-core/src/trust/view.rs",
        search: ".get(&(delegator.role().clone(), name.clone()))?;\n        Arc::ptr_eq(&known.delegator, delegator.received()).then_some(&known.role)",
        replace: ".iter()\n            .find(|((_, of), _)| of == name && delegator.version() >= crate::metadata::Version::FIRST)?;\n        Some(&known.1.role)",
    },
    Switch {
        rule: "C-11",
        what: "a rotation voids nothing",
        file: "crates/tuffet-core/src/trust/refresh.rs",
        search: "if rotated > accepted_by)",
        replace: "if false && rotated > accepted_by)",
    },
    Switch {
        rule: "A-15",
        what: "a key that leaves snapshot voids nothing",
        file: "crates/tuffet-core/src/trust/roots.rs",
        search: "\n        || gone(old.snapshot_keys(), new.snapshot_keys())",
        replace: "",
    },
    Switch {
        rule: "A-15",
        what: "what left before a newer anchor voids nothing",
        file: "crates/tuffet-core/src/trust/refresh.rs",
        search: "Some(first) if first < anchor => {",
        replace: "Some(first) if false && first < anchor => {",
    },
    Switch {
        rule: "A-33",
        what: "new keyids make a stored file no floor",
        file: "crates/tuffet-core/src/trust/floor.rs",
        search: "Err(_) if candidate.is_signed_whatever_the_keyids(root.keys(), keys) => {",
        replace: "Err(_) if false => {",
    },
    Switch {
        rule: "A-32",
        what: "root may go back when the history is lost",
        file: "crates/tuffet-core/src/trust/refresh.rs",
        search: ".filter(|&floor| floor > offered)",
        replace: ".filter(|_| false)",
    },
    Switch {
        rule: "F-60",
        what: "a mirror that delivers nothing hides a root",
        file: "crates/tuffet-core/src/trust/mirrors.rs",
        search: "self.absent > 0 && (self.failed == 0 || excused)",
        replace: "self.absent > 0 || excused",
    },
    Switch {
        rule: "C-51",
        what: "hashes of targets are not compared",
        file: "crates/tuffet-core/src/trust/download.rs",
        search: "if hasher.finish() != expected {",
        replace: "if false && hasher.finish() != expected {",
    },
    Switch {
        rule: "C-51",
        what: "a target may be shorter than listed",
        file: "crates/tuffet-core/src/trust/download.rs",
        search: "if self.received != self.length {",
        replace: "if false {",
    },
    Switch {
        rule: "A-34",
        what: "a strict client ignores damage",
        file: "crates/tuffet-core/src/trust/refresh.rs",
        search: "if self.cx.policy.strict_local {\n            return Err(Rejected::Cache { item });\n        }",
        replace: "",
    },
];
