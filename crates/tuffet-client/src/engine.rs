//! What the blocking and the asynchronous updater have in common: everything but waiting.
//!
//! An operation runs on one thread and asks [`Transport`](crate::transport::Transport)s. The blocking updater hands its own over;
//! the asynchronous one hands over bridges to a task. So there is one way through a refresh, and the two cannot differ.

mod drive;
mod link;
mod receive;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tuffet_core::crypto::Crypto;
use tuffet_core::metadata::{TargetPath, UnixTime};
use tuffet_core::trust::{
    self, Audit, AuditedRole, Context, Found, Item, Policy, Proof, Refresh, Rejected, Search,
    TrustAnchor, TrustedView,
};

pub(crate) use link::{Asked, Link, Reply};
pub(crate) use receive::stream_error;

use crate::{Clock, Error, FileDeadline, Mode, Observer, Retry, Source, Store};

/// What an updater is made of, without its transports.
pub(crate) struct Engine {
    pub(crate) anchor: TrustAnchor,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sources: Vec<Source>,
    pub(crate) policy: Policy,
    pub(crate) mode: Mode,
    pub(crate) retry: Retry,
    pub(crate) deadline: Option<Duration>,
    pub(crate) file_deadline: Option<FileDeadline>,
    pub(crate) target_deadline: Option<FileDeadline>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) crypto: &'static dyn Crypto,
    pub(crate) held: Mutex<Held>,
}

/// The outcome of the last refresh.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    view: Option<TrustedView>,
    /// Whether the repository was not asked.
    cached: bool,
    /// Counts refreshes, so that a search does not put back the view of an earlier one.
    refresh: u64,
}

impl Engine {
    pub(crate) fn refresh(&self, link: &Link<'_>) -> Result<TrustedView, Error> {
        let now = self.now();
        let cx = self.context(now);
        let _lock = self.store.lock()?;
        match self.mode {
            Mode::Online => self.refresh_in(link, trust::Mode::Online, cx),
            Mode::OfflineAsOf(_) => self.refresh_in(link, trust::Mode::Offline, cx),
            Mode::PreferCache { max_age } => {
                if self.is_young(now, max_age)?
                    && let Ok(view) = self.refresh_in(link, trust::Mode::Offline, cx)
                {
                    return Ok(view);
                }
                self.refresh_in(link, trust::Mode::Online, cx)
            }
        }
    }

    /// Searches in the view of the last refresh; without one, or when something in it has expired since, refreshes first.
    pub(crate) fn find(&self, link: &Link<'_>, path: &TargetPath) -> Result<Found, Error> {
        let mut held = self.held().clone();
        let now = self.now();
        if held
            .view
            .as_ref()
            .is_none_or(|view| view.fresh_until() <= now)
        {
            self.refresh(link)?;
            held = self.held().clone();
        }
        match self.search(link, &held, path) {
            // A role that the cached snapshot lists may be gone from the repository by now. This decides when to ask, not what to
            // trust: the core judges the second answer like the first one, with the same floors, and a target that the cached
            // roles do not list stays unlisted for as long as the caller said that the cache is good enough.
            Err(Error::Rejected(refusal))
                if held.cached
                    && matches!(self.mode, Mode::PreferCache { .. })
                    && !matches!(refusal.rejected, Rejected::NotFound { .. }) =>
            {
                let cx = self.context(self.clock.now());
                {
                    let _lock = self.store.lock()?;
                    self.refresh_in(link, trust::Mode::Online, cx)?;
                }
                let held = self.held().clone();
                self.search(link, &held, path)
            }
            result => result,
        }
    }

    /// The view of the last refresh.
    pub(crate) fn view(&self) -> Option<TrustedView> {
        self.held().view.clone()
    }

    /// Why a target is trusted.
    pub(crate) fn proof(&self, found: &Found) -> Result<Proof, Error> {
        let view = self.view().ok_or(NOT_REFRESHED)?;
        let proof = view.proof(found);
        let current = proof.steps.iter().skip(3).all(|step| {
            view.snapshot()
                .listed(&step.role)
                .is_some_and(|listed| listed.version == step.version)
        });
        if current {
            Ok(proof)
        } else {
            Err(Error::Misuse(
                "the target was found before the last refresh; find it again",
            ))
        }
    }

    /// Fetches and verifies every delegated role, and hands each over as it comes.
    pub(crate) fn audit(
        &self,
        link: &Link<'_>,
        visit: &mut dyn FnMut(Result<AuditedRole, Box<Rejected>>),
    ) -> Result<(), Error> {
        let view = self.view().ok_or(NOT_REFRESHED)?;
        let (audit, targets) = Audit::new(view, self.context(self.clock.now()));
        visit(Ok(targets));
        let mut auditing = drive::Auditing {
            audit,
            findings: Vec::new(),
        };
        loop {
            let done = drive::turn(self, link, &mut auditing)?;
            auditing.findings.drain(..).for_each(&mut *visit);
            if done {
                return Ok(());
            }
        }
    }

    fn context(&self, now: UnixTime) -> Context<'_> {
        Context {
            crypto: self.crypto,
            policy: &self.policy,
            now,
        }
    }

    /// The moment that expiries are checked against.
    fn now(&self) -> UnixTime {
        match self.mode {
            Mode::OfflineAsOf(time) => time,
            Mode::Online | Mode::PreferCache { .. } => self.clock.now(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_young(&self, now: UnixTime, max_age: Duration) -> Result<bool, Error> {
        let most = self.policy.limits.of_stored(&Item::Record);
        let record = self.store.load(&Item::Record, most)?;
        let Some(last) = record.and_then(|record| trust::last_refresh(&record, self.crypto)) else {
            return Ok(false);
        };
        // A time to come is no age.
        let age = now
            .0
            .checked_sub(last.0)
            .and_then(|age| u64::try_from(age).ok());
        Ok(age.is_some_and(|age| age <= max_age.as_secs()))
    }

    /// Refreshes with the lock held.
    fn refresh_in(
        &self,
        link: &Link<'_>,
        mode: trust::Mode,
        cx: Context<'_>,
    ) -> Result<TrustedView, Error> {
        let mut refresh = Refresh::new(self.anchor.clone(), mode, cx);
        drive::run(self, link, &mut refresh)?;
        let view = refresh.finish()?;
        let mut held = self.held();
        *held = Held {
            view: Some(view.clone()),
            cached: mode == trust::Mode::Offline,
            refresh: held.refresh.wrapping_add(1),
        };
        Ok(view)
    }

    fn search(&self, link: &Link<'_>, held: &Held, path: &TargetPath) -> Result<Found, Error> {
        let view = held.view.clone().ok_or(NOT_REFRESHED)?;
        let mode = match self.mode {
            Mode::OfflineAsOf(_) => trust::Mode::Offline,
            Mode::Online | Mode::PreferCache { .. } => trust::Mode::Online,
        };
        let cx = self.context(view.started());
        let mut search = Search::new(view, path.clone(), mode, cx);
        if search.step() != trust::Step::Done {
            let _lock = self.store.lock()?;
            drive::run(self, link, &mut search)?;
        }
        let outcome = search.finish()?;
        let mut now_held = self.held();
        if now_held.refresh == held.refresh {
            now_held.view = Some(outcome.view);
        }
        outcome.found.map_err(|rejected| (*rejected).into())
    }
}

const NOT_REFRESHED: Error = Error::Misuse("there is no view yet; refresh first");
