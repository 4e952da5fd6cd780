//! The attacker's server.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tuffet_core::trust::percent_decode;
use tuffet_testkit::lab::{Body, Site};

/// The most that is sent of a body without an end, to a client that listens to all of it.
pub(super) const ENDLESS: u64 = 64 << 20;

/// How long a client may leave a body unread.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves one site after the other on the loopback interface, until the process ends.
pub(super) struct Server {
    /// Where it is, without a slash at the end.
    pub(super) url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    site: Mutex<Site>,
    /// The longest body that a client has listened to.
    longest: AtomicU64,
}

impl Server {
    pub(super) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                // A client that goes away has heard enough.
                thread::spawn(move || drop(answer(stream, &shared)));
            }
        });
        Ok(Self { url, shared })
    }

    /// Serves this from now on.
    pub(super) fn set(&self, site: Site) {
        *self
            .shared
            .site
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = site;
        self.shared.longest.store(0, Ordering::Relaxed);
    }

    /// How much of one body a client has listened to at most.
    pub(super) fn longest(&self) -> u64 {
        self.shared.longest.load(Ordering::Relaxed)
    }
}

fn answer(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 0 && !header.trim().is_empty() {
        header.clear();
    }
    let target = request.split(' ').nth(1).unwrap_or_default();
    let site = shared.site.lock().unwrap_or_else(PoisonError::into_inner);
    let body = find(&site, target);
    drop(site);
    match body {
        None => stream
            .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        Some(Body::Endless { head, declared }) => endless(&mut stream, &head, declared, shared),
        Some(Body::Bytes(bytes)) => {
            head_of(&mut stream, Some(bytes.len() as u64))?;
            stream.write_all(&bytes)
        }
        // What only a newer laboratory knows cannot be served.
        Some(_) => Ok(()),
    }
}

fn head_of(stream: &mut TcpStream, length: Option<u64>) -> io::Result<()> {
    let length = length.map_or_else(String::new, |length| {
        format!("content-length: {length}\r\n")
    });
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n{length}connection: close\r\n\r\n"
    )
}

fn endless(
    stream: &mut TcpStream,
    head: &[u8],
    declared: Option<u64>,
    shared: &Shared,
) -> io::Result<()> {
    head_of(stream, declared)?;
    stream.write_all(head)?;
    let piece = [b' '; 1 << 14];
    let mut sent = 0;
    while sent < ENDLESS {
        stream.write_all(&piece)?;
        sent += piece.len() as u64;
        shared.longest.fetch_max(sent, Ordering::Relaxed);
    }
    Ok(())
}

/// The attacker answers to every way in which a client may ask for a name.
fn find(site: &Site, target: &str) -> Option<Body> {
    let path = target.split('?').next()?;
    let decoded = percent_decode(path).and_then(|bytes| String::from_utf8(bytes).ok());
    let files = if path.starts_with("/metadata/") {
        [&site.metadata, &site.targets]
    } else {
        [&site.targets, &site.metadata]
    };
    let exact = |path: &str| {
        let name = path
            .strip_prefix("/metadata/")
            .or_else(|| path.strip_prefix("/targets/"))?;
        files.iter().find_map(|files| files.get(name)).cloned()
    };
    exact(path)
        .or_else(|| exact(decoded.as_deref()?))
        .or_else(|| {
            // Names that lead upwards may have been resolved.
            let last = |name: &str| name.rsplit('/').next().map(str::to_owned);
            let wanted = last(decoded.as_deref()?)?;
            let traverses = |name: &str| name.contains("..") || name.starts_with('/');
            let mut all = files.iter().flat_map(|files| files.iter());
            all.find(|(name, _)| traverses(name) && last(name).as_ref() == Some(&wanted))
                .map(|(_, body)| body.clone())
        })
}
