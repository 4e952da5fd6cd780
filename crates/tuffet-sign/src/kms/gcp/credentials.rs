//! Where tokens for Google Cloud come from, in the order of Google's own tools: a token at hand, a file of credentials, the
//! machine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};
use tuffet_core::crypto::{HashAlgorithm, Scheme};
use tuffet_core::metadata::UnixTime;
use zeroize::Zeroizing;

use super::super::endpoint::Endpoint;
use super::super::error::{KmsError, KmsService};
use super::super::http::{Form, Http, Request};
use super::super::secret::{Lease, Secret};
use super::super::settings::read_small;
use super::super::wire::base64_url;
use crate::encoding;
use crate::private::{KeyForm, PrivateKey};

const SERVICE: KmsService = KmsService::Gcp;
const SCOPE: &str = "https://www.googleapis.com/auth/cloudkms";
/// Other services need to be allowed before they hand out tokens of others.
const PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

fn none(what: impl Into<String>) -> KmsError {
    KmsError::Credentials {
        service: SERVICE,
        what: what.into(),
    }
}

/// Gets a token.
///
/// # Errors
/// [`KmsError::Credentials`] if there is nothing to get one with, and what keeps it from being fetched.
pub(super) fn fetch(http: &Http) -> Result<Lease<Secret>, KmsError> {
    let settings = http.settings();
    let at_hand = ["GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"];
    if let Some(token) = at_hand.iter().find_map(|name| settings.secret(name)) {
        return Ok(Lease {
            lent: token,
            until: None,
        });
    }
    let usual = || {
        let directory = settings
            .variable("CLOUDSDK_CONFIG")
            .map(PathBuf::from)
            .or_else(|| settings.in_home(".config/gcloud"));
        directory
            .map(|directory| directory.join("application_default_credentials.json"))
            .filter(|file| file.exists())
    };
    let file = settings
        .variable("GOOGLE_APPLICATION_CREDENTIALS")
        .map(PathBuf::from)
        .or_else(usual);
    match file {
        Some(file) => {
            let text = read_small(&file).map_err(none)?;
            let shown = file.display().to_string();
            // The error of the library may quote what it read.
            let credentials: File = serde_json::from_str(&text).map_err(|_| {
                none(format!(
                    "{shown} is none of service_account, external_account and authorized_user"
                ))
            })?;
            credentials.token(http, &shown)
        }
        None => machine(http),
    }
}

/// A file of credentials.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum File {
    ServiceAccount(ServiceAccount),
    ExternalAccount(ExternalAccount),
    AuthorizedUser(AuthorizedUser),
}

#[derive(Deserialize)]
struct ServiceAccount {
    client_email: String,
    private_key_id: Option<String>,
    private_key: Secret,
    token_uri: String,
}

/// The account of another provider of identities, such as a CI system or a cluster.
#[derive(Deserialize)]
struct ExternalAccount {
    audience: String,
    subject_token_type: String,
    token_url: String,
    service_account_impersonation_url: Option<String>,
    credential_source: Source,
}

/// The token of a service account that was allowed to be acted for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Impersonated {
    access_token: Secret,
    expire_time: Option<String>,
}

#[derive(Deserialize)]
struct Source {
    /// Set for workloads of AWS, whose tokens are made in another way.
    environment_id: Option<String>,
    file: Option<String>,
    url: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize, Default)]
struct Format {
    #[serde(rename = "type")]
    kind: Option<String>,
    subject_token_field_name: Option<String>,
}

/// A person, as `gcloud auth application-default login` leaves them.
#[derive(Deserialize)]
struct AuthorizedUser {
    client_id: String,
    client_secret: Secret,
    refresh_token: Secret,
}

#[derive(Deserialize)]
struct Token {
    access_token: Secret,
    expires_in: Option<i64>,
}

impl Token {
    fn lease(self, now: UnixTime) -> Lease<Secret> {
        Lease {
            lent: self.access_token,
            until: self
                .expires_in
                .map(|seconds| UnixTime(now.0.saturating_add(seconds))),
        }
    }
}

impl File {
    fn token(self, http: &Http, shown: &str) -> Result<Lease<Secret>, KmsError> {
        match self {
            Self::ServiceAccount(account) => account.token(http, shown),
            Self::ExternalAccount(account) => account.token(http, shown),
            Self::AuthorizedUser(user) => {
                let form = Form::default()
                    .field("grant_type", "refresh_token")
                    .field("client_id", &user.client_id)
                    .secret("client_secret", &user.client_secret)
                    .secret("refresh_token", &user.refresh_token);
                let place = Endpoint::https("oauth2.googleapis.com");
                exchange(http, &place, "/token", form)
            }
        }
    }
}

