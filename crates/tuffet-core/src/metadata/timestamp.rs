//! Timestamp: which snapshot is current (TUF §4.6).

use alloc::string::ToString;

use super::envelope::{Header, HeaderFields};
use super::{MetaFile, Notes, Role, UnixTime, Version};
use crate::json::{FormatError, Reader, Reason};

/// The content of a timestamp file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    header: Header,
    snapshot: MetaFile,
}

impl Timestamp {
    /// What the timestamp says about `snapshot.json`, the only file it lists (rule F-34).
    #[must_use]
    pub fn snapshot(&self) -> &MetaFile {
        &self.snapshot
    }
}

impl Role for Timestamp {
    const TYPE: &'static str = "timestamp";

    fn version(&self) -> Version {
        self.header.version
    }

    fn expires(&self) -> UnixTime {
        self.header.expires
    }

    fn parse(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<Self, FormatError> {
        let start = reader.offset();
        let mut header = HeaderFields::of::<Self>();
        let mut snapshot = None;
        reader.object(|reader, name| match &*name.decode() {
            "meta" => reader.object(|reader, name| {
                if !name.equals("snapshot.json") {
                    return Err(FormatError::new(
                        name.offset(),
                        Reason::Invalid("a timestamp that lists a file other than snapshot.json"),
                    ));
                }
                let entry = notes.within(
                    || "meta.snapshot.json".to_string(),
                    |notes| MetaFile::parse(reader, notes),
                );
                snapshot = Some(entry?);
                Ok(())
            }),
            other => header.member(reader, other, notes),
        })?;
        let header = header.finish(start)?;
        let snapshot = snapshot.ok_or_else(|| {
            FormatError::new(start, Reason::Missing("snapshot.json")).within("meta")
        })?;
        Ok(Self { header, snapshot })
    }
}
