//! The changes of files that make up an operation.

use std::io;
use std::path::Path;

use super::Action;
use crate::Error;
use crate::lock::Lock;
use crate::write::{Disk, FileSystem, Write};

/// What an operation would do. Nothing has been written; dropping the plan is the dry run.
///
/// A plan holds the lock of its repository, so that nothing changes between planning and doing.
#[derive(Debug)]
#[must_use = "a plan does nothing until it is executed"]
pub struct Plan {
    pub(crate) actions: Vec<Action>,
    /// Changes of files in steps: those of one step come in any order, and are durable before the next step begins.
    pub(crate) steps: Vec<Vec<Write>>,
    pub(crate) lock: Option<Lock>,
}

impl Plan {
    /// What is done, in words that people use.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The files that change, in this order.
    pub fn writes(&self) -> impl Iterator<Item = &Write> {
        self.steps.iter().flatten()
    }

    /// Does it.
    ///
    /// # Errors
    /// The first change that fails; those before it are done, and what they leave is a repository as it was or as it will be
    /// when the operation is repeated. None is done if the plan was made only to be looked at ([`Repository::only_looking`]).
    ///
    /// [`Repository::only_looking`]: crate::Repository::only_looking
    pub fn execute(self) -> Result<Vec<Action>, Error> {
        self.execute_on(&mut FileSystem)
    }

    /// Does it through something else than the file system, such as one that stops half-way.
    ///
    /// # Errors
    /// As [`Plan::execute`].
    pub fn execute_on(self, disk: &mut dyn Disk) -> Result<Vec<Action>, Error> {
        if self.lock.as_ref().is_some_and(|lock| !lock.is_held()) {
            let why = "the repository was opened only to look at it";
            let why = io::Error::new(io::ErrorKind::PermissionDenied, why);
            return Err(Error::io("cannot lock", Path::new("."), why));
        }
        for step in &self.steps {
            disk.apply_all(step)?;
        }
        drop(self.lock);
        Ok(self.actions)
    }
}
