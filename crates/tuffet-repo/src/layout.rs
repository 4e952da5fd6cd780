//! Where things are: the files of a repository and of what it publishes.

use std::borrow::Cow;
use std::fs;
use std::path::{Component, Path, PathBuf};

use tuffet_core::crypto::Digest;
use tuffet_core::metadata::{DelegatedName, RoleName, TargetPath, Version};
use tuffet_core::trust::{Item, Limits, RemoteFile, percent_decode};

use crate::private;

/// The file of the policy; a directory that holds it is a repository.
pub(crate) const POLICY: &str = "tuffet.toml";

/// The directory of metadata, in a repository and in a published tree.
pub(crate) const METADATA: &str = "metadata";

/// Nothing of `.tuffet` belongs under version control but this: keys and artifacts are of one machine, and the open change travels
/// by `tuffet change send`.
pub(crate) const IGNORED: &[u8] = b"*\n!.gitignore\n";

/// The places of one repository.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    directory: PathBuf,
}

impl Layout {
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn policy(&self) -> PathBuf {
        self.directory.join(POLICY)
    }

    pub(crate) fn metadata(&self) -> PathBuf {
        self.directory.join(METADATA)
    }

    /// What is on the way and what is private.
    pub(crate) fn working(&self) -> PathBuf {
        self.directory.join(".tuffet")
    }

    pub(crate) fn ignore_file(&self) -> PathBuf {
        self.working().join(".gitignore")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.working().join("lock")
    }

    pub(crate) fn online_key(&self) -> PathBuf {
        self.working().join("online.key")
    }

    /// The open change: one file, so that every edit of it is whole or not there. It lies where nobody can push to, because keys for
    /// automation sign what is in it without anybody looking.
    pub(crate) fn change(&self) -> PathBuf {
        private::file(self, "change.json")
    }

    /// Where the open change of a copy without git is.
    pub(crate) fn pushed_change(&self) -> PathBuf {
        self.working().join("change.json")
    }

    /// The open change as it was before an edit, counted from 1.
    pub(crate) fn before_edit(&self, number: u64) -> PathBuf {
        private::file(self, &format!("undo/{number}.json"))
    }

    /// The note of staged content that changes have left which were dropped.
    pub(crate) fn unlisted(&self) -> PathBuf {
        private::file(self, "unlisted.json")
    }

    /// Versions that a thief has made and that count no longer.
    pub(crate) fn given_up(&self) -> PathBuf {
        self.working().join("given-up")
    }

    /// Where the content of targets is staged.
    pub(crate) fn objects(&self) -> PathBuf {
        self.working().join("objects")
    }

    /// The content of a target, by its SHA-256.
    pub(crate) fn object(&self, sha256: &Digest) -> PathBuf {
        let digits = sha256.to_hex();
        let (first, rest) = digits.split_at(2);
        self.objects().join(first).join(rest)
    }
}

/// The name of a metadata file, the same in a repository, in a published tree and in a URL.
pub(crate) fn file_name(role: &RoleName, version: Option<Version>) -> String {
    RemoteFile {
        role: role.clone(),
        version,
    }
    .url_path()
}

/// The most bytes of a metadata file that a client reads. What is longer was not published by anybody whom clients believe.
pub(crate) fn ceiling(name: &str) -> u64 {
    let name = name.rsplit('/').next().unwrap_or(name);
    let role = match parse_file_name(name) {
        Some((role, _)) => role,
        None if name == file_name(&RoleName::Timestamp, None) => RoleName::Timestamp,
        None => RoleName::Targets,
    };
    Limits::default().of_stored(&Item::Role(role))
}

/// The path of a target in a published tree, with the hash before the last component.
pub(crate) fn target_name(path: &TargetPath, hash: &Digest) -> String {
    match path.as_str().rsplit_once('/') {
        Some((directory, name)) => format!("targets/{directory}/{hash}.{name}"),
        None => format!("targets/{hash}.{path}"),
    }
}

/// Reads the name of a versioned metadata file: `3.targets.json`.
pub(crate) fn parse_file_name(name: &str) -> Option<(RoleName, Version)> {
    let (role, version) = split_file_name(name)?;
    Some((RoleName::new(&role).ok()?, version))
}

/// The same with the role as text, borrowed unless the name spells it with escapes: there may be tens of thousands of names.
pub(crate) fn split_file_name(name: &str) -> Option<(Cow<'_, str>, Version)> {
    let (number, spelled) = name.strip_suffix(".json")?.split_once('.')?;
    if spelled.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let version = number.parse().ok().and_then(Version::new)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if spelled.bytes().all(plain) && !number.starts_with('0') {
        return Some((Cow::Borrowed(spelled), version));
    }
    let role = String::from_utf8(percent_decode(spelled)?).ok()?;
    // One file has one name: what was written another way is not ours.
    let same = file_name(&RoleName::new(&role).ok()?, Some(version)) == name;
    same.then_some((Cow::Owned(role), version))
}

/// Why no file may have the name of a delegated role without a version, if none may: the file of another role belongs there. Versioned
/// names of a role that differs from a top-level one in nothing but case are the same to some file systems, too.
pub(crate) fn clash(role: &DelegatedName) -> Option<&'static str> {
    let name = file_name(&RoleName::Delegated(role.clone()), None);
    if split_file_name(&name).is_some() {
        return Some("without a version its file would be called like a version of another role");
    }
    let top = ["root", "targets", "snapshot", "timestamp"];
    let same = top
        .iter()
        .any(|top| role.as_str().eq_ignore_ascii_case(top));
    same.then_some("it differs from that of a top-level role in nothing but case")
}

/// The hash in the name of a target in a published tree, as it stands there.
pub(crate) fn hash_of(name: &str) -> Option<&str> {
    let last = name.rsplit_once('/').map_or(name, |(_, last)| last);
    let (hash, _) = last.split_once('.')?;
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (matches!(hash.len(), 64 | 96 | 128) && hash.bytes().all(digit)).then_some(hash)
}

/// The path without links and detours; what is not there yet is taken by name.
pub(crate) fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut found = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                found.pop();
            }
            Component::CurDir => {}
            part => found.push(part),
        }
        if let Ok(there) = fs::canonicalize(&found) {
            found = there;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_can_be_read_again() {
        for name in ["root", "targets", "edge-team", "a.b", "1.x", "../x", "é%"] {
            let role = RoleName::new(name).unwrap();
            let version = Version::new(12);
            assert_eq!(
                parse_file_name(&file_name(&role, version)),
                version.map(|version| (role, version))
            );
        }
        for name in [
            "timestamp.json",
            "0.root.json",
            "01.root.json",
            "+1.root.json",
            "1.root.json.tmp",
            "1..json",
            "1.%2e.json",
            "1.é.json",
        ] {
            assert_eq!(parse_file_name(name), None, "{name}");
        }
    }

    #[test]
    fn r02_the_hash_stands_before_the_last_component() {
        let hash = Digest::sha256([0; 32]);
        let name = |path| target_name(&TargetPath::new(path).unwrap(), &hash);
        assert_eq!(name("a/b.c"), format!("targets/a/{hash}.b.c"));
        assert_eq!(name("b.c"), format!("targets/{hash}.b.c"));
    }
}
