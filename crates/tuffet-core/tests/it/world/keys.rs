//! Keys as metadata lists them, and what their holders write.

use tuffet_core::crypto::{Curve, Key, MlDsaParameters, PublicKey, Scheme, hex, signed_message};
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

    /// Several keys made from names.
    pub(crate) fn all<const N: usize>(names: [&str; N]) -> [Self; N] {
        names.map(Self::new)
    }

    /// A key on P-256 from an encoded point, as PEM.
    pub(crate) fn p256(point: &[u8]) -> Self {
        let public = PublicKey::Ecdsa {
            curve: Curve::P256,
            point: point.into(),
        };
        let scheme = Scheme::EcdsaP256Sha256.name();
        Self::of("ecdsa", scheme, &public.to_spki_pem())
    }

    /// An RSA key with a modulus of so many bytes, as PEM.
    pub(crate) fn rsa(scheme: Scheme, bytes: usize) -> Self {
        Self::rsa_with(scheme, bytes, &[1, 0, 1])
    }

    /// The RSA key of the same modulus and another exponent.
    pub(crate) fn rsa_with(scheme: Scheme, bytes: usize, exponent: &[u8]) -> Self {
        let public = Self::rsa_public(bytes, exponent);
        Self::of("rsa", scheme.name(), &public.to_spki_pem())
    }

    pub(crate) fn rsa_public(bytes: usize, exponent: &[u8]) -> PublicKey {
        let modulus = std::iter::once(0x81).chain(std::iter::repeat_n(0x55, bytes - 1));
        PublicKey::Rsa {
            modulus: modulus.collect(),
            exponent: exponent.into(),
        }
    }

    pub(crate) fn ml_dsa(fill: u8) -> Self {
        let parameters = MlDsaParameters::MlDsa44;
        let bytes = vec![fill; parameters.public_key_length()].into();
        let public = PublicKey::MlDsa { parameters, bytes };
        let scheme = Scheme::MlDsa44.name();
        Self::of("ml-dsa", scheme, &public.to_spki_pem())
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
