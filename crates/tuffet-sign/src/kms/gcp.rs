//! Google Cloud KMS: `getPublicKey` and `asymmetricSign` of a key version.

mod credentials;

use serde::Deserialize;
use serde_json::{Value, json};
use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme};

use super::endpoint::Endpoint;
use super::error::{KmsError, KmsService};
use super::http::{Http, Request};
use super::secret::{Leased, Secret};
use super::settings::KmsSettings;
use super::signer::{CA_FILE, Found, digest_for};
use super::uri::GcpKey;
use super::wire::{base64, crc32c, from_base64};
use crate::der;

const SERVICE: KmsService = KmsService::Gcp;

/// The longest message that is signed without being hashed first, in bytes.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// A version of a key, and how it is reached.
#[derive(Debug)]
pub(super) struct Gcp {
    http: Http,
    place: Endpoint,
    name: String,
    token: Leased<Secret>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicKeyAnswer {
    name: String,
    algorithm: String,
    #[serde(default)]
    pem: String,
    pem_crc32c: Option<String>,
    public_key: Option<Checksummed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checksummed {
    data: String,
    crc32c_checksum: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignAnswer {
    name: String,
    signature: String,
    signature_crc32c: Option<String>,
    #[serde(default)]
    verified_digest_crc32c: bool,
    #[serde(default)]
    verified_data_crc32c: bool,
}

impl Gcp {
    pub(super) fn new(key: &GcpKey, settings: &KmsSettings) -> Result<Self, KmsError> {
        let variable = "TUFFET_GCPKMS_ENDPOINT";
        let place = match settings.chosen_endpoint() {
            Some(url) => Endpoint::parse(SERVICE, "the settings", url, settings)?,
            None => match settings.variable(variable) {
                Some(url) => Endpoint::parse(SERVICE, variable, &url, settings)?,
                None => Endpoint::https("cloudkms.googleapis.com"),
            },
        };
        Ok(Self {
            http: Http::new(SERVICE, settings, &[CA_FILE])?,
            place,
            name: key.name().to_owned(),
            token: Leased::new(),
        })
    }

    pub(super) fn public_key(&self) -> Result<Found, KmsError> {
        let get = |query: &str| {
            let token = self.token()?;
            let target = format!("/v1/{}/publicKey{query}", self.name);
            self.http
                .send(&Request::get(&self.place, target).bearer(&token))
        };
        // Which form a key has is not known before its algorithm is; those of ML-DSA have to be asked for by name.
        let answer = match get("") {
            Err(refused @ KmsError::Refused { .. }) => {
                get("?publicKeyFormat=NIST_PQC").map_err(|_| refused)?
            }
            other => other?,
        };
        let answer: PublicKeyAnswer = answer.json(SERVICE)?;
        self.check_name(&answer.name)?;
        let scheme = scheme(&answer.algorithm).ok_or_else(|| KmsError::Refused {
            service: SERVICE,
            said: "the algorithm of the key is none that TUF knows".to_owned(),
        })?;
        let key = key_of(&answer, scheme)?
            .filter(|key| key.fits(scheme))
            .ok_or_else(|| strange("the public key is none that can be used"))?;
        Ok(Found {
            key,
            schemes: vec![scheme],
        })
    }

    pub(super) fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        let digest = digest_for(scheme, message);
        let body = match &digest {
            Some(digest) => {
                let name = digest.algorithm().name();
                json!({
                    "digest": { name: base64(digest.as_bytes()) },
                    "digestCrc32c": crc32c(digest.as_bytes()).to_string(),
                })
            }
            None if message.len() > LONGEST_MESSAGE => {
                return Err(KmsError::TooLong {
                    service: SERVICE,
                    length: message.len(),
                    most: LONGEST_MESSAGE,
                });
            }
            None => json!({
                "data": base64(message),
                "dataCrc32c": crc32c(message).to_string(),
            }),
        };
        let answer = self.post_sign(&body)?;
        self.check_name(&answer.name)?;
        let arrived = match digest {
            Some(_) => answer.verified_digest_crc32c,
            None => answer.verified_data_crc32c,
        };
        if !arrived {
            return Err(strange("it has not checked what arrived there"));
        }
        let signature =
            from_base64(&answer.signature).ok_or_else(|| strange("the signature is not base64"))?;
        check(&signature, answer.signature_crc32c.as_deref())?;
        Ok(signature)
    }

    fn post_sign(&self, body: &Value) -> Result<SignAnswer, KmsError> {
        let target = format!("/v1/{}:asymmetricSign", self.name);
        let token = self.token()?;
        let request = Request::post_json(&self.place, target, body).bearer(&token);
        self.http.send(&request)?.json(SERVICE)
    }

    fn token(&self) -> Result<std::sync::Arc<Secret>, KmsError> {
        let now = self.http.settings().now();
        self.token.get(now, || credentials::fetch(&self.http))
    }

    fn check_name(&self, name: &str) -> Result<(), KmsError> {
        if name == self.name {
            Ok(())
        } else {
            Err(strange("it is about another key"))
        }
    }
}

/// The key, if it can be read.
fn key_of(answer: &PublicKeyAnswer, scheme: Scheme) -> Result<Option<PublicKey>, KmsError> {
    if !answer.pem.is_empty() {
        check(answer.pem.as_bytes(), answer.pem_crc32c.as_deref())?;
        return Ok(PublicKey::from_pem(&answer.pem).ok());
    }
    let Some(raw) = &answer.public_key else {
        return Ok(None);
    };
    let Some(bytes) = from_base64(&raw.data) else {
        return Ok(None);
    };
    check(&bytes, raw.crc32c_checksum.as_deref())?;
    Ok(scheme.ml_dsa_parameters().and_then(|parameters| {
        der::checked(&PublicKey::MlDsa {
            parameters,
            bytes: bytes.into(),
        })
        .ok()
    }))
}

/// The checksum came with the bytes and tells damage from malice no better than anything else that came with them: what
/// decides is that the signature verifies. A damaged key would be taken for another one, so it is compared as well.
fn check(bytes: &[u8], checksum: Option<&str>) -> Result<(), KmsError> {
    match checksum {
        Some(expected) if expected != crc32c(bytes).to_string() => {
            Err(strange("its checksum is wrong"))
        }
        _ => Ok(()),
    }
}

fn strange(what: &str) -> KmsError {
    KmsError::Answer {
        service: SERVICE,
        what: what.to_owned(),
    }
}

/// The scheme of an algorithm of the interface. A version of a key has exactly one.
fn scheme(algorithm: &str) -> Option<Scheme> {
    let hash = |name| match name {
        "SHA256" => Some(HashAlgorithm::Sha256),
        "SHA512" => Some(HashAlgorithm::Sha512),
        _ => None,
    };
    Some(match algorithm {
        "EC_SIGN_P256_SHA256" => Scheme::EcdsaP256Sha256,
        "EC_SIGN_P384_SHA384" => Scheme::EcdsaP384Sha384,
        "EC_SIGN_ED25519" => Scheme::Ed25519,
        "PQ_SIGN_ML_DSA_44" => Scheme::MlDsa44,
        "PQ_SIGN_ML_DSA_65" => Scheme::MlDsa65,
        "PQ_SIGN_ML_DSA_87" => Scheme::MlDsa87,
        // RSA_SIGN_PSS_3072_SHA256: the length of the key is seen at the key.
        rsa => {
            let (padding, rest) = rsa.strip_prefix("RSA_SIGN_")?.split_once('_')?;
            let (bits, name) = rest.split_once('_')?;
            let hash = hash(name).filter(|_| bits.bytes().all(|byte| byte.is_ascii_digit()))?;
            match padding {
                "PSS" => Scheme::RsaPss(hash),
                "PKCS1" => Scheme::RsaPkcs1v15(hash),
                _ => return None,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_mapped_and_others_are_not_guessed() {
        for (algorithm, name) in [
            ("EC_SIGN_P256_SHA256", Some("ecdsa-sha2-nistp256")),
            ("EC_SIGN_ED25519", Some("ed25519")),
            ("RSA_SIGN_PSS_2048_SHA256", Some("rsassa-pss-sha256")),
            ("RSA_SIGN_PSS_4096_SHA512", Some("rsassa-pss-sha512")),
            ("RSA_SIGN_PKCS1_3072_SHA256", Some("rsa-pkcs1v15-sha256")),
            ("PQ_SIGN_ML_DSA_65", Some("ml-dsa-65/1")),
            ("PQ_SIGN_ML_DSA_65_EXTERNAL_MU", None),
            ("PQ_SIGN_SLH_DSA_SHA2_128S", None),
            ("EC_SIGN_SECP256K1_SHA256", None),
            ("RSA_SIGN_RAW_PKCS1_2048", None),
            ("RSA_SIGN_PSS_2048_SHA1", None),
            ("", None),
        ] {
            assert_eq!(scheme(algorithm).map(Scheme::name), name, "{algorithm}");
        }
    }
}
