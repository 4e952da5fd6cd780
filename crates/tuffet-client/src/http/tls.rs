//! One TLS configuration for both transports: rustls with aws-lc and the platform's judgement of certificates.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls_platform_verifier::Verifier;

use super::options::{Authorities, HttpOptionsError};

/// `protocols` are those offered to the server, such as `h2`.
pub(crate) fn client_config(
    authorities: &Authorities,
    protocols: &[&[u8]],
) -> Result<ClientConfig, HttpOptionsError> {
    let wrong = |error: rustls::Error| HttpOptionsError::Tls(error.to_string());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(wrong)?;
    let platform = |extra: &[_]| {
        Verifier::new_with_extra_roots(extra.iter().cloned(), Arc::clone(&provider)).map_err(wrong)
    };
    let mut config = match authorities {
        Authorities::Platform => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(platform(&[])?))
            .with_no_client_auth(),
        Authorities::PlatformAnd(extra) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(platform(extra)?))
            .with_no_client_auth(),
        Authorities::Only(only) => {
            let mut roots = rustls::RootCertStore::empty();
            for certificate in only {
                roots.add(certificate.clone()).map_err(wrong)?;
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}
