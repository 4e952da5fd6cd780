//! A whole repository that can be made to look like any that was met.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tuffet_client::TrustAnchor;
use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::json::Value;

use super::document::{Document, Form, array, at, digest, object, text};
use super::keys::Key;

/// A root and the keys of the root role in it.
#[derive(Clone)]
struct RootVersion {
    document: Document,
    keys: Vec<Key>,
}

/// A target that the repository has, and who answers for it.
#[derive(Clone)]
pub(crate) struct Expected {
    pub(crate) role: String,
    pub(crate) bytes: Vec<u8>,
}

/// The bytes that a role lists under a path.
#[derive(Clone)]
struct Content {
    algorithms: Vec<HashAlgorithm>,
    bytes: Vec<u8>,
}

/// A repository that is changed and published again and again. What was published stays, as on a server.
#[derive(Clone)]
pub(crate) struct Repository {
    roots: Vec<RootVersion>,
    pub(crate) timestamp: Document,
    pub(crate) snapshot: Document,
    pub(crate) targets: Document,
    pub(crate) delegated: BTreeMap<String, Document>,
    /// The hashes that are listed for whatever is added and published from now on.
    pub(crate) algorithms: Vec<HashAlgorithm>,
    /// Whether lengths and hashes of metadata files are left out.
    pub(crate) lists_only_versions: bool,
    /// What a search must end in.
    pub(crate) expected: BTreeMap<String, Expected>,
    /// What is listed, by path; of several roles in several versions.
    contents: BTreeMap<String, Vec<Content>>,
    /// The published files, under their plain names below `metadata/` and `targets/`.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Repository {
    /// With consistent snapshots, one ed25519 key for each role and no targets; nothing is published.
    pub(crate) fn new() -> Self {
        let root = Document::new("root", [("consistent_snapshot", true.into())]);
        let mut repository = Self {
            roots: vec![RootVersion {
                document: root,
                keys: Vec::new(),
            }],
            timestamp: Document::new("timestamp", []),
            snapshot: Document::new("snapshot", []),
            targets: Document::new("targets", [("targets", object([]))]),
            delegated: BTreeMap::new(),
            algorithms: vec![HashAlgorithm::Sha256],
            lists_only_versions: false,
            expected: BTreeMap::new(),
            contents: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        for role in ["root", "timestamp", "snapshot", "targets"] {
            repository.set_role(role, &[Key::ed25519()], 1);
        }
        repository
    }

    /// All roles share these keys.
    pub(crate) fn signed_by(keys: &[Key], threshold: u64) -> Self {
        let mut repository = Self::new();
        repository.set(&["keys"], object([]));
        for role in ["root", "timestamp", "snapshot", "targets"] {
            repository.set_role(role, keys, threshold);
        }
        repository
    }

    pub(crate) fn without_consistent_snapshots(mut self) -> Self {
        self.set(&["consistent_snapshot"], false);
        self
    }

    /// The newest root.
    pub(crate) fn root(&mut self) -> &mut Document {
        &mut self.roots.last_mut().unwrap().document
    }

    /// Changes the newest root.
    pub(crate) fn set(&mut self, path: &[&str], value: impl Into<Value>) {
        self.root().set(path, value);
    }

    /// Begins the next root.
    pub(crate) fn next_root(&mut self) {
        let mut next = self.roots.last().unwrap().clone();
        next.document.set_version(next.document.version() + 1);
        self.roots.push(next);
    }

    /// In the newest root, these keys speak for a role; those that can sign for it from now on.
    pub(crate) fn set_role(&mut self, role: &str, keys: &[Key], threshold: u64) {
        self.root()
            .set(&["roles", role], role_keys(keys, threshold));
        for key in keys {
            self.root().set(&["keys", &key.id], key.object.clone());
        }
        match role {
            "root" => self.roots.last_mut().unwrap().keys = keys.to_vec(),
            role => self.document(role).signers = keys.to_vec(),
        }
    }

    /// The file of a role other than root.
    pub(crate) fn document(&mut self, role: &str) -> &mut Document {
        match role {
            "timestamp" => &mut self.timestamp,
            "snapshot" => &mut self.snapshot,
            "targets" => &mut self.targets,
            role => self.delegated.get_mut(role).unwrap(),
        }
    }

    /// Every file that is signed from now on, the newest root among them.
    pub(crate) fn each(&mut self, mut change: impl FnMut(&mut Document)) {
        change(self.root());
        let top_level = [&mut self.timestamp, &mut self.snapshot, &mut self.targets];
        top_level
            .into_iter()
            .chain(self.delegated.values_mut())
            .for_each(change);
    }

    pub(crate) fn set_form(&mut self, form: Form) {
        self.each(|document| document.form = form);
    }

    /// Makes a role delegate to a new one.
    pub(crate) fn delegate(&mut self, by: &str, name: &str, keys: &[Key], covered: &[&str]) {
        let mut delegation = role_keys(keys, 1);
        let members = delegation.as_object_mut().unwrap();
        members.insert("name".into(), text(name));
        members.insert("terminating".into(), false.into());
        members.insert(
            "paths".into(),
            covered.iter().map(|path| text(path)).collect(),
        );

        let delegator = self.document(by);
        for key in keys {
            delegator.set(&["delegations", "keys", &key.id], key.object.clone());
        }
        match at(&mut delegator.signed, &["delegations", "roles"]) {
            Value::Array(roles) => roles.push(delegation),
            roles => *roles = array([delegation]),
        }
        let mut document = Document::new("targets", [("targets", object([]))]);
        document.signers = keys.to_vec();
        self.delegated.insert(name.to_owned(), document);
    }

    /// The last delegation of a role.
    pub(crate) fn delegation(&mut self, by: &str) -> &mut Value {
        let roles = at(&mut self.document(by).signed, &["delegations", "roles"]);
        roles.as_array_mut().unwrap().last_mut().unwrap()
    }

    /// Lists a target in a role. The first role to list a path is the one that a search must find.
    pub(crate) fn add_target(&mut self, role: &str, path: &str, bytes: &[u8]) {
        let entry = object([
            ("length", (bytes.len() as u64).into()),
            ("hashes", hashes(&self.algorithms, bytes)),
        ]);
        self.document(role).set(&["targets", path], entry);
        let expected = Expected {
            role: role.to_owned(),
            bytes: bytes.to_vec(),
        };
        self.expected.entry(path.to_owned()).or_insert(expected);
        let contents = self.contents.entry(path.to_owned()).or_default();
        contents.push(Content {
            algorithms: self.algorithms.clone(),
            bytes: bytes.to_vec(),
        });
    }

    /// Lists other bytes under a path than before.
    pub(crate) fn replace_target(&mut self, role: &str, path: &str, bytes: &[u8]) {
        self.expected.remove(path);
        self.contents.remove(path);
        self.add_target(role, path, bytes);
    }

    /// Raises the version of every file but the newest root.
    pub(crate) fn raise_versions(&mut self) {
        let top_level = [&mut self.timestamp, &mut self.snapshot, &mut self.targets];
        for document in top_level.into_iter().chain(self.delegated.values_mut()) {
            document.set_version(document.version() + 1);
        }
    }

    /// Signs and writes everything that is not written yet.
    pub(crate) fn publish(&mut self) {
        self.publish_roots();
        let delegated: Vec<(String, u64, Vec<u8>)> = self
            .delegated
            .iter()
            .map(|(name, document)| (name.clone(), document.version(), document.write()))
            .collect();
        for (name, version, bytes) in delegated {
            self.list(&name, version, &bytes);
            self.put(&name, version, bytes);
        }
        let (version, bytes) = (self.targets.version(), self.targets.write());
        self.list("targets", version, &bytes);
        self.put("targets", version, bytes);

        let (version, bytes) = (self.snapshot.version(), self.snapshot.write());
        let listed = self.metafile(version, &bytes);
        join(&mut self.timestamp, "snapshot.json", listed);
        self.put("snapshot", version, bytes);
        let bytes = self.timestamp.write();
        self.files.insert("metadata/timestamp.json".into(), bytes);
        self.put_targets();
    }

    /// The first root.
    pub(crate) fn anchor(&self) -> TrustAnchor {
        TrustAnchor::Root(self.files["metadata/1.root.json"].clone())
    }

    /// Writes every published file to a directory.
    pub(crate) fn write(&self, directory: &Path) {
        for (path, bytes) in &self.files {
            let file = directory.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
    }

    /// A root is signed by the keys of its predecessor too.
    fn publish_roots(&mut self) {
        let mut signers: Vec<Key> = Vec::new();
        for root in &mut self.roots {
            signers.retain(|old| root.keys.iter().all(|key| key.id != old.id));
            signers.extend(root.keys.iter().cloned());
            root.document.signers = std::mem::replace(&mut signers, root.keys.clone());
            let name = format!("metadata/{}.root.json", root.document.version());
            let document = &root.document;
            self.files.entry(name).or_insert_with(|| document.write());
        }
    }

    fn list(&mut self, role: &str, version: u64, bytes: &[u8]) {
        let listed = self.metafile(version, bytes);
        join(&mut self.snapshot, &format!("{role}.json"), listed);
    }

    fn metafile(&self, version: u64, bytes: &[u8]) -> Value {
        if self.lists_only_versions {
            return object([("version", version.into())]);
        }
        object([
            ("version", version.into()),
            ("length", (bytes.len() as u64).into()),
            ("hashes", hashes(&self.algorithms, bytes)),
        ])
    }

    fn is_consistent(&mut self) -> bool {
        let consistent = self.root().signed.get("consistent_snapshot");
        consistent.and_then(Value::as_bool).unwrap_or(false)
    }

    fn put(&mut self, role: &str, version: u64, bytes: Vec<u8>) {
        let name = if self.is_consistent() {
            format!("metadata/{version}.{role}.json")
        } else {
            format!("metadata/{role}.json")
        };
        self.files.insert(name, bytes);
    }

    fn put_targets(&mut self) {
        let consistent = self.is_consistent();
        for (path, contents) in &self.contents {
            let (directory, name) = path
                .rsplit_once('/')
                .map_or((String::new(), path.as_str()), |(directory, name)| {
                    (format!("{directory}/"), name)
                });
            if !consistent {
                // Where two roles list one path, the bytes are those of the role that is found.
                let bytes = self.expected[path].bytes.clone();
                self.files.insert(format!("targets/{path}"), bytes);
                continue;
            }
            for content in contents {
                for algorithm in &content.algorithms {
                    let hash = digest(*algorithm, &content.bytes);
                    let file = format!("targets/{directory}{hash}.{name}");
                    self.files.insert(file, content.bytes.clone());
                }
            }
        }
    }
}

/// Puts what is known about a file into `meta`, beside what a test has put there.
fn join(document: &mut Document, file: &str, listed: Value) {
    let place = at(&mut document.signed, &["meta", file]);
    let Value::Object(listed) = listed else {
        panic!("an object");
    };
    for (name, value) in listed {
        match (at(place, &[&name]), value) {
            (Value::Object(known), Value::Object(value)) => known.extend(value),
            (known, value) => *known = value,
        }
    }
}

pub(super) fn role_keys(keys: &[Key], threshold: u64) -> Value {
    object([
        ("keyids", keys.iter().map(|key| text(&key.id)).collect()),
        ("threshold", threshold.into()),
    ])
}

fn hashes(algorithms: &[HashAlgorithm], bytes: &[u8]) -> Value {
    algorithms
        .iter()
        .map(|algorithm| (algorithm.name(), digest(*algorithm, bytes).into()))
        .collect()
}
