//! AWS KMS: `GetPublicKey` and `Sign` of its JSON interface.

mod credentials;
mod profile;
mod sigv4;

use serde::Deserialize;
use serde_json::json;
use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme};

use self::profile::Profile;
use self::sigv4::{AwsCredentials, Scope, Signed};
use super::endpoint::Endpoint;
use super::error::{KmsError, KmsService};
use super::http::{Answer, Http, Meaning, Method, Request};
use super::secret::{Leased, Secret};
use super::settings::KmsSettings;
use super::signer::{CA_FILE, Found, digest_for};
use super::uri::AwsKey;
use super::wire::{base64, from_base64};

const SERVICE: KmsService = KmsService::Aws;

/// The longest message that the service hashes itself, in bytes.
const LONGEST_MESSAGE: usize = 4096;

/// A key, and how it is reached.
#[derive(Debug)]
pub(super) struct Aws {
    http: Http,
    place: Endpoint,
    region: String,
    key: String,
    profile: Profile,
    credentials: Leased<AwsCredentials>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PublicKeyAnswer {
    public_key: String,
    key_usage: String,
    #[serde(default)]
    signing_algorithms: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SignAnswer {
    signature: String,
    signing_algorithm: Option<String>,
}

impl Aws {
    pub(super) fn new(key: &AwsKey, settings: &KmsSettings) -> Result<Self, KmsError> {
        let wrong = |what: String| KmsError::Settings {
            service: SERVICE,
            what,
        };
        let profile = Profile::read(settings).map_err(wrong)?;
        let region = key
            .region()
            .map(str::to_owned)
            .or_else(|| settings.first_of(&["AWS_REGION", "AWS_DEFAULT_REGION"]))
            .or_else(|| profile.region())
            .ok_or_else(|| {
                wrong("no region is known; AWS_REGION or `?region=` in the URI names it".to_owned())
            })?;
        if !super::uri::is_region(&region) {
            return Err(wrong("the region is not one".to_owned()));
        }
        let place = match settings.chosen_endpoint() {
            Some(url) => Endpoint::parse(SERVICE, "the settings", url, settings)?,
            None => match override_of(settings, "KMS")? {
                Some(place) => place,
                None => {
                    let fips = settings.is_true("AWS_USE_FIPS_ENDPOINT");
                    Endpoint::https(&regional("kms", &region, fips))
                }
            },
        };
        Ok(Self {
            http: Http::new(SERVICE, settings, &["AWS_CA_BUNDLE", CA_FILE])?,
            place,
            region,
            key: key.id().to_owned(),
            profile,
            credentials: Leased::new(),
        })
    }

    pub(super) fn public_key(&self) -> Result<Found, KmsError> {
        let answer = self.call("GetPublicKey", &json!({ "KeyId": self.key }))?;
        let answer: PublicKeyAnswer = answer.json(SERVICE)?;
        if answer.key_usage != "SIGN_VERIFY" {
            return Err(KmsError::Refused {
                service: SERVICE,
                said: "the key is not one for signing".to_owned(),
            });
        }
        let key = from_base64(&answer.public_key)
            .and_then(|der| PublicKey::from_spki_der(&der).ok())
            .ok_or_else(|| strange("the public key is none that can be used"))?;
        let schemes = Scheme::ALL
            .into_iter()
            .filter(|scheme| {
                let name = algorithm(*scheme);
                key.fits(*scheme) && answer.signing_algorithms.iter().any(|known| known == name)
            })
            .collect();
        Ok(Found { key, schemes })
    }

    pub(super) fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        let long = message.len() > LONGEST_MESSAGE;
        let (kind, content) = match digest_for(scheme, message) {
            Some(digest) if long => ("DIGEST", base64(digest.as_bytes())),
            None if long => {
                return Err(KmsError::TooLong {
                    service: SERVICE,
                    length: message.len(),
                    most: LONGEST_MESSAGE,
                });
            }
            _ => ("RAW", base64(message)),
        };
        let answer = self.call(
            "Sign",
            &json!({
                "KeyId": self.key,
                "Message": content,
                "MessageType": kind,
                "SigningAlgorithm": algorithm(scheme),
            }),
        )?;
        let answer: SignAnswer = answer.json(SERVICE)?;
        let other = answer
            .signing_algorithm
            .is_some_and(|used| used != algorithm(scheme));
        if other {
            return Err(strange("it signed with another algorithm"));
        }
        from_base64(&answer.signature).ok_or_else(|| strange("the signature is not base64"))
    }

    fn call(&self, operation: &str, body: &serde_json::Value) -> Result<Answer, KmsError> {
        let body = body.to_string();
        let make = || {
            let now = self.http.settings().now();
            let credentials = self.credentials.get(now, || {
                credentials::fetch(&self.http, &self.region, &self.profile)
            })?;
            let scope = Scope {
                region: &self.region,
                service: "kms",
                time: now,
            };
            let target = format!("TrentService.{operation}");
            let content = body.clone().into_bytes();
            Ok(self.signed(&scope, &credentials, &target, content))
        };
        self.http.send_made(make, meaning)
    }

    fn signed(
        &self,
        scope: &Scope<'_>,
        credentials: &AwsCredentials,
        target: &str,
        body: Vec<u8>,
    ) -> Request {
        const CONTENT: &str = "application/x-amz-json-1.1";
        let (host, date, path) = (
            self.place.authority(),
            scope.date_time(),
            self.place.path("/"),
        );
        let token = credentials.token.as_ref().map(Secret::expose);
        let mut headers = vec![
            ("content-type", CONTENT),
            ("host", host.as_str()),
            ("x-amz-date", date.as_str()),
        ];
        headers.extend(token.map(|token| ("x-amz-security-token", token)));
        headers.push(("x-amz-target", target));
        let authorization = scope.authorization(
            credentials,
            &Signed {
                method: Method::Post,
                path: &path,
                query: "",
                headers: &headers,
                body: &body,
            },
        );
        let request = Request::post(&self.place, "/", body)
            .header("content-type", CONTENT)
            .header("host", host)
            .header("x-amz-date", date)
            .header("x-amz-target", target)
            .secret_header(
                "authorization",
                Secret::new(authorization),
                &credentials.secret,
            );
        match &credentials.token {
            Some(token) => request.secret_header("x-amz-security-token", token.clone(), token),
            None => request,
        }
    }
}

fn strange(what: &str) -> KmsError {
    KmsError::Answer {
        service: SERVICE,
        what: what.to_owned(),
    }
}

/// The name of a scheme in the interface.
fn algorithm(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Ed25519 => "ED25519_SHA_512",
        Scheme::EcdsaP256Sha256 => "ECDSA_SHA_256",
        Scheme::EcdsaP384Sha384 => "ECDSA_SHA_384",
        Scheme::EcdsaP521Sha512 => "ECDSA_SHA_512",
        Scheme::RsaPss(HashAlgorithm::Sha256) => "RSASSA_PSS_SHA_256",
        Scheme::RsaPss(HashAlgorithm::Sha384) => "RSASSA_PSS_SHA_384",
        Scheme::RsaPss(HashAlgorithm::Sha512) => "RSASSA_PSS_SHA_512",
        Scheme::RsaPkcs1v15(HashAlgorithm::Sha256) => "RSASSA_PKCS1_V1_5_SHA_256",
        Scheme::RsaPkcs1v15(HashAlgorithm::Sha384) => "RSASSA_PKCS1_V1_5_SHA_384",
        Scheme::RsaPkcs1v15(HashAlgorithm::Sha512) => "RSASSA_PKCS1_V1_5_SHA_512",
        Scheme::MlDsa44 | Scheme::MlDsa65 | Scheme::MlDsa87 => "ML_DSA_SHAKE_256",
    }
}

