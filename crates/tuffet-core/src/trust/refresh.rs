//! One refresh, step by step, for a shell that moves bytes (TUF §5.2 to §5.6).

mod state;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::phases::Origin;
use super::record::Record;
use super::roots::{Predecessors, stored_version};
use super::{
    Answer, Context, Error, Event, Item, Refused, Rejected, Roots, Step, TrustedView, Verified,
    WithRoot, WithSnapshot, WithTimestamp,
};
use crate::metadata::{Role, RoleName, Version};
use state::State;

/// Where trust begins (rule O-06).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustAnchor {
    /// The bytes of a root file that came with the application or from a person. Stored roots only count as its successors.
    Root(Vec<u8>),
    /// The stored root alone. Whoever can write the store then decides what is trusted.
    DangerousStoredRoot,
}

/// Whether the repository is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// The repository is asked for anything newer.
    Online,
    /// Only the store is read; every byte of it is verified all the same, as of the time of the refresh.
    Offline,
}

/// A refresh: tells a shell what to load, fetch and store, and ends in a [`TrustedView`].
///
/// After a refused answer to a [`Step::Fetch`] the same step stands, so that a shell can ask the next mirror.
///
/// ```
/// use tuffet_core::trust::{Answer, Context, Mode, Policy, Refresh, Step, TrustAnchor};
/// # use tuffet_core::crypto::{Crypto, Digest, HashAlgorithm, Hasher, SignatureCheck, Verdict};
/// # use tuffet_core::metadata::UnixTime;
/// # struct NoCrypto;
/// # impl Crypto for NoCrypto {
/// #     fn digest(&self, _: HashAlgorithm, _: &[u8]) -> Digest { Digest::sha256([0; 32]) }
/// #     fn hasher(&self, _: HashAlgorithm) -> Box<dyn Hasher> { unimplemented!() }
/// #     fn verify(&self, _: &SignatureCheck<'_>) -> Verdict { Verdict::Invalid }
/// # }
/// # let crypto = NoCrypto;
/// let policy = Policy::default();
/// let context = Context { crypto: &crypto, policy: &policy, now: UnixTime(1_800_000_000) };
/// let mut refresh = Refresh::new(TrustAnchor::Root(b"not a root".to_vec()), Mode::Online, context);
/// // A shell loops over the steps; here the first two answers show that the anchor is no root.
/// assert!(matches!(refresh.step(), Step::Load(_)));
/// let error = refresh.answer(Answer::Absent).unwrap_err();
/// assert_eq!(error.to_string(), "root metadata is malformed");
/// ```
#[derive(Debug)]
pub struct Refresh<'c> {
    cx: Context<'c>,
    mode: Mode,
    state: State<'c>,
    record: Record,
    /// Whether there was a record in the store.
    remembers: bool,
    /// The version of a stored root that is newer than the chain has come so far.
    root_floor: Option<Version>,
    roots_taken: u32,
    events: Vec<Event>,
}

const MISFIT: &str = "the answer does not fit the step";

/// The next state, or the state to stay in and why.
type Turn<'c> = Result<State<'c>, Box<(State<'c>, Error)>>;

fn stay<'c, T>(state: State<'c>, error: impl Into<Error>) -> Result<T, Box<(State<'c>, Error)>> {
    Err(Box::new((state, error.into())))
}

/// Maps a refusal back to the state it came from.
fn refused<'c, S, T>(
    back: impl FnOnce(S) -> State<'c>,
    refused: Refused<S>,
) -> Result<T, Box<(State<'c>, Error)>> {
    let (state, error) = refused.into_parts();
    stay(back(state), error)
}

impl<'c> Refresh<'c> {
    /// Begins a refresh. Its time is that of the context (C-01).
    #[must_use]
    pub fn new(anchor: TrustAnchor, mode: Mode, cx: Context<'c>) -> Self {
        Self {
            cx,
            mode,
            state: State::LoadRecord(anchor),
            record: Record::default(),
            remembers: false,
            root_floor: None,
            roots_taken: 0,
            events: Vec::new(),
        }
    }

    /// What is wanted now; the same until it is answered.
    #[must_use]
    pub fn step(&self) -> Step {
        self.state
            .step(&self.record, self.root_floor, self.cx.crypto)
    }

