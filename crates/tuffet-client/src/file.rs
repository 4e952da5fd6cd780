//! Repositories in local directories, through `file:` URLs.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use tuffet_core::trust::percent_decode;

use crate::source::without_secrets;
use crate::transport::{Body, Outcome, Request, Transport, TransportError, TransportErrorKind};

/// Reads `file:` URLs.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileTransport;

impl FileTransport {
    /// Reads `file:` URLs.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Transport for FileTransport {
    fn fetch(&self, request: &Request) -> Outcome<Box<dyn Read + Send>> {
        let failed = |kind, detail: String| {
            Outcome::Fatal(TransportError {
                url: without_secrets(&request.url),
                kind,
                detail,
                retry_after: None,
            })
        };
        let Some(path) = path_of_url(&request.url) else {
            return failed(TransportErrorKind::Url, String::new());
        };
        match open(&path, request) {
            Ok(body) => Outcome::Found(body),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::IsADirectory
                | io::ErrorKind::InvalidFilename => Outcome::Absent,
                _ => failed(TransportErrorKind::File, error.to_string()),
            },
        }
    }
}

#[cfg(feature = "async")]
impl crate::transport::AsyncTransport for FileTransport {
    fn fetch<'a>(
        &'a self,
        request: &'a Request,
    ) -> crate::transport::BoxFuture<'a, Outcome<Box<dyn crate::transport::Chunks>>> {
        crate::asynchronous::fetch_blocking(*self, request)
    }
}

fn open(path: &Path, request: &Request) -> io::Result<Body<Box<dyn Read + Send>>> {
    let found = fs::metadata(path)?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        // Opening a pipe would wait for a writer.
        return Err(io::Error::other("not a regular file"));
    }
    let mut file = File::open(path)?;
    let found = file.metadata()?;
    let modified = found.modified()?.duration_since(UNIX_EPOCH);
    let validator = format!(
        "{}-{}",
        found.len(),
        modified.map_or(0, |since| since.as_nanos())
    );
    let offset = match &request.resume {
        Some(resume) if resume.validator == validator && resume.offset <= found.len() => {
            file.seek(SeekFrom::Start(resume.offset))?
        }
        _ => 0,
    };
    Ok(Body {
        stream: Box::new(file),
        offset,
        length: found.len().checked_sub(offset),
        validator: Some(validator),
    })
}

/// The file that a URL names. Encoded slashes separate directories, as they do for most servers; what they separate must not
/// lead elsewhere.
fn path_of_url(url: &str) -> Option<PathBuf> {
    let place = url.strip_prefix("file:")?;
    let place = place.split_once('?').map_or(place, |(place, _)| place);
    let place = match place.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => place,
    };
    if !place.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::with_capacity(place.len());
    for (index, segment) in place.split('/').enumerate() {
        if index > 0 {
            bytes.push(b'/');
        }
        let decoded = percent_decode(segment)?;
        if decoded.contains(&0) || (decoded.contains(&b'/') && leads_elsewhere(&decoded)) {
            return None;
        }
        bytes.extend_from_slice(&decoded);
    }
    path_of_bytes(bytes)
}

fn leads_elsewhere(segment: &[u8]) -> bool {
    segment
        .split(|&byte| byte == b'/')
        .any(|part| matches!(part, b"" | b"." | b".."))
}

/// The URL of a directory; `None` if it cannot be made absolute.
pub(crate) fn url_of_path(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    let mut url = String::from("file://");
    for byte in bytes_of_path(&path)? {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(url)
}

#[cfg(unix)]
fn path_of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(std::ffi::OsString::from_vec(bytes).into())
}

/// `/C:/x` is `C:/x`; what could be a separator, a stream or another drive is refused.
#[cfg(not(unix))]
fn path_of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    let text = String::from_utf8(bytes).ok()?;
    let place = text.trim_start_matches('/');
    let rest = place.get(2..)?;
    let drive =
        place.get(1..2) == Some(":") && place.starts_with(|c: char| c.is_ascii_alphabetic());
    (drive && !rest.contains([':', '\\'])).then(|| PathBuf::from(place))
}

#[cfg(unix)]
fn bytes_of_path(path: &Path) -> Option<Vec<u8>> {
    Some(path.as_os_str().as_encoded_bytes().to_vec())
}

#[cfg(not(unix))]
fn bytes_of_path(path: &Path) -> Option<Vec<u8>> {
    Some(format!("/{}", path.to_str()?.replace('\\', "/")).into_bytes())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn urls_name_the_files_that_their_decoded_paths_say() {
        let table = [
            ("file:///srv/m/root.json", Some("/srv/m/root.json")),
            ("file:/srv/m/root.json", Some("/srv/m/root.json")),
            ("file://localhost/srv/x", Some("/srv/x")),
            ("file:///srv/a%20b/c%25", Some("/srv/a b/c%")),
            ("file:///srv/m/%3F.json", Some("/srv/m/?.json")),
            ("file:///srv/m/1...%2Fx.json", Some("/srv/m/1.../x.json")),
            ("file:///srv/m/..%2Fx.json", None),
            ("file:///srv/m/a%2F..%2Fx.json", None),
            ("file:///srv/m/%2Fetc%2Fx.json", None),
            ("file:///srv/m/%00", None),
            ("file:///srv/%zz", None),
            ("file:///srv/%4", None),
            ("file://host/srv/x", None),
            ("file:relative", None),
            ("https://host/x", None),
        ];
        for (url, expected) in table {
            assert_eq!(path_of_url(url), expected.map(PathBuf::from), "{url}");
        }
    }

    #[test]
    fn a_path_and_its_url_are_the_same_place() {
        for path in ["/srv/a b", "/srv/ü%#?", "/"] {
            let url = url_of_path(Path::new(path)).unwrap();
            assert_eq!(path_of_url(&url), Some(PathBuf::from(path)), "{url}");
        }
    }
}
