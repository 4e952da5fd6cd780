//! Writes the files of a repository one by one, with the builders of `tuffet-repo` and real keys.
//!
//! What authoring never makes (other hashes, plain file names, any role name) can be made here too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use tuffet_core::crypto::{Digest, HashAlgorithm, Scheme};
use tuffet_core::metadata::{DelegatedName, RoleName, TargetPath, UnixTime, Version};
use tuffet_repo::{Delegate, DelegatedPaths, Document, NamedKey, builder};
use tuffet_sign::{FileKey, Signer};

pub(super) const DAY: i64 = 86_400;
pub(super) const LATER: i64 = 3_650 * DAY;

/// This moment and some seconds.
pub(super) fn now(seconds: i64) -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    UnixTime(i64::try_from(since.unwrap().as_secs()).unwrap() + seconds)
}

pub(super) fn key(scheme: Scheme) -> Rc<FileKey> {
    Rc::new(FileKey::generate(scheme).unwrap())
}

/// Who signs for the four roles.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) root: Vec<Rc<FileKey>>,
    pub(super) threshold: u64,
    timestamp: Rc<FileKey>,
    snapshot: Rc<FileKey>,
    targets: Rc<FileKey>,
}

impl Keys {
    /// One key for each role; one for all where it takes long to make it.
    pub(super) fn new(scheme: Scheme) -> Self {
        let one = key(scheme);
        let next = || {
            if scheme.keytype() == "rsa" {
                one.clone()
            } else {
                key(scheme)
            }
        };
        Self {
            root: vec![one.clone()],
            threshold: 1,
            timestamp: next(),
            snapshot: next(),
            targets: next(),
        }
    }

    /// Others for timestamp, snapshot and targets.
    pub(super) fn with_new_online_keys(&self) -> Self {
        let other = Self::new(Scheme::Ed25519);
        Self {
            root: self.root.clone(),
            threshold: self.threshold,
            ..other
        }
    }
}

/// A repository in a directory.
#[derive(Clone)]
pub(super) struct Site {
    directory: PathBuf,
    pub(super) consistent: bool,
    pub(super) versions_only: bool,
    pub(super) old_roots_expired: bool,
    pub(super) spec_version: &'static str,
    pub(super) algorithms: Vec<HashAlgorithm>,
    pub(super) expires: UnixTime,
    /// What clients have to get.
    pub(super) targets: BTreeMap<String, Vec<u8>>,
    listed: Vec<(RoleName, Vec<u8>)>,
    snapshot: Vec<u8>,
}

/// Every file but a root is of this version: not the number that a client may take for granted.
fn version() -> Version {
    Version::new(3).unwrap()
}

fn path(text: &str) -> TargetPath {
    TargetPath::new(text).unwrap()
}

