//! One client of one repository: a refresh, then searches and checks of targets.

use std::mem;
use std::sync::{Arc, OnceLock};

use tuffet_core::crypto::Crypto;
use tuffet_core::json::Value;
use tuffet_core::metadata::{TargetPath, UnixTime};
use tuffet_core::trust::{
    Answer, Context, Error, Event, Found, Mode, Policy, Refresh, Rejected, Search, Step,
    TargetCheck, TrustAnchor, TrustedView, WriteKind,
};

use crate::shown;

/// A client that is driven by JSON and bytes.
///
/// After [`new`](Self::new) a refresh is under way: [`step`](Self::step) and [`answer`](Self::answer) take turns until the step is
/// `done`, whose object says what is trusted. Then [`find`](Self::find) begins a search, which goes on in the same way and
/// ends in a target; [`begin_target`](Self::begin_target), [`target`](Self::target) and [`end_target`](Self::end_target) check its
/// bytes.
///
/// Whatever is refused is an object with the one member `error`: its `code`, its `class` and a `message`. The step stands after a
/// refused file of the repository, so that another mirror can be asked.
pub struct Session {
    crypto: &'static dyn Crypto,
    policy: &'static Policy,
    now: UnixTime,
    activity: Activity,
    view: Option<TrustedView>,
    found: Option<Found>,
    check: Option<TargetCheck>,
}

