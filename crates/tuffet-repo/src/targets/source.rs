//! Which files may become targets: none that is private, and none of the repository itself.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::layout::real;
use crate::publish::Destination;
use crate::repository::Repository;

/// How much of a file is looked at for a private key: parameters or certificates may come first.
const LOOKED_AT: usize = 1 << 16;

/// The places of which nothing may become a target, each with the reason.
pub(super) struct Public(Vec<(PathBuf, &'static str)>);

impl Public {
    pub(super) fn of(repository: &Repository) -> Self {
        let layout = repository.layout();
        let change = layout.change();
        let own = [layout.working(), layout.metadata(), layout.policy()];
        let own = own.iter().map(PathBuf::as_path).chain(change.parent());
        let own = own.map(|path| (real(path), "it belongs to the repository itself"));
        let published = match repository.publish_to() {
            Some(Destination::Directory(directory)) => Some(directory),
            _ => None,
        };
        let published =
            published.map(|path| (real(&path), "it lies where the repository is published"));
        let private = repository.private().iter();
        let private = private.map(|path| (real(path), "it lies where private keys are kept"));
        Self(own.chain(published).chain(private).collect())
    }

    /// Refuses a file that lies in one of them, or in a git directory, wherever links lead to it from.
    pub(super) fn require(&self, file: &Path) -> Result<(), Error> {
        let there = fs::canonicalize(file).unwrap_or_else(|_| real(file));
        let mut places = self.0.iter();
        let within = places.find(|(place, _)| there.starts_with(place));
        let git = || {
            let mut parts = there.components();
            let is_git = parts.any(|part| part.as_os_str().eq_ignore_ascii_case(".git"));
            is_git.then_some("it belongs to a git directory")
        };
        match within.map(|(_, why)| *why).or_else(git) {
            Some(why) => Err(Error::TargetPrivate {
                file: file.to_owned(),
                why,
            }),
            None => Ok(()),
        }
    }
}

/// Whether a file that begins so is a private key in PEM: PKCS#8, encrypted or not, SEC1, RSA, or OpenSSH.
pub(super) fn is_private_key(beginning: &[u8]) -> bool {
    let beginning = beginning.get(..LOOKED_AT).unwrap_or(beginning);
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    let text = text.trim_ascii_start();
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    text.starts_with(b"-----BEGIN ")
        && lines.any(|line| line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_keys_are_known_by_their_first_line_of_pem() {
        let begin = |what: &str| format!("-----BEGIN {what}-----\nMIIB\n-----END {what}-----\n");
        for kind in ["", "ENCRYPTED ", "EC ", "RSA ", "DSA ", "OPENSSH "] {
            let key = begin(&format!("{kind}PRIVATE KEY"));
            assert!(is_private_key(key.as_bytes()), "{kind}");
            let windows = format!("\u{feff}\r\n{}", key.replace('\n', "\r\n"));
            assert!(is_private_key(windows.as_bytes()), "{kind}");
            let after = format!("{}{key}", begin("CERTIFICATE"));
            assert!(is_private_key(after.as_bytes()), "{kind}");
        }
        for other in [
            String::new(),
            begin("PUBLIC KEY"),
            begin("CERTIFICATE"),
            format!("How to write a key:\n{}", begin("PRIVATE KEY")),
        ] {
            assert!(!is_private_key(other.as_bytes()), "{other}");
        }
    }
}
