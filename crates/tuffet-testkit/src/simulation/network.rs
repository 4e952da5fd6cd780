//! What stands between a repository and a client: mirrors that are honest, stale or hostile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::artifact::{Id, Role};

/// A file on a server: the role, and the version that stands before its name; zero for none.
pub(crate) type Url = (Role, u64);

/// What a server has.
pub(crate) type Files = BTreeMap<Url, Id>;

/// What a mirror answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Served {
    /// A file.
    File(Id),
    /// Bytes that never end.
    Endless,
    /// There is no such file.
    Absent,
    /// The connection breaks, or there is an error that says nothing about the file.
    Failed,
}

/// A mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mirror {
    /// Has what the repository has.
    Honest,
    /// Has what the repository had so many publications ago.
    Stale(u8),
    /// Has what the attacker put there, and else what the repository has.
    Hostile,
}

/// All mirrors.
#[derive(Debug, Clone, Default)]
pub(crate) struct Network {
    /// What the repository had after each publication; the last is what it has.
    past: Vec<Arc<Files>>,
    /// What the attacker serves instead.
    pub(crate) overlay: BTreeMap<Url, Served>,
}

impl Network {
    /// The repository publishes.
    pub(crate) fn publish(&mut self, files: Files) {
        self.past.push(Arc::new(files));
    }

    /// What the repository has.
    #[must_use]
    pub(crate) fn files(&self) -> &Files {
        self.past.last().expect("a repository has published")
    }

    /// Every file about which a mirror has something to say.
    pub(crate) fn urls(&self) -> impl Iterator<Item = Url> {
        let files = self.past.iter().flat_map(|files| files.keys());
        let all: BTreeSet<Url> = files.chain(self.overlay.keys()).copied().collect();
        all.into_iter()
    }

    /// What a mirror answers.
    #[must_use]
    pub(crate) fn served(&self, mirror: Mirror, url: Url) -> Served {
        let of = |files: &Files| {
            files
                .get(&url)
                .copied()
                .map_or(Served::Absent, Served::File)
        };
        match mirror {
            Mirror::Honest => of(self.files()),
            Mirror::Stale(ago) => {
                let last = self.past.len() - 1;
                of(&self.past[last - usize::from(ago).min(last)])
            }
            Mirror::Hostile => {
                let forged = self.overlay.get(&url).copied();
                forged.unwrap_or_else(|| of(self.files()))
            }
        }
    }
}
