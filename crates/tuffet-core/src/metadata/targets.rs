//! Targets: the files a role vouches for, and the roles it delegates to (TUF §4.5).

use alloc::format;

use super::envelope::{Header, HeaderFields};
use super::{Delegations, Notes, Parsed, Role, TargetFile, UnixTime, Version};
use crate::json::{FormatError, Index, Reader, Reason};

/// The content of a targets file: an index into the signed bytes, because there may be a million entries.
#[derive(Debug)]
pub struct Targets {
    header: Header,
    targets: Index,
    delegations: Option<Delegations>,
}

impl Targets {
    /// How many targets are listed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether no target is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The roles this role delegates to.
    #[must_use]
    pub fn delegations(&self) -> Option<&Delegations> {
        self.delegations.as_ref()
    }

    /// What the role in these bytes says about a target.
    pub(crate) fn target(&self, bytes: &[u8], path: &str) -> Option<TargetFile> {
        self.targets
            .find(bytes, path)
            .and_then(|span| span.of(bytes))
            .and_then(|entry| TargetFile::parse(entry).ok())
    }

    /// Every target, in the order of the paths.
    pub(crate) fn iter<'a>(
        &'a self,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = (alloc::string::String, TargetFile)> + 'a {
        self.targets.iter(bytes).filter_map(move |(path, span)| {
            Some((
                path.decode().into_owned(),
                TargetFile::parse(span.of(bytes)?).ok()?,
            ))
        })
    }
}

impl Parsed<Targets> {
    /// Every target that the file lists, in the order of the paths; nobody has vouched for them yet.
    pub fn unverified_targets(
        &self,
    ) -> impl Iterator<Item = (alloc::string::String, TargetFile)> + '_ {
        self.content.iter(self.document())
    }
}

impl Role for Targets {
    const TYPE: &'static str = "targets";

    fn version(&self) -> Version {
        self.header.version
    }

    fn expires(&self) -> UnixTime {
        self.header.expires
    }

    fn parse(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<Self, FormatError> {
        let start = reader.offset();
        let mut header = HeaderFields::of::<Self>();
        let (mut targets, mut delegations) = (None, None);
        reader.object(|reader, name| {
            match &*name.decode() {
                "targets" => {
                    targets = Some(reader.index(|reader, name| {
                        notes.within(
                            || format!("targets.{}", name.decode()),
                            |notes| TargetFile::scan(reader, notes),
                        )
                    })?);
                }
                "delegations" => delegations = Some(Delegations::parse(reader, notes)?),
                other => header.member(reader, other, notes)?,
            }
            Ok(())
        })?;
        let header = header.finish(start)?;
        let targets = targets.ok_or_else(|| FormatError::new(start, Reason::Missing("targets")))?;
        Ok(Self {
            header,
            targets,
            delegations,
        })
    }
}
