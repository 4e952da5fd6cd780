//! What an application can choose about HTTP, the same for both transports.

use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::proxy::{Proxy, ProxyRules};
use super::tls;
use super::url::{Origin, Url, UrlError};

/// Why options cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpOptionsError {
    /// The PEM text holds no certificate, or a broken one.
    #[error("the certificate authority file holds no readable PEM certificate")]
    Certificates,
    /// A proxy is not a URL, or of a scheme that is not known; `place` is where it was configured.
    #[error(
        "the proxy in {place} is not a URL of the form http://host:port; https, socks5 and socks5h work too"
    )]
    Proxy {
        /// The environment variable, or `the options`.
        place: String,
    },
    /// The origin of a header is not `https://host[:port]`.
    #[error("the origin of a header must be of the form https://host or https://host:port")]
    Origin(#[source] UrlError),
    /// The name or value of a header is malformed or not for the application to set.
    #[error("the header {name} cannot be set")]
    Header {
        /// The name as given.
        name: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// The slowest transfer that is put up with, which bounds how long a server can hold a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinimumRate {
    /// Bytes per second, averaged over the window.
    pub bytes_per_second: u64,
    /// How long the average runs. Only time spent waiting for the network counts.
    pub window: Duration,
    /// How long a transfer may take to gather speed before it is judged.
    pub grace: Duration,
}

impl Default for MinimumRate {
    /// 1 KiB/s over 30 seconds after 30 seconds: a 500 KB root can be dragged out to eight minutes, no longer.
    fn default() -> Self {
        Self {
            bytes_per_second: 1024,
            window: Duration::from_secs(30),
            grace: Duration::from_secs(30),
        }
    }
}

/// Which certificate authorities are believed.
#[derive(Clone)]
pub(crate) enum Authorities {
    Platform,
    PlatformAnd(Vec<CertificateDer<'static>>),
    Only(Vec<CertificateDer<'static>>),
}

/// How files are asked for over HTTP.
///
/// ```
/// use std::time::Duration;
/// use tuffet_client::http::{BlockingHttp, HttpOptions, Proxy};
///
/// let options = HttpOptions::new()
///     .idle_timeout(Duration::from_secs(10))
///     .proxy(Proxy::direct())
///     .header("https://private.example", "authorization", "Bearer 6f1c")?;
/// let http = BlockingHttp::new(options)?;
/// # Ok::<(), tuffet_client::http::HttpOptionsError>(())
/// ```
#[derive(Clone)]
pub struct HttpOptions {
    pub(crate) connect_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) minimum_rate: Option<MinimumRate>,
    pub(crate) redirects: u8,
    pub(crate) user_agent: HeaderValue,
    pub(crate) proxy: Proxy,
    pub(crate) authorities: Authorities,
    pub(crate) headers: Vec<OriginHeader>,
    pub(crate) forbidden_is_absent: bool,
}

/// A header for one origin. `Debug` does not show the value.
#[derive(Clone)]
pub(crate) struct OriginHeader {
    pub(crate) origin: Origin,
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

impl fmt::Debug for OriginHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ..", self.origin, self.name)
    }
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpOptions {
    /// The defaults, named at each setter.
    #[must_use]
    pub fn new() -> Self {
        Self {
            connect_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
            deadline: None,
            minimum_rate: Some(MinimumRate::default()),
            redirects: 5,
            user_agent: HeaderValue::from_static(concat!("tuffet/", env!("CARGO_PKG_VERSION"))),
            proxy: Proxy::environment(),
            authorities: Authorities::Platform,
            headers: Vec::new(),
            forbidden_is_absent: true,
        }
    }

    /// How long resolving a name, connecting and the TLS handshake may take. 30 seconds unless set.
    #[must_use]
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self {
            connect_timeout,
            ..self
        }
    }

    /// How long nothing may arrive, and how long an answer may take to begin. 30 seconds unless set.
    #[must_use]
    pub fn idle_timeout(self, idle_timeout: Duration) -> Self {
        Self {
            idle_timeout,
            ..self
        }
    }

    /// How long one transfer may take from the request to the last byte, redirects included. Not limited unless set:
    /// large files over slow links take long, and the minimum rate bounds what a server can do.
    #[must_use]
    pub fn deadline(self, deadline: Option<Duration>) -> Self {
        Self { deadline, ..self }
    }

    /// The slowest transfer that is put up with; `None` puts up with any.
    #[must_use]
    pub fn minimum_rate(self, minimum_rate: Option<MinimumRate>) -> Self {
        Self {
            minimum_rate,
            ..self
        }
    }

    /// How many redirects one request may follow. 5 unless set; none leads from https to http.
    #[must_use]
    pub fn redirects(self, redirects: u8) -> Self {
        Self { redirects, ..self }
    }

    /// How the client introduces itself. `tuffet/VERSION` unless set.
    ///
    /// # Errors
    /// [`HttpOptionsError::Header`] if the text cannot be sent in a header.
    pub fn user_agent(self, user_agent: &str) -> Result<Self, HttpOptionsError> {
        let wrong = |_| HttpOptionsError::Header {
            name: "user-agent".to_owned(),
        };
        Ok(Self {
            user_agent: HeaderValue::from_str(user_agent).map_err(wrong)?,
            ..self
        })
    }

    /// Which proxy is used: that of the environment unless set.
    #[must_use]
    pub fn proxy(self, proxy: Proxy) -> Self {
        Self { proxy, ..self }
    }

    /// Believes the certificate authorities of a PEM text besides those of the platform.
    ///
    /// # Errors
    /// [`HttpOptionsError::Certificates`] if the text holds no certificate, or a broken one.
    pub fn extra_authorities(self, pem: &[u8]) -> Result<Self, HttpOptionsError> {
        Ok(Self {
            authorities: Authorities::PlatformAnd(certificates(pem)?),
            ..self
        })
    }

    /// Believes the certificate authorities of a PEM text and no others.
    ///
    /// # Errors
    /// [`HttpOptionsError::Certificates`] if the text holds no certificate, or a broken one.
    pub fn only_authorities(self, pem: &[u8]) -> Result<Self, HttpOptionsError> {
        Ok(Self {
            authorities: Authorities::Only(certificates(pem)?),
            ..self
        })
    }

    /// Sends a header to one origin, such as `authorization` to a private repository. It is never sent elsewhere, and
    /// not back to the origin either once a redirect has led away from it.
    ///
    /// # Errors
    /// [`HttpOptionsError::Origin`] if the origin is not of the form `https://host[:port]`, and
    /// [`HttpOptionsError::Header`] if the header is malformed or one that the transport sets itself.
    pub fn header(
        mut self,
        origin: &str,
        name: &str,
        value: &str,
    ) -> Result<Self, HttpOptionsError> {
        let url = Url::parse(origin).map_err(HttpOptionsError::Origin)?;
        if url.credentials().is_some() || url.path() != "/" || origin.contains(['?', '#']) {
            return Err(HttpOptionsError::Origin(UrlError::NotAnOrigin));
        }
        let wrong = || HttpOptionsError::Header {
            name: name.chars().take(80).collect(),
        };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        if OWN_HEADERS.contains(&name.as_str()) || value.len() > LONGEST_HEADER {
            return Err(wrong());
        }
        value.set_sensitive(true);
        self.headers.push(OriginHeader {
            origin: url.origin(),
            name,
            value,
        });
        Ok(self)
    }

    /// Whether status 403 says that there is no such file, as object stores do that hide what may not be listed. True
    /// unless set.
    #[must_use]
    pub fn forbidden_is_absent(self, forbidden_is_absent: bool) -> Self {
        Self {
            forbidden_is_absent,
            ..self
        }
    }
}

/// Setting these would change what an answer means or where it comes from.
const OWN_HEADERS: [&str; 14] = [
    "host",
    "range",
    "if-range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "accept-encoding",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "upgrade",
    "user-agent",
];

/// The longest value of a configured header, in bytes.
const LONGEST_HEADER: usize = 8 * 1024;

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, HttpOptionsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found
        .ok()
        .filter(|found| !found.is_empty() && tls::store(found).is_ok())
        .ok_or(HttpOptionsError::Certificates)
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authorities = match &self.authorities {
            Authorities::Platform => "platform".to_owned(),
            Authorities::PlatformAnd(extra) => format!("platform and {} more", extra.len()),
            Authorities::Only(only) => format!("{} and no others", only.len()),
        };
        f.debug_struct("HttpOptions")
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("deadline", &self.deadline)
            .field("minimum_rate", &self.minimum_rate)
            .field("redirects", &self.redirects)
            .field("user_agent", &self.user_agent)
            .field("proxy", &self.proxy)
            .field("authorities", &authorities)
            .field("headers", &self.headers)
            .field("forbidden_is_absent", &self.forbidden_is_absent)
            .finish()
    }
}

/// Options in force: what the environment says has been read.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) options: HttpOptions,
    pub(crate) proxies: ProxyRules,
}

impl Settings {
    pub(crate) fn new(options: HttpOptions) -> Result<Self, HttpOptionsError> {
        let proxies = options.proxy.rules(&|name| std::env::var(name).ok())?;
        Ok(Self { options, proxies })
    }
}
