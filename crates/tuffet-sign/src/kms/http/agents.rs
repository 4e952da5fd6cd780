//! The ways to a service: direct, through the proxy of the environment, or to the machine's own metadata service.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Error, Timeout};

use super::super::endpoint::Endpoint;
use super::super::settings::{KmsSettings, read_file};
use super::exchange::{Trouble, TroubleKind};
use super::proxy::Proxy;

/// How long connecting may take, and one request with its answer.
struct Patience {
    connect: Duration,
    whole: Duration,
}

impl Patience {
    fn usual(settings: &KmsSettings) -> Self {
        Self {
            connect: Duration::from_secs(10),
            whole: settings.longest(),
        }
    }

    /// On a machine outside the cloud nobody answers at the address of the metadata service.
    fn with_host(settings: &KmsSettings) -> Self {
        Self {
            connect: Duration::from_secs(2),
            whole: settings.longest().min(Duration::from_secs(10)),
        }
    }
}

/// The longest file of certificate authorities that is read, in bytes. Those of a platform take about 200 KiB.
const LONGEST_BUNDLE: u64 = 8 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Agents {
    direct: Agent,
    of_host: Agent,
    proxied: Option<(Proxy, Agent)>,
}

impl Agents {
    /// # Errors
    /// What is wrong with the proxy or the file of certificate authorities.
    pub(super) fn new(
        settings: &KmsSettings,
        authority_variables: &[&str],
    ) -> Result<Self, String> {
        let tls = tls(settings, authority_variables)?;
        let usual = Patience::usual(settings);
        let proxied = Proxy::of(settings)?.map(|proxy| {
            let agent = agent(&tls, Some(proxy.server.clone()), &usual);
            (proxy, agent)
        });
        Ok(Self {
            direct: agent(&tls, None, &usual),
            of_host: agent(&tls, None, &Patience::with_host(settings)),
            proxied,
        })
    }

    pub(super) fn way_to(&self, place: &Endpoint) -> &Agent {
        match &self.proxied {
            Some((proxy, agent)) if proxy.leads_to(place) => agent,
            _ if place.is_of_host() => &self.of_host,
            _ => &self.direct,
        }
    }
}

fn agent(tls: &TlsConfig, proxy: Option<ureq::Proxy>, patience: &Patience) -> Agent {
    Agent::config_builder()
        .tls_config(tls.clone())
        .proxy(proxy)
        .http_status_as_error(false)
        // A redirect would take the token elsewhere.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("tuffet/", env!("CARGO_PKG_VERSION")))
        .max_response_header_size(64 * 1024)
        .timeout_connect(Some(patience.connect))
        .timeout_global(Some(patience.whole))
        .build()
        .into()
}

/// The platform's certificate authorities, or those of a file and no others.
fn tls(settings: &KmsSettings, variables: &[&str]) -> Result<TlsConfig, String> {
    let file = variables
        .iter()
        .find_map(|name| Some((name, settings.variable(name)?)));
    let authorities = match file {
        None => RootCerts::PlatformVerifier,
        Some((name, path)) => {
            let pem = read_file(path.as_ref(), LONGEST_BUNDLE)
                .map_err(|what| format!("{name}: {what}"))?;
            let found: Option<Vec<_>> = CertificateDer::pem_slice_iter(pem.as_bytes())
                .map(|found| Some(Certificate::from_der(&found.ok()?).to_owned()))
                .collect();
            let found = found
                .filter(|found| !found.is_empty())
                .ok_or_else(|| format!("the file in {name} holds no readable PEM certificate"))?;
            RootCerts::Specific(Arc::new(found))
        }
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(TlsConfig::builder()
        .root_certs(authorities)
        .unversioned_rustls_crypto_provider(provider)
        .build())
}

/// What an error of the library means.
pub(super) fn trouble(error: &Error) -> Trouble {
    let (what, kind) = match error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            ("connecting takes too long".to_owned(), TroubleKind::Passing)
        }
        Error::Timeout(_) => ("the answer takes too long".to_owned(), TroubleKind::Passing),
        Error::HostNotFound => (
            "the host name is not known".to_owned(),
            TroubleKind::Passing,
        ),
        Error::ConnectionFailed => ("no connection".to_owned(), TroubleKind::Passing),
        Error::Io(error) => of_io(error),
        Error::BodyExceedsLimit(limit) => (
            format!("it is longer than {limit} bytes"),
            TroubleKind::Answer,
        ),
        Error::Protocol(_) | Error::LargeResponseHeader(..) => {
            ("it is not HTTP".to_owned(), TroubleKind::Answer)
        }
        Error::Rustls(error) => (format!("TLS: {error}"), TroubleKind::Lasting),
        Error::Tls(what) => (format!("TLS: {what}"), TroubleKind::Lasting),
        Error::ConnectProxyFailed(what) => {
            (format!("the proxy says: {what}"), TroubleKind::Lasting)
        }
        // What is left are errors of use, such as a URL that cannot be one; it might be shown with them.
        _ => (
            "the request cannot be sent".to_owned(),
            TroubleKind::Lasting,
        ),
    };
    Trouble { what, kind }
}

fn of_io(error: &io::Error) -> (String, TroubleKind) {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(tls) = tls {
        return (format!("TLS: {tls}"), TroubleKind::Lasting);
    }
    match error.kind() {
        // A broken pipe is what a server leaves that closed a kept connection.
        ErrorKind::UnexpectedEof => ("the answer breaks off".to_owned(), TroubleKind::Passing),
        ErrorKind::InvalidData | ErrorKind::InvalidInput => {
            ("it is not HTTP".to_owned(), TroubleKind::Answer)
        }
        _ => (error.to_string(), TroubleKind::Passing),
    }
}
