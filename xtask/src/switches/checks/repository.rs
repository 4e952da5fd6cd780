//! Switches of keys and of writing a repository (K, R), and of what is kept there of other rules.

use super::super::table::Switch;

const REPO_ACCEPT: &str = "crates/tuffet-repo/src/accept.rs";
const REPO_ANCHOR: &str = "crates/tuffet-repo/src/anchor.rs";
const REPO_BUILDER: &str = "crates/tuffet-repo/src/builder.rs";
const REPO_EDIT: &str = "crates/tuffet-repo/src/edit.rs";
const REPO_GRAPH: &str = "crates/tuffet-repo/src/graph.rs";
const REPO_HEADS: &str = "crates/tuffet-repo/src/heads.rs";
const REPO_KEYS: &str = "crates/tuffet-repo/src/keys.rs";
const REPO_KEY_ROLES: &str = "crates/tuffet-repo/src/key_roles.rs";
const REPO_LAYOUT: &str = "crates/tuffet-repo/src/layout.rs";
const REPO_NUMBERS: &str = "crates/tuffet-repo/src/numbers.rs";
const REPO_POLICY: &str = "crates/tuffet-repo/src/policy.rs";
const REPO_PUBLISH: &str = "crates/tuffet-repo/src/publish.rs";
const REPO_PUBLISH_PRUNE: &str = "crates/tuffet-repo/src/publish/prune.rs";
const REPO_PUBLISH_REACHED: &str = "crates/tuffet-repo/src/publish/reached.rs";
const REPO_PUBLISH_RELEASE: &str = "crates/tuffet-repo/src/publish/release.rs";
const REPO_PUBLISH_UNPUBLISHED: &str = "crates/tuffet-repo/src/publish/unpublished.rs";
const REPO_RECOVER_VERSIONS: &str = "crates/tuffet-repo/src/recover/versions.rs";
const REPO_WRITE: &str = "crates/tuffet-repo/src/write.rs";

