//! Keys as metadata lists them, and what their holders write.

use tuffet_core::crypto::{Key, hex, signed_message};
use tuffet_core::json::Value;

use super::crypto::{Toy, sha256};
use super::document::{object, text};

/// A key of these tests: its object in metadata, and the id under which it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestKey {
    pub(crate) keyid: String,
    pub(crate) object: Value,
}

impl TestKey {
    /// An ed25519 key made from a name; its id is the hash of its object.
    pub(crate) fn new(name: &str) -> Self {
        Self::ed25519(&sha256(name.as_bytes()).to_hex())
    }

    pub(crate) fn ed25519(public: &str) -> Self {
        Self::of("ed25519", "ed25519", public)
    }

    pub(crate) fn of(keytype: &str, scheme: &str, public: &str) -> Self {
        Self::from_object(object([
            ("keytype", text(keytype)),
            ("scheme", text(scheme)),
            ("keyval", object([("public", text(public))])),
        ]))
    }

    pub(crate) fn from_object(object: Value) -> Self {
        Self {
            keyid: sha256(&object.canonical()).to_hex(),
            object,
        }
    }

    /// The same key under another id.
    pub(crate) fn named(&self, keyid: &str) -> Self {
        Self {
            keyid: keyid.to_owned(),
            object: self.object.clone(),
        }
    }

    /// The key as the core reads it.
    pub(crate) fn key(&self) -> Key {
        let part = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let keyval = self.object.get("keyval");
        let public = part(keyval.and_then(|keyval| keyval.get("public")));
        Key::parse(
            &part(self.object.get("keytype")).unwrap_or_default(),
            &part(self.object.get("scheme")).unwrap_or_default(),
            public.as_deref(),
            &self.object.canonical(),
        )
    }

    /// The signature over a message that is canonical already, or is the encoding of a DSSE payload.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let key = self.key();
        match key.usable() {
            Some((scheme, _)) => {
                let message = signed_message(scheme, message, &Toy::default());
                Toy::signature(&key, &message)
            }
            None => Toy::signature(&key, message),
        }
    }

    /// An entry of `signatures`.
    pub(crate) fn entry(&self, message: &[u8]) -> Value {
        object([
            ("keyid", text(&self.keyid)),
            ("sig", text(&hex::encode(&self.sign(message)))),
        ])
    }
}
