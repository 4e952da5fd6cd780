//! Other implementations of TUF, at fixed versions, for tests that need them.
//!
//! They are installed below `target/peers`, which the tests find through `TUFFET_PEERS`:
//! `python/bin/python` has python-tuf, `moto/bin/python` has a server that speaks the protocols of AWS, `azurite/node_modules` one that
//! speaks that of Azure Blob Storage, `js/node_modules` has tuf-js,
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
/// Later ones need twice the place, for measurements that they send.
const AZURITE: [&str; 1] = ["azurite@3.35.0"];
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
    node_packages(&workspace.peers().join("js"), &JAVASCRIPT)
}

/// The server for Azure Blob Storage.
pub(crate) fn azurite(workspace: &Workspace) -> Result<Outcome, Failure> {
    node_packages(&workspace.peers().join("azurite"), &AZURITE)
}

fn node_packages(directory: &Path, packages: &[&str]) -> Result<Outcome, Failure> {
    installed(directory, packages, || {
        let npm = command::find("npm").ok_or_else(|| Failure::new("no npm"))?;
        fs::create_dir_all(directory).map_err(|error| Failure::file(directory, error))?;
        let mut install = Command::new(npm);
        install.args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"]);
        command::output(install.arg(directory).args(packages))
    })
}

/// The Rust implementations; what cannot be fetched is skipped, what does not compile is a failure.
pub(crate) fn rust(workspace: &Workspace) -> Result<Outcome, Failure> {
    rust_for(workspace, Profile::Debug)
}

/// For whom Rust programs are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Tests.
    Debug,
    /// Measurements.
    Release,
}

/// The Rust implementations, built for this.
pub(crate) fn rust_for(workspace: &Workspace, profile: Profile) -> Result<Outcome, Failure> {
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
    let mut build = cargo("build");
    if profile == Profile::Release {
        build.arg("--release");
    }
    command::output(build.arg("--target-dir").arg(directory))?;
    Ok(Outcome::Passed("sigstore-tuf, tough, rust-tuf".into()))
}

/// A client behind the command line of the TUF conformance suite.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// Name and version.
    pub(crate) name: String,
    /// The program and its first arguments.
    pub(crate) command: Vec<PathBuf>,
    /// What it needs in its environment.
    pub(crate) variables: Vec<(&'static str, PathBuf)>,
}

/// The clients of other implementations, installed; what cannot be had is named with the reason.
pub(crate) fn clients(workspace: &Workspace, profile: Profile) -> Result<Vec<Client>, Failure> {
    let adapters = workspace.root.join("crates/tuffet/tests/peers");
    let peers = workspace.peers();
    let client = |name: &str, command| Client {
        name: name.to_owned(),
        command,
        variables: Vec::new(),
    };
    let mut clients = Vec::new();
    let mut had = |name: &str, outcome, found: &dyn Fn() -> Vec<Client>| match outcome {
        Outcome::Skipped(why) => println!("skipped: {name}: {why}"),
        Outcome::Passed(_) | Outcome::Partly { .. } => clients.extend(found()),
    };
    had("python-tuf", python(workspace)?, &|| {
        let program = peers.join("python/bin/python");
        vec![client(
            "python-tuf 7.0.1",
            vec![program, adapters.join("python_client.py")],
        )]
    });
    had("tuf-js", javascript(workspace)?, &|| {
        let modules = peers.join("js/node_modules");
        vec![Client {
            variables: vec![("NODE_PATH", modules)],
            ..client(
                "tuf-js 6.0.2",
                vec!["node".into(), adapters.join("js_client.js")],
            )
        }]
    });
    had("Rust", rust_for(workspace, profile)?, &|| {
        let directory = match profile {
            Profile::Debug => peers.join("rust/debug"),
            Profile::Release => peers.join("rust/release"),
        };
        [
            ("tough 0.24.0", "tough_client"),
            ("sigstore-tuf 0.15.1", "sigstore_tuf_client"),
            ("rust-tuf 0.3.0-beta14", "rust_tuf_client"),
        ]
        .map(|(name, program)| client(name, vec![directory.join(program)]))
        .into()
    });
    Ok(clients)
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