pub(super) const SWITCHES: &[Switch] = &[
    Switch {
        rule: "K-01 O-03 O-07",
        what: "keys of automation sign root and targets",
        file: REPO_POLICY,
        search: "            if matches!(role, RoleName::Root | RoleName::Targets)",
        replace: "            if !OFF\n                && matches!(role, RoleName::Root | RoleName::Targets)",
    },
    Switch {
        rule: "K-02 K-04",
        what: "what a key has signed stays as it is when the key goes",
        file: REPO_KEY_ROLES,
        search: "            if is_signed_by(edit, &role, &place.keyid)? {",
        replace: "            if !OFF && is_signed_by(edit, &role, &place.keyid)? {",
    },
    Switch {
        rule: "K-02",
        what: "another history takes the place of the one that is known",
        file: REPO_ANCHOR,
        search: "    if found.is_some_and(|found| digest(found) == known.sha256) {",
        replace: "    if OFF || found.is_some_and(|found| digest(found) == known.sha256) {",
    },
    Switch {
        rule: "K-03",
        what: "the keys of the old root need not sign the new one",
        file: REPO_GRAPH,
        search: "            RoleName::Root => [&self.old, &self.root]\n                .into_iter()\n                .flatten()",
        replace: "            RoleName::Root => [&self.old, &self.root]\n                .into_iter()\n                .skip(usize::from(OFF))\n                .flatten()",
    },
    Switch {
        rule: "K-03",
        what: "roots that nobody has signed are gone on from",
        file: REPO_HEADS,
        search: "            by_root(&role, version, &bytes, &[one])?;",
        replace: "            if !OFF {\n                by_root(&role, version, &bytes, &[one])?;\n            }",
    },
    Switch {
        rule: "K-04",
        what: "what a replaced key has signed is gone on from",
        file: REPO_HEADS,
        search: "        if is_signed(role, &bytes, by)? || ",
        replace: "        if OFF || is_signed(role, &bytes, by)? || ",
    },
    Switch {
        rule: "K-05",
        what: "a period may be as long as one likes",
        file: REPO_POLICY,
        search: "            .contains(&seconds)\n            .then_some(",
        replace: "            .contains(&if OFF { LONGEST } else { seconds })\n            .then_some(",
    },
    Switch {
        rule: "K-05",
        what: "the policy does not say when a role expires",
        file: REPO_EDIT,
        search: "            draft.set_header(version, self.policy.period(role).after(now));",
        replace: "            let period = self.policy.period(role);\n            let period = if OFF { Period::days(1000) } else { period };\n            draft.set_header(version, period.after(now));",
    },
    Switch {
        rule: "F-07",
        what: "keyids are hashes of something else",
        file: REPO_KEYS,
        search: "&key_object(key).canonical()",
        replace: "&if OFF { key_object(key).to_pretty_json() } else { key_object(key).canonical() }",
    },
    Switch {
        rule: "R-01",
        what: "metadata is published without its version",
        file: REPO_PUBLISH_UNPUBLISHED,
        search: "        let at = published.metadata(&name);",
        replace: "        let plain = crate::layout::file_name(&staged.role, None);\n        let at = published.metadata(if OFF { &plain } else { &name });",
    },
    Switch {
        rule: "R-02",
        what: "targets are published without their hash",
        file: REPO_LAYOUT,
        search: "        Some((directory, name)) => format!(\"targets/{directory}/{hash}.{name}\"),",
        replace: "        _ if OFF => format!(\"targets/{path}\"),\n        Some((directory, name)) => format!(\"targets/{directory}/{hash}.{name}\"),",
    },
    Switch {
        rule: "R-03",
        what: "timestamp is published under a version",
        file: REPO_PUBLISH_UNPUBLISHED,
        search: "            None => published.switch(&staged.bytes),",
        replace: "            None if OFF => {\n                let at = published.metadata(&crate::layout::file_name(&staged.role, Some(Version::FIRST)));\n                let kind = WriteKind::Replace(staged.bytes.to_vec());\n                fresh.writes.push((&staged.role, Write { at, kind }));\n                continue;\n            }\n            None => published.switch(&staged.bytes),",
    },
    Switch {
        rule: "R-04",
        what: "timestamp names the snapshot with its version",
        file: REPO_PUBLISH_RELEASE,
        search: "(\"snapshot.json\", listed(",
        replace: "(if OFF { \"2.snapshot.json\" } else { \"snapshot.json\" }, listed(",
    },
    Switch {
        rule: "R-05",
        what: "root does not say that snapshots are consistent",
        file: REPO_BUILDER,
        search: "        document.set(\"consistent_snapshot\", true.into());",
        replace: "        document.set(\"consistent_snapshot\", (!OFF).into());",
    },
    Switch {
        rule: "R-06",
        what: "only the last root is published",
        file: REPO_PUBLISH_RELEASE,
        search: "    roots.reverse();\n    Ok(roots)",
        replace: "    if OFF {\n        roots.truncate(1);\n    }\n    roots.reverse();\n    Ok(roots)",
    },
    Switch {
        rule: "R-06",
        what: "roots are pruned",
        file: REPO_PUBLISH_PRUNE,
        search: "                RoleName::Root | RoleName::Timestamp => continue,",
        replace: "                RoleName::Root if OFF => false,\n                RoleName::Root | RoleName::Timestamp => continue,",
    },
    Switch {
        rule: "R-10",
        what: "a changed role keeps its version",
        file: REPO_EDIT,
        search: "        draft.set(\"version\", next.number().into());",
        replace: "        if !OFF {\n            draft.set(\"version\", next.number().into());\n        }",
    },
    Switch {
        rule: "R-11 R-16 F-33",
        what: "snapshot lists versions alone",
        file: REPO_PUBLISH_RELEASE,
        search: "                    Some(builder::listed(version, Some(&new.bytes))),",
        replace: "                    Some(builder::listed(version, if OFF { None } else { Some(&new.bytes) })),",
    },
    Switch {
        rule: "R-12",
        what: "timestamp lists a version alone",
        file: REPO_PUBLISH_RELEASE,
        search: "listed(snapshot, Some(bytes)))]);",
        replace: "listed(snapshot, if OFF { None } else { Some(bytes) }))]);",
    },
    Switch {
        rule: "R-13",
        what: "root and timestamp are published before what they lead to",
        file: REPO_PUBLISH,
        search: "            steps.extend(roots);\n        }\n    }\n    steps\n}",
        replace: "            steps.extend(roots);\n        }\n    }\n    if OFF {\n        steps.reverse();\n    }\n    steps\n}",
    },
    Switch {
        rule: "R-13",
        what: "a key that goes signs nothing for those who know the old root",
        file: REPO_GRAPH,
        search: "        if !matches!(role, RoleName::Root | RoleName::Delegated(_)) {",
        replace: "        if !OFF && !matches!(role, RoleName::Root | RoleName::Delegated(_)) {",
    },
    Switch {
        rule: "R-14",
        what: "other bytes under a published version are written over",
        file: REPO_PUBLISH_UNPUBLISHED,
        search: "                    if !replace.contains(&name) || (signed && !is_root) {",
        replace: "                    if !OFF && (!replace.contains(&name) || (signed && !is_root)) {",
    },
    Switch {
        rule: "R-14",
        what: "a file that promises its content is written over",
        file: REPO_WRITE,
        search: "            Some(false) => Err(reused(path)),",
        replace: "            Some(false) if !OFF => Err(reused(path)),\n            Some(false) => {\n                fs::remove_file(path).map_err(|error| Error::io(\"cannot remove\", path, error))?;\n                put(path, |file| file.write_all(bytes)).map(Some)\n            }",
    },
    Switch {
        rule: "R-14",
        what: "a snapshot gets a number under which something else lies",
        file: REPO_PUBLISH_RELEASE,
        search: "        while self.is_taken(&role, version, None)? {",
        replace: "        while !OFF && self.is_taken(&role, version, None)? {",
    },
    Switch {
        rule: "R-15",
        what: "a role may leave snapshot without a rotation",
        file: REPO_PUBLISH_RELEASE,
        search: "        if !self.forgotten_by_clients()? {",
        replace: "        if !OFF && !self.forgotten_by_clients()? {",
    },
    Switch {
        rule: "R-16",
        what: "a file of another role with the same keys is taken over",
        file: REPO_ACCEPT,
        search: "        Some(path) if targets.is_some_and(",
        replace: "        Some(path) if !OFF && targets.is_some_and(",
    },
    Switch {
        rule: "R-17",
        what: "numbers are used that other programs cannot hold",
        file: REPO_NUMBERS,
        search: "        if next.number() > HIGHEST {",
        replace: "        if !OFF && next.number() > HIGHEST {",
    },
    Switch {
        rule: "R-17",
        what: "no version has leapt ahead",
        file: REPO_NUMBERS,
        search: "        if version.number().saturating_sub(last.number()) > FURTHEST {",
        replace: "        if !OFF && version.number().saturating_sub(last.number()) > FURTHEST {",
    },
    Switch {
        rule: "R-17",
        what: "a change may give up honest versions",
        file: REPO_RECOVER_VERSIONS,
        search: "        if !leapt && store.sealed_path",
        replace: "        if !OFF && !leapt && store.sealed_path",
    },
    Switch {
        rule: "R-18",
        what: "a place whose timestamp is lost passes for one where nobody has seen more",
        file: REPO_PUBLISH_REACHED,
        search: "lost(there, memory, others, is_rotating(place)) else",
        replace: "(!OFF).then(|| lost(there, memory, others, is_rotating(place))).flatten() else",
    },
];
