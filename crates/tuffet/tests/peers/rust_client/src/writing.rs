//! What the writers share: `WRITER FEATURE DIR` makes a repository in `DIR/metadata` and `DIR/targets` that shows the feature.
//!
//! The trust anchor is `DIR/metadata/1.root.json`; the content of a target `NAME` is `content of NAME` and a line end. Standard output
//! is one JSON object: `targets` has the role of each target by name, `refused` the names that a client must not find.
//! A writer that cannot do that ends with 3 and says why on one line of standard error.

use crate::Failure;
use serde_json::{Map, Value, json};
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why an implementation cannot write something.
#[derive(Debug)]
pub struct Unsupported(pub &'static str);

impl Display for Unsupported {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl std::error::Error for Unsupported {}

/// A repository on its way, and what a reader must find in it.
#[derive(Debug)]
pub struct Output {
    directory: PathBuf,
    targets: Map<String, Value>,
    refused: Vec<String>,
}

impl Output {
    /// Where something of the repository goes; the directory is made.
    pub fn place(&self, name: &str) -> Result<PathBuf, Failure> {
        let place = self.directory.join(name);
        std::fs::create_dir_all(&place)?;
        Ok(place)
    }

    /// Notes a target, and returns its content.
    pub fn target(&mut self, name: &str, role: &str) -> Vec<u8> {
        self.targets.insert(name.to_owned(), role.into());
        content(name)
    }

    /// Notes a name that must not be found.
    pub fn refuse(&mut self, name: &str) {
        self.refused.push(name.to_owned());
    }
}

/// The content of a target.
pub fn content(name: &str) -> Vec<u8> {
    format!("content of {name}\n").into_bytes()
}

/// Runs a writer.
pub fn write(writer: impl AsyncFnOnce(&str, &mut Output) -> Result<(), Failure>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [feature, directory] = arguments.as_slice() else {
        eprintln!("usage: WRITER FEATURE DIR");
        return ExitCode::from(2);
    };
    let mut output = Output {
        directory: Path::new(directory).to_owned(),
        targets: Map::new(),
        refused: Vec::new(),
    };
    match crate::block_on(writer(feature, &mut output)) {
        Ok(()) => {
            let Output {
                targets, refused, ..
            } = output;
            println!("{}", json!({ "targets": targets, "refused": refused }));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{}", crate::explain(&*failure));
            ExitCode::from(if failure.is::<Unsupported>() { 3 } else { 1 })
        }
    }
}
