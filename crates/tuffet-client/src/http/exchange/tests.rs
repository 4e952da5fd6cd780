use super::super::options::HttpOptions;
use super::super::proxy::Proxy;
use super::*;

fn settings(options: HttpOptions) -> Settings {
    Settings::new(options.proxy(Proxy::direct())).unwrap()
}

fn private() -> Settings {
    settings(
        HttpOptions::new()
            .header("https://a.example", "authorization", "Bearer secret")
            .unwrap(),
    )
}

fn moved(exchange: &mut Exchange<'_>, location: &str) -> Next {
    let mut headers = HeaderMap::new();
    headers.insert(
        http::header::LOCATION,
        HeaderValue::from_str(location).unwrap(),
    );
    exchange.answer(302, &headers)
}

fn authorization(exchange: &Exchange<'_>) -> Option<String> {
    exchange
        .head()
        .headers
        .get(AUTHORIZATION)
        .map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn headers_of_an_origin_are_sent_to_that_origin_only() {
    let settings = private();
    for (url, sent) in [
        ("https://a.example/x", true),
        ("https://A.example:443/x", true),
        ("https://a.example:444/x", false),
        ("http://a.example/x", false),
        ("https://b.a.example/x", false),
        ("https://a.example.b/x", false),
    ] {
        let exchange = Exchange::new(&settings, &Request::new(url)).unwrap();
        assert_eq!(authorization(&exchange).is_some(), sent, "{url}");
    }
}

#[test]
fn nothing_private_is_sent_once_a_redirect_has_led_away() {
    for (settings, url) in [
        (private(), "https://a.example/x"),
        (
            settings(HttpOptions::new()),
            "https://user:secret@a.example/x",
        ),
    ] {
        let mut exchange = Exchange::new(&settings, &Request::new(url)).unwrap();
        let sent = authorization(&exchange);
        assert!(sent.is_some());
        for location in ["/y", "https://a.example/z"] {
            assert_eq!(moved(&mut exchange, location), Next::Again);
            assert_eq!(authorization(&exchange), sent, "{location}");
        }
        for location in ["https://b.example/", "https://a.example/x"] {
            assert_eq!(moved(&mut exchange, location), Next::Again);
            assert_eq!(authorization(&exchange), None, "{location}");
        }
    }
}

#[test]
fn redirects_never_lower_the_guard() {
    let settings = settings(HttpOptions::new());
    for (from, location, followed) in [
        ("https://a.example/x", "http://a.example/x", false),
        ("https://a.example/x", "//b.example/x", true),
        ("http://a.example/x", "https://a.example/x", true),
        ("http://a.example/x", "http://b.example/x", true),
        ("https://a.example/x", "file:///etc/passwd", false),
        ("https://a.example/x", "data:,x", false),
        ("https://a.example/x", "ftp://a.example/x", false),
        (
            "https://a.example/x",
            "https://user:pass@a.example/x",
            false,
        ),
        ("https://a.example/x", "https://a.example:x/", false),
    ] {
        let mut exchange = Exchange::new(&settings, &Request::new(from)).unwrap();
        match moved(&mut exchange, location) {
            Next::Again => assert!(followed, "{from} {location}"),
            Next::Fatal(error) => {
                assert_eq!(error.kind, TransportErrorKind::Redirect);
                assert_eq!(error.url, from);
                assert!(!followed, "{from} {location}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn redirects_are_counted() {
    for limit in [0, 1, 5] {
        let settings = settings(HttpOptions::new().redirects(limit));
        let mut exchange = Exchange::new(&settings, &Request::new("https://a.example/")).unwrap();
        for _ in 0..limit {
            assert_eq!(moved(&mut exchange, "/again"), Next::Again);
        }
        assert!(
            matches!(moved(&mut exchange, "/again"), Next::Fatal(_)),
            "{limit}"
        );
    }
}

#[test]
fn a_request_resumes_only_with_a_strong_validator() {
    let settings = settings(HttpOptions::new());
    for (offset, validator, range) in [
        (5, "\"a\"", Some("bytes=5-")),
        (5, "Wed, 21 Oct 2026 07:28:00 GMT", Some("bytes=5-")),
        (0, "\"a\"", None),
        (5, "W/\"a\"", None),
        (5, "", None),
        (5, "\"a\"\r\nhost: b", None),
    ] {
        let resume = Resume {
            offset,
            validator: validator.to_owned(),
        };
        let request = Request::new("https://a.example/").resuming(resume);
        let head = Exchange::new(&settings, &request).unwrap().head();
        let sent = |name| {
            head.headers
                .get(name)
                .map(|value: &HeaderValue| value.to_str().unwrap())
        };
        assert_eq!(sent(RANGE), range, "{offset} {validator}");
        assert_eq!(
            sent(IF_RANGE),
            range.map(|_| validator),
            "{offset} {validator}"
        );
    }
}

#[test]
fn what_cannot_be_continued_is_asked_for_from_the_start_once() {
    let settings = settings(HttpOptions::new());
    let resume = Resume {
        offset: 5,
        validator: "\"a\"".to_owned(),
    };
    let request = Request::new("https://a.example/").resuming(resume);
    for status in [206, 416] {
        let mut exchange = Exchange::new(&settings, &request).unwrap();
        assert_eq!(exchange.answer(status, &HeaderMap::new()), Next::Again);
        assert!(!exchange.head().headers.contains_key(RANGE));
        assert!(
            matches!(exchange.answer(status, &HeaderMap::new()), Next::Fatal(_)),
            "{status}"
        );
    }
}

#[test]
fn an_error_names_the_url_without_secrets() {
    let settings = settings(HttpOptions::new());
    let error = Exchange::new(
        &settings,
        &Request::new("ftp://user:secret@a.example/x?secret"),
    )
    .unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Url);
    assert!(!error.to_string().contains("secret"), "{error}");
    let mut exchange =
        Exchange::new(&settings, &Request::new("https://user:secret@a.example/x")).unwrap();
    let Next::Fatal(error) = exchange.answer(401, &HeaderMap::new()) else {
        panic!("401 is fatal")
    };
    assert_eq!(error.to_string(), "https://a.example/x: HTTP status 401");
    let location = "https://user:secret@a.example/?secret";
    let Next::Fatal(error) = moved(&mut exchange, location) else {
        panic!("credentials are refused")
    };
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn secrets_are_marked_and_not_shown() {
    let options = HttpOptions::new()
        .header("https://a.example", "X-Token", "secret")
        .unwrap();
    assert!(!format!("{options:?}").contains("secret"), "{options:?}");
    let settings = settings(options);
    let head = Exchange::new(&settings, &Request::new("https://user:secret@a.example/"))
        .unwrap()
        .head();
    assert!(head.headers.get("x-token").unwrap().is_sensitive());
    assert!(head.headers.get(AUTHORIZATION).unwrap().is_sensitive());
}

#[test]
fn a_forwarding_proxy_gets_its_credentials_in_the_request() {
    for (url, sent) in [("http://a.example/", true), ("https://a.example/", false)] {
        let options = HttpOptions::new().proxy(Proxy::server("http://user:pass@proxy:1").unwrap());
        let settings = Settings::new(options).unwrap();
        let exchange = Exchange::new(&settings, &Request::new(url)).unwrap();
        assert!(exchange.proxy().is_some(), "{url}");
        assert_eq!(
            exchange.head().headers.contains_key(PROXY_AUTHORIZATION),
            sent,
            "{url}"
        );
    }
}

#[test]
fn headers_that_are_the_transports_own_cannot_be_set() {
    let options = HttpOptions::new();
    for name in [
        "Host",
        "range",
        "If-Range",
        "accept-encoding",
        "content-length",
        "user-agent",
        "a b",
        "",
    ] {
        assert!(
            options
                .clone()
                .header("https://a.example", name, "x")
                .is_err(),
            "{name}"
        );
    }
    for origin in [
        "a.example",
        "https://a.example/x",
        "https://u@a.example",
        "file:///",
        "https://a.example?x",
        "https://a.example/#x",
    ] {
        assert!(
            options.clone().header(origin, "x-token", "x").is_err(),
            "{origin}"
        );
    }
    assert!(
        options
            .clone()
            .header("https://a.example", "x-token", "a\nb")
            .is_err()
    );
    assert!(
        options
            .header("https://a.example", "x-token", &"a".repeat(9000))
            .is_err()
    );
}

#[test]
fn a_head_does_not_show_what_it_sends() {
    let settings = private();
    let request = Request::new("https://a.example/x?sig=QUERY").resuming(Resume {
        offset: 3,
        validator: "\"VALIDATOR\"".into(),
    });
    let shown = format!("{:?}", Exchange::new(&settings, &request).unwrap().head());
    assert!(shown.contains("https://a.example/x") && shown.contains("if-range"));
    for hidden in ["QUERY", "VALIDATOR", "secret"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
