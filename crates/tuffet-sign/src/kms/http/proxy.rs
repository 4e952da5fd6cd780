//! Whether a request goes through a proxy.

use super::super::endpoint::Endpoint;
use super::super::settings::KmsSettings;

/// The proxy of the environment and the hosts that are reached without it.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) server: ureq::Proxy,
    bypass: Vec<String>,
}

/// Read in this order, as by the client's transports.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

impl Proxy {
    /// Reads the variables.
    ///
    /// # Errors
    /// Which of them holds no proxy.
    pub(super) fn of(settings: &KmsSettings) -> Result<Option<Self>, String> {
        let Some((name, url)) = VARIABLES
            .iter()
            .find_map(|name| Some((name, settings.variable(name)?)))
        else {
            return Ok(None);
        };
        let server = ureq::Proxy::new(url.trim()).map_err(|_| {
            format!("the proxy in {name} is not a URL of the form http://host:port")
        })?;
        let bypass = settings
            .first_of(&["no_proxy", "NO_PROXY"])
            .unwrap_or_default();
        let bypass = bypass
            .split(',')
            .map(|entry| entry.trim().trim_start_matches('*').to_ascii_lowercase())
            .filter(|entry| !entry.is_empty() || bypass.contains('*'))
            .collect();
        Ok(Some(Self { server, bypass }))
    }

    /// Whether requests to that place take it. Plain http goes no further than this machine, or than its owner allowed.
    pub(super) fn leads_to(&self, place: &Endpoint) -> bool {
        place.is_encrypted() && !place.is_near() && !self.is_bypassed(place)
    }

    fn is_bypassed(&self, place: &Endpoint) -> bool {
        self.bypass.iter().any(|entry| {
            let (name, port) = match entry.rsplit_once(':') {
                Some((name, port)) if !name.contains(':') => (name, Some(port)),
                _ => (entry.as_str(), None),
            };
            let name = name.trim_start_matches('.');
            let host = place.host();
            let covers = name.is_empty()
                || host
                    .strip_suffix(name)
                    .is_some_and(|before| before.is_empty() || before.ends_with('.'));
            covers && port.is_none_or(|port| port == place.port().to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::error::KmsService;

    fn proxied(variables: &'static [(&str, &str)], url: &str) -> bool {
        let settings = KmsSettings::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
        .plain_http(true);
        let place = Endpoint::parse(KmsService::Aws, "x", url, &settings).unwrap();
        let proxy = Proxy::of(&settings).unwrap();
        proxy.is_some_and(|proxy| proxy.leads_to(&place))
    }

    #[test]
    fn only_what_leaves_the_machine_encrypted_takes_the_proxy() {
        const SET: &[(&str, &str)] = &[("HTTPS_PROXY", "http://proxy:3128")];
        assert!(proxied(SET, "https://kms.example"));
        assert!(!proxied(&[], "https://kms.example"));
        assert!(!proxied(SET, "http://kms.example"));
        assert!(!proxied(SET, "https://127.0.0.1"));
        assert!(!proxied(SET, "http://169.254.169.254"));
    }

    #[test]
    fn hosts_are_bypassed_by_name_domain_and_port() {
        const SET: &[(&str, &str)] = &[
            ("all_proxy", "socks5h://proxy"),
            (
                "no_proxy",
                "a.example, .b.example,c.example:8200,*.d.example",
            ),
        ];
        for host in [
            "a.example",
            "x.a.example",
            "x.b.example",
            "c.example:8200",
            "x.d.example",
        ] {
            assert!(!proxied(SET, &format!("https://{host}")), "{host}");
        }
        for host in ["xa.example", "c.example", "example", "d.example.org"] {
            assert!(proxied(SET, &format!("https://{host}")), "{host}");
        }
        assert!(!proxied(
            &[("all_proxy", "p:1"), ("NO_PROXY", "*")],
            "https://a"
        ));
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_repeating_it() {
        let settings = KmsSettings::from_variables(|name| {
            (name == "https_proxy").then(|| "bad://user:s3cret@host".to_owned())
        });
        let error = Proxy::of(&settings).unwrap_err();
        assert!(
            error.contains("https_proxy") && !error.contains("s3cret"),
            "{error}"
        );
    }
}
