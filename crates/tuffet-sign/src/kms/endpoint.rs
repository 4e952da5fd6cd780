//! Where services are.

use std::fmt;
use std::net::IpAddr;

use super::error::{KmsError, KmsService};
use super::settings::KmsSettings;

/// Where a service is: scheme, host, port, and a path without a final slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    scheme: &'static str,
    host: String,
    port: Option<u16>,
    path: String,
}

/// Addresses that never leave the machine or its host: metadata services, and agents of container platforms.
const OF_HOST: [&str; 5] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "[fd00:ec2::23]",
    "[fd00:ec2::254]",
];

/// The metadata service of Google Cloud has a name, which resolves to such an address.
const OF_HOST_NAME: &str = "metadata.google.internal";

impl Endpoint {
    /// Reads a URL of the settings. `place` says which setting it is.
    ///
    /// # Errors
    /// [`KmsError::Settings`] if it is no URL, or plain http to another machine that was not allowed.
    pub(crate) fn parse(
        service: KmsService,
        place: &str,
        url: &str,
        settings: &KmsSettings,
    ) -> Result<Self, KmsError> {
        let refused = |what: &str| KmsError::Settings {
            service,
            what: format!("the URL in {place} {what}"),
        };
        let endpoint = Self::read(url.trim()).ok_or_else(|| {
            refused("is not of the form https://HOST, with a port and a path if needed")
        })?;
        if endpoint.scheme == "http" && !endpoint.is_near() && !settings.allows_plain_http() {
            return Err(refused("is plain http to another machine"));
        }
        Ok(endpoint)
    }

    /// One of our own, such as that of a region.
    pub(crate) fn https(host: &str) -> Self {
        Self {
            scheme: "https",
            host: host.to_owned(),
            port: None,
            path: String::new(),
        }
    }

    fn read(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (scheme, usual_port) = match scheme {
            "https" => ("https", 443),
            "http" => ("http", 80),
            _ => return None,
        };
        let (authority, path) = rest
            .find('/')
            .and_then(|at| rest.split_at_checked(at))
            .unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port = match port {
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(port.parse::<u16>().ok()?)
            }
            Some(_) => return None,
            None => None,
        };
        let bracketed = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let sound = match bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
            }
        };
        let clean = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\' | '"');
        if !sound || !path.chars().all(clean) {
            return None;
        }
        Some(Self {
            scheme,
            host: host.to_ascii_lowercase(),
            port: port.filter(|port| *port != usual_port),
            path: path.trim_end_matches('/').to_owned(),
        })
    }

    /// The value of the Host header.
    pub(crate) fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The path of the endpoint, and the rest of a path behind it.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.path)
    }

    /// The URL of a path behind the endpoint.
    pub(crate) fn url(&self, rest: &str) -> String {
        format!("{self}{rest}")
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        let usual = if self.is_encrypted() { 443 } else { 80 };
        self.port.unwrap_or(usual)
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.scheme == "https"
    }

    /// Whether it is on this machine or belongs to it. No proxy leads there.
    pub(crate) fn is_near(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || self.is_of_host()
            || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    /// Whether it is a service that the host of a virtual machine or container offers to it. It answers at once or is not
    /// there.
    pub(crate) fn is_of_host(&self) -> bool {
        self.host == OF_HOST_NAME || OF_HOST.contains(&self.host.as_str())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> KmsSettings {
        KmsSettings::from_variables(|_| None)
    }

    fn parse(url: &str) -> Result<Endpoint, KmsError> {
        Endpoint::parse(KmsService::Vault, "VAULT_ADDR", url, &settings())
    }

    #[test]
    fn urls_are_taken_apart() {
        for (url, shown, authority) in [
            (
                "https://Vault.Example/",
                "https://vault.example",
                "vault.example",
            ),
            ("https://a:443/b/", "https://a/b", "a"),
            ("https://a:8200", "https://a:8200", "a:8200"),
            ("http://127.0.0.1:80", "http://127.0.0.1", "127.0.0.1"),
            ("http://[::1]:1/x", "http://[::1]:1/x", "[::1]:1"),
        ] {
            let endpoint = parse(url).unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(endpoint.authority(), authority);
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_repeating_it() {
        for url in [
            "",
            "vault",
            "ftp://a",
            "https://",
            "https://user:s3cret@a",
            "https://a?s3cret",
            "https://a:x",
            "https://a:70000",
            "https://[1.2.3.4]",
            "https://a b",
            "https://a/\nb",
            "https://a/b?c",
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.code(), "key.kms.settings", "{url}");
            assert!(error.to_string().contains("VAULT_ADDR"), "{error}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn plain_http_stays_on_this_machine_unless_allowed() {
        for url in [
            "http://localhost:1",
            "http://127.9.9.9",
            "http://[::1]",
            "http://169.254.169.254/x",
            "http://metadata.google.internal",
        ] {
            assert!(parse(url).unwrap().is_near(), "{url}");
        }
        for url in [
            "http://vault",
            "http://10.0.0.1",
            "http://localhost.example",
        ] {
            assert!(parse(url).is_err(), "{url}");
            let settings = settings().plain_http(true);
            assert!(Endpoint::parse(KmsService::Vault, "x", url, &settings).is_ok());
        }
    }
}
