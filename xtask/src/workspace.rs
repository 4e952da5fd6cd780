//! What cargo knows about this workspace.

use crate::command;
use crate::report::Failure;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace: its place and its own packages.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) published: bool,
    pub(crate) manifest: Value,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency as the manifest declares it.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Needed for tests only.
    pub(crate) development: bool,
}

impl Workspace {
    /// Asks cargo, which refuses when Cargo.lock is not current.
    pub(crate) fn load() -> Result<Self, Failure> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().unwrap_or(manifest);
        let mut metadata = command::cargo(root, &["metadata", "--format-version=1"]);
        let metadata = command::output(metadata.arg("--no-deps"))?;
        let metadata: Value = serde_json::from_str(&metadata)
            .map_err(|error| Failure::new(format!("cargo metadata is not JSON: {error}")))?;
        let packages = metadata["packages"].as_array().into_iter().flatten();
        Ok(Self {
            root: root.to_owned(),
            target: PathBuf::from(text(&metadata["target_directory"])),
            packages: packages.map(Package::read).collect(),
        })
    }

    /// Cargo in this workspace.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        command::cargo(&self.root, arguments)
    }

    /// Where the other implementations live that tests run against.
    pub(crate) fn peers(&self) -> PathBuf {
        self.target.join("peers")
    }

    /// Finds a development tool, and builds its newest release when that is wanted.
    pub(crate) fn tool(&self, name: &str, install: bool) -> Result<Option<PathBuf>, Failure> {
        let tools = self.target.join("tools");
        let find = || command::find_in(&tools.join("bin"), name).or_else(|| command::find(name));
        if install && find().is_none() {
            command::run(self.cargo(&["install", name]).arg("--root").arg(&tools))?;
        }
        Ok(find())
    }
}

impl Package {
    fn read(package: &Value) -> Self {
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        Self {
            name: text(&package["name"]).to_owned(),
            // `publish` is the list of permitted registries; null means any.
            published: package["publish"]
                .as_array()
                .is_none_or(|permitted| !permitted.is_empty()),
            dependencies: dependencies
                .map(|dependency| Dependency {
                    name: text(&dependency["name"]).to_owned(),
                    development: dependency["kind"] == "dev",
                })
                .collect(),
            manifest: package.clone(),
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Reads a text.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::file(path, error))
}

/// Copies what has changed, so that what was built stays built.
pub(crate) fn copy_changed(
    from: &Path,
    to: &Path,
    place: &Path,
    changed: &BTreeMap<PathBuf, String>,
) -> Result<(), Failure> {
    let (source, copy) = (from.join(place), to.join(place));
    let fail = |error| Failure::file(&copy, error);
    if source.is_dir() {
        fs::create_dir_all(&copy).map_err(fail)?;
        for entry in fs::read_dir(&source).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name();
            if name != "target" {
                copy_changed(from, to, &place.join(name), changed)?;
            }
        }
        return Ok(());
    }
    let bytes = match changed.get(place) {
        Some(text) => text.clone().into_bytes(),
        None => fs::read(&source).map_err(|error| Failure::file(&source, error))?,
    };
    if fs::read(&copy).is_ok_and(|known| known == bytes) {
        return Ok(());
    }
    fs::write(&copy, bytes).map_err(fail)
}
