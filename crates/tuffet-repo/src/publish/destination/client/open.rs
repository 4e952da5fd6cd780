//! Finds out how a store is reached: from the environment, and from what the caller sets.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::memory::InMemory;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use super::Client;
use crate::Error;
use crate::publish::destination::bucket::{Bucket, Service};

/// How long one request may take: a part of a large target has to get through a slow line in that time.
const REQUEST: &str = "120 seconds";

impl Client {
    pub(in crate::publish::destination) fn open(bucket: &Bucket) -> Result<Self, Error> {
        let unusable = |source: Box<dyn std::error::Error + Send + Sync>| Error::StoreSettings {
            bucket: bucket.to_string(),
            source,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| unusable(error.into()))?;
        let (store, host) = connect(bucket).map_err(|error| unusable(error.into()))?;
        Ok(Self {
            bucket: bucket.clone(),
            store,
            host,
            runtime: Some(runtime),
        })
    }
}

/// The store, and where it is.
type Connected = (Arc<dyn ObjectStore>, Option<String>);

fn connect(bucket: &Bucket) -> Result<Connected, object_store::Error> {
    let timeout = ClientConfigKey::Timeout;
    Ok(match bucket.service {
        Service::S3 => {
            let builder = AmazonS3Builder::from_env().with_bucket_name(&bucket.name);
            let mut builder = builder.with_config(AmazonS3ConfigKey::Client(timeout), REQUEST);
            for (name, value) in &bucket.settings {
                builder = builder.with_config(name.parse()?, value);
            }
            let keys = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint];
            let host = keys.iter().find_map(|key| builder.get_config_value(key));
            let store = builder.with_retry(retries()).build()?;
            (Arc::new(store), Some(without_secrets(host)))
        }
        Service::Gcs => {
            let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(&bucket.name);
            let mut builder = builder.with_config(GoogleConfigKey::Client(timeout), REQUEST);
            for (name, value) in &bucket.settings {
                builder = builder.with_config(name.parse()?, value);
            }
            let host = builder.get_config_value(&GoogleConfigKey::BaseUrl);
            let store = builder.with_retry(retries()).build()?;
            (Arc::new(store), Some(without_secrets(host)))
        }
        Service::Azure => {
            let builder = MicrosoftAzureBuilder::from_env().with_container_name(&bucket.name);
            let mut builder = builder.with_config(AzureConfigKey::Client(timeout), REQUEST);
            for (name, value) in &bucket.settings {
                builder = builder.with_config(name.parse()?, value);
            }
            let endpoint = builder.get_config_value(&AzureConfigKey::Endpoint);
            let account = builder.get_config_value(&AzureConfigKey::AccountName);
            let parts = [account.unwrap_or_default(), without_secrets(endpoint)];
            let store = builder.with_retry(retries()).build()?;
            let host = parts.join(" ").trim().to_owned();
            (Arc::new(store), Some(host))
        }
        Service::Memory => (Arc::new(InMemory::new()), None),
    })
}

/// An endpoint without what stands before an `@` or after a `?`, where people put secrets.
fn without_secrets(endpoint: Option<String>) -> String {
    let endpoint = endpoint.unwrap_or_default();
    let place = endpoint.split(['?', '#']).next().unwrap_or_default();
    let place = place.rsplit('@').next().unwrap_or_default();
    let place = place.split_once("://").map_or(place, |(_, place)| place);
    place.trim_end_matches('/').to_owned()
}

/// A store that does not answer is given up after about ten seconds: whoever publishes can publish again.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        },
        max_retries: 5,
        retry_timeout: Duration::from_secs(60),
    }
}

#[cfg(test)]
mod tests {
    use crate::publish::destination::Destination;

    fn name(place: &str, settings: &[(&str, &str)]) -> String {
        let Ok(Destination::Bucket(bucket)) = place.parse() else {
            panic!("{place}")
        };
        let settings = settings.iter();
        let bucket = settings.fold(bucket, |bucket, (name, value)| {
            bucket.with_setting(name, value)
        });
        bucket.full_name().unwrap().unwrap()
    }

    #[test]
    fn r18_buckets_of_one_name_are_told_apart_by_account_and_endpoint_and_no_secret_is_in_it() {
        let key = ("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0");
        let account = |name| name_of_account(name, key);
        assert_eq!(account("acme"), "az://tuf at acme");
        assert_ne!(account("acme"), account("other"));
        let s3 = |endpoint| {
            let secret = ("AWS_SECRET_ACCESS_KEY", "secret");
            let id = ("AWS_ACCESS_KEY_ID", "id");
            name(
                "s3://tuf/a",
                &[
                    id,
                    secret,
                    ("AWS_REGION", "x"),
                    ("AWS_ENDPOINT_URL", endpoint),
                ],
            )
        };
        assert_eq!(
            s3("https://me:secret@minio.example/?secret"),
            "s3://tuf/a at minio.example"
        );
        assert_ne!(s3("https://one.example"), s3("https://two.example"));
    }

    fn name_of_account(account: &str, key: (&str, &str)) -> String {
        name("az://tuf", &[("AZURE_STORAGE_ACCOUNT_NAME", account), key])
    }
}
