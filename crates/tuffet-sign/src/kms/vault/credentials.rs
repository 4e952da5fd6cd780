//! Where tokens for Vault come from: the environment, the file of `vault login`, or a login with the token of a workload.

use serde::{Deserialize, Serialize};
use tuffet_core::metadata::UnixTime;

use super::super::endpoint::Endpoint;
use super::super::error::{KmsError, KmsService};
use super::super::http::{Http, Request};
use super::super::secret::{Lease, Secret};
use super::super::settings::read_small;

const SERVICE: KmsService = KmsService::Vault;

/// Where Kubernetes puts the token of a pod.
const KUBERNETES_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

fn none(what: impl Into<String>) -> KmsError {
    KmsError::Credentials {
        service: SERVICE,
        what: what.into(),
    }
}

/// Gets a token.
///
/// # Errors
/// [`KmsError::Credentials`] if there is none, and what keeps it from being fetched.
pub(super) fn fetch(http: &Http, place: &Endpoint) -> Result<Lease<Secret>, KmsError> {
    let settings = http.settings();
    let lasting = |lent| Lease { lent, until: None };
    if let Some(token) = settings.first_of(&["VAULT_TOKEN", "BAO_TOKEN"]) {
        return Ok(lasting(Secret::new(token)));
    }
    if let Some(role) = settings.variable("TUFFET_VAULT_ROLE") {
        return login(http, place, &role);
    }
    let file = settings
        .in_home(".vault-token")
        .filter(|file| file.exists())
        .ok_or_else(|| none("VAULT_TOKEN is not set, and there is no ~/.vault-token"))?;
    Ok(lasting(Secret::trimmed(&read_small(&file).map_err(none)?)))
}

#[derive(Serialize)]
struct LoginRequest<'a> {
    role: &'a str,
    jwt: &'a str,
}

#[derive(Deserialize)]
struct Login {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: Secret,
    lease_duration: i64,
}

/// Logs in with a JSON web token, by the method for Kubernetes or that for any provider of such tokens.
fn login(http: &Http, place: &Endpoint, role: &str) -> Result<Lease<Secret>, KmsError> {
    let settings = http.settings();
    let file = settings
        .variable("TUFFET_VAULT_JWT_FILE")
        .unwrap_or_else(|| KUBERNETES_TOKEN.to_owned());
    let token = Secret::trimmed(&read_small(file.as_ref()).map_err(none)?);
    let method = settings
        .variable("TUFFET_VAULT_AUTH")
        .unwrap_or_else(|| "kubernetes".to_owned());
    if !super::super::uri::is_path(&method) {
        return Err(KmsError::Settings {
            service: SERVICE,
            what: "TUFFET_VAULT_AUTH is not where a method of authentication is mounted".to_owned(),
        });
    }
    let now = settings.now();
    let body = LoginRequest {
        role,
        jwt: token.expose(),
    };
    let request = Request::post_json(place, format!("/v1/auth/{method}/login"), &body);
    let request = super::in_namespace(request, settings).keeping(&token);
    let answer = http.send(&request).map_err(|error| match error {
        KmsError::Refused { service, said } => KmsError::Denied { service, said },
        other => other,
    })?;
    let Login { auth } = answer.json(SERVICE)?;
    let lasts =
        (auth.lease_duration > 0).then(|| UnixTime(now.0.saturating_add(auth.lease_duration)));
    Ok(Lease {
        lent: auth.client_token,
        until: lasts,
    })
}
