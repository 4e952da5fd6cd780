//! Bodies: whole, broken off, endless, slow.

use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use tuffet_client::http::{HttpOptions, MinimumRate};
use tuffet_client::transport::{Request, TransportErrorKind};

use super::server::{Server, Socket, answer, moment_passed};
use super::transports::transports;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";

#[test]
fn bodies_come_whole_whatever_frames_them() {
    let big: Vec<u8> = (0..3_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let mut chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for chunk in big.chunks(70_001) {
        chunked.extend_from_slice(format!("{:x};extension=1\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\ntrailer: x\r\n\r\n");
    let mut unframed = b"HTTP/1.0 200 OK\r\n\r\n".to_vec();
    unframed.extend_from_slice(&big);
    let framed = answer(200, "", &big);
    for (server, body) in [
        (Server::answering(framed), big.as_slice()),
        (Server::answering(chunked), big.as_slice()),
        (Server::closing(unframed), big.as_slice()),
        (Server::answering(answer(200, "", b"")), b"".as_slice()),
    ] {
        for (name, http) in transports(&HttpOptions::new()) {
            assert!(http.get(&server.url("/x")).bytes() == body, "{name}");
        }
    }
}

#[test]
fn a_body_that_breaks_off_is_an_error_after_its_bytes() {
    for (beginning, came) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234", 5),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n", 0),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n",
            5,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n",
            5,
        ),
    ] {
        let server = Server::closing(beginning);
        for (name, http) in transports(&HttpOptions::new()) {
            let got = http.get(&server.url("/x"));
            assert_eq!(
                got.word(),
                "broken network.interrupted",
                "{name} {beginning:?} {got:?}"
            );
            assert!(
                matches!(got, super::transports::Got::Broken(bytes, _) if bytes == came),
                "{name} {got:?}"
            );
        }
    }
}

#[test]
fn chunks_that_make_no_sense_are_an_error() {
    let server = Server::answering(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\nzz\r\n",
    );
    for (name, http) in transports(&HttpOptions::new()) {
        assert_eq!(
            http.get(&server.url("/x")).word(),
            "broken network.protocol",
            "{name}"
        );
    }
}

#[test]
fn more_than_the_length_is_not_part_of_the_body_nor_of_the_next_answer() {
    let server = Server::answering([answer(200, "", b"01234"), answer(404, "", b"")].concat());
    for (name, http) in transports(&HttpOptions::new()) {
        for _ in 0..2 {
            assert_eq!(http.get(&server.url("/x")).bytes(), b"01234", "{name}");
        }
    }
}

#[test]
fn an_endless_body_ends_when_the_caller_stops() {
    for (name, http) in transports(&HttpOptions::new()) {
        let (stopped, seen) = channel();
        let stopped = Mutex::new(stopped);
        let server = Server::new(move |_, socket| {
            let mut fine = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_ok();
            while fine {
                fine = socket.write_all(&[b'x'; 4096]).is_ok();
            }
            stopped.lock().unwrap().send(()).unwrap();
            false
        });
        http.fetch_some(&Request::new(server.url("/endless")), 1_000_000);
        seen.recv()
            .unwrap_or_else(|_| panic!("{name}: the server is still sending"));
    }
}

/// Sends a byte whenever the client has said nothing for a moment. Whether the client went away before the last.
fn drip(socket: &mut dyn Socket, mut bytes: impl Iterator<Item = u8>) -> bool {
    loop {
        match socket.read(&mut [0]) {
            Err(error) if moment_passed(&error) => match bytes.next() {
                Some(byte) if socket.write_all(&[byte]).is_ok() => {}
                Some(_) => return true,
                None => return false,
            },
            _ => return true,
        }
    }
}

