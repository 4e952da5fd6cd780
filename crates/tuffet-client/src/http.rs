//! HTTP and HTTPS.
//!
//! What the rules say about HTTP is decided once and without I/O: which status means what, which redirects are
//! followed, which headers go where, when a transfer is too slow, what a resumed answer must look like. The blocking
//! and the asynchronous transport only carry it out, so that they cannot differ.

mod answer;
#[cfg(feature = "async")]
mod asynchronous;
#[cfg(feature = "http")]
mod blocking;
mod exchange;
mod failure;
mod options;
mod pace;
mod proxy;
mod tls;
mod url;

#[cfg(feature = "async")]
pub use self::asynchronous::AsyncHttp;
#[cfg(feature = "http")]
pub use self::blocking::BlockingHttp;
pub use self::options::{HttpOptions, HttpOptionsError, MinimumRate};
pub use self::proxy::Proxy;
pub use self::url::UrlError;

/// Whether a URL can be asked for.
pub(crate) fn check_url(url: &str) -> Result<(), UrlError> {
    url::Url::parse(url).map(drop)
}

/// How much of an unwanted body is read to keep its connection, in bytes.
const SMALL_BODY: u64 = 16 * 1024;
