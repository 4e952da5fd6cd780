//! TLS: a private authority is believed when its file is named, and no other.

use std::io::{Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tuffet_core::crypto::Scheme;

use super::vault;
use super::world::World;

/// A name that no resolver knows.
const FAR_HOST: &str = "vault.invalid";

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

    /// A server with a certificate for `127.0.0.1` and for a name that only the proxy knows.
    fn server(&self) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned(), FAR_HOST.to_owned()])
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

/// A proxy that makes tunnels, all of them to one address. It says what it was asked for first.
fn proxy(address: String) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://user:pass@{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            near.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let mut far = TcpStream::connect(address).unwrap();
        let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        thread::spawn(move || {
            let _ = copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
        thread::spawn(move || copy(&mut far, &mut near));
        String::from_utf8(head).unwrap()
    });
    (url, asked)
}

#[test]
fn the_proxy_of_the_environment_makes_a_tunnel_and_sees_no_token() {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, &authority.pem).unwrap();
    let world = World::encrypted(&vault::FORM, Scheme::Ed25519, authority.server());
    let address = world.server.url().replace("https://", "");
    let (url, asked) = proxy(address);
    let world = world
        .set("VAULT_ADDR", format!("https://{FAR_HOST}:8200"))
        .set("VAULT_CACERT", file.to_str().unwrap())
        .set("HTTPS_PROXY", url);
    let signer = world.open().unwrap();
    world.key_is_that_of(&signer);
    let asked = asked.join().unwrap();
    assert!(
        asked.starts_with(&format!("CONNECT {FAR_HOST}:8200 HTTP/1.1")),
        "{asked}"
    );
    assert!(
        asked
            .to_lowercase()
            .contains("proxy-authorization: basic dxnlcjpwyxnz"),
        "{asked}"
    );
    assert!(!asked.contains(super::world::TOKEN), "{asked}");
}
