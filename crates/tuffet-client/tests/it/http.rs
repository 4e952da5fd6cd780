//! HTTP against real sockets on loopback. Every test runs over both transports where both are built.

mod body;
mod environment;
mod proxy;
mod redirect;
mod resume;
mod server;
mod status;
mod tls;
mod transports;
