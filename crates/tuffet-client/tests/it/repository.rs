//! The repository of the testkit as most tests of the client want it: real keys, one for each role, and whole steps.

use std::collections::BTreeMap;

use tuffet_client::{MemoryTransport, TrustAnchor, UnixTime};
use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::trust::percent_encode;
use tuffet_testkit::{Delegated, Document, TestKey, insert, remove};

/// The time of all tests.
pub(crate) const NOW: UnixTime = UnixTime(1_764_000_000);

pub(crate) fn digest(algorithm: HashAlgorithm, bytes: &[u8]) -> String {
    tuffet_crypto::default_provider()
        .digest(algorithm, bytes)
        .to_hex()
}

/// A repository that is changed and published again and again. Every publication stays in it, as on a server.
pub(crate) struct Repository {
    /// What is known and published of it, for changing anything.
    pub(crate) made: tuffet_testkit::Repository,
    published: bool,
}

impl Repository {
    /// A repository with one root and nothing else; [`Self::publish`] writes the rest.
    pub(crate) fn new() -> Self {
        let mut made = tuffet_testkit::Repository::real();
        remove(&mut made.targets.signed, &["targets", "app"]);
        made.targets.set_version(0);
        made.files.retain(|path, _| path == "1.root.json");
        made.blobs.clear();
        made.algorithms = vec![HashAlgorithm::Sha256];
        Self {
            made,
            published: false,
        }
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
        TrustAnchor::Root(self.made.files["1.root.json"].clone())
    }

    pub(crate) fn target(&mut self, path: &str, bytes: &[u8]) {
        self.made.add_target("targets", path, bytes);
        raise(&mut self.made.targets);
    }

    pub(crate) fn delegate(&mut self, role: &str, paths: &[&str], terminating: bool) {
        let delegated = Delegated::signed_by(role, TestKey::real(role), paths);
        let delegated = Delegated {
            terminating,
            ..delegated
        };
        self.made.delegate("targets", delegated);
        raise(&mut self.made.targets);
    }

    pub(crate) fn delegated_target(&mut self, role: &str, path: &str, bytes: &[u8]) {
        self.made.add_target(role, path, bytes);
        raise(self.made.document(role));
    }

    /// A new root that changes nothing.
    pub(crate) fn new_root(&mut self) {
        self.made.publish_root();
    }

    /// A new root that says whether snapshots are consistent.
    pub(crate) fn set_consistent(&mut self, yes: bool) {
        insert(&mut self.made.root.signed, &["consistent_snapshot"], yes);
        self.made.publish_root();
    }

    /// A new root in which timestamp and snapshot have other keys; their versions begin anew, as after a fast-forward attack.
    pub(crate) fn rotate_online_keys(&mut self) {
        for role in ["timestamp", "snapshot"] {
            let key = TestKey::real(&format!("{role} after {}", self.made.root.version()));
            self.made.set_role(role, std::slice::from_ref(&key), 1);
            let document = self.made.document(role);
            document.signers = vec![key];
            document.set_version(0);
        }
        self.made.publish_root();
    }

    /// New versions of snapshot and timestamp, and everything that changed.
    pub(crate) fn publish(&mut self) {
        let made = &mut self.made;
        made.targets.set_version(made.targets.version().max(1));
        if self.published {
            raise(&mut made.snapshot);
            raise(&mut made.timestamp);
        }
        self.published = true;
        made.write();
    }

    /// Paths and bytes, below `metadata/` and `targets/`, percent-encoded.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let metadata = self.made.files.iter();
        let metadata = metadata.map(|(path, bytes)| (format!("metadata/{path}"), bytes.clone()));
        let targets = self.made.blobs.iter().map(|(path, bytes)| {
            let path = percent_encode(path, true);
            (format!("targets/{path}"), bytes.clone())
        });
        metadata.chain(targets).collect()
    }

    /// Serves everything from memory below a base.
    pub(crate) fn serve(&self, transport: &MemoryTransport, base: &str) {
        for (path, bytes) in self.files() {
            transport.put(format!("{base}/{path}"), bytes);
        }
    }
}

fn raise(document: &mut Document) {
    document.set_version(document.version() + 1);
}
