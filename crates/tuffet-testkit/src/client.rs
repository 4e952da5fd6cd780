//! The client's side: a store, mirrors, and a driver that writes down what the core asks for.

use std::collections::BTreeMap;
use std::fmt;

use tuffet_core::json::Value;
use tuffet_core::metadata::{RoleName, UnixTime};
use tuffet_core::trust::{
    Context, Event, Fetch, Found, Item, Mode, Policy, Refresh, Rejected, Search, TrustAnchor,
    TrustedView, VerifiedTarget, Write, WriteKind,
};

use crate::crypto::{Toy, sha256};
use crate::keys::TestKey;
use crate::repository::{Files, Repository};
use crate::{Machine, NOW, Reply, Stop, Surroundings, drive, path, time};

/// What a client keeps.
pub type Store = BTreeMap<Item, Vec<u8>>;

/// What happened between the core and the world, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// An item of the store was asked for.
    Load(Item),
    /// The URL path and the most bytes to receive.
    Fetch(String, u64),
    /// An item was written.
    Put(Item),
    /// An item was removed.
    Delete(Item),
    /// An answer was refused, with this code.
    Refused(&'static str),
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(item) => write!(f, "load {item}"),
            Self::Fetch(path, _) => write!(f, "fetch {path}"),
            Self::Put(item) => write!(f, "put {item}"),
            Self::Delete(item) => write!(f, "delete {item}"),
            Self::Refused(code) => write!(f, "refused {code}"),
        }
    }
}

/// A client, and the repository it asks.
#[derive(Debug)]
pub struct World {
    /// The repository, on the server that is asked last.
    pub repository: Repository,
    /// Servers that are asked before the repository's own.
    pub mirrors: Vec<Files>,
    /// What the client keeps.
    pub store: Store,
    /// Where trust begins.
    pub anchor: TrustAnchor,
    /// Whether the repository is asked.
    pub mode: Mode,
    /// What is asked of the repository.
    pub policy: Policy,
    /// What the client's clock says.
    pub now: UnixTime,
    /// Who computes digests and signatures.
    pub crypto: std::sync::Arc<Toy>,
    /// The operations since they were last taken.
    pub log: Vec<Op>,
    /// The events since they were last taken.
    pub events: Vec<Event>,
    /// How many more operations happen before the process ends.
    pub stop_after: Option<usize>,
    /// The target that attempts look for after the refresh, if any.
    pub wanted: Option<&'static str>,
}

