//! A key in any of the services.

use std::fmt;

use tuffet_core::crypto::{Digest, HashAlgorithm, PublicKey, Scheme};

use super::aws::Aws;
use super::azure::Azure;
use super::error::KmsError;
use super::gcp::Gcp;
use super::settings::KmsSettings;
use super::uri::KmsUri;
use super::vault::Vault;
use crate::error::SignError;
use crate::signer::{PublicKeyInfo, SigningBackend};

/// Names a file of certificate authorities that are believed in place of those of the platform, where a vendor has no name
/// of its own for it.
pub(super) const CA_FILE: &str = "TUFFET_CA_FILE";

/// A private key in a key management service. It signs there.
///
/// ```no_run
/// use tuffet_sign::Signer;
/// use tuffet_sign::kms::{KmsSettings, KmsSigner, KmsUri};
///
/// let uri: KmsUri = "awskms:alias/tuf-root?region=eu-west-1".parse()?;
/// let key = KmsSigner::open(&uri, &KmsSettings::from_environment())?;
/// println!("{}", key.public().metadata().public);
/// # Ok::<(), tuffet_sign::SignError>(())
/// ```
pub struct KmsSigner {
    uri: KmsUri,
    public: PublicKeyInfo,
    service: Service,
}

enum Service {
    Aws(Box<Aws>),
    Gcp(Box<Gcp>),
    Azure(Box<Azure>),
    Vault(Box<Vault>),
}

/// A public key as a service describes it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) key: PublicKey,
    /// What the service signs with this key, as far as TUF knows it.
    pub(super) schemes: Vec<Scheme>,
}

impl KmsSigner {
    /// Reads the public key and keeps the connection.
    ///
    /// An RSA key signs with the scheme of the URI, or with `rsassa-pss-sha256`; where the service binds a key to one
    /// scheme, with that.
    ///
    /// # Errors
    /// [`SignError::Kms`] if the service cannot be asked or does not answer with a key, [`SignError::Scheme`] if the key does
    /// not sign with the scheme of the URI.
    pub fn open(uri: &KmsUri, settings: &KmsSettings) -> Result<Self, SignError> {
        let service = match uri {
            KmsUri::Aws(key) => Service::Aws(Box::new(Aws::new(key, settings)?)),
            KmsUri::Gcp(key) => Service::Gcp(Box::new(Gcp::new(key, settings)?)),
            KmsUri::Azure(key) => Service::Azure(Box::new(Azure::new(key, settings)?)),
            KmsUri::Vault(key) => Service::Vault(Box::new(Vault::new(key, settings)?)),
        };
        let Found { key, schemes } = match &service {
            Service::Aws(aws) => aws.public_key(),
            Service::Gcp(gcp) => gcp.public_key(),
            Service::Azure(azure) => azure.public_key(),
            Service::Vault(vault) => vault.public_key(),
        }?;
        let scheme = choose(uri, &schemes)?;
        Ok(Self {
            uri: uri.clone(),
            public: PublicKeyInfo::new(scheme, key)?,
            service,
        })
    }
}

/// The wanted scheme, or the first: for RSA keys that is PSS with SHA-256 if the service has it.
fn choose(uri: &KmsUri, schemes: &[Scheme]) -> Result<Scheme, SignError> {
    match uri.scheme() {
        Some(scheme) if schemes.contains(&scheme) => Ok(scheme),
        Some(scheme) => Err(SignError::Scheme { scheme }),
        None => {
            let first = schemes.iter().min().copied();
            Ok(first.ok_or_else(|| KmsError::Refused {
                service: uri.service(),
                said: "it signs with this key in no way that TUF knows".to_owned(),
            })?)
        }
    }
}

impl SigningBackend for KmsSigner {
    fn public_key(&self) -> &PublicKeyInfo {
        &self.public
    }

    fn sign_unconfirmed(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let scheme = self.public.scheme();
        Ok(match &self.service {
            Service::Aws(aws) => aws.sign(scheme, message),
            Service::Gcp(gcp) => gcp.sign(scheme, message),
            Service::Azure(azure) => azure.sign(scheme, message),
            Service::Vault(vault) => vault.sign(scheme, message),
        }?)
    }
}

impl fmt::Debug for KmsSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsSigner")
            .field("uri", &self.uri)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// The digest that is signed in place of the message, for schemes that sign one.
pub(super) fn digest_for(scheme: Scheme, message: &[u8]) -> Option<Digest> {
    let algorithm = match scheme {
        Scheme::EcdsaP256Sha256 => HashAlgorithm::Sha256,
        Scheme::EcdsaP384Sha384 => HashAlgorithm::Sha384,
        Scheme::EcdsaP521Sha512 => HashAlgorithm::Sha512,
        Scheme::RsaPss(algorithm) | Scheme::RsaPkcs1v15(algorithm) => algorithm,
        Scheme::Ed25519 | Scheme::MlDsa44 | Scheme::MlDsa65 | Scheme::MlDsa87 => return None,
    };
    Some(tuffet_crypto::default_provider().digest(algorithm, message))
}
