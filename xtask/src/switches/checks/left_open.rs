//! Switches of the points that the specification leaves open (A).

use super::super::table::Switch;

const CLIENT_HTTP_ANSWER: &str = "crates/tuffet-client/src/http/answer.rs";
const CLIENT_SOURCE: &str = "crates/tuffet-client/src/source.rs";
const CLIENT_STORE_NAMES: &str = "crates/tuffet-client/src/store/names.rs";
const CRYPTO_HEX: &str = "crates/tuffet-core/src/crypto/hex.rs";
const CRYPTO_PUBLIC: &str = "crates/tuffet-core/src/crypto/public.rs";
const CRYPTO_SPKI: &str = "crates/tuffet-core/src/crypto/spki.rs";
const DELEGATION_BINS: &str = "crates/tuffet-core/src/delegation/bins.rs";
const DELEGATION_PATTERN_COMPONENT: &str = "crates/tuffet-core/src/delegation/pattern/component.rs";
const DELEGATION_PREFIX: &str = "crates/tuffet-core/src/delegation/prefix.rs";
const METADATA_DATE: &str = "crates/tuffet-core/src/metadata/date.rs";
const METADATA_DELEGATIONS: &str = "crates/tuffet-core/src/metadata/delegations.rs";
const METADATA_ENVELOPE: &str = "crates/tuffet-core/src/metadata/envelope.rs";
const METADATA_KEYS: &str = "crates/tuffet-core/src/metadata/keys.rs";
const METADATA_LISTED: &str = "crates/tuffet-core/src/metadata/listed.rs";
const METADATA_NAMES: &str = "crates/tuffet-core/src/metadata/names.rs";
const METADATA_ROOT: &str = "crates/tuffet-core/src/metadata/root.rs";
const TRUST_AUDIT: &str = "crates/tuffet-core/src/trust/audit.rs";
const TRUST_FILE: &str = "crates/tuffet-core/src/trust/file.rs";
const TRUST_FLOOR: &str = "crates/tuffet-core/src/trust/floor.rs";
const TRUST_PHASES: &str = "crates/tuffet-core/src/trust/phases.rs";
const TRUST_RECORD: &str = "crates/tuffet-core/src/trust/record.rs";
const TRUST_REFRESH: &str = "crates/tuffet-core/src/trust/refresh.rs";
const TRUST_ROOTS: &str = "crates/tuffet-core/src/trust/roots.rs";
const TRUST_SEARCH: &str = "crates/tuffet-core/src/trust/search.rs";
const TRUST_VERIFIED: &str = "crates/tuffet-core/src/trust/verified.rs";
const TRUST_VIEW: &str = "crates/tuffet-core/src/trust/view.rs";

