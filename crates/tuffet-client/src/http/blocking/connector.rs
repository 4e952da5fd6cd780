//! How connections are made: the library's connectors for TCP, SOCKS and tunnels, and ours for what it lacks.

use std::sync::Arc;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, SocksConnector, TcpConnector,
};
use ureq::{Agent, Error};

use super::super::options::{HttpOptionsError, Settings};
use super::super::tls;
use super::encrypted::Tls;
use super::forward::Forward;

/// Bytes per connection for what comes in: large, so that a target costs few calls. Not a power of two: a caller's
/// buffer that lies behind this one in memory would begin 16 bytes after it modulo the page size, and some processors
/// copy between such places ten times slower.
pub(super) const INPUT: usize = 128 * 1024 - 512;
/// Bytes per connection for request heads: the longest URL and 16 KiB of headers fit.
pub(super) const OUTPUT: usize = 32 * 1024;

/// The library's agent with the connectors below. All policy is ours, so redirects, status errors and decompression are
/// off.
pub(super) fn agent(settings: &Settings) -> Result<Agent, HttpOptionsError> {
    let options = &settings.options;
    let tls = tls::client_config(&options.authorities, &[b"http/1.1"])?;
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
        .chain(Tls(Arc::new(tls)));
    let resolver = DefaultResolver::default();
    Ok(Agent::with_parts(
        config,
        Connecting { chain, resolver },
        Later,
    ))
}

/// The library resolves names before every request, even if it then finds a connection to use again. Names are resolved
/// by [`Connecting`], when there is a connection to make.
#[derive(Debug)]
struct Later;

impl Resolver for Later {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

/// Resolves names, and says of every error that it came before a connection was there: the library does not.
#[derive(Debug)]
struct Connecting<C> {
    chain: C,
    resolver: DefaultResolver,
}

impl<C: Connector> Connecting<C> {
    fn resolved(&self, details: &ConnectionDetails<'_>) -> Result<ResolvedSocketAddrs, Error> {
        let needed = details
            .config
            .proxy()
            .is_none_or(ureq::Proxy::resolve_target);
        match details.addrs.as_ref() {
            [] if needed => self
                .resolver
                .resolve(details.uri, details.config, left(details)),
            known => {
                let mut addresses = self.resolver.empty();
                known.iter().for_each(|address| addresses.push(*address));
                Ok(addresses)
            }
        }
    }
}

impl<C: Connector> Connector for Connecting<C> {
    type Out = C::Out;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<C::Out>, Error> {
        let connect = || {
            let addrs = self.resolved(details)?;
            self.chain.connect(
                &ConnectionDetails {
                    uri: details.uri,
                    addrs,
                    config: details.config,
                    request_level: details.request_level,
                    resolver: &self.resolver,
                    now: (details.current_time)(),
                    timeout: left(details),
                    current_time: Arc::clone(&details.current_time),
                    run_connector: Arc::clone(&details.run_connector),
                    register_shutdown: Arc::clone(&details.register_shutdown),
                },
                chained,
            )
        };
        connect().map_err(|error| Error::Other(Box::new(super::failure(error).while_connecting())))
    }
}

/// What is left of the time to connect.
pub(super) fn left(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Duration::Exact(limit), Instant::Exact(began), Instant::Exact(now)) =
        (timeout.after, details.now, (details.current_time)())
    {
        timeout.after = Duration::Exact(limit.saturating_sub(now.saturating_duration_since(began)));
    }
    timeout
}
