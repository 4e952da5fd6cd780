//! Debian packages below `target`: unpacked, not installed, so that the system stays as it is and nobody has to be root.

use crate::command;
use crate::report::Failure;
use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;
use std::process::Command;

/// Where the libraries of unpacked packages are.
pub(crate) const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// Unpacks the packages, with those that they need and that the system lacks, unless they were unpacked there before; `finish` does the
/// rest.
pub(crate) fn unpack(
    packages: &[&str],
    root: &Path,
    finish: impl FnOnce(&Path) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let complete = root.join("complete");
    if complete.is_file() {
        return Ok(());
    }
    let mut simulate = Command::new("apt-get");
    simulate.args(["install", "--simulate", "--no-install-recommends"]);
    let planned = command::output(simulate.args(packages))?;
    let planned = planned
        .lines()
        .filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next());
    let fail = |error: Error| Failure::file(root, error);
    let downloads = root.join("packages");
    remove(root)
        .and_then(|()| fs::create_dir_all(&downloads))
        .map_err(fail)?;
    let mut download = Command::new("apt-get");
    download.current_dir(&downloads).arg("download");
    command::output(download.args(planned))?;
    for file in fs::read_dir(&downloads).map_err(fail)?.flatten() {
        command::output(Command::new("dpkg").arg("-x").arg(file.path()).arg(root))?;
    }
    fs::remove_dir_all(&downloads)
        .and_then(|()| finish(root))
        .and_then(|()| fs::write(complete, ""))
        .map_err(fail)
}

fn remove(directory: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
