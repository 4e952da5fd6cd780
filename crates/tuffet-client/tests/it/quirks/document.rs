//! One metadata file on its way to being signed and written.

use base64ct::{Base64, Encoding};
use tuffet_core::crypto::{HashAlgorithm, hex};
use tuffet_core::json::Value;
use tuffet_core::metadata::pre_authentication_encoding;

use super::keys::Key;

pub(crate) fn digest(algorithm: HashAlgorithm, bytes: &[u8]) -> String {
    tuffet_crypto::default_provider()
        .digest(algorithm, bytes)
        .to_hex()
}

pub(crate) fn text(text: &str) -> Value {
    text.into()
}

pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    members.into_iter().collect()
}

pub(crate) fn array(elements: impl IntoIterator<Item = Value>) -> Value {
    elements.into_iter().collect()
}

/// The value at a path of member names and places; objects on the way are made.
pub(crate) fn at<'v>(value: &'v mut Value, path: &[&str]) -> &'v mut Value {
    path.iter().fold(value, |value, name| match value {
        Value::Array(elements) => &mut elements[name.parse::<usize>().unwrap()],
        Value::Object(members) => members
            .entry((*name).to_owned())
            .or_insert_with(|| object([])),
        other => panic!("{name} in {other:?}"),
    })
}

/// How a file is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Without blanks, members in order.
    Compact,
    /// With blanks, members in order.
    Pretty,
    /// With blanks, members in reverse order, characters beyond ASCII escaped: as far from canonical as it gets.
    Disorderly,
    /// In a DSSE envelope (TAP 17).
    Dsse,
}

/// What is signed, by whom, and how it is written.
#[derive(Clone)]
pub(crate) struct Document {
    pub(crate) signed: Value,
    pub(crate) signers: Vec<Key>,
    /// Other entries of `signatures`, in front of those of the signers.
    pub(crate) others: Vec<Value>,
    /// What stands beside `signed` and `signatures`.
    pub(crate) beside: Vec<(&'static str, Value)>,
    pub(crate) form: Form,
    /// Whether signatures are written in capital digits.
    pub(crate) capitals: bool,
}

impl Document {
    pub(crate) fn new<'a>(kind: &str, members: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let header = [
            ("_type", text(kind)),
            ("spec_version", text("1.0.34")),
            ("version", 1.into()),
            ("expires", text("2031-01-01T00:00:00Z")),
        ];
        Self {
            signed: object(header.into_iter().chain(members)),
            signers: Vec::new(),
            others: Vec::new(),
            beside: Vec::new(),
            form: Form::Compact,
            capitals: false,
        }
    }

    pub(crate) fn set(&mut self, path: &[&str], value: impl Into<Value>) {
        *at(&mut self.signed, path) = value.into();
    }

    pub(crate) fn version(&self) -> u64 {
        self.signed.get("version").unwrap().as_u64().unwrap()
    }

    pub(crate) fn set_version(&mut self, version: u64) {
        self.set(&["version"], version);
    }

    /// A signature that is none, under any keyid.
    pub(crate) fn add_signature(&mut self, keyid: &str, value: &str) {
        let entry = object([("keyid", text(keyid)), ("sig", text(value))]);
        self.others.push(entry);
    }

    /// The bytes of the file, signed anew.
    pub(crate) fn write(&self) -> Vec<u8> {
        if self.form == Form::Dsse {
            return self.write_dsse();
        }
        let canonical = self.signed.canonical();
        let signatures = self.signatures(|key| {
            let digits = hex::encode(&key.sign(&canonical)?);
            Some(if self.capitals {
                digits.to_uppercase()
            } else {
                digits
            })
        });
        let members = [("signatures", signatures), ("signed", self.signed.clone())];
        let file = object(members.into_iter().chain(self.beside.clone()));
        match self.form {
            Form::Pretty => file.to_pretty_json(),
            Form::Disorderly => {
                let mut written = String::new();
                disorder(&mut written, &file);
                written.into_bytes()
            }
            Form::Compact | Form::Dsse => file.to_compact_json(),
        }
    }

    fn write_dsse(&self) -> Vec<u8> {
        let payload = self.signed.to_compact_json();
        let message = pre_authentication_encoding(&payload);
        let signatures = self.signatures(|key| {
            let signature = key.sign(&message);
            signature.as_deref().map(Base64::encode_string)
        });
        object([
            ("payload", text(&Base64::encode_string(&payload))),
            ("payloadType", text("application/vnd.tuf+json")),
            ("signatures", signatures),
        ])
        .to_compact_json()
    }

    fn signatures(&self, sign: impl Fn(&Key) -> Option<String>) -> Value {
        let signed = self.signers.iter().filter_map(|key| {
            let value = sign(key)?;
            Some(object([("keyid", text(&key.id)), ("sig", text(&value))]))
        });
        array(self.others.iter().cloned().chain(signed))
    }
}

fn disorder(written: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            written.push_str("{\r\n\t");
            for (place, (name, value)) in members.iter().rev().enumerate() {
                if place > 0 {
                    written.push_str(" ,\n");
                }
                escape(written, name);
                written.push_str(" : ");
                disorder(written, value);
            }
            written.push_str(" }");
        }
        Value::Array(elements) => {
            written.push('[');
            for (place, element) in elements.iter().enumerate() {
                written.push_str(if place > 0 { " , " } else { " " });
                disorder(written, element);
            }
            written.push(']');
        }
        Value::Text(text) => escape(written, text),
        plain => written.push_str(str::from_utf8(&plain.to_compact_json()).unwrap()),
    }
}

fn escape(written: &mut String, text: &str) {
    written.push('"');
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii_alphanumeric() => written.push(char::from(byte)),
            _ => written.push_str(&format!("\\u{unit:04X}")),
        }
    }
    written.push('"');
}
