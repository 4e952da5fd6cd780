//! What a repository holds: sealed versions, which never change, and the drafts of the open change.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use tuffet_core::json::{FormatError, Reader, Value};
use tuffet_core::metadata::{RoleName, Version};

use crate::Error;
use crate::change::ChangeFile;
use crate::document::Document;
use crate::graph::Graph;
use crate::highest::Highest;
use crate::layout::{self, Layout};
use crate::numbers::GivenUp;
use crate::policy::Learned;
use crate::write::{Write, WriteKind, read_bounded};

/// The metadata of a repository.
///
/// The highest version of a role in `metadata/` is its current one, whether clients have seen it or not: a publication that was
/// interrupted leaves versions that must not be used again for other bytes. Versions that the open change gives up do not count.
#[derive(Debug)]
pub(crate) struct Store {
    layout: Layout,
    /// The versions in `metadata/`, as they were listed once.
    sealed: Arc<Highest>,
    drafts: BTreeMap<RoleName, Document>,
    /// Whether an interrupted publication has sealed drafts already.
    applied: bool,
    /// What the policy learns when the change is applied.
    pub(crate) learned: Learned,
    /// Versions that count no longer.
    given_up: GivenUp,
    /// The version of the root that this copy remembers.
    remembered: Option<Version>,
    /// How many edits made the open change, as far as they can be undone.
    pub(crate) edits: u64,
    /// Drafts of versions that somebody else has used.
    stale: BTreeMap<RoleName, Version>,
    /// Roles with drafts whose last versions nobody in force vouches for.
    unvouched: BTreeSet<RoleName>,
}

