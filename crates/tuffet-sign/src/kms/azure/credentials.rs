//! Where tokens for Azure come from, in the order of Azure's own tools: a token at hand, a client secret, a federated token
//! of a workload, the identity of the machine.

use serde::{Deserialize, Deserializer};
use tuffet_core::metadata::UnixTime;

use super::super::endpoint::Endpoint;
use super::super::error::{KmsError, KmsService};
use super::super::http::{Form, Http, Request};
use super::super::secret::{Lease, Secret};
use super::super::settings::read_small;
use super::super::wire::url_encode;

const SERVICE: KmsService = KmsService::Azure;
const METADATA: &str = "http://169.254.169.254";

fn none(what: impl Into<String>) -> KmsError {
    KmsError::Credentials {
        service: SERVICE,
        what: what.into(),
    }
}

#[derive(Deserialize)]
struct Token {
    access_token: Secret,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<i64>,
}

/// A number for some services and a text for others.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value
        .as_i64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok())))
}

/// Gets a token for `resource`, such as `https://vault.azure.net`.
///
/// # Errors
/// [`KmsError::Credentials`] if there is nothing to get one with, and what keeps it from being fetched.
pub(super) fn fetch(http: &Http, resource: &str) -> Result<Lease<Secret>, KmsError> {
    let settings = http.settings();
    if let Some(token) = settings.secret("AZURE_ACCESS_TOKEN") {
        return Ok(Lease {
            lent: token,
            until: None,
        });
    }
    let secret = settings.secret("AZURE_CLIENT_SECRET");
    let file = settings.variable("AZURE_FEDERATED_TOKEN_FILE");
    let now = settings.now();
    let token: Token = match (secret, file) {
        (Some(secret), _) => {
            application(http, resource, |form| form.secret("client_secret", &secret))?
        }
        (None, Some(file)) => {
            let assertion = Secret::trimmed(&read_small(file.as_ref()).map_err(none)?);
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            application(http, resource, |form| {
                form.field("client_assertion_type", kind)
                    .secret("client_assertion", &assertion)
            })?
        }
        (None, None) => managed(http, resource)?,
    };
    let until = token
        .expires_in
        .map(|seconds| UnixTime(now.0.saturating_add(seconds)));
    Ok(Lease {
        lent: token.access_token,
        until,
    })
}

/// An application that proves itself to the directory of its tenant.
fn application(
    http: &Http,
    resource: &str,
    prove: impl FnOnce(Form) -> Form,
) -> Result<Token, KmsError> {
    let settings = http.settings();
    let variable = |name: &str| {
        let value = settings.variable(name);
        value.ok_or_else(|| none(format!("{name} is not set")))
    };
    let (tenant, client) = (variable("AZURE_TENANT_ID")?, variable("AZURE_CLIENT_ID")?);
    let authority = "AZURE_AUTHORITY_HOST";
    let place = match settings.variable(authority) {
        Some(url) => Endpoint::parse(SERVICE, authority, &url, settings)?,
        None => Endpoint::https("login.microsoftonline.com"),
    };
    let form = Form::default()
        .field("grant_type", "client_credentials")
        .field("client_id", &client)
        .field("scope", &format!("{resource}/.default"));
    let target = format!("/{}/oauth2/v2.0/token", url_encode(&tenant));
    let answer = http
        .send(&Request::post_form(&place, target, prove(form)))
        .map_err(|error| match error {
            // The directory says with status 400 that it hands out none (RFC 6749 §5.2).
            KmsError::Refused { service, said } => KmsError::Denied { service, said },
            other => other,
        })?;
    answer.json(SERVICE)
}

/// The identity that a machine or an application service was given.
fn managed(http: &Http, resource: &str) -> Result<Token, KmsError> {
    let settings = http.settings();
    let mut query = format!("resource={}", url_encode(resource));
    if let Some(client) = settings.variable("AZURE_CLIENT_ID") {
        query = format!("{query}&client_id={}", url_encode(&client));
    }
    let service = (
        settings.variable("IDENTITY_ENDPOINT"),
        settings.secret("IDENTITY_HEADER"),
    );
    let request = match service {
        (Some(url), Some(header)) => {
            let place = Endpoint::parse(SERVICE, "IDENTITY_ENDPOINT", &url, settings)?;
            Request::get(&place, format!("?api-version=2019-08-01&{query}")).secret_header(
                "x-identity-header",
                header.clone(),
                &header,
            )
        }
        _ => {
            let host = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
            let url = settings
                .variable(host)
                .unwrap_or_else(|| METADATA.to_owned());
            let place = Endpoint::parse(SERVICE, host, &url, settings)?;
            let target = format!("/metadata/identity/oauth2/token?api-version=2018-02-01&{query}");
            Request::get(&place, target).header("metadata", "true")
        }
    };
    let answer = http.send(&request).map_err(|error| match error {
        KmsError::Unreachable { what, .. } => none(format!(
            "there are none in the environment, and no machine of Azure has them ready: {what}"
        )),
        other => other,
    })?;
    answer.json(SERVICE)
}
