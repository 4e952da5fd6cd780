//! The page that the benchmarks write.

use super::client::{Measured, Rows};
use std::fmt::Write as _;

/// The whole of docs/benchmarks.md.
pub(super) fn page(sections: &[(&str, Rows)], rounds: usize) -> String {
    let mut page = format!(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench`: whole processes over HTTP on the loopback interface, all clients in turn in each of {rounds}\n\
         rounds of one run, medians. CPU is user and system time of the client process, peak memory is its largest resident set.\n\
         *Share* is the CPU time as a share of python-tuf's. Absolute figures depend on the machine; compare the shares.\n"
    );
    for (title, rows) in sections {
        page.push('\n');
        page.push_str(&section(title, rows));
    }
    page
}

/// One table.
pub(super) fn section(title: &str, rows: &[(String, Vec<Measured>)]) -> String {
    let mut text = format!(
        "## {title}\n\n| client | CPU | share | peak memory | elapsed |\n| --- | ---: | ---: | ---: | ---: |\n"
    );
    let cpu = |measured: &[Measured]| median(measured.iter().map(|one| one.cpu));
    let reference = rows
        .iter()
        .find(|(name, _)| name.starts_with("python-tuf"))
        .map(|(_, measured)| cpu(measured));
    for (name, measured) in rows {
        let share = reference.map_or_else(
            || "–".into(),
            |reference| format!("{:.3}", cpu(measured) / reference),
        );
        let memory = median(measured.iter().map(|one| one.peak_kib)) / 1024.0;
        let wall = median(measured.iter().map(|one| one.wall));
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "| {name} | {:.2} s | {share} | {memory:.0} MiB | {wall:.2} s |",
            cpu(measured)
        );
    }
    text
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(
            median([3.0, 1.0, 2.0].into_iter()).to_bits(),
            2.0_f64.to_bits()
        );
    }

    #[test]
    fn shares_are_of_the_reference() {
        let one = |cpu| {
            vec![Measured {
                cpu,
                peak_kib: 1024.0,
                wall: 1.0,
            }]
        };
        let text = section(
            "title",
            &[
                ("tuffet".into(), one(0.5)),
                ("python-tuf 7.0.1".into(), one(10.0)),
            ],
        );
        assert!(
            text.contains("| tuffet | 0.50 s | 0.050 | 1 MiB | 1.00 s |"),
            "{text}"
        );
    }
}
