//! Receiving a metadata file: memory grows with the bytes that arrive, never with what is claimed.

use std::io::{self, Read};

use tuffet_core::trust::Fetch;

use crate::Error;
use crate::source::without_secrets;
use crate::transport::{TransportError, TransportErrorKind};

/// How many bytes are read before progress is reported.
const PIECE: u64 = 256 * 1024;
/// Up to here the buffer doubles; beyond, it grows by a quarter, so that a large file does not need twice its size.
const DOUBLING: usize = 1024 * 1024;

/// Reads a stream up to one byte beyond the limit. The outer error ends the operation, the inner one is the stream's.
pub(super) fn receive(
    mut stream: impl Read,
    url: &str,
    fetch: &Fetch,
    mut progress: impl FnMut(u64) -> Result<(), Error>,
) -> Result<Result<Vec<u8>, TransportError>, Error> {
    let mut bytes = Vec::new();
    loop {
        let left = fetch.limit.saturating_sub(bytes.len() as u64);
        if left == 0 {
            break;
        }
        reserve(&mut bytes, left);
        let room = bytes.capacity().saturating_sub(bytes.len()) as u64;
        let piece = left.min(PIECE).min(room);
        let before = bytes.len();
        if let Err(error) = stream.by_ref().take(piece).read_to_end(&mut bytes) {
            return Ok(Err(stream_error(&error, url)));
        }
        progress(bytes.len() as u64)?;
        if (bytes.len().saturating_sub(before) as u64) < piece {
            return Ok(Ok(bytes));
        }
    }
    // One byte more proves that there are too many; the core refuses them.
    let mut more = [0_u8; 1];
    loop {
        match stream.read(&mut more) {
            Ok(0) => return Ok(Ok(bytes)),
            Ok(_) => {
                bytes.reserve_exact(1);
                bytes.extend_from_slice(&more);
                return Ok(Ok(bytes));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(stream_error(&error, url))),
        }
    }
}

/// Makes room for more bytes, for no more than `left`.
fn reserve(bytes: &mut Vec<u8>, left: u64) {
    if bytes.len() < bytes.capacity() {
        return;
    }
    let length = bytes.len();
    let step = if length < DOUBLING {
        length.max(16 * 1024)
    } else {
        length >> 2
    };
    let left = usize::try_from(left).unwrap_or(usize::MAX);
    bytes.reserve_exact(step.min(left));
}

/// Why a stream broke: what the transport says, or what the operating system says.
pub(crate) fn stream_error(error: &io::Error, url: &str) -> TransportError {
    let told = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<TransportError>());
    told.cloned().unwrap_or_else(|| TransportError {
        url: without_secrets(url),
        kind: TransportErrorKind::Interrupted,
        detail: error.to_string(),
        retry_after: None,
    })
}

#[cfg(test)]
mod tests {
    use tuffet_core::metadata::RoleName;
    use tuffet_core::trust::RemoteFile;

    use super::*;

    fn fetch(limit: u64) -> Fetch {
        let file = RemoteFile {
            role: RoleName::Root,
            version: None,
        };
        Fetch {
            file,
            limit,
            length: None,
        }
    }

    fn read(stream: impl Read, limit: u64) -> Result<Vec<u8>, TransportError> {
        receive(stream, "memory:x", &fetch(limit), |_| Ok(())).unwrap()
    }

    #[test]
    fn c20_an_endless_stream_ends_one_byte_beyond_the_limit() {
        for limit in [0, 1, 7, 16 * 1024, 3 * 1024 * 1024 + 1] {
            let received = read(io::repeat(b'x'), limit).unwrap();
            assert_eq!(received.len() as u64, limit + 1);
            assert!(received.capacity() as u64 <= limit + 1);
        }
    }

    #[test]
    fn a_stream_that_ends_is_read_to_its_end() {
        for length in [0_usize, 1, 16 * 1024, 16 * 1024 + 1, 2_000_000] {
            let received = read(io::repeat(b'x').take(length as u64), 5_000_000).unwrap();
            assert_eq!(received.len(), length);
            assert!(received.capacity() <= (length * 2).max(16 * 1024));
        }
    }

    #[test]
    fn a_large_limit_alone_takes_no_memory() {
        let received = read(io::repeat(b'x').take(3), u64::MAX).unwrap();
        assert!(received.capacity() <= 16 * 1024);
    }

    #[test]
    fn a_broken_stream_says_what_the_transport_says() {
        let told = TransportError {
            url: "memory:x".into(),
            kind: TransportErrorKind::Idle,
            detail: String::new(),
            retry_after: None,
        };
        let error = io::Error::other(told.clone());
        assert_eq!(stream_error(&error, "memory:x"), told);
        let error = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(
            stream_error(&error, "memory:x").kind,
            TransportErrorKind::Interrupted
        );
    }
}
