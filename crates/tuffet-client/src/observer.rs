//! Watching an operation: progress, events, mirrors that failed.

use std::time::Duration;

use tuffet_core::metadata::TargetPath;
use tuffet_core::trust::{Event, RemoteFile};

use crate::error::Attempt;
use crate::transport::TransportError;

/// Watches operations. It is called on the thread that works, so it should return soon.
///
/// A closure `Fn(&Notice)` is one.
pub trait Observer: Send + Sync {
    /// Takes note.
    fn notice(&self, notice: &Notice<'_>);
}

impl<F: Fn(&Notice<'_>) + Send + Sync> Observer for F {
    fn notice(&self, notice: &Notice<'_>) {
        self(notice);
    }
}

/// Something that an [`Observer`] may want to know.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// Something that verification brought to light and that did not stop it.
    Event(&'a Event),
    /// A request is sent.
    Request {
        /// Where to, without credentials.
        url: &'a str,
    },
    /// Bytes have arrived.
    Progress {
        /// Of what.
        subject: Subject<'a>,
        /// How many so far.
        received: u64,
        /// How many it will be: signed for targets; for metadata only if it is signed.
        total: Option<u64>,
    },
    /// A request failed and is repeated after a pause.
    Pause {
        /// Why it failed.
        error: &'a TransportError,
        /// How often this mirror was asked.
        attempt: u32,
        /// How long the pause is.
        pause: Duration,
    },
    /// A mirror did not deliver what was needed; the next one is asked, if there is one.
    MirrorFailed(&'a Attempt),
}

/// What is being fetched.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Subject<'a> {
    /// A metadata file.
    Metadata(&'a RemoteFile),
    /// A target.
    Target(&'a TargetPath),
}

/// Watches nothing.
pub(crate) struct Nobody;

impl Observer for Nobody {
    fn notice(&self, _: &Notice<'_>) {}
}