impl Store {
    /// The metadata of a repository that is about to be made.
    pub(crate) fn empty(layout: &Layout) -> Self {
        Self {
            layout: layout.clone(),
            sealed: Arc::default(),
            drafts: BTreeMap::new(),
            applied: false,
            learned: Learned::default(),
            given_up: GivenUp::default(),
            remembered: None,
            edits: 0,
            stale: BTreeMap::new(),
            unvouched: BTreeSet::new(),
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
        Self::read(layout, true, ChangeFile::read(&layout.change())?)
    }

    /// The same as if nothing were open, but that versions which the open change gives up do not come into force by that.
    pub(crate) fn load_in_force(layout: &Layout, given_up: GivenUp) -> Result<Self, Error> {
        let given_up_only = ChangeFile {
            given_up: given_up.clone(),
            ..ChangeFile::default()
        };
        let mut store = Self::sealed_of(layout, true, &given_up_only)?;
        store.give_up(given_up);
        Ok(store)
    }

    /// Whether this is what an open change says that cannot be read or may not be gone on with, wherever it lies.
    pub(crate) fn is_about_change(layout: &Layout, error: &Error) -> bool {
        match error {
            Error::Format { path, .. } => *path == layout.change(),
            Error::ChangeForeign { .. }
            | Error::ChangeElsewhere { .. }
            | Error::VersionRemembered { .. } => true,
            _ => false,
        }
    }

    /// The metadata of a copy that does not know yet which root to trust.
    pub(crate) fn unanchored(layout: &Layout) -> Result<Self, Error> {
        let store = Self::read(layout, false, ChangeFile::read(&layout.change())?)?;
        crate::heads::require_snapshot(&store)?;
        Ok(store)
    }

    fn read(layout: &Layout, anchored: bool, change: ChangeFile) -> Result<Self, Error> {
        require_own_place(layout)?;
        let mut store = Self::sealed_of(layout, anchored, &change)?;
        store.take(change)?;
        Ok(store)
    }

    /// What is sealed, as it is to be seen beside a change.
    fn sealed_of(layout: &Layout, anchored: bool, change: &ChangeFile) -> Result<Self, Error> {
        let mut store = Self::empty(layout);
        store.sealed = Arc::new(Highest::read(&layout.metadata())?);
        store.give_up(change.given_up.clone());
        if anchored {
            let drafted = change.drafts.get(&RoleName::Root);
            store.remembered = crate::anchor::require(&store, drafted)?;
        }
        store.unvouched = crate::heads::require_signed(&store, &change.drafts)?;
        Ok(store)
    }

    /// Makes this the open change.
    pub(crate) fn take(&mut self, change: ChangeFile) -> Result<(), Error> {
        self.given_up = change.given_up;
        self.learned = change.learned;
        self.edits = change.edits;
        for (role, draft) in change.drafts {
            self.sort_in(role, draft)?;
        }
        if self.given_up.is_empty() {
            return Ok(());
        }
        crate::recover::require_leaps(self)?;
        crate::recover::require_forgotten(self, &Graph::of_roots(self)?)
    }

    fn sort_in(&mut self, role: RoleName, draft: Document) -> Result<(), Error> {
        let version = draft.version().unwrap_or(Version::FIRST);
        let head = self.head(&role);
        if head.is_some_and(|head| head >= version)
            && let Some(sealed) = self.found(&role, version)?
        {
            // Of the last version it was seen who has signed it; somebody else may have published this change with other signatures.
            let is_last = head == Some(version);
            let same = || Document::parse(&sealed).is_ok_and(|one| one.says_the_same_as(&draft));
            if sealed == draft.to_bytes() || (is_last && same()) {
                self.applied = true;
                return Ok(());
            }
        }
        if !self.is_followed_by(&role, &draft) {
            self.stale.insert(role.clone(), version);
        }
        self.drafts.insert(role, draft);
        Ok(())
    }

    /// Only what is sealed, as it was read.
    pub(crate) fn without_drafts(&self) -> Self {
        Self {
            sealed: Arc::clone(&self.sealed),
            given_up: self.given_up.clone(),
            remembered: self.remembered,
            ..Self::empty(&self.layout)
        }
    }

    /// The removal of drafts that lie in `metadata/`. Whoever does it holds the lock of the repository.
    pub(crate) fn sweep(&self) -> impl Iterator<Item = Write> {
        self.sealed.sweep()
    }

    /// Lets versions count no longer.
    pub(crate) fn give_up(&mut self, given_up: GivenUp) {
        self.given_up = given_up;
    }

    /// The versions that count no longer.
    pub(crate) fn given_up(&self) -> &GivenUp {
        &self.given_up
    }

    /// Every version of a role that is sealed and counts.
    pub(crate) fn versions(&self, role: &RoleName) -> BTreeSet<Version> {
        let all = self.sealed.versions(role.as_str());
        all.filter(|version| !self.given_up.has(role, *version))
            .collect()
    }

    /// Every version that is sealed, of any role.
    pub(crate) fn all_versions(&self) -> BTreeSet<(RoleName, Version)> {
        let all = self.sealed.iter();
        all.filter_map(|(name, version)| Some((RoleName::new(name).ok()?, version)))
            .collect()
    }

    /// The version of the root that this copy remembers.
    pub(crate) fn remembered(&self) -> Option<Version> {
        self.remembered
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
        if self.given_up.is_empty() {
            return self.sealed.of(name);
        }
        let role = RoleName::new(name).ok()?;
        let all = self.sealed.versions(name);
        all.filter(|version| !self.given_up.has(&role, *version))
            .max()
    }

    pub(crate) fn sealed_path(&self, role: &RoleName, version: Version) -> std::path::PathBuf {
        self.layout
            .metadata()
            .join(layout::file_name(role, Some(version)))
    }

    /// The bytes of a sealed version. One that says to be another version than its name does was put there by somebody who wants old
    /// content to be gone on from, for which no key is needed.
    pub(crate) fn sealed(&self, role: &RoleName, version: Version) -> Result<Vec<u8>, Error> {
        let bytes = self.sealed_unread(role, version)?;
        let own = version_in(&bytes);
        let own = own.map_err(|error| Error::format(&self.sealed_path(role, version), error))?;
        require_version(role, version, own)?;
        Ok(bytes)
    }

    /// The same for whoever reads all of it anyway, and has to ask [`require_version`] then.
    pub(crate) fn sealed_unread(
        &self,
        role: &RoleName,
        version: Version,
    ) -> Result<Vec<u8>, Error> {
        self.found(role, version)?.ok_or_else(|| {
            let path = self.sealed_path(role, version);
            Error::io("cannot read", &path, io::ErrorKind::NotFound.into())
        })
    }

    /// The same where the file may be absent.
    pub(crate) fn found(
        &self,
        role: &RoleName,
        version: Version,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.file(&layout::file_name(role, Some(version)))
    }

    /// A file of `metadata/`. Whoever may push puts anything there, so no more is read of it than clients read of its kind.
    fn file(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        read_bounded(&self.layout.metadata().join(name), layout::ceiling(name))
    }

    /// The bytes of the highest sealed version.
    pub(crate) fn head_bytes(&self, role: &RoleName) -> Result<Option<Vec<u8>>, Error> {
        self.head(role)
            .map(|version| self.sealed(role, version))
            .transpose()
    }

    /// The last version of a role. One that a draft follows and that nobody vouches for says nothing: whoever may push can have put it
    /// there, so all of the draft is new.
    pub(crate) fn head_document(&self, role: &RoleName) -> Result<Option<Document>, Error> {
        let Some(version) = self.head(role).filter(|_| !self.unvouched.contains(role)) else {
            return Ok(None);
        };
        let document = Document::parse(&self.sealed_unread(role, version)?);
        let document =
            document.map_err(|error| Error::format(&self.sealed_path(role, version), error))?;
        require_version(role, version, document.version())?;
        Ok(Some(document))
    }

    /// The timestamp that was published last.
    pub(crate) fn timestamp(&self) -> Result<Option<Document>, Error> {
        let path = self.layout.metadata().join(timestamp_name());
        self.timestamp_bytes()?
            .map(|bytes| Document::parse(&bytes).map_err(|error| Error::format(&path, error)))
            .transpose()
    }

    /// The same as it was read.
    pub(crate) fn timestamp_bytes(&self) -> Result<Option<Vec<u8>>, Error> {
        self.file(&timestamp_name())
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

    /// Takes note of roles whose last versions nobody in force vouches for.
    pub(crate) fn set_unvouched(&mut self, roles: BTreeSet<RoleName>) {
        self.unvouched = roles;
    }

    pub(crate) fn set_draft(&mut self, role: RoleName, draft: Document) {
        self.drafts.insert(role, draft);
    }

    pub(crate) fn remove_draft(&mut self, role: &RoleName) -> Option<Document> {
        self.drafts.remove(role)
    }

    /// Whether the file of the open change holds anything.
    pub(crate) fn has_change(&self) -> bool {
        self.applied || !self.drafts.is_empty() || !self.given_up.is_empty()
    }

    /// Whether there is anything that people have to sign or publish.
    pub(crate) fn has_open(&self) -> bool {
        !self.drafts.is_empty() || !self.given_up.is_empty()
    }

    /// Whether a publication of the open change has broken off: some of its versions are sealed, and nothing keeps the others from it.
    pub(crate) fn is_half_sealed(&self) -> bool {
        self.is_sealed() && self.has_open()
    }

    /// Whether a publication of the open change has sealed something of it, and nothing keeps the rest from it.
    pub(crate) fn is_sealed(&self) -> bool {
        self.applied && self.stale.is_empty()
    }

    /// Whether somebody else has used the version of the draft of a role.
    pub(crate) fn is_overtaken(&self, role: &RoleName) -> bool {
        self.stale.contains_key(role)
    }

    /// Whether the open change publishes a root, or something of it was published already and it may have been one.
    pub(crate) fn is_publishing_root(&self) -> bool {
        self.applied || self.drafts.contains_key(&RoleName::Root)
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

fn timestamp_name() -> String {
    layout::file_name(&RoleName::Timestamp, None)
}

/// Refuses a sealed file that says to be another version than its name does.
pub(crate) fn require_version(
    role: &RoleName,
    named: Version,
    own: Option<Version>,
) -> Result<(), Error> {
    if own == Some(named) {
        return Ok(());
    }
    Err(Error::HeadUnsigned {
        role: role.clone(),
        version: named,
    })
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

/// Refuses an open change that lies where one of another kind of copy would: in a work tree it may have been pushed.
fn require_own_place(layout: &Layout) -> Result<(), Error> {
    let (own, path) = (layout.change(), layout.pushed_change());
    match path != own && path.symlink_metadata().is_ok() {
        true => Err(Error::ChangeElsewhere { path, own }),
        false => Ok(()),
    }
}
