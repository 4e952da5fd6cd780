//! The server that clients fetch from; it is not measured.

use crate::report::Failure;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `tuffet serve` as a child that ends with this value.
pub(super) struct Server {
    child: Child,
    /// Where it is, without a slash at the end.
    pub(super) url: String,
}

impl Server {
    pub(super) fn start(tuffet: &Path, repository: &Path) -> Result<Self, Failure> {
        let mut serve = Command::new(tuffet);
        serve
            .arg("serve")
            .arg(repository)
            .args(["--listen", "127.0.0.1:0"]);
        let mut child = serve
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Failure::file(tuffet, error))?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut url)
                .map_err(|error| Failure::file(tuffet, error))?;
        }
        let url = url.trim().trim_end_matches('/').to_owned();
        if url.is_empty() {
            return Err(Failure::new("tuffet serve said no URL"));
        }
        Ok(Self { child, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Best effort: the process ends with this one anyway.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
