//! Other implementations as writers: `WRITER FEATURE DIR` makes a repository; `tests/peers` says more.

use std::ffi::OsString;
use std::fs;
use std::process::Command;

use serde_json::Value;

use super::clients::{installed, named, script};
use super::features::Feature;
use super::limits;
use super::publications::{copy, forge};
use super::table::Cell;
use crate::home::{Home, finish};

/// A writer, or why there is none here.
pub(crate) struct Writer {
    /// Name and version: the head of a column.
    pub(crate) name: String,
    pub(crate) command: Result<Vec<OsString>, String>,
}

/// A writer ends with this when it cannot do what it is asked for.
const UNABLE: i32 = 3;

impl Writer {
    /// All that the table knows, and those of the variable `TUFFET_WRITERS`.
    pub(crate) fn all() -> Vec<Self> {
        let rust = |name: &str| installed(&format!("rust/debug/{name}")).map(|it| vec![it.into()]);
        let new = |name: &str, command| Self {
            name: name.to_owned(),
            command,
        };
        let mut writers = vec![
            Self::python(),
            new("tough 0.24.0", rust("tough_repository")),
            new("rust-tuf 0.3.0-beta14", rust("rust_tuf_repository")),
        ];
        let given = named("TUFFET_WRITERS");
        if !given.iter().any(|(name, _)| name.starts_with("go-tuf")) {
            writers.push(new("go-tuf", Err(limits::NO_WRITER.to_owned())));
        }
        writers.extend(
            given
                .iter()
                .map(|(name, command)| new(name, Ok(command.clone()))),
        );
        writers
    }

    pub(crate) fn python() -> Self {
        let python = installed("python/bin/python");
        Self {
            name: "python-tuf 7.0.1".to_owned(),
            command: python.map(|it| vec![it.into(), script("python_repository.py").into()]),
        }
    }

    /// Writes below `sites/good`, and says what a client must find: targets with their roles, and names that are refused.
    ///
    /// # Errors
    /// Why it cannot write that.
    pub(crate) fn write(&self, feature: Feature, home: &Home) -> Result<Value, Cell> {
        let Ok(command) = &self.command else {
            return Err(Cell::NotRun);
        };
        let place = home.path("sites/good");
        fs::create_dir_all(&place).unwrap();
        let (program, arguments) = command.split_first().expect("a command");
        let mut write = Command::new(program);
        let run = finish(write.args(arguments).arg(feature.name()).arg(&place));
        match run.exit {
            0 => Ok(serde_json::from_str(&run.out).unwrap()),
            UNABLE => Err(Cell::Unable(run.err.trim().to_owned())),
            _ => Err(Cell::Wrong(format!("{run:?}"))),
        }
    }

    /// What tuffet makes of a repository: it must get everything that it should, and nothing else.
    pub(crate) fn is_read(&self, feature: Feature) -> Cell {
        let home = Home::new();
        let described = match self.write(feature, &home) {
            Ok(described) => described,
            Err(cell) => return cell,
        };
        match reads(&home, &described) {
            Ok(()) => Cell::Works,
            Err(said) => {
                let project = self.name.split(' ').next().unwrap_or_default();
                match limits::reason(&format!("{project} writes"), feature, &said) {
                    Some(reason) => Cell::Unable(reason.to_owned()),
                    None => Cell::Wrong(said),
                }
            }
        }
    }
}

const ANCHOR: &str = "sites/good/metadata/1.root.json";

fn reads(home: &Home, described: &Value) -> Result<(), String> {
    let trust = |name: &str| {
        let site = format!("sites/{name}");
        let run = home.run(&["trust", "add", name, &site, "--root", ANCHOR]);
        if run.exit == 0 { Ok(()) } else { Err(run.err) }
    };
    let refuses = |site: &str, name: &str| {
        let run = home.run(&["get", &format!("{site}:{name}"), "-o", "refused"]);
        if run.exit == 0 || home.path("refused").exists() {
            return Err(format!("tuffet accepts {name} of {site}"));
        }
        Ok(())
    };
    trust("good")?;
    let targets = described["targets"].as_object().unwrap();
    assert!(!targets.is_empty(), "{described}");
    for (name, role) in targets {
        let (exit, objects) = home.json(&["get", &format!("good:{name}"), "-o", "got"]);
        if exit != 0 {
            return Err(format!("{name}: {objects:?}"));
        }
        let content = fs::read_to_string(home.path("got")).unwrap();
        if content != format!("content of {name}\n") || objects[0]["targets"][0]["role"] != *role {
            return Err(format!("{name}: {content:?}, {objects:?}"));
        }
        fs::remove_file(home.path("got")).unwrap();
    }
    let audit = home.run(&["verify", "sites/good", "--root", ANCHOR]);
    if audit.exit != 0 {
        return Err(audit.out + &audit.err);
    }
    for name in described["refused"].as_array().into_iter().flatten() {
        refuses("good", name.as_str().unwrap())?;
    }
    for site in ["target", "metadata"] {
        copy(&home.path("sites/good"), &home.path("sites").join(site));
        forge(&home.path("sites").join(site), site);
        trust(site)?;
        refuses(site, targets.keys().next().unwrap())?;
    }
    Ok(())
}
