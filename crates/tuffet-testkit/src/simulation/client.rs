//! Clients: the core itself, or whatever else can be asked to do the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use tuffet_core::crypto::Crypto;
use tuffet_core::metadata::{TargetFile, TargetPath, Tolerance, ToleranceSet, UnixTime, Version};
use tuffet_core::trust::{
    Audit, AuditedRole, Context, Covered, Event, Fetch, Found, Item, Mode, Policy, Refresh,
    Rejected, RemoteFile, Search, TrustAnchor, TrustedView, Write, WriteKind,
};

use super::artifact::Role;
use super::model::{LIMITS, Rules, SKEW, Slot};
use super::network::Url;
use super::signing::Signing;
use crate::driver::{Auditing, Reply, Stop, Surroundings, drive};

/// What a client keeps.
pub type Store = BTreeMap<Item, Arc<Vec<u8>>>;

/// A write that became durable; without bytes a removal.
pub type Written = (Item, Option<Arc<Vec<u8>>>);

/// What is asked of a client.
pub struct Call<'c> {
    /// Where trust begins.
    pub anchor: Arc<Vec<u8>>,
    /// What is asked of the repository.
    pub policy: &'c Policy,
    /// What the clock says.
    pub now: i64,
    /// Who verifies.
    pub signing: &'c dyn Signing,
    /// How many writes succeed before the disk fails.
    pub crash: Option<usize>,
    /// What a mirror answers.
    pub reply: &'c dyn Fn(usize, &Fetch) -> Option<Reply>,
    /// Everything that the mirrors have, for clients that cannot ask as they go; `None` where a file cannot be had, and what a
    /// mirror does not list it does not have.
    pub everything: &'c dyn Fn() -> Vec<Vec<(RemoteFile, Listing)>>,
    /// What is looked for.
    pub paths: Vec<TargetPath>,
    /// Whether nobody may be asked.
    pub offline: bool,
    /// Whether every role is looked at in the end.
    pub audit: bool,
    /// What is delivered for a target that was found: right or wrong bytes.
    pub body: &'c dyn Fn(&Found) -> Vec<u8>,
}

/// What a mirror has of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Bytes.
    Bytes(Arc<Vec<u8>>),
    /// Bytes that never end.
    Endless,
    /// The connection fails, or the answer says nothing.
    Failed,
}

/// How an operation of a client ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Something was refused, with this code.
    Refused(&'static str),
    /// No answer says anything.
    Unavailable,
    /// The disk failed.
    Crash,
}

/// A target that a client found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTarget {
    /// The role that lists it.
    pub role: Role,
    /// The length it must have.
    pub length: u64,
    /// Its hashes.
    pub hashes: Vec<Vec<u8>>,
    /// What came of checking the delivered bytes.
    pub checked: Result<(), &'static str>,
}

/// What a client did.
#[derive(Debug)]
pub struct Report {
    /// The writes that became durable, in order.
    pub writes: Vec<Written>,
    /// Root, timestamp, snapshot and targets as they are trusted now.
    pub refreshed: Result<[Arc<Vec<u8>>; 4], End>,
    /// What came of each search.
    pub found: Vec<Result<FoundTarget, End>>,
    /// What was found, in the words of the core.
    pub voices: Vec<Option<Found>>,
    /// What the audit came upon, and how it ended; if there was one.
    pub audited: Option<(Vec<Finding>, Result<(), End>)>,
}

/// A path, the length and the hashes that are listed, and whether clients find it there.
pub type AuditedTarget = (String, u64, Vec<Vec<u8>>, bool);

