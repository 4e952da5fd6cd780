//! The file of the open change.
//!
//! `{"drafts":{ROLE:FILE,…},"edits":NUMBER,"format":1,"keys":{NAME:KEY,…},"roles":{ROLE:POLICY,…},"void":{ROLE:[VERSION,…],…}}`: the
//! next versions of roles with the signatures so far, how many edits can be undone, what the policy will learn when the change is
//! applied, and which versions a recovery gives up. A FILE that was signed elsewhere is a text, because it has to stay as it is byte
//! for byte.

use std::collections::BTreeMap;
use std::path::Path;

use tuffet_core::json::{FormatError, Reader, Reason, Value};
use tuffet_core::metadata::RoleName;

use super::exchange::base_to_value;
use crate::Error;
use crate::document::Document;
use crate::numbers::GivenUp;
use crate::policy::Learned;
use crate::write::{Write, WriteKind, read_bounded};

/// The most bytes of the file: twice the largest change that people send each other. Where there is no git directory, anything may lie there.
pub(super) const LARGEST: u64 = 1 << 30;

/// What the file holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangeFile {
    pub(crate) drafts: BTreeMap<RoleName, Document>,
    pub(crate) learned: Learned,
    /// How many edits made it, as far as they can be undone.
    pub(crate) edits: u64,
    /// Versions that count no longer.
    pub(crate) given_up: GivenUp,
    /// In a change that was exported: the digests of the versions that it follows.
    pub(crate) base: BTreeMap<String, String>,
}

impl ChangeFile {
    /// Reads the file; an absent one holds nothing.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        read_bounded(path, LARGEST)?.map_or_else(
            || Ok(Self::default()),
            |bytes| Self::parse(&bytes).map_err(|error| Error::format(path, error)),
        )
    }

    /// Reads only what the policy will learn, however large the drafts are.
    pub(crate) fn read_learned(path: &Path) -> Result<Learned, Error> {
        let Some(bytes) = read_bounded(path, LARGEST)? else {
            return Ok(Learned::default());
        };
        let read = || {
            let mut members = BTreeMap::new();
            let mut reader = Reader::new(&bytes)?;
            reader.object(|reader, name| {
                if name.equals("drafts") {
                    reader.skip()?;
                } else {
                    members.insert(name.decode().into_owned(), Value::read(reader)?);
                }
                Ok(())
            })?;
            reader.finish()?;
            learned(&members)
        };
        read().map_err(|error| Error::format(path, error))
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let wrong = |name, kind| FormatError::new(0, Reason::Expected(kind)).within(name);
        let Value::Object(mut members) = Value::parse(bytes)? else {
            return Err(FormatError::new(0, Reason::Expected("object")));
        };
        let Some(Value::Object(all)) = members.remove("drafts") else {
            return Err(wrong("drafts", "object"));
        };
        let mut drafts = BTreeMap::new();
        for (name, value) in all {
            let within = |error: FormatError| error.within(&name).within("drafts");
            let role = RoleName::new(&name)
                .map_err(|_| within(FormatError::new(0, Reason::Invalid("a role name"))))?;
            // Publishing makes these two; a draft would be signed by the key of automation, unseen.
            if matches!(role, RoleName::Snapshot | RoleName::Timestamp) {
                let reason = Reason::Invalid("a role that is no part of a change");
                return Err(within(FormatError::new(0, reason)));
            }
            let draft = match (&role, value) {
                // The versions of the others follow each other, and people sign them here.
                (RoleName::Delegated(_), Value::Text(file)) => Document::exact(file.into_bytes()),
                (_, value) => Document::from_value(value),
            };
            drafts.insert(role, draft.map_err(within)?);
        }
        Ok(Self {
            drafts,
            learned: learned(&members)?,
            edits: members.get("edits").and_then(Value::as_u64).unwrap_or(0),
            given_up: match members.get("void") {
                Some(given_up) => GivenUp::from_value(given_up)?,
                None => GivenUp::default(),
            },
            base: base(&members)?,
        })
    }

    /// The one write that makes this the open change.
    pub(crate) fn write<'d>(
        path: &Path,
        drafts: impl Iterator<Item = (&'d RoleName, &'d Document)>,
        learned: &Learned,
        given_up: &GivenUp,
        edits: u64,
    ) -> Write {
        Write::file(
            path.to_owned(),
            WriteKind::Replace(Self::to_bytes(drafts, learned, given_up, edits)),
        )
    }

    /// The content of the file when it goes to somebody else: with the digests of the versions that it follows.
    pub(crate) fn to_exported<'d>(
        drafts: impl Iterator<Item = (&'d RoleName, &'d Document)>,
        learned: &Learned,
        given_up: &GivenUp,
        base: &BTreeMap<String, String>,
    ) -> Vec<u8> {
        let mut bytes = br#"{"base":"#.to_vec();
        bytes.append(&mut base_to_value(base).to_compact_json());
        bytes.push(b',');
        members_to(&mut bytes, drafts, learned, given_up, 0);
        bytes
    }

    /// The content of the file.
    pub(crate) fn to_bytes<'d>(
        drafts: impl Iterator<Item = (&'d RoleName, &'d Document)>,
        learned: &Learned,
        given_up: &GivenUp,
        edits: u64,
    ) -> Vec<u8> {
        let mut bytes = b"{".to_vec();
        members_to(&mut bytes, drafts, learned, given_up, edits);
        bytes
    }
}

