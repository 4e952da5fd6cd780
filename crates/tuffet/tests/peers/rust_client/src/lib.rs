//! What the adapters share: the command line of the TUF conformance suite, files, and how failures are told.
//!
//! ```text
//! CLIENT --metadata-dir DIR init ROOT
//! CLIENT --metadata-dir DIR --metadata-url URL refresh
//! CLIENT --metadata-dir DIR --metadata-url URL --target-name NAME... --target-base-url URL --target-dir DIR download
//! ```

pub mod writing;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Any failure, to be printed.
pub type Failure = Box<dyn Error>;

/// A command and everything that was said with it.
#[derive(Debug, Default)]
pub struct Arguments {
    /// Where the client keeps what it trusts; `root.json` in it is the root that it begins with.
    pub metadata_dir: PathBuf,
    /// Base URL of the metadata, ending in a slash.
    pub metadata_url: String,
    /// The targets to download, in this order.
    pub names: Vec<String>,
    /// Base URL of the targets, ending in a slash.
    pub targets_url: String,
    target_dir: PathBuf,
    words: Vec<String>,
}

impl Arguments {
    fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut parsed = Self::default();
        while let Some(argument) = given.next() {
            if !argument.starts_with("--") {
                parsed.words.push(argument);
                continue;
            }
            let value = given
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))?;
            match argument.as_str() {
                "--metadata-dir" => parsed.metadata_dir = value.into(),
                "--metadata-url" => parsed.metadata_url = as_directory(value),
                "--target-name" => parsed.names.push(value),
                "--target-base-url" => parsed.targets_url = as_directory(value),
                "--target-dir" => parsed.target_dir = value.into(),
                _ => return Err(format!("{argument} is not known").into()),
            }
        }
        Ok(parsed)
    }

    /// The root that the client trusts.
    pub fn root(&self) -> Result<Vec<u8>, Failure> {
        Ok(fs::read(self.metadata_dir.join("root.json"))?)
    }

    /// Keeps a root that the client has verified, as the one to begin with the next time.
    pub fn keep_root(&self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(fs::write(self.metadata_dir.join("root.json"), bytes)?)
    }

    /// Writes a downloaded target under its name, percent-encoded.
    pub fn keep_target(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let mut download = self.download(name)?;
        download.write_all(bytes)?;
        download.keep()
    }

    /// Begins to write a target that comes in parts.
    pub fn download(&self, name: &str) -> Result<Download, Failure> {
        fs::create_dir_all(&self.target_dir)?;
        let place = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
        let place = self.target_dir.join(place);
        let part = place.with_extension("part");
        Ok(Download {
            file: File::create(&part)?,
            part,
            place,
        })
    }

    fn init(&self, root: &str) -> Result<(), Failure> {
        fs::create_dir_all(&self.metadata_dir)?;
        fs::copy(root, self.metadata_dir.join("root.json"))?;
        Ok(())
    }
}

/// A target that is being written: whether its digest is right shows at its end, and only then it gets its name.
#[derive(Debug)]
pub struct Download {
    file: File,
    part: PathBuf,
    place: PathBuf,
}

impl Download {
    /// The target is complete and verified.
    pub fn keep(self) -> Result<(), Failure> {
        Ok(fs::rename(&self.part, &self.place)?)
    }
}

impl Write for Download {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        // What was kept is not there under this name.
        let _ = fs::remove_file(&self.part);
    }
}

fn as_directory(url: String) -> String {
    if url.ends_with('/') { url } else { url + "/" }
}

/// Runs a command; `update` refreshes, and downloads what [`Arguments::names`] says.
pub fn run(update: impl AsyncFnOnce(Arguments) -> Result<(), Failure>) -> ExitCode {
    match dispatch(update) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", explain(&*failure));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(update: impl AsyncFnOnce(Arguments) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut arguments = Arguments::parse(std::env::args().skip(1))?;
    let words = std::mem::take(&mut arguments.words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["init", root] => return arguments.init(root),
        ["refresh"] => arguments.names.clear(),
        ["download"] => {}
        _ => return Err("say init ROOT, refresh or download".into()),
    }
    block_on(update(arguments))
}

fn block_on(task: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(task)
}

/// A failure with its causes.
fn explain(failure: &dyn Error) -> String {
    let mut message = failure.to_string();
    let mut cause = failure.source();
    while let Some(next) = cause {
        // Some errors print their cause themselves.
        let reason = next.to_string();
        if !message.contains(&reason) {
            message = format!("{message}: {reason}");
        }
        cause = next.source();
    }
    message
}
