//! Where bytes come from: a closed set of outcomes, so that the workflow never looks at a status code.

use std::fmt;
use std::io::Read;
use std::time::Duration;

/// What is asked of a transport.
///
/// `Debug` shows neither a password nor a query.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The URL: a base that the application configured, with percent-encoded segments appended.
    pub url: String,
    /// The first byte that is wanted, and proof that it continues what is at hand: set to resume.
    pub resume: Option<Resume>,
    /// How long the whole may take, from the request to the last byte. A transport that can gives up by then with
    /// [`TransportErrorKind::Deadline`]; for the others the updater looks at the time between two pieces.
    pub within: Option<Duration>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("url", &crate::source::without_secrets(&self.url))
            .field("resume", &self.resume)
            .field("within", &self.within)
            .finish()
    }
}

/// Where a download goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// How many bytes are at hand.
    pub offset: u64,
    /// What the server said identifies the bytes: a strong ETag or a Last-Modified date.
    pub validator: String,
}

impl Request {
    /// Asks for the whole of a URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            resume: None,
            within: None,
        }
    }

    /// Asks for an answer within a time.
    #[must_use]
    pub fn within(self, within: Option<Duration>) -> Self {
        Self { within, ..self }
    }

    /// Asks for the rest of what is at hand.
    #[must_use]
    pub fn resuming(self, resume: Resume) -> Self {
        Self {
            resume: Some(resume),
            ..self
        }
    }
}

/// What a transport answers. `B` is the stream of bytes.
#[derive(Debug)]
pub enum Outcome<B> {
    /// Here it comes.
    Found(Body<B>),
    /// The source says definitely that there is no such file.
    Absent,
    /// Nothing came, and trying again may help.
    Retryable(TransportError),
    /// Nothing came, and trying again here will not help.
    Fatal(TransportError),
}

impl<B> Outcome<B> {
    /// The same outcome with another kind of stream.
    pub fn map<C>(self, stream: impl FnOnce(B) -> C) -> Outcome<C> {
        match self {
            Self::Found(body) => Outcome::Found(Body {
                stream: stream(body.stream),
                offset: body.offset,
                length: body.length,
                validator: body.validator,
            }),
            Self::Absent => Outcome::Absent,
            Self::Retryable(error) => Outcome::Retryable(error),
            Self::Fatal(error) => Outcome::Fatal(error),
        }
    }
}

/// A stream and what is known of it.
#[derive(Debug)]
pub struct Body<B> {
    /// The bytes.
    pub stream: B,
    /// The place of the first byte: the resume offset if the source went along with it, else 0.
    pub offset: u64,
    /// How many bytes are said to come. A claim, good for progress bars only.
    pub length: Option<u64>,
    /// What identifies the bytes, to resume later.
    pub validator: Option<String>,
}

/// Why nothing came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// What was asked for, without credentials.
    pub url: String,
    /// What went wrong.
    pub kind: TransportErrorKind,
    /// The words of the layer below, if it had any.
    pub detail: String,
    /// How many seconds the source asks to wait before trying again.
    pub retry_after: Option<u64>,
}

/// What went wrong between here and the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The name could not be resolved or the connection not be made.
    Connect,
    /// TLS failed.
    Tls,
    /// Nothing arrived for the idle time.
    Idle,
    /// The whole took longer than the total deadline.
    Deadline,
    /// Bytes arrived slower than the minimum rate.
    TooSlow,
    /// The stream broke or was shorter than announced.
    Interrupted,
    /// A status that means neither found nor absent.
    Status(u16),
    /// A redirect that must not be followed.
    Redirect,
    /// An answer that makes no sense, such as a range that was not asked for.
    Protocol,
    /// The URL is none, or of a scheme that this transport does not speak.
    Url,
    /// A local file could not be read.
    File,
    /// The caller cancelled.
    Cancelled,
}

impl TransportErrorKind {
    /// The stable code, such as `network.idle`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Connect => "network.connect",
            Self::Tls => "network.tls",
            Self::Idle => "network.idle",
            Self::Deadline => "network.deadline",
            Self::TooSlow => "network.slow",
            Self::Interrupted => "network.interrupted",
            Self::Status(_) => "network.status",
            Self::Redirect => "network.redirect",
            Self::Protocol => "network.protocol",
            Self::Url => "network.url",
            Self::File => "network.file",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            TransportErrorKind::Connect => "cannot connect",
            TransportErrorKind::Tls => "the TLS connection failed",
            TransportErrorKind::Idle => "nothing arrived for too long",
            TransportErrorKind::Deadline => "the deadline has passed",
            TransportErrorKind::TooSlow => "bytes arrive too slowly",
            TransportErrorKind::Interrupted => "the connection broke",
            TransportErrorKind::Status(status) => {
                return write!(f, "{}: HTTP status {status}", self.url);
            }
            TransportErrorKind::Redirect => "a redirect that must not be followed",
            TransportErrorKind::Protocol => "an answer that makes no sense",
            TransportErrorKind::Url => "not a URL that can be fetched here",
            TransportErrorKind::File => "the file cannot be read",
            TransportErrorKind::Cancelled => "cancelled",
        };
        match self.detail.as_str() {
            "" => write!(f, "{}: {what}", self.url),
            detail => write!(f, "{}: {what}: {detail}", self.url),
        }
    }
}

impl std::error::Error for TransportError {}

impl TransportError {
    /// An answer that begins at a place that was not asked for.
    pub(crate) fn wrong_offset(url: &str, offset: u64) -> Self {
        Self {
            url: crate::source::without_secrets(url),
            kind: TransportErrorKind::Protocol,
            detail: format!("the answer begins at byte {offset}, which was not asked for"),
            retry_after: None,
        }
    }
}

/// A blocking source of bytes. Reading the stream may fail with an [`std::io::Error`] that wraps a [`TransportError`].
pub trait Transport: Send + Sync {
    /// Asks for a file.
    fn fetch(&self, request: &Request) -> Outcome<Box<dyn Read + Send>>;
}

/// A future behind a pointer, so that transports can be chosen while a program runs.
#[cfg(feature = "async")]
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The bytes of an [`AsyncTransport`], piece by piece.
#[cfg(feature = "async")]
pub trait Chunks: Send {
    /// The next piece; `None` at the end. After an error or the end it is not asked again.
    ///
    /// # Errors
    /// Why no more bytes come.
    fn next(&mut self) -> BoxFuture<'_, Option<Result<bytes::Bytes, TransportError>>>;
}

/// An asynchronous source of bytes.
#[cfg(feature = "async")]
pub trait AsyncTransport: Send + Sync {
    /// Asks for a file.
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Outcome<Box<dyn Chunks>>>;
}
