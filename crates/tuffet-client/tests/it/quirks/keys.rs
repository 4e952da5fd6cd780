//! Keys as metadata lists them, in every way that was met.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme, hex};
use tuffet_core::json::Value;
use tuffet_sign::{FileKey, Protection, PublicKeyInfo, Signer};

use super::document::{digest, object, text};

/// A key object with its keyid, and the private half unless nobody can sign with it here.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) object: Value,
    signer: Option<Arc<dyn Signer>>,
}

impl Key {
    /// A new key, listed as the specification says.
    pub(crate) fn new(scheme: Scheme) -> Self {
        Self::of(Arc::new(FileKey::generate(scheme).unwrap()))
    }

    pub(crate) fn ed25519() -> Self {
        Self::new(Scheme::Ed25519)
    }

    fn of(signer: Arc<dyn Signer>) -> Self {
        let listed = signer.public().metadata();
        let listed = object([
            ("keytype", text(listed.keytype)),
            ("scheme", text(listed.scheme)),
            ("keyval", object([("public", text(&listed.public))])),
        ]);
        Self {
            signer: Some(signer),
            ..Self::opaque(listed)
        }
    }

    /// A key that nobody can sign with here.
    pub(crate) fn opaque(object: Value) -> Self {
        Self {
            id: digest(HashAlgorithm::Sha256, &object.canonical()),
            object,
            signer: None,
        }
    }

    /// A Sigstore identity: who may sign, instead of a key (TAP 18).
    pub(crate) fn identity() -> Self {
        let identity = object([
            ("identity", text("release@example.org")),
            ("issuer", text("https://accounts.example.org")),
        ]);
        Self::opaque(object([
            ("keytype", text("sigstore-oidc")),
            ("scheme", text("Fulcio")),
            ("keyval", identity),
        ]))
    }

    /// The same RSA key with each scheme that RSA keys sign with. It takes long to make one.
    pub(crate) fn rsa_with_each_scheme() -> Vec<(Scheme, Self)> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("rsa.pem");
        let key = FileKey::generate(Scheme::RsaPss(HashAlgorithm::Sha256)).unwrap();
        key.save(&file, Protection::Plain).unwrap();
        Scheme::ALL
            .into_iter()
            .filter(|scheme| scheme.keytype() == "rsa")
            .map(|scheme| {
                let key = FileKey::open(&file, || None).unwrap();
                (scheme, Self::of(Arc::new(key.with_scheme(scheme).unwrap())))
            })
            .collect()
    }

    /// Listed in another way; the keyid is that of the new object.
    pub(crate) fn listed(self, edit: impl FnOnce(&mut Value)) -> Self {
        let mut object = self.object;
        edit(&mut object);
        Self {
            signer: self.signer,
            ..Self::opaque(object)
        }
    }

    /// Under this keyid, whatever the object is.
    pub(crate) fn named(self, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            ..self
        }
    }

    pub(crate) fn with_public(self, public: &str) -> Self {
        self.listed(|key| *key.get_mut("keyval").unwrap() = object([("public", text(public))]))
    }

    pub(crate) fn with_keytype(self, keytype: &str) -> Self {
        self.listed(|key| *key.get_mut("keytype").unwrap() = text(keytype))
    }

    /// The point in hexadecimal digits instead of PEM.
    pub(crate) fn with_hex_point(self) -> Self {
        let PublicKey::Ecdsa { point, .. } = self.public().public() else {
            panic!("only ECDSA keys are points");
        };
        let digits = hex::encode(point);
        self.with_public(&digits)
    }

    /// An ed25519 key as PEM.
    pub(crate) fn with_pem(self) -> Self {
        let pem = self.public().public().to_spki_pem();
        self.with_public(&pem)
    }

    /// An RSA key in the older form of PEM.
    pub(crate) fn with_rsa_public_key(self) -> Self {
        let der = self.public().public().to_rsa_der().unwrap();
        let lines: Vec<String> = Base64::encode_string(&der)
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        self.with_public(&format!(
            "-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n",
            lines.join("\n")
        ))
    }

    fn public(&self) -> &PublicKeyInfo {
        self.signer.as_ref().unwrap().public()
    }

    /// The signature of a canonical form, or of what stands for one in a DSSE envelope; `None` for an opaque key.
    pub(crate) fn sign(&self, canonical: &[u8]) -> Option<Vec<u8>> {
        let signer = self.signer.as_ref()?;
        Some(signer.sign_canonical(canonical).unwrap().into_bytes())
    }
}
