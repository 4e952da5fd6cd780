//! Runs the fuzz targets for a while; without cargo-fuzz, and with every change, replays the inputs that are known.
//!
//! Searching for new inputs needs cargo-fuzz and a nightly compiler. What the targets check are functions of `tuffet-fuzz`, which any
//! compiler builds: a test of it reads `fuzz/corpus/TARGET` and `fuzz/artifacts/TARGET`, and sees to it that `fuzz/` has a program
//! for each target.

use crate::arguments::Arguments;
use crate::command;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use std::fs;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How long a target runs unless said otherwise.
const MINUTES: u64 = 3;

/// Longer inputs are not searched for, so that those that are kept stay small.
const LONGEST: &str = "-max_len=16384";

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let minutes = match arguments.value("--minutes")? {
        // Zero would mean no end to the fuzzer.
        Some(text) => text
            .parse::<NonZeroU64>()
            .map_err(|_| Failure::new("--minutes needs a whole number above zero"))?
            .get(),
        None => MINUTES,
    };
    let wanted = arguments.value("--target")?;
    let install = arguments.flag("--install");
    let keep = arguments.flag("--keep");
    arguments.finish()?;

    let directory = workspace.root.join("fuzz");
    let mut targets = targets(&directory)?;
    if let Some(wanted) = wanted {
        if !targets.contains(&wanted) {
            return Err(Failure::new(format!(
                "no target {wanted}; there are {}",
                targets.join(", ")
            )));
        }
        targets = vec![wanted];
    }
    let fuzzer = workspace.tool("cargo-fuzz", install)?;
    match fuzzer.filter(|_| has_nightly()) {
        Some(fuzzer) => {
            let searched = search(workspace, &fuzzer, &targets, minutes)?;
            match keep {
                true => keep_found(workspace, &fuzzer, &targets),
                false => Ok(searched),
            }
        }
        None => {
            let known = replay(workspace, &targets)?;
            Ok(Outcome::Passed(format!(
                "{known}; a search needs cargo-fuzz (--install) and a nightly compiler"
            )))
        }
    }
}

/// What every change must pass: the lock file of the fuzzer is current, the targets compile, and nothing that is known breaks them.
pub(crate) fn known(workspace: &Workspace) -> Result<Outcome, Failure> {
    // The fuzzer is a workspace of its own, and nothing else here reads its lock file.
    let fuzzer = workspace.root.join("fuzz");
    command::output(&mut command::cargo(
        &fuzzer,
        &["metadata", "--format-version=1"],
    ))?;
    replay(workspace, &[]).map(Outcome::Passed)
}

/// The targets: the names of the files in `fuzz/fuzz_targets`.
fn targets(directory: &Path) -> Result<Vec<String>, Failure> {
    let directory = directory.join("fuzz_targets");
    let files = files(&directory)?.into_iter();
    let mut names: Vec<String> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort_unstable();
    if names.is_empty() {
        return Err(Failure::new(format!(
            "{}: no fuzz targets",
            directory.display()
        )));
    }
    Ok(names)
}

/// The files of a directory; none when it is not there.
fn files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let fail = |error| Failure::file(directory, error);
    let entries = fs::read_dir(directory).map_err(fail)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(fail));
    let mut files = paths.collect::<Result<Vec<_>, _>>()?;
    files.retain(|path| path.is_file());
    files.sort_unstable();
    Ok(files)
}

fn has_nightly() -> bool {
    command::output(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])).is_ok()
}

/// Searches for new inputs, the time given for each target.
fn search(
    workspace: &Workspace,
    fuzzer: &Path,
    targets: &[String],
    minutes: u64,
) -> Result<Outcome, Failure> {
    for target in targets {
        let mut fuzz = cargo_fuzz(workspace, fuzzer);
        fuzz.args(["run", target, "--", LONGEST]);
        fuzz.arg(format!("-max_total_time={}", minutes.saturating_mul(60)));
        command::run(fuzz.arg("-timeout=10"))?;
    }
    Ok(Outcome::Passed(format!(
        "{} targets, {minutes} min each, no finding",
        targets.len()
    )))
}

/// Of the inputs that a search has found, keeps as few as reach, beside those that are kept already, all that any of them does. They
/// get names that are not ignored.
fn keep_found(
    workspace: &Workspace,
    fuzzer: &Path,
    targets: &[String],
) -> Result<Outcome, Failure> {
    let (mut new, mut all) = (0, 0);
    for target in targets {
        let corpus = workspace.root.join("fuzz/corpus").join(target);
        let place = tempfile::tempdir().map_err(|error| Failure::new(error.to_string()))?;
        let (found, named): (Vec<PathBuf>, Vec<PathBuf>) = files(&corpus)?
            .into_iter()
            .partition(|path| name_by_search(path).is_some());
        for path in &named {
            copy(
                path,
                &place.path().join(path.file_name().unwrap_or_default()),
            )?;
        }
        let mut merge = cargo_fuzz(workspace, fuzzer);
        merge.args(["run", target]).args([place.path(), &corpus]);
        // How often something is reached does not count: one input that reaches it is enough to replay.
        command::run(merge.args(["--", "-set_cover_merge=1", "-use_counters=0", LONGEST]))?;
        for path in files(place.path())? {
            all += 1;
            if let Some(name) = name_by_search(&path) {
                let short = name.get(..8).unwrap_or(name);
                copy(&path, &corpus.join(format!("found-{short}")))?;
                new += 1;
            }
        }
        for path in &found {
            fs::remove_file(path).map_err(|error| Failure::file(path, error))?;
        }
    }
    Ok(Outcome::Passed(format!(
        "{all} inputs are kept, {new} of them new"
    )))
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let copied = fs::copy(from, to);
    copied.map(drop).map_err(|error| Failure::file(from, error))
}

/// The name of an input, if a search has given it: a SHA-1.
fn name_by_search(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    (name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(name)
}

/// cargo-fuzz with a nightly compiler.
fn cargo_fuzz(workspace: &Workspace, fuzzer: &Path) -> Command {
    let mut fuzz = Command::new("rustup");
    // The toolchain that runs this task would win over the one asked for.
    fuzz.current_dir(&workspace.root)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO");
    fuzz.args(["run", "nightly"]).arg(fuzzer);
    fuzz
}

/// Reads every known input once: of these targets, or of all.
fn replay(workspace: &Workspace, targets: &[String]) -> Result<String, Failure> {
    // Everything with all features, as in the other tests: nothing is built twice.
    let mut cargo = workspace.cargo(&["test", "--workspace", "--all-features", "--quiet"]);
    cargo.args(["--test", "replay", "--"]);
    cargo.arg(workspace.root.join("fuzz")).args(targets);
    // A target makes a repository and never knows which input is the last.
    let place = tempfile::tempdir().map_err(|error| Failure::new(error.to_string()))?;
    let said = command::output(cargo.env("TMPDIR", place.path()));
    said.map(|said| said.lines().last().unwrap_or_default().to_owned())
}
