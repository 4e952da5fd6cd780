//! The module for browsers and Node: `target/wasm/tuffet_wasm.wasm`.
//!
//! It needs the standard library for wasm32. Where the toolchain has that target, nothing else is needed. Where it cannot be
//! added, the compiler and the sources of the standard library that Debian packages do: they are unpacked below `target/wasm`, and the
//! system is left as it is.

use crate::command;
use crate::debian;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
/// The packages; what they need comes with them.
const PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];

/// Builds the module, and the core and the pure provider alone.
pub(crate) fn build(workspace: &Workspace) -> Result<Outcome, Failure> {
    let toolchain = match Toolchain::find(workspace) {
        Ok(toolchain) => toolchain,
        Err(why) => return Ok(Outcome::Skipped(why.to_string())),
    };
    let mut build = workspace.cargo(&["build", "--quiet", "--release", "--target", TARGET]);
    build.args(["-p", "tuffet-wasm", "--target-dir"]);
    build.arg(directory(workspace).join("build"));
    toolchain.apply(&mut build);
    command::run(&mut build)?;
    let built = directory(workspace)
        .join("build")
        .join(TARGET)
        .join("release");
    let module = module(workspace);
    fs::copy(built.join("tuffet_wasm.wasm"), &module)
        .map_err(|error| Failure::file(&module, error))?;
    let size = fs::metadata(&module).map_or(0, |found| found.len());
    Ok(Outcome::Passed(format!(
        "{} KiB, by {}",
        size.div_ceil(1024),
        toolchain.name()
    )))
}

/// Where the module is once it was built.
pub(crate) fn module(workspace: &Workspace) -> PathBuf {
    directory(workspace).join("tuffet_wasm.wasm")
}

fn directory(workspace: &Workspace) -> PathBuf {
    workspace.target.join("wasm")
}

/// A way to compile for wasm32.
enum Toolchain {
    /// The one in use has the target.
    Own,
    /// An unpacked compiler, and the linker of the toolchain in use.
    Unpacked { root: PathBuf, linker: PathBuf },
}

impl Toolchain {
    fn find(workspace: &Workspace) -> Result<Self, Failure> {
        let mut rustc = Command::new("rustc");
        let library = command::output(rustc.args(["--print=target-libdir", "--target", TARGET]))?;
        if Path::new(library.trim()).is_dir() {
            return Ok(Self::Own);
        }
        let root = directory(workspace).join("toolchain");
        debian::unpack(&PACKAGES, &root, link_sources).map_err(|failure| {
            Failure::new(format!(
                "target {TARGET} is not installed (`rustup target add {TARGET}`), and a compiler for it cannot be had: {failure}"
            ))
        })?;
        Ok(Self::Unpacked {
            root,
            linker: linker()?,
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Own => "the toolchain in use",
            Self::Unpacked { .. } => "an unpacked compiler",
        }
    }

    fn apply(&self, cargo: &mut Command) {
        // Every byte is fetched before it runs.
        cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s");
        if let Self::Unpacked { root, linker } = self {
            cargo
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC", root.join("usr/bin/rustc"))
                .env("LD_LIBRARY_PATH", root.join(debian::LIBRARIES))
                // What lets a released compiler build its own standard library.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
    }
}

/// The linker that comes with a toolchain.
fn linker() -> Result<PathBuf, Failure> {
    let sysroot = command::output(Command::new("rustc").arg("--print=sysroot"))?;
    let host = command::output(Command::new("rustc").arg("--print=host-tuple"))?;
    let programs = Path::new(sysroot.trim()).join("lib/rustlib");
    let programs = programs.join(host.trim()).join("bin");
    command::find_in(&programs, "rust-lld")
        .or_else(|| command::find("rust-lld"))
        .ok_or_else(|| Failure::new("no rust-lld"))
}

/// Puts the sources of the standard library where cargo looks for them.
fn link_sources(root: &Path) -> std::io::Result<()> {
    let place = root.join("usr/lib/rustlib/src/rust");
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent)?;
    }
    let sources = fs::read_dir(root.join("usr/src"))?;
    let sources = sources.flatten().find(|found| {
        let name = found.file_name();
        name.to_string_lossy().starts_with("rustc-")
    });
    let sources = sources.ok_or(std::io::ErrorKind::NotFound)?;
    // The package has a link there, which leads out of where it was unpacked.
    if place.is_symlink() {
        fs::remove_file(&place)?;
    }
    fs::rename(sources.path(), place)
}
