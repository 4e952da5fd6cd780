//! Keys as metadata lists them, and what their holders write.

use ed25519_dalek::{Signer as _, SigningKey};
use tuffet_core::crypto::{Curve, Key, MlDsaParameters, PublicKey, Scheme, hex, signed_message};
use tuffet_core::json::Value;

use crate::crypto::{Toy, sha256};
use crate::document::{object, text};

/// A key of these tests: its object in metadata, and the id under which it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestKey {
    /// The id under which it is listed.
    pub keyid: String,
    /// Its object in `keys`.
    pub object: Value,
    /// The private half, if it is a real one.
    seed: Option<[u8; 32]>,
}

impl TestKey {
    /// An ed25519 key made from a name; its id is the hash of its object.
    pub fn new(name: &str) -> Self {
        Self::ed25519(&sha256(name.as_bytes()).to_hex())
    }

    /// An ed25519 key from the hexadecimal text of its public half.
    pub fn ed25519(public: &str) -> Self {
        Self::of("ed25519", "ed25519", public)
    }

    /// A key of any type.
    pub fn of(keytype: &str, scheme: &str, public: &str) -> Self {
        Self::from_object(object([
            ("keytype", text(keytype)),
            ("scheme", text(scheme)),
            ("keyval", object([("public", text(public))])),
        ]))
    }

    /// A real ed25519 key made from a name, for clients that verify signatures. Everybody can make it: it protects nothing.
    pub fn real(name: &str) -> Self {
        let mut seed = [0; 32];
        seed.copy_from_slice(sha256(name.as_bytes()).as_bytes());
        let public = SigningKey::from_bytes(&seed).verifying_key();
        Self {
            seed: Some(seed),
            ..Self::ed25519(&hex::encode(public.as_bytes()))
        }
    }

    /// Several keys made from names.
    pub fn all<const N: usize>(names: [&str; N]) -> [Self; N] {
        names.map(Self::new)
    }

    /// A key on P-256 from an encoded point, as PEM.
    pub fn p256(point: &[u8]) -> Self {
        let public = PublicKey::Ecdsa {
            curve: Curve::P256,
            point: point.into(),
        };
        let scheme = Scheme::EcdsaP256Sha256.name();
        Self::of("ecdsa", scheme, &public.to_spki_pem())
    }

    /// An RSA key with a modulus of so many bytes, as PEM.
    pub fn rsa(scheme: Scheme, bytes: usize) -> Self {
        Self::rsa_with(scheme, bytes, &[1, 0, 1])
    }

    /// The RSA key of the same modulus and another exponent.
    pub fn rsa_with(scheme: Scheme, bytes: usize, exponent: &[u8]) -> Self {
        let public = Self::rsa_public(bytes, exponent);
        Self::of("rsa", scheme.name(), &public.to_spki_pem())
    }

    /// The public half of [`TestKey::rsa_with`].
    pub fn rsa_public(bytes: usize, exponent: &[u8]) -> PublicKey {
        let modulus = std::iter::once(0x81).chain(std::iter::repeat_n(0x55, bytes - 1));
        PublicKey::Rsa {
            modulus: modulus.collect(),
            exponent: exponent.into(),
        }
    }

    /// An ML-DSA-44 key whose bytes are all the same.
    pub fn ml_dsa(fill: u8) -> Self {
        let parameters = MlDsaParameters::MlDsa44;
        let bytes = vec![fill; parameters.public_key_length()].into();
        let public = PublicKey::MlDsa { parameters, bytes };
        let scheme = Scheme::MlDsa44.name();
        Self::of("ml-dsa", scheme, &public.to_spki_pem())
    }

    /// A key from its object; its id is the hash of that.
    pub fn from_object(object: Value) -> Self {
        Self {
            keyid: sha256(&object.canonical()).to_hex(),
            object,
            seed: None,
        }
    }

    /// The same key under another id.
    pub fn named(&self, keyid: &str) -> Self {
        Self {
            keyid: keyid.to_owned(),
            ..self.clone()
        }
    }

    /// The key as the core reads it.
    pub fn key(&self) -> Key {
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
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        if let Some(seed) = &self.seed {
            return SigningKey::from_bytes(seed).sign(message).to_vec();
        }
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
    pub fn entry(&self, message: &[u8]) -> Value {
        object([
            ("keyid", text(&self.keyid)),
            ("sig", text(&hex::encode(&self.sign(message)))),
        ])
    }
}
