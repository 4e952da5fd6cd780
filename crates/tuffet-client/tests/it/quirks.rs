//! Repositories as they are met in the world, made here: whoever has no copy of the published ones tests every quirk all the same.
//!
//! A quirk that the specification allows is accepted by every policy. One that it does not allow is accepted by default and
//! reported, and refused by name by a policy that refuses it.

mod document;
mod files;
pub(crate) mod keys;
mod listings;
mod names;
mod refusals;
pub(crate) mod repository;
mod roots;
mod schemes;
mod signatures;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tuffet_client::blocking::Updater;
use tuffet_client::{
    Destination, Error, Event, FixedClock, MemoryStore, Notice, Policy, Rejected, Source,
    TargetPath, UnixTime,
};
use tuffet_core::metadata::{Tolerance, ToleranceSet};

use repository::Repository;

/// The time of all tests: within the life of every file that is not meant to have expired.
const NOW: UnixTime = UnixTime(1_800_000_000);

/// A repository with a quirk, and what has to be forgiven in it.
pub(crate) struct Quirk {
    name: &'static str,
    /// What reading it needs, in the order in which a client comes upon it.
    tolerances: Vec<Tolerance>,
    /// What the repository looked like, again and again.
    states: Vec<Repository>,
}

impl Quirk {
    fn new(
        name: &'static str,
        tolerances: &[Tolerance],
        states: impl IntoIterator<Item = Repository>,
    ) -> Self {
        Self {
            name,
            tolerances: tolerances.to_vec(),
            states: states.into_iter().collect(),
        }
    }

    /// One publication.
    fn once(name: &'static str, tolerances: &[Tolerance], mut repository: Repository) -> Self {
        repository.publish();
        Self::new(name, tolerances, [repository])
    }
}

/// What a client has noticed.
#[derive(Default)]
struct Noticed {
    tolerated: BTreeSet<Tolerance>,
    /// Events that are neither a tolerance nor an everyday one.
    others: Vec<String>,
    requests: usize,
}

#[derive(Clone, Default)]
struct Reports(Arc<Mutex<Noticed>>);

impl Reports {
    fn observer(&self) -> impl Fn(&Notice<'_>) + Send + Sync + 'static {
        let reports = self.clone();
        move |notice| {
            let mut noticed = reports.0.lock().unwrap();
            match notice {
                Notice::Event(Event::Tolerated { note, .. }) => {
                    noticed.tolerated.insert(note.tolerance);
                }
                // That the stored file is older than the one that snapshot lists now is an everyday event.
                Notice::Event(Event::Accepted { .. } | Event::CacheIgnored { .. }) => {}
                Notice::Event(event) => noticed.others.push(event.to_string()),
                Notice::Request { .. } => noticed.requests += 1,
                _ => {}
            }
        }
    }

    fn tolerated(&self) -> BTreeSet<Tolerance> {
        self.0.lock().unwrap().tolerated.clone()
    }

    fn others(&self) -> Vec<String> {
        self.0.lock().unwrap().others.clone()
    }

    fn take_requests(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().requests)
    }
}

/// A client of a repository in a directory.
struct Client {
    directory: tempfile::TempDir,
    store: MemoryStore,
    policy: Policy,
    reports: Reports,
}

