//! Metadata in memory, without a directory: for tests, benchmarks, and for playing the attacker.
//!
//! Nothing is checked here beyond what is needed to write a file: these documents may be as wrong as a test wants them.
//!
//! ```
//! use tuffet_core::crypto::Scheme;
//! use tuffet_core::metadata::{RoleName, UnixTime, Version};
//! use tuffet_repo::{NamedKey, builder};
//! use tuffet_sign::FileKey;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let signer = FileKey::generate(Scheme::Ed25519)?;
//! let keys = [NamedKey::of("ana", &signer)?];
//! let mut root = builder::Root::new(Version::FIRST, UnixTime(2_000_000_000));
//! for role in [RoleName::Root, RoleName::Targets, RoleName::Snapshot, RoleName::Timestamp] {
//!     root = root.role(&role, &keys, 1);
//! }
//! let bytes = root.build().sign(&[&signer])?.to_bytes();
//! assert!(bytes.starts_with(br#"{"signatures":[{"keyid":""#));
//! # Ok(())
//! # }
//! ```

mod dsse;
mod stream;

use tuffet_core::crypto::{Digest, HashAlgorithm};
use tuffet_core::json::Value;
use tuffet_core::metadata::{RoleName, TargetPath, UnixTime, Version};

use crate::delegate::Delegate;
use crate::document::Document;
use crate::keys::NamedKey;
use crate::targets;

pub use dsse::to_dsse;
pub use stream::{Disorder, TargetsStream};

/// Builds a root.
#[derive(Debug, Clone)]
pub struct Root(Document);

impl Root {
    /// Begins a root with consistent snapshots (R-05).
    #[must_use]
    pub fn new(version: Version, expires: UnixTime) -> Self {
        let mut document = Document::new("root", version, expires);
        document.set("consistent_snapshot", true.into());
        document.object("keys");
        document.object("roles");
        Self(document)
    }

    /// Says who signs for a role, in place of what was said before.
    #[must_use]
    pub fn role(mut self, role: &RoleName, keys: &[NamedKey], threshold: u64) -> Self {
        let table = self.0.object("keys");
        for key in keys {
            table.insert(key.keyid().as_str().to_owned(), key.to_value());
        }
        let value = role_keys(keys, threshold);
        self.0
            .object("roles")
            .insert(role.as_str().to_owned(), value);
        self
    }

    /// Whether files are published under names with their version or hash in them.
    #[must_use]
    pub fn consistent_snapshot(mut self, consistent: bool) -> Self {
        self.0.set("consistent_snapshot", consistent.into());
        self
    }

    /// The document, unsigned.
    #[must_use]
    pub fn build(self) -> Document {
        self.0
    }
}

/// Builds a targets role, top-level or delegated.
#[derive(Debug, Clone)]
pub struct Targets(Document);

impl Targets {
    /// Begins a role without targets.
    #[must_use]
    pub fn new(version: Version, expires: UnixTime) -> Self {
        let mut document = Document::new("targets", version, expires);
        document.object("targets");
        Self(document)
    }

    /// Lists a target.
    #[must_use]
    pub fn target(
        mut self,
        path: &TargetPath,
        length: u64,
        hashes: &[Digest],
        custom: Option<Value>,
    ) -> Self {
        self.0.object("targets").insert(
            path.as_str().to_owned(),
            targets::entry(length, hashes, custom),
        );
        self
    }

    /// Lists a target with this content, by its SHA-256.
    #[must_use]
    pub fn content(self, path: &TargetPath, content: &[u8]) -> Self {
        let digest = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, content);
        self.target(path, content.len() as u64, &[digest], None)
    }

    /// Delegates. Whose role this is does not matter here, so [`Delegate::by`] is not looked at.
    #[must_use]
    pub fn delegate(mut self, delegate: &Delegate) -> Self {
        crate::delegate::insert(&mut self.0, delegate);
        self
    }

    /// The document, unsigned.
    #[must_use]
    pub fn build(self) -> Document {
        self.0
    }
}

/// Builds a snapshot.
#[derive(Debug, Clone)]
pub struct Snapshot(Document);

impl Snapshot {
    /// Begins a snapshot that lists nothing.
    #[must_use]
    pub fn new(version: Version, expires: UnixTime) -> Self {
        let mut document = Document::new("snapshot", version, expires);
        document.object("meta");
        Self(document)
    }

    /// Lists a role: with length and SHA-256 if the bytes of its file are given.
    #[must_use]
    pub fn list(mut self, role: &RoleName, version: Version, file: Option<&[u8]>) -> Self {
        let entry = listed(version, file);
        self.0.object("meta").insert(format!("{role}.json"), entry);
        self
    }

    /// The document, unsigned.
    #[must_use]
    pub fn build(self) -> Document {
        self.0
    }
}

/// Builds a timestamp.
#[derive(Debug, Clone)]
pub struct Timestamp(Document);

impl Timestamp {
    /// Begins a timestamp that lists a snapshot: with length and SHA-256 if the bytes of its file are given.
    #[must_use]
    pub fn new(
        version: Version,
        expires: UnixTime,
        snapshot: Version,
        file: Option<&[u8]>,
    ) -> Self {
        let mut document = Document::new("timestamp", version, expires);
        document
            .object("meta")
            .insert("snapshot.json".to_owned(), listed(snapshot, file));
        Self(document)
    }

    /// The document, unsigned.
    #[must_use]
    pub fn build(self) -> Document {
        self.0
    }
}

/// What one metadata file says about another (TUF §4.4).
pub(crate) fn listed(version: Version, file: Option<&[u8]>) -> Value {
    let mut members = vec![("version", Value::from(version.number()))];
    if let Some(bytes) = file {
        let digest = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, bytes);
        members.push(("hashes", targets::hashes(&[digest])));
        members.push(("length", Value::from(bytes.len() as u64)));
    }
    members.into_iter().collect()
}

/// Who signs for a role (TUF §4.3).
pub(crate) fn role_keys(keys: &[NamedKey], threshold: u64) -> Value {
    let keyids = keys.iter().map(|key| Value::from(key.keyid().as_str()));
    Value::from_iter([
        ("keyids", keyids.collect()),
        ("threshold", threshold.into()),
    ])
}
