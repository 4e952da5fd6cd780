//! A shell around the core, as small as one can be: it answers steps from whatever surrounds it.

use tuffet_core::trust::{
    Answer, Audit, AuditedRole, Error, Event, Fetch, Item, Policy, Refresh, Rejected, Search, Step,
    WithoutFile, Write,
};

/// Why a refresh or a search did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Something was refused.
    Rejected(Rejected),
    /// No mirror gave an answer that says anything.
    Unavailable,
    /// The process ended here, or its disk failed.
    Crash,
}

/// What a mirror answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Bytes; a driver passes on at most one more than the limit.
    Bytes(Vec<u8>),
    /// There is definitely no such file.
    Absent,
    /// The connection failed, or the answer says nothing.
    Failed,
}

/// What a refresh and a search have in common.
pub trait Machine {
    /// What is wanted now.
    fn step(&self) -> Step;

    /// Answers the step.
    ///
    /// # Errors
    /// As [`Refresh::answer`].
    fn answer(&mut self, answer: Answer) -> Result<(), Error>;

    /// What happened since the last call.
    fn take_events(&mut self) -> Vec<Event>;
}

macro_rules! machine {
    ($machine:ident) => {
        impl Machine for $machine<'_> {
            fn step(&self) -> Step {
                $machine::step(self)
            }

            fn answer(&mut self, answer: Answer) -> Result<(), Error> {
                $machine::answer(self, answer)
            }

            fn take_events(&mut self) -> Vec<Event> {
                $machine::take_events(self)
            }
        }
    };
}

machine!(Refresh);
machine!(Search);

/// An audit as a machine: a role that must not be trusted is a finding, not the end.
#[derive(Debug)]
pub struct Auditing<'c> {
    /// The audit.
    pub audit: Audit<'c>,
    /// What it came upon.
    pub findings: Vec<Result<AuditedRole, Box<Rejected>>>,
}

impl Machine for Auditing<'_> {
    fn step(&self) -> Step {
        self.audit.fetch().map_or(Step::Done, Step::Fetch)
    }

    fn answer(&mut self, answer: Answer) -> Result<(), Error> {
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

/// A disk and a network.
pub trait Surroundings {
    /// The bytes of an item of the store.
    ///
    /// # Errors
    /// [`Stop::Crash`].
    fn load(&mut self, item: &Item) -> Result<Option<Vec<u8>>, Stop>;

    /// Makes one change of the store durable.
    ///
    /// # Errors
    /// [`Stop::Crash`].
    fn write(&mut self, write: Write) -> Result<(), Stop>;

    /// Asks a mirror, by its place in the order; `None` if there are not so many.
    ///
    /// # Errors
    /// [`Stop::Crash`].
    fn fetch(&mut self, fetch: &Fetch, mirror: usize) -> Result<Option<Reply>, Stop>;

    /// Is told what happened.
    fn event(&mut self, event: Event);
}

/// Answers the steps of a refresh or a search until there are no more.
///
/// # Errors
/// The first refusal that nobody made good, or what the surroundings say.
///
/// # Panics
/// If the core says that it was driven wrongly.
pub fn drive(
    machine: &mut impl Machine,
    policy: &Policy,
    surroundings: &mut impl Surroundings,
) -> Result<(), Stop> {
    loop {
        let outcome = match machine.step() {
            Step::Done => return Ok(()),
            Step::Load(item) => {
                let bytes = surroundings.load(&item)?;
                machine.answer(bytes.map_or(Answer::Absent, Answer::Bytes))
            }
            Step::Fetch(file) => fetch(machine, policy, surroundings, &file)?,
            Step::Store(writes) => {
                for write in writes {
                    surroundings.write(write)?;
                }
                machine.answer(Answer::Stored)
            }
        };
        for event in machine.take_events() {
            surroundings.event(event);
        }
        match outcome {
            Ok(()) => {}
            Err(Error::Rejected(rejected)) => return Err(Stop::Rejected(*rejected)),
            Err(other) => panic!("{other}"),
        }
    }
}

/// Asks the mirrors in order, each after the one before failed; the first refusal is the one that counts.
fn fetch(
    machine: &mut impl Machine,
    policy: &Policy,
    surroundings: &mut impl Surroundings,
    file: &Fetch,
) -> Result<Result<(), Error>, Stop> {
    let (mut first, mut without) = (None, WithoutFile::default());
    for mirror in 0.. {
        match surroundings.fetch(file, mirror)? {
            None => break,
            Some(Reply::Absent) => without.absent(),
            Some(Reply::Failed) => without.failed(),
            Some(Reply::Bytes(mut bytes)) => {
                let most = usize::try_from(file.limit).unwrap_or(usize::MAX);
                bytes.truncate(most.saturating_add(1));
                match machine.answer(Answer::Bytes(bytes)) {
                    Ok(()) => return Ok(Ok(())),
                    Err(error) => {
                        without.failed();
                        first.get_or_insert(error);
                    }
                }
            }
        }
    }
    if without.mean_absent(&file.file, policy) {
        return Ok(machine.answer(Answer::Absent));
    }
    first.map(Err).ok_or(Stop::Unavailable)
}
