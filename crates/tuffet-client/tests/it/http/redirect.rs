//! Redirects: followed to other places of the web, but never at the cost of safety.

use tuffet_client::http::HttpOptions;
use tuffet_client::transport::TransportErrorKind;

use super::server::{Server, answer};
use super::transports::transports;

fn moved(location: &str) -> Vec<u8> {
    answer(302, &format!("location: {location}\r\n"), b"over there")
}

#[test]
fn redirects_are_followed_on_the_same_connection() {
    let server = Server::new(|asked, socket| {
        let answer = match asked.target.as_str() {
            "/a/x" => moved("../b/y?z"),
            "/b/y?z" => answer(200, "", b"here"),
            _ => answer(500, "", b""),
        };
        socket.write_all(&answer).is_ok()
    });
    for (name, http) in transports(&HttpOptions::new()) {
        assert_eq!(http.get(&server.url("/a/x")).bytes(), b"here", "{name}");
        let asked = server.asked();
        let [.., first, second] = asked.as_slice() else {
            panic!("two requests")
        };
        assert_eq!(first.connection, second.connection, "{name}");
    }
}

#[test]
fn headers_of_an_origin_do_not_follow_a_redirect_elsewhere() {
    let there = Server::answering(answer(200, "", b"there"));
    let elsewhere = there.url("/y");
    let here = Server::new(move |asked, socket| {
        let to = if asked.target == "/first" {
            "/second"
        } else {
            elsewhere.as_str()
        };
        socket.write_all(&moved(to)).is_ok()
    });
    let options = HttpOptions::new()
        .header(&here.url(""), "Authorization", "Bearer secret")
        .unwrap();
    for (name, http) in transports(&options) {
        assert_eq!(http.get(&here.url("/first")).bytes(), b"there", "{name}");
        for asked in &here.asked() {
            assert_eq!(
                asked.header("authorization"),
                Some("Bearer secret"),
                "{name}"
            );
        }
        assert_eq!(
            there.asked().pop().unwrap().header("authorization"),
            None,
            "{name}"
        );
    }
    assert_eq!(
        here.asked().len() % 2,
        0,
        "both hops were asked with the header"
    );
}

#[test]
fn credentials_of_a_url_go_to_its_origin_only() {
    let there = Server::answering(answer(200, "", b"there"));
    let here = Server::answering(moved(&there.url("/y")));
    let url = here.url("/x").replace("http://", "http://user:pass@");
    for (name, http) in transports(&HttpOptions::new()) {
        assert_eq!(http.get(&url).bytes(), b"there", "{name}");
        assert_eq!(
            here.asked().pop().unwrap().header("authorization"),
            Some("Basic dXNlcjpwYXNz"),
            "{name}"
        );
        assert_eq!(
            there.asked().pop().unwrap().header("authorization"),
            None,
            "{name}"
        );
    }
}

#[test]
fn a_loop_of_redirects_ends() {
    let server = Server::answering(moved("/again"));
    for (name, http) in transports(&HttpOptions::new().redirects(3)) {
        let before = server.asked().len();
        assert_eq!(
            http.get(&server.url("/x")).word(),
            "fatal network.redirect",
            "{name}"
        );
        assert_eq!(server.asked().len() - before, 4, "{name}");
    }
}

#[test]
fn redirects_lead_to_http_and_nowhere_else() {
    for location in [
        "file:///etc/passwd",
        "data:,x",
        "ftp://127.0.0.1/x",
        "http://",
        "http://u:p@127.0.0.1/",
        "/a/%2e%2e/b",
    ] {
        let server = Server::answering(moved(location));
        for (name, http) in transports(&HttpOptions::new()) {
            let got = http.get(&server.url("/x"));
            assert_eq!(
                got.kind(),
                TransportErrorKind::Redirect,
                "{name} {location}"
            );
            assert_eq!(got.error().url, server.url("/x"), "{name} {location}");
        }
    }
    let server = Server::answering(answer(302, "", b""));
    for (name, http) in transports(&HttpOptions::new()) {
        assert_eq!(
            http.get(&server.url("/x")).word(),
            "fatal network.redirect",
            "{name}: no location"
        );
    }
}
