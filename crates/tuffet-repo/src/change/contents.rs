//! What a change says that came as a file, where there is nothing to compare it with.

use std::path::Path;

use tuffet_core::metadata::{RoleName, UnixTime, Version};

use super::{ChangeFile, Difference, KeyNames, differences};
use crate::Error;
use crate::document::Document;
use crate::keys::KeyName;

/// The contents of an exported change. Nothing in it is verified: neither whose repository it is of, nor a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangeContents {
    /// The next versions of roles.
    pub drafts: Vec<DraftContents>,
    /// What it calls keys.
    pub named: Vec<KeyName>,
    /// Versions that it gives up.
    pub given_up: Vec<(RoleName, Version)>,
    /// What is known of the keys that it lists: no name yet.
    pub names: KeyNames,
}

/// What an exported change says of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DraftContents {
    /// The role.
    pub role: RoleName,
    /// The version.
    pub version: Version,
    /// When it expires.
    pub expires: UnixTime,
    /// The SHA-256 of the version that it says to follow; `None` for a first version.
    pub follows: Option<String>,
    /// The keyids under which it has signatures, whatever these are.
    pub signed_by: Vec<String>,
    /// Everything that it says.
    pub members: Vec<Difference>,
}

impl ChangeContents {
    /// Reads what [`Repository::export_change`](crate::Repository::export_change) has made. `from` is what errors call the file.
    ///
    /// # Errors
    /// [`Error::Format`].
    pub fn parse(bytes: &[u8], from: &Path) -> Result<Self, Error> {
        let file = ChangeFile::parse(bytes).map_err(|error| Error::format(from, error))?;
        let mut names = KeyNames::default();
        let documents = file.drafts.values();
        documents.for_each(|document| names.see(document.signed()));
        let drafts = file.drafts.iter().map(|(role, document)| DraftContents {
            role: role.clone(),
            version: document.version().unwrap_or(Version::FIRST),
            expires: document.expires().unwrap_or(UnixTime(0)),
            follows: file.base.get(role.as_str()).cloned(),
            signed_by: signatures(document),
            members: differences(None, document.signed()),
        });
        let named = file.learned.named().map(|(name, keyid)| KeyName {
            keyid,
            name: Some(name),
        });
        let given_up = file.given_up.iter();
        Ok(Self {
            drafts: drafts.collect(),
            named: named.collect(),
            given_up: given_up
                .map(|(role, version)| (role.clone(), version))
                .collect(),
            names,
        })
    }
}

fn signatures(document: &Document) -> Vec<String> {
    document.signature_keyids().map(str::to_owned).collect()
}