impl ServiceAccount {
    /// Asserts to be the account, with its key (RFC 7523).
    fn token(&self, http: &Http, shown: &str) -> Result<Lease<Secret>, KmsError> {
        let now = http.settings().now();
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let (Some(header), Some(id)) = (header.as_object_mut(), &self.private_key_id) {
            header.insert("kid".to_owned(), json!(id));
        }
        let claims = json!({
            "iss": self.client_email,
            "scope": SCOPE,
            "aud": self.token_uri,
            "iat": now.0,
            "exp": now.0.saturating_add(3600),
        });
        let encoded = |part: &Value| base64_url(part.to_string().as_bytes());
        let message = format!("{}.{}", encoded(&header), encoded(&claims));
        let signature = self
            .sign(message.as_bytes())
            .ok_or_else(|| none(format!("the private key in {shown} is no usable RSA key")))?;
        let assertion = Secret::new(format!("{message}.{}", base64_url(&signature)));
        let form = Form::default()
            .field("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .secret("assertion", &assertion);
        let place = Endpoint::parse(SERVICE, shown, &self.token_uri, http.settings())?;
        exchange(http, &place, "", form)
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let (form, document) = encoding::read(self.private_key.expose(), || None).ok()?;
        let key = (form == KeyForm::Rsa)
            .then(|| PrivateKey::from_pkcs8(form, document.as_bytes()).ok())??;
        let scheme = Scheme::RsaPkcs1v15(HashAlgorithm::Sha256);
        key.sign(scheme, message).ok()
    }
}

impl ExternalAccount {
    /// Exchanges the token of the other provider (RFC 8693), and that for one of a service account if there is one.
    fn token(&self, http: &Http, shown: &str) -> Result<Lease<Secret>, KmsError> {
        let settings = http.settings();
        let subject = self.credential_source.token(http, shown)?;
        let direct = self.service_account_impersonation_url.is_none();
        let form = Form::default()
            .field(
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            )
            .field(
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            )
            .field("audience", &self.audience)
            .field("scope", if direct { SCOPE } else { PLATFORM })
            .field("subject_token_type", &self.subject_token_type)
            .secret("subject_token", &subject);
        let place = Endpoint::parse(SERVICE, shown, &self.token_url, settings)?;
        let federated = exchange(http, &place, "", form)?;
        let Some(url) = &self.service_account_impersonation_url else {
            return Ok(federated);
        };
        let place = Endpoint::parse(SERVICE, shown, url, settings)?;
        let body = json!({ "scope": [SCOPE], "lifetime": "3600s" });
        let request = Request::post_json(&place, "", &body).bearer(&federated.lent);
        let answer: Impersonated = http.send(&request)?.json(SERVICE)?;
        Ok(Lease {
            lent: answer.access_token,
            until: answer.expire_time.as_deref().and_then(UnixTime::parse),
        })
    }
}

impl Source {
    fn token(&self, http: &Http, shown: &str) -> Result<Secret, KmsError> {
        let text = match (&self.environment_id, &self.file, &self.url) {
            (None, Some(file), None) => read_small(file.as_ref()).map_err(none)?,
            (None, None, Some(url)) => self.ask(http, shown, url)?,
            _ => {
                return Err(none(format!(
                    "{shown} gets the token of the workload neither from a file nor from a URL, which are the supported ways"
                )));
            }
        };
        if self.format.kind.as_deref() != Some("json") {
            return Ok(Secret::trimmed(&text));
        }
        let field = self.format.subject_token_field_name.as_deref();
        let mut value: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap_or_default();
        match field.and_then(|field| value.remove(field)) {
            Some(Value::String(token)) => Ok(Secret::new(token)),
            _ => Err(none(
                "the token of the workload is not where its file says".to_owned(),
            )),
        }
    }

    fn ask(&self, http: &Http, shown: &str, url: &str) -> Result<Zeroizing<String>, KmsError> {
        let (url, query) = url
            .split_once('?')
            .map_or((url, String::new()), |(url, query)| {
                (url, format!("?{query}"))
            });
        let place = Endpoint::parse(SERVICE, shown, url, http.settings())?;
        let mut request = Request::get(&place, query);
        for (name, value) in &self.headers {
            request = request.named_header(name, value);
        }
        let answer = http.send(&request)?;
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        Ok(Zeroizing::new(text.to_owned()))
    }
}

fn exchange(
    http: &Http,
    place: &Endpoint,
    target: &str,
    form: Form,
) -> Result<Lease<Secret>, KmsError> {
    let now = http.settings().now();
    let answer = http.send(&Request::post_form(place, target, form));
    let answer: Token = answer.map_err(denied)?.json(SERVICE)?;
    Ok(answer.lease(now))
}

/// Who hands out tokens says with status 400 that it hands out none (RFC 6749 §5.2).
fn denied(error: KmsError) -> KmsError {
    match error {
        KmsError::Refused { service, said } => KmsError::Denied { service, said },
        other => other,
    }
}

/// The token of the account that the machine or container runs as.
fn machine(http: &Http) -> Result<Lease<Secret>, KmsError> {
    let settings = http.settings();
    let host = settings
        .variable("GCE_METADATA_HOST")
        .unwrap_or_else(|| "metadata.google.internal".to_owned());
    let url = format!("http://{host}");
    let place = Endpoint::parse(SERVICE, "GCE_METADATA_HOST", &url, settings)?;
    let target = "/computeMetadata/v1/instance/service-accounts/default/token";
    let request = Request::get(&place, target).header("metadata-flavor", "Google");
    let now = settings.now();
    let answer = http.send(&request).map_err(|error| match error {
        KmsError::Unreachable { what, .. } => none(format!(
            "there are none in GOOGLE_APPLICATION_CREDENTIALS, and no machine of Google Cloud has them ready: {what}"
        )),
        other => other,
    })?;
    let token: Token = answer.json(SERVICE)?;
    Ok(token.lease(now))
}
