//! HTTP for programs with a tokio runtime.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use tokio::time::timeout;

use super::SMALL_BODY;
use super::exchange::{Exchange, Head, Next};
use super::failure::Failure;
use super::options::{HttpOptions, HttpOptionsError, Settings};
use super::pace::Watch;
use super::tls;
use super::url::Url;
use crate::transport::{
    AsyncTransport, Body, BoxFuture, Chunks, Outcome, Request, TransportError, TransportErrorKind,
};

/// Fetches over HTTP/1.1, HTTP/2 and HTTPS in a tokio runtime with I/O and time. Connections are kept and used again;
/// share one among tasks.
///
/// ```no_run
/// use tuffet_client::http::{AsyncHttp, HttpOptions};
/// use tuffet_client::transport::{AsyncTransport, Outcome, Request};
///
/// # async fn example() -> Result<(), tuffet_client::http::HttpOptionsError> {
/// let http = AsyncHttp::new(HttpOptions::new())?;
/// match http.fetch(&Request::new("https://repo.example/timestamp.json")).await {
///     Outcome::Found(body) => println!("{:?} bytes", body.length),
///     other => println!("{}", matches!(other, Outcome::Absent)),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncHttp {
    settings: Arc<Settings>,
    client: Client,
}

impl AsyncHttp {
    /// Prepares a transport; nothing is connected yet.
    ///
    /// # Errors
    /// [`HttpOptionsError::Proxy`] if the environment names a proxy that is none, [`HttpOptionsError::Tls`] if TLS cannot
    /// be set up.
    pub fn new(options: HttpOptions) -> Result<Self, HttpOptionsError> {
        let settings = Arc::new(Settings::new(options)?);
        let rules = settings.proxies.clone();
        let route =
            move |url: &reqwest::Url| Some(rules.route(&Url::parse(url.as_str()).ok()?)?.url());
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client_config(
                &settings.options.authorities,
                &[b"h2", b"http/1.1"],
            )?)
            .redirect(Policy::none())
            .referer(false)
            .proxy(reqwest::Proxy::custom(route))
            .connect_timeout(settings.options.connect_timeout)
            .pool_idle_timeout(Duration::from_secs(15))
            .pool_max_idle_per_host(16)
            .build()
            .map_err(|error| {
                HttpOptionsError::Tls(Failure::of(&error, TransportErrorKind::Tls).detail)
            })?;
        Ok(Self { settings, client })
    }

    async fn send(
        &self,
        head: Head,
        deadline: Option<Duration>,
        started: Instant,
    ) -> Result<Response, Failure> {
        let options = &self.settings.options;
        let usual = options.connect_timeout.saturating_add(options.idle_timeout);
        let request = self.client.get(&head.url).headers(head.headers).send();
        within(usual, deadline, started, request)
            .await?
            .map_err(|error| failure(error, TransportErrorKind::Protocol))
    }

    async fn transfer(&self, request: &Request) -> Outcome<Box<dyn Chunks>> {
        let started = Instant::now();
        let mut exchange = match Exchange::new(&self.settings, request) {
            Ok(exchange) => exchange,
            Err(error) => return Outcome::Fatal(error),
        };
        let deadline = exchange.deadline();
        loop {
            let response = match self.send(exchange.head(), deadline, started).await {
                Ok(response) => response,
                Err(failure) => return failure.outcome(&exchange),
            };
            let next = exchange.answer(response.status().as_u16(), response.headers());
            let announced = response.content_length();
            let watch = Watch::new(
                &self.settings.options,
                deadline,
                exchange.error(TransportErrorKind::Interrupted, ""),
            );
            let stream = Watched {
                response,
                watch,
                settings: Arc::clone(&self.settings),
                deadline,
                started,
                ended: false,
            };
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
            drain(stream, announced).await;
            match next {
                Next::Again | Next::Found { .. } => {}
                Next::Absent => return Outcome::Absent,
                Next::Retryable(error) => return Outcome::Retryable(error),
                Next::Fatal(error) => return Outcome::Fatal(error),
            }
        }
    }
}

impl AsyncTransport for AsyncHttp {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Outcome<Box<dyn Chunks>>> {
        Box::pin(self.transfer(request))
    }
}

/// Passes chunks on and fails once they come too slowly, too late or not at all.
struct Watched {
    response: Response,
    watch: Watch,
    settings: Arc<Settings>,
    deadline: Option<Duration>,
    started: Instant,
    ended: bool,
}

impl Watched {
    async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        let options = &self.settings.options;
        let before = self.started.elapsed();
        let chunk = within(
            options.idle_timeout,
            self.deadline,
            self.started,
            self.response.chunk(),
        )
        .await;
        let chunk = chunk.and_then(|chunk| {
            chunk.map_err(|error| failure(error, TransportErrorKind::Interrupted))
        });
        let chunk = chunk.map_err(|failure| self.watch.failed(failure))?;
        self.watch.judge(
            before,
            self.started.elapsed(),
            chunk.as_ref().map_or(0, Bytes::len),
        )?;
        Ok(chunk)
    }
}

impl Chunks for Watched {
    fn next(&mut self) -> BoxFuture<'_, Option<Result<Bytes, TransportError>>> {
        Box::pin(async {
            if self.ended {
                return None;
            }
            let chunk = self.chunk().await.transpose();
            self.ended = !matches!(chunk, Some(Ok(_)));
            chunk
        })
    }
}

/// Waits for the usual time, but not beyond the deadline.
async fn within<F: Future>(
    usual: Duration,
    deadline: Option<Duration>,
    started: Instant,
    work: F,
) -> Result<F::Output, Failure> {
    let left = deadline.map(|deadline| deadline.saturating_sub(started.elapsed()));
    let limit = left.map_or(usual, |left| left.min(usual));
    let late = if left.is_some_and(|left| left < usual) {
        TransportErrorKind::Deadline
    } else {
        TransportErrorKind::Idle
    };
    timeout(limit, work)
        .await
        .map_err(|_| Failure::new(late, ""))
}

/// Reads the small body of an answer without a file, so that its connection can be used again.
async fn drain(mut stream: Watched, announced: Option<u64>) {
    if announced.is_some_and(|length| length > SMALL_BODY) {
        return;
    }
    let mut read = 0_u64;
    while let Ok(Some(chunk)) = stream.chunk().await {
        read = read.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if read > SMALL_BODY {
            return;
        }
    }
}

fn failure(error: reqwest::Error, otherwise: TransportErrorKind) -> Failure {
    let connecting = error.is_connect();
    let error = error.without_url();
    if connecting && error.is_timeout() {
        return Failure::new(TransportErrorKind::Connect, "it takes too long");
    }
    let found = Failure::of(
        &error,
        if connecting {
            TransportErrorKind::Connect
        } else {
            otherwise
        },
    );
    match found.kind {
        _ if connecting => found.while_connecting(),
        _ if broken_off(&error) => Failure::new(TransportErrorKind::Interrupted, found.detail),
        _ => found,
    }
}

/// Whether the connection ended where it must not.
fn broken_off(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_incomplete_message)
        {
            return true;
        }
        next = error.source();
    }
    false
}
