//! Which way a request goes: straight to its origin or through a proxy.
//!
//! The rules are ours and not those of the HTTP libraries, so that both transports take the same way.

use std::fmt;
use std::net::IpAddr;

use super::options::HttpOptionsError;
use super::url::{Authority, Credentials, Scheme, Url};

/// Where the proxy comes from.
#[derive(Debug, Clone)]
pub struct Proxy(Choice);

#[derive(Debug, Clone)]
enum Choice {
    Environment,
    Rules(Box<ProxyRules>),
}

impl Proxy {
    /// The proxy of the environment, read when the transport is made: `HTTPS_PROXY` for https, `HTTP_PROXY` for http,
    /// `ALL_PROXY` for both, and `NO_PROXY` for hosts that are reached directly; lower-case names come first.
    /// `HTTP_PROXY` in capitals is not read where `REQUEST_METHOD` is set: in a CGI program it comes from the client.
    #[must_use]
    pub fn environment() -> Self {
        Self(Choice::Environment)
    }

    /// No proxy, whatever the environment says.
    #[must_use]
    pub fn direct() -> Self {
        Self(Choice::Rules(Box::default()))
    }

    /// One proxy for everything: `http://`, `https://`, `socks4://`, `socks4a://`, `socks5://` or `socks5h://`, with
    /// user name and password if it wants them.
    ///
    /// # Errors
    /// [`HttpOptionsError::Proxy`] if the text is not such a URL.
    pub fn server(url: &str) -> Result<Self, HttpOptionsError> {
        let server = ProxyServer::parse(url).ok_or_else(|| HttpOptionsError::Proxy {
            place: "the options".to_owned(),
        })?;
        let rules = ProxyRules {
            http: Some(server.clone()),
            https: Some(server),
            bypass: Vec::new(),
        };
        Ok(Self(Choice::Rules(Box::new(rules))))
    }

    /// Reaches some hosts directly: a list as `NO_PROXY` has it. No effect on the proxy of the environment.
    #[must_use]
    pub fn bypassing(self, hosts: &str) -> Self {
        match self.0 {
            Choice::Rules(mut rules) => {
                rules.bypass = read_bypass(hosts);
                Self(Choice::Rules(rules))
            }
            environment => Self(environment),
        }
    }

    pub(crate) fn rules(
        &self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<ProxyRules, HttpOptionsError> {
        match &self.0 {
            Choice::Environment => ProxyRules::from_variables(variable),
            Choice::Rules(rules) => Ok((**rules).clone()),
        }
    }
}

/// The rules in force.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProxyRules {
    http: Option<ProxyServer>,
    https: Option<ProxyServer>,
    bypass: Vec<Bypass>,
}

