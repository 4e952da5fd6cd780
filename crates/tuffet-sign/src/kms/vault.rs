//! The transit engine of Vault and OpenBao: reading a key and signing with one of its versions.

mod credentials;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme};

use super::endpoint::Endpoint;
use super::error::{KmsError, KmsService};
use super::http::{Http, Request};
use super::secret::{Leased, Secret};
use super::settings::KmsSettings;
use super::signer::{CA_FILE, Found, digest_for};
use super::uri::VaultKey;
use super::wire::{base64, from_base64};

const SERVICE: KmsService = KmsService::Vault;

/// A version of a key, and how it is reached.
#[derive(Debug)]
pub(super) struct Vault {
    http: Http,
    place: Endpoint,
    mount: String,
    name: String,
    version: u32,
    token: Leased<Secret>,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct KeyAnswer {
    #[serde(rename = "type")]
    kind: String,
    keys: BTreeMap<String, Value>,
    supports_signing: Option<bool>,
}

#[derive(Deserialize)]
struct SignAnswer {
    signature: String,
}

impl Vault {
    pub(super) fn new(key: &VaultKey, settings: &KmsSettings) -> Result<Self, KmsError> {
        let place = match settings.chosen_endpoint() {
            Some(url) => Endpoint::parse(SERVICE, "the settings", url, settings)?,
            None => {
                let found = ["VAULT_ADDR", "BAO_ADDR"]
                    .iter()
                    .find_map(|name| Some((name, settings.variable(name)?)));
                let (name, url) = found.ok_or_else(|| KmsError::Settings {
                    service: SERVICE,
                    what: "VAULT_ADDR is not set to its URL".to_owned(),
                })?;
                Endpoint::parse(SERVICE, name, &url, settings)?
            }
        };
        let authorities = ["VAULT_CACERT", "BAO_CACERT", CA_FILE];
        Ok(Self {
            http: Http::new(SERVICE, settings, &authorities)?,
            place,
            mount: key.mount().to_owned(),
            name: key.name().to_owned(),
            version: key.version(),
            token: Leased::new(),
        })
    }

    pub(super) fn public_key(&self) -> Result<Found, KmsError> {
        let target = format!("/v1/{}/keys/{}", self.mount, self.name);
        let request = self.authorized(Request::get(&self.place, target))?;
        let answer: Answer<KeyAnswer> = self.http.send(&request)?.json(SERVICE)?;
        let answer = answer.data;
        let refused = |said: String| KmsError::Refused {
            service: SERVICE,
            said,
        };
        if answer.supports_signing == Some(false) {
            return Err(refused("the key is not one for signing".to_owned()));
        }
        let version = answer
            .keys
            .get(&self.version.to_string())
            .ok_or_else(|| refused(format!("the key has no version {}", self.version)))?;
        let text = version
            .get("public_key")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let key = match answer.kind.as_str() {
            // As bare bytes; other kinds are PEM.
            "ed25519" => from_base64(text)
                .and_then(|bytes| bytes.try_into().ok())
                .map(PublicKey::Ed25519),
            _ => PublicKey::from_pem(text).ok(),
        };
        let key = key.ok_or_else(|| strange("the public key is none that can be used"))?;
        // What else the engine may learn to sign with, it will want to be asked for in another way.
        let known = |scheme: &Scheme| key.fits(*scheme) && scheme.ml_dsa_parameters().is_none();
        let schemes = Scheme::ALL.into_iter().filter(known).collect();
        Ok(Found { key, schemes })
    }

    pub(super) fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        let target = format!("/v1/{}/sign/{}", self.mount, self.name);
        let request = Request::post_json(&self.place, target, &self.body(scheme, message));
        let request = self.authorized(request)?;
        let answer: Answer<SignAnswer> = self.http.send(&request)?.json(SERVICE)?;
        // vault:v3:BASE64
        let mut parts = answer.data.signature.splitn(3, ':');
        let (_, version, signature) = (parts.next(), parts.next(), parts.next());
        let expected = format!("v{}", self.version);
        if version != Some(expected.as_str()) {
            return Err(strange("it signed with another version of the key"));
        }
        signature
            .and_then(from_base64)
            .ok_or_else(|| strange("the signature has another form"))
    }

    fn body(&self, scheme: Scheme, message: &[u8]) -> Value {
        let digest = digest_for(scheme, message);
        let mut body = json!({
            "key_version": self.version,
            "input": base64(digest.as_ref().map_or(message, |digest| digest.as_bytes())),
        });
        let mut set = |name: &str, value: Value| {
            if let Some(members) = body.as_object_mut() {
                members.insert(name.to_owned(), value);
            }
        };
        if let Some(digest) = &digest {
            set("prehashed", json!(true));
            let name = match digest.algorithm() {
                HashAlgorithm::Sha256 => "sha2-256",
                HashAlgorithm::Sha384 => "sha2-384",
                HashAlgorithm::Sha512 => "sha2-512",
            };
            set("hash_algorithm", json!(name));
        }
        match scheme {
            Scheme::RsaPss(_) => {
                set("signature_algorithm", json!("pss"));
                // The engine would take the longest that fits, and verifiers of TUF do not expect it.
                set("salt_length", json!("hash"));
            }
            Scheme::RsaPkcs1v15(_) => set("signature_algorithm", json!("pkcs1v15")),
            Scheme::EcdsaP256Sha256 | Scheme::EcdsaP384Sha384 | Scheme::EcdsaP521Sha512 => {
                set("marshaling_algorithm", json!("asn1"));
            }
            Scheme::Ed25519 | Scheme::MlDsa44 | Scheme::MlDsa65 | Scheme::MlDsa87 => {}
        }
        body
    }

    fn authorized(&self, request: Request) -> Result<Request, KmsError> {
        let settings = self.http.settings();
        let token = self.token.get(settings.now(), || {
            credentials::fetch(&self.http, &self.place)
        })?;
        let request = request.secret_header("x-vault-token", (*token).clone(), &token);
        Ok(in_namespace(request, settings))
    }
}

/// Namespaces keep the tenants of one server apart.
fn in_namespace(request: Request, settings: &KmsSettings) -> Request {
    let request = request.header("x-vault-request", "true");
    match settings.first_of(&["VAULT_NAMESPACE", "BAO_NAMESPACE"]) {
        Some(namespace) => request.header("x-vault-namespace", namespace),
        None => request,
    }
}

fn strange(what: &str) -> KmsError {
    KmsError::Answer {
        service: SERVICE,
        what: what.to_owned(),
    }
}
