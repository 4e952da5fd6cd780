//! The keys a file defines and the keys a role may be signed with.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::format;
use alloc::vec::Vec;

use super::{KeyId, Notes, Tolerance};
use crate::crypto::{Key, LegacyKeyForm};
use crate::json::{FormatError, Kind, Reader, Reason};

/// The keys that one delegating file defines, by keyid. Keyids mean nothing outside that file (TAP 12).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyTable(BTreeMap<KeyId, Key>);

impl KeyTable {
    /// The key with this id.
    #[must_use]
    pub fn key(&self, keyid: &str) -> Option<&Key> {
        self.0.get(keyid)
    }

    /// Every key, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&KeyId, &Key)> {
        self.0.iter()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads `{KEYID: KEY}`. A key of an unknown kind is kept; one that is not an object is a format error.
    pub(super) fn parse(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<Self, FormatError> {
        let mut keys = BTreeMap::new();
        reader.object(|reader, name| {
            let keyid = KeyId::new(&name.decode())
                .map_err(|_| FormatError::new(name.offset(), Reason::Invalid("an empty keyid")))?;
            let key = parse_key(reader)?;
            for form in key.legacy() {
                let (tolerance, field) = match form {
                    LegacyKeyForm::HexPoint => (Tolerance::HexPoint, "keyval.public"),
                    LegacyKeyForm::KeytypeAlias => (Tolerance::KeytypeAlias, "keytype"),
                    LegacyKeyForm::RsaPublicKeyPem | LegacyKeyForm::Ed25519Pem => {
                        (Tolerance::KeyForm, "keyval.public")
                    }
                };
                notes.add(tolerance, || format!("keys.{keyid}.{field}"));
            }
            match keys.entry(keyid) {
                Entry::Vacant(place) => {
                    place.insert(key);
                    Ok(())
                }
                Entry::Occupied(_) => Err(FormatError::new(
                    name.offset(),
                    Reason::Invalid("a keyid defined twice"),
                )),
            }
        })?;
        Ok(Self(keys))
    }
}

/// Reads one key object whatever its shape: only `keytype`, `scheme` and `keyval.public` are looked at, and their
/// absence makes the key opaque, not the file wrong.
fn parse_key(reader: &mut Reader<'_>) -> Result<Key, FormatError> {
    let mut keytype = None;
    let mut scheme = None;
    let mut public = None;
    let ((), raw) = reader.raw(|reader| {
        reader.object(|reader, name| {
            match (&*name.decode(), reader.kind()?) {
                ("keytype", Kind::Text) => keytype = Some(reader.text()?),
                ("scheme", Kind::Text) => scheme = Some(reader.text()?),
                ("keyval", Kind::Object) => reader.object(|reader, name| {
                    if name.equals("public") && reader.kind()? == Kind::Text {
                        public = Some(reader.text()?);
                    } else {
                        reader.skip()?;
                    }
                    Ok(())
                })?,
                _ => {
                    reader.skip()?;
                }
            }
            Ok(())
        })
    })?;
    let text = |part: Option<crate::json::Text<'_>>| part.map(|text| text.decode().into_owned());
    let (keytype, scheme, public) = (text(keytype), text(scheme), text(public));
    Ok(Key::parse(
        &keytype.unwrap_or_default(),
        &scheme.unwrap_or_default(),
        public.as_deref(),
        raw,
    ))
}

/// The keys that may sign for a role, and how many of them must (rule F-26).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleKeys {
    /// The ids of the keys, each once.
    pub keyids: Vec<KeyId>,
    /// How many different keys have to sign; at least one.
    pub threshold: u64,
}

impl RoleKeys {
    /// Reads `{keyids, threshold}`.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let start = reader.offset();
        let mut fields = RoleKeysFields::default();
        reader.object(|reader, name| {
            if !fields.member(reader, &name.decode())? {
                reader.skip()?;
            }
            Ok(())
        })?;
        fields.finish(start)
    }
}

/// The two members that a role in root and a delegated role have in common.
#[derive(Default)]
pub(crate) struct RoleKeysFields {
    keyids: Option<Vec<KeyId>>,
    threshold: Option<u64>,
}

impl RoleKeysFields {
    /// Consumes the value if the member is one of the two.
    pub(crate) fn member(
        &mut self,
        reader: &mut Reader<'_>,
        name: &str,
    ) -> Result<bool, FormatError> {
        match name {
            "keyids" => self.keyids = Some(parse_keyids(reader)?),
            "threshold" => {
                let offset = reader.offset();
                match reader.unsigned()? {
                    0 => {
                        return Err(FormatError::new(
                            offset,
                            Reason::Invalid("a threshold of zero"),
                        ));
                    }
                    threshold => self.threshold = Some(threshold),
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(crate) fn finish(self, start: usize) -> Result<RoleKeys, FormatError> {
        Ok(RoleKeys {
            keyids: self
                .keyids
                .ok_or_else(|| FormatError::new(start, Reason::Missing("keyids")))?,
            threshold: self
                .threshold
                .ok_or_else(|| FormatError::new(start, Reason::Missing("threshold")))?,
        })
    }
}

fn parse_keyids(reader: &mut Reader<'_>) -> Result<Vec<KeyId>, FormatError> {
    let mut keyids = Vec::new();
    let start = reader.offset();
    reader.array(|reader, _| {
        let text = reader.text()?;
        keyids.push(
            KeyId::new(&text.decode())
                .map_err(|_| FormatError::new(text.offset(), Reason::Invalid("an empty keyid")))?,
        );
        Ok(())
    })?;
    let mut sorted: Vec<&KeyId> = keyids.iter().collect();
    sorted.sort_unstable();
    if sorted
        .iter()
        .zip(sorted.iter().skip(1))
        .any(|(one, next)| one == next)
    {
        return Err(FormatError::new(
            start,
            Reason::Invalid("a keyid listed twice"),
        ));
    }
    Ok(keyids)
}

/// Notes the keyids that a role names and its file does not define.
pub(super) fn note_undefined(keys: &KeyTable, role: &RoleKeys, field: &str, notes: &mut Notes) {
    for keyid in &role.keyids {
        if !keys.0.contains_key(keyid) {
            notes.add(Tolerance::KeyidUndefined, || {
                format!("{field}.keyids.{keyid}")
            });
        }
    }
}
