//! What a repository holds: sealed versions, which never change, and the drafts of the open change.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tuffet_core::metadata::{RoleName, Version};

use crate::Error;
use crate::change::ChangeFile;
use crate::document::Document;
use crate::highest::Highest;
use crate::layout::{self, Layout};
use crate::policy::Learned;
use crate::write::{Write, WriteKind, read_optional};

/// The metadata of a repository.
///
/// The highest version of a role in `metadata/` is its current one, whether clients have seen it or not: a publication that was
/// interrupted leaves versions that must not be used again for other bytes.
#[derive(Debug)]
pub(crate) struct Store {
    layout: Layout,
    heads: Arc<Highest>,
    drafts: BTreeMap<RoleName, Document>,
    /// Whether an interrupted publication has sealed drafts already.
    applied: bool,
    /// What the policy learns when the change is applied.
    pub(crate) learned: Learned,
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
            heads: Arc::default(),
            drafts: BTreeMap::new(),
            applied: false,
            learned: Learned::default(),
            edits: 0,
            stale: BTreeMap::new(),
        }
    }

    /// Reads what is there; every last version has to be signed.
    pub(crate) fn load(layout: &Layout) -> Result<Self, Error> {
        let store = Self::load_but_snapshot(layout)?;
        crate::heads::require_snapshot(&store)?;
        Ok(store)
    }

    /// The same for whoever is going to look at the snapshot.
    pub(crate) fn load_but_snapshot(layout: &Layout) -> Result<Self, Error> {
        let mut store = Self::empty(layout);
        store.heads = Arc::new(Highest::read(&layout.metadata())?);
        crate::heads::require_signed(&store)?;
        let change = ChangeFile::read(&layout.change())?;
        store.learned = change.learned;
        store.edits = change.edits;
        for (role, draft) in change.drafts {
            store.sort_in(role, draft)?;
        }
        Ok(store)
    }

    fn sort_in(&mut self, role: RoleName, draft: Document) -> Result<(), Error> {
        let version = draft.version().unwrap_or(Version::FIRST);
        let head = self.head(&role);
        if head.is_some_and(|head| head >= version)
            && read_optional(&self.sealed_path(&role, version))? == Some(draft.to_bytes())
        {
            self.applied = true;
            return Ok(());
        }
        if !follows(&draft, head) {
            self.stale.insert(role.clone(), version);
        }
        self.drafts.insert(role, draft);
        Ok(())
    }

    /// Only what is sealed, as it was read.
    pub(crate) fn without_drafts(&self) -> Self {
        Self {
            heads: Arc::clone(&self.heads),
            ..Self::empty(&self.layout)
        }
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The highest sealed version.
    pub(crate) fn head(&self, role: &RoleName) -> Option<Version> {
        self.head_of(role.as_str())
    }

    /// The highest sealed version of the role that is called this.
    pub(crate) fn head_of(&self, name: &str) -> Option<Version> {
        self.heads.of(name)
    }

    pub(crate) fn sealed_path(&self, role: &RoleName, version: Version) -> std::path::PathBuf {
        self.layout
            .metadata()
            .join(layout::file_name(role, Some(version)))
    }

    /// The bytes of a sealed version.
    pub(crate) fn sealed(&self, role: &RoleName, version: Version) -> Result<Vec<u8>, Error> {
        let path = self.sealed_path(role, version);
        fs::read(&path).map_err(|error| Error::io("cannot read", &path, error))
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
        self.document(&self.sealed_path(role, version))
    }

    /// The timestamp that was published last.
    pub(crate) fn timestamp(&self) -> Result<Option<Document>, Error> {
        let name = layout::file_name(&RoleName::Timestamp, None);
        self.document(&self.layout.metadata().join(name))
    }

    fn document(&self, path: &Path) -> Result<Option<Document>, Error> {
        read_optional(path)?
            .map(|bytes| Document::parse(&bytes).map_err(|error| Error::format(path, error)))
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
        ChangeFile::write(&path, self.drafts.iter(), &self.learned, self.edits)
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

/// Whether a draft is what comes after the highest sealed version. Whoever signs elsewhere counts elsewhere and may leave
/// numbers out.
pub(crate) fn follows(draft: &Document, head: Option<Version>) -> bool {
    let version = draft.version().unwrap_or(Version::FIRST);
    if draft.is_exact() {
        head.is_none_or(|head| head < version)
    } else {
        version == head.map_or(Version::FIRST, Version::next)
    }
}
