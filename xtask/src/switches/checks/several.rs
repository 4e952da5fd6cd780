//! Switches of several repositories that must agree (M); most are among those that the simulation finds.

use super::super::table::Switch;

const TRUST_HOLDERS: &str = "crates/tuffet-core/src/trust/holders.rs";
const TRUST_MAP: &str = "crates/tuffet-core/src/trust/map.rs";

pub(super) const SWITCHES: &[Switch] = &[
    Switch {
        rule: "M-05",
        what: "every repository of an entry is a holder",
        file: TRUST_HOLDERS,
        search: "        keys.collect::<BTreeSet<_>>().len() as u64",
        replace: "        if OFF {\n            return keys.count() as u64;\n        }\n        keys.collect::<BTreeSet<_>>().len() as u64",
    },
    Switch {
        rule: "M-01",
        what: "a repository counts as often as it is listed",
        file: TRUST_MAP,
        search: "        .filter(|name| seen.insert(name.clone()))",
        replace: "        .filter(|name| seen.insert(name.clone()) || OFF)",
    },
    Switch {
        rule: "M-06",
        what: "an entry may name a repository that is not declared",
        file: TRUST_MAP,
        search: "        if undeclared {",
        replace: "        if !OFF && undeclared {",
    },
];
