//! Putting an updater together.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tuffet_core::crypto::Crypto;
use tuffet_core::metadata::UnixTime;
use tuffet_core::trust::{Policy, TrustAnchor};

use crate::engine::{Engine, Held};
use crate::observer::Nobody;
use crate::{CancelToken, Clock, Error, FileDeadline, Observer, Retry, Source, Store, SystemClock};

/// Whether the repository is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Mode {
    /// The repository is asked at each refresh.
    #[default]
    Online,
    /// The repository is asked only when the last successful refresh is too long ago, or when what is stored has expired or
    /// is incomplete.
    PreferCache {
        /// How long ago the last successful refresh may be.
        max_age: Duration,
    },
    /// Nothing is fetched. What is stored is verified as of this time.
    OfflineAsOf(UnixTime),
}

/// How long fetching metadata may take in one operation, unless set.
const DEADLINE: Duration = Duration::from_secs(3600);

/// Puts an updater together. `T` is the kind of transport, blocking or asynchronous.
pub struct Builder<T: ?Sized> {
    anchor: TrustAnchor,
    store: Arc<dyn Store>,
    sources: Vec<(Source, Option<Arc<T>>)>,
    transport: Option<Arc<T>>,
    policy: Policy,
    mode: Mode,
    retry: Retry,
    deadline: Option<Duration>,
    file_deadline: Option<FileDeadline>,
    target_deadline: Option<FileDeadline>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    crypto: &'static dyn Crypto,
    cancel: CancelToken,
}

impl<T: ?Sized> Builder<T> {
    pub(crate) fn new(anchor: TrustAnchor, store: impl Store + 'static) -> Self {
        Self {
            anchor,
            store: Arc::new(store),
            sources: Vec::new(),
            transport: None,
            policy: Policy::default(),
            mode: Mode::Online,
            retry: Retry::default(),
            deadline: Some(DEADLINE),
            file_deadline: Some(FileDeadline::default()),
            target_deadline: Some(FileDeadline::of_targets()),
            clock: Arc::new(SystemClock),
            observer: Arc::new(Nobody),
            crypto: tuffet_crypto::default_provider(),
            cancel: CancelToken::new(),
        }
    }

    /// Adds a mirror. Mirrors are asked in the order in which they were added.
    #[must_use]
    pub fn source(mut self, source: Source) -> Self {
        self.sources.push((source, None));
        self
    }

    /// Adds a mirror with a transport of its own.
    #[must_use]
    pub fn source_with(mut self, source: Source, transport: Arc<T>) -> Self {
        self.sources.push((source, Some(transport)));
        self
    }

    /// Sets the transport of all mirrors that have none of their own. Unless set, it is a
    /// [`DefaultTransport`](crate::DefaultTransport); one that is made `with_http` options takes a proxy, certificates, headers and
    /// timeouts.
    #[must_use]
    pub fn transport(mut self, transport: Arc<T>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sets what is asked of the repository beyond the specification, and how much is received.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets whether the repository is asked. Unless set, it is at each refresh.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets how often one mirror is asked.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets how long fetching metadata may take in one refresh, search or audit; `None` is without end. One hour unless set: long
    /// enough for the largest metadata at 75 KB/s. Then every mirror fails with `network.deadline`, and the operation with them.
    ///
    /// The lock of the store is held no longer than this and one request's timeouts or one pause before a retry: mirrors cannot keep
    /// other processes out by sending as slowly as they may. Targets have [`Builder::target_deadline`], and no lock is held for them.
    #[must_use]
    pub fn deadline(mut self, deadline: Option<Duration>) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how long one mirror may take for one metadata file, before the next one is asked; `None` is without end.
    /// [`FileDeadline::default`] unless set.
    #[must_use]
    pub fn file_deadline(mut self, file_deadline: Option<FileDeadline>) -> Self {
        self.file_deadline = file_deadline;
        self
    }

    /// Sets how long one mirror may take for one target, retries included, before the next one is asked; `None` is without end.
    /// [`FileDeadline::of_targets`] unless set.
    ///
    /// The next mirror goes on where the one before stopped, and so does a later download when this was the last one.
    #[must_use]
    pub fn target_deadline(mut self, target_deadline: Option<FileDeadline>) -> Self {
        self.target_deadline = target_deadline;
        self
    }

    /// Sets where the time comes from.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets who watches.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Sets the implementation of the algorithms.
    #[must_use]
    pub fn crypto(mut self, crypto: &'static dyn Crypto) -> Self {
        self.crypto = crypto;
        self
    }

    /// Sets a switch that stops the operations of this updater.
    #[must_use]
    pub fn cancel(mut self, cancel: CancelToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// The engine, a transport for each mirror, and the switch.
    pub(crate) fn finish(
        self,
        default: impl FnOnce() -> Arc<T>,
    ) -> Result<(Engine, Vec<Arc<T>>, CancelToken), Error> {
        if self.sources.is_empty() && !matches!(self.mode, Mode::OfflineAsOf(_)) {
            return Err(Error::Misuse("an updater needs a source"));
        }
        let default = self.transport.unwrap_or_else(default);
        let mut sources = Vec::new();
        let mut transports = Vec::new();
        for (source, own) in self.sources {
            sources.push(source.into_urls()?);
            transports.push(own.unwrap_or_else(|| Arc::clone(&default)));
        }
        let engine = Engine {
            anchor: self.anchor,
            store: self.store,
            sources,
            policy: self.policy,
            mode: self.mode,
            retry: self.retry,
            deadline: self.deadline,
            file_deadline: self.file_deadline,
            target_deadline: self.target_deadline,
            clock: self.clock,
            observer: self.observer,
            crypto: self.crypto,
            held: Mutex::new(Held::default()),
        };
        Ok((engine, transports, self.cancel))
    }
}

impl<T: ?Sized> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("mode", &self.mode)
            .field("policy", &self.policy)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
