//! Object stores on this machine: programs of others, and a stand-in.

// Tests of the program use this file, too, and find the others only by their paths.
#[path = "stores/azure.rs"]
mod azure;
#[path = "stores/emulator.rs"]
mod emulator;
#[path = "stores/gcs.rs"]
mod gcs;
#[path = "stores/s3.rs"]
mod s3;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use tuffet_repo::Destination;

pub(crate) use azure::Azure;
pub(crate) use gcs::Gcs;
pub(crate) use s3::S3;

/// A store that has the bucket `acme`.
pub(crate) trait Store {
    /// What names of places begin with.
    const SCHEME: &'static str;

    /// How it is reached, as the environment says it.
    fn settings(&self) -> Vec<(&'static str, String)>;

    /// What the server says of an object, in lower case. The path begins with the bucket.
    fn head_of(&self, path: &str) -> String;

    /// A new place in the bucket.
    fn place(&self) -> Destination {
        static PLACES: AtomicUsize = AtomicUsize::new(0);
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let place = format!("{}://acme/place {number}", Self::SCHEME).parse();
        let Ok(Destination::Bucket(bucket)) = place else {
            panic!("{place:?}")
        };
        let settings = self.settings().into_iter();
        Destination::Bucket(settings.fold(bucket, |bucket, (name, value)| {
            bucket.with_setting(name, &value)
        }))
    }

    /// What the server says of an object of a place, in lower case.
    fn head(&self, place: &Destination, name: &str) -> String {
        let place = place.to_string();
        let (_, path) = place.split_once("://").unwrap();
        let path = path.replace(' ', "%20");
        self.head_of(&format!("{path}/{name}")).to_ascii_lowercase()
    }
}

/// Sends a request without a body, and returns the whole answer.
fn ask(address: &str, line: &str, headers: &[&str]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut head = format!("{line} HTTP/1.1\r\nhost: {address}\r\n");
    for header in headers {
        head.push_str(&format!("{header}\r\n"));
    }
    head.push_str("content-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
