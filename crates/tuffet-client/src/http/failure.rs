//! What an error of the layers below means. Both HTTP libraries wrap the same few causes; those are looked for.

use std::error::Error;
use std::io;

use super::exchange::Exchange;
use crate::transport::{Outcome, TransportError, TransportErrorKind};

/// A cause that was found, in words without URLs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct Failure {
    pub(crate) kind: TransportErrorKind,
    pub(crate) detail: String,
}

impl Failure {
    pub(crate) fn new(kind: TransportErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    /// Looks for a cause in a chain of errors; `otherwise` is what it is if none is known.
    pub(crate) fn of(error: &(dyn Error + 'static), otherwise: TransportErrorKind) -> Self {
        let mut deepest = error.to_string();
        let mut kind = otherwise;
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return found.clone();
            }
            if let Some(tls) = error.downcast_ref::<rustls::Error>() {
                return Self::new(TransportErrorKind::Tls, tls.to_string());
            }
            if let Some(io) = error.downcast_ref::<io::Error>() {
                kind = io_kind(io).unwrap_or(kind);
                if let Some(inner) = io.get_ref() {
                    deepest = inner.to_string();
                    next = Some(inner);
                    continue;
                }
            }
            deepest = error.to_string();
            next = error.source();
        }
        Self::new(kind, deepest)
    }

    /// What goes wrong before a connection is there: the connection, unless TLS or the deadline says more.
    pub(crate) fn while_connecting(self) -> Self {
        match self.kind {
            TransportErrorKind::Tls | TransportErrorKind::Deadline => self,
            _ => Self::new(TransportErrorKind::Connect, self.detail),
        }
    }

    /// The outcome of a transfer that ended before an answer came.
    pub(crate) fn outcome<B>(self, exchange: &Exchange<'_>) -> Outcome<B> {
        let error: TransportError = exchange.error(self.kind, self.detail);
        match self.kind {
            TransportErrorKind::Connect
            | TransportErrorKind::Idle
            | TransportErrorKind::Deadline
            | TransportErrorKind::TooSlow
            | TransportErrorKind::Interrupted => Outcome::Retryable(error),
            _ => Outcome::Fatal(error),
        }
    }
}

fn io_kind(error: &io::Error) -> Option<TransportErrorKind> {
    use io::ErrorKind as Kind;
    Some(match error.kind() {
        Kind::ConnectionRefused
        | Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::AddrNotAvailable => TransportErrorKind::Connect,
        Kind::TimedOut | Kind::WouldBlock => TransportErrorKind::Idle,
        Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::BrokenPipe
        | Kind::UnexpectedEof
        | Kind::NotConnected => TransportErrorKind::Interrupted,
        Kind::InvalidData | Kind::InvalidInput => TransportErrorKind::Protocol,
        _ => return None,
    })
}
