//! Doing what the tour tells.

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use clap::ColorChoice;
use serde_json::{Value, json};
use tuffet_core::metadata::UnixTime;

use super::{Act, Expect};
use crate::console::Console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::run;
use crate::server::Server;

/// What is set for every command of the tour, so that it touches nothing else of the user's.
pub(super) const ENVIRONMENT: [(&str, &str); 3] = [
    ("TUFFET_CONFIG_DIR", "config"),
    ("TUFFET_DATA_DIR", "data"),
    ("TUFFET_REPO", "acme"),
];

/// Performs acts, and keeps the server.
pub(super) struct Actor {
    now: UnixTime,
    server: Option<Server>,
}

/// What was done, and what came of it.
pub(super) struct Done {
    /// The line that a user would type.
    pub(super) line: String,
    /// What a command of this program came to.
    pub(super) ran: Option<Ran>,
    /// Whether it holds, for what is no command of this program.
    holds: bool,
}

/// What a command of this program came to.
pub(super) struct Ran {
    pub(super) expect: Expect,
    pub(super) exit: Exit,
    pub(super) code: Option<&'static str>,
    pub(super) talk: String,
    pub(super) data: String,
}

impl Done {
    fn plain(line: String) -> Self {
        Self::checked(line, true)
    }

    fn checked(line: String, holds: bool) -> Self {
        Self {
            line,
            ran: None,
            holds,
        }
    }

    /// Whether it came out as it must.
    pub(super) fn is_as_expected(&self) -> bool {
        match &self.ran {
            None => self.holds,
            Some(ran) => match ran.expect {
                Expect::Well(_) | Expect::WellInTheEnd => ran.exit == Exit::Done,
                Expect::Refused(exit, codes) => {
                    ran.exit == exit && ran.code.is_some_and(|code| codes.contains(&code))
                }
            },
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let expected = self.ran.as_ref().map(|ran| match ran.expect {
            Expect::Well(_) | Expect::WellInTheEnd => (Exit::Done.number(), Vec::new()),
            Expect::Refused(exit, codes) => (exit.number(), codes.to_vec()),
        });
        json!({
            "command": self.line,
            "exit": self.ran.as_ref().map_or(0, |ran| ran.exit.number()),
            "expected_exit": expected.as_ref().map_or(0, |(exit, _)| *exit),
            "code": self.ran.as_ref().and_then(|ran| ran.code),
            "expected_codes": expected.map(|(_, codes)| codes),
            "passed": self.is_as_expected(),
        })
    }
}

impl Actor {
    pub(super) fn new(now: UnixTime) -> Self {
        Self { now, server: None }
    }

    /// Performs an act in the current directory.
    ///
    /// # Errors
    /// When a file cannot be written or the server cannot be started; a command that fails is an outcome, not an error.
    pub(super) fn perform(&mut self, act: &Act) -> Result<Done, Failure> {
        match act {
            Act::Tuffet { line, expect } => self.command(line, *expect),
            Act::Serve => self.serve(),
            Act::Write { file, text } => {
                write(Path::new(file), text)?;
                Ok(Done::plain(format!("echo '{text}' > {file}")))
            }
            Act::Tamper { target, text } => {
                let file = published(target)?;
                write(&file, text)?;
                Ok(Done::plain(format!("echo '{text}' > {}", file.display())))
            }
            Act::Copy { from, to } => {
                copy(Path::new(from), Path::new(to))?;
                let flag = if Path::new(from).is_dir() { "-r " } else { "" };
                Ok(Done::plain(format!("cp {flag}{from} {to}")))
            }
            Act::Fill { file, bytes } => {
                let zeros = vec![0; *bytes];
                fs::write(file, zeros)
                    .map_err(|error| Failure::writing(Path::new(file), &error))?;
                Ok(Done::plain(format!("head -c {bytes} /dev/zero > {file}")))
            }
            Act::Same { one, other } => {
                let read = |file: &str| {
                    fs::read(file).map_err(|error| Failure::reading(Path::new(file), &error))
                };
                let same = read(one)? == read(other)?;
                Ok(Done::checked(format!("cmp {one} {other}"), same))
            }
            Act::Absent { file } => {
                let absent = !Path::new(file).exists();
                Ok(Done::checked(format!("test ! -e {file}"), absent))
            }
            Act::Restore => {
                let web = Path::new("web");
                fs::remove_dir_all(web).map_err(|error| Failure::writing(web, &error))?;
                copy(Path::new("good"), web)?;
                Ok(Done::plain("rm -r web; cp -r good web".to_owned()))
            }
        }
    }

    fn serve(&mut self) -> Result<Done, Failure> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::start(Path::new("web"), any)?;
        let line = format!("tuffet serve web --listen {} &", server.address());
        self.server = Some(server);
        Ok(Done::plain(line))
    }

    fn command(&self, line: &str, expect: Expect) -> Result<Done, Failure> {
        let url = self.server.as_ref().map(Server::url).unwrap_or_default();
        let line = line.replace("{url}", &url);
        let arguments: Vec<OsString> = words(&line).into_iter().map(OsString::from).collect();
        let mut cli = run::parse(&arguments, ColorChoice::Never)
            .map_err(|error| Failure::new("tour.step", Exit::Failed, error.to_string()))?;
        let own = |flag: &str| line.contains(flag);
        let options = &mut cli.options;
        for (name, value) in ENVIRONMENT {
            // What the line itself says stands; what the user's environment says does not.
            let (flag, option) = match name {
                "TUFFET_CONFIG_DIR" => ("--config-dir", &mut options.places.config_dir),
                "TUFFET_DATA_DIR" => ("--data-dir", &mut options.places.data_dir),
                _ => ("--repo", &mut options.repo),
            };
            if !own(flag) {
                *option = Some(PathBuf::from(value));
            }
        }
        options.remembers = options.at.is_none();
        options.at = options.at.or(Some(self.now));
        let (console, kept) = Console::kept();
        let result = run::attempt(cli, &console);
        interrupt::give_way();
        let (exit, code) = match result {
            Ok(exit) => (exit, None),
            Err(failure) => {
                console.report("tour", &failure);
                (failure.exit(), Some(failure.code()))
            }
        };
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let ran = Ran {
            expect,
            exit,
            code,
            talk: kept.talk.clone(),
            data: kept.data.clone(),
        };
        Ok(Done {
            line,
            ran: Some(ran),
            holds: true,
        })
    }
}

/// The words of a line as a shell would split it; single quotes are the only ones used here.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    fs::write(file, format!("{text}\n")).map_err(|error| Failure::writing(file, &error))
}

/// The published file of a target: its hash and its name.
fn published(target: &str) -> Result<PathBuf, Failure> {
    let directory = Path::new("web/targets");
    let entries = fs::read_dir(directory).map_err(|error| Failure::reading(directory, &error))?;
    let suffix = format!(".{target}");
    entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().ends_with(&suffix))
        .ok_or_else(|| {
            Failure::new(
                "tour.step",
                Exit::Failed,
                format!("{target} is not published"),
            )
        })
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let failed = |error: &std::io::Error| Failure::writing(to, error);
    if !from.is_dir() {
        fs::copy(from, to).map_err(|error| failed(&error))?;
        return Ok(());
    }
    fs::create_dir_all(to).map_err(|error| failed(&error))?;
    for entry in fs::read_dir(from).map_err(|error| failed(&error))? {
        let entry = entry.map_err(|error| failed(&error))?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_a_shell_does() {
        assert_eq!(words("a --b 'c/* d' e"), ["a", "--b", "c/* d", "e"]);
    }
}
