//! Ways through proxies, with a scripted proxy on loopback.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use rustls::{ServerConfig, ServerConnection, Stream};
use tuffet_client::http::{HttpOptions, Proxy};

use super::server::{Asked, Server, Socket, answer};
use super::tls::Authority;
use super::transports::transports_as_they_are;

fn forwarding() -> Server {
    Server::answering(answer(200, "", b"by proxy"))
}

fn through(proxy: &str) -> HttpOptions {
    HttpOptions::new().proxy(Proxy::server(proxy).unwrap())
}

#[test]
fn plain_http_is_forwarded_as_a_whole_url() {
    let proxy = forwarding();
    let options = through(&proxy.url("").replace("http://", "http://us%20er:pass@"));
    for (name, http) in transports_as_they_are(&options) {
        for target in ["/x", "/y?z"] {
            assert_eq!(
                http.get(&format!("http://repo.example:8080{target}"))
                    .bytes(),
                b"by proxy",
                "{name}"
            );
            let asked = proxy.asked().pop().unwrap();
            assert_eq!(
                asked.target,
                format!("http://repo.example:8080{target}"),
                "{name}"
            );
            assert_eq!(asked.header("host"), Some("repo.example:8080"), "{name}");
            assert_eq!(
                asked.header("proxy-authorization"),
                Some("Basic dXMgZXI6cGFzcw=="),
                "{name}"
            );
            assert_eq!(asked.header("authorization"), None, "{name}");
        }
        let asked = proxy.asked();
        let [.., first, second] = asked.as_slice() else {
            panic!("two requests")
        };
        assert_eq!(
            first.connection, second.connection,
            "{name}: the connection is kept"
        );
    }
}

/// A proxy that is the origin itself at the far end of its tunnel.
fn tunnelling(origin: Arc<ServerConfig>, inside: Arc<Mutex<Vec<String>>>) -> Server {
    Server::new(move |asked, mut socket| {
        if asked.method != "CONNECT" {
            return socket.write_all(&answer(405, "", b"")).is_ok();
        }
        socket.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
        let mut connection = ServerConnection::new(Arc::clone(&origin)).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if !matches!(stream.read(&mut byte), Ok(1)) {
                return false;
            }
            head.push(byte[0]);
        }
        inside
            .lock()
            .unwrap()
            .push(String::from_utf8(head).unwrap());
        stream
            .write_all(&answer(200, "connection: close\r\n", b"in the tunnel"))
            .unwrap();
        false
    })
}

#[test]
fn https_goes_through_a_tunnel() {
    let authority = Authority::new();
    let inside = Arc::new(Mutex::new(Vec::new()));
    let proxy = tunnelling(
        authority.server("repo.example", 2099, &[]),
        Arc::clone(&inside),
    );
    let options = through(&proxy.url("").replace("http://", "http://user:pass@"));
    for (name, http) in transports_as_they_are(
        &options
            .only_authorities(authority.pem().as_bytes())
            .unwrap(),
    ) {
        assert_eq!(
            http.get("https://repo.example/x").bytes(),
            b"in the tunnel",
            "{name}"
        );
        let asked = proxy.asked().pop().unwrap();
        assert_eq!(asked.target, "repo.example:443", "{name}");
        assert_eq!(
            asked.header("proxy-authorization"),
            Some("Basic dXNlcjpwYXNz"),
            "{name}"
        );
        let head = inside.lock().unwrap().pop().unwrap().to_ascii_lowercase();
        assert!(head.starts_with("get /x http/1.1\r\n"), "{name}: {head}");
        assert!(
            !head.contains("proxy-authorization"),
            "{name}: the origin does not learn it"
        );
    }
}

#[test]
fn a_proxy_that_refuses_a_tunnel_is_no_connection() {
    let proxy = Server::answering(answer(407, "", b""));
    for (name, http) in transports_as_they_are(&through(&proxy.url(""))) {
        assert_eq!(
            http.get("https://repo.example/x").word(),
            "retryable network.connect",
            "{name}"
        );
    }
}