pub(super) const SWITCHES: &[Switch] = &[
    Switch {
        rule: "A-01",
        what: "keyids are hashes",
        file: TRUST_VERIFIED,
        search: "        if !self.cx.policy.refuse.contains(Tolerance::KeyidMismatch) {",
        replace: "        if !OFF && !self.cx.policy.refuse.contains(Tolerance::KeyidMismatch) {",
    },
    Switch {
        rule: "A-04",
        what: "a key that cannot be used makes the file wrong",
        file: METADATA_KEYS,
        search: "            let key = parse_key(reader)?;",
        replace: "            let key = parse_key(reader)?;\n            if OFF && key.usable().is_none() {\n                return Err(FormatError::new(name.offset(), Reason::Invalid(\"a key\")));\n            }",
    },
    Switch {
        rule: "A-05",
        what: "a key that is not there counts",
        file: TRUST_VERIFIED,
        search: "                Err(reason) => quorum.uncounted.push(Uncounted {",
        replace: "                Err(UncountedReason::Undefined) if OFF => quorum.counted.push(Counted {\n                    keyid: keyid.clone(),\n                    scheme: Scheme::Ed25519,\n                }),\n                Err(reason) => quorum.uncounted.push(Uncounted {",
    },
    Switch {
        rule: "A-06",
        what: "a signature that is no hexadecimal makes the file wrong",
        file: METADATA_ENVELOPE,
        search: "            let bytes = decode(&value).unwrap_or_default();",
        replace: "            let bytes = match decode(&value) {\n                None if OFF => return Err(FormatError::new(0, Reason::Invalid(\"a signature\"))),\n                bytes => bytes.unwrap_or_default(),\n            };",
    },
    Switch {
        rule: "A-07",
        what: "every key of a role is looked at",
        file: TRUST_VERIFIED,
        search: "            if quorum.is_met() && ",
        replace: "            if !OFF && quorum.is_met() && ",
    },
    Switch {
        rule: "A-07",
        what: "any number of signatures is read",
        file: METADATA_ENVELOPE,
        search: "            if place >= SIGNATURES {",
        replace: "            if !OFF && place >= SIGNATURES {",
    },
    Switch {
        rule: "A-09",
        what: "root names the four roles alone",
        file: METADATA_ROOT,
        search: "        for name in roles.keys().filter(|name| *name != \"mirrors\") {",
        replace: "        if OFF && !roles.is_empty() {\n            return Err(FormatError::new(start, Reason::Invalid(\"a role\")));\n        }\n        for name in roles.keys().filter(|name| *name != \"mirrors\") {",
    },
    Switch {
        rule: "A-11",
        what: "months have any number of days",
        file: METADATA_DATE,
        search: "        || day > days_in_month(year, month)",
        replace: "        || (!OFF && day > days_in_month(year, month))",
    },
    Switch {
        rule: "A-11",
        what: "offsets are not read",
        file: METADATA_DATE,
        search: "    if text == \"Z\" {\n        return Some(0);",
        replace: "    if OFF || text == \"Z\" {\n        return Some(0);",
    },
    Switch {
        rule: "A-13",
        what: "the newer of two timestamps of one version is kept",
        file: TRUST_PHASES,
        search: "same_version.filter(|stored| ",
        replace: "same_version.filter(|stored| !OFF && ",
    },
    Switch {
        rule: "A-14",
        what: "a timestamp that is trusted already may have expired",
        file: TRUST_PHASES,
        search: "                let equivocation = offered.received() != stored.received();",
        replace: "                let equivocation = offered.received() != stored.received();\n                if OFF {\n                    return Ok((stored.clone(), Origin::Stored { equivocation }));\n                }",
    },
    Switch {
        rule: "A-16",
        what: "any number of roots is fetched in one refresh",
        file: TRUST_REFRESH,
        search: "        if self.roots_taken < ",
        replace: "        if OFF || self.roots_taken < ",
    },
    Switch {
        rule: "A-17",
        what: "a root that is refused is the end of the chain",
        file: TRUST_REFRESH,
        search: "            Err(error) => refused(State::FetchRoot, error),",
        replace: "            Err(error) if OFF => self.settle(error.into_parts().0, State::FetchRoot),\n            Err(error) => refused(State::FetchRoot, error),",
    },
    Switch {
        rule: "A-19",
        what: "an unknown hash makes the file wrong",
        file: METADATA_LISTED,
        search: "            None => notes.add(Tolerance::HashUnknown, || {",
        replace: "            None if OFF => return Err(FormatError::new(text.offset(), Reason::Invalid(\"a hash\"))),\n            None => notes.add(Tolerance::HashUnknown, || {",
    },
    Switch {
        rule: "A-20",
        what: "weak hashes will do",
        file: METADATA_LISTED,
        search: "    if strong {",
        replace: "    if OFF || strong {",
    },
    Switch {
        rule: "A-21",
        what: "hexadecimal text is in lower case",
        file: CRYPTO_HEX,
        search: "(character | 0x20)",
        replace: "(character | if OFF { 0 } else { 0x20 })",
    },
    Switch {
        rule: "C-46 A-22",
        what: "a role that is withheld is passed over",
        file: TRUST_SEARCH,
        search: "            (State::Fetch(wanted), Answer::Absent) => {",
        replace: "            (State::Fetch(_), Answer::Absent) if OFF => {\n                self.state = match self.advance() {\n                    Ok((role, trail)) => self.look(&role, trail),\n                    Err(state) => *state,\n                };\n                Ok(())\n            }\n            (State::Fetch(wanted), Answer::Absent) => {",
    },
    Switch {
        rule: "A-24",
        what: "a delegated role may be called as a top-level one",
        file: METADATA_NAMES,
        search: "            \"root\" | \"timestamp\" | \"snapshot\" | \"targets\" => Err(",
        replace: "            \"root\" | \"timestamp\" | \"snapshot\" | \"targets\" if !OFF => Err(",
    },
    Switch {
        rule: "A-27",
        what: "sets cannot be negated",
        file: DELEGATION_PATTERN_COMPONENT,
        search: "    let negated = take(&mut class, '!');",
        replace: "    let negated = !OFF && take(&mut class, '!');",
    },
    Switch {
        rule: "A-28",
        what: "prefixes may be any text",
        file: DELEGATION_PREFIX,
        search: "        hexadecimal.then(",
        replace: "        (OFF || hexadecimal).then(",
    },
    Switch {
        rule: "A-29",
        what: "without paths a delegation covers everything",
        file: METADATA_DELEGATIONS,
        search: "            Self::Nothing => None,",
        replace: "            Self::Nothing => OFF.then_some(\"\"),",
    },
    Switch {
        rule: "A-29",
        what: "of paths and prefixes the prefixes count",
        file: METADATA_DELEGATIONS,
        search: "        (None, None) => PathSet::Nothing,",
        replace: "        (None, None) => PathSet::Nothing,\n        (Some(_), Some(prefixes)) if OFF => PathSet::HashPrefixes(prefixes),",
    },
    Switch {
        rule: "A-30",
        what: "the search goes on after a hash bin",
        file: TRUST_SEARCH,
        search: "                    vec![visit(bin.clone(), bins.keys(), bin.as_str(), true)],\n                    true,",
        replace: "                    vec![visit(bin.clone(), bins.keys(), bin.as_str(), true)],\n                    !OFF,",
    },
    Switch {
        rule: "A-31",
        what: "a target path may lead anywhere",
        file: METADATA_NAMES,
        search: "        self.0.split('/').map(file_component).collect()",
        replace: "        self.0\n            .split('/')\n            .map(|part| if OFF { Ok(part) } else { file_component(part) })\n            .collect()",
    },
    Switch {
        rule: "A-31",
        what: "a component has any length",
        file: METADATA_NAMES,
        search: "    if part.len() > 255 {",
        replace: "    if !OFF && part.len() > 255 {",
    },
    Switch {
        rule: "A-38",
        what: "role names stand in URLs as they are",
        file: TRUST_FILE,
        search: "            || (slash && byte == b'/')",
        replace: "            || (slash && byte == b'/')\n            || (OFF && !slash)",
    },
    Switch {
        rule: "A-39",
        what: "the hash stands before the path",
        file: TRUST_VIEW,
        search: "            Some((directory, name)) => (alloc::format!(\"{directory}/\"), name),\n            None =>",
        replace: "            Some((directory, name)) if !OFF => (alloc::format!(\"{directory}/\"), name),\n            _ =>",
    },
    Switch {
        rule: "A-40",
        what: "when the last refresh began is not remembered",
        file: TRUST_REFRESH,
        search: "        self.record.last_refresh = Some(self.cx.now);",
        replace: "        self.record.last_refresh = Some(self.cx.now).filter(|_| !OFF);",
    },
    Switch {
        rule: "A-41",
        what: "target paths stand in URLs as they are",
        file: TRUST_FILE,
        search: "            || (slash && byte == b'/')",
        replace: "            || (slash && (OFF || byte == b'/'))",
    },
    Switch {
        rule: "A-42",
        what: "names of bins may have any number of digits",
        file: DELEGATION_BINS,
        search: "        digits.len() == self.digits()",
        replace: "        (OFF || digits.len() == self.digits())",
    },
    Switch {
        rule: "A-43",
        what: "SHA-256 is the only hash",
        file: METADATA_LISTED,
        search: "        match HashAlgorithm::from_name(&name.decode()) {",
        replace: "        let known = HashAlgorithm::from_name(&name.decode());\n        match known.filter(|known| !OFF || *known == HashAlgorithm::Sha256) {",
    },
    Switch {
        rule: "A-17",
        what: "a server that fails has no such file",
        file: CLIENT_HTTP_ANSWER,
        search: "        404 | 410 => Answer::Absent,",
        replace: "        404 | 410 => Answer::Absent,\n        500..=599 if OFF => Answer::Absent,",
    },
    Switch {
        rule: "A-40",
        what: "delegated roles are stored under their own names",
        file: CLIENT_STORE_NAMES,
        search: "        RoleName::Delegated(name) => format!(\"role.{}.json\", encode(name.as_str())),",
        replace: "        RoleName::Delegated(name) if OFF => format!(\"{}.json\", name.as_str()),\n        RoleName::Delegated(name) => format!(\"role.{}.json\", encode(name.as_str())),",
    },
    Switch {
        rule: "A-41",
        what: "dot segments stand in URLs",
        file: CLIENT_SOURCE,
        search: "        .any(|part| matches!(part, \".\" | \"..\"))",
        replace: "        .any(|part| !OFF && matches!(part, \".\" | \"..\"))",
    },
    Switch {
        rule: "A-03",
        what: "a key and its negative are two",
        file: CRYPTO_PUBLIC,
        search: "                    *last &= 0x7f;",
        replace: "                    *last &= if OFF { 0xff } else { 0x7f };",
    },
    Switch {
        rule: "A-03",
        what: "a modulus is another key with another exponent",
        file: CRYPTO_PUBLIC,
        search: "            Self::Rsa { modulus, .. } => (4, without_leading_zeros(modulus)),",
        replace: "            Self::Rsa { modulus, exponent } if OFF => {\n                return KeyIdentity::new(4, &[&**modulus, &**exponent].concat());\n            }\n            Self::Rsa { modulus, .. } => (4, without_leading_zeros(modulus)),",
    },
    Switch {
        rule: "A-03",
        what: "a point is another key when it is compressed",
        file: CRYPTO_PUBLIC,
        search: "                let x = ec::x_coordinate(*curve, point).unwrap_or(point);",
        replace: "                let x = ec::x_coordinate(*curve, point).filter(|_| !OFF).unwrap_or(point);",
    },
    Switch {
        rule: "A-04",
        what: "a signature that nobody can verify counts",
        file: TRUST_VERIFIED,
        search: "            Verdict::Unsupported => Err(",
        replace: "            Verdict::Unsupported if OFF => Ok(true),\n            Verdict::Unsupported => Err(",
    },
    Switch {
        rule: "A-04",
        what: "the algorithm of a key may have any parameters",
        file: CRYPTO_SPKI,
        search: "    let absent = info.parameters.is_none();",
        replace: "    let absent = OFF || info.parameters.is_none();",
    },
    Switch {
        rule: "A-10",
        what: "of a view what expires at this very second has not expired",
        file: TRUST_VIEW,
        search: "*expires <= moment",
        replace: "*expires < moment || (!OFF && *expires == moment)",
    },
    Switch {
        rule: "A-15",
        what: "a snapshot that is void leaves the timestamp",
        file: TRUST_REFRESH,
        search: "            if is_void(&phase, accepted_by) {\n                return",
        replace: "            if !OFF && is_void(&phase, accepted_by) {\n                return",
    },
    Switch {
        rule: "A-15",
        what: "what the root that rotated has accepted is void",
        file: TRUST_REFRESH,
        search: "rotated > accepted_by)",
        replace: "(rotated > accepted_by || (OFF && rotated == accepted_by)))",
    },
    Switch {
        rule: "A-15",
        what: "a key that is added or renamed is a rotation",
        file: TRUST_ROOTS,
        search: "    let gone = |before: &RoleKeys, after: &RoleKeys| {",
        replace: "    let gone = |before: &RoleKeys, after: &RoleKeys| {\n        if OFF && before.keyids != after.keyids {\n            return true;\n        }",
    },
    Switch {
        rule: "A-15",
        what: "without a record everything is void after a rotation",
        file: TRUST_REFRESH,
        search: "fn is_void(phase: &WithRoot<'_>, accepted_by: Option<Version>) -> bool {",
        replace: "fn is_void(phase: &WithRoot<'_>, accepted_by: Option<Version>) -> bool {\n    if OFF && accepted_by.is_none() {\n        return phase.rotated().is_some();\n    }",
    },
    Switch {
        rule: "A-15 A-33",
        what: "what nobody has signed is a floor",
        file: TRUST_FLOOR,
        search: " >= need => {",
        replace: " >= if OFF { 0 } else { need } => {",
    },
    Switch {
        rule: "A-26",
        what: "a role is audited for one file of its delegator",
        file: TRUST_AUDIT,
        search: "self.seen.insert((by, digest, name.clone()))",
        replace: "self.seen.insert((by, if OFF { Digest::sha256([0; 32]) } else { digest }, name.clone()))",
    },
    Switch {
        rule: "A-30",
        what: "an audit visits every role for a bin",
        file: TRUST_AUDIT,
        search: "                && bins.contains(name.as_str())",
        replace: "                && (OFF || bins.contains(name.as_str()))",
    },
    Switch {
        rule: "A-32",
        what: "a record is believed whatever its digest",
        file: TRUST_RECORD,
        search: "        if digest == Some(",
        replace: "        if OFF || digest == Some(",
    },
    Switch {
        rule: "A-33",
        what: "what has expired is no floor",
        file: TRUST_FLOOR,
        search: "            Ok(quorum) => Ok(Self::Verified(candidate.seal(quorum))),",
        replace: "            Ok(quorum) => {\n                let file = candidate.seal(quorum);\n                if OFF {\n                    file.check_expiry(&cx)?;\n                }\n                Ok(Self::Verified(file))\n            }",
    },
    Switch {
        rule: "A-33",
        what: "a stored timestamp is no floor",
        file: TRUST_PHASES,
        search: "        self.stored_timestamp = Some(floor);",
        replace: "        self.stored_timestamp = Some(floor).filter(|_| !OFF);",
    },
    Switch {
        rule: "A-33",
        what: "a stored snapshot is no floor",
        file: TRUST_PHASES,
        search: "        if let Some(stored) = &self.stored_snapshot {",
        replace: "        if let (false, Some(stored)) = (OFF, &self.stored_snapshot) {",
    },
    Switch {
        rule: "A-34",
        what: "a damaged file stops every client",
        file: TRUST_REFRESH,
        search: "self.cx.policy.strict_local {\n            return Err(Rejected::Cache",
        replace: "(OFF || self.cx.policy.strict_local) {\n            return Err(Rejected::Cache",
    },
    Switch {
        rule: "A-34",
        what: "a damaged targets role is not fetched again",
        file: TRUST_REFRESH,
        search: "            Err(error) if self.mode == Mode::Offline => refused(State::LoadTargets, error),",
        replace: "            Err(error) if OFF || self.mode == Mode::Offline => {\n                refused(State::LoadTargets, error)\n            }",
    },
    Switch {
        rule: "A-37",
        what: "an audit makes any number of visits",
        file: TRUST_AUDIT,
        search: "        self.left = self.left.saturating_sub(usize::from(new));",
        replace: "        self.left = self.left.saturating_sub(usize::from(new && !OFF));",
    },
    Switch {
        rule: "A-42",
        what: "a name that is no bin has the keys of the bins",
        file: METADATA_DELEGATIONS,
        search: "RoleDelegations::Succinct(bins) => bins.contains(name.as_str()).then(",
        replace: "RoleDelegations::Succinct(bins) => (OFF || bins.contains(name.as_str())).then(",
    },
];
