//! A real server that speaks the protocol of S3: moto, installed by `cargo xtask test`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tuffet_repo::Destination;

pub(crate) struct S3 {
    child: Child,
    address: String,
    places: AtomicUsize,
}

impl S3 {
    /// Starts it on a port of its own; without it the test is skipped, and says so.
    pub(crate) fn start() -> Option<Self> {
        let Some(peers) = std::env::var_os("TUFFET_PEERS").map(PathBuf::from) else {
            println!("skipped: TUFFET_PEERS does not say where an S3 server is");
            return None;
        };
        let python = peers.join("moto/bin/python");
        if !python.exists() {
            println!("skipped: no {}", python.display());
            return None;
        }
        let mut child = Command::new(python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut talk = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            let length = talk.read_line(&mut line).unwrap();
            assert!(length > 0, "the server ended: {said}");
            said.push_str(&line);
            if let Some((_, address)) = line.split_once("Running on http://") {
                break address.trim().to_owned();
            }
        };
        // It stops when nobody reads what it says.
        std::thread::spawn(move || std::io::copy(&mut talk, &mut std::io::sink()));
        let server = Self {
            child,
            address,
            places: AtomicUsize::new(0),
        };
        let made = server.ask("PUT /acme");
        assert!(made.starts_with("HTTP/1.1 200"), "{made}");
        Some(server)
    }

    /// How it is reached, as the environment says it.
    pub(crate) fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ]
    }

    /// A new place in the bucket.
    pub(crate) fn place(&self) -> Destination {
        let number = self.places.fetch_add(1, Ordering::Relaxed);
        let place = format!("s3://acme/place {number}").parse();
        let Ok(Destination::Bucket(bucket)) = place else {
            panic!("{place:?}")
        };
        let settings = self.settings().into_iter();
        let bucket = settings.fold(bucket, |bucket, (name, value)| {
            bucket.with_setting(name, &value)
        });
        Destination::Bucket(bucket)
    }

    /// What the server says of an object, in lower case.
    pub(crate) fn head(&self, place: &Destination, name: &str) -> String {
        let path = place.to_string().replace("s3:/", "").replace(' ', "%20");
        self.ask(&format!("HEAD {path}/{name}"))
            .to_ascii_lowercase()
    }

    fn ask(&self, line: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        // Some credential has to be there; it is not looked at.
        let head = [
            &format!("{line} HTTP/1.1"),
            &format!("host: {}", self.address),
            "authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request",
            "content-length: 0",
            "connection: close",
            "\r\n",
        ]
        .join("\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
