//! Runs the tests that fill docs/interop.md: other implementations read what we write, and the other way round.
//!
//! The runs themselves are in `crates/tuffet/tests/it/interop`; a handful of their rows is a part of all tests.

use crate::arguments::Arguments;
use crate::command;
use crate::peers;
use crate::report::{self, Failure, Outcome};
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let (write, short) = (arguments.flag("--write"), arguments.flag("--short"));
    let clients = programs(&mut arguments, "--client")?;
    let writers = programs(&mut arguments, "--writer")?;
    arguments.finish()?;
    if write && short {
        return Err(Failure::new("--write needs all rows: leave --short out"));
    }
    for (name, install) in [
        ("python-tuf", peers::python as peers::Install),
        ("tuf-js", peers::javascript),
        ("tough, sigstore-tuf, rust-tuf", peers::rust),
    ] {
        if let Outcome::Skipped(why) = install(workspace)? {
            println!("{}", report::line("skipped", name, &why));
        }
    }
    // The features of all tests, so that nothing is built twice.
    let mut tests = workspace.cargo(&["test", "--workspace", "--all-features", "--quiet"]);
    tests.args(["--test=it", "--", "interop::", "--nocapture"]);
    tests.env("TUFFET_PEERS", workspace.peers());
    tests.env("TUFFET_CLIENTS", clients.join("\n"));
    tests.env("TUFFET_WRITERS", writers.join("\n"));
    if !short {
        tests.env("TUFFET_INTEROP", if write { "write" } else { "all" });
    }
    command::run(&mut tests)?;
    Ok(if write {
        Outcome::Passed("docs/interop.md".into())
    } else {
        Outcome::passed()
    })
}

/// Every `NAME=COMMAND` that was given under a flag.
pub(crate) fn programs(arguments: &mut Arguments, flag: &str) -> Result<Vec<String>, Failure> {
    let mut programs = Vec::new();
    while let Some(program) = arguments.value(flag)? {
        match program.split_once('=') {
            Some((name, command)) if !name.is_empty() && !command.is_empty() => {}
            _ => return Err(Failure::new(format!("{flag} {program}: say NAME=COMMAND"))),
        }
        programs.push(program);
    }
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_collected_and_half_of_one_is_refused() {
        let given = [
            "--client",
            "go-tuf 2=/bin/go",
            "--client=other=x --y",
            "--write",
        ];
        let mut arguments = Arguments::new(given.into_iter().map(str::to_owned));
        let clients = programs(&mut arguments, "--client").unwrap();
        assert_eq!(clients, ["go-tuf 2=/bin/go", "other=x --y"]);
        assert!(arguments.flag("--write") && arguments.finish().is_ok());
        for half in ["go-tuf", "=x", "go-tuf="] {
            let mut arguments = Arguments::new(["--client", half].into_iter().map(str::to_owned));
            assert!(programs(&mut arguments, "--client").is_err(), "{half}");
        }
    }
}