/// The interface says by the type of an error, and not by the status, whether it is about access or about haste.
fn meaning(answer: &Answer) -> Meaning {
    let by_status = Meaning::of_status(answer);
    if by_status != Meaning::Refused {
        return by_status;
    }
    match answer.error_type().as_str() {
        "AccessDeniedException"
        | "ExpiredTokenException"
        | "IncompleteSignatureException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "NotAuthorizedException"
        | "OptInRequired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Meaning::Denied,
        "LimitExceededException"
        | "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException" => Meaning::Again,
        _ => Meaning::Refused,
    }
}

/// Where another endpoint is set for a service of AWS, as its own tools read it.
fn override_of(settings: &KmsSettings, service: &str) -> Result<Option<Endpoint>, KmsError> {
    if settings.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        return Ok(None);
    }
    let special = format!("AWS_ENDPOINT_URL_{service}");
    [special.as_str(), "AWS_ENDPOINT_URL"]
        .iter()
        .find_map(|name| Some((name, settings.variable(name)?)))
        .map(|(name, url)| Endpoint::parse(SERVICE, name, &url, settings))
        .transpose()
}

/// The host of a service in a region.
fn regional(service: &str, region: &str, fips: bool) -> String {
    const DOMAINS: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-isof-", "csp.hci.ic.gov"),
    ];
    let domain = DOMAINS
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix))
        .map_or("amazonaws.com", |(_, domain)| domain);
    let fips = if fips { "-fips" } else { "" };
    format!("{service}{fips}.{region}.{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_lead_to_their_hosts() {
        for (region, fips, host) in [
            ("eu-west-1", false, "kms.eu-west-1.amazonaws.com"),
            (
                "us-gov-west-1",
                true,
                "kms-fips.us-gov-west-1.amazonaws.com",
            ),
            ("cn-north-1", false, "kms.cn-north-1.amazonaws.com.cn"),
            ("eusc-de-east-1", false, "kms.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(regional("kms", region, fips), host);
        }
    }
}
