//! How keys in key management services are named.

use std::fmt;
use std::str::FromStr;

use tuffet_core::crypto::Scheme;

use super::error::KmsService;
use crate::error::SignError;

/// Why a text is not such a URI, as an error about a URI goes on. The URI is not repeated: it never is, whatever it contains.
type Refusal = String;

/// A key in a key management service.
///
/// | URI | key |
/// |---|---|
/// | `awskms:ID`, `awskms:alias/NAME`, `awskms:arn:…` | AWS KMS; `?region=REGION` unless the ARN or the environment names it |
/// | `gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V` | Google Cloud KMS |
/// | `azurekms://VAULT.vault.azure.net/keys/NAME/VERSION` | Azure Key Vault or Managed HSM |
/// | `vault:MOUNT/NAME/VERSION`, `vault:NAME/VERSION`, `hv:NAME/VERSION` | the transit engine of Vault or OpenBao |
///
/// `?scheme=SCHEME` chooses what an RSA key signs with; other keys have one scheme only. Where keys have versions the URI
/// names one: metadata lists one public key, and the next version has another.
///
/// ```
/// use tuffet_sign::kms::KmsUri;
///
/// let uri: KmsUri = "hv:release/3".parse().unwrap();
/// assert_eq!(uri.to_string(), "vault:transit/release/3");
/// let rsa: KmsUri = "awskms:alias/root?region=eu-west-1&scheme=rsassa-pss-sha512".parse().unwrap();
/// assert_eq!(rsa.scheme().unwrap().name(), "rsassa-pss-sha512");
/// assert_eq!("hv:release".parse::<KmsUri>().unwrap_err().code(), "key.uri");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KmsUri {
    /// In AWS KMS.
    Aws(AwsKey),
    /// In Google Cloud KMS.
    Gcp(GcpKey),
    /// In Azure Key Vault.
    Azure(AzureKey),
    /// In the transit engine of Vault or OpenBao.
    Vault(VaultKey),
}

/// A key in AWS KMS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AwsKey {
    id: String,
    region: Option<String>,
    scheme: Option<Scheme>,
}

/// A version of a key in Google Cloud KMS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GcpKey {
    name: String,
    scheme: Option<Scheme>,
}

/// A version of a key in Azure Key Vault or in a Managed HSM.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AzureKey {
    host: String,
    name: String,
    version: String,
    scheme: Option<Scheme>,
}

/// A version of a key in the transit engine of Vault or OpenBao.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VaultKey {
    mount: String,
    name: String,
    version: u32,
    scheme: Option<Scheme>,
}

/// The URI schemes, without the colon.
const SCHEMES: [&str; 5] = ["awskms", "gcpkms", "azurekms", "vault", "hv"];

/// The transit engine is mounted here unless somebody chose otherwise.
const DEFAULT_MOUNT: &str = "transit";

/// Where vaults and managed HSMs are. A token for a vault is sent to nobody else.
const AZURE_DOMAINS: [&str; 7] = [
    "vault.azure.net",
    "vault.azure.cn",
    "vault.usgovcloudapi.net",
    "vault.microsoftazure.de",
    "managedhsm.azure.net",
    "managedhsm.azure.cn",
    "managedhsm.usgovcloudapi.net",
];

/// The longest part of a URI, in bytes. No service has longer names.
const LONGEST: usize = 2048;

impl KmsUri {
    /// Whether URIs of that scheme name keys in key management services.
    ///
    /// ```
    /// # use tuffet_sign::kms::KmsUri;
    /// assert!(KmsUri::has_scheme("gcpkms"));
    /// assert!(!KmsUri::has_scheme("file"));
    /// ```
    #[must_use]
    pub fn has_scheme(scheme: &str) -> bool {
        SCHEMES.contains(&scheme)
    }

    /// The service that has the key.
    #[must_use]
    pub fn service(&self) -> KmsService {
        match self {
            Self::Aws(_) => KmsService::Aws,
            Self::Gcp(_) => KmsService::Gcp,
            Self::Azure(_) => KmsService::Azure,
            Self::Vault(_) => KmsService::Vault,
        }
    }

