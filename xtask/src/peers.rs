//! Other implementations of TUF, at fixed versions, for tests that need them.
//!
//! They are installed below `target/peers`, which the tests find through `TUFFET_PEERS`:
//! `python/bin/python` has python-tuf, `moto/bin/python` has a server that speaks the protocols of AWS, `js/node_modules` has tuf-js,
//! and `rust/debug` has the programs of `crates/tuffet/tests/peers/rust_client`.

use crate::command;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PYTHON: [&str; 2] = ["tuf==7.0.1", "securesystemslib[crypto]==1.6.0"];
const MOTO: [&str; 1] = ["moto[s3,server]==5.2.5"];
const JAVASCRIPT: [&str; 1] = ["tuf-js@6.0.2"];
/// The manifest of the Rust implementations.
pub(crate) const RUST: &str = "crates/tuffet/tests/peers/rust_client/Cargo.toml";

/// What installs one.
pub(crate) type Install = fn(&Workspace) -> Result<Outcome, Failure>;

/// python-tuf, in a virtual environment.
pub(crate) fn python(workspace: &Workspace) -> Result<Outcome, Failure> {
    python_packages(&workspace.peers().join("python"), &PYTHON)
}

/// The server for S3, in an environment of its own.
pub(crate) fn moto(workspace: &Workspace) -> Result<Outcome, Failure> {
    python_packages(&workspace.peers().join("moto"), &MOTO)
}

fn python_packages(directory: &Path, packages: &[&str]) -> Result<Outcome, Failure> {
    installed(directory, packages, || {
        let pip = virtual_environment(directory)?;
        let mut install = Command::new(pip);
        command::output(install.args(["install", "--quiet"]).args(packages))
    })
}

/// tuf-js.
pub(crate) fn javascript(workspace: &Workspace) -> Result<Outcome, Failure> {
    let directory = workspace.peers().join("js");
    installed(&directory, &JAVASCRIPT, || {
        let npm = command::find("npm").ok_or_else(|| Failure::new("no npm"))?;
        fs::create_dir_all(&directory).map_err(|error| Failure::file(&directory, error))?;
        let mut install = Command::new(npm);
        install.args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"]);
        command::output(install.arg(&directory).args(JAVASCRIPT))
    })
}

/// The Rust implementations; what cannot be fetched is skipped, what does not compile is a failure.
pub(crate) fn rust(workspace: &Workspace) -> Result<Outcome, Failure> {
    let manifest = workspace.root.join(RUST);
    let cargo = |task: &str| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args([task, "--quiet", "--manifest-path"])
            .arg(&manifest);
        cargo
    };
    if let Err(failure) = command::output(&mut cargo("fetch")) {
        return Ok(Outcome::Skipped(failure.to_string()));
    }
    let directory = workspace.peers().join("rust");
    command::output(cargo("build").arg("--target-dir").arg(directory))?;
    Ok(Outcome::Passed("sigstore-tuf, tough, rust-tuf".into()))
}

/// Makes a Python environment and returns its pip.
pub(crate) fn virtual_environment(directory: &Path) -> Result<PathBuf, Failure> {
    let programs = directory.join(if cfg!(windows) { "Scripts" } else { "bin" });
    if command::find_in(&programs, "pip").is_none() {
        let python = command::find("python3").or_else(|| command::find("python"));
        let python = python.ok_or_else(|| Failure::new("no python3"))?;
        command::output(Command::new(python).args(["-m", "venv"]).arg(directory))?;
    }
    command::find_in(&programs, "pip")
        .ok_or_else(|| Failure::new("the Python environment lacks pip"))
}

/// Installs packages unless exactly these are there; what cannot be installed is skipped.
fn installed(
    directory: &Path,
    packages: &[&str],
    install: impl FnOnce() -> Result<String, Failure>,
) -> Result<Outcome, Failure> {
    let stamp = directory.join("installed");
    let wanted = packages.join(", ");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(Outcome::Passed(wanted));
    }
    if let Err(failure) = install() {
        return Ok(Outcome::Skipped(failure.to_string()));
    }
    fs::write(&stamp, &wanted).map_err(|error| Failure::file(&stamp, error))?;
    Ok(Outcome::Passed(wanted))
}
