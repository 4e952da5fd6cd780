//! What is remembered beside the metadata: which root accepted it, and when the last refresh succeeded.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::crypto::{Crypto, Digest, HashAlgorithm};
use crate::json::{FormatError, Reader, Reason};
use crate::metadata::{UnixTime, Version};

/// The content of [`Item::Record`](super::Item::Record).
///
/// It is written before the file it speaks of, so that after a crash it knows the file that is there, old or new. A lost record
/// costs the purge after a rotation that left the old file's signatures valid, and one of the two floors of root.
///
/// It carries its own digest: nobody signs it, and a digit that changed on the disk would otherwise be a floor nobody can reach.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Record {
    pub(super) timestamp: Acceptances,
    pub(super) snapshot: Acceptances,
    pub(super) last_refresh: Option<UnixTime>,
}

/// When the last successful refresh began, as an [`Item::Record`](super::Item::Record) says; `None` if it does not say, or is
/// none. For a shell that may do without asking the repository.
///
/// ```
/// # use tuffet_core::{crypto::Crypto, trust::last_refresh};
/// fn has_refreshed(record: &[u8], crypto: &dyn Crypto) -> bool {
///     last_refresh(record, crypto).is_some()
/// }
/// ```
#[must_use]
pub fn last_refresh(record: &[u8], crypto: &dyn Crypto) -> Option<UnixTime> {
    Record::parse(record, crypto).ok()?.last_refresh
}

/// Which root accepted which bytes: those of the stored file and, between two writes, those of its successor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Acceptances(Vec<(Digest, Version)>);

impl Acceptances {
    /// The root that accepted the file in the store. What is remembered of other files is dropped: they never got there, and
    /// however often that happens, the one that is there stays known.
    pub(super) fn of_stored(
        &mut self,
        stored: Option<&[u8]>,
        crypto: &dyn Crypto,
    ) -> Option<Version> {
        let digest = stored.map(|bytes| crypto.digest(HashAlgorithm::Sha256, bytes));
        self.0.retain(|(of, _)| Some(*of) == digest);
        self.0.last().map(|&(_, root)| root)
    }

    fn roots(&self) -> impl Iterator<Item = Version> {
        self.0.iter().map(|&(_, root)| root)
    }

    /// Remembers the successor of the file in the store.
    pub(super) fn add(&mut self, bytes: &[u8], root: Version, crypto: &dyn Crypto) {
        self.add_digest(crypto.digest(HashAlgorithm::Sha256, bytes), root);
    }

    /// The same for a file whose SHA-256 is known, because it was checked: a snapshot can be large.
    pub(super) fn add_digest(&mut self, digest: Digest, root: Version) {
        self.0.retain(|(of, _)| *of != digest);
        self.0.push((digest, root));
    }

    /// Remembers the file in the store, which this root accepts too, if nothing was remembered of it: the record was lost.
    pub(super) fn keep(&mut self, bytes: &[u8], root: Version, crypto: &dyn Crypto) {
        if self.0.is_empty() {
            self.add(bytes, root, crypto);
        }
    }

    fn write(&self) -> String {
        let entries: Vec<String> = self
            .0
            .iter()
            .map(|(digest, root)| format!(r#"{{"root":{root},"sha256":"{}"}}"#, digest.to_hex()))
            .collect();
        format!("[{}]", entries.join(","))
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let mut all = Vec::new();
        reader.array(|reader, _| {
            let start = reader.offset();
            let (mut root, mut digest) = (None, None);
            reader.object(|reader, name| {
                match &*name.decode() {
                    "root" => root = Version::new(reader.unsigned()?),
                    "sha256" => {
                        digest = Digest::from_hex(HashAlgorithm::Sha256, &reader.text()?.decode())
                    }
                    _ => {
                        reader.skip()?;
                    }
                }
                Ok(())
            })?;
            let (Some(root), Some(digest)) = (root, digest) else {
                return Err(FormatError::new(start, Reason::Invalid("an acceptance")));
            };
            all.push((digest, root));
            Ok(())
        })?;
        Ok(Self(all))
    }
}

impl Record {
    /// The roots that accepted something: each was trusted, and no refresh may end below one (A-32).
    pub(super) fn roots(&self) -> impl Iterator<Item = Version> {
        self.timestamp.roots().chain(self.snapshot.roots())
    }

    pub(super) fn write(&self, crypto: &dyn Crypto) -> Vec<u8> {
        let last = self.last_refresh.map_or_else(String::new, |at| {
            format!(r#""last_refresh":{},"#, at.0.max(0))
        });
        let content = format!(
            r#"{{{last}"snapshot":{},"timestamp":{}}}"#,
            self.snapshot.write(),
            self.timestamp.write()
        );
        let digest = crypto.digest(HashAlgorithm::Sha256, content.as_bytes());
        format!(
            r#"{{"format":1,"record":{content},"sha256":"{}"}}"#,
            digest.to_hex()
        )
        .into_bytes()
    }

    pub(super) fn parse(bytes: &[u8], crypto: &dyn Crypto) -> Result<Self, FormatError> {
        let invalid = |what| Err(FormatError::new(0, Reason::Invalid(what)));
        let (mut format, mut content, mut digest) = (None, None, None);
        let mut reader = Reader::new(bytes)?;
        reader.object(|reader, name| {
            match &*name.decode() {
                "format" => format = Some(reader.unsigned()?),
                "record" => content = Some(reader.raw(Self::content)?),
                "sha256" => {
                    digest = Digest::from_hex(HashAlgorithm::Sha256, &reader.text()?.decode());
                }
                _ => {
                    reader.skip()?;
                }
            }
            Ok(())
        })?;
        reader.finish()?;
        let (Some(1), Some((record, content))) = (format, content) else {
            return invalid("a record of another format");
        };
        if digest == Some(crypto.digest(HashAlgorithm::Sha256, content)) {
            Ok(record)
        } else {
            invalid("a record that is not what was written")
        }
    }

    fn content(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let mut record = Self::default();
        reader.object(|reader, name| {
            match &*name.decode() {
                "last_refresh" => {
                    record.last_refresh = i64::try_from(reader.unsigned()?).ok().map(UnixTime);
                }
                "snapshot" => record.snapshot = Acceptances::parse(reader)?,
                "timestamp" => record.timestamp = Acceptances::parse(reader)?,
                _ => {
                    reader.skip()?;
                }
            }
            Ok(())
        })?;
        Ok(record)
    }
}
