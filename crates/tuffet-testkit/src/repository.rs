//! The repository's side: documents, and the files a server has of them.

use std::collections::{BTreeMap, BTreeSet};

use tuffet_core::crypto::{Crypto as _, HashAlgorithm};
use tuffet_core::json::Value;
use tuffet_core::metadata::Version;
use tuffet_core::trust::RemoteFile;

use crate::crypto::{Toy, sha256};
use crate::document::{Document, Layout, array, edit, insert, object, text};
use crate::keys::TestKey;
use crate::{EXPIRES, name};

/// Files by URL path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What kind of keys the roles of a new repository get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// [`TestKey::new`]: verified by [`Toy`](crate::Toy) alone.
    Toy,
    /// [`TestKey::real`]: ed25519, verified by any client.
    Ed25519,
}

impl Signing {
    /// The key that is made from a name.
    #[must_use]
    pub fn key(self, name: &str) -> TestKey {
        match self {
            Self::Toy => TestKey::new(name),
            Self::Ed25519 => TestKey::real(name),
        }
    }
}

/// What snapshot and timestamp say about the files they list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Version, length and hashes.
    Full,
    /// The version alone, so that a forged file gets as far as its signatures.
    VersionOnly,
}

/// A repository and what is published of it.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The newest root.
    pub root: Document,
    /// The timestamp.
    pub timestamp: Document,
    /// The snapshot.
    pub snapshot: Document,
    /// The top-level targets role.
    pub targets: Document,
    /// The delegated roles by name.
    pub delegated: BTreeMap<String, Document>,
    /// What is said about listed files.
    pub listing: Listing,
    /// The hashes that are listed for targets from now on.
    pub algorithms: Vec<HashAlgorithm>,
    /// Delegated roles that snapshot passes over.
    pub unlisted: BTreeSet<String>,
    /// Metadata by URL path.
    pub files: Files,
    /// Targets by URL path.
    pub blobs: Files,
}

/// A role to delegate to.
#[derive(Debug, Clone)]
pub struct Delegated {
    /// Its name.
    pub name: String,
    /// Who may sign.
    pub keys: Vec<TestKey>,
    /// How many have to.
    pub threshold: u64,
    /// The patterns of the paths it may speak for.
    pub paths: Vec<String>,
    /// Whether nothing after it is searched.
    pub terminating: bool,
}

impl Delegated {
    /// A role with a toy key of its own.
    pub fn new(name: &str, paths: &[&str]) -> Self {
        Self::signed_by(name, TestKey::new(name), paths)
    }

    /// A role with this key.
    pub fn signed_by(name: &str, key: TestKey, paths: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            keys: vec![key],
            threshold: 1,
            paths: paths.iter().map(|&path| path.to_owned()).collect(),
            terminating: false,
        }
    }

    /// The same, terminating.
    pub fn terminating(self) -> Self {
        Self {
            terminating: true,
            ..self
        }
    }

    fn entry(&self) -> Value {
        let mut entry = role(&self.keys, self.threshold);
        insert(&mut entry, &["name"], self.name.as_str());
        insert(
            &mut entry,
            &["paths"],
            array(self.paths.iter().map(|path| text(path))),
        );
        insert(&mut entry, &["terminating"], self.terminating);
        entry
    }
}

/// `{keyids, threshold}`.
pub fn role(keys: &[TestKey], threshold: u64) -> Value {
    object([
        ("keyids", array(keys.iter().map(|key| text(&key.keyid)))),
        ("threshold", Value::from(threshold)),
    ])
}

fn signed(kind: &str, members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let header = [
        ("_type", text(kind)),
        ("spec_version", text("1.0.34")),
        ("version", Value::from(1)),
        ("expires", text(EXPIRES)),
    ];
    header.into_iter().chain(members).collect()
}

/// Version 1 of a targets role that lists nothing.
pub(crate) fn empty_targets() -> Value {
    signed("targets", [("targets", object([]))])
}

/// Says about a file what it is now; whatever else its entry says stays.
fn list(signed: &mut Value, file: &str, version: u64, listing: Listing, bytes: &[u8]) {
    let meta = edit(signed, &["meta"]).as_object_mut().expect("an object");
    let entry = meta.entry(file.to_owned()).or_insert_with(|| object([]));
    insert(entry, &["version"], version);
    if listing == Listing::Full {
        insert(entry, &["length"], bytes.len() as u64);
        let hashes = object([("sha256", text(&sha256(bytes).to_hex()))]);
        insert(entry, &["hashes"], hashes);
    } else {
        let members = entry.as_object_mut().expect("an object");
        members.retain(|name, _| !matches!(name.as_str(), "length" | "hashes"));
    }
}

impl Default for Repository {
    fn default() -> Self {
        Self::new()
    }
}

impl Repository {
    /// Version 1 of everything: a 2-of-3 root, one key for each other role, one target `app`.
    pub fn new() -> Self {
        Self::with(Signing::Toy)
    }

