//! The transport of a source that was given none: chosen by the scheme of its URLs.

use std::io::Read;
use std::sync::Arc;

use crate::source::{scheme, without_secrets};
use crate::transport::{Outcome, Request, Transport, TransportError, TransportErrorKind};
use crate::{Error, FileTransport};

/// Files, and with the feature the web.
struct ByScheme;

pub(crate) fn blocking() -> Result<Arc<dyn Transport>, Error> {
    Ok(Arc::new(ByScheme))
}

impl Transport for ByScheme {
    fn fetch(&self, request: &Request) -> Outcome<Box<dyn Read + Send>> {
        match scheme(&request.url) {
            Some("file") => FileTransport.fetch(request),
            _ => unknown(request),
        }
    }
}

fn unknown<B>(request: &Request) -> Outcome<B> {
    Outcome::Fatal(TransportError {
        url: without_secrets(&request.url),
        kind: TransportErrorKind::Url,
        detail: String::new(),
        retry_after: None,
    })
}
