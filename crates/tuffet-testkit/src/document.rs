//! Metadata files: a `signed` part that tests edit freely, and who signs it.

use tuffet_core::json::Value;

use crate::keys::TestKey;

/// How the bytes are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// The signed part is canonical as it stands.
    Canonical,
    /// With white space, so that the signed part has to be canonicalised.
    Pretty,
}

/// Which envelope is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// `{"signed", "signatures"}` (TUF §4.2.1).
    Json,
    /// A DSSE envelope (TAP 17).
    Dsse,
}

/// A metadata file before it is written.
#[derive(Debug, Clone)]
pub struct Document {
    /// What is signed.
    pub signed: Value,
    /// Who signs.
    pub signers: Vec<TestKey>,
    /// Entries of `signatures` that stand before those of the signers.
    pub extra: Vec<Value>,
    /// How the bytes are laid out.
    pub layout: Layout,
    /// Which envelope is written.
    pub envelope: Envelope,
}

impl Document {
    /// A document in the JSON envelope.
    pub fn new(signed: Value, signers: Vec<TestKey>, layout: Layout) -> Self {
        Self {
            signed,
            signers,
            extra: Vec::new(),
            layout,
            envelope: Envelope::Json,
        }
    }

    /// The version that `signed` says.
    pub fn version(&self) -> u64 {
        at(&self.signed, &["version"]).as_u64().expect("a version")
    }

    /// Says another version.
    pub fn set_version(&mut self, version: u64) {
        insert(&mut self.signed, &["version"], version);
    }

    /// Says another date of expiry.
    pub fn expire(&mut self, at: &str) {
        insert(&mut self.signed, &["expires"], at);
    }

    /// The file, signed by its signers.
    pub fn bytes(&self) -> Vec<u8> {
        match self.envelope {
            Envelope::Json => self.json(),
            Envelope::Dsse => self.dsse("application/vnd.tuf+json"),
        }
    }

    fn json(&self) -> Vec<u8> {
        let canonical = self.signed.canonical();
        let signatures = self.signers.iter().map(|key| key.entry(&canonical));
        let signatures = array(self.extra.iter().cloned().chain(signatures));
        let file = object([("signatures", signatures), ("signed", self.signed.clone())]);
        match self.layout {
            Layout::Canonical => file.to_compact_json(),
            Layout::Pretty => file.to_pretty_json(),
        }
    }

    /// The file as a DSSE envelope with a payload type of one's choice.
    pub fn dsse(&self, payload_type: &str) -> Vec<u8> {
        let payload = match self.layout {
            Layout::Canonical => self.signed.to_compact_json(),
            Layout::Pretty => self.signed.to_pretty_json(),
        };
        let mut message = format!(
            "DSSEv1 {} {payload_type} {} ",
            payload_type.len(),
            payload.len()
        )
        .into_bytes();
        message.extend_from_slice(&payload);
        let signatures = self.signers.iter().map(|key| {
            object([
                ("keyid", text(&key.keyid)),
                ("sig", text(&base64(&key.sign(&message)))),
            ])
        });
        object([
            ("payload", text(&base64(&payload))),
            ("payloadType", text(payload_type)),
            (
                "signatures",
                array(self.extra.iter().cloned().chain(signatures)),
            ),
        ])
        .to_compact_json()
    }
}

/// Base 64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut output = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0_u32, |all, &byte| all << 8 | u32::from(byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            if place <= chunk.len() {
                output.push(char::from(
                    DIGITS[(group >> (18 - 6 * place) & 0x3f) as usize],
                ));
            } else {
                output.push('=');
            }
        }
    }
    output
}

/// A JSON string.
pub fn text(text: &str) -> Value {
    Value::from(text)
}

/// A JSON array.
pub fn array(values: impl IntoIterator<Item = Value>) -> Value {
    values.into_iter().collect()
}

/// A JSON object.
pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    members.into_iter().collect()
}

/// The value at a path of member names and array positions.
pub(crate) fn at<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    path.iter().fold(value, |value, segment| {
        match value {
            Value::Array(elements) => segment
                .parse()
                .ok()
                .and_then(|place: usize| elements.get(place)),
            other => other.get(segment),
        }
        .unwrap_or_else(|| panic!("nothing at {segment} of {path:?}"))
    })
}

/// The value at a path, for changing it.
pub fn edit<'v>(value: &'v mut Value, path: &[&str]) -> &'v mut Value {
    path.iter().fold(value, |value, segment| {
        match value {
            Value::Array(elements) => segment
                .parse()
                .ok()
                .and_then(|place: usize| elements.get_mut(place)),
            other => other.get_mut(segment),
        }
        .unwrap_or_else(|| panic!("nothing at {segment} of {path:?}"))
    })
}

/// Puts a member at the path, over another or as a new one.
pub fn insert(value: &mut Value, path: &[&str], member: impl Into<Value>) {
    let (last, parents) = path.split_last().expect("a path");
    edit(value, parents)
        .as_object_mut()
        .expect("an object")
        .insert((*last).to_owned(), member.into());
}

/// Takes a member away.
pub fn remove(value: &mut Value, path: &[&str]) {
    let (last, parents) = path.split_last().expect("a path");
    edit(value, parents)
        .as_object_mut()
        .expect("an object")
        .remove(*last)
        .unwrap_or_else(|| panic!("nothing at {path:?}"));
}
