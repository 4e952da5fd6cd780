//! Every crate can be packaged, and says what a registry wants to know.

use crate::arguments::Arguments;
use crate::command;
use crate::report::{Failure, Outcome};
use crate::workspace::{Package, Workspace};
use serde_json::Value;

/// What a registry shows of a crate; all but the last are texts, the last two are lists.
const TEXTS: [&str; 4] = ["description", "license", "rust_version", "edition"];
const LISTS: [&str; 3] = ["authors", "categories", "keywords"];

/// Registries refuse more keywords and categories than this.
const MOST: usize = 5;

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result<Outcome, Failure> {
    arguments.finish()?;
    let published = || {
        workspace
            .packages
            .iter()
            .filter(|package| package.published)
    };
    let findings: Vec<String> = published().flat_map(missing).collect();
    if !findings.is_empty() {
        return Err(Failure::list("incomplete manifests", &findings));
    }

    let mut unlicensed = Vec::new();
    for package in published() {
        let mut list = workspace.cargo(&["package", "--list", "--allow-dirty", "--quiet"]);
        let list = command::output(list.args(["--package", &package.name]))?;
        let lacking = unlicensed_files(&list, |file| is_ours(workspace, &package.name, file));
        unlicensed.extend(lacking.map(|file| format!("{}: no {file}", package.name)));
    }
    if !unlicensed.is_empty() {
        return Err(Failure::list("packages without licence texts", &unlicensed));
    }

    // All at once: cargo then finds our crates among the packages instead of in the registry,
    // where they are not yet. What was packaged is compiled by the other steps already.
    let mut package = workspace.cargo(&["package", "--allow-dirty", "--no-verify", "--quiet"]);
    for crate_ in published() {
        package.args(["--package", &crate_.name]);
    }
    command::run(&mut package)?;
    Ok(Outcome::Passed(format!("{} crates", published().count())))
}

/// The licence texts that a package with these files lacks: both licences ask for their text to come with every copy.
fn unlicensed_files(
    list: &str,
    is_ours: impl Fn(&str) -> bool,
) -> impl Iterator<Item = &'static str> {
    ["LICENSE-MIT", "LICENSE-APACHE"]
        .into_iter()
        .filter(move |file| !list.lines().any(|listed| listed == *file) || !is_ours(file))
}

/// Whether a file of a crate says what the one of the workspace says.
fn is_ours(workspace: &Workspace, name: &str, file: &str) -> bool {
    let text = |path| std::fs::read(path).ok();
    let own = text(workspace.root.join("crates").join(name).join(file));
    own.is_some() && own == text(workspace.root.join(file))
}

/// What the manifest of a published crate lacks.
fn missing(package: &Package) -> Vec<String> {
    let Package { name, manifest, .. } = package;
    let mut findings = Vec::new();
    for field in TEXTS {
        if manifest[field].as_str().is_none_or(str::is_empty) {
            findings.push(format!("{name}: no {field}"));
        }
    }
    for field in LISTS {
        let count = manifest[field].as_array().map_or(0, Vec::len);
        if count == 0 {
            findings.push(format!("{name}: no {field}"));
        }
        if count > MOST && field != "authors" {
            findings.push(format!("{name}: {count} {field}, {MOST} are allowed"));
        }
    }
    let dependencies = manifest["dependencies"].as_array().into_iter().flatten();
    for dependency in dependencies.filter(|dependency| dependency["kind"] != "dev") {
        if dependency["req"] == "*" {
            let on = dependency["name"].as_str().unwrap_or_default();
            findings.push(format!("{name}: the dependency on {on} names no version"));
        }
    }
    if manifest["publish"] != Value::Null {
        findings.push(format!("{name}: publishes to named registries only"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(manifest: Value) -> Package {
        Package {
            name: "tuffet-x".into(),
            published: true,
            manifest,
            dependencies: Vec::new(),
        }
    }

    fn complete() -> Value {
        json!({
            "description": "what it is", "license": "MIT OR Apache-2.0", "rust_version": "1.89",
            "edition": "2024", "authors": ["we"], "categories": ["c"], "keywords": ["k"],
            "dependencies": [
                { "name": "tuffet-core", "req": "^0.1.0", "kind": null },
                { "name": "tuffet-testkit", "req": "*", "kind": "dev" },
            ],
            "publish": null,
        })
    }

    #[test]
    fn a_complete_manifest_lacks_nothing() {
        assert!(missing(&package(complete())).is_empty());
    }

    #[test]
    fn a_package_has_both_licence_texts_and_they_are_ours() {
        let lacking = |list, ours| unlicensed_files(list, |_| ours).collect::<Vec<_>>();
        let list = "Cargo.toml\nLICENSE-APACHE\nLICENSE-MIT\n";
        assert!(lacking(list, true).is_empty());
        assert_eq!(lacking(list, false), ["LICENSE-MIT", "LICENSE-APACHE"]);
        assert_eq!(
            lacking("LICENSE-MIT\ndocs/LICENSE-APACHE", true),
            ["LICENSE-APACHE"]
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut manifest = complete();
        manifest["description"] = Value::Null;
        manifest["keywords"] = json!([]);
        manifest["dependencies"][0]["req"] = json!("*");
        assert_eq!(
            missing(&package(manifest)),
            [
                "tuffet-x: no description",
                "tuffet-x: no keywords",
                "tuffet-x: the dependency on tuffet-core names no version",
            ]
        );
    }
}
