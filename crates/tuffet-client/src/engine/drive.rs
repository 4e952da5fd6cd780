//! Answering the steps of the core.

use std::time::{Duration, Instant};

use tuffet_core::metadata::RoleName;
use tuffet_core::trust::{
    Answer, Audit, AuditedRole, Error as CoreError, Event, Fetch, Refresh, Rejected, RemoteFile,
    Search, Step, WithoutFile,
};

use super::receive::receive;
use super::{Asked, Engine, Link, Reply};
use crate::Error;
use crate::deadline::{Timed, passed};
use crate::error::{Attempt, Failure};
use crate::observer::{Notice, Subject};
use crate::source::without_secrets;
use crate::transport::{Request, TransportError};

/// What the machines of the core have in common.
pub(super) trait Machine {
    fn step(&self) -> Step;
    fn answer(&mut self, answer: Answer) -> Result<(), CoreError>;
    fn take_events(&mut self) -> Vec<Event>;
}

macro_rules! machine {
    ($machine:ident, $events:expr) => {
        impl Machine for $machine<'_> {
            fn step(&self) -> Step {
                $machine::step(self)
            }

            fn answer(&mut self, answer: Answer) -> Result<(), CoreError> {
                $machine::answer(self, answer)
            }

            fn take_events(&mut self) -> Vec<Event> {
                $events(self)
            }
        }
    };
}

machine!(Refresh, Refresh::take_events);
machine!(Search, Search::take_events);

/// An audit as a machine: a role that must not be trusted is a finding, not the end.
pub(super) struct Auditing<'c> {
    pub(super) audit: Audit<'c>,
    pub(super) findings: Vec<Result<AuditedRole, Box<Rejected>>>,
}

impl Machine for Auditing<'_> {
    fn step(&self) -> Step {
        self.audit.fetch().map_or(Step::Done, Step::Fetch)
    }

    fn answer(&mut self, answer: Answer) -> Result<(), CoreError> {
        let bytes = match answer {
            Answer::Bytes(bytes) => Some(bytes),
            Answer::Absent | Answer::Stored => None,
        };
        self.findings.extend(self.audit.answer(bytes).transpose());
        Ok(())
    }

    fn take_events(&mut self) -> Vec<Event> {
        Vec::new()
    }
}

/// Answers steps until there are no more.
pub(super) fn run(
    engine: &Engine,
    link: &Link<'_>,
    machine: &mut impl Machine,
) -> Result<(), Error> {
    while !turn(engine, link, machine)? {}
    Ok(())
}

/// Answers one step; returns whether there was none.
pub(super) fn turn(
    engine: &Engine,
    link: &Link<'_>,
    machine: &mut impl Machine,
) -> Result<bool, Error> {
    link.check_cancelled()?;
    let done = match machine.step() {
        Step::Done => true,
        Step::Load(item) => {
            let most = engine.policy.limits.of_stored(&item);
            let answer = engine
                .store
                .load(&item, most)?
                .map_or(Answer::Absent, Answer::Bytes);
            finish(engine, machine, answer)?;
            false
        }
        Step::Store(writes) => {
            engine.store.apply(&writes)?;
            finish(engine, machine, Answer::Stored)?;
            false
        }
        Step::Fetch(fetch) => {
            let result = fetch_from_mirrors(engine, link, machine, &fetch);
            report(engine, machine);
            result?;
            false
        }
    };
    Ok(done)
}

fn finish(engine: &Engine, machine: &mut impl Machine, answer: Answer) -> Result<(), Error> {
    let result = machine.answer(answer);
    report(engine, machine);
    Ok(result?)
}

fn report(engine: &Engine, machine: &mut impl Machine) {
    for event in machine.take_events() {
        engine.observer.notice(&Notice::Event(&event));
    }
}

/// Asks the mirrors in order until one delivers what the core accepts; what it means that none does is for the core to say.
fn fetch_from_mirrors(
    engine: &Engine,
    link: &Link<'_>,
    machine: &mut impl Machine,
    fetch: &Fetch,
) -> Result<(), Error> {
    let (mut attempts, mut without) = (Vec::new(), WithoutFile::default());
    for mirror in link.order() {
        let url = engine
            .sources
            .get(mirror)
            .map(|source| source.metadata_url(&fetch.file))
            .unwrap_or_default();
        let failure = match ask(engine, link, mirror, &url, fetch)? {
            Asked::Found(bytes) => match machine.answer(Answer::Bytes(bytes)) {
                Ok(()) => return Ok(()),
                Err(CoreError::Rejected(rejected)) => Failure::Rejected(rejected),
                Err(error) => return Err(error.into()),
            },
            Asked::Absent => Failure::Absent,
            Asked::Failed(error) => Failure::Transport(error),
        };
        match failure {
            Failure::Absent => without.absent(),
            _ => without.failed(),
        }
        let attempt = Attempt {
            url: without_secrets(&url),
            failure,
        };
        if fetch.file.role != RoleName::Root || attempt.failure != Failure::Absent {
            engine.observer.notice(&Notice::MirrorFailed(&attempt));
            link.put_last(mirror);
        }
        attempts.push(attempt);
    }
    if without.mean_absent(&fetch.file, &engine.policy) {
        return match machine.answer(Answer::Absent) {
            Ok(()) => Ok(()),
            Err(CoreError::Rejected(rejected)) => Err(Error::refused(*rejected, attempts)),
            Err(error) => Err(error.into()),
        };
    }
    Err(Error::of_attempts(attempts, || missing(&fetch.file)))
}

fn missing(file: &RemoteFile) -> Rejected {
    Rejected::Missing {
        role: file.role.clone(),
        version: file.version,
    }
}

fn ask(
    engine: &Engine,
    link: &Link<'_>,
    mirror: usize,
    url: &str,
    fetch: &Fetch,
) -> Result<Asked<Vec<u8>>, Error> {
    let progress = |received| {
        engine.observer.notice(&Notice::Progress {
            subject: Subject::Metadata(&fetch.file),
            received,
            total: fetch.length,
        });
        link.check_cancelled()
    };
    // Retries take from the same time.
    let within = link.time_for(engine, fetch.length.unwrap_or(fetch.limit));
    let started = Instant::now();
    link.ask(engine, mirror, url, |transport| {
        let left = within.map(|within| within.saturating_sub(started.elapsed()));
        if let (Some(Duration::ZERO), Some(within)) = (left, within) {
            return Ok(Reply::Failed(passed(url, within)));
        }
        let request = Request::new(url).within(left);
        Reply::of(transport.fetch(&request), |body| {
            if body.offset != 0 {
                return Ok(Reply::Failed(TransportError::wrong_offset(
                    url,
                    body.offset,
                )));
            }
            let stream = Timed::new(body.stream, url, started, within);
            let received = receive(stream, url, fetch, progress)?;
            Ok(received.map_or_else(|error| Reply::broken(error, false), Reply::Found))
        })
    })
}
