//! What clients are asked to do, and of which repositories.

use crate::report::Failure;
use std::path::{Path, PathBuf};

/// A repository and what is asked of it.
pub(super) struct Scenario {
    /// The name by which it is chosen.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) repository: Shape,
    pub(super) fetch: Fetch,
    /// Whether the client has fetched the same before.
    pub(super) warm: bool,
    /// What is measured beside the clients.
    pub(super) beside: Beside,
}

/// The least that has to be done, beside what clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// Hashing and verifying the metadata.
    Limit,
    /// The same, and none of the other clients: it would take them more memory than there is.
    LimitAlone,
    /// Receiving, hashing and writing the target.
    Receive,
    /// Several downloads at a time.
    Parallel,
}

/// What a repository looks like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) targets: u64,
    /// The length of the target `payload`.
    pub(super) payload: u64,
    /// How many small targets are published.
    pub(super) small: u64,
    pub(super) roots: u64,
    /// How 16,384 hash bins are written, if there are any.
    pub(super) bins: Option<&'static str>,
}

/// What is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fetch {
    /// The target `payload`.
    Payload,
    /// Every small target.
    Small,
}

const PLAIN: Shape = Shape {
    targets: 1,
    payload: 1 << 10,
    small: 0,
    roots: 1,
    bins: None,
};

const fn flat(targets: u64) -> Shape {
    Shape { targets, ..PLAIN }
}

const fn binned(kind: &'static str) -> Shape {
    Shape {
        targets: 1_000_000,
        bins: Some(kind),
        ..PLAIN
    }
}

const ROOTS: Shape = Shape { roots: 12, ..PLAIN };

const fn cold(name: &'static str, title: &'static str, repository: Shape) -> Scenario {
    Scenario {
        name,
        title,
        repository,
        fetch: Fetch::Payload,
        warm: false,
        beside: Beside::Limit,
    }
}

const fn warm(name: &'static str, title: &'static str, repository: Shape) -> Scenario {
    Scenario {
        warm: true,
        ..cold(name, title, repository)
    }
}

/// The bin that the target `payload` is in: the first 14 bits of the SHA-256 of its name.
const BIN: &str = "bin-08e7";

/// How many targets the roles of the growth curves have.
pub(super) const GROWTH: [(u64, &str); 5] = [
    (1_000, "1k"),
    (10_000, "10k"),
    (100_000, "100k"),
    (1_000_000, "million"),
    (10_000_000, "10m"),
];

pub(super) const SCENARIOS: [Scenario; 16] = [
    cold(
        "roots",
        "First refresh over 12 roots, and a small target",
        ROOTS,
    ),
    warm("roots-warm", "Nothing new", ROOTS),
    cold(
        "1k",
        "One target among 1,000 in one role, first time",
        flat(1_000),
    ),
    cold(
        "10k",
        "One target among 10,000 in one role, first time",
        flat(10_000),
    ),
    warm(
        "10k-warm",
        "Another time among 10,000 in one role",
        flat(10_000),
    ),
    cold(
        "100k",
        "One target among 100,000 in one role, first time",
        flat(100_000),
    ),
    warm(
        "100k-warm",
        "Another time among 100,000 in one role",
        flat(100_000),
    ),
    cold(
        "million",
        "One target among 1,000,000 in one role, first time",
        flat(1_000_000),
    ),
    warm(
        "million-warm",
        "Another time among 1,000,000 in one role",
        flat(1_000_000),
    ),
    Scenario {
        beside: Beside::LimitAlone,
        ..cold(
            "10m",
            "One target among 10,000,000 in one role, first time",
            flat(10_000_000),
        )
    },
    cold(
        "prefixes",
        "One target among 1,000,000 in 16,384 roles by hash prefixes, first time",
        binned("prefixes"),
    ),
    warm(
        "prefixes-warm",
        "Another time among 1,000,000 by hash prefixes",
        binned("prefixes"),
    ),
    cold(
        "succinct",
        "One target among 1,000,000 in 16,384 succinct hash bins, first time",
        binned("succinct"),
    ),
    warm(
        "succinct-warm",
        "Another time among 1,000,000 in succinct hash bins",
        binned("succinct"),
    ),
    Scenario {
        beside: Beside::Receive,
        ..cold(
            "gib",
            "A target of 1 GiB",
            Shape {
                payload: 1 << 30,
                ..PLAIN
            },
        )
    },
    Scenario {
        fetch: Fetch::Small,
        beside: Beside::Parallel,
        ..cold(
            "small",
            "1,000 small targets",
            Shape {
                targets: 1_001,
                small: 1_000,
                ..PLAIN
            },
        )
    },
];

impl Shape {
    /// The name of its directory, and what `make_repository.py` is told.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut add = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
        add("targets", self.targets.to_string());
        add("payload", self.payload.to_string());
        add("small", self.small.to_string());
        add("roots", self.roots.to_string());
        if let Some(bins) = self.bins {
            add("bins", bins.to_owned());
        }
        arguments
    }

    /// The metadata that a client has to read to find the target `payload`, root first.
    pub(super) fn metadata(&self, repository: &Path) -> Result<Vec<PathBuf>, Failure> {
        let directory = repository.join("metadata");
        let roots = (1..=self.roots).map(|version| format!("{version}.root.json"));
        let others = ["timestamp.json", "1.snapshot.json", "1.targets.json"];
        let mut files: Vec<PathBuf> = roots
            .chain(others.map(str::to_owned))
            .map(|name| directory.join(name))
            .collect();
        if self.bins.is_some() {
            files.push(directory.join(format!("1.{BIN}.json")));
        }
        match files.iter().find(|file| !file.exists()) {
            Some(missing) => Err(Failure::new(format!("{} is missing", missing.display()))),
            None => Ok(files),
        }
    }

    /// The targets that are fetched.
    pub(super) fn fetched(&self, fetch: Fetch) -> Vec<String> {
        match fetch {
            Fetch::Payload => vec!["payload".to_owned()],
            Fetch::Small => (0..self.small)
                .map(|number| format!("small-{number:04}"))
                .collect(),
        }
    }
}
