//! How many lines of `tuffet-core` its own tests run.

use crate::arguments::Arguments;
use crate::command;
use crate::debian;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The least, in percent.
const LEAST: usize = 95;

/// The lines of a file that can be run, and whether they were.
type Lines = BTreeMap<usize, bool>;

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let list = arguments.flag("--lines");
    arguments.finish()?;
    let directory = workspace.target.join("coverage");
    let tools = match Tools::find(&directory) {
        Ok(tools) => tools,
        Err(why) => return Ok(Outcome::Skipped(why.to_string())),
    };
    let programs = build(workspace, &directory)?;
    let profile = run_tests(workspace, &directory, &programs, &tools)?;
    let source = workspace.root.join("crates/tuffet-core/src");
    let files = lines(&tools, &programs, &profile, &source)?;
    if list {
        print_unrun(&files, &source);
    }
    judge(&files)
}

/// `llvm-profdata` and `llvm-cov` of the compiler's generation.
struct Tools {
    profdata: PathBuf,
    cov: PathBuf,
    libraries: PathBuf,
}

impl Tools {
    /// Those of the toolchain, else those of a Debian package.
    fn find(directory: &Path) -> Result<Self, Failure> {
        let version = command::output(Command::new("rustc").args(["--version", "--verbose"]))?;
        let field = |name: &str| {
            let line = version.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        let sysroot = command::output(Command::new("rustc").arg("--print=sysroot"))?;
        let of_toolchain = Path::new(sysroot.trim()).join("lib/rustlib");
        let of_toolchain = of_toolchain.join(field("host:")).join("bin");
        let llvm = field("LLVM version:");
        let llvm = llvm.split('.').next().unwrap_or_default().to_owned();
        let root = directory.join("llvm");
        let of_package = root.join(format!("usr/lib/llvm-{llvm}/bin"));
        if command::find_in(&of_toolchain, "llvm-cov").is_none() {
            debian::unpack(&[&format!("llvm-{llvm}")], &root, |_| Ok(())).map_err(|failure| {
                Failure::new(format!(
                    "no llvm-cov (`rustup component add llvm-tools`): {failure}"
                ))
            })?;
        }
        let find = |name: &str| {
            command::find_in(&of_toolchain, name)
                .or_else(|| command::find_in(&of_package, name))
                .ok_or_else(|| Failure::new(format!("no {name}")))
        };
        Ok(Self {
            profdata: find("llvm-profdata")?,
            cov: find("llvm-cov")?,
            libraries: root.join(debian::LIBRARIES),
        })
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("LD_LIBRARY_PATH", &self.libraries);
        command
    }
}

/// Builds the tests of the core so that they count, and returns the programs.
fn build(workspace: &Workspace, directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut build = workspace.cargo(&["test", "-p", "tuffet-core", "--lib", "--test", "it"]);
    build.args(["--no-run", "--message-format=json", "--target-dir"]);
    build.arg(directory.join("build"));
    build.env("RUSTFLAGS", "-Cinstrument-coverage");
    // What runs while building counts, too, and nobody asks for that.
    build.env(
        "LLVM_PROFILE_FILE",
        directory.join("building/%p-%m.profraw"),
    );
    let messages = command::output(&mut build)?;
    let programs = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    Ok(programs.collect())
}

fn run_tests(
    workspace: &Workspace,
    directory: &Path,
    programs: &[PathBuf],
    tools: &Tools,
) -> Result<PathBuf, Failure> {
    let profiles = directory.join("profiles");
    if profiles.exists() {
        fs::remove_dir_all(&profiles).map_err(|error| Failure::file(&profiles, error))?;
    }
    for program in programs {
        let mut test = Command::new(program);
        test.current_dir(workspace.root.join("crates/tuffet-core"))
            .arg("--quiet")
            .env("LLVM_PROFILE_FILE", profiles.join("%p-%m.profraw"));
        command::output(&mut test)?;
    }
    let merged = directory.join("merged.profdata");
    let mut merge = tools.command(&tools.profdata);
    merge.args(["merge", "--sparse", "--output"]).arg(&merged);
    command::output(merge.arg(&profiles))?;
    Ok(merged)
}

/// The lines of the sources, without those of tests among them.
fn lines(
    tools: &Tools,
    programs: &[PathBuf],
    profile: &Path,
    source: &Path,
) -> Result<BTreeMap<PathBuf, Lines>, Failure> {
    let mut export = tools.command(&tools.cov);
    export.args(["export", "--format=lcov", "--instr-profile"]);
    export.arg(profile);
    for program in programs {
        export.arg("--object").arg(program);
    }
    let report = command::output(export.arg("--sources").arg(source))?;
    let mut files = BTreeMap::new();
    let mut current: Option<(PathBuf, usize)> = None;
    for line in report.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            let path = PathBuf::from(path);
            current = tests_begin(&path)?.map(|end| (path, end));
        } else if let (Some(found), Some((path, end))) = (line.strip_prefix("DA:"), &current) {
            let mut numbers = found.split(',').map(str::parse);
            if let (Some(Ok(number)), Some(Ok(count))) = (numbers.next(), numbers.next())
                && number < *end
            {
                let lines: &mut Lines = files.entry(path.clone()).or_default();
                *lines.entry(number).or_default() |= count > 0;
            }
        }
    }
    Ok(files)
}

/// The line at which the tests of a file begin; `None` for a file that is nothing else.
fn tests_begin(path: &Path) -> Result<Option<usize>, Failure> {
    let is_tests = |part: std::path::Component<'_>| {
        matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs"))
    };
    if path.components().any(is_tests) {
        return Ok(None);
    }
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    let begin = text.lines().position(|line| line == "#[cfg(test)]");
    Ok(Some(begin.map_or(usize::MAX, |place| place + 1)))
}

fn print_unrun(files: &BTreeMap<PathBuf, Lines>, source: &Path) {
    for (path, lines) in files {
        let unrun: Vec<String> = lines
            .iter()
            .filter(|(_, run)| !**run)
            .map(|(number, _)| number.to_string())
            .collect();
        if !unrun.is_empty() {
            let name = path.strip_prefix(source).unwrap_or(path).display();
            println!("{name}: {}", unrun.join(" "));
        }
    }
}

fn judge(files: &BTreeMap<PathBuf, Lines>) -> Result<Outcome, Failure> {
    let all: usize = files.values().map(BTreeMap::len).sum();
    let run = files.values().flat_map(Lines::values).filter(|run| **run);
    let run = run.count();
    let tenths = (run * 1000).checked_div(all).unwrap_or(0);
    let note = format!("{run} of {all} lines, {}.{} %", tenths / 10, tenths % 10);
    if tenths < LEAST * 10 {
        return Err(Failure::new(format!("{note}; {LEAST} % are wanted")));
    }
    Ok(Outcome::Passed(note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_lines_are_a_failure() {
        let files = |run: usize| {
            let lines: Lines = (0..100).map(|line| (line, line < run)).collect();
            BTreeMap::from([(PathBuf::from("a.rs"), lines)])
        };
        assert!(judge(&files(94)).is_err());
        assert!(judge(&files(95)).is_ok());
        assert!(judge(&BTreeMap::new()).is_err());
    }
}