    /// The signature scheme that the URI asks for.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        match self {
            Self::Aws(key) => key.scheme,
            Self::Gcp(key) => key.scheme,
            Self::Azure(key) => key.scheme,
            Self::Vault(key) => key.scheme,
        }
    }

    pub(crate) fn set_scheme(&mut self, scheme: Scheme) {
        let chosen = match self {
            Self::Aws(key) => &mut key.scheme,
            Self::Gcp(key) => &mut key.scheme,
            Self::Azure(key) => &mut key.scheme,
            Self::Vault(key) => &mut key.scheme,
        };
        *chosen = Some(scheme);
    }
}

impl AwsKey {
    /// The key id, the ARN, or `alias/NAME`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The region that the URI or the ARN names.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref().or_else(|| arn_region(&self.id))
    }
}

impl GcpKey {
    /// The resource name of the version.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl AzureKey {
    /// The host name of the vault, in lower case.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of the key.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl VaultKey {
    /// Where the transit engine is mounted.
    #[must_use]
    pub fn mount(&self) -> &str {
        &self.mount
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of the key, from 1.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }
}

impl FromStr for KmsUri {
    type Err = SignError;

    fn from_str(text: &str) -> Result<Self, SignError> {
        Self::parse(text).map_err(|what| SignError::Uri { what })
    }
}

impl KmsUri {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let (scheme, rest) = text
            .split_once(':')
            .filter(|(scheme, _)| Self::has_scheme(scheme))
            .ok_or_else(|| refused("names no key management service"))?;
        if rest.len() > LONGEST {
            return Err(refused("is too long"));
        }
        let (path, query) = rest
            .split_once('?')
            .map_or((rest, None), |(path, query)| (path, Some(query)));
        let query = Query::parse(query)?;
        if scheme != "awskms" && query.region.is_some() {
            return Err(refused("has a region, which only keys of AWS KMS have"));
        }
        Ok(match scheme {
            "awskms" => Self::Aws(aws(path, query)?),
            "gcpkms" => Self::Gcp(gcp(path, query)?),
            "azurekms" => Self::Azure(azure(path, query)?),
            "vault" => Self::Vault(vault(path, query)?),
            _ if path.matches('/').count() > 1 => {
                return Err(refused("is not of the form hv:NAME/VERSION"));
            }
            _ => Self::Vault(vault(path, query)?),
        })
    }
}

/// What follows the question mark.
#[derive(Default)]
struct Query {
    region: Option<String>,
    scheme: Option<Scheme>,
}

impl Query {
    fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let mut query = Self::default();
        for pair in text.into_iter().flat_map(|text| text.split('&')) {
            let taken = match pair.split_once('=') {
                Some(("region", region)) if is_region(region) => {
                    query.region.replace(region.to_owned()).is_some()
                }
                Some(("scheme", name)) => {
                    let scheme = Scheme::from_name(name)
                        .ok_or_else(|| refused("asks for an unknown signature scheme"))?;
                    query.scheme.replace(scheme).is_some()
                }
                _ => {
                    return Err(refused(
                        "has something else than region=REGION and scheme=SCHEME after the question mark",
                    ));
                }
            };
            if taken {
                return Err(refused("says the same twice after the question mark"));
            }
        }
        Ok(query)
    }
}

fn aws(id: &str, query: Query) -> Result<AwsKey, Refusal> {
    let wrong = || refused("is not of the form awskms:ID, awskms:alias/NAME or awskms:ARN");
    let sound = match id.strip_prefix("arn:") {
        Some(_) => {
            let region = arn_region(id).ok_or_else(wrong)?;
            if query.region.as_deref().is_some_and(|other| other != region) {
                return Err(refused("names two regions"));
            }
            true
        }
        None => is_aws_resource(id),
    };
    if !sound {
        return Err(wrong());
    }
    Ok(AwsKey {
        // The region of an ARN need not be said twice.
        region: query.region.filter(|_| arn_region(id).is_none()),
        id: id.to_owned(),
        scheme: query.scheme,
    })
}

/// The region in `arn:PARTITION:kms:REGION:ACCOUNT:key/ID` or `…:alias/NAME`.
fn arn_region(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    let mut part = || parts.next();
    let (arn, partition, service, region, account, resource) =
        (part()?, part()?, part()?, part()?, part()?, part()?);
    let resource = resource.strip_prefix("key/").unwrap_or(resource);
    let sound = arn == "arn"
        && partition.starts_with("aws")
        && is_name(partition, "-")
        && service == "kms"
        && is_region(region)
        && !account.is_empty()
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && is_aws_resource(resource)
        && part().is_none();
    sound.then_some(region)
}

