//! Going on where an earlier transfer ended.

use tuffet_client::http::HttpOptions;
use tuffet_client::transport::{Request, Resume};

use super::server::{Server, answer};
use super::transports::{Got, Whole, transports};

const FILE: &[u8] = b"0123456789";

fn part(range: &str, etag: &str, body: &[u8]) -> Vec<u8> {
    answer(
        206,
        &format!("content-range: {range}\r\netag: {etag}\r\n"),
        body,
    )
}

/// A server that does as RFC 9110 §13.1.5 and §14.2 say.
fn correct() -> Server {
    Server::new(|asked, socket| {
        let same = asked.header("if-range") == Some("\"a\"");
        let answer = match asked.header("range") {
            Some("bytes=4-") if same => part("bytes 4-9/10", "\"a\"", &FILE[4..]),
            Some("bytes=10-") if same => answer(416, "content-range: bytes */10\r\n", b""),
            _ => answer(200, "etag: \"a\"\r\n", FILE),
        };
        socket.write_all(&answer).is_ok()
    })
}

fn resuming(server: &Server, offset: u64, validator: &str) -> Request {
    Request::new(server.url("/file")).resuming(Resume {
        offset,
        validator: validator.to_owned(),
    })
}

fn whole(bytes: &[u8], offset: u64) -> Got {
    let validator = Some("\"a\"".to_owned());
    Got::Whole(Whole {
        bytes: bytes.to_vec(),
        offset,
        length: Some(bytes.len() as u64),
        validator,
    })
}

#[test]
fn a_file_that_is_the_same_is_continued() {
    let server = correct();
    for (name, http) in transports(&HttpOptions::new()) {
        assert_eq!(
            http.fetch(&Request::new(server.url("/file"))),
            whole(FILE, 0),
            "{name}"
        );
        assert_eq!(
            http.fetch(&resuming(&server, 4, "\"a\"")),
            whole(&FILE[4..], 4),
            "{name}"
        );
    }
}

#[test]
fn a_file_that_changed_comes_whole() {
    let server = correct();
    for (name, http) in transports(&HttpOptions::new()) {
        assert_eq!(
            http.fetch(&resuming(&server, 4, "\"b\"")),
            whole(FILE, 0),
            "{name}"
        );
        let asked = server.asked().pop().unwrap();
        assert_eq!(asked.header("if-range"), Some("\"b\""), "{name}");
    }
}

#[test]
fn a_range_beyond_the_file_is_asked_for_again_from_the_start() {
    let server = correct();
    for (name, http) in transports(&HttpOptions::new()) {
        assert_eq!(
            http.fetch(&resuming(&server, 10, "\"a\"")),
            whole(FILE, 0),
            "{name}"
        );
        assert_eq!(
            server.asked().pop().unwrap().header("range"),
            None,
            "{name}"
        );
    }
}

#[test]
fn a_weak_validator_asks_for_the_whole() {
    let server = correct();
    for (name, http) in transports(&HttpOptions::new()) {
        assert_eq!(
            http.fetch(&resuming(&server, 4, "W/\"a\"")),
            whole(FILE, 0),
            "{name}"
        );
        assert_eq!(
            server.asked().pop().unwrap().header("range"),
            None,
            "{name}"
        );
    }
}

#[test]
fn a_part_that_does_not_fit_is_not_taken() {
    for wrong in [
        part("bytes 5-9/10", "\"a\"", &FILE[5..]),
        part("bytes 0-9/10", "\"a\"", FILE),
        part("bytes 4-8/10", "\"a\"", &FILE[4..]),
        part("bytes 4-9/10", "\"b\"", &FILE[4..]),
        answer(206, "", &FILE[4..]),
        answer(
            206,
            "content-type: multipart/byteranges; boundary=x\r\n",
            b"--x",
        ),
    ] {
        let server = Server::new(move |asked, socket| {
            let ranged = asked.header("range").is_some();
            let whole = answer(200, "etag: \"a\"\r\n", FILE);
            socket
                .write_all(if ranged { &wrong } else { &whole })
                .is_ok()
        });
        for (name, http) in transports(&HttpOptions::new()) {
            assert_eq!(
                http.fetch(&resuming(&server, 4, "\"a\"")),
                whole(FILE, 0),
                "{name}"
            );
        }
    }
}

#[test]
fn a_server_that_sends_parts_without_being_asked_is_refused() {
    let server = Server::answering(part("bytes 4-9/10", "\"a\"", &FILE[4..]));
    for (name, http) in transports(&HttpOptions::new()) {
        assert_eq!(
            http.get(&server.url("/file")).word(),
            "fatal network.protocol",
            "{name}"
        );
        let resumed = http.fetch(&resuming(&server, 5, "\"a\""));
        assert_eq!(
            resumed.word(),
            "fatal network.protocol",
            "{name}: after starting over"
        );
    }
}