/// A server whose sockets let a moment pass when nothing comes.
fn unhurried(script: impl Fn(&mut dyn Socket) + Send + Sync + 'static) -> Server {
    let wrap = |tcp: TcpStream| {
        tcp.set_read_timeout(Some(Duration::from_millis(5)))
            .unwrap();
        Some(Box::new(tcp) as Box<dyn Socket>)
    };
    Server::wrapped(wrap, move |_, socket| {
        script(socket);
        false
    })
}

fn dripping(head: &'static [u8]) -> Server {
    unhurried(move |socket| {
        socket.write_all(head).unwrap();
        drip(socket, std::iter::repeat(b'x'));
    })
}

fn patient() -> HttpOptions {
    HttpOptions::new()
        .minimum_rate(None)
        .idle_timeout(Duration::from_secs(600))
}

#[test]
fn a_silent_server_is_given_up_after_the_idle_time() {
    let (idle, connect) = (Duration::from_millis(200), Duration::from_millis(500));
    for head in [b"".as_slice(), b"HTTP/1.1 200 OK\r\n".as_slice(), HEAD] {
        let server = Server::new(move |_, socket| {
            socket.write_all(head).unwrap();
            socket.read(&mut [0]).is_err()
        });
        for (name, http) in transports(&patient().idle_timeout(idle).connect_timeout(connect)) {
            let got = http.get(&server.url("/x"));
            assert_eq!(got.kind(), TransportErrorKind::Idle, "{name}: {got:?}");
        }
    }
}

#[test]
fn a_dripping_body_is_given_up_for_its_rate() {
    let server = dripping(HEAD);
    let short = Duration::from_millis(50);
    let rate = MinimumRate {
        bytes_per_second: 1_000_000,
        window: short,
        grace: short,
    };
    for (name, http) in transports(&patient().minimum_rate(Some(rate))) {
        assert_eq!(
            http.get(&server.url("/x")).word(),
            "broken network.slow",
            "{name}"
        );
    }
}

#[test]
fn a_dripping_head_is_given_up() {
    let server = dripping(b"HTTP/1.1 200 OK\r\nx: ");
    let short = Duration::from_millis(200);
    for (name, http) in transports(&patient().idle_timeout(short).connect_timeout(short)) {
        assert_eq!(
            http.get(&server.url("/x")).word(),
            "retryable network.idle",
            "{name}"
        );
    }
}

#[test]
fn a_transfer_ends_at_its_deadline() {
    let answering = Server::answering(answer(200, "", b""));
    for (server, milliseconds) in [
        (dripping(HEAD), 300),
        (dripping(b"HTTP/1.1 200 OK\r\nx: "), 300),
        (answering, 0),
    ] {
        // What the options say, what the request says, and the shorter of both.
        let short = Duration::from_millis(milliseconds);
        let long = Duration::from_secs(9000);
        for (options, request) in [
            (Some(short), None),
            (None, Some(short)),
            (Some(long), Some(short)),
        ] {
            for (name, http) in transports(&patient().deadline(options)) {
                let got = http.fetch(&Request::new(server.url("/x")).within(request));
                assert_eq!(got.kind(), TransportErrorKind::Deadline, "{name}: {got:?}");
            }
        }
    }
}

#[test]
fn a_dripping_body_of_an_absent_file_does_not_hold_the_client() {
    let short = Duration::from_millis(50);
    let rate = MinimumRate {
        bytes_per_second: 1_000_000,
        window: short,
        grace: short,
    };
    for (name, http) in transports(&patient().minimum_rate(Some(rate))) {
        let (sender, went_away) = channel();
        let sender = Mutex::new(sender);
        let server = unhurried(move |socket| {
            socket
                .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2000\r\n\r\n")
                .unwrap();
            let went_away = drip(socket, std::iter::repeat_n(b'x', 2000));
            sender.lock().unwrap().send(went_away).unwrap();
        });
        assert_eq!(http.get(&server.url("/x")).word(), "absent", "{name}");
        drop(http);
        assert!(
            went_away.recv().unwrap(),
            "{name}: the client read on to the end"
        );
    }
}
