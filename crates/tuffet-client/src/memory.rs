//! A repository in memory, that can be told to misbehave.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::source::without_secrets;
use crate::transport::{Body, Outcome, Request, Transport, TransportError, TransportErrorKind};

/// Serves bytes from memory. Clones share the content.
///
/// For tests, of programs that embed this client too: faults are put in for the next requests of a URL, and every request is
/// written down.
#[derive(Clone, Default)]
pub struct MemoryTransport(Arc<Mutex<State>>);

impl fmt::Debug for MemoryTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTransport")
            .field("files", &self.state().files.len())
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Arc<[u8]>>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    requests: Vec<Request>,
}

/// A way to fail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No answer; trying again may help. With the seconds that the server asks to wait.
    Retryable(TransportErrorKind, Option<u64>),
    /// No answer; trying again will not help.
    Fatal(TransportErrorKind),
    /// There is no such file.
    Absent,
    /// The stream breaks after so many bytes.
    Interrupted(u64),
    /// The stream is given up after so many bytes, for this reason.
    Stalled(u64, TransportErrorKind),
    /// The file is followed by other bytes that never end.
    Endless,
    /// Other bytes are served.
    Other(Vec<u8>),
    /// A request to resume is answered with the whole, and what identifies the bytes is not told.
    NoResume,
    /// A request to resume is answered with the whole, which is identified as before and breaks after so many bytes.
    Restarted(u64),
    /// A request to resume is answered from another place than was asked for.
    WrongOffset,
}

impl MemoryTransport {
    /// Has no files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves bytes under a URL from now on.
    pub fn put(&self, url: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.state().files.insert(url.into(), bytes.into().into());
    }

    /// Serves nothing under a URL from now on.
    pub fn remove(&self, url: &str) {
        self.state().files.remove(url);
    }

    /// Answers the next request of a URL with a fault; several are used up one after the other.
    pub fn fail(&self, url: impl Into<String>, fault: Fault) {
        self.state()
            .faults
            .entry(url.into())
            .or_default()
            .push_back(fault);
    }

    /// The requests since the last call.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state().requests)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Outcome<Stream> {
        let mut state = self.state();
        state.requests.push(request.clone());
        let fault = state
            .faults
            .get_mut(&request.url)
            .and_then(VecDeque::pop_front);
        let failed = |kind, retry_after| TransportError {
            url: without_secrets(&request.url),
            kind,
            detail: String::new(),
            retry_after,
        };
        match &fault {
            Some(Fault::Retryable(kind, after)) => {
                return Outcome::Retryable(failed(*kind, *after));
            }
            Some(Fault::Fatal(kind)) => return Outcome::Fatal(failed(*kind, None)),
            Some(Fault::Absent) => return Outcome::Absent,
            _ => {}
        }
        let bytes: Arc<[u8]> = match &fault {
            Some(Fault::Other(bytes)) => bytes.clone().into(),
            _ => match state.files.get(&request.url) {
                Some(bytes) => Arc::clone(bytes),
                None => return Outcome::Absent,
            },
        };
        let validator = format!("\"{}\"", bytes.len());
        let length = bytes.len() as u64;
        let offset = match &request.resume {
            Some(resume) if fault == Some(Fault::WrongOffset) => resume.offset.saturating_add(1),
            Some(_) if matches!(fault, Some(Fault::NoResume | Fault::Restarted(_))) => 0,
            Some(resume) if resume.validator == validator && resume.offset <= length => {
                resume.offset
            }
            _ => 0,
        };
        let ending = match fault {
            Some(Fault::Stalled(after, kind)) => Ending::Broken {
                after,
                error: failed(kind, None),
            },
            Some(Fault::Interrupted(after) | Fault::Restarted(after)) => Ending::Broken {
                after,
                error: failed(TransportErrorKind::Interrupted, None),
            },
            Some(Fault::Endless) => Ending::Never,
            _ => Ending::Proper,
        };
        Outcome::Found(Body {
            stream: Stream {
                bytes,
                next: usize::try_from(offset).unwrap_or(usize::MAX),
                sent: 0,
                ending,
            },
            offset,
            length: length.checked_sub(offset),
            validator: (fault != Some(Fault::NoResume)).then_some(validator),
        })
    }
}

#[derive(Debug)]
struct Stream {
    bytes: Arc<[u8]>,
    next: usize,
    sent: u64,
    ending: Ending,
}

#[derive(Debug)]
enum Ending {
    Proper,
    Never,
    Broken { after: u64, error: TransportError },
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = match &self.ending {
            Ending::Broken { after, error } if self.sent >= *after => {
                return Err(io::Error::other(error.clone()));
            }
            Ending::Broken { after, .. } => after.saturating_sub(self.sent),
            Ending::Proper | Ending::Never => u64::MAX,
        };
        let room = usize::try_from(room)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let buffer = buffer.get_mut(..room).unwrap_or_default();
        let mut rest = self.bytes.get(self.next..).unwrap_or_default();
        let mut read = rest.read(buffer)?;
        if read == 0 && matches!(self.ending, Ending::Never) {
            buffer.fill(b'x');
            read = buffer.len();
        }
        self.next = self.next.saturating_add(read);
        self.sent = self.sent.saturating_add(read as u64);
        Ok(read)
    }
}

impl Transport for MemoryTransport {
    fn fetch(&self, request: &Request) -> Outcome<Box<dyn Read + Send>> {
        self.answer(request).map(|stream| Box::new(stream) as _)
    }
}

#[cfg(feature = "async")]
impl crate::transport::AsyncTransport for MemoryTransport {
    fn fetch<'a>(
        &'a self,
        request: &'a Request,
    ) -> crate::transport::BoxFuture<'a, Outcome<Box<dyn crate::transport::Chunks>>> {
        crate::asynchronous::fetch_blocking(self.clone(), request)
    }
}