fn members_to<'d>(
    bytes: &mut Vec<u8>,
    drafts: impl Iterator<Item = (&'d RoleName, &'d Document)>,
    learned: &Learned,
    given_up: &GivenUp,
    edits: u64,
) {
    bytes.extend_from_slice(br#""drafts":{"#);
    for (place, (role, draft)) in drafts.enumerate() {
        if place > 0 {
            bytes.push(b',');
        }
        bytes.append(&mut Value::from(role.as_str()).to_compact_json());
        bytes.push(b':');
        let file = draft.to_bytes();
        match String::from_utf8(file) {
            Ok(file) if draft.is_exact() => {
                bytes.append(&mut Value::from(file).to_compact_json());
            }
            Ok(file) => bytes.extend_from_slice(file.as_bytes()),
            // Nothing that was read or written as JSON is anything else than UTF-8.
            Err(error) => bytes.append(&mut error.into_bytes()),
        }
    }
    bytes.push(b'}');
    if edits > 0 {
        bytes.extend_from_slice(format!(r#","edits":{edits}"#).as_bytes());
    }
    bytes.extend_from_slice(br#","format":1,"keys":"#);
    bytes.append(&mut learned.keys_to_value().to_compact_json());
    bytes.extend_from_slice(br#","roles":"#);
    bytes.append(&mut learned.roles_to_value().to_compact_json());
    if !given_up.is_empty() {
        bytes.extend_from_slice(br#","void":"#);
        bytes.append(&mut given_up.to_value().to_compact_json());
    }
    bytes.push(b'}');
}

fn base(members: &BTreeMap<String, Value>) -> Result<BTreeMap<String, String>, FormatError> {
    let wrong = || FormatError::new(0, Reason::Expected("object of texts")).within("base");
    let Some(base) = members.get("base") else {
        return Ok(BTreeMap::new());
    };
    let texts = base.as_object().ok_or_else(wrong)?.iter();
    texts
        .map(|(role, digest)| Some((role.clone(), digest.as_str()?.to_owned())))
        .collect::<Option<_>>()
        .ok_or_else(wrong)
}

fn learned(members: &BTreeMap<String, Value>) -> Result<Learned, FormatError> {
    if members.get("format").and_then(Value::as_u64) != Some(1) {
        return Err(
            FormatError::new(0, Reason::Invalid("a change of a later version")).within("format"),
        );
    }
    let read = |name: &'static str| {
        members
            .get(name)
            .and_then(Value::as_object)
            .ok_or_else(|| FormatError::new(0, Reason::Expected("object")).within(name))
    };
    Learned::from_values(read("keys")?, read("roles")?)
        .ok_or_else(|| FormatError::new(0, Reason::Invalid("a key or a role of the policy")))
}