    /// As [`Repository::new`], signed with real keys: `Signing::Ed25519.key("timestamp")` and so on.
    ///
    /// ```
    /// use tuffet_testkit::{Delegated, Repository, Signing};
    ///
    /// let mut repository = Repository::real();
    /// let team = Signing::Ed25519.key("team");
    /// repository.delegate("targets", Delegated::signed_by("team", team, &["team/*"]));
    /// repository.add_target("team", "team/app", b"content");
    /// repository.publish();
    /// // What a server has: metadata and targets by the path below its two bases.
    /// assert!(repository.files.contains_key("2.targets.json"));
    /// assert!(repository.blobs.keys().any(|path| path.starts_with("team/")));
    /// ```
    pub fn real() -> Self {
        Self::with(Signing::Ed25519)
    }

    fn with(signing: Signing) -> Self {
        let root = ["root-1", "root-2", "root-3"].map(|name| signing.key(name));
        let content = signed(
            "root",
            [
                ("consistent_snapshot", Value::from(true)),
                ("keys", object([])),
                ("roles", object([])),
            ],
        );
        let document =
            |content, key: &str, layout| Document::new(content, vec![signing.key(key)], layout);
        let mut repository = Self {
            root: Document::new(content, root[..2].to_vec(), Layout::Pretty),
            timestamp: document(
                signed("timestamp", [("meta", object([]))]),
                "timestamp",
                Layout::Canonical,
            ),
            snapshot: document(
                signed("snapshot", [("meta", object([]))]),
                "snapshot",
                Layout::Canonical,
            ),
            targets: document(empty_targets(), "targets", Layout::Pretty),
            delegated: BTreeMap::new(),
            listing: Listing::Full,
            algorithms: vec![HashAlgorithm::Sha256, HashAlgorithm::Sha512],
            unlisted: BTreeSet::new(),
            files: Files::new(),
            blobs: Files::new(),
        };
        repository.set_role("root", &root, 2);
        for role in ["timestamp", "snapshot", "targets"] {
            repository.set_role(role, &[signing.key(role)], 1);
        }
        repository.add_target("targets", "app", b"app 1");
        repository.write_root();
        repository.write();
        repository
    }

    /// The document of a role.
    pub fn document(&mut self, role: &str) -> &mut Document {
        match role {
            "root" => &mut self.root,
            "timestamp" => &mut self.timestamp,
            "snapshot" => &mut self.snapshot,
            "targets" => &mut self.targets,
            other => self.delegated.get_mut(other).expect("a delegated role"),
        }
    }

    /// Names the keys of a top-level role in root, without publishing that.
    pub fn set_role(&mut self, name: &str, keys: &[TestKey], threshold: u64) {
        for key in keys {
            insert(
                &mut self.root.signed,
                &["keys", &key.keyid],
                key.object.clone(),
            );
        }
        insert(
            &mut self.root.signed,
            &["roles", name],
            role(keys, threshold),
        );
    }

    /// Replaces the keys of a role and publishes a root that says so; the documents are signed by the new keys from now on.
    pub fn rotate(&mut self, name: &str, keys: &[TestKey], threshold: u64) {
        self.set_role(name, keys, threshold);
        if name == "root" {
            let old = std::mem::replace(&mut self.root.signers, keys.to_vec());
            for key in old {
                if !self.root.signers.contains(&key) {
                    self.root.signers.push(key);
                }
            }
            self.publish_root();
            self.root.signers = keys.to_vec();
        } else {
            self.document(name).signers = keys.to_vec();
            self.publish_root();
        }
    }

    /// Writes root under the next version.
    pub fn publish_root(&mut self) {
        self.root.set_version(self.root.version() + 1);
        self.write_root();
    }

    /// Writes root under its version, without raising that.
    pub fn write_root(&mut self) {
        let path = format!("{}.root.json", self.root.version());
        self.files.insert(path, self.root.bytes());
    }

