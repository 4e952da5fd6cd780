//! The exit codes, in one table.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    Usage,
    Untrusted,
    NotFound,
    Stale,
    NeedsSignatures,
    Findings,
    Network,
    Conflict,
    Key,
    Interrupted,
    Terminated,
}

/// Every way to end, its number and its meaning.
pub(crate) const TABLE: [(Exit, u8, &str); 13] = [
    (Exit::Done, 0, "done"),
    (
        Exit::Failed,
        1,
        "failed for a reason that has no number of its own",
    ),
    (
        Exit::Usage,
        2,
        "wrong usage, or a question that nobody is there to answer",
    ),
    (
        Exit::Untrusted,
        3,
        "not trustworthy: a verification failed as it does in an attack",
    ),
    (Exit::NotFound, 4, "not found"),
    (
        Exit::Stale,
        5,
        "stale: expired or frozen; renewal or a later try may cure it",
    ),
    (Exit::NeedsSignatures, 6, "signatures are missing"),
    (Exit::Findings, 7, "a check has findings"),
    (Exit::Network, 8, "network or file system failed"),
    (
        Exit::Conflict,
        9,
        "locked by another process, or something is already there",
    ),
    (Exit::Key, 10, "key or hardware unavailable"),
    (Exit::Interrupted, 130, "interrupted"),
    (Exit::Terminated, 143, "terminated"),
];

/// From the least grave to the gravest, as far as one run can meet several. An attack is never hidden by a typing error.
const GRAVITY: [Exit; 13] = [
    Exit::Done,
    Exit::NotFound,
    Exit::Conflict,
    Exit::NeedsSignatures,
    Exit::Findings,
    Exit::Usage,
    Exit::Failed,
    Exit::Key,
    Exit::Network,
    Exit::Stale,
    Exit::Untrusted,
    Exit::Interrupted,
    Exit::Terminated,
];

impl Exit {
    /// How grave this end is: of several, the gravest is that of the process.
    pub(crate) fn gravity(self) -> usize {
        let place = GRAVITY.iter().position(|exit| *exit == self);
        place.unwrap_or(GRAVITY.len())
    }

    /// What it means.
    pub(crate) fn meaning(self) -> &'static str {
        let mut all = TABLE.iter();
        let found = all.find(|(exit, ..)| *exit == self);
        found.map_or("", |(_, _, meaning)| meaning)
    }

    /// The number that the process ends with.
    pub(crate) fn number(self) -> u8 {
        TABLE
            .iter()
            .find(|(exit, ..)| *exit == self)
            .map_or(1, |(_, number, _)| *number)
    }
}

/// The table as text, as `--help` and the documentation show it.
pub(crate) fn table() -> String {
    let mut text = String::from("Exit codes:");
    for (_, number, meaning) in TABLE {
        text.push_str(&format!("\n  {number:>3}  {meaning}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_documented_ones() {
        let numbers: Vec<u8> = TABLE.iter().map(|(_, number, _)| *number).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130, 143]);
        for (exit, number, _) in TABLE {
            assert_eq!(exit.number(), number);
        }
    }

    #[test]
    fn every_end_has_a_gravity_of_its_own() {
        for (exit, number, _) in TABLE {
            assert!(exit.gravity() < GRAVITY.len(), "{number}");
        }
        assert!(Exit::Untrusted.gravity() > Exit::NotFound.gravity());
    }

    #[test]
    fn the_reference_shows_the_same_table() {
        let reference = include_str!("../../../docs/cli.md");
        for (_, number, meaning) in TABLE {
            assert!(
                reference.contains(&format!("| {number} | {meaning} |")),
                "docs/cli.md lacks exit code {number}"
            );
        }
    }
}
