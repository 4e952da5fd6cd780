//! What one file says about another: version, length, hashes.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Notes, Tolerance, Version};
use crate::crypto::{Crypto, Digest, HashAlgorithm};
use crate::json::{FormatError, Kind, Reader, Reason, Span};

/// One or more digests by strong algorithms; all of them must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashes(Vec<Digest>);

impl Hashes {
    /// The digests in the order they are listed; at least one.
    #[must_use]
    pub fn digests(&self) -> &[Digest] {
        &self.0
    }

    /// The digest by this algorithm.
    #[must_use]
    pub fn digest(&self, algorithm: HashAlgorithm) -> Option<&Digest> {
        self.0.iter().find(|digest| digest.algorithm() == algorithm)
    }

    /// The first algorithm whose digest of the bytes is not the listed one.
    pub(crate) fn mismatch(&self, bytes: &[u8], crypto: &dyn Crypto) -> Option<HashAlgorithm> {
        self.0
            .iter()
            .find(|digest| crypto.digest(digest.algorithm(), bytes) != **digest)
            .map(Digest::algorithm)
    }
}

/// Reads `{ALGORITHM: HEX}` and hands on the digests of known algorithms, of which there must be one.
fn scan_hashes(
    reader: &mut Reader<'_>,
    notes: &mut Notes,
    mut found: impl FnMut(Digest),
) -> Result<(), FormatError> {
    let start = reader.offset();
    let mut strong = false;
    reader.object(|reader, name| {
        let text = reader.text()?;
        match HashAlgorithm::from_name(&name.decode()) {
            Some(algorithm) => {
                let digest = Digest::from_hex(algorithm, &text.decode()).ok_or_else(|| {
                    FormatError::new(
                        text.offset(),
                        Reason::Invalid("a digest that is not hexadecimal or has the wrong length"),
                    )
                })?;
                strong = true;
                found(digest);
            }
            None => notes.add(Tolerance::HashUnknown, || {
                format!("hashes.{}", name.decode())
            }),
        }
        Ok(())
    })?;
    if strong {
        Ok(())
    } else {
        Err(FormatError::new(
            start,
            Reason::Invalid("no hash by sha256, sha384 or sha512"),
        ))
    }
}

/// What timestamp and snapshot say about a metadata file (TUF §4.4, METAFILES).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaFile {
    /// The version the file must have.
    pub version: Version,
    /// The length in bytes the file must have, if listed.
    pub length: Option<u64>,
    /// The digests the file must have, if listed.
    pub hashes: Option<Hashes>,
}

impl MetaFile {
    /// Whether these can only be the bytes that are meant: hashes are listed, and they and the length, if it is, are right.
    #[must_use]
    pub fn identifies(&self, bytes: &[u8], crypto: &dyn Crypto) -> bool {
        let hashes = self.hashes.as_ref();
        self.length
            .is_none_or(|length| length == bytes.len() as u64)
            && hashes.is_some_and(|hashes| hashes.mismatch(bytes, crypto).is_none())
    }

    pub(super) fn parse(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<Self, FormatError> {
        let mut digests = Vec::new();
        let (version, length) = Self::members(reader, notes, |digest| digests.push(digest))?;
        Ok(Self {
            version,
            length,
            hashes: (!digests.is_empty()).then_some(Hashes(digests)),
        })
    }

    /// Checks an entry without keeping anything of it: this runs once for each of tens of thousands of roles.
    pub(super) fn scan(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<(), FormatError> {
        Self::members(reader, notes, drop).map(drop)
    }

    fn members(
        reader: &mut Reader<'_>,
        notes: &mut Notes,
        mut found: impl FnMut(Digest),
    ) -> Result<(Version, Option<u64>), FormatError> {
        let start = reader.offset();
        let (mut version, mut length) = (None, None);
        reader.object(|reader, name| {
            if name.equals("version") {
                version = Some(parse_version(reader)?);
            } else if name.equals("length") {
                length = Some(reader.unsigned()?);
            } else if name.equals("hashes") {
                // There is one at least, or it is an error.
                scan_hashes(reader, notes, &mut found)?;
            } else {
                reader.skip()?;
            }
            Ok(())
        })?;
        let version = version.ok_or_else(|| FormatError::new(start, Reason::Missing("version")))?;
        Ok((version, length))
    }
}

/// What a targets role says about a target (TUF §4.5, TARGETS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFile {
    /// The exact length in bytes.
    pub length: u64,
    /// The digests, all of which must match.
    pub hashes: Hashes,
    /// The JSON text of `custom` as signed, for the application to interpret.
    pub custom: Option<alloc::string::String>,
}

impl TargetFile {
    /// Reads an entry that [`TargetFile::scan`] has accepted before.
    pub(super) fn parse(entry: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(entry)?;
        let mut digests = Vec::new();
        let (length, custom) = Self::members(&mut reader, &mut Notes::default(), |digest| {
            digests.push(digest)
        })?;
        let custom = custom
            .and_then(|span| span.of(entry))
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .map(ToString::to_string);
        Ok(Self {
            length,
            hashes: Hashes(digests),
            custom,
        })
    }

    /// Checks an entry without keeping anything of it: this runs once for each of a million targets.
    pub(super) fn scan(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<(), FormatError> {
        Self::members(reader, notes, drop).map(drop)
    }

    fn members(
        reader: &mut Reader<'_>,
        notes: &mut Notes,
        mut found: impl FnMut(Digest),
    ) -> Result<(u64, Option<Span>), FormatError> {
        let start = reader.offset();
        let (mut length, mut hashes, mut custom) = (None, false, None);
        reader.object(|reader, name| {
            if name.equals("length") {
                length = Some(reader.unsigned()?);
            } else if name.equals("hashes") {
                scan_hashes(reader, notes, &mut found)?;
                hashes = true;
            } else if name.equals("custom") {
                if reader.kind()? != Kind::Object {
                    notes.add(Tolerance::CustomForm, || "custom".into());
                }
                custom = Some(reader.skip()?);
            } else {
                reader.skip()?;
            }
            Ok(())
        })?;
        let length = length.ok_or_else(|| FormatError::new(start, Reason::Missing("length")))?;
        if !hashes {
            return Err(FormatError::new(start, Reason::Missing("hashes")));
        }
        Ok((length, custom))
    }
}

pub(super) fn parse_version(reader: &mut Reader<'_>) -> Result<Version, FormatError> {
    let offset = reader.offset();
    Version::new(reader.unsigned()?)
        .ok_or_else(|| FormatError::new(offset, Reason::Invalid("a version of zero")))
}