#[test]
fn a_proxy_may_speak_tls_itself() {
    let authority = Authority::new();
    let proxy = super::tls::secure(authority.server("127.0.0.1", 2099, &[]), |_, socket| {
        socket
            .write_all(&answer(200, "", b"by secure proxy"))
            .is_ok()
    });
    let options = through(&proxy.url("").replace("http://", "https://"));
    for (name, http) in transports_as_they_are(
        &options
            .only_authorities(authority.pem().as_bytes())
            .unwrap(),
    ) {
        assert_eq!(
            http.get("http://repo.example/x").bytes(),
            b"by secure proxy",
            "{name}"
        );
        assert_eq!(
            proxy.asked().pop().unwrap().target,
            "http://repo.example/x",
            "{name}"
        );
    }
}

#[test]
fn socks_proxies_resolve_the_name() {
    let names = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&names);
    let wrap = move |mut tcp: TcpStream| {
        let mut bytes = [0; 3];
        tcp.read_exact(&mut bytes).ok()?;
        assert_eq!(bytes, [5, 1, 0], "version 5, one method, no authentication");
        tcp.write_all(&[5, 0]).ok()?;
        let mut bytes = [0; 5];
        tcp.read_exact(&mut bytes).ok()?;
        assert_eq!(bytes[..4], [5, 1, 0, 3], "connect to a name");
        let mut name = vec![0; usize::from(bytes[4]) + 2];
        tcp.read_exact(&mut name).ok()?;
        record
            .lock()
            .unwrap()
            .push(String::from_utf8(name[..name.len() - 2].to_vec()).unwrap());
        tcp.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
        Some(Box::new(tcp) as Box<dyn Socket>)
    };
    let proxy = Server::wrapped(wrap, |_, socket| {
        socket.write_all(&answer(200, "", b"by socks")).is_ok()
    });
    for (name, http) in
        transports_as_they_are(&through(&format!("socks5h://127.0.0.1:{}", proxy.port)))
    {
        assert_eq!(
            http.get("http://repo.example/x").bytes(),
            b"by socks",
            "{name}"
        );
        assert_eq!(
            names.lock().unwrap().pop().as_deref(),
            Some("repo.example"),
            "{name}"
        );
        assert_eq!(proxy.asked().pop().unwrap().target, "/x", "{name}");
    }
}

#[test]
fn hosts_on_the_list_are_reached_directly() {
    let (proxy, origin) = (forwarding(), Server::answering(answer(200, "", b"direct")));
    for list in ["127.0.0.1", "*", "10.0.0.0/8, 127.0.0.0/8"] {
        let options =
            HttpOptions::new().proxy(Proxy::server(&proxy.url("")).unwrap().bypassing(list));
        for (name, http) in transports_as_they_are(&options) {
            assert_eq!(
                http.get(&origin.url("/x")).bytes(),
                b"direct",
                "{name} {list}"
            );
        }
    }
    assert_eq!(proxy.asked(), []);
}

#[test]
fn each_hop_of_a_redirect_takes_its_own_way() {
    let origin = Server::answering(answer(200, "", b"direct"));
    let there = origin.url("/y");
    let proxy = Server::new(move |_: &Asked, socket| {
        socket
            .write_all(&answer(302, &format!("location: {there}\r\n"), b""))
            .is_ok()
    });
    let options = HttpOptions::new().proxy(
        Proxy::server(&proxy.url("").replace("http://", "http://u:p@"))
            .unwrap()
            .bypassing("127.0.0.1"),
    );
    for (name, http) in transports_as_they_are(&options) {
        assert_eq!(
            http.get("http://repo.example/x").bytes(),
            b"direct",
            "{name}"
        );
        assert_eq!(
            origin.asked().pop().unwrap().header("proxy-authorization"),
            None,
            "{name}"
        );
    }
}
