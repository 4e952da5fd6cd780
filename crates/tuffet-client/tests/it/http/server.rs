//! A scripted HTTP server on loopback: one script per connection, and a record of what was asked.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a connection is, after TLS if there is any.
pub(crate) trait Socket: Read + Write + Send {}
impl<S: Read + Write + Send> Socket for S {}

/// The head of a request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Which connection, counted from 0.
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn read(connection: usize, socket: &mut dyn Socket) -> Option<Self> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match socket.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                Err(error) if moment_passed(&error) => {}
                _ => return None,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let mut first = lines.next().unwrap().split(' ');
        let (method, target) = (
            first.next().unwrap().to_owned(),
            first.next().unwrap().to_owned(),
        );
        let header = |line: &str| {
            line.split_once(':')
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Some(Self {
            connection,
            method,
            target,
            headers: lines.filter_map(header).collect(),
        })
    }
}

/// What a server does with a request. Returning false closes the connection.
pub(crate) type Script = dyn Fn(&Asked, &mut dyn Socket) -> bool + Send + Sync;

pub(crate) struct Server {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) fn new(
        script: impl Fn(&Asked, &mut dyn Socket) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::wrapped(|tcp| Some(Box::new(tcp)), script)
    }

    /// Answers every request with the same bytes and keeps the connection.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |_, socket| socket.write_all(&answer).is_ok())
    }

    /// Answers every request with the same bytes and closes the connection.
    pub(crate) fn closing(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |_, socket| socket.write_all(&answer).is_err())
    }

    /// A server whose connections are wrapped, in TLS for example.
    pub(crate) fn wrapped(
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Socket>> + Send + Sync + 'static,
        script: impl Fn(&Asked, &mut dyn Socket) -> bool + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&asked);
        let (wrap, script): (_, Arc<Script>) = (Arc::new(wrap), Arc::new(script));
        thread::spawn(move || {
            for (connection, tcp) in listener.incoming().enumerate() {
                let (record, wrap, script) =
                    (Arc::clone(&record), Arc::clone(&wrap), Arc::clone(&script));
                thread::spawn(move || {
                    let Some(mut socket) = wrap(tcp.unwrap()) else {
                        return;
                    };
                    while let Some(asked) = Asked::read(connection, socket.as_mut()) {
                        record.lock().unwrap().push(asked.clone());
                        if !script(&asked, socket.as_mut()) {
                            break;
                        }
                    }
                });
            }
        });
        Self { port, asked }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Whether a read ended because nothing came for the socket's read timeout.
pub(crate) fn moment_passed(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// An answer with a length.
pub(crate) fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 {status} Whatever\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}
