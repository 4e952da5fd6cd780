//! Between an operation on its thread and the task that fetches for it.

use std::future::poll_fn;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use crate::engine::stream_error;
use crate::source::without_secrets;
use crate::transport::{
    AsyncTransport, BoxFuture, Chunks, Outcome, Request, Transport, TransportError,
    TransportErrorKind,
};

/// How many pieces may have arrived that the operation has not taken yet.
const AHEAD: usize = 16;
/// How many bytes of a blocking stream make a piece.
const PIECE: usize = 64 * 1024;

type Piece = Result<Bytes, TransportError>;

/// What goes through a bridge. A channel that ends without [`Message::End`] was cut off: that must not pass for the end of a file.
enum Message {
    Piece(Piece),
    End,
}

/// A request of the operation, and where the answer goes.
pub(super) struct Ask {
    mirror: usize,
    request: Request,
    answer: oneshot::Sender<Outcome<mpsc::Receiver<Message>>>,
}

/// The operation's end: looks like a blocking transport.
struct Bridge {
    mirror: usize,
    asks: mpsc::UnboundedSender<Ask>,
}

/// One bridge for each mirror.
pub(super) fn bridges(
    mirrors: usize,
    asks: &mpsc::UnboundedSender<Ask>,
) -> Vec<Arc<dyn Transport>> {
    let bridge = |mirror| Bridge {
        mirror,
        asks: asks.clone(),
    };
    (0..mirrors)
        .map(|mirror| Arc::new(bridge(mirror)) as Arc<dyn Transport>)
        .collect()
}

impl Transport for Bridge {
    fn fetch(&self, request: &Request) -> Outcome<Box<dyn Read + Send>> {
        let (answer, answered) = oneshot::channel();
        let ask = Ask {
            mirror: self.mirror,
            request: request.clone(),
            answer,
        };
        let outcome = match self.asks.send(ask) {
            Ok(()) => answered.blocking_recv().ok(),
            Err(_) => None,
        };
        match outcome {
            Some(outcome) => outcome.map(|pieces| {
                Box::new(Stream {
                    pieces,
                    rest: Bytes::new(),
                    url: request.url.clone(),
                    ended: false,
                }) as _
            }),
            None => Outcome::Fatal(cancelled(&request.url)),
        }
    }
}

/// The pieces as a blocking stream.
struct Stream {
    pieces: mpsc::Receiver<Message>,
    rest: Bytes,
    url: String,
    ended: bool,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Message::Piece(Ok(piece))) => self.rest = piece,
                Some(Message::Piece(Err(error))) => return Err(io::Error::other(error)),
                Some(Message::End) => self.ended = true,
                None => return Err(io::Error::other(cancelled(&self.url))),
            }
        }
        let read = self.rest.as_ref().read(buffer)?;
        drop(self.rest.split_to(read));
        Ok(read)
    }
}

/// Fetches what a job asks for until it ends.
pub(super) async fn serve<R>(
    transports: &[Arc<dyn AsyncTransport>],
    mut inbox: mpsc::UnboundedReceiver<Ask>,
    mut job: JoinHandle<R>,
) -> Result<R, JoinError> {
    let mut fetches = FuturesUnordered::new();
    poll_fn(|cx| {
        if let Poll::Ready(result) = Pin::new(&mut job).poll(cx) {
            return Poll::Ready(result);
        }
        while let Poll::Ready(Some(ask)) = inbox.poll_recv(cx) {
            fetches.push(fetch(transports, ask));
        }
        while let Poll::Ready(Some(())) = fetches.poll_next_unpin(cx) {}
        Poll::Pending
    })
    .await
}

/// Fetches one file, piece by piece, no faster than the operation takes them.
async fn fetch(transports: &[Arc<dyn AsyncTransport>], ask: Ask) {
    let Some(transport) = transports.get(ask.mirror) else {
        return;
    };
    let mut stream = None;
    let (sender, receiver) = mpsc::channel(AHEAD);
    let outcome = transport.fetch(&ask.request).await.map(|chunks| {
        stream = Some(chunks);
        receiver
    });
    if ask.answer.send(outcome).is_err() {
        return;
    }
    let Some(mut chunks) = stream else { return };
    loop {
        let (message, last) = match chunks.next().await {
            Some(Ok(piece)) => (Message::Piece(Ok(piece)), false),
            Some(Err(error)) => (Message::Piece(Err(error)), true),
            None => (Message::End, true),
        };
        if sender.send(message).await.is_err() || last {
            return;
        }
    }
}

/// Makes an asynchronous source of a blocking one.
pub(crate) fn fetch_blocking<'a>(
    transport: impl Transport + 'static,
    request: &'a Request,
) -> BoxFuture<'a, Outcome<Box<dyn Chunks>>> {
    Box::pin(async move {
        let owned = request.clone();
        match spawn_blocking(move || transport.fetch(&owned)).await {
            Ok(outcome) => outcome.map(|stream| {
                Box::new(BlockingChunks {
                    stream: Some(stream),
                    url: request.url.clone(),
                }) as _
            }),
            Err(_) => Outcome::Fatal(cancelled(&request.url)),
        }
    })
}

/// A blocking stream, read on threads for blocking work.
struct BlockingChunks {
    stream: Option<Box<dyn Read + Send>>,
    url: String,
}

impl Chunks for BlockingChunks {
    fn next(&mut self) -> BoxFuture<'_, Option<Piece>> {
        Box::pin(async {
            let mut stream = self.stream.take()?;
            let read = spawn_blocking(move || {
                let mut piece = Vec::with_capacity(PIECE);
                let read = stream.by_ref().take(PIECE as u64).read_to_end(&mut piece);
                (stream, piece, read)
            });
            let Ok((stream, piece, read)) = read.await else {
                return Some(Err(cancelled(&self.url)));
            };
            match read {
                // What came before the stream broke counts; the next piece is the error.
                Err(error) if piece.is_empty() => Some(Err(stream_error(&error, &self.url))),
                Ok(0) => None,
                _ => {
                    self.stream = Some(stream);
                    Some(Ok(piece.into()))
                }
            }
        })
    }
}

fn cancelled(url: &str) -> TransportError {
    TransportError {
        url: without_secrets(url),
        kind: TransportErrorKind::Cancelled,
        detail: String::new(),
        retry_after: None,
    }
}
