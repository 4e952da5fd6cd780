//! What most tests need: a repository in memory, a store, a clock, and somebody who watches.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tuffet_client::blocking::{Builder, Updater};
use tuffet_client::{
    CancelToken, Clock, Fault, MemoryStore, MemoryTransport, Notice, Source, Store, TargetPath,
    UnixTime,
};

use crate::repository::{NOW, Repository};

/// A repository at two mirrors, and everything that was seen.
pub(crate) struct World {
    pub(crate) repository: Repository,
    pub(crate) transport: MemoryTransport,
    pub(crate) store: MemoryStore,
    pub(crate) clock: TestClock,
    pub(crate) seen: Seen,
}

/// A clock that is set by hand; what others wait for, it writes down.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<Mutex<(UnixTime, Vec<Duration>)>>);

impl TestClock {
    pub(crate) fn at(now: UnixTime) -> Self {
        Self(Arc::new(Mutex::new((now, Vec::new()))))
    }

    pub(crate) fn set(&self, now: UnixTime) {
        self.0.lock().unwrap().0 = now;
    }

    pub(crate) fn take_pauses(&self) -> Vec<Duration> {
        std::mem::take(&mut self.0.lock().unwrap().1)
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixTime {
        self.0.lock().unwrap().0
    }

    fn wait(&self, delay: Duration, _: &CancelToken) {
        self.0.lock().unwrap().1.push(delay);
    }
}

/// What an observer was told, as text.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    pub(crate) fn observer(&self) -> impl Fn(&Notice<'_>) + Send + Sync + 'static {
        let seen = self.clone();
        move |notice| {
            let text = match notice {
                Notice::Event(event) => event.to_string(),
                Notice::MirrorFailed(attempt) => format!("mirror failed: {attempt}"),
                _ => return,
            };
            seen.0.lock().unwrap().push(text);
        }
    }

    /// Whether a text was seen that contains this.
    pub(crate) fn has(&self, part: &str) -> bool {
        self.0
            .lock()
            .unwrap()
            .iter()
            .any(|text| text.contains(part))
    }
}

impl World {
    pub(crate) fn new(repository: Repository) -> Self {
        let world = Self {
            repository,
            transport: MemoryTransport::new(),
            store: MemoryStore::new(),
            clock: TestClock::at(NOW),
            seen: Seen::default(),
        };
        world.serve();
        world
    }

    /// Publishes what has changed at both mirrors.
    pub(crate) fn serve(&self) {
        for mirror in ["memory://one", "memory://two"] {
            self.repository.serve(&self.transport, mirror);
        }
    }

    /// An updater with the first mirror only.
    pub(crate) fn updater(&self) -> Updater {
        self.builder(self.store.clone())
            .source(Source::at("memory://one"))
            .build()
            .unwrap()
    }

    /// An updater with both mirrors.
    pub(crate) fn mirrored(&self) -> Updater {
        self.builder(self.store.clone())
            .source(Source::at("memory://one"))
            .source(Source::at("memory://two"))
            .build()
            .unwrap()
    }

    pub(crate) fn builder(&self, store: impl Store + 'static) -> Builder {
        Updater::builder(self.repository.anchor(), store)
            .transport(Arc::new(self.transport.clone()))
            .clock(self.clock.clone())
            .observer(self.seen.observer())
    }

    /// The next requests of a file below a mirror meet these faults.
    pub(crate) fn fail(&self, url: &str, faults: impl IntoIterator<Item = Fault>) {
        for fault in faults {
            self.transport.fail(format!("memory://{url}"), fault);
        }
    }

    /// The URLs that were asked for since the last call, without the scheme.
    pub(crate) fn take_urls(&self) -> Vec<String> {
        self.transport
            .take_requests()
            .into_iter()
            .map(|request| request.url.replace("memory://", ""))
            .collect()
    }
}

pub(crate) fn path(path: &str) -> TargetPath {
    TargetPath::new(path).unwrap()
}
