//! What answers mean, and what happens when there is none.

use std::net::TcpListener;
use std::time::Duration;

use tuffet_client::http::HttpOptions;

use super::server::{Server, answer};
use super::transports::transports;

#[test]
fn a17_statuses_over_a_real_connection() {
    for (status, forbidden_is_absent, word) in [
        (200, true, "found"),
        (403, true, "absent"),
        (403, false, "fatal network.status"),
        (404, true, "absent"),
        (410, false, "absent"),
        (400, true, "fatal network.status"),
        (401, true, "fatal network.status"),
        (407, true, "fatal network.status"),
        (416, true, "fatal network.status"),
        (408, true, "retryable network.status"),
        (425, true, "retryable network.status"),
        (429, true, "retryable network.status"),
        (500, true, "retryable network.status"),
        (503, true, "retryable network.status"),
        (206, true, "fatal network.protocol"),
        (300, true, "fatal network.status"),
    ] {
        let server = Server::answering(answer(status, "", b"body"));
        for (name, http) in transports(&HttpOptions::new().forbidden_is_absent(forbidden_is_absent))
        {
            assert_eq!(http.get(&server.url("/x")).word(), word, "{name} {status}");
        }
    }
}

#[test]
fn retry_after_reaches_the_caller() {
    let server = Server::answering(answer(429, "retry-after: 17\r\n", b""));
    for (name, http) in transports(&HttpOptions::new()) {
        assert_eq!(
            http.get(&server.url("/x")).error().retry_after,
            Some(17),
            "{name}"
        );
    }
}

#[test]
fn o01_a_request_says_who_asks_and_wants_no_encoding() {
    let server = Server::answering(answer(200, "", b""));
    for (name, http) in transports(&HttpOptions::new().user_agent("updater/7").unwrap()) {
        http.get(&server.url("/a%2Fb/c?d=e"));
        let asked = server.asked().pop().unwrap();
        assert_eq!(
            (asked.method.as_str(), asked.target.as_str()),
            ("GET", "/a%2Fb/c?d=e"),
            "{name}"
        );
        assert_eq!(asked.header("user-agent"), Some("updater/7"), "{name}");
        assert_eq!(asked.header("accept-encoding"), Some("identity"), "{name}");
        assert_eq!(
            asked.header("host"),
            Some(format!("127.0.0.1:{}", server.port).as_str()),
            "{name}"
        );
        assert_eq!(asked.header("authorization"), None, "{name}");
        assert_eq!(asked.header("range"), None, "{name}");
    }
    let server = Server::answering(answer(200, "", b""));
    for (name, http) in transports(&HttpOptions::new()) {
        http.get(&server.url("/"));
        let agent = server
            .asked()
            .pop()
            .unwrap()
            .header("user-agent")
            .unwrap()
            .to_owned();
        assert_eq!(
            agent,
            concat!("tuffet/", env!("CARGO_PKG_VERSION")),
            "{name}"
        );
    }
}

#[test]
fn encoded_answers_are_refused() {
    let server = Server::answering(answer(200, "content-encoding: gzip\r\n", b"\x1f\x8b"));
    for (name, http) in transports(&HttpOptions::new()) {
        assert_eq!(
            http.get(&server.url("/x")).word(),
            "fatal network.protocol",
            "{name}"
        );
    }
}

#[test]
fn connections_are_used_again() {
    let server = Server::new(|asked, socket| {
        let status = if asked.target == "/absent" { 404 } else { 200 };
        socket.write_all(&answer(status, "", b"some body")).is_ok()
    });
    for (name, http) in transports(&HttpOptions::new()) {
        let before = server.asked().len();
        for target in ["/a", "/absent", "/absent", "/b"] {
            http.get(&server.url(target));
        }
        let asked = server.asked();
        let connections: Vec<_> = asked[before..]
            .iter()
            .map(|asked| asked.connection)
            .collect();
        assert_eq!(connections, [connections[0]; 4], "{name}");
    }
}

#[test]
fn no_server_is_a_reason_to_try_again() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for (name, http) in transports(&HttpOptions::new().connect_timeout(Duration::from_secs(5))) {
        assert_eq!(
            http.get(&format!("http://127.0.0.1:{closed}/")).word(),
            "retryable network.connect",
            "{name}"
        );
        assert_eq!(
            http.get("http://no-such-host.invalid/").word(),
            "retryable network.connect",
            "{name}"
        );
    }
}

#[test]
fn what_is_no_http_is_no_answer() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.9\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(1024 * 1024)),
    ] {
        let server = Server::closing(garbage.clone());
        for (name, http) in transports(&HttpOptions::new()) {
            let got = http.get(&server.url("/x"));
            assert_eq!(
                got.word(),
                "fatal network.protocol",
                "{name} {:.40} {got:?}",
                garbage
            );
        }
    }
}

#[test]
fn a_connection_that_ends_without_an_answer_is_a_reason_to_try_again() {
    for beginning in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n",
    ] {
        let server = Server::closing(beginning);
        for (name, http) in transports(&HttpOptions::new()) {
            let got = http.get(&server.url("/x"));
            assert_eq!(
                got.word(),
                "retryable network.interrupted",
                "{name} {beginning:?} {got:?}"
            );
        }
    }
}

#[test]
fn urls_of_other_kinds_are_refused_without_a_request() {
    for (name, http) in transports(&HttpOptions::new()) {
        for url in [
            "file:///etc/passwd",
            "data:,x",
            "ftp://127.0.0.1/",
            "127.0.0.1",
            "http://127.0.0.1/../x",
            "",
        ] {
            assert_eq!(http.get(url).word(), "fatal network.url", "{name} {url}");
        }
    }
}
