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
        Ok(Self {
            bucket: bucket.clone(),
            store: connect(bucket).map_err(|error| unusable(error.into()))?,
            runtime: Some(runtime),
        })
    }
}

fn connect(bucket: &Bucket) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let timeout = ClientConfigKey::Timeout;
    Ok(match bucket.service {
        Service::S3 => {
            let builder = AmazonS3Builder::from_env().with_bucket_name(&bucket.name);
            let mut builder = builder.with_config(AmazonS3ConfigKey::Client(timeout), REQUEST);
            for (name, value) in &bucket.settings {
                builder = builder.with_config(name.parse()?, value);
            }
            Arc::new(builder.with_retry(retries()).build()?)
        }
        Service::Gcs => {
            let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(&bucket.name);
            let mut builder = builder.with_config(GoogleConfigKey::Client(timeout), REQUEST);
            for (name, value) in &bucket.settings {
                builder = builder.with_config(name.parse()?, value);
            }
            Arc::new(builder.with_retry(retries()).build()?)
        }
        Service::Azure => {
            let builder = MicrosoftAzureBuilder::from_env().with_container_name(&bucket.name);
            let mut builder = builder.with_config(AzureConfigKey::Client(timeout), REQUEST);
            for (name, value) in &bucket.settings {
                builder = builder.with_config(name.parse()?, value);
            }
            Arc::new(builder.with_retry(retries()).build()?)
        }
        Service::Memory => Arc::new(InMemory::new()),
    })
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