fn is_aws_resource(text: &str) -> bool {
    match text.strip_prefix("alias/") {
        Some(name) => is_name(name, "/_-"),
        None => is_name(text, "-"),
    }
}

/// Regions become part of a host name.
pub(super) fn is_region(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn gcp(name: &str, query: Query) -> Result<GcpKey, Refusal> {
    const KINDS: [&str; 5] = [
        "projects",
        "locations",
        "keyRings",
        "cryptoKeys",
        "cryptoKeyVersions",
    ];
    let mut parts = name.split('/');
    let mut sound = true;
    for kind in KINDS {
        sound &= parts.next() == Some(kind);
        // Projects of a domain are called DOMAIN:NAME.
        sound &= parts.next().is_some_and(|part| is_name(part, "_-.:"));
    }
    if !sound || parts.next().is_some() {
        return Err(refused(
            "is not of the form gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V",
        ));
    }
    Ok(GcpKey {
        name: name.to_owned(),
        scheme: query.scheme,
    })
}

fn azure(path: &str, query: Query) -> Result<AzureKey, Refusal> {
    let wrong = || refused("is not of the form azurekms://VAULT.vault.azure.net/keys/NAME/VERSION");
    let path = path.strip_prefix("//").unwrap_or(path);
    let mut parts = path.split('/');
    let mut part = || parts.next().filter(|part| !part.is_empty());
    let (Some(host), Some("keys"), Some(name), Some(version), None) =
        (part(), part(), part(), part(), part())
    else {
        return Err(wrong());
    };
    let host = host.to_ascii_lowercase();
    let known = host
        .split_once('.')
        .is_some_and(|(vault, domain)| is_name(vault, "-") && AZURE_DOMAINS.contains(&domain));
    if !known {
        return Err(refused("names a host that is no vault of Azure"));
    }
    if path.ends_with('/') || !is_name(name, "-") || !is_name(version, "") {
        return Err(wrong());
    }
    Ok(AzureKey {
        host,
        name: name.to_owned(),
        version: version.to_owned(),
        scheme: query.scheme,
    })
}

fn vault(path: &str, query: Query) -> Result<VaultKey, Refusal> {
    let wrong = || refused("is not of the form vault:MOUNT/NAME/VERSION or vault:NAME/VERSION");
    let (path, version) = path.rsplit_once('/').ok_or_else(wrong)?;
    let (mount, name) = path.rsplit_once('/').unwrap_or((DEFAULT_MOUNT, path));
    let number = version.bytes().all(|byte| byte.is_ascii_digit()) && !version.starts_with('0');
    let version: u32 = version.parse().ok().filter(|_| number).ok_or_else(wrong)?;
    if !is_segment(name) || !is_path(mount) {
        return Err(wrong());
    }
    Ok(VaultKey {
        mount: mount.to_owned(),
        name: name.to_owned(),
        version,
        scheme: query.scheme,
    })
}

/// Where something is mounted in Vault.
pub(super) fn is_path(text: &str) -> bool {
    text.split('/').all(is_segment)
}

fn is_segment(text: &str) -> bool {
    is_name(text, "_-.") && !matches!(text, "." | "..")
}

/// Letters, digits and what is named; nothing that would have to be encoded in a URL.
fn is_name(text: &str, beside: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || beside.contains(c))
}

fn refused(what: &str) -> Refusal {
    what.into()
}

impl fmt::Display for KmsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = match self {
            Self::Aws(key) => {
                write!(f, "awskms:{}", key.id)?;
                key.region.as_deref()
            }
            Self::Gcp(key) => {
                write!(f, "gcpkms:{}", key.name)?;
                None
            }
            Self::Azure(key) => {
                write!(
                    f,
                    "azurekms://{}/keys/{}/{}",
                    key.host, key.name, key.version
                )?;
                None
            }
            Self::Vault(key) => {
                write!(f, "vault:{}/{}/{}", key.mount, key.name, key.version)?;
                None
            }
        };
        if let Some(region) = region {
            write!(f, "?region={region}")?;
        }
        match self.scheme() {
            Some(scheme) if region.is_some() => write!(f, "&scheme={scheme}"),
            Some(scheme) => write!(f, "?scheme={scheme}"),
            None => Ok(()),
        }
    }
}
