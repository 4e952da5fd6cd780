use super::*;

fn rules(variables: &[(&str, &str)]) -> Result<ProxyRules, HttpOptionsError> {
    let find = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    Proxy::environment().rules(&find)
}

fn route(rules: &ProxyRules, url: &str) -> Option<String> {
    rules
        .route(&Url::parse(url).unwrap())
        .map(ProxyServer::to_string)
}

#[test]
fn the_environment_names_a_proxy_for_each_scheme() {
    let both = [
        ("HTTPS_PROXY", "http://s:1"),
        ("HTTP_PROXY", "http://p:2"),
        ("ALL_PROXY", "http://a:3"),
    ];
    let lower = [
        ("https_proxy", "http://low:1"),
        ("HTTPS_PROXY", "http://up:1"),
    ];
    for (variables, https, http) in [
        (&[][..], None, None),
        (&both[..], Some("http://s:1"), Some("http://p:2")),
        (&both[..1], Some("http://s:1"), None),
        (&both[2..], Some("http://a:3"), Some("http://a:3")),
        (&lower[..], Some("http://low:1"), None),
        (
            &[("HTTPS_PROXY", " "), ("all_proxy", "proxy")],
            Some("http://proxy:80"),
            Some("http://proxy:80"),
        ),
        (
            &[("HTTP_PROXY", "http://p"), ("REQUEST_METHOD", "GET")],
            None,
            None,
        ),
        (
            &[("http_proxy", "http://p"), ("REQUEST_METHOD", "GET")],
            None,
            Some("http://p:80"),
        ),
        (
            &[("ALL_PROXY", "http://p"), ("NO_PROXY", "repo.example")],
            None,
            None,
        ),
        (
            &[
                ("ALL_PROXY", "http://p:1"),
                ("no_proxy", ""),
                ("NO_PROXY", "*"),
            ],
            Some("http://p:1"),
            Some("http://p:1"),
        ),
    ] {
        let rules = rules(variables).unwrap();
        assert_eq!(
            route(&rules, "https://repo.example/").as_deref(),
            https,
            "{variables:?}"
        );
        assert_eq!(
            route(&rules, "http://repo.example/").as_deref(),
            http,
            "{variables:?}"
        );
    }
}

#[test]
fn a_proxy_that_is_none_is_an_error_and_not_a_direct_connection() {
    for wrong in [
        "ftp://p",
        "http://",
        "http://p:x",
        "http://p/path",
        "http://p q",
    ] {
        let place = "HTTPS_PROXY".to_owned();
        assert_eq!(
            rules(&[("HTTPS_PROXY", wrong)]).unwrap_err(),
            HttpOptionsError::Proxy { place },
            "{wrong}"
        );
        assert!(Proxy::server(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_list_of_hosts_bypasses_the_proxy() {
    for (list, host, bypassed) in [
        ("*", "any.example", true),
        ("", "any.example", false),
        ("repo.example", "repo.example", true),
        ("repo.example", "a.repo.example", true),
        ("repo.example", "notrepo.example", false),
        (".repo.example", "repo.example", true),
        ("*.repo.example", "a.b.repo.example", true),
        ("REPO.example.", "repo.EXAMPLE", true),
        ("repo.example", "repo.example.", true),
        ("a,repo.example , b", "repo.example", true),
        ("a repo.example", "repo.example", true),
        ("repo.example:8080", "repo.example:8080", true),
        ("repo.example:8080", "repo.example", false),
        ("repo.example:80", "repo.example", true),
        ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1:81", "127.0.0.1", false),
        ("10.0.0.0/8", "10.1.2.3", true),
        ("10.0.0.0/8", "11.1.2.3", false),
        ("0.0.0.0/0", "11.1.2.3", true),
        ("0.0.0.0/0", "[::1]", false),
        ("10.0.0.0/33", "10.0.0.0", false),
        ("10.0.0.0/8", "name.example", false),
        ("::1", "[::1]", true),
        ("[::1]", "[::1]", true),
        ("fd00::/8", "[fd12::1]", true),
        ("fd00::/8", "[fe80::1]", false),
        ("::/0", "[fe80::1]", true),
    ] {
        let rules = Proxy::server("http://proxy:1")
            .unwrap()
            .bypassing(list)
            .rules(&|_| None)
            .unwrap();
        let proxy = if bypassed {
            None
        } else {
            Some("http://proxy:1".to_owned())
        };
        assert_eq!(
            route(&rules, &format!("http://{host}/")),
            proxy,
            "{list:?} {host}"
        );
    }
}

#[test]
fn credentials_of_a_proxy_are_sent_but_not_shown() {
    let proxy = Proxy::server("socks5h://us%20er:s%2fecret@proxy:9").unwrap();
    assert!(!format!("{proxy:?}").contains("ecret"), "{proxy:?}");
    let rules = proxy.rules(&|_| None).unwrap();
    let server = rules
        .route(&Url::parse("https://repo.example/").unwrap())
        .unwrap();
    assert_eq!(server.url(), "socks5h://us%20er:s%2Fecret@proxy:9");
    assert_eq!(server.to_string(), "socks5h://proxy:9");
}

#[test]
fn only_http_proxies_forward_and_only_plain_http() {
    for (proxy, url, forwards) in [
        ("http://p", "http://repo.example/", true),
        ("https://p", "http://repo.example/", true),
        ("http://p", "https://repo.example/", false),
        ("socks5://p", "http://repo.example/", false),
    ] {
        let url = Url::parse(url).unwrap();
        assert_eq!(
            ProxyServer::parse(proxy).unwrap().forwards(&url),
            forwards,
            "{proxy} {url}"
        );
    }
}
