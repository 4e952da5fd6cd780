//! A server for the hosts: the module, the scripts, the cases, and a place to send a trace to.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tuffet_core::trust::percent_decode;

use crate::collection::{Case, described};

pub(crate) struct Server {
    /// Its address, with a slash at the end.
    pub(crate) origin: String,
    /// What was sent to `/trace`.
    pub(crate) traces: Receiver<String>,
}

struct Content {
    module: PathBuf,
    cases: Vec<u8>,
    folders: Vec<(String, PathBuf)>,
}

impl Server {
    /// Serves until the process ends.
    pub(crate) fn start(module: &Path, cases: &[Case]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}/", listener.local_addr().unwrap());
        let (sender, traces) = channel();
        let content = Arc::new(Content {
            module: module.to_path_buf(),
            cases: described(cases).to_compact_json(),
            folders: cases
                .iter()
                .map(|case| (case.name.clone(), case.folder.clone()))
                .collect(),
        });
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (content, sender) = (Arc::clone(&content), sender.clone());
                // A host that goes away in the middle is seen by what it did not send.
                thread::spawn(move || drop(serve(stream, &content, &sender)));
            }
        });
        Self { origin, traces }
    }
}

fn serve(stream: TcpStream, content: &Content, traces: &Sender<String>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let answer = if method == "POST" {
        // The test may be over already.
        let _ = traces.send(String::from_utf8_lossy(&body).into_owned());
        Some(Vec::new())
    } else {
        content.get(target.trim_start_matches('/'))
    };
    let kind = match target.rsplit('.').next() {
        Some("mjs") => "text/javascript",
        Some("html") => "text/html",
        _ => "application/octet-stream",
    };
    let (status, body) = answer.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    let mut stream = stream;
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )?;
    stream.write_all(&body)
}

impl Content {
    fn get(&self, target: &str) -> Option<Vec<u8>> {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        match target {
            "tuffet_wasm.wasm" => fs::read(&self.module).ok(),
            "cases.json" => Some(self.cases.clone()),
            _ => match target.strip_prefix("data/") {
                Some(path) => self.data(path),
                None => fs::read(crate_folder.join(target)).ok(),
            },
        }
    }

    fn data(&self, path: &str) -> Option<Vec<u8>> {
        let (name, path) = path.split_once('/')?;
        let (_, folder) = self.folders.iter().find(|(found, _)| found == name)?;
        let path = String::from_utf8(percent_decode(path)?).ok()?;
        fs::read(folder.join(path)).ok()
    }
}
