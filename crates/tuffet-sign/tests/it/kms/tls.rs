//! TLS: a private authority is believed when its file is named, and no other.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tuffet_core::crypto::Scheme;

use super::vault;
use super::world::World;

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            issuer: Issuer::new(parameters, key),
        }
    }

    /// A server with a certificate for `127.0.0.1`.
    fn server(&self) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])
            .unwrap()
            .signed_by(&key, &self.issuer)
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        Arc::new(config)
    }
}

#[test]
fn a_private_authority_is_believed_when_it_is_named_and_no_other() {
    let (authority, other) = (Authority::new(), Authority::new());
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (right, wrong) = (
        file("right.pem", &authority.pem),
        file("wrong.pem", &other.pem),
    );
    let empty = file("empty.pem", "no certificate");
    let world = || World::encrypted(&vault::FORM, Scheme::Ed25519, authority.server());
    for (variables, code) in [
        (&[("TUFFET_CA_FILE", &right)][..], ""),
        (&[("VAULT_CACERT", &right)], ""),
        // The vendor's own name comes first.
        (&[("VAULT_CACERT", &right), ("TUFFET_CA_FILE", &wrong)], ""),
        (&[("TUFFET_CA_FILE", &wrong)], "key.kms.unreachable"),
        (&[], "key.kms.unreachable"),
        (&[("TUFFET_CA_FILE", &empty)], "key.kms.settings"),
        (
            &[("TUFFET_CA_FILE", &format!("{right}.absent"))],
            "key.kms.settings",
        ),
    ] {
        let world = variables.iter().fold(world(), |world, (name, value)| {
            world.set(name, value.as_str())
        });
        match world.open() {
            Ok(signer) => {
                assert_eq!(code, "", "{variables:?}");
                world.key_is_that_of(&signer);
            }
            Err(error) => {
                assert_eq!(error.code(), code, "{variables:?}: {error}");
                assert!(
                    world.clock.waits().is_empty(),
                    "no attempt makes another authority of it"
                );
            }
        }
    }
}
