//! HTTP against real sockets on loopback.

mod server;

use std::io::Read;

use tuffet_client::http::{BlockingHttp, HttpOptions, Proxy};
use tuffet_client::transport::{Outcome, Request, Transport};

use self::server::{Server, answer};

#[test]
fn smoke() {
    let server = Server::answering(answer(200, "", b"hello"));
    let http = BlockingHttp::new(HttpOptions::new().proxy(Proxy::direct())).unwrap();
    for _ in 0..2 {
        let Outcome::Found(mut body) = http.fetch(&Request::new(server.url("/x"))) else {
            panic!()
        };
        let mut text = String::new();
        body.stream.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }
    println!("{:?}", server.asked());
    assert_eq!(server.asked()[1].connection, 0);
}
