//! What several repositories say about one target, and when that is enough (TAP 4).

use alloc::collections::{BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use super::{Found, Mapping, Rejected, RepositoryMap};
use crate::metadata::{TargetFile, TargetPath};

/// Asks the repositories of a map, mapping by mapping, until enough of them agree on a target.
///
/// The next mapping decides only when the repositories that could not be heard would not have changed the outcome of this one:
/// else whoever keeps a client from one repository would choose which mapping decides (A-22 says the same of delegations).
///
/// ```
/// use tuffet_core::{metadata::TargetPath, trust::{Consultation, RepositoryMap, Voice}};
/// let map = RepositoryMap::parse(br#"{
///     "repositories": {"vendor": ["https://vendor.example"], "mirror": ["https://mirror.example"]},
///     "mapping": [{"paths": ["*"], "repositories": ["vendor"], "threshold": 1, "terminating": false},
///                 {"paths": ["*"], "repositories": ["mirror"], "threshold": 1, "terminating": true}]
/// }"#).unwrap();
/// let mut consultation = Consultation::new(&map, TargetPath::new("app").unwrap());
/// assert_eq!(consultation.next(), Some("vendor"));
/// consultation.answer(Voice::Silent);
/// // The vendor could not be reached, so the mirror is not asked in its place.
/// assert_eq!(consultation.next(), None);
/// assert_eq!(consultation.finish().unwrap_err().code(), "map.disagreement");
/// ```
#[derive(Debug, Clone)]
pub struct Consultation {
    path: TargetPath,
    mappings: VecDeque<Mapping>,
    asking: Option<Asking>,
    /// The refusal that came closest to an agreement.
    nearest: Option<Rejected>,
    /// Whether a repository could not be heard.
    unheard: bool,
    agreed: Option<Vec<(String, Found)>>,
}

/// What came of asking a repository.
#[derive(Debug, Clone)]
pub enum Voice {
    /// It lists the target.
    Found(Found),
    /// It says, verified, that it has no such target.
    NotFound,
    /// It could not be reached or not be trusted.
    Silent,
}

#[derive(Debug, Clone)]
struct Asking {
    agreement: Agreement,
    repositories: VecDeque<String>,
    silent: u32,
}

impl Asking {
    /// Whether those who were not heard could have made up the threshold.
    fn is_open(&self, disagreement: &Rejected) -> bool {
        match disagreement {
            Rejected::Disagreement { have, need, .. } => have.saturating_add(self.silent) >= *need,
            _ => false,
        }
    }
}

impl Consultation {
    /// Nobody has been asked yet.
    #[must_use]
    pub fn new(map: &RepositoryMap, path: TargetPath) -> Self {
        Self {
            mappings: map.mappings_for(&path).cloned().collect(),
            path,
            asking: None,
            nearest: None,
            unheard: false,
            agreed: None,
        }
    }

    /// The repository to ask now, the same until it is answered for; `None` when it is decided.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "the same until it is answered for"
    )]
    pub fn next(&mut self) -> Option<&str> {
        loop {
            if self.agreed.is_some() {
                return None;
            }
            match self.asking.take() {
                Some(asking) if !asking.repositories.is_empty() => {
                    let asking = self.asking.insert(asking);
                    return asking.repositories.front().map(String::as_str);
                }
                Some(asking) => self.end(&asking),
                None => {
                    let mapping = self.mappings.pop_front()?;
                    self.asking = Some(Asking {
                        agreement: Agreement::new(&mapping, self.path.clone()),
                        repositories: mapping.repositories.into(),
                        silent: 0,
                    });
                }
            }
        }
    }

    /// Takes what came of asking the repository that [`Self::next`] named.
    pub fn answer(&mut self, voice: Voice) {
        let Some(asking) = self.asking.as_mut() else {
            return;
        };
        let Some(repository) = asking.repositories.pop_front() else {
            return;
        };
        match voice {
            Voice::Found(found) => {
                asking.agreement.add(&repository, found);
                self.agreed = asking.agreement.decide().ok().map(<[_]>::to_vec);
            }
            Voice::NotFound => {}
            Voice::Silent => {
                asking.silent = asking.silent.saturating_add(1);
                self.unheard = true;
            }
        }
    }

    /// The repositories that agree, in the order in which they were asked, and what each says.
    ///
    /// # Errors
    /// [`Rejected::Disagreement`] if too few agree; [`Rejected::NotFound`] if every repository that had to be asked says that it
    /// has no such target, or none had to be.
    pub fn finish(self) -> Result<Vec<(String, Found)>, Rejected> {
        if let Some(agreed) = self.agreed {
            return Ok(agreed);
        }
        match self.nearest {
            Some(disagreement @ Rejected::Disagreement { have: 1.., .. }) => Err(disagreement),
            Some(disagreement) if self.unheard => Err(disagreement),
            _ => Err(Rejected::NotFound {
                path: self.path,
                searched: 0,
                limit: false,
            }),
        }
    }

    /// Ends a mapping whose repositories were all asked and do not agree.
    fn end(&mut self, asking: &Asking) {
        if let Err(disagreement) = asking.agreement.decide() {
            if asking.is_open(&disagreement) {
                self.mappings.clear();
            }
            let agreeing = |rejected: &Rejected| match rejected {
                Rejected::Disagreement { have, .. } => *have,
                _ => 0,
            };
            let nearer = |known: &Rejected| agreeing(&disagreement) > agreeing(known);
            if self.nearest.as_ref().is_none_or(nearer) {
                self.nearest = Some(disagreement);
            }
        }
    }
}