impl ProxyRules {
    fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, HttpOptionsError> {
        let cgi = variable("REQUEST_METHOD").is_some();
        let first = |names: &[&str]| -> Result<Option<ProxyServer>, HttpOptionsError> {
            let set = names.iter().filter(|name| !(cgi && **name == "HTTP_PROXY"));
            let mut set = set
                .filter_map(|name| Some((name, variable(name)?)))
                .filter(|(_, text)| !text.trim().is_empty());
            let Some((name, text)) = set.next() else {
                return Ok(None);
            };
            let wrong = || HttpOptionsError::Proxy {
                place: (*name).to_owned(),
            };
            Ok(Some(ProxyServer::parse(text.trim()).ok_or_else(wrong)?))
        };
        let bypass = variable("no_proxy")
            .or_else(|| variable("NO_PROXY"))
            .unwrap_or_default();
        Ok(Self {
            http: first(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            bypass: read_bypass(&bypass),
        })
    }

    /// The proxy for a URL, if it goes through one.
    pub(crate) fn route(&self, url: &Url) -> Option<&ProxyServer> {
        let server = match url.scheme() {
            Scheme::Http => self.http.as_ref(),
            Scheme::Https => self.https.as_ref(),
        };
        server.filter(|_| {
            !self
                .bypass
                .iter()
                .any(|bypass| bypass.covers(url.host(), url.port()))
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyKind {
    Http,
    Https,
    Socks4,
    Socks4a,
    Socks5,
    Socks5h,
}

impl ProxyKind {
    const ALL: [(&'static str, Self, u16); 6] = [
        ("http", Self::Http, 80),
        ("https", Self::Https, 443),
        ("socks4", Self::Socks4, 1080),
        ("socks4a", Self::Socks4a, 1080),
        ("socks5", Self::Socks5, 1080),
        ("socks5h", Self::Socks5h, 1080),
    ];

    fn named(scheme: &str) -> Option<(&'static str, Self, u16)> {
        let scheme = if scheme.eq_ignore_ascii_case("socks") {
            "socks5"
        } else {
            scheme
        };
        Self::ALL
            .into_iter()
            .find(|(name, ..)| name.eq_ignore_ascii_case(scheme))
    }
}

/// A proxy. `Debug` and `Display` do not show its credentials.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ProxyServer {
    pub(crate) kind: ProxyKind,
    scheme: &'static str,
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

impl ProxyServer {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (scheme, kind, default_port) = ProxyKind::named(scheme)?;
        let authority = Authority::parse(rest.strip_suffix('/').unwrap_or(rest)).ok()?;
        let Authority {
            credentials,
            host,
            port,
        } = authority;
        Some(Self {
            kind,
            scheme,
            host,
            port: port.unwrap_or(default_port),
            credentials,
        })
    }

    /// The whole URL for an HTTP library, credentials included.
    pub(crate) fn url(&self) -> String {
        let userinfo = self
            .credentials
            .as_ref()
            .map(|known| format!("{}@", known.userinfo()))
            .unwrap_or_default();
        format!("{}://{userinfo}{}:{}", self.scheme, self.host, self.port)
    }

    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Whether plain http is handed to the proxy as a whole URL instead of through a tunnel: many proxies allow
    /// tunnels to port 443 only.
    pub(crate) fn forwards(&self, url: &Url) -> bool {
        matches!(self.kind, ProxyKind::Http | ProxyKind::Https) && url.scheme() == Scheme::Http
    }
}

impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One entry of `NO_PROXY`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Bypass {
    Everything,
    /// A name and all names below it, at one port or at any.
    Name(String, Option<u16>),
    /// The addresses that share the first bits of this one.
    Addresses(IpAddr, u8),
}

fn read_bypass(list: &str) -> Vec<Bypass> {
    list.split([',', ' '])
        .filter_map(|entry| Bypass::parse(entry.trim()))
        .collect()
}

impl Bypass {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::Everything);
        }
        let bare = |text: &str| {
            text.trim_start_matches('[')
                .trim_end_matches(']')
                .parse::<IpAddr>()
                .ok()
        };
        let bits = |address: IpAddr| if address.is_ipv4() { 32 } else { 128 };
        if let Some(address) = bare(entry) {
            return Some(Self::Addresses(address, bits(address)));
        }
        if let Some((address, length)) = entry.split_once('/') {
            let address = bare(address)?;
            return Some(Self::Addresses(
                address,
                length
                    .parse()
                    .ok()
                    .filter(|length| *length <= bits(address))?,
            ));
        }
        let authority =
            Authority::parse(entry.trim_start_matches('*').trim_start_matches('.')).ok()?;
        let name = authority.host.trim_end_matches('.').to_owned();
        Some(Self::Name(name, authority.port))
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        match self {
            Self::Everything => true,
            Self::Name(name, only) => {
                let host = host.trim_end_matches('.');
                let below = || {
                    host.strip_suffix(name.as_str())
                        .is_some_and(|rest| rest.ends_with('.'))
                };
                only.is_none_or(|only| only == port) && (host == name || below())
            }
            Self::Addresses(network, length) => {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                host.parse()
                    .is_ok_and(|address| same_network(address, *network, *length))
            }
        }
    }
}

fn same_network(one: IpAddr, other: IpAddr, length: u8) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 4),
        IpAddr::V6(address) => (address.to_bits(), 6),
    };
    let ((one, first), (other, second)) = (bits(one), bits(other));
    let mask = u128::MAX
        .checked_shl(128_u32.saturating_sub(u32::from(length)))
        .unwrap_or(0);
    first == second && (one & mask) == (other & mask)
}

#[cfg(test)]
mod tests;
