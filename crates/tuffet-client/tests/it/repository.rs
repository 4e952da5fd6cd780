//! A small repository for tests: signed with ed25519, published to memory or to a directory.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use tuffet_client::{MemoryTransport, TrustAnchor, UnixTime};
use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::json::Value;
use tuffet_core::trust::percent_encode;

/// The time of all tests.
pub(crate) const NOW: UnixTime = UnixTime(1_764_000_000);
/// Well after it.
const EXPIRES: &str = "2026-12-31T00:00:00Z";

/// A key pair.
pub(crate) struct Key {
    pair: Ed25519KeyPair,
    public: Value,
    id: String,
}

impl Key {
    pub(crate) fn new(seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = hex(pair.public_key().as_ref());
        let public = object([
            ("keytype", Value::from("ed25519")),
            ("keyval", object([("public", Value::from(public))])),
            ("scheme", Value::from("ed25519")),
        ]);
        let id = digest(HashAlgorithm::Sha256, &public.canonical());
        Self { pair, public, id }
    }
}

pub(crate) fn digest(algorithm: HashAlgorithm, bytes: &[u8]) -> String {
    tuffet_crypto::default_provider()
        .digest(algorithm, bytes)
        .to_hex()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    members.into_iter().collect()
}

/// A delegated role.
struct Delegated {
    key: Key,
    paths: Vec<String>,
    terminating: bool,
    version: u64,
    targets: BTreeMap<String, Vec<u8>>,
}

/// A repository that is changed and published again and again. Every publication stays in it, as on a server.
pub(crate) struct Repository {
    pub(crate) consistent: bool,
    pub(crate) expires: String,
    /// Which hashes are listed for targets.
    pub(crate) algorithms: Vec<HashAlgorithm>,
    root: Key,
    timestamp: Key,
    snapshot: Key,
    targets: Key,
    root_version: u64,
    timestamp_version: u64,
    snapshot_version: u64,
    targets_version: u64,
    entries: BTreeMap<String, Vec<u8>>,
    delegated: Vec<(String, Delegated)>,
    /// Paths and bytes, below `metadata/` and `targets/`, percent-encoded.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Repository {
    /// A repository with one root and nothing else; [`Self::publish`] writes the rest.
    pub(crate) fn new() -> Self {
        let mut repository = Self {
            consistent: true,
            expires: EXPIRES.to_owned(),
            algorithms: vec![HashAlgorithm::Sha256],
            root: Key::new(1),
            timestamp: Key::new(2),
            snapshot: Key::new(3),
            targets: Key::new(4),
            root_version: 0,
            timestamp_version: 0,
            snapshot_version: 0,
            targets_version: 0,
            entries: BTreeMap::new(),
            delegated: Vec::new(),
            files: BTreeMap::new(),
        };
        repository.publish_root();
        repository
    }

    /// With one target in the top-level role, published.
    pub(crate) fn with_target(path: &str, bytes: &[u8]) -> Self {
        let mut repository = Self::new();
        repository.target(path, bytes);
        repository.publish();
        repository
    }

    /// The first root.
    pub(crate) fn anchor(&self) -> TrustAnchor {
        TrustAnchor::Root(self.files["metadata/1.root.json"].clone())
    }

    pub(crate) fn target(&mut self, path: &str, bytes: &[u8]) {
        self.entries.insert(path.to_owned(), bytes.to_vec());
        self.targets_version += 1;
    }

    pub(crate) fn delegate(&mut self, role: &str, seed: u8, paths: &[&str], terminating: bool) {
        let delegated = Delegated {
            key: Key::new(seed),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            terminating,
            version: 1,
            targets: BTreeMap::new(),
        };
        self.delegated.push((role.to_owned(), delegated));
        self.targets_version += 1;
    }

    pub(crate) fn delegated_target(&mut self, role: &str, path: &str, bytes: &[u8]) {
        let (_, delegated) = self
            .delegated
            .iter_mut()
            .find(|(name, _)| name == role)
            .unwrap();
        delegated.targets.insert(path.to_owned(), bytes.to_vec());
        delegated.version += 1;
    }

    /// A new root that changes nothing.
    pub(crate) fn new_root(&mut self) {
        self.publish_root();
    }

    /// A new root in which timestamp and snapshot have other keys; their versions begin anew, as after a fast-forward attack.
    pub(crate) fn rotate_online_keys(&mut self, seed: u8) {
        self.timestamp = Key::new(seed);
        self.snapshot = Key::new(seed + 1);
        (self.timestamp_version, self.snapshot_version) = (0, 0);
        self.publish_root();
    }

    /// New versions of everything that changed, and of snapshot and timestamp.
    pub(crate) fn publish(&mut self) {
        self.targets_version = self.targets_version.max(1);
        self.snapshot_version += 1;
        self.timestamp_version += 1;
        let delegated: Vec<(String, u64, Vec<u8>)> = self
            .delegated
            .iter()
            .map(|(name, role)| {
                let targets = self.listed(&role.targets);
                let bytes = self.sign("targets", role.version, [("targets", targets)], &role.key);
                (name.clone(), role.version, bytes)
            })
            .collect();
        let mut signed = vec![("targets", self.listed(&self.entries))];
        if !self.delegated.is_empty() {
            signed.push(("delegations", self.delegations()));
        }
        let targets = self.sign("targets", self.targets_version, signed, &self.targets);

        let mut meta = vec![(
            "targets.json".to_owned(),
            metafile(self.targets_version, &targets),
        )];
        for (name, version, bytes) in &delegated {
            meta.push((format!("{name}.json"), metafile(*version, bytes)));
        }
        let meta: Value = meta.into_iter().collect();
        let snapshot = self.sign(
            "snapshot",
            self.snapshot_version,
            [("meta", meta)],
            &self.snapshot,
        );
        let meta = object([("snapshot.json", metafile(self.snapshot_version, &snapshot))]);
        let timestamp = self.sign(
            "timestamp",
            self.timestamp_version,
            [("meta", meta)],
            &self.timestamp,
        );

        for (name, version, bytes) in delegated {
            self.put_metadata(&percent_encode(&name, false), version, bytes);
        }
        self.put_metadata("targets", self.targets_version, targets);
        self.put_metadata("snapshot", self.snapshot_version, snapshot);
        self.files
            .insert("metadata/timestamp.json".into(), timestamp);
        self.put_targets();
    }

