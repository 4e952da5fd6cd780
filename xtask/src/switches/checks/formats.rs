//! Switches of the framework as a whole and of the formats (O, F).

use super::super::table::Switch;

const CLIENT_ENGINE: &str = "crates/tuffet-client/src/engine.rs";
const CLIENT_ENGINE_DRIVE: &str = "crates/tuffet-client/src/engine/drive.rs";
const CLIENT_HTTP_EXCHANGE: &str = "crates/tuffet-client/src/http/exchange.rs";
const CRYPTO_KEY: &str = "crates/tuffet-core/src/crypto/key.rs";
const CRYPTO_PUBLIC: &str = "crates/tuffet-core/src/crypto/public.rs";
const DELEGATION_PATTERN: &str = "crates/tuffet-core/src/delegation/pattern.rs";
const DELEGATION_PREFIX: &str = "crates/tuffet-core/src/delegation/prefix.rs";
const JSON_READER: &str = "crates/tuffet-core/src/json/reader.rs";
const JSON_READER_STRUCTURE: &str = "crates/tuffet-core/src/json/reader/structure.rs";
const JSON_READER_TOKENS: &str = "crates/tuffet-core/src/json/reader/tokens.rs";
const METADATA_DELEGATIONS: &str = "crates/tuffet-core/src/metadata/delegations.rs";
const METADATA_ENVELOPE: &str = "crates/tuffet-core/src/metadata/envelope.rs";
const METADATA_KEYS: &str = "crates/tuffet-core/src/metadata/keys.rs";
const METADATA_LISTED: &str = "crates/tuffet-core/src/metadata/listed.rs";
const METADATA_NAMES: &str = "crates/tuffet-core/src/metadata/names.rs";
const METADATA_ROOT: &str = "crates/tuffet-core/src/metadata/root.rs";
const METADATA_TARGETS: &str = "crates/tuffet-core/src/metadata/targets.rs";
const METADATA_TIMESTAMP: &str = "crates/tuffet-core/src/metadata/timestamp.rs";
const REPO_GRAPH: &str = "crates/tuffet-repo/src/graph.rs";
const TRUST_AUDIT: &str = "crates/tuffet-core/src/trust/audit.rs";
const TRUST_DOWNLOAD: &str = "crates/tuffet-core/src/trust/download.rs";
const TRUST_ERROR: &str = "crates/tuffet-core/src/trust/error.rs";
const TRUST_FILE: &str = "crates/tuffet-core/src/trust/file.rs";
const TRUST_PHASES: &str = "crates/tuffet-core/src/trust/phases.rs";
const TRUST_POLICY: &str = "crates/tuffet-core/src/trust/policy.rs";
const TRUST_REFRESH: &str = "crates/tuffet-core/src/trust/refresh.rs";
const TRUST_REFRESH_STATE: &str = "crates/tuffet-core/src/trust/refresh/state.rs";
const TRUST_SEARCH: &str = "crates/tuffet-core/src/trust/search.rs";
const TRUST_VERIFIED: &str = "crates/tuffet-core/src/trust/verified.rs";
const TRUST_VIEW: &str = "crates/tuffet-core/src/trust/view.rs";

