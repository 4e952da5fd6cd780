//! Plain http through an HTTP proxy, without a tunnel: many proxies allow tunnels to port 443 only.

use std::fmt;
use std::sync::Arc;

use ureq::config::Config;
use ureq::http::uri::Scheme;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, ProxyProtocol};

/// Connects to the proxy.
pub(super) struct Forward {
    /// Reaches the proxy itself.
    pub(super) direct: Config,
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
            addrs: details.resolver.empty(),
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
pub(super) struct Forwarded {
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