    /// Serves everything from memory below a base.
    pub(crate) fn serve(&self, transport: &MemoryTransport, base: &str) {
        for (path, bytes) in &self.files {
            transport.put(format!("{base}/{path}"), bytes.clone());
        }
    }

    fn publish_root(&mut self) {
        self.root_version += 1;
        let keys = [&self.root, &self.timestamp, &self.snapshot, &self.targets];
        let table: Value = keys
            .iter()
            .map(|key| (key.id.clone(), key.public.clone()))
            .collect();
        let role = |key: &Key| {
            object([
                (
                    "keyids",
                    [Value::from(key.id.clone())].into_iter().collect(),
                ),
                ("threshold", Value::from(1)),
            ])
        };
        let roles = object([
            ("root", role(&self.root)),
            ("timestamp", role(&self.timestamp)),
            ("snapshot", role(&self.snapshot)),
            ("targets", role(&self.targets)),
        ]);
        let members = [
            ("keys", table),
            ("roles", roles),
            ("consistent_snapshot", Value::from(self.consistent)),
        ];
        let bytes = self.sign("root", self.root_version, members, &self.root);
        self.files
            .insert(format!("metadata/{}.root.json", self.root_version), bytes);
    }

    fn put_metadata(&mut self, name: &str, version: u64, bytes: Vec<u8>) {
        let file = if self.consistent {
            format!("metadata/{version}.{name}.json")
        } else {
            format!("metadata/{name}.json")
        };
        self.files.insert(file, bytes);
    }

    fn put_targets(&mut self) {
        let lists = self.delegated.iter().map(|(_, role)| &role.targets);
        let mut files = Vec::new();
        for (path, bytes) in lists.chain([&self.entries]).flatten() {
            let encoded = percent_encode(path, true);
            if !self.consistent {
                files.push((format!("targets/{encoded}"), bytes.clone()));
                continue;
            }
            let (directory, name) = encoded
                .rsplit_once('/')
                .map_or((String::new(), encoded.as_str()), |(directory, name)| {
                    (format!("{directory}/"), name)
                });
            for algorithm in &self.algorithms {
                let hash = digest(*algorithm, bytes);
                files.push((format!("targets/{directory}{hash}.{name}"), bytes.clone()));
            }
        }
        self.files.extend(files);
    }

    fn listed(&self, targets: &BTreeMap<String, Vec<u8>>) -> Value {
        targets
            .iter()
            .map(|(path, bytes)| {
                let hashes: Value = self
                    .algorithms
                    .iter()
                    .map(|algorithm| (algorithm.name(), Value::from(digest(*algorithm, bytes))))
                    .collect();
                let entry = object([
                    ("hashes", hashes),
                    ("length", Value::from(bytes.len() as u64)),
                ]);
                (path.clone(), entry)
            })
            .collect()
    }

    fn delegations(&self) -> Value {
        let keys: Value = self
            .delegated
            .iter()
            .map(|(_, role)| (role.key.id.clone(), role.key.public.clone()))
            .collect();
        let roles: Value = self
            .delegated
            .iter()
            .map(|(name, role)| {
                object([
                    ("name", Value::from(name.as_str())),
                    (
                        "keyids",
                        [Value::from(role.key.id.clone())].into_iter().collect(),
                    ),
                    ("threshold", Value::from(1)),
                    (
                        "paths",
                        role.paths
                            .iter()
                            .map(|path| Value::from(path.as_str()))
                            .collect(),
                    ),
                    ("terminating", Value::from(role.terminating)),
                ])
            })
            .collect();
        object([("keys", keys), ("roles", roles)])
    }

    fn sign<'a>(
        &self,
        role: &str,
        version: u64,
        members: impl IntoIterator<Item = (&'a str, Value)>,
        key: &Key,
    ) -> Vec<u8> {
        let common = [
            ("_type", Value::from(role)),
            ("spec_version", Value::from("1.0.34")),
            ("version", Value::from(version)),
            ("expires", Value::from(self.expires.as_str())),
        ];
        let signed = object(common.into_iter().chain(members));
        let signature = hex(key.pair.sign(&signed.canonical()).as_ref());
        let signature = object([
            ("keyid", Value::from(key.id.clone())),
            ("sig", Value::from(signature)),
        ]);
        let signatures: Value = [signature].into_iter().collect();
        object([("signatures", signatures), ("signed", signed)]).to_pretty_json()
    }
}

fn metafile(version: u64, bytes: &[u8]) -> Value {
    let hashes = object([("sha256", Value::from(digest(HashAlgorithm::Sha256, bytes)))]);
    object([
        ("version", Value::from(version)),
        ("length", Value::from(bytes.len() as u64)),
        ("hashes", hashes),
    ])
}
