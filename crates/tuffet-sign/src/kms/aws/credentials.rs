//! Where credentials for AWS come from, in the order of AWS's own tools: the environment, a web identity, the profile, the
//! container, the machine.

use serde::Deserialize;
use tuffet_core::metadata::UnixTime;

use super::super::endpoint::Endpoint;
use super::super::error::{KmsError, KmsService};
use super::super::http::{Form, Http, Request};
use super::super::secret::{Lease, Secret};
use super::super::settings::read_small;
use super::super::wire::element;
use super::profile::Profile;
use super::sigv4::AwsCredentials;
use super::{override_of, regional};

const SERVICE: KmsService = KmsService::Aws;
const METADATA: &str = "http://169.254.169.254";
const CONTAINER: &str = "http://169.254.170.2";

fn none(what: impl Into<String>) -> KmsError {
    KmsError::Credentials {
        service: SERVICE,
        what: what.into(),
    }
}

/// Gets credentials.
///
/// # Errors
/// [`KmsError::Credentials`] if there are none, and what keeps those from being fetched that there are.
pub(super) fn fetch(
    http: &Http,
    region: &str,
    profile: &Profile,
) -> Result<Lease<AwsCredentials>, KmsError> {
    if let Some(credentials) = from_variables(http)? {
        return Ok(lasting(credentials));
    }
    if let Some(lease) = web_identity(http, region)? {
        return Ok(lease);
    }
    if let Some(credentials) = profile.credentials().map_err(none)? {
        return Ok(lasting(credentials));
    }
    if let Some(lease) = container(http)? {
        return Ok(lease);
    }
    machine(http)
}

fn lasting(lent: AwsCredentials) -> Lease<AwsCredentials> {
    Lease { lent, until: None }
}

fn from_variables(http: &Http) -> Result<Option<AwsCredentials>, KmsError> {
    let settings = http.settings();
    let Some(id) = settings.variable("AWS_ACCESS_KEY_ID") else {
        return Ok(None);
    };
    let secret = settings
        .secret("AWS_SECRET_ACCESS_KEY")
        .ok_or_else(|| none("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not"))?;
    let token = settings.secret("AWS_SESSION_TOKEN");
    Ok(Some(AwsCredentials { id, secret, token }))
}

/// Exchanges the token of a workload, such as a pod or a job of a CI system, for credentials of a role.
fn web_identity(http: &Http, region: &str) -> Result<Option<Lease<AwsCredentials>>, KmsError> {
    let settings = http.settings();
    let (Some(file), Some(role)) = (
        settings.variable("AWS_WEB_IDENTITY_TOKEN_FILE"),
        settings.variable("AWS_ROLE_ARN"),
    ) else {
        return Ok(None);
    };
    let token = Secret::trimmed(&read_small(file.as_ref()).map_err(none)?);
    let session = settings
        .variable("AWS_ROLE_SESSION_NAME")
        .unwrap_or_else(|| "tuffet".to_owned());
    let place = match override_of(settings, "STS")? {
        Some(place) => place,
        None => Endpoint::https(&regional("sts", region, false)),
    };
    let form = Form::default()
        .field("Action", "AssumeRoleWithWebIdentity")
        .field("Version", "2011-06-15")
        .field("RoleArn", &role)
        .field("RoleSessionName", &session)
        .secret("WebIdentityToken", &token);
    let answer = http.send(&Request::post_form(&place, "/", form))?;
    let text = std::str::from_utf8(&answer.body).unwrap_or_default();
    let part = |name| element(text, name).map(Secret::trimmed);
    let lent = (|| {
        Some(AwsCredentials {
            id: part("AccessKeyId")?.expose().to_owned(),
            secret: part("SecretAccessKey")?,
            token: Some(part("SessionToken")?),
        })
    })();
    let lent = lent.ok_or(KmsError::Answer {
        service: SERVICE,
        what: "the security token service gave no credentials".to_owned(),
    })?;
    let until = element(text, "Expiration").and_then(UnixTime::parse);
    Ok(Some(Lease { lent, until }))
}

/// What containers and machines are given.
#[derive(Deserialize)]
struct Given {
    #[serde(rename = "AccessKeyId")]
    id: String,
    #[serde(rename = "SecretAccessKey")]
    secret: Secret,
    #[serde(rename = "Token")]
    token: Option<Secret>,
    #[serde(rename = "Expiration")]
    expiration: Option<String>,
}

impl From<Given> for Lease<AwsCredentials> {
    fn from(given: Given) -> Self {
        Self {
            lent: AwsCredentials {
                id: given.id,
                secret: given.secret,
                token: given.token,
            },
            until: given.expiration.as_deref().and_then(UnixTime::parse),
        }
    }
}

/// Credentials that ECS and EKS hand out to a container.
fn container(http: &Http) -> Result<Option<Lease<AwsCredentials>>, KmsError> {
    let settings = http.settings();
    let url = match settings.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        Some(path) => format!("{CONTAINER}{path}"),
        None => match settings.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            Some(url) => url,
            None => return Ok(None),
        },
    };
    // The query belongs to the request, not to the place.
    let (url, query) = url
        .split_once('?')
        .map_or((url.as_str(), String::new()), |(url, query)| {
            (url, format!("?{query}"))
        });
    let place = Endpoint::parse(SERVICE, "AWS_CONTAINER_CREDENTIALS_FULL_URI", url, settings)?;
    let mut request = Request::get(&place, query);
    let token = match settings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => Some(Secret::trimmed(&read_small(file.as_ref()).map_err(none)?)),
        None => settings.secret("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    };
    if let Some(token) = token {
        request = request.secret_header("authorization", token.clone(), &token);
    }
    let given: Given = http.send(&request)?.json(SERVICE)?;
    Ok(Some(given.into()))
}

/// Credentials of the role of a virtual machine, by version 2 of its metadata service.
fn machine(http: &Http) -> Result<Lease<AwsCredentials>, KmsError> {
    let settings = http.settings();
    let nowhere = "there are none in the environment, and no profile";
    if settings.is_true("AWS_EC2_METADATA_DISABLED") {
        return Err(none(nowhere));
    }
    let place = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
    let url = settings
        .variable(place)
        .unwrap_or_else(|| METADATA.to_owned());
    let place = Endpoint::parse(SERVICE, place, &url, settings)?;
    let request = Request::put(&place, "/latest/api/token")
        .header("x-aws-ec2-metadata-token-ttl-seconds", "300");
    let unreachable = |error| match error {
        KmsError::Unreachable { what, .. } => none(format!(
            "{nowhere}, container or virtual machine of AWS has them ready: {what}"
        )),
        other => other,
    };
    let answer = http.send(&request).map_err(unreachable)?;
    let session = Secret::trimmed(std::str::from_utf8(&answer.body).unwrap_or_default());
    let get = |target: String| {
        let request = Request::get(&place, target).secret_header(
            "x-aws-ec2-metadata-token",
            session.clone(),
            &session,
        );
        http.send(&request)
    };
    let roles = "/latest/meta-data/iam/security-credentials/";
    let answer = get(roles.to_owned())?;
    let role = std::str::from_utf8(&answer.body)
        .ok()
        .and_then(|text| text.lines().next())
        .map(str::trim)
        .filter(|role| {
            !role.is_empty()
                && role
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
        })
        .ok_or_else(|| none("the virtual machine has no role"))?;
    let given: Given = get(format!("{roles}{role}"))?.json(SERVICE)?;
    Ok(given.into())
}
