//! A stand-in for Google Cloud Storage: what its XML API says of objects, generations and their preconditions, lists and uploads in
//! parts. None of the servers that package registries have keeps the precondition `x-goog-if-generation-match`, by which one of
//! several publishers comes through.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use tuffet_core::trust::percent_decode;

use super::{Store, ask};

/// What everybody who asks has to bring.
const TOKEN: &str = "a-token";

/// How many objects are listed at a time: few, so that lists have several parts.
const PAGE: usize = 7;

/// Its address.
pub(crate) struct Gcs(String);

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    /// The last generation; every write has a new one.
    last: u64,
}

struct Object {
    bytes: Vec<u8>,
    generation: u64,
    /// How it is served.
    headers: Vec<String>,
}

/// A request for an object, or for the list of them.
struct Asked {
    method: String,
    bucket: String,
    object: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Gcs {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let bucket = Arc::<Mutex<Bucket>>::default();
        // It ends with the test.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (bucket, stream) = (Arc::clone(&bucket), stream.unwrap());
                thread::spawn(move || serve(stream, &bucket));
            }
        });
        Self(address)
    }
}

impl Store for Gcs {
    const SCHEME: &'static str = "gs";

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("GOOGLE_BASE_URL", format!("http://{}", self.0)),
            ("GOOGLE_ALLOW_HTTP", "true".to_owned()),
            ("GOOGLE_BEARER_TOKEN", TOKEN.to_owned()),
        ]
    }

    fn head_of(&self, path: &str) -> String {
        let authorization = format!("authorization: Bearer {TOKEN}");
        ask(&self.0, &format!("HEAD /{path}"), &[&authorization])
    }
}

fn serve(stream: TcpStream, bucket: &Mutex<Bucket>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let asked = read(&mut reader)?;
    let is_head = asked.method == "HEAD";
    let answer = bucket.lock().unwrap().answer(asked);
    let mut head = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", answer.status);
    for header in answer.headers {
        head.push_str(&format!("{header}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", answer.body.len()));
    let mut stream = stream;
    stream.write_all(head.as_bytes()).ok()?;
    if !is_head {
        stream.write_all(&answer.body).ok()?;
    }
    Some(())
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length");
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let decoded = |text: &str| String::from_utf8(percent_decode(text).unwrap()).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), decoded(&value.replace('+', " ")))
    });
    let path = path.strip_prefix('/')?;
    let (bucket, object) = path.split_once('/').unwrap_or((path, ""));
    Some(Asked {
        bucket: bucket.to_owned(),
        method,
        object: decoded(object),
        query: query.collect(),
        headers,
        body,
    })
}

impl Bucket {
    fn answer(&mut self, asked: Asked) -> Answer {
        let credential = asked.headers.get("authorization");
        if credential != Some(&format!("Bearer {TOKEN}")) {
            return answer(401, Vec::new());
        }
        if asked.bucket != "acme" {
            return answer(404, Vec::new());
        }
        let upload = asked.query.get("uploadId").cloned();
        match (asked.method.as_str(), upload) {
            ("GET", _) if asked.object.is_empty() => self.list(&asked.query),
            ("GET" | "HEAD", _) => self.get(&asked.object),
            ("POST", None) => {
                self.last += 1;
                let id = self.last.to_string();
                self.uploads.insert(id.clone(), BTreeMap::new());
                xml(
                    "InitiateMultipartUploadResult",
                    &format!("<UploadId>{id}</UploadId>"),
                )
            }
            ("PUT", Some(id)) => {
                let part = asked.query["partNumber"].parse().unwrap();
                self.uploads.get_mut(&id).unwrap().insert(part, asked.body);
                answer(200, vec![format!("etag: \"{part}\"")])
            }
            ("POST", Some(id)) => {
                let parts = self.uploads.remove(&id).unwrap();
                let bytes = parts.into_values().flatten().collect();
                self.put(asked.object, bytes, &asked.headers);
                xml("CompleteMultipartUploadResult", "<ETag>\"all\"</ETag>")
            }
            ("DELETE", Some(id)) => {
                self.uploads.remove(&id);
                answer(204, Vec::new())
            }
            ("PUT", None) => {
                let there = self.objects.get(&asked.object);
                let there = there.map_or(0, |object| object.generation);
                let wanted = asked.headers.get("x-goog-if-generation-match");
                if wanted.is_some_and(|wanted| *wanted != there.to_string()) {
                    return answer(412, Vec::new());
                }
                let headers = self.put(asked.object, asked.body, &asked.headers);
                answer(200, headers)
            }
            ("DELETE", None) => match self.objects.remove(&asked.object) {
                Some(_) => answer(204, Vec::new()),
                None => answer(404, Vec::new()),
            },
            (other, _) => panic!("{other}"),
        }
    }

    fn put(
        &mut self,
        name: String,
        bytes: Vec<u8>,
        headers: &BTreeMap<String, String>,
    ) -> Vec<String> {
        self.last += 1;
        let kept = ["content-type", "cache-control"].into_iter();
        let kept = kept.filter_map(|name| Some(format!("{name}: {}", headers.get(name)?)));
        let object = Object {
            bytes,
            generation: self.last,
            headers: kept.collect(),
        };
        let identity = object.identity();
        self.objects.insert(name, object);
        identity
    }

    fn get(&self, name: &str) -> Answer {
        let Some(object) = self.objects.get(name) else {
            return answer(404, Vec::new());
        };
        let modified = "last-modified: Thu, 01 Jan 2026 00:00:00 GMT".to_owned();
        let headers = [object.identity(), object.headers.clone(), vec![modified]].concat();
        Answer {
            body: object.bytes.clone(),
            ..answer(200, headers)
        }
    }

    fn list(&self, query: &BTreeMap<String, String>) -> Answer {
        let prefix = query.get("prefix").map_or("", String::as_str);
        let after = query.get("continuation-token").map_or("", String::as_str);
        let all = self.objects.iter();
        let mut all = all.filter(|(name, _)| name.starts_with(prefix) && name.as_str() > after);
        let (mut text, mut last) = (String::new(), None);
        for (name, object) in all.by_ref().take(PAGE) {
            let (size, generation) = (object.bytes.len(), object.generation);
            text.push_str(&format!(
                "<Contents><Key>{name}</Key><Size>{size}</Size><Generation>{generation}</Generation>\
                 <LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"{generation}\"</ETag></Contents>"
            ));
            last = Some(name);
        }
        if let (Some(last), Some(_)) = (last, all.next()) {
            text.push_str(&format!(
                "<NextContinuationToken>{last}</NextContinuationToken>"
            ));
        }
        xml("ListBucketResult", &text)
    }
}

impl Object {
    fn identity(&self) -> Vec<String> {
        let generation = self.generation;
        vec![
            format!("etag: \"{generation}\""),
            format!("x-goog-generation: {generation}"),
        ]
    }
}

fn answer(status: u16, headers: Vec<String>) -> Answer {
    Answer {
        status,
        headers,
        body: Vec::new(),
    }
}

fn xml(name: &str, content: &str) -> Answer {
    let text = format!("<?xml version='1.0' encoding='UTF-8'?><{name}>{content}</{name}>");
    Answer {
        body: text.into_bytes(),
        ..answer(200, vec!["content-type: application/xml".to_owned()])
    }
}
