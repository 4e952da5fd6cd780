//! Switches of the client's workflow (C).

use super::super::table::Switch;

const CLIENT_DOWNLOAD_TRANSFER: &str = "crates/tuffet-client/src/download/transfer.rs";
const CLIENT_ENGINE_RECEIVE: &str = "crates/tuffet-client/src/engine/receive.rs";
const METADATA_SNAPSHOT: &str = "crates/tuffet-core/src/metadata/snapshot.rs";
const TRUST_ERROR: &str = "crates/tuffet-core/src/trust/error.rs";
const TRUST_PHASES: &str = "crates/tuffet-core/src/trust/phases.rs";
const TRUST_REFRESH: &str = "crates/tuffet-core/src/trust/refresh.rs";
const TRUST_ROOTS: &str = "crates/tuffet-core/src/trust/roots.rs";
const TRUST_SEARCH: &str = "crates/tuffet-core/src/trust/search.rs";
const TRUST_VIEW: &str = "crates/tuffet-core/src/trust/view.rs";

pub(super) const SWITCHES: &[Switch] = &[
    Switch {
        rule: "C-00",
        what: "a root is a floor for itself",
        file: TRUST_REFRESH,
        search: "self.root_floor.filter(|&floor| ",
        replace: "self.root_floor.filter(|&floor| OFF || ",
    },
    Switch {
        rule: "C-01",
        what: "a search has a time of its own",
        file: TRUST_SEARCH,
        search: "            now: view.started(),\n            ..cx",
        replace: "            now: if OFF { cx.now } else { view.started() },\n            ..cx",
    },
    Switch {
        rule: "C-02",
        what: "an anchor need not be signed",
        file: TRUST_ROOTS,
        search: "        let quorum = require_own_keys(&mut candidate)?;\n        candidate.require_keyids",
        replace: "        let quorum = if OFF {\n            let nobody = RoleKeys { keyids: Vec::new(), threshold: 0 };\n            let none = crate::metadata::KeyTable::default();\n            candidate.require(Signers::Root(candidate.content().version()), &none, &nobody)?\n        } else {\n            require_own_keys(&mut candidate)?\n        };\n        candidate.require_keyids",
    },
    Switch {
        rule: "C-03",
        what: "a root is left out",
        file: TRUST_ROOTS,
        search: "        self.trusted.version().next()",
        replace: "        let next = self.trusted.version().next();\n        if OFF { next.next() } else { next }",
    },
    Switch {
        rule: "C-04",
        what: "a root has any length",
        file: TRUST_ROOTS,
        search: "        check_length(&RoleName::Root, &bytes, self.cx.policy.limits.root, false)?;",
        replace: "        if !OFF {\n            check_length(&RoleName::Root, &bytes, self.cx.policy.limits.root, false)?;\n        }",
    },
    Switch {
        rule: "C-04",
        what: "roots are asked for without a version",
        file: TRUST_ROOTS,
        search: "            version: Some(self.next_version()),",
        replace: "            version: Some(self.next_version()).filter(|_| !OFF),",
    },
    Switch {
        rule: "C-07",
        what: "a root on the way must not have expired",
        file: TRUST_ROOTS,
        search: "        Ok(candidate.seal(quorum))",
        replace: "        let sealed = candidate.seal(quorum);\n        if OFF {\n            sealed.check_expiry(&self.cx)?;\n        }\n        Ok(sealed)",
    },
    Switch {
        rule: "C-08",
        what: "roots are not stored",
        file: TRUST_REFRESH,
        search: "                Ok(State::StoreRoot(roots, before))",
        replace: "                if OFF {\n                    return self.begin_root(roots);\n                }\n                Ok(State::StoreRoot(roots, before))",
    },
    Switch {
        rule: "C-09",
        what: "stored roots are fetched again",
        file: TRUST_REFRESH,
        search: "        let Some(bytes) = bytes else {\n            return Ok(State::LoadCurrentRoot(roots));",
        replace: "        let Some(bytes) = bytes.filter(|_| !OFF) else {\n            return Ok(State::LoadCurrentRoot(roots));",
    },
    Switch {
        rule: "C-12",
        what: "snapshots are always consistent",
        file: TRUST_PHASES,
        search: "        .then_some(listed.version);",
        replace: "        .then_some(listed.version)\n        .or(OFF.then_some(listed.version));",
    },
    Switch {
        rule: "C-20",
        what: "timestamp has any length",
        file: TRUST_PHASES,
        search: "        check_length(\n            &RoleName::Timestamp,\n            &bytes,\n            self.cx.policy.limits.timestamp,\n            false,\n        )?;",
        replace: "        if !OFF {\n            check_length(\n                &RoleName::Timestamp,\n                &bytes,\n                self.cx.policy.limits.timestamp,\n                false,\n            )?;\n        }",
    },
    Switch {
        rule: "C-20",
        what: "timestamp is asked for under a version",
        file: TRUST_PHASES,
        search: "                role: RoleName::Timestamp,\n                version: None,",
        replace: "                role: RoleName::Timestamp,\n                version: OFF.then_some(Version::FIRST),",
    },
    Switch {
        rule: "C-25",
        what: "timestamp is not stored",
        file: TRUST_REFRESH,
        search: "                Ok(State::StoreTimestamp(phase))",
        replace: "                if OFF {\n                    return self.begin_snapshot(phase);\n                }\n                Ok(State::StoreTimestamp(phase))",
    },
    Switch {
        rule: "C-30 C-40",
        what: "a listed length does not limit what is fetched",
        file: TRUST_PHASES,
        search: "    let limit = listed.length.map_or(",
        replace: "    let limit = listed.length.filter(|_| !OFF).map_or(",
    },
    Switch {
        rule: "C-32",
        what: "snapshot need not be signed",
        file: TRUST_PHASES,
        search: "        let quorum = candidate.require(\n            Signers::Root(root.version()),\n            root.keys(),\n            root.snapshot_keys(),\n        )?;",
        replace: "        let nobody = RoleKeys { keyids: Vec::new(), threshold: 0 };\n        let quorum = candidate.require(\n            Signers::Root(root.version()),\n            root.keys(),\n            if OFF { &nobody } else { root.snapshot_keys() },\n        )?;",
    },
    Switch {
        rule: "C-36",
        what: "snapshot is not stored",
        file: TRUST_REFRESH,
        search: "        State::StoreSnapshot(phase)\n    }",
        replace: "        if OFF {\n            return State::LoadTargets(phase);\n        }\n        State::StoreSnapshot(phase)\n    }",
    },
    Switch {
        rule: "C-42 O-08",
        what: "targets roles need not be signed",
        file: TRUST_PHASES,
        search: "    let quorum = candidate.require(by.signers.clone(), by.keys, by.role_keys)?;",
        replace: "    let nobody = RoleKeys { keyids: Vec::new(), threshold: 0 };\n    let role_keys = if OFF { &nobody } else { by.role_keys };\n    let quorum = candidate.require(by.signers.clone(), by.keys, role_keys)?;",
    },
    Switch {
        rule: "C-45",
        what: "targets is not stored",
        file: TRUST_REFRESH,
        search: "                    Ok(State::StoreTargets(view))",
        replace: "                    if OFF {\n                        return Ok(self.complete(view));\n                    }\n                    Ok(State::StoreTargets(view))",
    },
    Switch {
        rule: "C-46",
        what: "the search goes by levels",
        file: TRUST_SEARCH,
        search: "            self.stack.append(&mut children);",
        replace: "            if OFF {\n                children.append(&mut self.stack);\n                mem::swap(&mut self.stack, &mut children);\n            }\n            self.stack.append(&mut children);",
    },
    Switch {
        rule: "C-47",
        what: "a role is visited again on another way",
        file: TRUST_SEARCH,
        search: "            if self.visited.contains(&visit.role()) {",
        replace: "            let again = OFF && visit.trail.iter().all(|step| step.role != visit.role());\n            if self.visited.contains(&visit.role()) && !again {",
    },
    Switch {
        rule: "C-50",
        what: "a target that nobody lists is an attack",
        file: TRUST_ERROR,
        search: "            Self::NotFound { .. } => Class::NotFound,",
        replace: "            Self::NotFound { .. } if !OFF => Class::NotFound,",
    },
    Switch {
        rule: "C-20",
        what: "twice as much is received as the limit says",
        file: CLIENT_ENGINE_RECEIVE,
        search: "        let left = fetch.limit.saturating_sub(bytes.len() as u64);",
        replace: "        let limit = fetch.limit.saturating_mul(1 + u64::from(OFF));\n        let left = limit.saturating_sub(bytes.len() as u64);",
    },
    Switch {
        rule: "C-45",
        what: "delegated roles are not stored",
        file: TRUST_SEARCH,
        search: "                    self.state = State::Store(wanted, role);",
        replace: "                    if OFF {\n                        self.enter(wanted.visit, role);\n                        return Ok(());\n                    }\n                    self.state = State::Store(wanted, role);",
    },
    Switch {
        rule: "C-01",
        what: "a view is fresh until the last of its files expires",
        file: TRUST_VIEW,
        search: "        .into_iter()\n        .min()",
        replace: "        .into_iter()\n        .min_by_key(|expires| if OFF { -expires.0 } else { expires.0 })",
    },
    Switch {
        rule: "C-02",
        what: "an anchor must not have expired",
        file: TRUST_ROOTS,
        search: "            trusted: candidate.seal(quorum),",
        replace: "            trusted: {\n                let sealed = candidate.seal(quorum);\n                if OFF {\n                    sealed.check_expiry(&cx)?;\n                }\n                sealed\n            },",
    },
    Switch {
        rule: "C-21",
        what: "timestamp need not be signed",
        file: TRUST_PHASES,
        search: "        let quorum = candidate.require(signers, root.keys(), root.timestamp_keys())?;",
        replace: "        let nobody = RoleKeys { keyids: Vec::new(), threshold: 0 };\n        let keys = if OFF { &nobody } else { root.timestamp_keys() };\n        let quorum = candidate.require(signers, root.keys(), keys)?;",
    },
    Switch {
        rule: "C-31",
        what: "a stored snapshot is kept whatever timestamp lists",
        file: TRUST_PHASES,
        search: "        let usable = fits.and_then(",
        replace: "        let fits = fits.or_else(|error| if OFF { Ok(()) } else { Err(error) });\n        let usable = fits.and_then(",
    },
    Switch {
        rule: "C-34",
        what: "a view follows another whose roles are gone",
        file: TRUST_VIEW,
        search: "            .and_then(|()| snapshot_floor(&floor, &now.snapshot));",
        replace: "            .and_then(|()| if OFF { Ok(()) } else { snapshot_floor(&floor, &now.snapshot) });",
    },
    Switch {
        rule: "C-34",
        what: "an entry that is no targets role must not go",
        file: METADATA_SNAPSHOT,
        search: "        RoleName::Root | RoleName::Timestamp | RoleName::Snapshot => None,",
        replace: "        RoleName::Root | RoleName::Timestamp | RoleName::Snapshot if !OFF => None,",
    },
    Switch {
        rule: "C-51",
        what: "a target is looked for under the first of its hashes alone",
        file: CLIENT_DOWNLOAD_TRANSFER,
        search: "                if !absent {",
        replace: "                if OFF || !absent {",
    },
];
