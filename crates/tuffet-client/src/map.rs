//! Several repositories that have to agree on a target (TAP 4).

use std::collections::BTreeMap;
use std::fmt;

use tuffet_core::metadata::TargetPath;
use tuffet_core::trust::{Consultation, Found, Rejected, RepositoryMap, Voice};

use crate::Error;
use crate::error::{Attempt, Failure};

/// Searches and downloads with one updater for each repository of a map file.
///
/// Each updater has a trust anchor and a store of its own; nothing is shared between repositories.
pub struct MapUpdater<U> {
    map: RepositoryMap,
    updaters: BTreeMap<String, U>,
}

/// A target on which enough repositories agree.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Agreed {
    /// The repositories, in the order of the map file, and what each says. Length and hashes are the same; `custom` may differ.
    pub repositories: Vec<(String, Found)>,
}

impl Agreed {
    /// What the first repository says.
    #[must_use]
    pub fn found(&self) -> Option<&Found> {
        self.repositories.first().map(|(_, found)| found)
    }
}

impl<U> MapUpdater<U> {
    /// With an updater for each repository of the map.
    ///
    /// # Errors
    /// [`Error::Misuse`] if a repository has no updater.
    pub fn new(
        map: RepositoryMap,
        updaters: impl IntoIterator<Item = (String, U)>,
    ) -> Result<Self, Error> {
        let updaters: BTreeMap<String, U> = updaters.into_iter().collect();
        if map
            .repositories()
            .all(|(name, _)| updaters.contains_key(name))
        {
            Ok(Self { map, updaters })
        } else {
            Err(Error::Misuse("a repository of the map has no updater"))
        }
    }

    /// The updaters and the names of their repositories.
    pub fn updaters(&self) -> impl Iterator<Item = (&str, &U)> {
        self.updaters
            .iter()
            .map(|(name, updater)| (name.as_str(), updater))
    }

    /// The updater of a repository.
    #[must_use]
    pub fn updater(&self, repository: &str) -> Option<&U> {
        self.updaters.get(repository)
    }

    pub(crate) fn consult(&self, path: &TargetPath) -> Consulting {
        Consulting {
            consultation: Consultation::new(&self.map, path.clone()),
            attempts: Vec::new(),
        }
    }

    pub(crate) fn named(&self, repository: &str) -> Result<&U, Error> {
        self.updater(repository)
            .ok_or(Error::Misuse("a repository of the map has no updater"))
    }
}

impl<U> fmt::Debug for MapUpdater<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapUpdater")
            .field("map", &self.map)
            .finish_non_exhaustive()
    }
}

/// A consultation of the core with the errors of this crate.
pub(crate) struct Consulting {
    consultation: Consultation,
    attempts: Vec<Attempt>,
}

impl Consulting {
    /// The repository to ask next; `None` when it is decided.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.consultation.next().map(str::to_owned)
    }

    /// Takes what a repository says. Trouble on this machine ends the search.
    pub(crate) fn answer(
        &mut self,
        repository: &str,
        answer: Result<Found, Error>,
    ) -> Result<(), Error> {
        let voice = match answer {
            Ok(found) => Voice::Found(found),
            Err(Error::Rejected(refusal)) => {
                let voice = match refusal.rejected {
                    Rejected::NotFound { limit: false, .. } => Voice::NotFound,
                    _ => Voice::Silent,
                };
                self.attempts.extend(refusal.attempts);
                self.attempts.push(Attempt {
                    url: repository.to_owned(),
                    failure: Failure::Rejected(Box::new(refusal.rejected)),
                });
                voice
            }
            Err(Error::Unavailable(unavailable)) => {
                self.attempts.extend(unavailable.attempts);
                Voice::Silent
            }
            Err(error) => return Err(error),
        };
        self.consultation.answer(voice);
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Agreed, Error> {
        match self.consultation.finish() {
            Ok(repositories) => Ok(Agreed { repositories }),
            Err(rejected) => Err(Error::refused(rejected, self.attempts)),
        }
    }
}
