//! Running other programs.

use crate::report::Failure;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Cargo in this workspace, never changing the lock file.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(arguments).arg("--locked");
    if !crate::report::coloured() {
        command.env("CARGO_TERM_COLOR", "never");
    }
    command
}

/// Runs a program, showing what it is and what it says.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    println!("    {}", shown(command));
    let status = command
        .status()
        .map_err(|error| not_started(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{}: {status}", shown(command))))
    }
}

/// Runs a program quietly and returns what it printed to standard output.
///
/// # Errors
/// When it cannot be started or does not succeed; the last lines of its standard error tell why.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = lines
        .get(lines.len().saturating_sub(6)..)
        .unwrap_or_default()
        .join("\n    ");
    Err(Failure::new(format!(
        "{}: {}\n    {last}",
        shown(command),
        output.status
    )))
}

/// Finds a program in `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find_map(|directory| find_in(&directory, program))
}

/// Finds a program in a directory.
pub(crate) fn find_in(directory: &Path, program: &str) -> Option<PathBuf> {
    let path = directory.join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
    path.is_file().then_some(path)
}

/// The command as one would type it, programs by their name alone.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_stem().unwrap_or(program.as_os_str());
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|argument| argument.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!(
        "{} cannot be started: {error}",
        command.get_program().to_string_lossy()
    ))
}