/// Collects what the repositories of one [`Mapping`] say about a target, and decides.
#[derive(Debug, Clone)]
pub struct Agreement {
    path: TargetPath,
    threshold: u32,
    /// Every largest set of answers that agree each with each: two that contradict each other may both agree with one that
    /// lists fewer hashes.
    groups: Vec<Vec<(String, Found)>>,
}

impl Agreement {
    /// Nobody has been asked yet.
    #[must_use]
    pub fn new(mapping: &Mapping, path: TargetPath) -> Self {
        Self {
            path,
            threshold: mapping.threshold,
            groups: Vec::new(),
        }
    }

    /// Takes the answer of one repository; a second answer of the same one is ignored.
    pub fn add(&mut self, repository: &str, found: Found) {
        if self
            .groups
            .iter()
            .flatten()
            .any(|(name, _)| name == repository)
        {
            return;
        }
        let member = (String::from(repository), found);
        let agrees = |(_, other): &&(String, Found)| agree(&other.target, &member.1.target);
        let names = |group: &[(String, Found)]| -> BTreeSet<String> {
            group.iter().map(|(name, _)| name.clone()).collect()
        };
        // In each group those who agree with the new one form a group with it; alone, if nobody does.
        let mut grown: Vec<Vec<(String, Found)>> = Vec::new();
        for group in &self.groups {
            let mut with: Vec<_> = group.iter().filter(agrees).cloned().collect();
            with.push(member.clone());
            let known = names(&with);
            if !grown.iter().any(|other| known.is_subset(&names(other))) {
                grown.retain(|other| !names(other).is_subset(&known));
                grown.push(with);
            }
        }
        if grown.is_empty() {
            grown.push(alloc::vec![member]);
        }
        // What has grown whole is no longer a largest set.
        self.groups.retain(|group| {
            let old = names(group);
            !grown.iter().any(|new| old.is_subset(&names(new)))
        });
        self.groups.append(&mut grown);
    }

    /// The repositories that agree on the target, if enough of them do; else how far they are from it.
    ///
    /// # Errors
    /// [`Rejected::Disagreement`].
    pub fn decide(&self) -> Result<&[(String, Found)], Rejected> {
        if let Some(agreed) = self
            .groups
            .iter()
            .find(|members| members.len() >= self.threshold as usize)
        {
            return Ok(agreed);
        }
        let most = self.groups.iter().map(Vec::len).max();
        let have = most.and_then(|have| u32::try_from(have).ok()).unwrap_or(0);
        Err(Rejected::Disagreement {
            path: self.path.clone(),
            have,
            need: self.threshold,
        })
    }
}

/// Equal length and equal digests by every algorithm that both list, of which there must be one; `custom` may differ.
fn agree(one: &TargetFile, other: &TargetFile) -> bool {
    let mut common = 0_u32;
    let equal =
        one.hashes
            .digests()
            .iter()
            .all(|digest| match other.hashes.digest(digest.algorithm()) {
                Some(theirs) => {
                    common = common.saturating_add(1);
                    theirs == digest
                }
                None => true,
            });
    equal && common > 0 && one.length == other.length
}
