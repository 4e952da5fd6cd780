//! The blocking updater with its own traits for disk and network, over a sample of the traces.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard};

use tuffet_client::blocking::Updater;
use tuffet_client::transport::TransportErrorKind;
use tuffet_client::{
    Error, Fault, FixedClock, MemoryTransport, Mode, Retry, Source, Store as ClientStore,
    StoreError, StoreLock, TrustAnchor, UnixTime,
};
use tuffet_core::trust::{Item, Write, WriteKind};
use tuffet_testkit::simulation::{
    Call, Client, End, Fast, Finding, FoundTarget, Listing, Report, Signing, Store, Written,
    audited, described, files, play,
};

use crate::real::Ed25519;

/// A disk that is full, or goes, after so many writes.
#[derive(Clone)]
struct Disk(Arc<Mutex<Inner>>);

struct Inner {
    store: Store,
    writes: Vec<Written>,
    crash: Option<usize>,
}

impl Disk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no panic before")
    }
}

impl ClientStore for Disk {
    fn load(&self, item: &Item, _: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.inner().store.get(item).map(|bytes| bytes.to_vec()))
    }

    fn apply(&self, writes: &[Write]) -> Result<(), StoreError> {
        let mut inner = self.inner();
        for Write { item, kind } in writes {
            if inner.crash.is_some_and(|crash| inner.writes.len() >= crash) {
                return Err(StoreError::Other("no space left".into()));
            }
            let bytes = match kind {
                WriteKind::Put(bytes) => Some(Arc::clone(bytes)),
                WriteKind::Delete => None,
            };
            match &bytes {
                Some(bytes) => drop(inner.store.insert(item.clone(), Arc::clone(bytes))),
                None => drop(inner.store.remove(item)),
            }
            inner.writes.push((item.clone(), bytes));
        }
        Ok(())
    }

    fn lock(&self) -> Result<StoreLock, StoreError> {
        Ok(StoreLock::none())
    }
}

/// The updater that programs embed. It asks a mirror that failed last from then on, so it is given one only.
struct Embedded;

impl Client for Embedded {
    fn most_mirrors(&self) -> usize {
        1
    }

    fn update(&mut self, call: &Call<'_>, store: &mut Store) -> Report {
        let disk = Disk(Arc::new(Mutex::new(Inner {
            store: std::mem::take(store),
            writes: Vec::new(),
            crash: call.crash,
        })));
        let updater = Updater::builder(TrustAnchor::Root(call.anchor.to_vec()), disk.clone())
            .source(Source::at("memory://mirror"))
            .transport(Arc::new(transport(call)))
            .policy(call.policy.clone())
            .mode(match call.offline {
                true => Mode::OfflineAsOf(UnixTime(call.now)),
                false => Mode::Online,
            })
            .clock(FixedClock(UnixTime(call.now)))
            .retry(Retry::never())
            .crypto(call.signing.crypto())
            .build()
            .expect("a source");
        let refreshed = updater.refresh().map_err(end);
        let (mut found, mut voices) = (Vec::new(), Vec::new());
        if refreshed.is_ok() {
            for path in &call.paths {
                let one = updater.find(path).map_err(end);
                voices.push(one.as_ref().ok().cloned());
                found.push(one.map(|one| checked(&one, call)));
                if found.last() == Some(&Err(End::Crash)) {
                    break;
                }
            }
        }
        let crashed = found.last() == Some(&Err(End::Crash));
        let audited = (call.audit && refreshed.is_ok() && !crashed).then(|| audit(&updater, call));
        let mut inner = disk.inner();
        *store = std::mem::take(&mut inner.store);
        Report {
            writes: std::mem::take(&mut inner.writes),
            refreshed: refreshed.map(|view| files(&view)),
            found,
            voices,
            audited,
        }
    }
}

fn audit(updater: &Updater, call: &Call<'_>) -> (Vec<Finding>, Result<(), End>) {
    let mut findings = Vec::new();
    let ended = updater.audit(|finding| findings.push(audited(&finding, call.signing.crypto())));
    (findings, ended.map_err(end))
}

fn checked(found: &tuffet_client::Found, call: &Call<'_>) -> FoundTarget {
    let checked = found.check_bytes(&(call.body)(found), call.signing.crypto());
    described(found, checked.map(drop).map_err(|rejected| rejected.code()))
}

fn end(error: Error) -> End {
    match error {
        Error::Rejected(refusal) => End::Refused(refusal.rejected.code()),
        Error::Unavailable(_) => End::Unavailable,
        Error::Local(_) => End::Crash,
        other => panic!("{other}"),
    }
}

/// The files of the only mirror. What fails does so in one of the ways that networks have.
fn transport(call: &Call<'_>) -> MemoryTransport {
    let transport = MemoryTransport::new();
    for (file, listing) in (call.everything)().into_iter().next().unwrap_or_default() {
        let url = Source::at("memory://mirror").metadata_url(&file);
        match listing {
            Listing::Bytes(bytes) => transport.put(url, bytes.to_vec()),
            Listing::Endless => {
                transport.put(&url, *b"{");
                fail(&transport, &url, &Fault::Endless);
            }
            Listing::Failed => {
                transport.put(&url, *b"{\"signed\":{}}");
                fail(&transport, &url, &failure(&url));
            }
        }
    }
    transport
}

/// As often as one update may ask.
fn fail(transport: &MemoryTransport, url: &str, fault: &Fault) {
    (0..8).for_each(|_| transport.fail(url, fault.clone()));
}

fn failure(url: &str) -> Fault {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    match hasher.finish() % 7 {
        0 => Fault::Fatal(TransportErrorKind::Status(503)),
        1 => Fault::Fatal(TransportErrorKind::Redirect),
        2 => Fault::Retryable(TransportErrorKind::Connect, None),
        3 => Fault::Interrupted(3),
        4 => Fault::Stalled(3, TransportErrorKind::TooSlow),
        5 => Fault::Stalled(0, TransportErrorKind::Idle),
        _ => Fault::Stalled(5, TransportErrorKind::Deadline),
    }
}

fn sample(seeds: std::ops::Range<u64>, signing: &dyn Signing) {
    for seed in seeds {
        if let Err(failure) = play(seed, signing, || Embedded) {
            panic!("{failure}");
        }
    }
}

#[test]
fn c00_the_updater_does_what_the_model_says_and_always_finds_back() {
    sample(0..60, &Fast);
}

#[test]
fn the_updater_goes_the_same_way_with_real_signatures() {
    sample(1_000..1_006, &Ed25519);
}
