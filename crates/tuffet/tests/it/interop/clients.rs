//! Other clients, each behind the command line of the TUF conformance suite:
//!
//! ```text
//! CLIENT --metadata-dir DIR init ROOT
//! CLIENT --metadata-dir DIR --metadata-url URL refresh
//! CLIENT --metadata-dir DIR --metadata-url URL --target-name NAME... --target-base-url URL --target-dir DIR download
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::features::Feature;
use super::limits;
use super::publications::{ANCHOR, Publication};
use super::table::Cell;
use crate::home::{Run, Server, finish};

/// Where `cargo xtask` has installed other implementations.
pub(crate) fn installed(program: &str) -> Result<PathBuf, String> {
    let directory = std::env::var_os("TUFFET_PEERS").map(PathBuf::from);
    let directory = directory.ok_or("TUFFET_PEERS does not say where other implementations are")?;
    let program = directory.join(program);
    if program.exists() {
        Ok(program)
    } else {
        Err(format!("there is no {}", program.display()))
    }
}

/// A script of ours that drives one of them.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peers")
        .join(name)
}

/// Programs that the caller has named: lines `NAME=COMMAND`; the words of a command are separated by blanks.
pub(crate) fn named(variable: &str) -> Vec<(String, Vec<OsString>)> {
    let given = std::env::var(variable).unwrap_or_default();
    let lines = given.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let (name, command) = line.split_once('=').expect("NAME=COMMAND");
            let words = command.split_whitespace().map(OsString::from);
            (name.to_owned(), words.collect())
        })
        .collect()
}

/// A client, or why there is none here.
pub(crate) struct Client {
    /// Name and version: the head of a column.
    pub(crate) name: String,
    pub(crate) command: Result<Vec<OsString>, String>,
    variables: Vec<(&'static str, OsString)>,
}

impl Client {
    /// All that the table knows, and those of the variable `TUFFET_CLIENTS`.
    pub(crate) fn all() -> Vec<Self> {
        let python = installed("python/bin/python")
            .map(|python| vec![python.into(), script("python_client.py").into()]);
        let modules = installed("js/node_modules");
        let node = modules
            .clone()
            .map(|_| vec!["node".into(), script("js_client.js").into()]);
        let rust = |name: &str| installed(&format!("rust/debug/{name}")).map(|it| vec![it.into()]);
        let mut clients = vec![
            Self::new("python-tuf 7.0.1", python),
            Self {
                variables: modules.map_or_else(|_| Vec::new(), |at| vec![("NODE_PATH", at.into())]),
                ..Self::new("tuf-js 6.0.2", node)
            },
            Self::new("sigstore-tuf 0.15.1", rust("sigstore_tuf_client")),
            Self::new("tough 0.24.0", rust("tough_client")),
            Self::new("rust-tuf 0.3.0-beta14", rust("rust_tuf_client")),
        ];
        let mut named = named("TUFFET_CLIENTS");
        for (project, why) in limits::ELSEWHERE {
            let given = named.iter().position(|(name, _)| name.starts_with(project));
            clients.push(match given {
                Some(at) => {
                    let (name, command) = named.remove(at);
                    Self::new(&name, Ok(command))
                }
                None => Self::new(project, Err((*why).to_owned())),
            });
        }
        let others = named.into_iter();
        clients.extend(others.map(|(name, command)| Self::new(&name, Ok(command))));
        clients
    }

    fn new(name: &str, command: Result<Vec<OsString>, String>) -> Self {
        Self {
            name: name.to_owned(),
            command,
            variables: Vec::new(),
        }
    }

    /// The implementation, whatever its version.
    pub(crate) fn project(&self) -> &str {
        self.name.split(' ').next().unwrap_or_default()
    }

    /// What this client makes of a repository: it must get everything that it should, and nothing else.
    pub(crate) fn read(
        &self,
        feature: Feature,
        publication: &Publication,
        servers: &BTreeMap<&str, Server>,
    ) -> Cell {
        let Ok(command) = &self.command else {
            return Cell::NotRun;
        };
        let mut user = User {
            client: self,
            command,
            publication,
            servers,
        };
        match user.reads() {
            Ok(()) => {}
            Err(said) => {
                return match limits::reason(self.project(), feature, &said) {
                    Some(reason) => Cell::Unable(reason.to_owned()),
                    None => Cell::Wrong(said),
                };
            }
        }
        if limits::is_unable(self.project(), feature) {
            return Cell::Wrong("it is able to do that now: take it from limits.rs".into());
        }
        for (number, refused) in publication.refused.iter().enumerate() {
            if user.accepts(&format!("refused-{number}"), refused.site, &refused.names) {
                return Cell::Wrong(format!("it accepts {}", refused.what));
            }
        }
        Cell::Works
    }
}

/// Somebody who uses a client for the first time.
struct User<'a> {
    client: &'a Client,
    command: &'a [OsString],
    publication: &'a Publication,
    servers: &'a BTreeMap<&'a str, Server>,
}

impl User<'_> {
    /// Gets all targets; what was got must be what was published.
    fn reads(&mut self) -> Result<(), String> {
        let names: Vec<String> = self.publication.targets.keys().cloned().collect();
        let place = self.place("reads");
        let run = self.download(&place, "good", &names);
        if run.exit != 0 {
            let said = if run.err.trim().is_empty() {
                run.out
            } else {
                run.err
            };
            return Err(said.trim().to_owned());
        }
        let got = contents(&place.join("targets"));
        let wanted: BTreeSet<Vec<u8>> = self.publication.targets.values().cloned().collect();
        if got == wanted {
            Ok(())
        } else {
            Err(format!(
                "got {} of {} targets, or other bytes",
                got.len(),
                wanted.len()
            ))
        }
    }

    /// Whether something was got that had to be refused.
    fn accepts(&mut self, place: &str, site: &str, names: &[String]) -> bool {
        let place = self.place(place);
        let run = self.download(&place, site, names);
        run.exit == 0 || !contents(&place.join("targets")).is_empty()
    }

    /// A directory of this client.
    fn place(&self, name: &str) -> PathBuf {
        let place = self
            .publication
            .home
            .path("clients")
            .join(self.client.project());
        place.join(name)
    }

    fn download(&self, place: &Path, site: &str, names: &[String]) -> Run {
        let home = &self.publication.home;
        for directory in ["metadata", "targets"] {
            fs::create_dir_all(place.join(directory)).unwrap();
        }
        let init = finish(self.program(place).arg("init").arg(home.path(ANCHOR)));
        if init.exit != 0 {
            return init;
        }
        let url = self.servers[site].url.trim_end_matches('/');
        let mut download = self.program(place);
        download.args(["--metadata-url", &format!("{url}/metadata/")]);
        for name in names {
            download.args(["--target-name", name]);
        }
        download
            .args(["--target-base-url", &format!("{url}/targets/")])
            .arg("--target-dir")
            .arg(place.join("targets"))
            .arg("download");
        finish(&mut download)
    }

    fn program(&self, place: &Path) -> Command {
        let (program, arguments) = self.command.split_first().expect("a command");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(self.client.variables.iter().cloned())
            .arg("--metadata-dir")
            .arg(place.join("metadata"))
            .current_dir(place);
        command
    }
}

/// What is below a directory, under whatever name.
fn contents(directory: &Path) -> BTreeSet<Vec<u8>> {
    let files = super::publications::files_below(directory).into_iter();
    files.map(|file| fs::read(file).unwrap()).collect()
}
