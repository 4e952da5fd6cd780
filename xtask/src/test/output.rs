//! Reads what `cargo test -- --show-output` prints: counts, and what tests say they skip.
//!
//! A test that skips itself says `skipped: why`, which would otherwise be lost with the output of
//! all passing tests.

/// The output so far.
#[derive(Debug, Default)]
pub(super) struct Tests {
    passed: usize,
    failed: usize,
    ignored: usize,
    skipped: Vec<String>,
    in_successes: bool,
    test: String,
}

impl Tests {
    /// Takes a line in, and says whether it is to be shown.
    pub(super) fn shows(&mut self, line: &str) -> bool {
        if line == "successes:" {
            self.in_successes = true;
        } else if line == "failures:" || line.starts_with("test result: ") {
            self.in_successes = false;
        }
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.count(counts);
        }
        if !self.in_successes {
            return true;
        }
        if let Some(name) = line
            .strip_prefix("---- ")
            .and_then(|line| line.strip_suffix(" stdout ----"))
        {
            self.test = name.to_owned();
        } else if let Some(why) = line.trim_start().strip_prefix("skipped: ") {
            self.skipped.push(format!("{}: {why}", self.test));
        }
        false
    }

    /// Adds `ok. 3 passed; 0 failed; 1 ignored; ...`.
    fn count(&mut self, counts: &str) {
        let (_, counts) = counts.split_once(". ").unwrap_or_default();
        for part in counts.split("; ") {
            let (number, what) = part.split_once(' ').unwrap_or_default();
            let number: usize = number.parse().unwrap_or_default();
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    /// How many tests did not test.
    pub(super) fn skipped(&self) -> usize {
        self.skipped.len() + self.ignored
    }

    /// The counts, and one line for each test that skipped itself.
    pub(super) fn note(&self) -> String {
        let Self {
            passed,
            failed,
            ignored,
            skipped,
            ..
        } = self;
        let mut note = format!("{passed} tests passed, {failed} failed");
        if *ignored > 0 {
            note = format!("{note}, {ignored} ignored");
        }
        if !skipped.is_empty() {
            note = format!("{note}, of which skipped {}:", skipped.len());
        }
        for line in skipped {
            note = format!("{note}\n    {line}");
        }
        note
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_tests_are_kept_and_other_output_of_passing_ones_is_not() {
        let mut tests = Tests::default();
        let shown: Vec<&str> = "\
running 2 tests
..
successes:

---- it::corpus stdout ----
noise
skipped: no TUFFET_TESTDATA

successes:
    it::corpus
    it::other

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out

failures:
---- it::bad stdout ----
skipped: not said by a passing test
test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out"
            .lines()
            .filter(|line| tests.shows(line))
            .collect();
        assert_eq!(
            tests.note(),
            "2 tests passed, 1 failed, 1 ignored, of which skipped 1:\n    \
             it::corpus: no TUFFET_TESTDATA"
        );
        assert_eq!(tests.skipped(), 2);
        assert!(shown.contains(&"running 2 tests") && !shown.contains(&"noise"));
        assert!(shown.contains(&"---- it::bad stdout ----"));
    }
}