impl Client {
    fn new(policy: Policy) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            store: MemoryStore::new(),
            policy,
            reports: Reports::default(),
        }
    }

    fn updater(&self, repository: &Repository) -> Updater {
        let published = self.directory.path().join("published");
        repository.write(&published);
        Updater::builder(repository.anchor(), self.store.clone())
            .source(Source::at(published.to_str().unwrap()))
            .clock(FixedClock(NOW))
            .policy(self.policy.clone())
            .observer(self.reports.observer())
            .build()
            .unwrap()
    }

    /// Refreshes and finds every target where it must be.
    fn visit(&self, repository: &Repository) -> Result<Updater, Error> {
        let updater = self.updater(repository);
        updater.refresh()?;
        for (path, expected) in &repository.expected {
            let found = updater.find(&TargetPath::new(path).unwrap())?;
            assert_eq!(found.role.as_str(), expected.role, "{path}");
        }
        Ok(updater)
    }

    /// Downloads every target and compares the bytes.
    fn download(&self, updater: &Updater, repository: &Repository, place: &Path) {
        for (path, expected) in &repository.expected {
            let found = updater.find(&TargetPath::new(path).unwrap()).unwrap();
            let downloaded = updater
                .download(&found, &Destination::below(place))
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(downloaded.path, place.join(path));
            assert_eq!(fs::read(downloaded.path).unwrap(), expected.bytes, "{path}");
        }
    }
}

fn refusing(tolerances: impl IntoIterator<Item = Tolerance>) -> Policy {
    let mut policy = Policy::default();
    policy.refuse = tolerances
        .into_iter()
        .fold(ToleranceSet::NONE, ToleranceSet::with);
    policy
}

/// Checks every row: accepted and reported by default, in every state; refused by name.
fn check(quirks: Vec<Quirk>) {
    for quirk in quirks {
        println!("{}", quirk.name);
        check_accepted(&quirk);
        check_strict(&quirk);
    }
}

fn check_accepted(quirk: &Quirk) {
    let name = quirk.name;
    let client = Client::new(Policy::default());
    for (state, repository) in quirk.states.iter().enumerate() {
        let updater = client
            .visit(repository)
            .unwrap_or_else(|error| panic!("{name}, state {state}: {error}"));
        let place = client.directory.path().join(state.to_string());
        client.download(&updater, repository, &place);
        // What was stored is as good as what was fetched: only a newer root and the timestamp are asked for.
        client.reports.take_requests();
        client
            .visit(repository)
            .unwrap_or_else(|error| panic!("{name}, state {state} again: {error}"));
        assert_eq!(client.reports.take_requests(), 2, "{name}, state {state}");
    }
    let mut needed: BTreeSet<Tolerance> = quirk.tolerances.iter().copied().collect();
    // Keyids are compared with their keys only when somebody asks for it.
    needed.remove(&Tolerance::KeyidMismatch);
    assert_eq!(client.reports.tolerated(), needed, "{name}");
    assert_eq!(client.reports.others(), [""; 0], "{name}");
}

fn check_strict(quirk: &Quirk) {
    let (name, needed) = (quirk.name, &quirk.tolerances);
    let others = Tolerance::ALL
        .into_iter()
        .filter(|tolerance| !needed.contains(tolerance));
    assert_eq!(outcome(quirk, refusing(others)), None, "{name}");
    for &tolerance in needed {
        let refused = Some(tolerance.code());
        assert_eq!(outcome(quirk, refusing([tolerance])), refused, "{name}");
    }
    let first = needed.first().map(|tolerance| tolerance.code());
    assert_eq!(outcome(quirk, Policy::strict()), first, "{name}");
}

/// The code of the first refusal on the way through all states.
fn outcome(quirk: &Quirk, policy: Policy) -> Option<&'static str> {
    let client = Client::new(policy);
    quirk.states.iter().find_map(|repository| {
        let error = client.visit(repository).err()?;
        assert!(
            matches!(error.rejected(), Some(Rejected::Strict { .. })),
            "{}: {error}",
            quirk.name
        );
        Some(error.code())
    })
}

#[test]
fn every_tolerance_stands_in_a_repository() {
    let all = [
        schemes::quirks(),
        signatures::quirks(),
        files::quirks(),
        listings::quirks(),
        names::quirks(),
        roots::quirks(),
    ];
    let met: BTreeSet<Tolerance> = all
        .iter()
        .flatten()
        .flat_map(|quirk| quirk.tolerances.clone())
        .collect();
    assert_eq!(met, Tolerance::ALL.into_iter().collect());
}
