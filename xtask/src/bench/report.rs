//! The page that the benchmarks write.

use super::chart;
use super::client::{Missing, Row};
use std::fmt::Write as _;

/// What kind of programs a table compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Programs that fetch from a server.
    Clients,
    /// Programs that make metadata.
    Authors,
    /// Commands of ours, one beside the other.
    Commands,
}

/// One table of the page.
pub(super) struct Section {
    title: &'static str,
    kind: Kind,
    rows: Vec<Row>,
}

/// The whole of docs/benchmarks.md.
pub(super) fn page(sections: &[Section], growth: &str, rounds: usize) -> String {
    let mut page = format!(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench`: whole processes, all of a table in turn in each of {rounds} rounds of one run, medians. CPU is user\n\
         and system time of the process, peak memory is its largest resident set, and *share* is the CPU time as a share of\n\
         python-tuf's. Absolute figures depend on the machine; compare the shares.\n"
    );
    let parts = [
        (
            Kind::Clients,
            "Clients",
            "Over HTTP on the loopback interface, from a server that is not measured.",
        ),
        (
            Kind::Authors,
            "Authoring",
            "Without a network: metadata is made, signed with Ed25519 keys in files and written to a directory. tuffet verifies every\n\
             signature against the declared public key before it is written, and before it publishes what clients will make of it. What\n\
             stands under *one more target* are two commands of tuffet, `target add` and `publish`: their times together, and the\n\
             larger of their memories; what they write is flushed to the disk.",
        ),
        (
            Kind::Commands,
            "Commands",
            "Each a process of its own, without a network, with keys that have no passphrase. The last line is for comparison: what a\n\
             Python program needs before it has done anything.",
        ),
    ];
    for (kind, title, text) in parts {
        let own: Vec<&Section> = sections
            .iter()
            .filter(|section| section.kind == kind)
            .collect();
        if own.is_empty() {
            continue;
        }
        // Writing to a String does not fail.
        let _ = write!(page, "\n## {title}\n\n{text}\n");
        for section in own {
            page.push('\n');
            page.push_str(&section.text());
            if section.kind != Kind::Commands {
                let _ = write!(
                    page,
                    "\n![{}](benchmarks/{})\n",
                    section.title,
                    section.file()
                );
            }
        }
        if kind == Kind::Clients {
            page.push_str(growth);
        }
    }
    page
}

impl Section {
    pub(super) fn clients(title: &'static str, rows: Vec<Row>) -> Self {
        let kind = Kind::Clients;
        Self { title, kind, rows }
    }

    pub(super) fn authors(title: &'static str, rows: Vec<Row>) -> Self {
        let kind = Kind::Authors;
        Self { title, kind, rows }
    }

    pub(super) fn commands(title: &'static str, rows: Vec<Row>) -> Self {
        let kind = Kind::Commands;
        Self { title, kind, rows }
    }

    /// The table.
    pub(super) fn text(&self) -> String {
        let reference = self
            .rows
            .iter()
            .find(|row| row.name.starts_with("python-tuf") && !row.measured.is_empty())
            .map(Row::cpu);
        let mut text = format!("### {}\n\n{}", self.title, self.head());
        for row in &self.rows {
            let name = &row.name;
            if let Some(why) = row.missing {
                let why = match why {
                    Missing::Late => "more than a minute",
                    Missing::Killed => "killed",
                    Missing::Failed => "failed",
                };
                let _ = writeln!(text, "| {name} | {why} | | | |");
                continue;
            }
            let share = reference.map_or_else(
                || "–".into(),
                |reference| format!("{:.3}", row.cpu() / reference),
            );
            let wall = median(row.measured.iter().map(|one| one.wall));
            let (cpu, memory) = (row.cpu(), row.memory());
            // Writing to a String does not fail, here and below.
            let _ = match self.kind {
                Kind::Commands => {
                    let (cpu, wall) = (cpu * 1000.0, wall * 1000.0);
                    writeln!(
                        text,
                        "| {name} | {cpu:.0} ms | {memory:.0} MiB | {wall:.0} ms |"
                    )
                }
                Kind::Clients | Kind::Authors => writeln!(
                    text,
                    "| {name} | {cpu:.2} s | {share} | {memory:.0} MiB | {wall:.2} s |"
                ),
            };
        }
        text
    }

    /// The chart of what programs take, with the name of its file.
    pub(super) fn chart(&self) -> Option<(String, String)> {
        if self.kind == Kind::Commands {
            return None;
        }
        let bars: Vec<(&str, f64)> = self
            .rows
            .iter()
            .filter(|row| row.missing.is_none())
            .map(|row| (row.name.as_str(), row.cpu() * 1000.0))
            .collect();
        let title = format!("{}: CPU", self.title);
        Some((self.file(), chart::bars(&title, "ms", &bars)))
    }

    /// The title in letters and digits.
    fn file(&self) -> String {
        let words = self
            .title
            .split(|letter: char| !letter.is_ascii_alphanumeric());
        let words: Vec<String> = words
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        format!("{}.svg", words.join("-"))
    }

    fn head(&self) -> String {
        match self.kind {
            Kind::Commands => {
                "| command | CPU | peak memory | elapsed |\n| --- | ---: | ---: | ---: |\n".into()
            }
            Kind::Clients | Kind::Authors => {
                let what = if self.kind == Kind::Clients {
                    "client"
                } else {
                    "program"
                };
                format!(
                    "| {what} | CPU | share | peak memory | elapsed |\n| --- | ---: | ---: | ---: | ---: |\n"
                )
            }
        }
    }
}

impl Row {
    /// The median of the processor time, in seconds.
    pub(super) fn cpu(&self) -> f64 {
        median(self.measured.iter().map(|one| one.cpu))
    }

    /// The median of the largest resident sets, in MiB.
    pub(super) fn memory(&self) -> f64 {
        median(self.measured.iter().map(|one| one.peak_kib)) / 1024.0
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::super::client::Measured;
    use super::*;

    fn row(name: &str, cpu: f64) -> Row {
        let measured = Measured {
            cpu,
            peak_kib: 1024.0,
            wall: 1.0,
        };
        Row {
            measured: vec![measured],
            ..Row::new(name)
        }
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(
            median([3.0, 1.0, 2.0].into_iter()).to_bits(),
            2.0_f64.to_bits()
        );
    }

    #[test]
    fn shares_are_of_the_reference() {
        let late = Row {
            missing: Some(Missing::Late),
            ..Row::new("slow")
        };
        let rows = vec![row("tuffet", 0.5), row("python-tuf 7.0.1", 10.0), late];
        let text = Section::clients("title", rows).text();
        assert!(
            text.contains("| tuffet | 0.50 s | 0.050 | 1 MiB | 1.00 s |"),
            "{text}"
        );
        assert!(text.contains("| slow | more than a minute |"), "{text}");
    }

    #[test]
    fn what_is_made_without_a_network_does_not_stand_under_http() {
        let sections = [
            Section::clients("fetching", vec![row("tuffet", 0.5)]),
            Section::authors("signing", vec![row("tuffet", 0.5)]),
            Section::commands("typing", vec![row("`tuffet status`", 0.025)]),
        ];
        let page = page(&sections, "\n### Growth\n", 3);
        let place = |text: &str| page.find(text).unwrap();
        assert!(place("## Clients") < place("Over HTTP"));
        assert!(place("### fetching") < place("### Growth"));
        assert!(place("### Growth") < place("## Authoring"));
        assert!(place("Without a network") < place("### signing"));
        assert!(place("## Commands") < place("| `tuffet status` | 25 ms | 1 MiB | 1000 ms |"));
    }
}
