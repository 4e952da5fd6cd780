//! Snapshot: which version of every targets role is current (TUF §4.4).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::cmp::Ordering;

use super::envelope::{Header, HeaderFields};
use super::{MetaFile, Notes, Parsed, Role, RoleName, Tolerance, UnixTime, Version};
use crate::crypto::Crypto;
use crate::json::{FormatError, Index, Reader, Reason, SignedSpan, Text};

/// The content of a snapshot file: an index into the signed bytes, because a registry lists tens of thousands of roles.
#[derive(Debug)]
pub struct Snapshot {
    header: Header,
    meta: Index,
    /// Where `meta` stands.
    span: SignedSpan,
}

impl Snapshot {
    /// How many files are listed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.meta.len()
    }

    /// Whether no file is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.meta.is_empty()
    }

    /// What the snapshot in these bytes says about a role.
    pub(crate) fn role(&self, bytes: &[u8], role: &RoleName) -> Option<MetaFile> {
        let mut name = String::from(role.as_str());
        name.push_str(".json");
        self.meta
            .find(bytes, &name)
            .and_then(|span| span.of(bytes))
            .and_then(parse_entry)
    }

    /// The first role that a later snapshot lists with a lower version than this one, or does not list any more.
    ///
    /// Both are walked once, side by side, and entries that are equal byte by byte are not even read: most of tens of thousands.
    pub(crate) fn regression(
        &self,
        bytes: &[u8],
        later: &Self,
        later_bytes: &[u8],
    ) -> Option<Regression> {
        let mut offered = later.meta.iter(later_bytes).peekable();
        self.meta.iter(bytes).find_map(|(name, span)| {
            while offered
                .next_if(|(other, _)| other.compare(&name) == Ordering::Less)
                .is_some()
            {}
            let same = offered.next_if(|(other, _)| other.compare(&name) == Ordering::Equal);
            let (before, now) = (
                span.of(bytes)?,
                same.and_then(|(_, span)| span.of(later_bytes)),
            );
            if now == Some(before) {
                return None;
            }
            let trusted = entry_version(before)?;
            let offered = now.and_then(entry_version);
            if offered >= Some(trusted) {
                return None;
            }
            let role = targets_role(&name.decode())?;
            Some(Regression {
                role,
                trusted,
                offered,
            })
        })
    }

    /// The roles listed, in the order of their names; entries that are not targets roles are left out.
    pub(crate) fn roles<'a>(
        &'a self,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = (RoleName, MetaFile)> + 'a {
        self.meta.iter(bytes).filter_map(move |(name, span)| {
            let role = targets_role(&name.decode())?;
            Some((role, parse_entry(span.of(bytes)?)?))
        })
    }
}

/// What a snapshot lists, as it stands in the file: for whoever writes the next one, of which most is the same.
///
/// ```
/// # use tuffet_core::metadata::{Parsed, RoleName, Snapshot, Version};
/// let file = br#"{"signatures":[],"signed":{"_type":"snapshot","expires":"2030-01-01T00:00:00Z",
///     "meta":{"targets.json":{"version":3}},"spec_version":"1.0.34","version":7}}"#;
/// let snapshot = Parsed::<Snapshot>::parse(file.to_vec())?;
/// let listing = snapshot.unverified_listing();
/// assert_eq!(listing.version(&RoleName::Targets), Version::new(3));
/// let entries: Vec<_> = listing.iter().map(|entry| (entry.file(), entry.text())).collect();
/// assert_eq!(entries, [("targets.json".into(), &br#"{"version":3}"#[..])]);
/// # Ok::<(), tuffet_core::json::FormatError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Listing<'s> {
    snapshot: &'s Snapshot,
    document: &'s [u8],
}

impl<'s> Listing<'s> {
    pub(crate) fn new(snapshot: &'s Snapshot, document: &'s [u8]) -> Self {
        Self { snapshot, document }
    }

    /// The version of a role, if it is listed.
    #[must_use]
    pub fn version(&self, role: &RoleName) -> Option<Version> {
        let mut name = String::from(role.as_str());
        name.push_str(".json");
        let span = self.snapshot.meta.find(self.document, &name)?;
        entry_version(span.of(self.document)?)
    }

    /// Whether these bytes are the file of a role that is listed: they have the hashes and the length that are said of it.
    ///
    /// Whoever signed the snapshot has vouched for them then, and mostly their own signatures need not be looked at again.
    #[must_use]
    pub fn identifies(&self, role: &RoleName, bytes: &[u8], crypto: &dyn Crypto) -> bool {
        let listed = self.snapshot.role(self.document, role);
        listed.is_some_and(|listed| listed.identifies(bytes, crypto))
    }

