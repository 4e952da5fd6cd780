//! Checks the inputs that are known; `cargo xtask fuzz` starts it with the directory of the fuzzer, and with the names of targets.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tuffet_fuzz::{TARGETS, Target};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().expect("the directory of the fuzzer"));
    let wanted: Vec<String> = arguments.collect();
    let mut broken = strays(&directory);
    for name in &wanted {
        if !TARGETS.iter().any(|target| target.name == name) {
            broken.push(format!("no target {name}"));
        }
    }
    let (mut read, mut replayed) = (0, 0);
    for target in TARGETS {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == target.name) {
            continue;
        }
        let inputs = ["corpus", "artifacts"]
            .map(|kind| inputs(&directory.join(kind).join(target.name)))
            .concat();
        if inputs.is_empty() {
            broken.push(format!("{} has no input", target.name));
        }
        for input in inputs {
            let bytes = fs::read(&input).expect("an input can be read");
            if catch_unwind(|| (target.check)(&bytes)).is_err() {
                broken.push(format!("{} breaks {}", input.display(), target.name));
            }
            read += 1;
        }
        replayed += 1;
    }
    if broken.is_empty() {
        println!("{read} inputs of {replayed} targets");
        return ExitCode::SUCCESS;
    }
    broken.iter().for_each(|line| eprintln!("{line}"));
    ExitCode::FAILURE
}

/// What is wrong with the programs of the fuzzer. They are not built here, so each has to be the one line that they all are.
fn strays(directory: &Path) -> Vec<String> {
    let text = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let manifest = text(&directory.join("Cargo.toml"));
    let mut wrong = Vec::new();
    for Target { name, .. } in TARGETS {
        let program = format!("fuzz_targets/{name}.rs");
        let line = format!("fuzz_target!(|input: &[u8]| tuffet_fuzz::{name}(input));\n");
        if text(&directory.join(&program)) != format!("#![no_main]\n\nlibfuzzer_sys::{line}") {
            wrong.push(format!("{program} does not do {line}"));
        }
        if !manifest.contains(&format!("name = \"{name}\"\npath = \"{program}\"\n")) {
            wrong.push(format!(
                "the manifest of the fuzzer does not name {program}"
            ));
        }
    }
    let programs = inputs(&directory.join("fuzz_targets")).len();
    if programs != TARGETS.len() {
        wrong.push(format!("{programs} programs for {} targets", TARGETS.len()));
    }
    wrong
}

/// The files of a directory; none when it is not there.
fn inputs(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a directory can be read").path())
        .collect();
    files.sort_unstable();
    files
}
