//! HTTP for programs without an async runtime.

mod connector;
mod encrypted;
mod forward;
mod stream;

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::{Agent, Timeout};

use self::stream::Watched;
use super::SMALL_BODY;
use super::exchange::{Exchange, Next};
use super::failure::Failure;
use super::options::{HttpOptions, HttpOptionsError, Settings};
use super::pace::Watch;
use crate::transport::{Body, Outcome, Request, Transport, TransportErrorKind};

/// Fetches over HTTP and HTTPS, blocking the thread. Connections are kept and used again; share one among threads.
///
/// ```no_run
/// use tuffet_client::http::{BlockingHttp, HttpOptions};
/// use tuffet_client::transport::{Outcome, Request, Transport};
///
/// let http = BlockingHttp::new(HttpOptions::new())?;
/// match http.fetch(&Request::new("https://repo.example/timestamp.json")) {
///     Outcome::Found(body) => println!("{:?} bytes", body.length),
///     other => println!("{}", matches!(other, Outcome::Absent)),
/// }
/// # Ok::<(), tuffet_client::http::HttpOptionsError>(())
/// ```
#[derive(Debug)]
pub struct BlockingHttp {
    settings: Arc<Settings>,
    agent: Agent,
}

impl BlockingHttp {
    /// Prepares a transport; nothing is connected yet.
    ///
    /// # Errors
    /// [`HttpOptionsError::Proxy`] if the environment names a proxy that is none, [`HttpOptionsError::Tls`] if TLS cannot
    /// be set up.
    pub fn new(options: HttpOptions) -> Result<Self, HttpOptionsError> {
        let settings = Arc::new(Settings::new(options)?);
        let agent = connector::agent(&settings)?;
        Ok(Self { settings, agent })
    }

    fn send(
        &self,
        exchange: &Exchange<'_>,
        started: Instant,
    ) -> Result<http::Response<ureq::Body>, Failure> {
        let left = match exchange
            .deadline()
            .map(|deadline| deadline.saturating_sub(started.elapsed()))
        {
            Some(Duration::ZERO) => return Err(Failure::new(TransportErrorKind::Deadline, "")),
            left => left,
        };
        let head = exchange.head();
        let proxy = exchange
            .proxy()
            .map(|proxy| ureq::Proxy::new(&proxy.url()))
            .transpose()
            .map_err(failure)?;
        let mut request = http::Request::get(&head.url)
            .body(())
            .map_err(|error| failure(error.into()))?;
        *request.headers_mut() = head.headers;
        let request = self
            .agent
            .configure_request(request)
            .proxy(proxy)
            .timeout_global(left)
            .build();
        self.agent.run(request).map_err(failure)
    }
}

impl Transport for BlockingHttp {
    fn fetch(&self, request: &Request) -> Outcome<Box<dyn Read + Send>> {
        let started = Instant::now();
        let mut exchange = match Exchange::new(&self.settings, request) {
            Ok(exchange) => exchange,
            Err(error) => return Outcome::Fatal(error),
        };
        loop {
            let (head, body) = match self.send(&exchange, started) {
                Ok(response) => response.into_parts(),
                Err(failure) => return failure.outcome(&exchange),
            };
            let announced = body.content_length();
            let next = exchange.answer(head.status.as_u16(), &head.headers);
            let error = exchange.error(TransportErrorKind::Interrupted, "");
            let watch = Watch::new(&self.settings.options, exchange.deadline(), error);
            let reader = body.into_with_config().limit(u64::MAX).reader();
            let stream = Watched::new(reader, watch, Box::new(move || started.elapsed()));
            if let Next::Found {
                offset,
                length,
                validator,
            } = next
            {
                return Outcome::Found(Body {
                    stream: Box::new(stream),
                    offset,
                    length,
                    validator,
                });
            }
            drain(stream, announced);
            match next {
                Next::Again | Next::Found { .. } => {}
                Next::Absent => return Outcome::Absent,
                Next::Retryable(error) => return Outcome::Retryable(error),
                Next::Fatal(error) => return Outcome::Fatal(error),
            }
        }
    }
}

/// Reads the small body of an answer without a file, so that its connection can be used again.
fn drain(stream: impl Read, announced: Option<u64>) {
    if announced.is_none_or(|length| length <= SMALL_BODY) {
        // What goes wrong here only costs the connection.
        let _ = std::io::copy(&mut stream.take(SMALL_BODY + 1), &mut std::io::sink());
    }
}

fn failure(error: ureq::Error) -> Failure {
    use TransportErrorKind as Kind;
    match error {
        ureq::Error::Timeout(timeout) => timed_out(timeout),
        ureq::Error::HostNotFound => Failure::new(Kind::Connect, "the host name is not known"),
        ureq::Error::ConnectionFailed => Failure::new(Kind::Connect, ""),
        ureq::Error::ConnectProxyFailed(detail) => Failure::new(Kind::Connect, detail),
        ureq::Error::Tls(detail) => Failure::new(Kind::Tls, detail),
        ureq::Error::Io(error) => Failure::of(&error, Kind::Interrupted),
        ureq::Error::Other(error) => Failure::of(error.as_ref(), Kind::Protocol),
        other => Failure::of(&other, Kind::Protocol),
    }
}

fn timed_out(timeout: Timeout) -> Failure {
    match timeout {
        Timeout::Resolve | Timeout::Connect => {
            Failure::new(TransportErrorKind::Connect, "it takes too long")
        }
        Timeout::Global | Timeout::PerCall => Failure::new(TransportErrorKind::Deadline, ""),
        _ => Failure::new(TransportErrorKind::Idle, ""),
    }
}
