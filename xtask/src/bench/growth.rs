//! How the costs of a client grow with the number of targets in a role.

use super::chart::{self, Line};
use super::client::{LIMIT, Missing, Row};
use std::fmt::Write as _;

/// The curves, measured for so many targets by all of these rows.
pub(super) struct Growth<'r> {
    points: Vec<(u64, &'r [Row])>,
}

/// The charts, by the names of their files.
const CPU: &str = "growth-of-cpu.svg";
const MEMORY: &str = "growth-of-memory.svg";

impl<'r> Growth<'r> {
    pub(super) fn new(points: Vec<(u64, &'r [Row])>) -> Self {
        Self { points }
    }

    /// The part of the page.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "\n### How CPU and memory grow with the number of targets in one role\n\n\
             The first fetches above, side by side: seconds of CPU, and MiB. *{LIMIT}* reads the same metadata from files, takes\n\
             SHA-256 of each and verifies its signature: what no client can do without. The last column is tuffet's\n\
             alone.\n\n| program |"
        );
        // Writing to a String does not fail, here and below.
        for (targets, _) in &self.points {
            let _ = write!(text, " {} |", grouped(*targets));
        }
        text.push_str("\n| --- |");
        text.push_str(&" ---: |".repeat(self.points.len()));
        for name in self.names() {
            let _ = write!(text, "\n| {name} |");
            for row in self.rows(name) {
                let _ = match row {
                    Some(row) => match row.missing {
                        None => write!(text, " {:.3} s, {:.0} MiB |", row.cpu(), row.memory()),
                        Some(Missing::Late) => write!(text, " over a minute |"),
                        Some(Missing::Killed) => write!(text, " killed |"),
                        Some(Missing::Failed) => write!(text, " failed |"),
                    },
                    None => write!(text, " – |"),
                };
            }
        }
        let _ = write!(
            text,
            "\n\n![CPU](benchmarks/{CPU})\n\n![Memory](benchmarks/{MEMORY})\n"
        );
        text
    }

    /// The charts, with the names of their files.
    pub(super) fn charts(&self) -> [(&'static str, String); 2] {
        [
            (
                CPU,
                chart::lines(
                    "CPU by the number of targets",
                    "ms",
                    &self.curves(|row| row.cpu() * 1000.0),
                ),
            ),
            (
                MEMORY,
                chart::lines(
                    "Peak memory by the number of targets",
                    "MiB",
                    &self.curves(Row::memory),
                ),
            ),
        ]
    }

    fn curves(&self, value: impl Fn(&Row) -> f64) -> Vec<Line<'r>> {
        self.names()
            .into_iter()
            .map(|name| {
                let points = self.points.iter().zip(self.rows(name));
                let points = points.filter_map(|((targets, _), row)| {
                    let row = row.filter(|row| row.missing.is_none())?;
                    Some((*targets, value(row)))
                });
                Line {
                    name,
                    points: points.collect(),
                }
            })
            .filter(|line| !line.points.is_empty())
            .collect()
    }

    /// All programs, in the order of the first measurement.
    fn names(&self) -> Vec<&'r str> {
        let first = self.points.first().map_or(&[][..], |(_, rows)| *rows);
        first.iter().map(|row| row.name.as_str()).collect()
    }

    /// The rows of a program, one for each number of targets.
    fn rows(&self, name: &str) -> Vec<Option<&'r Row>> {
        let of = |rows: &'r [Row]| rows.iter().find(|row| row.name == name);
        self.points.iter().map(|(_, rows)| of(rows)).collect()
    }
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::client::Measured;
    use super::*;

    fn row(name: &str, cpu: f64) -> Row {
        let measured = Measured {
            cpu,
            peak_kib: 2048.0,
            wall: 1.0,
        };
        Row {
            measured: vec![measured],
            ..Row::new(name)
        }
    }

    #[test]
    fn a_program_that_was_not_measured_everywhere_has_gaps_and_a_shorter_curve() {
        let late = Row {
            missing: Some(Missing::Late),
            ..Row::new("theirs")
        };
        let small = [row("ours", 0.01), row("theirs", 0.2)];
        let (large, largest) = ([row("ours", 0.1), late], [row("ours", 1.0)]);
        let growth = Growth::new(vec![
            (1_000, &small[..]),
            (1_000_000, &large[..]),
            (10_000_000, &largest[..]),
        ]);
        let text = growth.text();
        assert!(
            text.contains("| 1,000 | 1,000,000 | 10,000,000 |"),
            "{text}"
        );
        assert!(
            text.contains("| theirs | 0.200 s, 2 MiB | over a minute | – |"),
            "{text}"
        );
        let [(_, chart), _] = growth.charts();
        assert_eq!(chart.matches("<polyline").count(), 2);
    }
}