/// What an audit says about one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It was verified.
    Role {
        /// Who delegates to it; nobody to the top-level role.
        delegator: Option<Role>,
        /// Which it is.
        role: Role,
        /// Its bytes.
        bytes: Arc<Vec<u8>>,
        /// Why roles are not visited that it delegates to.
        unvisited: Vec<(&'static str, Role)>,
        /// Its targets: path, length, hashes, and whether clients find it here.
        targets: Vec<AuditedTarget>,
    },
    /// It is refused, with this code.
    Refused(&'static str),
}

/// A client.
pub trait Client {
    /// How many mirrors it asks in the order it is given.
    fn most_mirrors(&self) -> usize {
        usize::MAX
    }

    /// Refreshes, and if that goes well searches and downloads.
    fn update(&mut self, call: &Call<'_>, store: &mut Store) -> Report;
}

/// The policy that the model's rules describe.
#[must_use]
pub(crate) fn policy(rules: &Rules) -> Policy {
    let mut policy = Policy::default();
    let limits = &mut policy.limits;
    [
        limits.root,
        limits.timestamp,
        limits.snapshot,
        limits.targets,
        limits.signed_length,
    ] = LIMITS;
    limits.roots = rules.roots;
    limits.roles = u32::try_from(rules.roles).expect("few roles");
    let refuse = rules.refuse.codes().map(|code| {
        let name = code.strip_prefix("strict.").unwrap_or(code);
        Tolerance::from_name(name).expect("a tolerance")
    });
    policy.refuse = refuse.fold(ToleranceSet::NONE, ToleranceSet::with);
    policy.strict_local = rules.strict;
    policy.clock_skew = u32::try_from(SKEW).expect("minutes");
    policy.minimum_versions.root = Version::new(rules.least_root);
    policy.minimum_versions.snapshot = Version::new(rules.least_snapshot);
    policy
}

/// Where the simulation serves a file.
#[must_use]
pub(crate) fn url(file: &RemoteFile) -> Url {
    (
        Role::of(&file.role),
        file.version.map_or(0, Version::number),
    )
}

/// The item of a place in a store.
#[must_use]
pub(crate) fn item(slot: Slot) -> Item {
    match slot {
        Slot::History(version) => Item::Root(crate::version(version)),
        Slot::Current(role) => Item::Role(role.role_name()),
        Slot::Record => Item::Record,
    }
}

/// The core with an in-memory shell around it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Core;

struct Shell<'s, 'c> {
    call: &'s Call<'c>,
    store: &'s mut Store,
    writes: Vec<Written>,
}

impl Surroundings for Shell<'_, '_> {
    fn load(&mut self, item: &Item) -> Result<Option<Vec<u8>>, Stop> {
        Ok(self.store.get(item).map(|bytes| bytes.to_vec()))
    }

    fn write(&mut self, write: Write) -> Result<(), Stop> {
        if self
            .call
            .crash
            .is_some_and(|crash| self.writes.len() >= crash)
        {
            return Err(Stop::Crash);
        }
        match write.kind {
            WriteKind::Put(bytes) => {
                self.store.insert(write.item.clone(), Arc::clone(&bytes));
                self.writes.push((write.item, Some(bytes)));
            }
            WriteKind::Delete => {
                self.store.remove(&write.item);
                self.writes.push((write.item, None));
            }
        }
        Ok(())
    }

    fn fetch(&mut self, fetch: &Fetch, mirror: usize) -> Result<Option<Reply>, Stop> {
        Ok((self.call.reply)(mirror, fetch))
    }

    fn event(&mut self, _: Event) {}
}

fn end(stop: Stop) -> End {
    match stop {
        Stop::Rejected(rejected) => End::Refused(rejected.code()),
        Stop::Unavailable => End::Unavailable,
        Stop::Crash => End::Crash,
    }
}

impl Client for Core {
    fn update(&mut self, call: &Call<'_>, store: &mut Store) -> Report {
        let context = Context {
            crypto: call.signing.crypto(),
            policy: call.policy,
            now: UnixTime(call.now),
        };
        let mut shell = Shell {
            call,
            store,
            writes: Vec::new(),
        };
        let anchor = TrustAnchor::Root(call.anchor.to_vec());
        let mode = mode(call);
        let mut refresh = Refresh::new(anchor, mode, context);
        let (mut found, mut voices, mut audited) = (Vec::new(), Vec::new(), None);
        let refreshed = match drive(&mut refresh, call.policy, &mut shell) {
            Err(stop) => Err(end(stop)),
            Ok(()) => {
                let mut view = refresh.finish().expect("done");
                for path in &call.paths {
                    let (one, voice) = search(&mut view, path, context, &mut shell);
                    found.push(one);
                    voices.push(voice);
                    if found.last() == Some(&Err(End::Crash)) {
                        break;
                    }
                }
                let crashed = found.last() == Some(&Err(End::Crash));
                audited = (call.audit && !crashed).then(|| audit(&view, context, &mut shell));
                Ok(files(&view))
            }
        };
        Report {
            writes: shell.writes,
            refreshed,
            found,
            voices,
            audited,
        }
    }
}

fn mode(call: &Call<'_>) -> Mode {
    match call.offline {
        true => Mode::Offline,
        false => Mode::Online,
    }
}

fn audit(
    view: &TrustedView,
    context: Context<'_>,
    shell: &mut Shell<'_, '_>,
) -> (Vec<Finding>, Result<(), End>) {
    let (audit, top) = Audit::new(view.clone(), context);
    let mut auditing = Auditing {
        audit,
        findings: vec![Ok(top)],
    };
    let ended = drive(&mut auditing, context.policy, shell).map_err(end);
    let findings = auditing.findings.iter();
    let findings = findings.map(|finding| audited(finding, context.crypto));
    (findings.collect(), ended)
}

/// A finding in the words of the simulation.
#[must_use]
pub fn audited(finding: &Result<AuditedRole, Box<Rejected>>, crypto: &dyn Crypto) -> Finding {
    let audited = match finding {
        Ok(audited) => audited,
        Err(rejected) => return Finding::Refused(rejected.code()),
    };
    let unvisited = audited.unvisited().iter().map(|rejected| {
        let role = match rejected {
            Rejected::Unlisted { role } | Rejected::Unvisited { role } => Role::of(role),
            other => panic!("{other}"),
        };
        (rejected.code(), role)
    });
    let targets = audited.targets(crypto).map(|(found, covered)| {
        let path = found.path.as_str().to_owned();
        let (length, hashes) = (found.target.length, hashes(&found.target));
        (path, length, hashes, covered == Covered::Yes)
    });
    Finding::Role {
        delegator: audited.delegator().map(Role::of),
        role: Role::of(audited.role().role()),
        bytes: Arc::clone(audited.role().received()),
        unvisited: unvisited.collect(),
        targets: targets.collect(),
    }
}

/// The files of a view.
#[must_use]
pub fn files(view: &TrustedView) -> [Arc<Vec<u8>>; 4] {
    [
        Arc::clone(view.root().received()),
        Arc::clone(view.timestamp().received()),
        Arc::clone(view.snapshot().received()),
        Arc::clone(view.targets().received()),
    ]
}

fn search(
    view: &mut TrustedView,
    path: &TargetPath,
    context: Context<'_>,
    shell: &mut Shell<'_, '_>,
) -> (Result<FoundTarget, End>, Option<Found>) {
    let mut search = Search::new(view.clone(), path.clone(), mode(shell.call), context);
    if let Err(stop) = drive(&mut search, context.policy, shell) {
        return (Err(end(stop)), None);
    }
    let outcome = search.finish().expect("done");
    *view = outcome.view;
    match outcome.found {
        Err(rejected) => (Err(end(Stop::Rejected(*rejected))), None),
        Ok(found) => {
            let checked = found.check_bytes(&(shell.call.body)(&found), context.crypto);
            let checked = checked.map(drop).map_err(|rejected| rejected.code());
            (Ok(described(&found, checked)), Some(found))
        }
    }
}

fn hashes(target: &TargetFile) -> Vec<Vec<u8>> {
    let digests = target.hashes.digests().iter();
    digests.map(|digest| digest.as_bytes().to_vec()).collect()
}

/// A found target in the words of the simulation.
#[must_use]
pub fn described(found: &Found, checked: Result<(), &'static str>) -> FoundTarget {
    FoundTarget {
        role: Role::of(&found.role),
        length: found.target.length,
        hashes: hashes(&found.target),
        checked,
    }
}
