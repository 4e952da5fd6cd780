//! Attacks on a client, as what a server answers and what must come of it.
//!
//! An [`Attack`] is played stage by stage against a client that lives in a directory: at each [`Stage`] the server has a [`Site`], the
//! client refreshes or downloads, and its end is compared with what is [expected](Expect). Honest stages show that the client works at
//! all, and that it recovers. Everything is signed with real keys, so that any client can be attacked.
//!
//! ```
//! use tuffet_testkit::lab::{self, Lab};
//!
//! let attacks = lab::attacks();
//! let rollback = attacks.iter().find(|attack| attack.id == "rollback-timestamp").unwrap();
//! let script = (rollback.play)(&Lab::new(1_900_000_000, "/outside"));
//! assert_eq!(script.stages.len(), 3); // two honest states, then the first one again
//! ```

mod bodies;
mod delegated;
mod names;
mod old;
mod shapes;
mod signatures;
mod software;

use std::collections::BTreeMap;

use tuffet_core::metadata::UnixTime;

use crate::{Files, Repository};

/// What the attacker wants to be taken for `app`: as long as the first version of that.
pub const FORGED: &[u8] = b"evil!";
/// The target that every client is asked for.
pub const APP: &str = "app";

/// What an attack is after (TUF §1.5.2, and the papers it is based on).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// Software of the attacker's.
    ArbitrarySoftware,
    /// Too few keys, or keys that are not trusted any more.
    KeyCompromise,
    /// An older state than the client has seen.
    Rollback,
    /// An old state for ever.
    Freeze,
    /// Versions that nobody can get above again.
    FastForward,
    /// Files of different states together.
    MixAndMatch,
    /// More bytes than anybody can hold.
    EndlessData,
    /// Software of somebody who may not speak for it.
    WrongSoftware,
    /// Files in places that the attacker chooses.
    Traversal,
    /// Bytes that break a reader.
    Parser,
}

impl Class {
    /// Its name in the literature.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ArbitrarySoftware => "arbitrary software",
            Self::KeyCompromise => "key compromise",
            Self::Rollback => "rollback",
            Self::Freeze => "freeze",
            Self::FastForward => "fast-forward",
            Self::MixAndMatch => "mix-and-match",
            Self::EndlessData => "endless data",
            Self::WrongSoftware => "wrong software",
            Self::Traversal => "traversal",
            Self::Parser => "parser",
        }
    }
}

/// One attack.
#[derive(Debug, Clone)]
pub struct Attack {
    /// Its name.
    pub id: &'static str,
    /// What it is after.
    pub class: Class,
    /// What the attacker does.
    pub what: &'static str,
    /// Published advisories of clients that it succeeded with.
    pub advisories: &'static [&'static str],
    /// What is served at each stage.
    pub play: fn(&Lab) -> Script,
}

/// Makes repositories as of the moment of the attack.
#[derive(Debug, Clone)]
pub struct Lab {
    now: UnixTime,
    outside: String,
}

/// A whole attack.
#[derive(Debug, Clone)]
pub struct Script {
    /// The root that the client is initialised with.
    pub anchor: Vec<u8>,
    /// One after the other.
    pub stages: Vec<Stage>,
}

/// What the server has, what the client does, and what must come of it.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What the server has.
    pub site: Site,
    /// The target that is downloaded; none for a refresh alone.
    pub target: Option<String>,
    /// What must come of it.
    pub expect: Expect,
    /// The earliest moment at which this is played.
    pub not_before: Option<UnixTime>,
}

/// What must come of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expect {
    /// An honest repository: the client ends well, and has these bytes if it has downloaded.
    Accepts(Vec<u8>),
    /// The client ends with an error; of ours this is one of these codes.
    Refuses(&'static [&'static str]),
    /// The client may end as it likes, but without harm.
    Harmless,
}

/// What a server answers.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// Metadata by URL path.
    pub metadata: BTreeMap<String, Body>,
    /// Targets by URL path.
    pub targets: BTreeMap<String, Body>,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, and then more for as long as the client listens; `declared` is the length that the header says.
    Endless {
        /// What comes first.
        head: Vec<u8>,
        /// Content-Length, if there is one.
        declared: Option<u64>,
    },
}