enum Activity {
    Refreshing(Box<Refresh<'static>>),
    Searching(Box<Search<'static>>),
    /// What the last activity came to.
    Idle(Value),
}

impl Session {
    /// Begins a refresh that trusts `anchor`, the bytes of a root, at the time `now` in seconds since 1970. A strict session forgives
    /// no deviation from the specification, and no damage of the store.
    #[must_use]
    pub fn new(anchor: Vec<u8>, now: i64, strict: bool, crypto: &'static dyn Crypto) -> Self {
        let policy = policy(strict);
        let now = UnixTime(now);
        let context = Context {
            crypto,
            policy,
            now,
        };
        let refresh = Refresh::new(TrustAnchor::Root(anchor), Mode::Online, context);
        Self {
            crypto,
            policy,
            now,
            activity: Activity::Refreshing(Box::new(refresh)),
            view: None,
            found: None,
            check: None,
        }
    }

    /// What is wanted now.
    ///
    /// * `{"step": "load", "item", "limit"}`: an item of the store, or that it is absent.
    /// * `{"step": "fetch", "file", "root", "limit", "length"?}`: a file below the metadata address, or that it is absent. `file` is
    ///   percent-encoded. Receiving stops one byte after `limit`, and what has arrived is the answer. `root` says whether absence
    ///   is an ordinary answer.
    /// * `{"step": "store", "writes": [{"item", "put"}]}`: durable changes in this order; the bytes of those that are put are
    ///   [`payload`](Self::payload)s.
    /// * `{"step": "done", …}`: the result of the refresh, or of the search.
    #[must_use]
    pub fn step(&mut self) -> Value {
        let step = match &self.activity {
            Activity::Refreshing(refresh) => refresh.step(),
            Activity::Searching(search) => search.step(),
            Activity::Idle(result) => return result.clone(),
        };
        match step {
            Step::Done => {
                let result = self.finish();
                self.activity = Activity::Idle(result.clone());
                result
            }
            step => shown::step(&step, &self.policy.limits),
        }
    }

    /// Answers the step: `{"events": […]}`, or what was refused, with the events before.
    #[must_use]
    pub fn answer(&mut self, answer: Answer) -> Value {
        let (result, events) = match &mut self.activity {
            Activity::Refreshing(refresh) => (refresh.answer(answer), refresh.take_events()),
            Activity::Searching(search) => (search.answer(answer), search.take_events()),
            Activity::Idle(_) => (Err(Error::Misuse("nothing was asked")), Vec::new()),
        };
        answered(result, &events)
    }

    /// The bytes of one write of a `store` step, by its place in the list; none for a deletion.
    #[must_use]
    pub fn payload(&self, place: usize) -> Option<Arc<Vec<u8>>> {
        let step = match &self.activity {
            Activity::Refreshing(refresh) => refresh.step(),
            Activity::Searching(search) => search.step(),
            Activity::Idle(_) => return None,
        };
        let Step::Store(writes) = step else {
            return None;
        };
        match &writes.get(place)?.kind {
            WriteKind::Put(bytes) => Some(Arc::clone(bytes)),
            WriteKind::Delete => None,
        }
    }

    /// Begins to search the target of this path, in UTF-8, in what the refresh came to: `{}`, or an error.
    #[must_use]
    pub fn find(&mut self, path: &[u8]) -> Value {
        let Some(view) = self.view.clone() else {
            return shown::error(&Error::Misuse("there is no view yet; refresh first"));
        };
        let named = std::str::from_utf8(path).ok();
        let Some(path) = named.and_then(|path| TargetPath::new(path).ok()) else {
            return shown::bad_path(&String::from_utf8_lossy(path));
        };
        (self.found, self.check) = (None, None);
        let search = Search::new(view, path, Mode::Online, self.context());
        self.activity = Activity::Searching(Box::new(search));
        shown::nothing()
    }

    /// Begins to check the bytes of the target that was found.
    #[must_use]
    pub fn begin_target(&mut self) -> Value {
        match &self.found {
            Some(found) => {
                self.check = Some(found.check(self.crypto));
                shown::nothing()
            }
            None => shown::error(&Error::Misuse("no target was found")),
        }
    }

    /// Checks the next bytes of the target: refuses the first byte too many.
    #[must_use]
    pub fn target(&mut self, bytes: &[u8]) -> Value {
        let Some(check) = &mut self.check else {
            return shown::error(&Error::Misuse("no target is being checked"));
        };
        match check.update(bytes) {
            Ok(()) => shown::nothing(),
            Err(rejected) => {
                self.check = None;
                shown::error(&rejected.into())
            }
        }
    }

    /// Ends the check: `{}` if length and every listed hash are right.
    #[must_use]
    pub fn end_target(&mut self) -> Value {
        match self.check.take().map(TargetCheck::finish) {
            Some(Ok(_)) => shown::nothing(),
            Some(Err(rejected)) => shown::error(&rejected.into()),
            None => shown::error(&Error::Misuse("no target is being checked")),
        }
    }

    fn context(&self) -> Context<'static> {
        Context {
            crypto: self.crypto,
            policy: self.policy,
            now: self.now,
        }
    }

    fn finish(&mut self) -> Value {
        match mem::replace(&mut self.activity, Activity::Idle(Value::Null)) {
            Activity::Refreshing(refresh) => match refresh.finish() {
                Ok(view) => {
                    let shown = shown::view(&view);
                    self.view = Some(view);
                    shown
                }
                Err(error) => shown::error(&error),
            },
            Activity::Searching(search) => match search.finish() {
                Ok(outcome) => {
                    self.view = Some(outcome.view);
                    self.take_found(outcome.found)
                }
                Err(error) => shown::error(&error),
            },
            Activity::Idle(result) => result,
        }
    }

    fn take_found(&mut self, found: Result<Found, Box<Rejected>>) -> Value {
        match found {
            Ok(found) => {
                let shown = shown::found(&found);
                self.found = Some(found);
                shown
            }
            Err(rejected) => shown::error(&Error::Rejected(rejected)),
        }
    }
}

fn answered(result: Result<(), Error>, events: &[Event]) -> Value {
    let mut value = match result {
        Ok(()) => shown::nothing(),
        Err(error) => shown::error(&error),
    };
    if let Some(members) = value.as_object_mut() {
        members.insert("events".to_owned(), shown::events(events));
    }
    value
}

fn policy(strict: bool) -> &'static Policy {
    static DEFAULT: OnceLock<Policy> = OnceLock::new();
    static STRICT: OnceLock<Policy> = OnceLock::new();
    if strict {
        STRICT.get_or_init(Policy::strict)
    } else {
        DEFAULT.get_or_init(Policy::default)
    }
}
