//! TLS with certificate authorities made for the test.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tuffet_client::http::{HttpOptions, HttpOptionsError};

use super::server::{Server, Socket, answer};
use super::transports::transports;

/// A certificate authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::new([]).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// The configuration of a server with a certificate for one name, valid until a year.
    pub(crate) fn server(&self, name: &str, until: i32, protocols: &[&[u8]]) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(until, 1, 1);
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Arc::new(config)
    }
}

/// A server of HTTPS.
pub(crate) fn secure(
    config: Arc<ServerConfig>,
    script: impl Fn(&super::server::Asked, &mut dyn Socket) -> bool + Send + Sync + 'static,
) -> Server {
    let wrap = move |tcp: TcpStream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        Some(Box::new(StreamOwned::new(connection, tcp)) as Box<dyn Socket>)
    };
    Server::wrapped(wrap, script)
}

fn fine(config: Arc<ServerConfig>) -> Server {
    secure(config, |_, socket| {
        socket.write_all(&answer(200, "", b"secure")).is_ok()
    })
}

fn url(server: &Server, path: &str) -> String {
    server.url(path).replace("http://", "https://")
}

#[test]
fn a_certificate_of_a_configured_authority_is_believed() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = fine(authority.server("127.0.0.1", 2099, &[]));
    let both = authority.pem() + &other.pem();
    for options in [
        HttpOptions::new()
            .only_authorities(both.as_bytes())
            .unwrap(),
        HttpOptions::new()
            .extra_authorities(authority.pem().as_bytes())
            .unwrap(),
    ] {
        for (name, http) in transports(&options) {
            for _ in 0..2 {
                assert_eq!(http.get(&url(&server, "/x")).bytes(), b"secure", "{name}");
            }
            let asked = server.asked();
            let [.., first, second] = asked.as_slice() else {
                panic!("two requests")
            };
            assert_eq!(
                first.connection, second.connection,
                "{name}: connections are kept"
            );
        }
    }
}

#[test]
fn other_certificates_are_refused_for_good() {
    let (authority, other) = (Authority::new(), Authority::new());
    let only = |pem: String| HttpOptions::new().only_authorities(pem.as_bytes()).unwrap();
    let extra = |pem: String| {
        HttpOptions::new()
            .extra_authorities(pem.as_bytes())
            .unwrap()
    };
    for (what, config, options) in [
        (
            "unknown authority",
            authority.server("127.0.0.1", 2099, &[]),
            only(other.pem()),
        ),
        (
            "authority unknown to the platform",
            authority.server("127.0.0.1", 2099, &[]),
            extra(other.pem()),
        ),
        (
            "nothing configured",
            authority.server("127.0.0.1", 2099, &[]),
            HttpOptions::new(),
        ),
        (
            "other name",
            authority.server("repo.example", 2099, &[]),
            only(authority.pem()),
        ),
        (
            "expired",
            authority.server("127.0.0.1", 2021, &[]),
            only(authority.pem()),
        ),
    ] {
        let server = fine(config);
        for (name, http) in transports(&options) {
            let got = http.get(&url(&server, "/x"));
            assert_eq!(got.word(), "fatal network.tls", "{name} {what}: {got:?}");
            assert!(!got.error().detail.is_empty(), "{name} {what}");
        }
        assert_eq!(server.asked(), [], "{what}: nothing was asked");
    }
}

/// Says something in plain text to whoever says hello, then hangs up.
fn plain(answer: &'static [u8]) -> Server {
    let wrap = move |mut tcp: TcpStream| {
        let read = tcp.read(&mut [0; 16 * 1024]).unwrap();
        assert!(read > 0);
        tcp.write_all(answer).unwrap();
        tcp.shutdown(Shutdown::Write).unwrap();
        let _ = tcp.read_to_end(&mut Vec::new());
        None
    };
    Server::wrapped(wrap, |_, _| false)
}

#[test]
fn plain_text_where_tls_should_be_is_refused() {
    let options = HttpOptions::new()
        .only_authorities(Authority::new().pem().as_bytes())
        .unwrap();
    for (text, word) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            "fatal network.tls",
        ),
        (b"", "retryable network.connect"),
    ] {
        let server = plain(text);
        for (name, http) in transports(&options) {
            assert_eq!(
                http.get(&url(&server, "/x")).word(),
                word,
                "{name} {text:?}"
            );
        }
    }
}

