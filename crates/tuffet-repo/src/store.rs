//! What a repository holds: sealed versions, which never change, and the drafts of the open change.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use tuffet_core::json::{FormatError, Reader, Value};
use tuffet_core::metadata::{RoleName, Version};

use crate::Error;
use crate::change::ChangeFile;
use crate::document::Document;
use crate::layout::{self, Layout};
use crate::numbers::GivenUp;
use crate::policy::Learned;
use crate::write::{Write, WriteKind, read_optional};

/// The metadata of a repository.
///
/// The highest version of a role in `metadata/` is its current one, whether clients have seen it or not: a publication that was
/// interrupted leaves versions that must not be used again for other bytes. Versions that the open change gives up do not count.
#[derive(Debug)]
pub(crate) struct Store {
    layout: Layout,
    heads: BTreeMap<RoleName, Version>,
    drafts: BTreeMap<RoleName, Document>,
    /// Whether an interrupted publication has sealed drafts already.
    applied: bool,
    /// What the policy learns when the change is applied.
    pub(crate) learned: Learned,
    /// Versions that count no longer.
    given_up: GivenUp,
    /// How many edits made the open change, as far as they can be undone.
    pub(crate) edits: u64,
    /// Drafts of versions that somebody else has used.
    stale: BTreeMap<RoleName, Version>,
}

impl Store {
    /// The metadata of a repository that is about to be made.
    pub(crate) fn empty(layout: &Layout) -> Self {
        Self {
            layout: layout.clone(),
            heads: BTreeMap::new(),
            drafts: BTreeMap::new(),
            applied: false,
            learned: Learned::default(),
            given_up: GivenUp::default(),
            edits: 0,
            stale: BTreeMap::new(),
        }
    }

    pub(crate) fn load(layout: &Layout) -> Result<Self, Error> {
        Self::read(layout, true)
    }

    /// The metadata of a copy that does not know yet which root to trust.
    pub(crate) fn unanchored(layout: &Layout) -> Result<Self, Error> {
        Self::read(layout, false)
    }

    fn read(layout: &Layout, anchored: bool) -> Result<Self, Error> {
        let mut store = Self::empty(layout);
        let change = ChangeFile::read(&layout.change())?;
        store.give_up(change.given_up)?;
        if anchored {
            crate::anchor::require(&store, change.drafts.get(&RoleName::Root))?;
        }
        crate::heads::require_signed(&store)?;
        store.learned = change.learned;
        store.edits = change.edits;
        for (role, draft) in change.drafts {
            store.sort_in(role, draft)?;
        }
        Ok(store)
    }

    fn sort_in(&mut self, role: RoleName, draft: Document) -> Result<(), Error> {
        let version = draft.version().unwrap_or(Version::FIRST);
        let head = self.heads.get(&role).copied();
        if head.is_some_and(|head| head >= version)
            && read_optional(&self.sealed_path(&role, version))? == Some(draft.to_bytes())
        {
            self.applied = true;
            return Ok(());
        }
        if !self.is_followed_by(&role, &draft) {
            self.stale.insert(role.clone(), version);
        }
        self.drafts.insert(role, draft);
        Ok(())
    }

    /// Only what is sealed.
    pub(crate) fn without_drafts(mut self) -> Self {
        self.drafts.clear();
        self.stale.clear();
        self
    }

    /// Lets versions count no longer.
    pub(crate) fn give_up(&mut self, given_up: GivenUp) -> Result<(), Error> {
        self.given_up = given_up;
        self.heads.clear();
        for (role, version) in versions(&self.layout.metadata())? {
            if !self.given_up.has(&role, version) {
                let head = self.heads.entry(role).or_insert(version);
                *head = version.max(*head);
            }
        }
        Ok(())
    }

    /// The versions that count no longer.
    pub(crate) fn given_up(&self) -> &GivenUp {
        &self.given_up
    }

    /// Every version of a role that is sealed and counts.
    pub(crate) fn versions(&self, role: &RoleName) -> Result<BTreeSet<Version>, Error> {
        let all = versions(&self.layout.metadata())?.into_iter();
        let own = all.filter(|(of, version)| of == role && !self.given_up.has(of, *version));
        Ok(own.map(|(_, version)| version).collect())
    }