    /// Every file that is listed, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = ListedFile<'s>> + use<'s> {
        let document = self.document;
        let all = self.snapshot.meta.iter(document);
        all.filter_map(move |(name, span)| {
            let text = span.of(document)?;
            Some(ListedFile { name, text })
        })
    }

    /// How many files are listed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.snapshot.len()
    }

    /// Whether no file is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.snapshot.is_empty()
    }

    /// Whether the object that holds the entries is canonical JSON as it stands in the file.
    #[must_use]
    pub fn is_canonical(&self) -> bool {
        self.snapshot.span.canonical
    }

    /// The bytes of the object that holds the entries.
    #[must_use]
    pub fn text(&self) -> &'s [u8] {
        self.snapshot
            .span
            .span
            .of(self.document)
            .unwrap_or_default()
    }

    /// What stands in the file before the object that holds the entries, and what stands behind it.
    #[must_use]
    pub fn around(&self) -> (&'s [u8], &'s [u8]) {
        let span = self.snapshot.span.span;
        let before = self.document.get(..span.start as usize);
        let behind = self.document.get(span.end as usize..);
        (before.unwrap_or_default(), behind.unwrap_or_default())
    }
}

/// A file that a snapshot lists.
#[derive(Debug, Clone, Copy)]
pub struct ListedFile<'s> {
    name: Text<'s>,
    text: &'s [u8],
}

impl<'s> ListedFile<'s> {
    /// The name of the file.
    #[must_use]
    pub fn file(&self) -> Cow<'s, str> {
        self.name.decode()
    }

    /// What is said about it: the bytes of a JSON object.
    #[must_use]
    pub fn text(&self) -> &'s [u8] {
        self.text
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        entry_version(self.text)
    }
}

/// A role of which a snapshot takes back what an earlier one said.
#[derive(Debug)]
pub(crate) struct Regression {
    pub(crate) role: RoleName,
    pub(crate) trusted: Version,
    /// The lower version; `None` if the role is not listed any more.
    pub(crate) offered: Option<Version>,
}

/// The version alone, for entries that have been checked.
fn entry_version(entry: &[u8]) -> Option<Version> {
    let mut version = None;
    let mut reader = Reader::new(entry).ok()?;
    let read = reader.object(|reader, name| {
        if name.equals("version") {
            version = Version::new(reader.unsigned()?);
            Ok(())
        } else {
            reader.skip().map(drop)
        }
    });
    read.ok().and(version)
}

/// Entries have been checked when the snapshot was parsed.
fn parse_entry(entry: &[u8]) -> Option<MetaFile> {
    let mut reader = Reader::new(entry).ok()?;
    MetaFile::parse(&mut reader, &mut Notes::default()).ok()
}

/// `root.json` stood in old snapshots; root is not under snapshot's control, so such entries are not looked at.
fn targets_role(file: &str) -> Option<RoleName> {
    match RoleName::new(file.strip_suffix(".json")?).ok()? {
        RoleName::Root | RoleName::Timestamp | RoleName::Snapshot => None,
        role => Some(role),
    }
}

/// Whether [`targets_role`] finds one, without making it.
fn is_targets_role(file: &str) -> bool {
    file.strip_suffix(".json").is_some_and(|name| {
        !matches!(name, "" | "root" | "timestamp" | "snapshot") && !name.contains('\0')
    })
}

impl Parsed<Snapshot> {
    /// Every role that the file lists, in the order of the names; nobody has vouched for them yet.
    pub fn unverified_roles(&self) -> impl Iterator<Item = (RoleName, MetaFile)> + '_ {
        self.content.roles(self.document())
    }

    /// What the file lists, as it stands there; nobody has vouched for it yet.
    #[must_use]
    pub fn unverified_listing(&self) -> Listing<'_> {
        Listing::new(&self.content, self.document())
    }
}

impl Role for Snapshot {
    const TYPE: &'static str = "snapshot";

    fn version(&self) -> Version {
        self.header.version
    }

    fn expires(&self) -> UnixTime {
        self.header.expires
    }

    fn parse(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<Self, FormatError> {
        let start = reader.offset();
        let mut header = HeaderFields::of::<Self>();
        let mut meta = None;
        reader.object(|reader, name| {
            match &*name.decode() {
                "meta" => {
                    meta = Some(reader.signed(|reader| {
                        reader.index(|reader, name| {
                            if !is_targets_role(&name.decode()) {
                                notes.add(Tolerance::SnapshotExtra, || {
                                    format!("meta.{}", name.decode())
                                });
                            }
                            notes.within(
                                || format!("meta.{}", name.decode()),
                                |notes| MetaFile::scan(reader, notes),
                            )
                        })
                    })?);
                }
                other => header.member(reader, other, notes)?,
            }
            Ok(())
        })?;
        let header = header.finish(start)?;
        let (meta, span) = meta.ok_or_else(|| FormatError::new(start, Reason::Missing("meta")))?;
        Ok(Self { header, meta, span })
    }
}
