//! Snapshot: which version of every targets role is current (TUF §4.4).

use alloc::format;
use alloc::string::String;
use core::cmp::Ordering;

use super::envelope::{Header, HeaderFields};
use super::{MetaFile, Notes, Parsed, Role, RoleName, Tolerance, UnixTime, Version};
use crate::json::{FormatError, Index, Reader, Reason};

/// The content of a snapshot file: an index into the signed bytes, because a registry lists tens of thousands of roles.
#[derive(Debug)]
pub struct Snapshot {
    header: Header,
    meta: Index,
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

impl Parsed<Snapshot> {
    /// Every role that the file lists, in the order of the names; nobody has vouched for them yet.
    pub fn unverified_roles(&self) -> impl Iterator<Item = (RoleName, MetaFile)> + '_ {
        self.content.roles(self.document())
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
                    meta = Some(reader.index(|reader, name| {
                        if targets_role(&name.decode()).is_none() {
                            let field = format!("meta.{}", name.decode());
                            notes.add(Tolerance::SnapshotExtra, field);
                        }
                        notes.within(
                            || format!("meta.{}", name.decode()),
                            |notes| MetaFile::parse(reader, notes).map(drop),
                        )
                    })?);
                }
                other => header.member(reader, other, notes)?,
            }
            Ok(())
        })?;
        let header = header.finish(start)?;
        let meta = meta.ok_or_else(|| FormatError::new(start, Reason::Missing("meta")))?;
        Ok(Self { header, meta })
    }
}
