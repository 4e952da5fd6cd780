//! Several repositories that have to agree on a target (TAP 4).

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use tuffet_core::metadata::TargetPath;
use tuffet_core::trust::{Agreement, Found, Mapping, Rejected, RepositoryMap};

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

    pub(crate) fn consensus(&self, path: &TargetPath) -> Consensus {
        Consensus::new(self.map.mappings_for(path).cloned().collect(), path.clone())
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

/// Who is asked next, and what has been found out: the part of a search that needs no waiting.
pub(crate) struct Consensus {
    path: TargetPath,
    mappings: VecDeque<Mapping>,
    asking: Option<Asking>,
    attempts: Vec<Attempt>,
    nearest: Option<Rejected>,
    agreed: Option<Agreed>,
}

struct Asking {
    agreement: Agreement,
    repositories: VecDeque<String>,
}

impl Consensus {
    fn new(mappings: VecDeque<Mapping>, path: TargetPath) -> Self {
        Self {
            path,
            mappings,
            asking: None,
            attempts: Vec::new(),
            nearest: None,
            agreed: None,
        }
    }

    /// The repository to ask next; `None` when it is decided.
    pub(crate) fn next(&mut self) -> Option<String> {
        while self.agreed.is_none() {
            if self.asking.is_none() {
                let mapping = self.mappings.pop_front()?;
                self.asking = Some(Asking {
                    agreement: Agreement::new(&mapping, self.path.clone()),
                    repositories: mapping.repositories.into(),
                });
            }
            let asking = self.asking.as_mut()?;
            if let Some(repository) = asking.repositories.pop_front() {
                return Some(repository);
            }
            if let Err(disagreement) = asking.agreement.decide() {
                self.keep_nearest(disagreement);
            }
            self.asking = None;
        }
        None
    }

    /// Takes what a repository says. Trouble on this machine ends the search; a repository that cannot be reached or trusted
    /// has no voice.
    pub(crate) fn answer(
        &mut self,
        repository: &str,
        answer: Result<Found, Error>,
    ) -> Result<(), Error> {
        match answer {
            Ok(found) => {
                let Some(asking) = self.asking.as_mut() else {
                    return Ok(());
                };
                asking.agreement.add(repository, found);
                if let Ok(agreed) = asking.agreement.decide() {
                    self.agreed = Some(Agreed {
                        repositories: agreed.to_vec(),
                    });
                }
                Ok(())
            }
            Err(Error::Rejected(refusal)) => {
                self.attempts.extend(refusal.attempts);
                self.attempts.push(Attempt {
                    url: repository.to_owned(),
                    failure: Failure::Rejected(Box::new(refusal.rejected)),
                });
                Ok(())
            }
            Err(Error::Unavailable(unavailable)) => {
                self.attempts.extend(unavailable.attempts);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn finish(self) -> Result<Agreed, Error> {
        if let Some(agreed) = self.agreed {
            return Ok(agreed);
        }
        let unanimous = self.attempts.iter().all(|attempt| {
            matches!(&attempt.failure, Failure::Rejected(rejected)
                if matches!(**rejected, Rejected::NotFound { .. }))
        });
        let rejected = match self.nearest {
            Some(disagreement @ Rejected::Disagreement { have: 1.., .. }) => disagreement,
            Some(disagreement) if !unanimous => disagreement,
            // Every repository that was asked says that it has no such target, or none is to be asked.
            _ => Rejected::NotFound {
                path: self.path,
                searched: 0,
                limit: false,
            },
        };
        Err(Error::refused(rejected, self.attempts))
    }

    fn keep_nearest(&mut self, disagreement: Rejected) {
        let agreeing = |rejected: &Rejected| match rejected {
            Rejected::Disagreement { have, .. } => *have,
            _ => 0,
        };
        if self
            .nearest
            .as_ref()
            .is_none_or(|known| agreeing(&disagreement) > agreeing(known))
        {
            self.nearest = Some(disagreement);
        }
    }
}