    /// Answers the step.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the answer, or what it brings to light, must not be trusted; a fetch stands then.
    /// [`Error::Misuse`] if the answer does not fit the step.
    pub fn answer(&mut self, answer: Answer) -> Result<(), Error> {
        // A store that was never read must not pass for an empty one: that would be a refresh without floors.
        if (answer == Answer::Stored) != self.state.stores() {
            return Err(Error::Misuse(MISFIT));
        }
        let state = mem::replace(&mut self.state, State::Busy);
        match self.turn(state, answer) {
            Ok(next) => {
                self.state = next;
                Ok(())
            }
            Err(back) => {
                let (state, error) = *back;
                self.state = state;
                Err(error)
            }
        }
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        mem::take(&mut self.events)
    }

    /// The result, once the step is [`Step::Done`].
    ///
    /// # Errors
    /// [`Error::Misuse`] before that.
    pub fn finish(self) -> Result<TrustedView, Error> {
        match self.state {
            State::Done(view) => Ok(view),
            _ => Err(Error::Misuse("the refresh is not done")),
        }
    }

    fn turn(&mut self, state: State<'c>, answer: Answer) -> Turn<'c> {
        match (state, answer) {
            (State::LoadRecord(anchor), answer) => self.record_loaded(anchor, loaded(answer)),
            (State::LoadAnchor, Answer::Bytes(bytes)) => self.anchor(bytes, State::LoadAnchor),
            (State::LoadAnchor, _) => stay(
                State::LoadAnchor,
                Rejected::Offline {
                    item: Item::Role(RoleName::Root),
                },
            ),
            (State::LoadPredecessor(roots, seen, item), answer) => {
                Ok(predecessor_loaded(roots, seen, &item, loaded(answer)))
            }
            (State::LoadHistory(roots), answer) => self.history_loaded(roots, loaded(answer)),
            (State::LoadCurrentRoot(roots), answer) => {
                self.current_root_loaded(roots, loaded(answer))
            }
            (State::StoreCurrentRoot(roots), Answer::Stored) => self.begin_root(roots),
            (State::FetchRoot(roots), Answer::Absent) => self.settle(roots, State::FetchRoot),
            (State::FetchRoot(roots), Answer::Bytes(bytes)) => self.root_fetched(roots, bytes),
            (State::StoreRoot(roots, _), Answer::Stored) => self.begin_root(roots),
            (State::LoadTimestamp(phase), answer) => self.timestamp_loaded(phase, loaded(answer)),
            (State::LoadSnapshot(phase), answer) => self.snapshot_loaded(phase, loaded(answer)),
            (State::Purge(phase), Answer::Stored) => self.begin_timestamp(phase),
            (State::FetchTimestamp(phase), Answer::Bytes(bytes)) => match phase.timestamp(bytes) {
                Ok(phase) => self.timestamp_accepted(phase),
                Err(error) => refused(State::FetchTimestamp, error),
            },
            (State::FetchTimestamp(phase), Answer::Absent) => {
                missing(RoleName::Timestamp, None, State::FetchTimestamp(phase))
            }
            (State::StoreTimestamp(phase), Answer::Stored) => self.begin_snapshot(phase),
            (State::FetchSnapshot(phase), Answer::Bytes(bytes)) => match phase.snapshot(bytes) {
                Ok(phase) => Ok(self.snapshot_fetched(phase)),
                Err(error) => refused(State::FetchSnapshot, error),
            },
            (State::FetchSnapshot(phase), Answer::Absent) => missing(
                RoleName::Snapshot,
                phase.fetch().file.version,
                State::FetchSnapshot(phase),
            ),
            (State::StoreSnapshot(phase), Answer::Stored) => Ok(State::LoadTargets(phase)),
            (State::LoadTargets(phase), answer) => self.targets_loaded(phase, loaded(answer)),
            (State::FetchTargets(phase), Answer::Bytes(bytes)) => match phase.targets(bytes) {
                Ok(view) => {
                    self.accepted(view.targets(), false);
                    Ok(State::StoreTargets(view))
                }
                Err(error) => refused(State::FetchTargets, error),
            },
            (State::FetchTargets(phase), Answer::Absent) => missing(
                RoleName::Targets,
                phase.fetch().file.version,
                State::FetchTargets(phase),
            ),
            (State::StoreTargets(view), Answer::Stored) => Ok(self.complete(view)),
            (State::StoreRecord(view), Answer::Stored) => Ok(State::Done(view)),
            (state, _) => stay(state, Error::Misuse(MISFIT)),
        }
    }

    /// Reads what is remembered, looks at the clock (core rule 4.5) and trusts the anchor.
    fn record_loaded(&mut self, anchor: TrustAnchor, bytes: Option<Vec<u8>>) -> Turn<'c> {
        if let Some(bytes) = bytes {
            match Record::parse(&bytes, self.cx.crypto) {
                Ok(record) => (self.record, self.remembers) = (record, true),
                Err(error) => {
                    let reason = Rejected::Format {
                        role: RoleName::Root,
                        error: Box::new(error),
                    };
                    if let Err(error) = self.ignore(Item::Record, reason) {
                        return stay(State::LoadRecord(anchor), error);
                    }
                }
            }
        }
        if let Err(error) = self.check_clock() {
            return stay(State::LoadRecord(anchor), error);
        }
        match anchor {
            TrustAnchor::DangerousStoredRoot => Ok(State::LoadAnchor),
            TrustAnchor::Root(bytes) => {
                self.anchor(bytes.clone(), State::LoadRecord(TrustAnchor::Root(bytes)))
            }
        }
    }