impl Site {
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            consistent: true,
            versions_only: false,
            old_roots_expired: false,
            spec_version: "1.0.34",
            algorithms: vec![HashAlgorithm::Sha256],
            expires: now(LATER),
            targets: BTreeMap::new(),
            listed: Vec::new(),
            snapshot: Vec::new(),
        }
    }

    /// A copy beside it, to be changed.
    pub(super) fn copied(&self, name: &str) -> Self {
        let directory = self.directory.with_file_name(name);
        super::publications::copy(&self.directory, &directory);
        Self {
            directory,
            ..self.clone()
        }
    }

    pub(super) fn digest(algorithm: HashAlgorithm, bytes: &[u8]) -> String {
        tuffet_crypto::aws_lc().digest(algorithm, bytes).to_hex()
    }

    /// A targets role that lists nothing yet.
    pub(super) fn role(&self) -> builder::Targets {
        builder::Targets::new(version(), self.expires)
    }

    /// Lists targets, and writes their files.
    pub(super) fn list(&mut self, role: builder::Targets, names: &[&str]) -> builder::Targets {
        names.iter().fold(role, |role, name| {
            let content = format!("content of {name}\n").into_bytes();
            let role = self.list_content(role, name, &content);
            self.targets.insert((*name).to_owned(), content);
            role
        })
    }

    /// Lists targets that no client may get.
    pub(super) fn list_unreachable(
        &mut self,
        role: builder::Targets,
        names: &[&str],
    ) -> builder::Targets {
        names.iter().fold(role, |role, name| {
            let content = format!("nobody gets this content of {name}\n");
            self.list_content(role, name, content.as_bytes())
        })
    }

    fn list_content(
        &mut self,
        role: builder::Targets,
        name: &str,
        content: &[u8],
    ) -> builder::Targets {
        let digest = |algorithm| tuffet_crypto::aws_lc().digest(algorithm, content);
        let digests: Vec<Digest> = self.algorithms.iter().copied().map(digest).collect();
        if self.consistent {
            let at = name.rfind('/').map_or(0, |slash| slash + 1);
            let (directory, file) = name.split_at(at);
            for digest in &digests {
                let stored = format!("targets/{directory}{}.{file}", digest.to_hex());
                self.write(&stored, content);
            }
        } else {
            self.write(&format!("targets/{name}"), content);
        }
        role.target(&path(name), content.len() as u64, &digests, None)
    }

    pub(super) fn delegate(
        &self,
        by: builder::Targets,
        name: &str,
        paths: DelegatedPaths,
        signer: &FileKey,
        terminating: bool,
    ) -> builder::Targets {
        let keys = vec![NamedKey::of("key", signer).unwrap()];
        let role = DelegatedName::new(name).unwrap();
        by.delegate(&Delegate::new(role, paths, keys).terminating(terminating))
    }

    /// Signs and writes a delegated role.
    pub(super) fn publish(&mut self, name: &str, role: builder::Targets, signers: &[&Rc<FileKey>]) {
        let name = RoleName::new(name).unwrap();
        self.publish_role(name, role.build(), signers);
    }

    fn publish_role(&mut self, name: RoleName, document: Document, signers: &[&Rc<FileKey>]) {
        let bytes = self.signed(document, signers);
        self.write_metadata(name.as_str(), &bytes);
        self.listed.push((name, bytes));
    }

    /// Writes a chain of roots, each signed as its predecessor and itself ask for.
    pub(super) fn roots(&mut self, chain: &[&Keys]) {
        let mut before: Option<&Keys> = None;
        for (number, keys) in (1..).zip(chain) {
            let last = number == chain.len() as u64;
            let expires = if self.old_roots_expired && !last {
                now(-DAY)
            } else {
                self.expires
            };
            let mut root = builder::Root::new(Version::new(number).unwrap(), expires);
            root = root.consistent_snapshot(self.consistent);
            let named = |keys: &[&Rc<FileKey>]| -> Vec<NamedKey> {
                let of = |key: &&Rc<FileKey>| NamedKey::of("key", key.as_ref()).unwrap();
                keys.iter().map(of).collect()
            };
            let all: Vec<&Rc<FileKey>> = keys.root.iter().collect();
            root = root.role(&RoleName::Root, &named(&all), keys.threshold);
            for (role, key) in [
                (RoleName::Timestamp, &keys.timestamp),
                (RoleName::Snapshot, &keys.snapshot),
                (RoleName::Targets, &keys.targets),
            ] {
                root = root.role(&role, &named(&[key]), 1);
            }
            // One signature less than there are keys, if that is enough.
            let enough = usize::try_from(keys.threshold).unwrap();
            let mut signers: Vec<&Rc<FileKey>> = keys.root.iter().take(enough).collect();
            let leaving = before.into_iter().flat_map(|keys| &keys.root);
            signers.extend(leaving.filter(|key| !keys.root.iter().any(|one| Rc::ptr_eq(one, key))));
            let bytes = self.signed(root.build(), &signers);
            self.write(&format!("metadata/{number}.root.json"), &bytes);
            if !self.consistent {
                self.write("metadata/root.json", &bytes);
            }
            before = Some(keys);
        }
    }

    /// Writes targets, snapshot and timestamp.
    pub(super) fn finish(&mut self, keys: &Keys, targets: builder::Targets) {
        self.publish_role(RoleName::Targets, targets.build(), &[&keys.targets]);
        let mut snapshot = builder::Snapshot::new(version(), self.expires);
        for (name, bytes) in &self.listed {
            snapshot = snapshot.list(name, version(), self.sized(bytes));
        }
        self.snapshot = self.signed(snapshot.build(), &[&keys.snapshot]);
        let snapshot = self.snapshot.clone();
        self.write_metadata("snapshot", &snapshot);
        self.timestamp(keys);
    }

    /// Writes the timestamp.
    pub(super) fn timestamp(&mut self, keys: &Keys) {
        let listed = self.sized(&self.snapshot);
        let timestamp = builder::Timestamp::new(version(), self.expires, version(), listed);
        let bytes = self.signed(timestamp.build(), &[&keys.timestamp]);
        self.write("metadata/timestamp.json", &bytes);
    }

    fn sized<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        (!self.versions_only).then_some(bytes)
    }

    fn write_metadata(&self, role: &str, bytes: &[u8]) {
        let prefix = if self.consistent { "3." } else { "" };
        self.write(&format!("metadata/{prefix}{role}.json"), bytes);
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let file = self.directory.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }

    fn signed(&self, mut document: Document, signers: &[&Rc<FileKey>]) -> Vec<u8> {
        document.set("spec_version", self.spec_version.into());
        let signers: Vec<&dyn Signer> = signers
            .iter()
            .map(|key| key.as_ref() as &dyn Signer)
            .collect();
        document.sign(&signers).unwrap().to_bytes()
    }
}
