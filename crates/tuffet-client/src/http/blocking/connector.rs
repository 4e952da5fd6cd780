//! How connections are made: TCP, a proxy in between, TLS on top.
//!
//! The library's own connectors for TCP, SOCKS and tunnels are used. Two are ours: TLS, because extra certificate
//! authorities must be possible beside the platform's, and plain http through a proxy, which the library would send
//! through a tunnel that many proxies refuse.

use std::fmt;
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::config::Config;
use ureq::http::uri::Scheme;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    SocksConnector, TcpConnector, Transport, TransportAdapter,
};
use ureq::{Agent, Error, ProxyProtocol};

use super::super::options::{Authorities, HttpOptionsError, Settings};
use super::super::tls;

/// Bytes per connection for what comes in: large, so that a target costs few calls.
const INPUT: usize = 128 * 1024;
/// Bytes per connection for request heads: the longest URL and 16 KiB of headers fit.
const OUTPUT: usize = 32 * 1024;

/// The library's agent with the connectors below. All policy is ours, so redirects, status errors and decompression are
/// off.
pub(super) fn agent(settings: &Settings) -> Result<Agent, HttpOptionsError> {
    let options = &settings.options;
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent("")
        .accept("*/*")
        .input_buffer_size(INPUT)
        .output_buffer_size(OUTPUT)
        .max_response_header_size(64 * 1024)
        .max_idle_connections(32)
        .max_idle_connections_per_host(16)
        .timeout_resolve(Some(options.connect_timeout))
        .timeout_connect(Some(options.connect_timeout))
        .timeout_send_request(Some(options.idle_timeout))
        .timeout_recv_response(Some(options.idle_timeout))
        .timeout_per_read(Some(options.idle_timeout))
        .timeout_per_write(Some(options.idle_timeout))
        .build();
    let chain = ()
        .chain(Forward {
            direct: config.clone(),
        })
        .chain(SocksConnector::default())
        .chain(ConnectProxyConnector::default())
        .chain(TcpConnector::default())
        .chain(Tls {
            authorities: options.authorities.clone(),
            config: OnceLock::new(),
        });
    Ok(Agent::with_parts(config, chain, DefaultResolver::default()))
}

/// Connects to an HTTP proxy for plain http, without a tunnel.
struct Forward {
    /// Reaches the proxy itself.
    direct: Config,
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forward")
    }
}

impl Connector for Forward {
    type Out = Forwarded;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Forwarded>, Error> {
        let http = details.uri.scheme() == Some(&Scheme::HTTP);
        let forwards = |proxy: &&ureq::Proxy| {
            http && matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https)
        };
        let Some(proxy) = details.config.proxy().filter(forwards) else {
            return Ok(None);
        };
        let authority = details.uri.authority().ok_or(Error::ConnectionFailed)?;
        let inner = (details.run_connector)(&ConnectionDetails {
            uri: proxy.uri(),
            addrs: details
                .resolver
                .resolve(proxy.uri(), &self.direct, details.timeout)?,
            config: &self.direct,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            register_shutdown: Arc::clone(&details.register_shutdown),
        })?;
        Ok(Some(Forwarded {
            inner,
            prefix: format!("http://{authority}").into_bytes(),
        }))
    }
}

/// Turns `GET /path` into `GET http://host/path`, as a proxy wants it.
#[derive(Debug)]
struct Forwarded {
    inner: Box<dyn Transport>,
    prefix: Vec<u8>,
}

impl Transport for Forwarded {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        const METHOD: usize = "GET ".len();
        let output = self.inner.buffers().output();
        let head = output
            .get(..amount)
            .is_some_and(|head| head.starts_with(b"GET /"));
        let longer = amount.saturating_add(self.prefix.len());
        if !head || longer > output.len() {
            // A head is written in one piece and fits: its parts are bounded.
            return Err(Error::ConnectionFailed);
        }
        let target = METHOD.saturating_add(self.prefix.len());
        output.copy_within(METHOD..amount, target);
        if let Some(place) = output.get_mut(METHOD..target) {
            place.copy_from_slice(&self.prefix);
        }
        self.inner.transmit_output(longer, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}

/// Adds TLS where the URL says https.
struct Tls {
    authorities: Authorities,
    /// Made at the first https connection: reading the platform's certificates takes a while.
    config: OnceLock<Result<Arc<ClientConfig>, HttpOptionsError>>,
}

impl Tls {
    fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        let made = self
            .config
            .get_or_init(|| tls::client_config(&self.authorities, &[b"http/1.1"]).map(Arc::new));
        made.clone().map_err(|error| Error::Other(Box::new(error)))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, Encrypted>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let name = ServerName::try_from(host)
            .map_err(|_| Error::Tls("a certificate cannot be for this host"))?;
        let connection = ClientConnection::new(self.config()?, name)
            .map_err(|error| Error::Other(Box::new(error)))?;
        let mut socket = TransportAdapter::new(
            Box::new(transport) as Box<dyn Transport>,
            Arc::clone(&details.current_time),
        );
        socket.set_timeout(details.timeout);
        let mut stream = StreamOwned::new(connection, socket);
        stream.conn.complete_io(&mut stream.sock)?;
        Ok(Some(Either::B(Encrypted {
            stream,
            buffers: LazyBuffers::new(INPUT, OUTPUT),
        })))
    }
}

/// A TLS connection.
struct Encrypted {
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    buffers: LazyBuffers,
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encrypted")
    }
}

impl Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output();
        self.stream
            .write_all(output.get(..amount).unwrap_or(output))?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