    /// Whether root says that snapshots are consistent.
    pub fn consistent(&self) -> bool {
        self.root
            .signed
            .get("consistent_snapshot")
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// The next version of everything but root.
    pub fn publish(&mut self) {
        for document in [&mut self.timestamp, &mut self.snapshot, &mut self.targets]
            .into_iter()
            .chain(self.delegated.values_mut())
        {
            document.set_version(document.version() + 1);
        }
        self.write();
    }

    /// Raises versions to those of another repository, so that the next publication is above both.
    pub fn rise_above(&mut self, other: &Self) {
        let rise = |document: &mut Document, other: &Document| {
            document.set_version(document.version().max(other.version()));
        };
        rise(&mut self.timestamp, &other.timestamp);
        rise(&mut self.snapshot, &other.snapshot);
        rise(&mut self.targets, &other.targets);
        for (name, document) in &mut self.delegated {
            if let Some(other) = other.delegated.get(name) {
                rise(document, other);
            }
        }
    }

    /// Lists and writes everything but root as it stands, without raising a version.
    pub fn write(&mut self) {
        let mut listed = vec![(
            "targets".to_owned(),
            self.targets.version(),
            self.targets.bytes(),
        )];
        for (name, document) in &self.delegated {
            listed.push((name.clone(), document.version(), document.bytes()));
        }
        for (name, version, bytes) in listed {
            if !self.unlisted.contains(&name) {
                let file = format!("{name}.json");
                list(
                    &mut self.snapshot.signed,
                    &file,
                    version,
                    self.listing,
                    &bytes,
                );
            }
            self.put(&name, version, bytes);
        }
        self.write_snapshot();
    }

    /// Writes snapshot and the timestamp that lists it.
    pub fn write_snapshot(&mut self) {
        let (version, bytes) = (self.snapshot.version(), self.snapshot.bytes());
        let signed = &mut self.timestamp.signed;
        list(signed, "snapshot.json", version, self.listing, &bytes);
        self.put("snapshot", version, bytes);
        self.write_timestamp();
    }

    /// Writes timestamp as it stands.
    pub fn write_timestamp(&mut self) {
        let bytes = self.timestamp.bytes();
        self.files.insert("timestamp.json".to_owned(), bytes);
    }

    fn put(&mut self, role: &str, version: u64, bytes: Vec<u8>) {
        let path = self.path(role, version);
        self.files.insert(path, bytes);
    }

    /// Where a version of a role is published.
    pub fn path(&self, role: &str, version: u64) -> String {
        let version = Version::new(version).filter(|_| self.consistent());
        RemoteFile {
            role: name(role),
            version,
        }
        .url_path()
    }

    /// Where the present version of a role is published.
    pub fn current(&mut self, role: &str) -> String {
        match role {
            "timestamp" => "timestamp.json".to_owned(),
            "root" => format!("{}.root.json", self.root.version()),
            other => {
                let version = self.document(other).version();
                self.path(other, version)
            }
        }
    }

    /// The bytes of the present version of a role, for changing them.
    pub fn file(&mut self, role: &str) -> &mut Vec<u8> {
        let path = self.current(role);
        self.files.get_mut(&path).expect("a published file")
    }

    /// Delegates to a role, which is made if it is not there.
    pub fn delegate(&mut self, from: &str, delegated: Delegated) {
        let delegator = &mut self.document(from).signed;
        if delegator.get("delegations").is_none() {
            let none = object([("keys", object([])), ("roles", array([]))]);
            insert(delegator, &["delegations"], none);
        }
        for key in &delegated.keys {
            insert(
                delegator,
                &["delegations", "keys", &key.keyid],
                key.object.clone(),
            );
        }
        edit(delegator, &["delegations", "roles"])
            .as_array_mut()
            .expect("named roles")
            .push(delegated.entry());
        let (name, keys) = (delegated.name, delegated.keys);
        self.delegated
            .entry(name)
            .or_insert_with(|| Document::new(empty_targets(), keys, Layout::Canonical));
    }

    /// Delegates to hash bins (TAP 15); of the bins only those that are made afterwards exist.
    pub fn delegate_bins(&mut self, from: &str, key: &TestKey, bit_length: u64) {
        let mut bins = role(std::slice::from_ref(key), 1);
        insert(&mut bins, &["bit_length"], bit_length);
        insert(&mut bins, &["name_prefix"], "bin");
        let mut keys = object([]);
        insert(&mut keys, &[&key.keyid], key.object.clone());
        insert(
            &mut self.document(from).signed,
            &["delegations"],
            object([("keys", keys), ("succinct_roles", bins)]),
        );
    }

    /// Makes a bin.
    pub fn add_bin(&mut self, name: &str, key: &TestKey) {
        let document = Document::new(empty_targets(), vec![key.clone()], Layout::Canonical);
        self.delegated.insert(name.to_owned(), document);
    }

    /// Lists a target in a role, and puts its bytes where they belong.
    pub fn add_target(&mut self, role: &str, path: &str, bytes: &[u8]) {
        let digest = |algorithm: &HashAlgorithm| Toy::default().digest(*algorithm, bytes).to_hex();
        let digests = self.algorithms.iter().map(digest);
        let digests: Vec<String> = digests.collect();
        let names = self.algorithms.iter().map(|algorithm| algorithm.name());
        let hashes: Value = names
            .zip(digests.iter().map(|digest| text(digest)))
            .collect();
        let entry = object([
            ("length", Value::from(bytes.len() as u64)),
            ("hashes", hashes),
        ]);
        insert(&mut self.document(role).signed, &["targets", path], entry);
        if !self.consistent() {
            self.blobs.insert(path.to_owned(), bytes.to_vec());
            return;
        }
        let (directory, file) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
        for hash in digests {
            self.blobs
                .insert(format!("{directory}{hash}.{file}"), bytes.to_vec());
        }
    }
}
