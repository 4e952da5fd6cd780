//! No file of code is longer than somebody reads in one go.

use crate::arguments::Arguments;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file, at most. There are no exceptions: a file that needs one is two files.
const MOST: usize = 600;

/// Where our code is.
const PLACES: [&str; 3] = ["crates", "fuzz", "xtask"];

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result<Outcome, Failure> {
    arguments.finish()?;
    let mut files = Vec::new();
    for place in PLACES {
        rust_files(&workspace.root.join(place), &mut files)?;
    }
    let mut lengths = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| Failure::file(&file, error))?;
        let name = file.strip_prefix(&workspace.root).unwrap_or(&file);
        lengths.push((text.lines().count(), name.display().to_string()));
    }
    let findings = too_long(&lengths);
    if !findings.is_empty() {
        return Err(Failure::list("files that are too long", &findings));
    }
    let longest = lengths.iter().map(|(lines, _)| lines).max();
    Ok(Outcome::Passed(format!(
        "{} files, the longest has {} lines",
        lengths.len(),
        longest.unwrap_or(&0)
    )))
}

fn too_long(lengths: &[(usize, String)]) -> Vec<String> {
    let long = lengths.iter().filter(|(lines, _)| *lines > MOST);
    long.map(|(lines, file)| format!("{file} has {lines} lines, {MOST} are allowed"))
        .collect()
}

/// Every Rust file below a directory, what was built left out.
pub(crate) fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let entries = fs::read_dir(directory).map_err(|error| Failure::file(directory, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Failure::file(directory, error))?;
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_too_many_is_found() {
        let lengths = [(MOST, "fits.rs".to_owned()), (MOST + 1, "long.rs".into())];
        assert_eq!(
            too_long(&lengths),
            ["long.rs has 601 lines, 600 are allowed"]
        );
    }
}