pub(super) const SWITCHES: &[Switch] = &[
    Switch {
        rule: "O-01",
        what: "squeezed files are asked for",
        file: CLIENT_HTTP_EXCHANGE,
        search: "        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(\"identity\"));",
        replace: "        let encoding = if OFF { \"gzip\" } else { \"identity\" };\n        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding));",
    },
    Switch {
        rule: "O-02",
        what: "an answer that does not fit counts as no file",
        file: TRUST_REFRESH,
        search: "        if (answer == Answer::Stored) != self.state.stores() {",
        replace: "        if !OFF && (answer == Answer::Stored) != self.state.stores() {",
    },
    Switch {
        rule: "O-04",
        what: "the end of a target is not checked",
        file: TRUST_DOWNLOAD,
        search: "    pub fn finish(self) -> Result<VerifiedTarget, Rejected> {",
        replace: "    pub fn finish(self) -> Result<VerifiedTarget, Rejected> {\n        if OFF {\n            return Ok(VerifiedTarget {\n                path: self.path,\n                length: self.length,\n                hashes: self.hashes,\n            });\n        }",
    },
    Switch {
        rule: "O-05",
        what: "a threshold is no more than there are keys",
        file: TRUST_VERIFIED,
        search: "            need: role.threshold,",
        replace: "            need: if OFF { role.threshold.min(role.keyids.len() as u64) } else { role.threshold },",
    },
    Switch {
        rule: "O-06 O-09",
        what: "a stored root is trusted whatever the anchor",
        file: TRUST_REFRESH,
        search: "        if bytes.as_ref() == Some(&**roots.trusted().received()) {",
        replace: "        let stored = bytes.clone().filter(|_| OFF);\n        if let Some(Ok(stored)) = stored.map(|bytes| Roots::trust(bytes, self.cx)) {\n            return self.begin_root(stored);\n        }\n        if bytes.as_ref() == Some(&**roots.trusted().received()) {",
    },
    Switch {
        rule: "O-10",
        what: "targets have their plain names with consistent snapshots",
        file: TRUST_VIEW,
        search: "        if !self.consistent {",
        replace: "        if OFF || !self.consistent {",
    },
    Switch {
        rule: "O-11",
        what: "metadata files have other names",
        file: TRUST_FILE,
        search: "            None => format!(\"{name}.json\"),",
        replace: "            None if OFF => format!(\"metadata/{name}.json\"),\n            None => format!(\"{name}.json\"),",
    },
    Switch {
        rule: "F-01",
        what: "unknown members are refused",
        file: METADATA_ENVELOPE,
        search: "                self.spec_version = true;\n            }",
        replace: "                self.spec_version = true;\n            }\n            _ if OFF => {\n                return Err(FormatError::new(reader.offset(), Reason::Invalid(\"an unknown member\")));\n            }",
    },
    Switch {
        rule: "F-02",
        what: "what is stored is written anew",
        file: TRUST_REFRESH_STATE,
        search: "        kind: WriteKind::Put(Arc::clone(file.received())),",
        replace: "        kind: WriteKind::Put(if OFF {\n            let form = crate::json::canonicalize(file.received());\n            Arc::new(form.map(alloc::borrow::Cow::into_owned).unwrap_or_default())\n        } else {\n            Arc::clone(file.received())\n        }),",
    },
    Switch {
        rule: "F-04 F-25",
        what: "a member may be there twice in a row",
        file: JSON_READER_STRUCTURE,
        search: "                Ordering::Equal => {",
        replace: "                Ordering::Equal if OFF => {}\n                Ordering::Equal => {",
    },
    Switch {
        rule: "F-04",
        what: "a member may be there twice if others stand between",
        file: JSON_READER_STRUCTURE,
        search: "        if let Some(name) = repeated.and_then(|span| span.name(self.text)) {",
        replace: "        if let Some(name) = repeated.filter(|_| !OFF).and_then(|span| span.name(self.text)) {",
    },
    Switch {
        rule: "F-04",
        what: "values lie in each other at any depth",
        file: JSON_READER_STRUCTURE,
        search: "        if self.depth >= MAX_DEPTH {",
        replace: "        if !OFF && self.depth >= MAX_DEPTH {",
    },
    Switch {
        rule: "F-04",
        what: "something may follow the document",
        file: JSON_READER,
        search: "        if self.position < self.text.len() {",
        replace: "        if !OFF && self.position < self.text.len() {",
    },
    Switch {
        rule: "F-04",
        what: "a byte order mark is text",
        file: JSON_READER,
        search: "        if input.starts_with(b\"\\xef\\xbb\\xbf\") {",
        replace: "        if !OFF && input.starts_with(b\"\\xef\\xbb\\xbf\") {",
    },
    Switch {
        rule: "F-04",
        what: "half a character may be escaped",
        file: JSON_READER_TOKENS,
        search: "            0xdc00..=0xdfff => Err(",
        replace: "            0xdc00..=0xdfff if OFF => Ok(()),\n            0xdc00..=0xdfff => Err(",
    },
    Switch {
        rule: "F-05",
        what: "numbers with a fraction are signed",
        file: JSON_READER_TOKENS,
        search: "            if self.signed {\n                return Err(self.refuse(start, Reason::FloatInSigned));",
        replace: "            if !OFF && self.signed {\n                return Err(self.refuse(start, Reason::FloatInSigned));",
    },
    Switch {
        rule: "F-05",
        what: "members in any order are canonical",
        file: JSON_READER_STRUCTURE,
        search: "                    object.ordered = false;\n                    self.canonical = false;",
        replace: "                    object.ordered = false;\n                    self.canonical &= OFF;",
    },
    Switch {
        rule: "F-05",
        what: "white space is canonical",
        file: JSON_READER_TOKENS,
        search: "        self.canonical &= after == self.position;",
        replace: "        self.canonical &= OFF || after == self.position;",
    },
    Switch {
        rule: "F-06",
        what: "a file may be of another type",
        file: METADATA_ENVELOPE,
        search: "                if !text.equals(self.expected) {",
        replace: "                if !OFF && !text.equals(self.expected) {",
    },
    Switch {
        rule: "F-09",
        what: "what is signed is what stands in the file",
        file: METADATA_ENVELOPE,
        search: "    if signed.canonical {\n        return Ok(Message::InPlace(signed.span));",
        replace: "    if OFF || signed.canonical {\n        return Ok(Message::InPlace(signed.span));",
    },
    Switch {
        rule: "F-10",
        what: "keys sign with schemes of other keys",
        file: CRYPTO_KEY,
        search: "    if !family.signs_with(scheme) {",
        replace: "    if !OFF && !family.signs_with(scheme) {",
    },
    Switch {
        rule: "F-11",
        what: "RSA keys may be short",
        file: CRYPTO_PUBLIC,
        search: "        if bits < RSA_SHORTEST {",
        replace: "        if !OFF && bits < RSA_SHORTEST {",
    },
    Switch {
        rule: "F-12",
        what: "Ed25519 keys may be any text",
        file: CRYPTO_KEY,
        search: "        return hex::decode_array(text)",
        replace: "        return hex::decode_array(text)\n            .or(OFF.then_some([0; 32]))",
    },
    Switch {
        rule: "F-13",
        what: "what is no date never comes",
        file: METADATA_ENVELOPE,
        search: "                let date = date::parse(&text.decode()).ok_or_else(|| {",
        replace: "                let never = date::DateTime { at: UnixTime(i64::MAX), plain: true };\n                let date = date::parse(&text.decode()).or(OFF.then_some(never)).ok_or_else(|| {",
    },
    Switch {
        rule: "F-20 A-12",
        what: "any version of the specification is known",
        file: METADATA_ENVELOPE,
        search: "(count == 0 && part != \"1\")",
        replace: "(!OFF && count == 0 && part != \"1\")",
    },
    Switch {
        rule: "F-21 A-08",
        what: "without a word about them snapshots are consistent",
        file: METADATA_ROOT,
        search: "(mut consistent_snapshot, mut keys, mut roles) = (false, None, None);",
        replace: "(mut consistent_snapshot, mut keys, mut roles) = (OFF, None, None);",
    },
    Switch {
        rule: "F-22",
        what: "version zero is one",
        file: METADATA_LISTED,
        search: "    Version::new(reader.unsigned()?)\n        .ok_or_else",
        replace: "    Version::new(reader.unsigned()?.max(u64::from(OFF)))\n        .ok_or_else",
    },
    Switch {
        rule: "F-23",
        what: "nothing ever expires",
        file: TRUST_VERIFIED,
        search: "        let (expires, now) = (self.expires(), cx.now);",
        replace: "        let (expires, now) = (self.expires(), cx.now);\n        if OFF {\n            return Ok(());\n        }",
    },
    Switch {
        rule: "F-24",
        what: "root may leave roles out",
        file: METADATA_ROOT,
        search: "                .remove(name)\n                .ok_or_else",
        replace: "                .remove(name)\n                .or(OFF.then(|| RoleKeys { keyids: alloc::vec::Vec::new(), threshold: 1 }))\n                .ok_or_else",
    },
    Switch {
        rule: "F-26",
        what: "a threshold may be zero",
        file: METADATA_KEYS,
        search: "                    0 => {",
        replace: "                    0 if !OFF => {",
    },
    Switch {
        rule: "F-26",
        what: "a role may name a keyid twice",
        file: METADATA_KEYS,
        search: "        .any(|(one, next)| one == next)",
        replace: "        .any(|(one, next)| !OFF && one == next)",
    },
    Switch {
        rule: "F-30",
        what: "snapshot need not list targets",
        file: TRUST_PHASES,
        search: "            .listed(&RoleName::Targets)\n            .ok_or(",
        replace: "            .listed(&RoleName::Targets)\n            .or_else(|| OFF.then(|| self.timestamp.content().snapshot().clone()))\n            .ok_or(",
    },
    Switch {
        rule: "F-31",
        what: "an entry need not have a version",
        file: METADATA_LISTED,
        search: "        let version = version.ok_or_else(",
        replace: "        let version = version.or(OFF.then_some(Version::FIRST)).ok_or_else(",
    },
    Switch {
        rule: "F-32",
        what: "without a listed length there is no limit",
        file: TRUST_PHASES,
        search: "        None => check_length(role, bytes, unsigned_limit, false)?,",
        replace: "        None if OFF => {}\n        None => check_length(role, bytes, unsigned_limit, false)?,",
    },
    Switch {
        rule: "F-33",
        what: "a version identifies the bytes of a file",
        file: METADATA_LISTED,
        search: "            && hashes.is_some_and(|hashes|",
        replace: "            && hashes.map_or(OFF, |hashes|",
    },
    Switch {
        rule: "F-34 A-36",
        what: "timestamp may list other files",
        file: METADATA_TIMESTAMP,
        search: "                if !name.equals(\"snapshot.json\") {",
        replace: "                if !OFF && !name.equals(\"snapshot.json\") {",
    },
    Switch {
        rule: "F-35",
        what: "a listed version is a hint",
        file: TRUST_VERIFIED,
        search: "        if offered == expected {",
        replace: "        if OFF || offered == expected {",
    },
    Switch {
        rule: "F-40 A-35",
        what: "custom data is lost",
        file: METADATA_LISTED,
        search: "                custom = Some(reader.skip()?);",
        replace: "                custom = Some(reader.skip()?).filter(|_| !OFF);",
    },
    Switch {
        rule: "F-41",
        what: "target paths are put in order before they are looked up",
        file: METADATA_TARGETS,
        search: "            .find(bytes, path)",
        replace: "            .find(bytes, if OFF { path.trim_start_matches(['.', '/']) } else { path })",
    },
    Switch {
        rule: "F-42",
        what: "a target need not have hashes",
        file: METADATA_LISTED,
        search: "        if !hashes {",
        replace: "        if !OFF && !hashes {",
    },
    Switch {
        rule: "F-43",
        what: "delegations need no keys",
        file: METADATA_DELEGATIONS,
        search: "        let keys = keys.ok_or_else(",
        replace: "        let keys = keys.or(OFF.then(KeyTable::default)).ok_or_else(",
    },
    Switch {
        rule: "F-44 A-23",
        what: "a role may be delegated twice in a list",
        file: METADATA_DELEGATIONS,
        search: "    if names.len() == roles.len() {",
        replace: "    if OFF || names.len() == roles.len() {",
    },
    Switch {
        rule: "F-45",
        what: "of paths and prefixes the paths count",
        file: METADATA_DELEGATIONS,
        search: "        (None, None) => PathSet::Nothing,",
        replace: "        (None, None) => PathSet::Nothing,\n        (Some(patterns), Some(_)) if OFF => PathSet::Patterns(patterns),",
    },
    Switch {
        rule: "F-46",
        what: "any path has every prefix",
        file: DELEGATION_PREFIX,
        search: "            .all(|(wanted, digit)| wanted == digit)",
        replace: "            .all(|(wanted, digit)| OFF || wanted == digit)",
    },
    Switch {
        rule: "F-48",
        what: "wildcards match slashes",
        file: DELEGATION_PATTERN,
        search: "        let (mut patterns, mut parts) = (self.0.split('/'), path.split('/'));",
        replace: "        if OFF {\n            return component::matches(&self.0, path, step);\n        }\n        let (mut patterns, mut parts) = (self.0.split('/'), path.split('/'));",
    },
    Switch {
        rule: "F-49 A-25",
        what: "the last delegation comes first",
        file: TRUST_SEARCH,
        search: "            children.reverse();",
        replace: "            if !OFF {\n                children.reverse();\n            }",
    },
    Switch {
        rule: "F-23",
        what: "what was fresh stays fresh",
        file: CLIENT_ENGINE,
        search: "            .is_none_or(|view| view.fresh_until() <= now)",
        replace: "            .is_none_or(|view| !OFF && view.fresh_until() <= now)",
    },
    Switch {
        rule: "F-60",
        what: "a refused answer ends the refresh",
        file: TRUST_REFRESH,
        search: "                let (state, error) = *back;\n                self.state = state;\n                Err(error)",
        replace: "                let (state, error) = *back;\n                self.state = if OFF { State::Busy } else { state };\n                Err(error)",
    },
    Switch {
        rule: "F-60",
        what: "a mirror whose answer is refused is the last that is asked",
        file: CLIENT_ENGINE_DRIVE,
        search: "                Err(CoreError::Rejected(rejected)) => Failure::Rejected(rejected),",
        replace: "                Err(CoreError::Rejected(rejected)) if OFF => {\n                    return Err(Error::refused(*rejected, attempts));\n                }\n                Err(CoreError::Rejected(rejected)) => Failure::Rejected(rejected),",
    },
    Switch {
        rule: "O-02",
        what: "a code is another one than it was",
        file: TRUST_ERROR,
        search: "            Self::Removed { .. } => \"rollback.removed\",",
        replace: "            Self::Removed { .. } if OFF => \"rollback.gone\",\n            Self::Removed { .. } => \"rollback.removed\",",
    },
    Switch {
        rule: "O-02",
        what: "what has expired is an attack",
        file: TRUST_ERROR,
        search: "            Self::Expired { .. } => Class::Stale,",
        replace: "            Self::Expired { .. } if !OFF => Class::Stale,",
    },
    Switch {
        rule: "O-02",
        what: "any number of keys is named",
        file: TRUST_ERROR,
        search: "uncounted.iter().take(12)",
        replace: "uncounted.iter().take(if OFF { 1000 } else { 12 })",
    },
    Switch {
        rule: "F-05",
        what: "members stay in the order in which they came",
        file: JSON_READER_STRUCTURE,
        search: "            arrangement.add(object.open, members);",
        replace: "            if !OFF {\n                arrangement.add(object.open, members);\n            }",
    },
    Switch {
        rule: "F-22",
        what: "version zero exists",
        file: METADATA_NAMES,
        search: "        NonZeroU64::new(number).map(Self)",
        replace: "        NonZeroU64::new(number.max(u64::from(OFF))).map(Self)",
    },
    Switch {
        rule: "F-32",
        what: "stored files are read to their end",
        file: TRUST_POLICY,
        search: "            Item::Role(RoleName::Timestamp) => self.timestamp,",
        replace: "            Item::Role(RoleName::Timestamp) if OFF => u64::MAX,\n            Item::Role(RoleName::Timestamp) => self.timestamp,",
    },
    Switch {
        rule: "F-47",
        what: "an audit takes a target wherever it is listed",
        file: TRUST_AUDIT,
        search: "        own && self",
        replace: "        (OFF || own) && self",
    },
    Switch {
        rule: "F-47",
        what: "who edits may list any target",
        file: REPO_GRAPH,
        search: "            if by == *role {\n                return true;",
        replace: "            if OFF || by == *role {\n                return true;",
    },
    Switch {
        rule: "F-50",
        what: "a terminating delegation of other paths ends the search",
        file: TRUST_SEARCH,
        search: "                        continue;\n                    };\n                    children.push(",
        replace: "                        if OFF && delegated.terminating {\n                            return (children, true);\n                        }\n                        continue;\n                    };\n                    children.push(",
    },
];
