//! What tests start beside our own programs: OpenSSH's agent, SoftHSM for a token, and a browser.

use crate::command;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use std::process::Command;

/// Programs that tests start, and the Debian package of each.
const PROGRAMS: [(&str, &str); 4] = [
    ("chromium", "chromium"),
    ("ssh-agent", "openssh-client"),
    ("softhsm2-util", "softhsm2"),
    ("pkcs11-tool", "opensc"),
];

/// Installs what is missing where nobody minds: as root in CI. Elsewhere it is skipped, and so are the tests.
pub(crate) fn ensure(_: &Workspace) -> Result<Outcome, Failure> {
    let missing = missing();
    if !missing.is_empty() && in_ci() && is_root() {
        let mut update = Command::new("apt-get");
        let mut install = Command::new("apt-get");
        install.args(["install", "-y", "--no-install-recommends"]);
        // Whether it helped is seen below.
        let _ = command::output(update.arg("update"))
            .and_then(|_| command::output(install.args(&missing)));
    }
    let missing = self::missing();
    if missing.is_empty() {
        let programs: Vec<&str> = PROGRAMS.iter().map(|(program, _)| *program).collect();
        return Ok(Outcome::Passed(programs.join(", ")));
    }
    let packages = missing.join(" ");
    Ok(Outcome::Skipped(format!(
        "tests with agents, tokens and browsers need `apt-get install {packages}`"
    )))
}

/// The packages of the programs that are not there.
fn missing() -> Vec<&'static str> {
    let absent = |(program, package): &(&str, &'static str)| {
        command::find(program).is_none().then_some(*package)
    };
    PROGRAMS.iter().filter_map(absent).collect()
}

fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

fn is_root() -> bool {
    command::output(Command::new("id").arg("-u")).is_ok_and(|user| user.trim() == "0")
}
