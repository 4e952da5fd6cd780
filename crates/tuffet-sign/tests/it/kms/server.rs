//! An HTTP server on loopback that answers from a function and remembers what it was asked.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

/// What a connection is, after TLS if there is any.
trait Socket: Read + Write {}
impl<S: Read + Write> Socket for S {}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A field of a form, or of the query.
    pub(crate) fn field(&self, name: &str) -> String {
        let body = String::from_utf8_lossy(&self.body).into_owned();
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = body.split('&').chain(query.split('&'));
        let found = pairs
            .filter_map(|pair| pair.split_once('='))
            .find(|(known, _)| *known == name);
        found.map_or(String::new(), |(_, value)| decoded(value))
    }

    fn read(socket: &mut dyn Socket) -> Option<Self> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if socket.read(&mut byte).ok()? == 0 {
                return None;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).ok()?;
        let mut lines = head.lines();
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut asked = Self {
            method,
            target,
            headers,
            body: Vec::new(),
        };
        let length = asked.header("content-length").parse().unwrap_or(0);
        asked.body = vec![0; length];
        socket.read_exact(&mut asked.body).ok()?;
        Some(asked)
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let digits = std::str::from_utf8(&rest[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &rest[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// What a server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Json(u16, Value),
    Text(u16, String),
    /// Status, one header, body.
    With(u16, &'static str, String),
    /// JSON of which the second half is missing, with the length of all of it or of what is there.
    Half(Value),
    /// A body that does not end.
    Endless,
    /// Nothing; the connection is closed.
    Nothing,
    /// Nothing; the connection is kept.
    Never,
}

impl Reply {
    pub(crate) fn ok(value: Value) -> Self {
        Self::Json(200, value)
    }

    fn send(self, socket: &mut dyn Socket) -> std::io::Result<()> {
        let (status, header, body) = match self {
            Self::Json(status, value) => (status, "", value.to_string()),
            Self::Text(status, text) => (status, "", text),
            Self::With(status, header, text) => (status, header, text),
            Self::Half(value) => {
                let text = value.to_string();
                let half = text.len() / 2;
                (200, "", text[..half].to_owned())
            }
            Self::Nothing | Self::Never => return Ok(()),
            Self::Endless => {
                socket.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
                // Until nobody reads any more.
                loop {
                    socket.write_all(b"1000\r\n")?;
                    socket.write_all(&[b' '; 0x1000])?;
                    socket.write_all(b"\r\n")?;
                }
            }
        };
        let length = body.len();
        let header = if header.is_empty() {
            String::new()
        } else {
            format!("{header}\r\n")
        };
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{header}\r\n");
        socket.write_all((head + &body).as_bytes())?;
        socket.flush()
    }
}

pub(crate) struct Server {
    scheme: &'static str,
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Serves until the process ends. Connections are kept, so that keeping them is tested, too.
    pub(crate) fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::listening("http", None, answer)
    }

    /// The same behind TLS.
    pub(crate) fn encrypted(
        config: Arc<ServerConfig>,
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listening("https", Some(config), answer)
    }

    fn listening(
        scheme: &'static str,
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                let tls = tls.clone();
                thread::spawn(move || match tls {
                    None => serve(&mut { socket }, &log, answer.as_ref()),
                    Some(config) => {
                        let connection = ServerConnection::new(config).unwrap();
                        let mut stream = StreamOwned::new(connection, socket);
                        serve(&mut stream, &log, answer.as_ref());
                    }
                });
            }
        });
        Self {
            scheme,
            port,
            asked,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn serve(socket: &mut dyn Socket, log: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Reply) {
    while let Some(asked) = Asked::read(socket) {
        log.lock().unwrap().push(asked.clone());
        let reply = answer(&asked);
        let last = matches!(reply, Reply::Nothing);
        if reply.send(socket).is_err() || last {
            return;
        }
    }
}
