//! Both transports behind one face, with the whole body read.

use std::io::Read;

use tuffet_client::http::{BlockingHttp, HttpOptions, Proxy};
use tuffet_client::transport::{Outcome, Request, Transport, TransportError, TransportErrorKind};

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Got {
    Whole(Whole),
    /// The body broke after so many bytes.
    Broken(usize, TransportError),
    Absent,
    Retryable(TransportError),
    Fatal(TransportError),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) bytes: Vec<u8>,
    pub(crate) offset: u64,
    pub(crate) length: Option<u64>,
    pub(crate) validator: Option<String>,
}

impl Got {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(whole) => &whole.bytes,
            other => panic!("not found: {other:?}"),
        }
    }

    /// The words of the outcome: `found`, `absent`, or what failed and how.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Whole(_) => "found".to_owned(),
            Self::Broken(_, error) => format!("broken {}", error.kind.code()),
            Self::Absent => "absent".to_owned(),
            Self::Retryable(error) => format!("retryable {}", error.kind.code()),
            Self::Fatal(error) => format!("fatal {}", error.kind.code()),
        }
    }

    pub(crate) fn error(&self) -> &TransportError {
        match self {
            Self::Broken(_, error) | Self::Retryable(error) | Self::Fatal(error) => error,
            other => panic!("no error: {other:?}"),
        }
    }

    pub(crate) fn kind(&self) -> TransportErrorKind {
        self.error().kind
    }
}

/// A transport under test.
pub(crate) trait Fetch {
    fn fetch(&self, request: &Request) -> Got;

    /// Reads some bytes of the body and lets go of the rest.
    fn fetch_some(&self, request: &Request, some: usize);

    fn get(&self, url: &str) -> Got {
        self.fetch(&Request::new(url))
    }
}

impl Fetch for BlockingHttp {
    fn fetch(&self, request: &Request) -> Got {
        let mut body = match Transport::fetch(self, request) {
            Outcome::Found(body) => body,
            Outcome::Absent => return Got::Absent,
            Outcome::Retryable(error) => return Got::Retryable(error),
            Outcome::Fatal(error) => return Got::Fatal(error),
        };
        let mut bytes = Vec::new();
        match body.stream.read_to_end(&mut bytes) {
            Ok(_) => Got::Whole(Whole {
                bytes,
                offset: body.offset,
                length: body.length,
                validator: body.validator,
            }),
            Err(error) => Got::Broken(
                bytes.len(),
                error
                    .get_ref()
                    .unwrap()
                    .downcast_ref::<TransportError>()
                    .unwrap()
                    .clone(),
            ),
        }
    }

    fn fetch_some(&self, request: &Request, some: usize) {
        let Outcome::Found(mut body) = Transport::fetch(self, request) else {
            panic!("not found")
        };
        body.stream.read_exact(&mut vec![0; some]).unwrap();
    }
}

#[cfg(feature = "async")]
mod asynchronous {
    use tokio::runtime::{Builder, Runtime};
    use tuffet_client::http::{AsyncHttp, HttpOptions};
    use tuffet_client::transport::{AsyncTransport, Outcome, Request};

    use super::{Fetch, Got, Whole};

    pub(crate) struct InRuntime {
        http: AsyncHttp,
        runtime: Runtime,
    }

    impl InRuntime {
        pub(crate) fn new(options: HttpOptions) -> Self {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            Self {
                http: AsyncHttp::new(options).unwrap(),
                runtime,
            }
        }
    }

    impl Fetch for InRuntime {
        fn fetch(&self, request: &Request) -> Got {
            self.runtime.block_on(async {
                let mut body = match self.http.fetch(request).await {
                    Outcome::Found(body) => body,
                    Outcome::Absent => return Got::Absent,
                    Outcome::Retryable(error) => return Got::Retryable(error),
                    Outcome::Fatal(error) => return Got::Fatal(error),
                };
                let mut bytes = Vec::new();
                while let Some(chunk) = body.stream.next().await {
                    match chunk {
                        Ok(chunk) => bytes.extend_from_slice(&chunk),
                        Err(error) => {
                            assert!(
                                body.stream.next().await.is_none(),
                                "a failed stream has ended"
                            );
                            return Got::Broken(bytes.len(), error);
                        }
                    }
                }
                Got::Whole(Whole {
                    bytes,
                    offset: body.offset,
                    length: body.length,
                    validator: body.validator,
                })
            })
        }

        fn fetch_some(&self, request: &Request, some: usize) {
            self.runtime.block_on(async {
                let Outcome::Found(mut body) = self.http.fetch(request).await else {
                    panic!("not found")
                };
                let mut read = 0;
                while read < some {
                    read += body.stream.next().await.unwrap().unwrap().len();
                }
                drop(body);
                // The task that holds the connection has its turn.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            });
        }
    }
}

/// Every transport that is built, with the same options. No proxy of the environment gets in between.
pub(crate) fn transports(options: &HttpOptions) -> Vec<(&'static str, Box<dyn Fetch>)> {
    transports_as_they_are(&options.clone().proxy(Proxy::direct()))
}

/// As [`transports`], with the proxy that the options say.
pub(crate) fn transports_as_they_are(options: &HttpOptions) -> Vec<(&'static str, Box<dyn Fetch>)> {
    vec![
        (
            "blocking",
            Box::new(BlockingHttp::new(options.clone()).unwrap()) as Box<dyn Fetch>,
        ),
        #[cfg(feature = "async")]
        (
            "async",
            Box::new(asynchronous::InRuntime::new(options.clone())),
        ),
    ]
}
