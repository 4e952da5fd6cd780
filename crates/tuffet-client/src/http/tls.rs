//! One TLS configuration for both transports: rustls with aws-lc and the platform's judgement of certificates.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::options::{Authorities, HttpOptionsError};

/// `protocols` are those offered to the server, such as `h2`.
pub(crate) fn client_config(
    authorities: &Authorities,
    protocols: &[&[u8]],
) -> Result<ClientConfig, HttpOptionsError> {
    let wrong = |error: Error| HttpOptionsError::Tls(error.to_string());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(wrong)?;
    let platform = |extra| {
        Arc::new(Platform {
            extra,
            provider,
            verifier: OnceLock::new(),
        })
    };
    let builder = match authorities {
        Authorities::Platform => builder
            .dangerous()
            .with_custom_certificate_verifier(platform(Vec::new())),
        Authorities::PlatformAnd(extra) => builder
            .dangerous()
            .with_custom_certificate_verifier(platform(extra.clone())),
        Authorities::Only(only) => builder.with_root_certificates(store(only).map_err(wrong)?),
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

/// The certificates as authorities; fails if one cannot be one.
pub(crate) fn store(certificates: &[CertificateDer<'static>]) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store.add(certificate.clone())?;
    }
    Ok(store)
}

/// The platform's judgement, asked for when the first certificate comes: reading its authorities takes a while, and a
/// machine without any can still use plain http.
#[derive(Debug)]
struct Platform {
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    verifier: OnceLock<Result<Verifier, Error>>,
}

impl ServerCertVerifier for Platform {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        status: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let provider = || Arc::clone(&self.provider);
        let verifier = self
            .verifier
            .get_or_init(|| Verifier::new_with_extra_roots(self.extra.iter().cloned(), provider()));
        match verifier {
            Ok(verifier) => {
                verifier.verify_server_cert(certificate, intermediates, name, status, now)
            }
            Err(error) => Err(error.clone()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