    /// Every version that is sealed, of any role.
    pub(crate) fn all_versions(&self) -> Result<BTreeSet<(RoleName, Version)>, Error> {
        Ok(versions(&self.layout.metadata())?.into_iter().collect())
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The highest sealed version.
    pub(crate) fn head(&self, role: &RoleName) -> Option<Version> {
        self.heads.get(role).copied()
    }

    pub(crate) fn sealed_path(&self, role: &RoleName, version: Version) -> std::path::PathBuf {
        self.layout
            .metadata()
            .join(layout::file_name(role, Some(version)))
    }

    /// The bytes of a sealed version. One that says to be another version than its name does was put there by somebody who wants old
    /// content to be gone on from, for which no key is needed.
    pub(crate) fn sealed(&self, role: &RoleName, version: Version) -> Result<Vec<u8>, Error> {
        let path = self.sealed_path(role, version);
        let bytes = fs::read(&path).map_err(|error| Error::io("cannot read", &path, error))?;
        let own = version_in(&bytes).map_err(|error| Error::format(&path, error))?;
        if own != Some(version) {
            return Err(Error::HeadUnsigned {
                role: role.clone(),
                version,
            });
        }
        Ok(bytes)
    }

    /// The bytes of the highest sealed version.
    pub(crate) fn head_bytes(&self, role: &RoleName) -> Result<Option<Vec<u8>>, Error> {
        self.head(role)
            .map(|version| self.sealed(role, version))
            .transpose()
    }

    pub(crate) fn head_document(&self, role: &RoleName) -> Result<Option<Document>, Error> {
        let Some(version) = self.head(role) else {
            return Ok(None);
        };
        let bytes = self.sealed(role, version)?;
        let document = Document::parse(&bytes);
        let path = self.sealed_path(role, version);
        document
            .map(Some)
            .map_err(|error| Error::format(&path, error))
    }

    /// The timestamp that was published last.
    pub(crate) fn timestamp(&self) -> Result<Option<Document>, Error> {
        let name = layout::file_name(&RoleName::Timestamp, None);
        let path = self.layout.metadata().join(name);
        read_optional(&path)?
            .map(|bytes| Document::parse(&bytes).map_err(|error| Error::format(&path, error)))
            .transpose()
    }

    pub(crate) fn draft(&self, role: &RoleName) -> Option<&Document> {
        self.drafts.get(role)
    }

    pub(crate) fn draft_mut(&mut self, role: &RoleName) -> Option<&mut Document> {
        self.drafts.get_mut(role)
    }

    pub(crate) fn drafts(&self) -> impl Iterator<Item = (&RoleName, &Document)> {
        self.drafts.iter()
    }

    pub(crate) fn drafts_mut(&mut self) -> impl Iterator<Item = (&RoleName, &mut Document)> {
        self.drafts.iter_mut()
    }

    pub(crate) fn set_draft(&mut self, role: RoleName, draft: Document) {
        self.drafts.insert(role, draft);
    }

    pub(crate) fn remove_draft(&mut self, role: &RoleName) -> Option<Document> {
        self.drafts.remove(role)
    }

    /// Whether the file of the open change holds anything.
    pub(crate) fn has_change(&self) -> bool {
        self.applied || !self.drafts.is_empty()
    }

    /// The one write that makes the drafts the open change.
    pub(crate) fn write_change(&self) -> Write {
        let path = self.layout.change();
        let drafts = self.drafts.iter();
        ChangeFile::write(&path, drafts, &self.learned, &self.given_up, self.edits)
    }

    /// The one write that ends the open change.
    pub(crate) fn remove_change(&self) -> Write {
        Write::file(self.layout.change(), WriteKind::Remove)
    }

    /// What the role will be once the open change is applied.
    pub(crate) fn next_document(&self, role: &RoleName) -> Result<Option<Document>, Error> {
        match self.draft(role) {
            Some(draft) => Ok(Some(draft.clone())),
            None => self.head_document(role),
        }
    }

    /// The bytes of what the role will be once the open change is applied.
    pub(crate) fn next_bytes(&self, role: &RoleName) -> Result<Option<Vec<u8>>, Error> {
        match self.draft(role) {
            Some(draft) => Ok(Some(draft.to_bytes())),
            None => self.head_bytes(role),
        }
    }

    /// The version that the role will have once the open change is applied.
    pub(crate) fn next_version(&self, role: &RoleName) -> Option<Version> {
        self.draft(role)
            .map_or_else(|| self.head(role), Document::version)
    }

    /// Whether a draft is what comes after the highest sealed version. Whoever signs elsewhere counts elsewhere and may leave
    /// numbers out.
    pub(crate) fn is_followed_by(&self, role: &RoleName, draft: &Document) -> bool {
        let (version, head) = (draft.version().unwrap_or(Version::FIRST), self.head(role));
        if draft.is_exact() {
            head.is_none_or(|head| head < version) && !self.given_up.has(role, version)
        } else {
            version == self.given_up.next(role, head)
        }
    }

    /// Refuses to go on with a change that was overtaken by another one.
    pub(crate) fn require_current(&self) -> Result<(), Error> {
        match self.stale.iter().next() {
            Some((role, &version)) => Err(Error::Stale {
                role: role.clone(),
                version,
                sealed: self.head(role),
            }),
            None => Ok(()),
        }
    }
}

/// The version that a metadata file says to be.
fn version_in(bytes: &[u8]) -> Result<Option<Version>, FormatError> {
    let mut version = None;
    let mut reader = Reader::new(bytes)?;
    reader.object(|reader, name| {
        if !name.equals("signed") {
            return reader.skip().map(drop);
        }
        reader.object(|reader, name| {
            if !name.equals("version") {
                return reader.skip().map(drop);
            }
            version = Value::read(reader)?.as_u64().and_then(Version::new);
            Ok(())
        })
    })?;
    reader.finish()?;
    Ok(version)
}

/// Every versioned file in a directory of metadata.
fn versions(metadata: &Path) -> Result<Vec<(RoleName, Version)>, Error> {
    let names = names(metadata)?.into_iter();
    Ok(names
        .filter_map(|name| layout::parse_file_name(&name))
        .collect())
}

/// The names in a directory that may be absent, in order.
fn names(directory: &Path) -> Result<Vec<String>, Error> {
    let failed = |error| Error::io("cannot read", directory, error);
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        // Our own names are plain; others are none of our business.
        if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}
