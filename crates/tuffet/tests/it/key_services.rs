//! Keys in key management services, as far as the command line adds something to them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use crate::home::{Home, TUFFET};

#[test]
fn a_key_service_is_asked_where_the_environment_says_and_its_no_is_passed_on() {
    let home = Home::new();
    let run = home.fails(10, "key.kms.settings", &["key", "test", "vault:root/1"]);
    assert!(run.err.contains("VAULT_ADDR"), "{run:?}");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let service = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let body = r#"{"errors":["permission denied"]}"#;
        let length = body.len();
        write!(
            socket,
            "HTTP/1.1 403 Forbidden\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        String::from_utf8(head).unwrap()
    });
    let output = home
        .program(TUFFET)
        .env("VAULT_ADDR", address)
        .env("VAULT_TOKEN", "s.271828")
        .args(["key", "test", "vault:root/1"])
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(10), "{err}");
    assert!(
        err.contains("Vault denies access: permission denied"),
        "{err}"
    );
    assert!(!err.contains("271828"), "{err}");
    let asked = service.join().unwrap();
    assert!(
        asked.starts_with("GET /v1/transit/keys/root HTTP/1.1"),
        "{asked}"
    );
    assert!(asked.contains("s.271828"), "{asked}");
}
