//! A place in an object store, by name.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::client::Client;
use crate::Error;

/// A bucket of an object store, or what lies below a prefix in one.
///
/// What is needed to reach it comes from the environment, in the variables that the tools of each service read:
///
/// * S3: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`,
///   and the identities of instances, containers and workloads;
/// * GCS: `GOOGLE_APPLICATION_CREDENTIALS`, `GOOGLE_SERVICE_ACCOUNT`, `GOOGLE_SERVICE_ACCOUNT_KEY`, and the identities of
///   instances and workloads;
/// * Azure: `AZURE_STORAGE_ACCOUNT_NAME` with `AZURE_STORAGE_ACCOUNT_KEY` or `AZURE_STORAGE_SAS_KEY`, `AZURE_TENANT_ID`,
///   `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`, and managed and workload identities.
#[derive(Clone)]
pub struct Bucket {
    pub(super) service: Service,
    pub(super) name: String,
    /// Without slashes at its ends; empty for the whole bucket.
    pub(super) prefix: String,
    pub(super) settings: Vec<(String, String)>,
    /// Made when it is first needed, and shared, so that connections are.
    client: Arc<OnceLock<Client>>,
}

/// Whose protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    S3,
    Gcs,
    Azure,
    #[cfg(feature = "object-store")]
    Memory,
}

impl Service {
    fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gs",
            Self::Azure => "az",
            #[cfg(feature = "object-store")]
            Self::Memory => "memory",
        }
    }
}

impl Bucket {
    /// Reads `BUCKET/PREFIX`.
    pub(super) fn parse(scheme: &str, rest: &str) -> Result<Self, &'static str> {
        let service = match scheme {
            "s3" => Service::S3,
            "gs" => Service::Gcs,
            "az" => Service::Azure,
            _ => return Err("it is no directory, and the known stores are s3, gs and az"),
        };
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if name.contains('@') {
            return Err("credentials and accounts do not belong there but in the environment");
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if name.is_empty() || !name.bytes().all(plain) {
            return Err("it names no bucket");
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let fits = |part: &str| {
            let strange = |c: char| c.is_control() || matches!(c, '?' | '#' | '%' | '\\');
            !matches!(part, "" | "." | "..") && !part.contains(strange)
        };
        if !prefix.is_empty() && !prefix.split('/').all(fits) {
            return Err("its prefix cannot be one of objects");
        }
        Ok(Self {
            service,
            name: name.to_owned(),
            prefix: prefix.to_owned(),
            settings: Vec::new(),
            client: Arc::default(),
        })
    }

    #[cfg(feature = "object-store")]
    pub(super) fn memory() -> Self {
        use std::sync::atomic::{AtomicUsize, Ordering};

        static NEXT: AtomicUsize = AtomicUsize::new(1);
        Self {
            service: Service::Memory,
            name: NEXT.fetch_add(1, Ordering::Relaxed).to_string(),
            prefix: String::new(),
            settings: Vec::new(),
            client: Arc::default(),
        }
    }

    /// Adds to what the environment says, or takes precedence over it: the name of a variable in any case, such as
    /// `AWS_ENDPOINT_URL`, and its value.
    ///
    /// ```
    /// use tuffet_repo::Destination;
    ///
    /// let Ok(Destination::Bucket(bucket)) = "s3://acme".parse() else { panic!("not a bucket") };
    /// let bucket = bucket.with_setting("AWS_REGION", "eu-central-1");
    /// assert_eq!(bucket.to_string(), "s3://acme");
    /// ```
    #[must_use]
    pub fn with_setting(mut self, name: &str, value: &str) -> Self {
        self.settings
            .push((name.to_ascii_lowercase(), value.to_owned()));
        self.client = Arc::default();
        self
    }

    /// The name together with the account or the endpoint where the bucket is; `None` for one in memory.
    pub(crate) fn full_name(&self) -> Result<Option<String>, Error> {
        let host = self.client()?.host();
        Ok(host.map(|host| match host {
            "" => self.to_string(),
            host => format!("{self} at {host}"),
        }))
    }

    /// What speaks to the store.
    pub(crate) fn client(&self) -> Result<&Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::open(self)?;
        Ok(self.client.get_or_init(|| client))
    }
}

impl PartialEq for Bucket {
    fn eq(&self, other: &Self) -> bool {
        let parts = |bucket: &Self| (bucket.service, bucket.name.clone(), bucket.prefix.clone());
        parts(self) == parts(other) && self.settings == other.settings
    }
}

impl Eq for Bucket {}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.service.scheme(), self.name)?;
        if self.prefix.is_empty() {
            Ok(())
        } else {
            write!(f, "/{}", self.prefix)
        }
    }
}

impl fmt::Debug for Bucket {
    /// Without the settings, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({self})")
    }
}

/// One object of a published tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    bucket: Bucket,
    name: String,
}

impl Object {
    pub(super) fn new(bucket: &Bucket, name: &str) -> Self {
        Self {
            bucket: bucket.clone(),
            name: name.to_owned(),
        }
    }

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// The name within the published tree: `metadata/timestamp.json`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.bucket, self.name)
    }
}