    fn check_clock(&mut self) -> Result<(), Rejected> {
        let now = self.cx.now;
        match self.record.last_refresh {
            Some(last) if now.0.saturating_add(i64::from(self.cx.policy.clock_skew)) < last.0 => {
                if self.cx.policy.strict_local {
                    return Err(Rejected::Clock { now, last });
                }
                self.events.push(Event::ClockBack { now, last });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn anchor(&mut self, bytes: Vec<u8>, back: State<'c>) -> Turn<'c> {
        match Roots::trust(bytes, self.cx) {
            Ok(roots) => {
                self.accepted(roots.trusted(), true);
                let anchor = roots.trusted().version();
                self.root_floor = self.record.roots().max();
                Ok(match self.record.roots().min() {
                    Some(first) if first < anchor => {
                        let item = Item::Root(first);
                        State::LoadPredecessor(roots, Box::default(), item)
                    }
                    _ => State::LoadHistory(roots),
                })
            }
            Err(error) => stay(back, error),
        }
    }

    /// Stored roots count only as successors of the anchor (A-32).
    fn history_loaded(&mut self, roots: Roots<'c>, bytes: Option<Vec<u8>>) -> Turn<'c> {
        let Some(bytes) = bytes else {
            return Ok(State::LoadCurrentRoot(roots));
        };
        let item = Item::Root(roots.next_version());
        match roots.accept(bytes) {
            Ok(roots) => {
                self.accepted(roots.trusted(), true);
                Ok(State::LoadHistory(roots))
            }
            Err(error) => {
                let (roots, error) = error.into_parts();
                // A policy that has become stricter must not be a way back to an older root.
                if matches!(error, Rejected::Strict { .. }) {
                    return stay(State::LoadHistory(roots), error);
                }
                match self.ignore(item, error) {
                    Ok(()) => Ok(State::LoadCurrentRoot(roots)),
                    Err(error) => stay(State::LoadHistory(roots), error),
                }
            }
        }
    }

    /// Keeps the copy of the current root true, for people and other tools, unless it is newer than the history reaches.
    ///
    /// The way to a newer copy is lost then. It counts as a floor: the repository has to show the way again, and until it
    /// does the copy stays.
    fn current_root_loaded(&mut self, roots: Roots<'c>, bytes: Option<Vec<u8>>) -> Turn<'c> {
        if bytes.as_ref() == Some(&**roots.trusted().received()) {
            return self.begin_root(roots);
        }
        if let Some(stored) = bytes.map(|bytes| stored_version(bytes, self.cx)) {
            let item = Item::Role(RoleName::Root);
            match stored.or_else(|reason| self.ignore(item, reason).map(|()| Version::FIRST)) {
                Ok(stored) => self.root_floor = self.root_floor.max(Some(stored)),
                Err(error) => return stay(State::LoadCurrentRoot(roots), error),
            }
        }
        if self.root_floor > Some(roots.trusted().version()) {
            return self.begin_root(roots);
        }
        Ok(State::StoreCurrentRoot(roots))
    }

    fn begin_root(&mut self, roots: Roots<'c>) -> Turn<'c> {
        if self.mode == Mode::Offline {
            return self.settle(roots, State::LoadCurrentRoot);
        }
        if self.roots_taken < self.cx.policy.limits.roots {
            return Ok(State::FetchRoot(roots));
        }
        self.events.push(Event::RootLimitReached {
            version: roots.trusted().version(),
        });
        self.settle(roots, |roots| State::StoreRoot(roots, None))
    }

    fn root_fetched(&mut self, roots: Roots<'c>, bytes: Vec<u8>) -> Turn<'c> {
        let before = roots.trusted().clone();
        match roots.accept(bytes) {
            Ok(roots) => {
                // The first one may follow an anchor of which there is nothing but the copy that is written over now.
                let before = (self.roots_taken == 0).then_some(before);
                self.roots_taken = self.roots_taken.saturating_add(1);
                self.accepted(roots.trusted(), false);
                Ok(State::StoreRoot(roots, before))
            }
            Err(error) => refused(State::FetchRoot, error),
        }
    }

    fn settle(&mut self, roots: Roots<'c>, back: fn(Roots<'c>) -> State<'c>) -> Turn<'c> {
        let offered = roots.trusted().version();
        if let Some(trusted) = self.root_floor.filter(|&floor| floor > offered) {
            return stay(back(roots), root_rollback(trusted, offered));
        }
        roots
            .settle()
            .map(State::LoadTimestamp)
            .or_else(|error| refused(back, error))
    }

    fn timestamp_loaded(&mut self, mut phase: WithRoot<'c>, bytes: Option<Vec<u8>>) -> Turn<'c> {
        let acceptances = &mut self.record.timestamp;
        let accepted_by = acceptances.of_stored(bytes.as_deref(), self.cx.crypto);
        let Some(bytes) = bytes else {
            return Ok(State::LoadSnapshot(phase));
        };
        if is_void(&phase, accepted_by) {
            return Ok(State::Purge(phase.forget()));
        }
        match phase.restore_accepted_timestamp(bytes, accepted_by.is_some()) {
            Ok(()) => Ok(State::LoadSnapshot(phase)),
            Err(reason) => match self.ignore_floor(RoleName::Timestamp, accepted_by, reason) {
                Ok(()) => Ok(State::LoadSnapshot(phase)),
                Err(error) => stay(State::LoadTimestamp(phase), error),
            },
        }
    }

    fn snapshot_loaded(&mut self, mut phase: WithRoot<'c>, bytes: Option<Vec<u8>>) -> Turn<'c> {
        let acceptances = &mut self.record.snapshot;
        let accepted_by = acceptances.of_stored(bytes.as_deref(), self.cx.crypto);
        if let Some(bytes) = bytes {
            if is_void(&phase, accepted_by) {
                return Ok(State::Purge(phase.forget()));
            }
            let restored = phase.restore_accepted_snapshot(bytes, accepted_by.is_some());
            if let Err(error) = restored
                .or_else(|reason| self.ignore_floor(RoleName::Snapshot, accepted_by, reason))
            {
                return stay(State::LoadSnapshot(phase), error);
            }
        }
        self.begin_timestamp(phase)
    }

    fn begin_timestamp(&mut self, phase: WithRoot<'c>) -> Turn<'c> {
        if let Some(root) = phase.purged() {
            self.events.push(Event::Purged { root });
        }
        if self.mode == Mode::Online {
            return Ok(State::FetchTimestamp(phase));
        }
        match phase.keep_timestamp() {
            Ok(phase) => self.timestamp_accepted(phase),
            Err(error) => refused(State::LoadSnapshot, error),
        }
    }

    fn timestamp_accepted(&mut self, phase: WithTimestamp<'c>) -> Turn<'c> {
        match phase.origin() {
            Origin::Stored { equivocation } => {
                if equivocation {
                    self.events.push(Event::Equivocation {
                        role: RoleName::Timestamp,
                        version: phase.timestamp().version(),
                    });
                }
                self.accepted(phase.timestamp(), true);
                self.record.timestamp.keep(
                    phase.timestamp().received(),
                    phase.root_version(),
                    self.cx.crypto,
                );
                self.begin_snapshot(phase)
            }
            Origin::Offered => {
                self.accepted(phase.timestamp(), false);
                self.record.timestamp.add(
                    phase.timestamp().received(),
                    phase.root_version(),
                    self.cx.crypto,
                );
                Ok(State::StoreTimestamp(phase))
            }
        }
    }

    fn begin_snapshot(&mut self, phase: WithTimestamp<'c>) -> Turn<'c> {
        match phase.keep_snapshot() {
            Ok(phase) => {
                self.accepted(phase.snapshot(), true);
                self.record.snapshot.keep(
                    phase.snapshot().received(),
                    phase.root_version(),
                    self.cx.crypto,
                );
                Ok(State::LoadTargets(phase))
            }
            Err(error) if self.mode == Mode::Offline => refused(State::StoreTimestamp, error),
            Err(error) => Ok(State::FetchSnapshot(error.into_parts().0)),
        }
    }

    fn snapshot_fetched(&mut self, phase: WithSnapshot<'c>) -> State<'c> {
        self.accepted(phase.snapshot(), false);
        let (root, crypto) = (phase.root_version(), self.cx.crypto);
        self.record
            .snapshot
            .add_digest(phase.snapshot_digest(crypto), root);
        State::StoreSnapshot(phase)
    }

    fn targets_loaded(&mut self, phase: WithSnapshot<'c>, bytes: Option<Vec<u8>>) -> Turn<'c> {
        let Some(bytes) = bytes else {
            return if self.mode == Mode::Online {
                Ok(State::FetchTargets(phase))
            } else {
                stay(
                    State::LoadTargets(phase),
                    Rejected::Offline {
                        item: Item::Role(RoleName::Targets),
                    },
                )
            };
        };
        match phase.targets(bytes) {
            Ok(view) => {
                self.accepted(view.targets(), true);
                Ok(self.complete(view))
            }
            Err(error) if self.mode == Mode::Offline => refused(State::LoadTargets, error),
            // Most often the stored file is just older than the one that snapshot lists now.
            Err(error) => Ok(State::FetchTargets(error.into_parts().0)),
        }
    }

    /// Only a full refresh with the repository says anything about the time of the last one.
    fn complete(&mut self, view: TrustedView) -> State<'c> {
        if self.mode == Mode::Offline {
            return State::Done(view);
        }
        self.record.last_refresh = Some(self.cx.now);
        State::StoreRecord(view)
    }

    fn accepted<R: Role>(&mut self, file: &Verified<R>, local: bool) {
        let role = file.role();
        self.events.push(Event::Accepted {
            role: role.clone(),
            version: file.version(),
            local,
        });
        self.events
            .extend(file.notes().iter().map(|note| Event::Tolerated {
                role: role.clone(),
                note: note.clone(),
            }));
    }

    /// A stored file that cannot be trusted is ignored and reported; a strict policy stops (A-34).
    fn ignore(&mut self, item: Item, reason: Rejected) -> Result<(), Rejected> {
        if self.cx.policy.strict_local {
            return Err(Rejected::Cache { item });
        }
        self.events.push(Event::CacheIgnored {
            item,
            reason: Box::new(reason),
        });
        Ok(())
    }

    /// As [`Self::ignore`]; but a file that the present keys have not signed is what a rotation leaves behind, not damage, unless
    /// the record knows that it is not the file which was accepted.
    fn ignore_floor(
        &mut self,
        role: RoleName,
        accepted_by: Option<Version>,
        reason: Rejected,
    ) -> Result<(), Rejected> {
        match reason {
            Rejected::Threshold { .. } if accepted_by.is_some() || !self.remembers => {
                self.events.push(Event::CacheIgnored {
                    item: Item::Role(role),
                    reason: Box::new(reason),
                });
                Ok(())
            }
            reason => self.ignore(Item::Role(role), reason),
        }
    }
}

/// Goes through the history from before the anchor; where it breaks off, the copy of the current root may go on.
fn predecessor_loaded<'c>(
    roots: Roots<'c>,
    mut seen: Box<Predecessors>,
    item: &Item,
    bytes: Option<Vec<u8>>,
) -> State<'c> {
    let anchor = roots.trusted().version();
    let noted = bytes.is_some_and(|bytes| seen.note(bytes, anchor));
    let next = match item {
        Item::Root(_) if !noted => Some(Item::Role(RoleName::Root)),
        Item::Root(version) => Some(version.next())
            .filter(|next| *next < anchor)
            .map(Item::Root),
        _ => None,
    };
    match next {
        Some(item) => State::LoadPredecessor(roots, seen, item),
        None => State::LoadHistory(roots.follow(&seen)),
    }
}

/// The bytes of an answer to a load.
fn loaded(answer: Answer) -> Option<Vec<u8>> {
    match answer {
        Answer::Bytes(bytes) => Some(bytes),
        Answer::Absent | Answer::Stored => None,
    }
}

/// Whether a root that came later than the one that accepted a stored file removed a key (C-11, A-15).
///
/// Without a record the file only has to verify under the present root, which keeps the floor.
fn is_void(phase: &WithRoot<'_>, accepted_by: Option<Version>) -> bool {
    matches!((phase.rotated(), accepted_by), (Some(rotated), Some(accepted_by)) if rotated > accepted_by)
}

fn root_rollback(trusted: Version, offered: Version) -> Rejected {
    Rejected::Rollback {
        role: RoleName::Root,
        trusted,
        offered,
    }
}

fn missing<'c>(role: RoleName, version: Option<Version>, back: State<'c>) -> Turn<'c> {
    stay(back, Rejected::Missing { role, version })
}
