//! No crate depends on what it must not, and none on more than it may.
//!
//! Dependencies point one way: core, files <- crypto <- client, sign, wasm <- repo <- tuffet. What only tests need is not looked at.

use crate::arguments::Arguments;
use crate::command;
use crate::report::{Failure, Outcome};
use crate::workspace::{Package, Workspace};
use std::collections::BTreeSet;

/// A crate may depend on crates of earlier layers only, never on one beside it.
const LAYERS: [&[&str]; 5] = [
    &["tuffet-core", "tuffet-files"],
    &["tuffet-crypto"],
    &[
        "tuffet-client",
        "tuffet-sign",
        "tuffet-testkit",
        "tuffet-wasm",
    ],
    &["tuffet-repo"],
    &["tuffet", "tuffet-fuzz"],
];

/// What would let I/O, a clock, an executor or a fixed cryptographic library into the core.
const NOT_IN_CORE: [&str; 24] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "chrono",
    "ed25519-dalek",
    "futures-util",
    "getrandom",
    "jiff",
    "libc",
    "ml-dsa",
    "openssl",
    "p256",
    "p384",
    "p521",
    "rand_core",
    "ring",
    "rsa",
    "rustls",
    "serde",
    "serde_core",
    "serde_json",
    "sha2",
    "time",
    "tokio",
    "url",
];

/// Direct dependencies of the core, at most.
const CORE_DIRECT: usize = 3;

/// Crates in a build, ours among them, at most: what is selected, and the budget.
const BUDGETS: [(&str, &[&str], usize); 3] = [
    ("core and crypto", &["-p", "tuffet-crypto"], 15),
    ("blocking client", &["-p", "tuffet-client"], 60),
    (
        "async client",
        &[
            "-p",
            "tuffet-client",
            "--no-default-features",
            "--features",
            "async",
        ],
        110,
    ),
];

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result<Outcome, Failure> {
    arguments.finish()?;
    let mut findings = forbidden(&workspace.packages);
    let mut notes = Vec::new();

    let core = workspace
        .packages
        .iter()
        .find(|package| package.name == "tuffet-core");
    let direct = core.map(direct_dependencies).unwrap_or_default();
    if direct > CORE_DIRECT {
        findings.push(format!(
            "tuffet-core has {direct} dependencies, {CORE_DIRECT} are allowed"
        ));
    }
    for name in tree(workspace, &["-p", "tuffet-core"])? {
        if NOT_IN_CORE.contains(&name.as_str()) {
            findings.push(format!(
                "tuffet-core must not depend on {name}, not even through others"
            ));
        }
    }
    for (what, selection, budget) in BUDGETS {
        let count = tree(workspace, selection)?.len();
        notes.push(format!("{what} {count} of {budget}"));
        if count > budget {
            findings.push(format!("{what}: {count} crates, {budget} are allowed"));
        }
    }

    if !findings.is_empty() {
        return Err(Failure::list("forbidden dependencies", &findings));
    }
    Ok(Outcome::Passed(format!(
        "core {direct} direct; crates: {}",
        notes.join(", ")
    )))
}

/// The forbidden edges between our own crates.
fn forbidden(packages: &[Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages.iter().filter(|package| is_ours(&package.name)) {
        let Some(layer) = layer(&package.name) else {
            findings.push(format!(
                "{} has no layer in xtask/src/edges.rs",
                package.name
            ));
            continue;
        };
        for dependency in normal(package) {
            let below = self::layer(dependency).is_some_and(|other| other < layer);
            if is_ours(dependency) && !below {
                findings.push(format!("{} must not depend on {dependency}", package.name));
            }
        }
    }
    findings
}

fn is_ours(name: &str) -> bool {
    name == "tuffet" || name.starts_with("tuffet-")
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

fn normal(package: &Package) -> impl Iterator<Item = &str> {
    let dependencies = package.dependencies.iter();
    dependencies
        .filter(|dependency| !dependency.development)
        .map(|found| found.name.as_str())
}

fn direct_dependencies(package: &Package) -> usize {
    normal(package).collect::<BTreeSet<_>>().len()
}

/// The crates of a build, as `name version`, without what only builds or tests them; names twice
/// when there are two versions.
fn tree(workspace: &Workspace, selection: &[&str]) -> Result<Vec<String>, Failure> {
    let mut command = workspace.cargo(&["tree", "--edges=normal", "--prefix=none"]);
    command
        .args(["--format={p}", "--no-dedupe"])
        .args(selection);
    let output = command::output(&mut command)?;
    // A line is `name vVERSION (proc-macro)` or `name vVERSION (path)`.
    let crates: BTreeSet<(&str, &str)> = output
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        })
        .collect();
    Ok(crates
        .into_iter()
        .map(|(name, _)| name.to_owned())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(name: &str, dependencies: &[(&str, bool)]) -> Package {
        Package {
            name: name.to_owned(),
            published: true,
            manifest: serde_json::Value::Null,
            dependencies: dependencies
                .iter()
                .map(|&(name, development)| Dependency {
                    name: name.to_owned(),
                    development,
                })
                .collect(),
        }
    }

    #[test]
    fn edges_upwards_and_sideways_are_found() {
        let found = forbidden(&[
            package("tuffet-core", &[("der", false), ("tuffet-crypto", false)]),
            package(
                "tuffet-client",
                &[("tuffet-core", false), ("tuffet-sign", false)],
            ),
        ]);
        assert_eq!(
            found,
            [
                "tuffet-core must not depend on tuffet-crypto",
                "tuffet-client must not depend on tuffet-sign",
            ]
        );
    }

    #[test]
    fn every_layer_is_of_crates_that_exist() {
        let workspace = Workspace::load().unwrap();
        for name in LAYERS.concat() {
            let exists = workspace.packages.iter().any(|found| found.name == name);
            assert!(exists, "{name}");
        }
    }

    #[test]
    fn edges_downwards_and_those_of_tests_are_allowed() {
        let found = forbidden(&[
            package(
                "tuffet-core",
                &[("tuffet-crypto", true), ("proptest", true)],
            ),
            package(
                "tuffet",
                &[
                    ("tuffet-core", false),
                    ("tuffet-repo", false),
                    ("clap", false),
                ],
            ),
            package("xtask", &[("tuffet", false)]),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_crate_needs_a_layer_to_exist() {
        let found = forbidden(&[package("tuffet-new", &[])]);
        assert_eq!(found, ["tuffet-new has no layer in xtask/src/edges.rs"]);
    }
}
