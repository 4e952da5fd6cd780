//! The development server: a directory over HTTP on the loopback interface.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::serve::ListenerExt as _;
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::oneshot;
use tower_http::services::ServeDir;

use crate::exit::Exit;
use crate::failure::Failure;

/// Up to what length the body of an answer goes out together with its header.
const SHORT: usize = 1 << 16;

/// A server that runs until it is stopped or dropped.
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// Begins to serve a directory; it can be reached when this returns.
    ///
    /// # Errors
    /// When the address is not a loopback one, or cannot be listened on.
    pub(crate) fn start(directory: &Path, address: SocketAddr) -> Result<Self, Failure> {
        if !address.ip().is_loopback() {
            let message = format!("{address} can be reached from other machines");
            return Err(Failure::new("serve.listen", Exit::Usage, message));
        }
        let failed = |error: &io::Error| {
            let exit = if error.kind() == io::ErrorKind::AddrInUse {
                Exit::Conflict
            } else {
                Exit::Network
            };
            Failure::new("serve.listen", exit, format!("cannot listen on {address}")).cause(error)
        };
        let listener = TcpListener::bind(address).map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        listener
            .set_nonblocking(true)
            .map_err(|error| failed(&error))?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .map_err(|error| failed(&error))?;
        // What else lies in the directory is nobody's business.
        let files =
            |name| ServeDir::new(directory.join(name)).append_index_html_on_directories(false);
        let router = Router::new()
            .nest_service("/metadata", files("metadata"))
            .nest_service("/targets", files("targets"))
            .layer(map_response(in_one_piece));
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                // Otherwise the end of an answer waits until the client has acknowledged its beginning, which takes it 40 ms.
                let listener = listener.tap_io(|client: &mut TcpStream| {
                    // Whoever is served late is served.
                    let _ = client.set_nodelay(true);
                });
                axum::serve(listener, router)
                    .with_graceful_shutdown(async {
                        // A sender that is gone means the same.
                        let _ = stopped.await;
                    })
                    .await
            })
        });
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the directory.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until the server ends, which it does only by itself when something breaks.
    ///
    /// # Errors
    /// What broke.
    pub(crate) fn wait(mut self) -> Result<(), Failure> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(Err(error))) => {
                let message = format!("{} is served no longer", self.url());
                Err(Failure::new("serve.listen", Exit::Network, message).cause(&error))
            }
            _ => Ok(()),
        }
    }
}

/// Reads a short body before anything is sent: then header and body go out in one packet.
async fn in_one_piece(response: Response) -> Response {
    let length = response.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_none_or(|length| length > SHORT) {
        return response;
    }
    let (head, body) = response.into_parts();
    match to_bytes(body, SHORT).await {
        Ok(bytes) => Response::from_parts(head, Body::from(bytes)),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The other end is gone when the server has ended by itself.
            let _ = stop.send(());
        }
    }
}
