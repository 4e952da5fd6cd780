//! The copy of the workspace whose checks can be taken out.
//!
//! Nothing in the workspace itself knows of this. In the copy every check gets a way around it by search and replace, and a variable
//! chooses which one is taken, so that one build is enough. A check whose text is not found exactly once is an error: the list
//! cannot fall behind.

use super::table::Switch;
use crate::report::Failure;
use crate::workspace::{self, Workspace};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable that says which check is taken out.
const VARIABLE: &str = "TUFFET_SWITCH";

/// What a crate of the copy has in its library beside what it has.
const SWITCHED_OFF: &str = r#"
pub(crate) fn switched_off(number: usize) -> bool {
    static OFF: std::sync::OnceLock<Option<usize>> = std::sync::OnceLock::new();
    let read = || std::env::var("TUFFET_SWITCH").ok()?.parse().ok();
    *OFF.get_or_init(read) == Some(number)
}
"#;

/// Where the copy is, and where it is built.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) place: PathBuf,
    pub(super) target: PathBuf,
}

impl Copy {
    /// Writes it, as far as something has changed.
    pub(super) fn write(workspace: &Workspace, switches: &[&Switch]) -> Result<Self, Failure> {
        let place = workspace.target.join("switches");
        let changed = switchable(&workspace.root, switches)?;
        for part in ["crates", "xtask", "Cargo.toml", "Cargo.lock"] {
            workspace::copy_changed(&workspace.root, &place, Path::new(part), &changed)?;
        }
        let target = place.join("target");
        Ok(Self { place, target })
    }
}

/// Has a program of the copy go without one check, or with all of them.
pub(super) fn without(command: &mut Command, number: Option<usize>) {
    command.env_remove(VARIABLE);
    if let Some(number) = number {
        command.env(VARIABLE, number.to_string());
    }
}

/// The files with a way around every check.
fn switchable(root: &Path, switches: &[&Switch]) -> Result<BTreeMap<PathBuf, String>, Failure> {
    let mut changed: BTreeMap<PathBuf, String> = BTreeMap::new();
    for (number, switch) in switches.iter().enumerate() {
        let file = Path::new(switch.file);
        let text = match changed.remove(file) {
            Some(text) => text,
            None => workspace::read(&root.join(file))?,
        };
        changed.insert(file.to_owned(), switch.apply(&text, number)?);
    }
    let packages: BTreeSet<&str> = switches.iter().map(|switch| switch.package()).collect();
    for package in packages {
        let library = Path::new("crates").join(package).join("src/lib.rs");
        let mut text = match changed.remove(&library) {
            Some(text) => text,
            None => workspace::read(&root.join(&library))?,
        };
        if text.contains("#![no_std]") {
            text = text.replace("#[cfg(test)]\nextern crate std;\n", "") + "\nextern crate std;\n";
        }
        changed.insert(library, text + SWITCHED_OFF);
    }
    Ok(changed)
}

impl Switch {
    fn apply(&self, text: &str, number: usize) -> Result<String, Failure> {
        let replace = self
            .replace
            .replace("OFF", &format!("crate::switched_off({number})"));
        match text.matches(self.search).count() {
            1 => Ok(text.replacen(self.search, &replace, 1)),
            count => Err(Failure::new(format!(
                "{}: the check of {} ({}) stands there {count} times",
                self.file, self.rule, self.what
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_fits_the_code_as_it_is() {
        let workspace = Workspace::load().unwrap();
        let all = super::super::all();
        let changed = switchable(&workspace.root, &all).unwrap();
        let text: String = changed.into_values().collect();
        for (number, switch) in all.iter().enumerate() {
            let call = format!("crate::switched_off({number})");
            assert!(text.contains(&call), "{}", switch.what);
        }
        assert!(SWITCHED_OFF.contains(VARIABLE));
    }

    #[test]
    fn a_switch_whose_text_is_not_there_exactly_once_is_an_error() {
        let switch = Switch {
            rule: "C-00",
            what: "",
            file: "",
            search: "check()?;",
            replace: "if !OFF { check()?; }",
        };
        assert_eq!(
            switch.apply("check()?;", 3).unwrap(),
            "if !crate::switched_off(3) { check()?; }"
        );
        assert!(switch.apply("", 3).is_err());
        assert!(switch.apply("check()?; check()?;", 3).is_err());
    }
}