/// Every attack, by class.
#[must_use]
pub fn attacks() -> Vec<Attack> {
    let mut attacks = Vec::new();
    attacks.extend(software::attacks());
    attacks.extend(signatures::attacks());
    attacks.extend(old::attacks());
    attacks.extend(bodies::attacks());
    attacks.extend(delegated::attacks());
    attacks.extend(names::attacks());
    attacks.extend(shapes::attacks());
    attacks.sort_by_key(|attack| attack.class);
    attacks
}

fn attack(
    class: Class,
    id: &'static str,
    what: &'static str,
    advisories: &'static [&'static str],
    play: fn(&Lab) -> Script,
) -> Attack {
    Attack {
        id,
        class,
        what,
        advisories,
        play,
    }
}

impl Lab {
    /// A laboratory whose clients have this time, in seconds since 1970. `outside` is the absolute path of a file that no client has
    /// any business with.
    #[must_use]
    pub fn new(now: i64, outside: impl Into<String>) -> Self {
        Self {
            now: UnixTime(now),
            outside: outside.into(),
        }
    }

    /// A repository of version 1 with the target `app`, signed with real keys, that expires in a year.
    fn repository(&self) -> Repository {
        let mut repository = Repository::real();
        let expires = self.after(365 * 24 * 3600);
        for role in ["root", "timestamp", "snapshot", "targets"] {
            repository.document(role).expire(&expires);
        }
        // Nothing of the first date is left.
        repository.files.clear();
        repository.write_root();
        repository.write();
        repository
    }

    /// The moment so many seconds from now.
    fn moment(&self, seconds: i64) -> UnixTime {
        UnixTime(self.now.0.saturating_add(seconds))
    }

    fn after(&self, seconds: i64) -> String {
        self.moment(seconds).to_string()
    }
}

impl Script {
    /// A client that trusts the first root of the repository.
    fn of(repository: &Repository) -> Self {
        Self {
            anchor: repository.files["1.root.json"].clone(),
            stages: Vec::new(),
        }
    }

    /// The client downloads `app` from an honest repository.
    fn accepts(self, repository: &Repository, bytes: &[u8]) -> Self {
        self.accepts_target(repository, APP, bytes)
    }

    /// The same for another target.
    fn accepts_target(mut self, repository: &Repository, target: &str, bytes: &[u8]) -> Self {
        self.stages.push(Stage {
            site: Site::of(repository),
            target: Some(target.to_owned()),
            expect: Expect::Accepts(bytes.to_vec()),
            not_before: None,
        });
        self
    }

    /// The client downloads `app` and must be told that it cannot.
    fn refuses(self, site: impl Into<Site>, codes: &'static [&'static str]) -> Self {
        self.refuses_target(site, APP, codes)
    }

    /// The same for another target.
    fn refuses_target(
        mut self,
        site: impl Into<Site>,
        target: &str,
        codes: &'static [&'static str],
    ) -> Self {
        self.stages.push(Stage {
            site: site.into(),
            target: Some(target.to_owned()),
            expect: Expect::Refuses(codes),
            not_before: None,
        });
        self
    }

    /// The client downloads a target, with or without success.
    fn harmless(mut self, site: impl Into<Site>, target: &str) -> Self {
        self.stages.push(Stage {
            site: site.into(),
            target: Some(target.to_owned()),
            expect: Expect::Harmless,
            not_before: None,
        });
        self
    }

    /// The last stage is played at this moment or later.
    fn not_before(mut self, moment: UnixTime) -> Self {
        if let Some(stage) = self.stages.last_mut() {
            stage.not_before = Some(moment);
        }
        self
    }
}

impl Site {
    fn of(repository: &Repository) -> Self {
        let bodies = |files: &Files| {
            let files = files.iter();
            files
                .map(|(path, bytes)| (path.clone(), Body::Bytes(bytes.clone())))
                .collect()
        };
        Self {
            metadata: bodies(&repository.files),
            targets: bodies(&repository.blobs),
        }
    }

    /// The same with another metadata file.
    fn with(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.metadata
            .insert(path.to_owned(), Body::Bytes(bytes.into()));
        self
    }
}

impl From<&Repository> for Site {
    fn from(repository: &Repository) -> Self {
        Self::of(repository)
    }
}