impl Clone for World {
    fn clone(&self) -> Self {
        Self {
            repository: self.repository.clone(),
            mirrors: self.mirrors.clone(),
            store: self.store.clone(),
            anchor: self.anchor.clone(),
            policy: self.policy.clone(),
            crypto: self.crypto.clone(),
            log: self.log.clone(),
            events: self.events.clone(),
            ..*self
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A client that trusts the first root of a new repository and has not asked it for anything yet.
    pub fn new() -> Self {
        Self::of(Repository::new())
    }

    /// A client that trusts the present root of a repository.
    pub fn of(repository: Repository) -> Self {
        Self {
            anchor: TrustAnchor::Root(repository.root.bytes()),
            repository,
            mirrors: Vec::new(),
            store: Store::new(),
            mode: Mode::Online,
            policy: Policy::default(),
            now: time(NOW),
            crypto: std::sync::Arc::default(),
            log: Vec::new(),
            events: Vec::new(),
            stop_after: None,
            wanted: None,
        }
    }

    /// A client of a repository whose timestamp needs so many of these keys and is signed by those.
    pub fn with_timestamp(keys: &[TestKey], need: u64, signers: &[TestKey]) -> Self {
        let mut repository = Repository::new();
        repository.set_role("timestamp", keys, need);
        repository.timestamp.signers = signers.to_vec();
        repository.write_root();
        repository.write();
        Self::of(repository)
    }

    /// A client that has refreshed once.
    pub fn refreshed() -> Self {
        let mut world = Self::new();
        world.refresh().expect("a new repository is fine");
        world
    }

    /// Refreshes, as a client that may crash.
    pub fn try_refresh(&mut self) -> Result<TrustedView, Stop> {
        self.log.clear();
        self.events.clear();
        let (crypto, policy) = (self.crypto.clone(), self.policy.clone());
        let context = Context {
            crypto: &*crypto,
            policy: &policy,
            now: self.now,
        };
        let mut refresh = Refresh::new(self.anchor.clone(), self.mode, context);
        let driven = self.drive(&mut refresh);
        check_order(&self.log);
        driven?;
        Ok(refresh.finish().expect("done"))
    }

    /// Refreshes.
    pub fn refresh(&mut self) -> Result<TrustedView, Rejected> {
        self.try_refresh().map_err(|stop| match stop {
            Stop::Rejected(rejected) => rejected,
            other => panic!("{other:?} that nobody asked for"),
        })
    }

    /// Refreshes, and searches if a target is wanted.
    pub fn attempt(&mut self) -> Result<(), Rejected> {
        let mut view = self.refresh()?;
        let log = std::mem::take(&mut self.log);
        let outcome = match self.wanted {
            Some(target) => self.search(&mut view, target).map(drop),
            None => Ok(()),
        };
        self.log.splice(..0, log);
        outcome
    }

    /// Searches in a view, which keeps the roles that were verified on the way.
    pub fn search(&mut self, view: &mut TrustedView, target: &str) -> Result<Found, Rejected> {
        match self.try_search(view, target) {
            Ok(found) => Ok(found),
            Err(Stop::Rejected(rejected)) => Err(rejected),
            Err(other) => panic!("{other:?} that nobody asked for"),
        }
    }

    /// Searches, as a client that may crash.
    pub fn try_search(&mut self, view: &mut TrustedView, target: &str) -> Result<Found, Stop> {
        self.log.clear();
        let (crypto, policy) = (self.crypto.clone(), self.policy.clone());
        let context = Context {
            crypto: &*crypto,
            policy: &policy,
            now: self.now,
        };
        let mut search = Search::new(view.clone(), path(target), self.mode, context);
        self.drive(&mut search)?;
        let outcome = search.finish().expect("done");
        *view = outcome.view;
        outcome.found.map_err(|rejected| Stop::Rejected(*rejected))
    }

    /// Refreshes and searches.
    pub fn find(&mut self, target: &str) -> Result<Found, Rejected> {
        let mut view = self.refresh()?;
        self.search(&mut view, target)
    }

    /// Refreshes, searches and downloads; the target comes from the first name that the server has.
    pub fn download(&mut self, target: &str) -> Result<VerifiedTarget, Rejected> {
        let found = self.find(target)?;
        let urls = found.url_paths();
        let bytes = urls.iter().find_map(|url| self.repository.blobs.get(url));
        let bytes = bytes.unwrap_or_else(|| panic!("the server has none of {urls:?}"));
        found.check_bytes(bytes, &*self.crypto)
    }

    /// The operations of the last refresh or search, one a line.
    pub fn story(&self) -> String {
        self.log.iter().map(|op| format!("{op}\n")).collect()
    }

    /// The URL paths asked for in the last refresh or search.
    pub fn fetched(&self) -> Vec<&str> {
        self.log
            .iter()
            .filter_map(|op| match op {
                Op::Fetch(path, _) => Some(path.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The version of a role in the store.
    pub fn stored(&self, role: &str) -> Option<u64> {
        let item = Item::Role(RoleName::new(role).expect("a role name"));
        self.store.get(&item).and_then(|bytes| version_of(bytes))
    }

    /// The versions of the four top-level roles in the store; zero for none.
    pub fn versions(&self) -> [u64; 4] {
        ["root", "timestamp", "snapshot", "targets"].map(|role| self.stored(role).unwrap_or(0))
    }

    /// The metadata in the store, each file as the beginning of its digest.
    pub fn metadata(&self) -> BTreeMap<Item, String> {
        let files = self.store.iter().filter(|(item, _)| **item != Item::Record);
        files
            .map(|(item, bytes)| (item.clone(), sha256(bytes).to_hex()[..8].to_owned()))
            .collect()
    }

    /// Asserts that the client refuses what the server offers after an attack, that its store is no worse for it, and that the
    /// honest repository, as it was and after its next publication, is accepted again (C-00).
    pub fn refuses(&self, attack: impl FnOnce(&mut Repository), check: impl FnOnce(&Rejected)) {
        let mut victim = self.clone();
        attack(&mut victim.repository);
        let before = victim.versions();
        let rejected = victim.attempt().expect_err("the attack must be refused");
        check(&rejected);
        let after = victim.versions();
        assert!(
            before
                .iter()
                .zip(after)
                .all(|(before, after)| *before <= after),
            "from {before:?} to {after:?}"
        );
        let attacked = std::mem::replace(&mut victim.repository, self.repository.clone());
        if after == before {
            victim
                .attempt()
                .expect("the repository as it was is accepted");
        }
        victim.repository.rise_above(&attacked);
        victim.recovers();
    }

    /// Asserts that the client accepts what the repository publishes now and next (C-00).
    pub fn recovers(&mut self) {
        for _ in 0..2 {
            self.repository.publish();
            self.attempt().expect("the repaired repository is accepted");
        }
        let [_, timestamp, snapshot, targets] = self.versions();
        assert_eq!(
            [timestamp, snapshot, targets],
            [
                self.repository.timestamp.version(),
                self.repository.snapshot.version(),
                self.repository.targets.version()
            ]
        );
    }

    /// Asserts the exact error.
    pub fn refuses_with(
        &self,
        attack: impl FnOnce(&mut Repository),
        code: &str,
        expected: &Rejected,
    ) {
        self.refuses(attack, |rejected| {
            assert_eq!(rejected, expected);
            assert_eq!(rejected.code(), code);
        });
    }

    fn drive(&mut self, machine: &mut impl Machine) -> Result<(), Stop> {
        let policy = self.policy.clone();
        let driven = drive(machine, &policy, self);
        if let Err(Stop::Rejected(rejected)) = &driven {
            self.log.push(Op::Refused(rejected.code()));
        }
        driven
    }

    fn op(&mut self, op: Op) -> Result<(), Stop> {
        match &mut self.stop_after {
            Some(0) => return Err(Stop::Crash),
            Some(left) => *left -= 1,
            None => {}
        }
        self.log.push(op);
        Ok(())
    }
}

impl Surroundings for World {
    fn load(&mut self, item: &Item) -> Result<Option<Vec<u8>>, Stop> {
        self.op(Op::Load(item.clone()))?;
        Ok(self.store.get(item).cloned())
    }

    fn write(&mut self, write: Write) -> Result<(), Stop> {
        match write.kind {
            WriteKind::Put(bytes) => {
                self.op(Op::Put(write.item.clone()))?;
                self.store.insert(write.item, bytes.to_vec());
            }
            WriteKind::Delete => {
                self.op(Op::Delete(write.item.clone()))?;
                self.store.remove(&write.item);
            }
        }
        Ok(())
    }

    fn fetch(&mut self, fetch: &Fetch, mirror: usize) -> Result<Option<Reply>, Stop> {
        let url = fetch.file.url_path();
        if mirror == 0 {
            self.op(Op::Fetch(url.clone(), fetch.limit))?;
        }
        let mut servers = self.mirrors.iter().chain([&self.repository.files]);
        let reply = |files: &Files| files.get(&url).cloned().map_or(Reply::Absent, Reply::Bytes);
        Ok(servers.nth(mirror).map(reply))
    }

    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// The version in a metadata file of the JSON envelope.
pub(crate) fn version_of(bytes: &[u8]) -> Option<u64> {
    Value::parse(bytes)
        .ok()?
        .get("signed")?
        .get("version")?
        .as_u64()
}

/// Roots before the purge, that before timestamp, that before snapshot, that before targets (TUF §5); and the record just
/// before the file it speaks of, and at the very end.
fn check_order(log: &[Op]) {
    let rank = |op: &Op| match op {
        Op::Put(Item::Root(_) | Item::Role(RoleName::Root)) => Some(0),
        Op::Delete(_) => Some(1),
        Op::Put(Item::Role(RoleName::Timestamp)) => Some(2),
        Op::Put(Item::Role(RoleName::Snapshot)) => Some(3),
        Op::Put(Item::Role(RoleName::Targets)) => Some(4),
        _ => None,
    };
    let ranks: Vec<i32> = log.iter().filter_map(rank).collect();
    assert!(ranks.is_sorted(), "{log:#?}");
    for pair in log.windows(2) {
        if matches!(
            &pair[1],
            Op::Put(Item::Role(RoleName::Timestamp | RoleName::Snapshot))
        ) {
            assert_eq!(pair[0], Op::Put(Item::Record), "{log:#?}");
        }
    }
}
