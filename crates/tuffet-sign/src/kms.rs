//! Keys in key management services: AWS KMS, Google Cloud KMS, Azure Key Vault, and the transit engine of Vault and OpenBao.
//!
//! Of each service two calls of its REST interface are used: one reads the public key, one signs. Every signature is verified
//! against the public key before it is handed out, so that a service, or who sits between, can refuse but not deceive.
//! Credentials come from where the vendors' own tools take them from; `docs/kms.md` has a recipe for each service.
//!
//! [`KmsUri`] names a key. The rest needs the feature `kms`.

#[cfg(feature = "kms")]
mod aws;
#[cfg(feature = "kms")]
mod azure;
#[cfg(feature = "kms")]
mod endpoint;
mod error;
#[cfg(feature = "kms")]
mod gcp;
#[cfg(feature = "kms")]
mod http;
#[cfg(feature = "kms")]
mod secret;
#[cfg(feature = "kms")]
mod settings;
#[cfg(feature = "kms")]
mod signer;
mod uri;
#[cfg(feature = "kms")]
mod vault;
#[cfg(feature = "kms")]
mod wire;

pub use self::error::{KmsError, KmsService};
#[cfg(feature = "kms")]
pub use self::settings::{Clock, KmsSettings, SystemClock};
#[cfg(feature = "kms")]
pub use self::signer::KmsSigner;
pub use self::uri::{AwsKey, AzureKey, GcpKey, KmsUri, VaultKey};
