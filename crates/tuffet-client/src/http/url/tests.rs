use super::*;

#[test]
fn a_url_has_one_form() {
    for (given, sent) in [
        ("https://repo.example", "https://repo.example/"),
        ("HTTPS://Repo.EXAMPLE:443/a", "https://repo.example/a"),
        (
            "http://repo.example:80/a%2Fb/~c",
            "http://repo.example/a%2Fb/~c",
        ),
        (
            "http://repo.example:8080/a?b=c/d#e",
            "http://repo.example:8080/a?b=c/d",
        ),
        ("http://[2001:DB8::0:1]:81/", "http://[2001:db8::1]:81/"),
        ("http://127.0.0.1:5/", "http://127.0.0.1:5/"),
        ("https://user:pass@repo.example/a", "https://repo.example/a"),
        ("https://repo.example./a//b", "https://repo.example./a//b"),
    ] {
        assert_eq!(Url::parse(given).unwrap().text(), sent, "{given}");
    }
}

#[test]
fn what_has_more_than_one_reading_is_refused() {
    for (given, why) in [
        ("", UrlError::Scheme),
        ("repo.example/a", UrlError::Scheme),
        ("file:///etc/passwd", UrlError::Scheme),
        ("data:text/plain,x", UrlError::Scheme),
        ("ftp://repo.example/", UrlError::Scheme),
        ("https:/repo.example/", UrlError::Host),
        ("https:///a", UrlError::Host),
        ("https://repo example/", UrlError::Host),
        ("https://répo.example/", UrlError::Host),
        ("https://%72epo.example/", UrlError::Host),
        ("https://127.1/", UrlError::Host),
        ("https://0x7f000001/", UrlError::Host),
        ("https://2130706433/", UrlError::Host),
        ("https://[::1/", UrlError::Host),
        ("https://[fe80::1%25eth0]/", UrlError::Host),
        ("https://repo.example:0/", UrlError::Port),
        ("https://repo.example:65536/", UrlError::Port),
        ("https://repo.example:+80/", UrlError::Port),
        ("https://[::1]80/", UrlError::Port),
        ("https://a%zz@repo.example/", UrlError::Credentials),
        ("https://a%0a@repo.example/", UrlError::Credentials),
        ("https://repo.example/a/../b", UrlError::DotSegment),
        ("https://repo.example/./b", UrlError::DotSegment),
        ("https://repo.example/a/%2E%2e/b", UrlError::DotSegment),
        ("https://repo.example/a b", UrlError::Character),
        ("https://repo.example/a\\b", UrlError::Character),
        ("https://repo.example/a\r\nhost: other", UrlError::Character),
        ("https://repo.example/%2", UrlError::Character),
        ("https://repo.example/%+1", UrlError::Character),
        ("https://repo.example/é", UrlError::Character),
        ("https://repo.example/a?b c", UrlError::Character),
    ] {
        assert_eq!(Url::parse(given), Err(why), "{given}");
    }
    let long = format!("https://repo.example/{}", "a".repeat(LONGEST));
    assert_eq!(Url::parse(&long), Err(UrlError::TooLong));
}

#[test]
fn a_location_is_resolved_as_rfc_3986_says() {
    let base = Url::parse("http://a/b/c/d?q").unwrap();
    for (location, sent) in [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g/"),
        ("//g:8/x?y", "http://g:8/x?y"),
        ("?y", "http://a/b/c/d?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d"),
        ("g#s", "http://a/b/c/g"),
        ("", "http://a/b/c/d?q"),
        (".", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../../g", "http://a/g"),
        ("g..", "http://a/b/c/g.."),
        ("./g/.", "http://a/b/c/g/"),
        ("g/../h", "http://a/b/c/h"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("https://h/i", "https://h/i"),
        ("/a b/é|", "http://a/a%20b/%C3%A9%7C"),
    ] {
        assert_eq!(
            base.resolve(location).map(|url| url.text()),
            Ok(sent.to_owned()),
            "{location}"
        );
    }
    for location in [
        "file:///x",
        "data:,x",
        "javascript:x",
        "g:h",
        "mailto:x@y",
        "http:g",
        "/a/%2e%2e/b",
        "/a\nb",
    ] {
        assert!(base.resolve(location).is_err(), "{location}");
    }
}

#[test]
fn neither_credentials_nor_queries_are_shown() {
    let url = Url::parse("https://user:secret@repo.example/a?signature=secret").unwrap();
    assert_eq!(url.to_string(), "https://repo.example/a?…");
    assert!(!format!("{url:?} {:?}", url.credentials()).contains("secret"));
    assert!(!format!("{url:?}").contains("user"));
}

#[test]
fn credentials_become_basic_authorization() {
    let url = Url::parse("https://us%40er:pa%3Ass%c3%a9@repo.example/").unwrap();
    let credentials = url.credentials().unwrap();
    assert_eq!(credentials.basic(), "Basic dXNAZXI6cGE6c3PDqQ==");
    assert_eq!(credentials.userinfo(), "us%40er:pa%3Ass%C3%A9");
}

/// The asynchronous transport hands URLs to another parser, which must not see anything else in them.
#[cfg(feature = "async")]
#[test]
fn the_other_parser_reads_the_same() {
    let base = Url::parse("https://repo.example:8443/x/").unwrap();
    for location in [
        "a",
        "~a/-_.!$&()*+,;=:@",
        "%41%2f%5c",
        "a?b=%20&c/d?e:@!$()*+,;=",
        "/a//b",
        "a b\"<>^`{|}\\é",
        "//[::1]:5/",
        "http://127.0.0.1/",
        "//xn--bcher-kva.example/",
        "//a.b./c",
        "//a_b.c/",
        "....//...",
        "%2e",
        "x?%2e%2e",
    ] {
        let Ok(url) = base.resolve(location) else {
            assert_eq!(location, "%2e");
            continue;
        };
        assert_eq!(
            reqwest::Url::parse(&url.text()).unwrap().as_str(),
            url.text(),
            "{location}"
        );
    }
}
