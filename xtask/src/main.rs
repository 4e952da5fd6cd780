//! Development tasks of tuffet. `cargo xtask help` lists them.

mod arguments;
mod bench;
mod command;
mod conformance;
mod coverage;
mod debian;
mod deny;
mod devices;
mod edges;
mod fuzz;
mod interop;
mod lab;
mod lengths;
mod mutants;
mod package;
mod peers;
mod report;
mod rules;
mod simulate;
mod switches;
mod test;
mod wasm;
mod workspace;

use arguments::Arguments;
use report::{Failure, Outcome};
use std::process::ExitCode;
use workspace::Workspace;

const HELP: &str = "\
Development tasks of tuffet

usage: cargo xtask TASK [OPTION...]

  test [--only STEP,...]     everything that a change must pass; installs the other
                             implementations it tests against, says what it skips
  edges                      no crate depends on what it must not
  lengths                    no file of code is too long
  rules [--write]            every rule of docs/rules.md has its test and its switch;
                             --write fills the table in from the tests
  package                    every crate can be packaged
  deny [--install]           licences, bans, sources and advisories of dependencies
  conformance --suite DIR [--entrypoint COMMAND] [--filter EXPRESSION]
                             runs a checkout of the public TUF conformance suite
  interop [--write] [--short] [--client NAME=COMMAND]... [--writer NAME=COMMAND]...
                             other implementations read what we write, and we what they
                             write; writes docs/interop.md
  lab [--quick] [--client NAME=COMMAND]...
                             plays attacks on our client and on others; cards in target/lab
  bench [--rounds N] [--only SCENARIO]
                             measures us beside other clients; writes docs/benchmarks.md
  coverage [--lines]         how many lines of tuffet-core its own tests run;
                             --lines prints those that they do not
  mutants [--module NAME] [--shard K/N] [--jobs N] [--install]
                             changes tuffet-core in small ways: do its tests notice?
  simulate [--steps N] [--seed S] [--jobs N] [--resume]
                             attacks a client in memory and compares it with a model
  switches [--only RULE,...] takes checks out of a copy of the core, one at a time;
                             the simulation must find each within a minute
  switches --rules [--only RULE,...]
                             takes out the check of each rule of docs/rules.md; a test
                             that is named after the rule must fail; --list names them
  fuzz [--minutes N] [--target NAME] [--keep] [--install]
                             runs the fuzz targets, or replays what they found; --keep
                             keeps new inputs that reach more
";

fn main() -> ExitCode {
    let mut arguments = Arguments::new(std::env::args().skip(1));
    let Some(task) = arguments.positional() else {
        eprint!("{HELP}");
        return ExitCode::from(2);
    };
    let asked = arguments.flag("--help") || arguments.flag("-h");
    if asked || matches!(task.as_str(), "help" | "--help" | "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    run(&task, arguments).unwrap_or_else(|failure| {
        eprintln!("{}", report::line("failed", &task, &failure.to_string()));
        ExitCode::FAILURE
    })
}

fn run(task: &str, arguments: Arguments) -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    let outcome = match task {
        "test" => return test::run(&workspace, arguments),
        "bench" => bench::run(&workspace, arguments),
        "edges" => edges::run(&workspace, arguments),
        "lengths" => lengths::run(&workspace, arguments),
        "rules" => rules::run(&workspace, arguments),
        "package" => package::run(&workspace, arguments),
        "deny" => deny::run(&workspace, arguments),
        "conformance" => conformance::run(&workspace, arguments),
        "mutants" => mutants::run(&workspace, arguments),
        "coverage" => coverage::run(&workspace, arguments),
        "simulate" => simulate::run(&workspace, arguments),
        "switches" => switches::run(&workspace, arguments),
        "lab" => lab::run(&workspace, arguments),
        "interop" => interop::run(&workspace, arguments),
        "fuzz" => fuzz::run(&workspace, arguments),
        other => Err(Failure::new(format!(
            "no task {other}; `cargo xtask help` lists them"
        ))),
    }?;
    match outcome {
        Outcome::Passed(note) | Outcome::Partly { note, .. } => {
            println!("{}", report::line("passed", task, &note));
        }
        Outcome::Skipped(why) => println!("{}", report::line("skipped", task, &why)),
    }
    Ok(ExitCode::SUCCESS)
}
