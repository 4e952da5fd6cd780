//! Licences, bans, sources and advisories of everything that is depended on, by cargo-deny.

use crate::arguments::Arguments;
use crate::command;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use std::process::Command;

/// What cargo-deny says when it has no advisories to compare with.
const UNREACHABLE: &str = "failed to fetch advisory database";

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let install = arguments.flag("--install");
    arguments.finish()?;
    let Some(deny) = workspace.tool("cargo-deny", install)? else {
        let why = "no cargo-deny (`cargo xtask deny --install` builds it, which takes minutes)";
        return Ok(Outcome::Skipped(why.into()));
    };
    let check = |what: &[&str]| {
        let mut command = Command::new(&deny);
        command
            .current_dir(&workspace.root)
            .args(["--color=never", "--locked", "check"]);
        command.args(what);
        command
    };
    command::run(&mut check(&["bans", "licenses", "sources"]))?;
    match command::output(&mut check(&["advisories"])) {
        Ok(_) => Ok(Outcome::Passed(
            "bans, licences, sources, advisories".into(),
        )),
        Err(failure) if failure.to_string().contains(UNREACHABLE) => Ok(Outcome::Partly {
            note: "bans, licences, sources; advisories skipped: their database cannot be reached"
                .into(),
            skipped: 1,
        }),
        Err(failure) => Err(failure),
    }
}