#[test]
fn redirects_do_not_leave_https() {
    let plain = Server::answering(answer(200, "", b"plain"));
    let there = plain.url("/x");
    let authority = Authority::new();
    let server = secure(
        authority.server("127.0.0.1", 2099, &[]),
        move |_, socket| {
            socket
                .write_all(&answer(302, &format!("location: {there}\r\n"), b""))
                .is_ok()
        },
    );
    for (name, http) in transports(
        &HttpOptions::new()
            .only_authorities(authority.pem().as_bytes())
            .unwrap(),
    ) {
        assert_eq!(
            http.get(&url(&server, "/x")).word(),
            "fatal network.redirect",
            "{name}"
        );
    }
    assert_eq!(plain.asked(), []);
}

#[test]
fn a_secure_body_that_breaks_off_is_an_error() {
    let authority = Authority::new();
    let server = secure(authority.server("127.0.0.1", 2099, &[]), |_, socket| {
        socket
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234")
            .unwrap();
        false
    });
    for (name, http) in transports(
        &HttpOptions::new()
            .only_authorities(authority.pem().as_bytes())
            .unwrap(),
    ) {
        assert_eq!(
            http.get(&url(&server, "/x")).word(),
            "broken network.interrupted",
            "{name}"
        );
    }
}

#[test]
fn a_file_without_certificates_is_no_authority() {
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "no certificate", broken, other] {
        for options in [
            HttpOptions::new().only_authorities(pem.as_bytes()),
            HttpOptions::new().extra_authorities(pem.as_bytes()),
        ] {
            assert_eq!(
                options.err(),
                Some(HttpOptionsError::Certificates),
                "{pem:?}"
            );
        }
    }
}

/// Enough of HTTP/2 (RFC 9113) for one answer: the preface and all frames of the client are read, not understood.
#[cfg(feature = "async")]
fn second_version(config: Arc<ServerConfig>, end: u8) -> Server {
    const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    const SETTINGS_SEEN: &[u8] = &[0, 0, 0, 4, 1, 0, 0, 0, 0];
    const STATUS_200: &[u8] = &[0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88];
    let wrap = move |tcp: TcpStream| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), tcp);
        stream.read_exact(&mut [0; PREFACE]).ok()?;
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
        stream.write_all(SETTINGS).ok()?;
        let mut frame = [0; 9];
        while stream.read_exact(&mut frame).is_ok() {
            let length = u64::from(u32::from_be_bytes([0, frame[0], frame[1], frame[2]]));
            std::io::copy(&mut (&mut stream).take(length), &mut std::io::sink()).ok()?;
            if frame[3] == 1 {
                let data = [&[0, 0, 5, 0, end, 0, 0, 0, 1], &b"twice"[..]].concat();
                stream
                    .write_all(&[SETTINGS_SEEN, STATUS_200, &data].concat())
                    .ok()?;
                if end == 0 {
                    return None;
                }
            }
        }
        None
    };
    Server::wrapped(wrap, |_, _| false)
}

#[cfg(feature = "async")]
#[test]
fn the_second_version_of_http_is_offered_and_understood() {
    let authority = Authority::new();
    let options = HttpOptions::new()
        .only_authorities(authority.pem().as_bytes())
        .unwrap();
    for (end, word) in [(1, "found"), (0, "broken network.interrupted")] {
        let server = second_version(authority.server("127.0.0.1", 2099, &[b"h2"]), end);
        let transports = transports(&options);
        let (_, http) = transports
            .iter()
            .find(|(name, _)| *name == "async")
            .unwrap();
        let got = http.get(&url(&server, "/x"));
        assert_eq!(got.word(), word, "{got:?}");
        if end == 1 {
            assert_eq!(got.bytes(), b"twice");
        }
    }
}

#[test]
fn the_first_version_of_http_is_chosen_where_both_are_not() {
    let authority = Authority::new();
    let server = fine(authority.server("127.0.0.1", 2099, &[b"http/1.1"]));
    for (name, http) in transports(
        &HttpOptions::new()
            .only_authorities(authority.pem().as_bytes())
            .unwrap(),
    ) {
        assert_eq!(http.get(&url(&server, "/x")).bytes(), b"secure", "{name}");
    }
}
