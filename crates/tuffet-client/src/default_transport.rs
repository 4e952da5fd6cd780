//! The transport of a source that was given none: chosen by the scheme of its URLs.

use std::fmt;
use std::io::Read;
#[cfg(any(feature = "http", feature = "async"))]
use std::sync::OnceLock;

use crate::FileTransport;
#[cfg(feature = "async")]
use crate::http::AsyncHttp;
#[cfg(feature = "http")]
use crate::http::BlockingHttp;
#[cfg(any(feature = "http", feature = "async"))]
use crate::http::{HttpOptions, HttpOptionsError};
use crate::source::{scheme, without_secrets};
#[cfg(feature = "async")]
use crate::transport::{AsyncTransport, BoxFuture, Chunks};
use crate::transport::{Outcome, Request, Transport, TransportError, TransportErrorKind};

/// Fetches `file:` URLs, and with the feature `http` or `async` also `http:` and `https:` URLs.
///
/// HTTP is set up at the first URL that needs it.
#[derive(Default)]
pub struct DefaultTransport {
    #[cfg(any(feature = "http", feature = "async"))]
    options: HttpOptions,
    #[cfg(feature = "http")]
    blocking: OnceLock<Result<BlockingHttp, HttpOptionsError>>,
    #[cfg(feature = "async")]
    asynchronous: OnceLock<Result<AsyncHttp, HttpOptionsError>>,
}

impl DefaultTransport {
    /// With HTTP as it is usual.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With HTTP as the application wants it.
    #[cfg(any(feature = "http", feature = "async"))]
    #[must_use]
    pub fn with_http(options: HttpOptions) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }
}

impl fmt::Debug for DefaultTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultTransport").finish_non_exhaustive()
    }
}

impl Transport for DefaultTransport {
    fn fetch(&self, request: &Request) -> Outcome<Box<dyn Read + Send>> {
        match scheme(&request.url) {
            Some("file") => Transport::fetch(&FileTransport, request),
            #[cfg(feature = "http")]
            Some("http" | "https") => {
                let http = self
                    .blocking
                    .get_or_init(|| BlockingHttp::new(self.options.clone()));
                match http {
                    Ok(http) => http.fetch(request),
                    Err(error) => unusable(request, error),
                }
            }
            _ => unknown(request),
        }
    }
}

#[cfg(feature = "async")]
impl AsyncTransport for DefaultTransport {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Outcome<Box<dyn Chunks>>> {
        match scheme(&request.url) {
            Some("file") => AsyncTransport::fetch(&FileTransport, request),
            Some("http" | "https") => {
                let http = self
                    .asynchronous
                    .get_or_init(|| AsyncHttp::new(self.options.clone()));
                match http {
                    Ok(http) => http.fetch(request),
                    Err(error) => Box::pin(async move { unusable(request, error) }),
                }
            }
            _ => Box::pin(async move { unknown(request) }),
        }
    }
}

fn unknown<B>(request: &Request) -> Outcome<B> {
    failed(request, TransportErrorKind::Url, String::new())
}

#[cfg(any(feature = "http", feature = "async"))]
fn unusable<B>(request: &Request, error: &HttpOptionsError) -> Outcome<B> {
    let kind = match error {
        HttpOptionsError::Tls(_) | HttpOptionsError::Certificates => TransportErrorKind::Tls,
        _ => TransportErrorKind::Connect,
    };
    failed(request, kind, error.to_string())
}

fn failed<B>(request: &Request, kind: TransportErrorKind, detail: String) -> Outcome<B> {
    Outcome::Fatal(TransportError {
        url: without_secrets(&request.url),
        kind,
        detail,
        retry_after: None,
    })
}
