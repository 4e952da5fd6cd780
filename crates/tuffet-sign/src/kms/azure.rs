//! Azure Key Vault and Managed HSM: `Get Key` and `sign` of a key version.

mod credentials;

use serde::Deserialize;
use serde_json::json;
use tuffet_core::crypto::{Curve, HashAlgorithm, PublicKey, Scheme};

use super::endpoint::Endpoint;
use super::error::{KmsError, KmsService};
use super::http::{Http, Request};
use super::secret::{Leased, Secret};
use super::settings::KmsSettings;
use super::signer::{CA_FILE, Found, digest_for};
use super::uri::AzureKey;
use super::wire::{base64_url, from_base64_url};
use crate::der;

const SERVICE: KmsService = KmsService::Azure;
const VERSION: &str = "api-version=7.4";

/// A version of a key, and how it is reached.
#[derive(Debug)]
pub(super) struct Azure {
    http: Http,
    place: Endpoint,
    /// The key version behind the host.
    path: String,
    /// What a token has to be for.
    resource: String,
    token: Leased<Secret>,
}

#[derive(Deserialize)]
struct KeyAnswer {
    key: WebKey,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Deserialize, Default)]
struct Attributes {
    enabled: Option<bool>,
}

/// A JSON web key (RFC 7517, RFC 7518 §6).
#[derive(Deserialize)]
struct WebKey {
    kid: String,
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    key_ops: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct SignAnswer {
    kid: String,
    value: String,
}

impl Azure {
    pub(super) fn new(key: &AzureKey, settings: &KmsSettings) -> Result<Self, KmsError> {
        let variable = "TUFFET_AZUREKMS_ENDPOINT";
        let place = match settings.chosen_endpoint() {
            Some(url) => Endpoint::parse(SERVICE, "the settings", url, settings)?,
            None => match settings.variable(variable) {
                Some(url) => Endpoint::parse(SERVICE, variable, &url, settings)?,
                None => Endpoint::https(key.host()),
            },
        };
        let domain = key.host().split_once('.').map_or("", |(_, domain)| domain);
        Ok(Self {
            http: Http::new(SERVICE, settings, &[CA_FILE])?,
            place,
            path: format!("/keys/{}/{}", key.name(), key.version()),
            resource: format!("https://{domain}"),
            token: Leased::new(),
        })
    }

    pub(super) fn public_key(&self) -> Result<Found, KmsError> {
        let token = self.token()?;
        let target = format!("{}?{VERSION}", self.path);
        let request = Request::get(&self.place, target).bearer(&token);
        let answer: KeyAnswer = self.http.send(&request)?.json(SERVICE)?;
        self.check_id(&answer.key.kid)?;
        let refused = |said: &str| KmsError::Refused {
            service: SERVICE,
            said: said.to_owned(),
        };
        let signs = |operations: &Vec<String>| operations.iter().any(|name| name == "sign");
        if !answer.key.key_ops.as_ref().is_none_or(signs) {
            return Err(refused("the key is not one for signing"));
        }
        if answer.attributes.enabled == Some(false) {
            return Err(refused("the key is disabled"));
        }
        let key = public_key(&answer.key)
            .ok_or_else(|| strange("the public key is none that can be used"))?;
        let schemes = Scheme::ALL
            .into_iter()
            .filter(|scheme| algorithm(*scheme).is_some() && key.fits(*scheme))
            .collect();
        Ok(Found { key, schemes })
    }

    pub(super) fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        let (Some(name), Some(digest)) = (algorithm(scheme), digest_for(scheme, message)) else {
            return Err(strange("it is asked for a scheme it does not have"));
        };
        let token = self.token()?;
        let target = format!("{}/sign?{VERSION}", self.path);
        let body = json!({ "alg": name, "value": base64_url(digest.as_bytes()) });
        let request = Request::post_json(&self.place, target, &body).bearer(&token);
        let answer: SignAnswer = self.http.send(&request)?.json(SERVICE)?;
        self.check_id(&answer.kid)?;
        let raw = from_base64_url(&answer.value);
        let signature = match scheme.curve() {
            Some(curve) => raw
                .filter(|raw| raw.len() == curve.coordinate_length().saturating_mul(2))
                .and_then(|raw| der::ecdsa_signature_of_halves(&raw)),
            None => raw,
        };
        signature.ok_or_else(|| strange("the signature has another form"))
    }

    fn token(&self) -> Result<std::sync::Arc<Secret>, KmsError> {
        let now = self.http.settings().now();
        self.token
            .get(now, || credentials::fetch(&self.http, &self.resource))
    }

    /// The identifier is the URL of the key version; its host differs when another endpoint is set.
    fn check_id(&self, id: &str) -> Result<(), KmsError> {
        let path = id
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)));
        if path.is_some_and(|path| path.eq_ignore_ascii_case(&self.path)) {
            Ok(())
        } else {
            Err(strange("it is about another key"))
        }
    }
}

fn public_key(key: &WebKey) -> Option<PublicKey> {
    let number =
        |text: &Option<String>| from_base64_url(text.as_deref()?).filter(|bytes| !bytes.is_empty());
    let read = match key.kty.as_str() {
        "RSA" | "RSA-HSM" => PublicKey::Rsa {
            modulus: number(&key.n)?.into(),
            exponent: number(&key.e)?.into(),
        },
        "EC" | "EC-HSM" => {
            let curve = match key.crv.as_deref()? {
                "P-256" => Curve::P256,
                "P-384" => Curve::P384,
                "P-521" => Curve::P521,
                _ => return None,
            };
            let mut point = vec![0x04];
            for coordinate in [number(&key.x)?, number(&key.y)?] {
                let missing = curve.coordinate_length().checked_sub(coordinate.len())?;
                point.resize(point.len().saturating_add(missing), 0);
                point.extend(coordinate);
            }
            PublicKey::Ecdsa {
                curve,
                point: point.into(),
            }
        }
        _ => return None,
    };
    der::checked(&read).ok()
}

fn strange(what: &str) -> KmsError {
    KmsError::Answer {
        service: SERVICE,
        what: what.to_owned(),
    }
}

/// The name of a scheme in the interface (RFC 7518 §3.1), if it has one.
fn algorithm(scheme: Scheme) -> Option<&'static str> {
    Some(match scheme {
        Scheme::EcdsaP256Sha256 => "ES256",
        Scheme::EcdsaP384Sha384 => "ES384",
        Scheme::EcdsaP521Sha512 => "ES512",
        Scheme::RsaPss(HashAlgorithm::Sha256) => "PS256",
        Scheme::RsaPss(HashAlgorithm::Sha384) => "PS384",
        Scheme::RsaPss(HashAlgorithm::Sha512) => "PS512",
        Scheme::RsaPkcs1v15(HashAlgorithm::Sha256) => "RS256",
        Scheme::RsaPkcs1v15(HashAlgorithm::Sha384) => "RS384",
        Scheme::RsaPkcs1v15(HashAlgorithm::Sha512) => "RS512",
        Scheme::Ed25519 | Scheme::MlDsa44 | Scheme::MlDsa65 | Scheme::MlDsa87 => return None,
    })
}
