//! How a task came out, and how that is shown.

use std::fmt;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

/// A task that did not fail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, with what there is to say about it.
    Passed(String),
    /// Done, but for parts that were skipped.
    Partly {
        /// What there is to say about it.
        note: String,
        /// How many parts.
        skipped: usize,
    },
    /// Not done, and why not.
    Skipped(String),
}

impl Outcome {
    /// Done, and nothing to say.
    pub(crate) fn passed() -> Self {
        Self::Passed(String::new())
    }
}

/// Why a task failed.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// Several findings under one heading.
    pub(crate) fn list(heading: &str, findings: &[String]) -> Self {
        Self(format!("{heading}\n    {}", findings.join("\n    ")))
    }

    /// Something that could not be done with a file.
    pub(crate) fn file(path: &Path, error: impl fmt::Display) -> Self {
        Self(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether output may be coloured: a terminal, no `NO_COLOR`, no `CI`.
pub(crate) fn coloured() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !set("NO_COLOR") && !set("CI")
}

/// `passed   name  note`, the first word in its colour.
pub(crate) fn line(word: &str, name: &str, note: &str) -> String {
    let colour = match word {
        "passed" => "32",
        "failed" => "31",
        _ => "33",
    };
    let padded = format!("{word:<8}");
    let word = if coloured() {
        format!("\x1b[{colour}m{padded}\x1b[0m")
    } else {
        padded
    };
    format!("{word} {name:<16} {note}").trim_end().to_owned()
}

/// The steps of a longer task.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<String>,
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Report {
    /// Notes how a step came out.
    pub(crate) fn add(&mut self, step: &str, time: Duration, outcome: Result<Outcome, Failure>) {
        let (word, note) = match outcome {
            Ok(Outcome::Passed(note)) => {
                self.passed += 1;
                ("passed", note)
            }
            Ok(Outcome::Partly { note, skipped }) => {
                self.passed += 1;
                self.skipped += skipped;
                ("passed", note)
            }
            Ok(Outcome::Skipped(why)) => {
                self.skipped += 1;
                ("skipped", why)
            }
            Err(failure) => {
                self.failed += 1;
                ("failed", failure.to_string())
            }
        };
        let note = format!("{:>4} s  {note}", time.as_secs());
        self.lines.push(line(word, step, &note));
    }

    /// How many steps failed.
    pub(crate) fn failed(&self) -> usize {
        self.failed
    }

    /// One line a step.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// `N passed, N failed, N skipped`: steps, and among the skipped also the parts of steps that passed.
    pub(crate) fn count(&self) -> String {
        let Self {
            passed,
            failed,
            skipped,
            ..
        } = self;
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_counts_every_step_once_and_what_is_skipped_in_it() {
        let mut report = Report::default();
        report.add("fmt", Duration::ZERO, Ok(Outcome::passed()));
        report.add(
            "edges",
            Duration::ZERO,
            Ok(Outcome::Passed("42 crates".into())),
        );
        report.add(
            "deny",
            Duration::ZERO,
            Ok(Outcome::Skipped("not installed".into())),
        );
        report.add(
            "tests",
            Duration::ZERO,
            Err(Failure::list("broken", &["a".into(), "b".into()])),
        );
        let note = "9 tests passed".into();
        report.add(
            "doc tests",
            Duration::ZERO,
            Ok(Outcome::Partly { note, skipped: 2 }),
        );
        assert_eq!(report.count(), "3 passed, 1 failed, 3 skipped");
        assert_eq!(report.failed(), 1);
        assert!(report.lines()[3].contains("broken\n    a\n    b"));
    }
}
