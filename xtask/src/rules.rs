//! Every rule of docs/rules.md has a test that is named after it.
//!
//! `c05_root_needs_both_thresholds` is a test of rule C-05, `c05_f08_...` one of C-05 and F-08. The
//! table's column of tests is written by `--write`, never by hand.
//!
//! That the test of a rule fails without its check is shown by the switches; here only that there is one for each rule.

mod table;
mod tests_found;

use crate::arguments::Arguments;
use crate::report::{Failure, Outcome};
use crate::switches;
use crate::workspace::{self, Workspace};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use table::{Row, Status, Table};
use tests_found::Found;

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let write = arguments.flag("--write");
    arguments.finish()?;
    let path = workspace.root.join("docs").join("rules.md");
    let text = fs::read_to_string(&path).map_err(|error| Failure::file(&path, error))?;
    let mut table = Table::parse(&text).map_err(|error| Failure::file(&path, error))?;
    let found = tests_found::below(&workspace.root.join("crates"))?;

    if write {
        table.fill(&found);
        fs::write(&path, table.to_string()).map_err(|error| Failure::file(&path, error))?;
    }
    let mut findings = check(&table, &found);
    findings.extend(check_switches(
        &table,
        &switches::switched().collect(),
        switches::WITHOUT,
    ));
    if !findings.is_empty() {
        return Err(Failure::list(
            "docs/rules.md and the tests disagree",
            &findings,
        ));
    }
    Ok(Outcome::Passed(counts(&table)))
}

/// The tests that docs/rules.md names, by rule.
pub(crate) fn named_tests(workspace: &Workspace) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let path = workspace.root.join("docs").join("rules.md");
    let table =
        Table::parse(&workspace::read(&path)?).map_err(|error| Failure::file(&path, error))?;
    let rows = table.rows().map(|row| (row.id.clone(), row.tests.clone()));
    Ok(rows.collect())
}

/// Where the table and the tests disagree.
fn check(table: &Table, found: &Found) -> Vec<String> {
    let mut findings = Vec::new();
    for row in table.rows() {
        let tests = found.of(&row.id);
        if row.status == Status::Kept && tests.is_empty() {
            findings.push(format!("{}: no test is named {}_...", row.id, row.prefix()));
        } else if row.status == Status::Open && tests.is_empty() {
            findings.push(format!("{}: is open, and has no test", row.id));
        } else if row.status != Status::Kept && !tests.is_empty() {
            findings.push(format!(
                "{}: has tests, but counts as {}; {WRITE}",
                row.id, row.status
            ));
        } else if row.status == Status::Later && row.decision().is_empty() {
            findings.push(format!("{}: does not say why it is for later", row.id));
        } else if row.tests != tests {
            findings.push(format!(
                "{}: the table lists other tests than there are; {WRITE}",
                row.id
            ));
        }
    }
    for (id, tests) in found.all() {
        if table.rows().all(|row| row.id != *id) {
            findings.push(format!(
                "{id}: no such rule, but a test {}",
                tests.join(", ")
            ));
        }
    }
    findings
}

/// Where the table and the switches disagree: of each rule that is kept there is a switch, or a reason why there is none.
fn check_switches(
    table: &Table,
    switched: &BTreeSet<&str>,
    without: &[(&str, &str)],
) -> Vec<String> {
    let mut findings = Vec::new();
    let reasons: BTreeMap<&str, &str> = without.iter().copied().collect();
    let kept = table.rows().filter(|row| row.status == Status::Kept);
    let kept: BTreeSet<&str> = kept.map(|row| row.id.as_str()).collect();
    for rule in &kept {
        match (switched.contains(rule), reasons.contains_key(rule)) {
            (false, false) => findings.push(format!(
                "{rule}: nothing in xtask/src/switches takes its check out, and no reason is given"
            )),
            (true, true) => findings.push(format!(
                "{rule}: a switch takes its check out, and a reason says why there is none"
            )),
            _ => {}
        }
    }
    for rule in switched.iter().chain(reasons.keys()) {
        if !kept.contains(rule) {
            findings.push(format!(
                "{rule}: xtask/src/switches is about it, and it is not kept"
            ));
        }
    }
    findings
}

const WRITE: &str = "run `cargo xtask rules --write`";

fn counts(table: &Table) -> String {
    let mut counts: BTreeMap<Status, usize> = BTreeMap::new();
    for Row { status, .. } in table.rows() {
        *counts.entry(*status).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(status, n)| format!("{n} {status}"))
        .collect();
    counts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
# Rules

| id | rule | section | decision | status | tests |
| --- | --- | --- | --- | --- | --- |
| C-05 | both thresholds | §5.3.4 | | kept | `c05_both` |
| C-06 | next version only | §5.3.5 | a \\| b | kept | `c06_next` |
| K-01 | offline keys | §6.1 | not yet | later | — |

Text.
";

    fn found(source: &str) -> Found {
        let mut found = Found::default();
        found.read(source);
        found
    }

    fn test(names: &[&str]) -> String {
        names
            .iter()
            .map(|name| format!("#[test]\nfn {name}() {{\n}}\n"))
            .collect()
    }

    #[test]
    fn a_table_that_agrees_with_the_tests_passes_and_is_written_as_it_was() {
        let table = Table::parse(TABLE).unwrap();
        let found = found(&test(&["c05_both", "c06_next", "unrelated"]));
        assert_eq!(check(&table, &found), Vec::<String>::new());
        assert_eq!(counts(&table), "2 kept, 1 later");
        assert_eq!(table.to_string(), TABLE);
    }

    #[test]
    fn each_disagreement_is_found() {
        let table = Table::parse(TABLE).unwrap();
        for (tests, expected) in [
            (vec!["c06_next"], "C-05: no test"),
            (vec!["c06_next", "c05_other"], "C-05: the table lists other"),
            (
                vec!["c06_next", "c05_both", "c05_more"],
                "C-05: the table lists other",
            ),
            (
                vec!["c06_next", "c05_both", "k01_offline"],
                "K-01: has tests, but counts as later",
            ),
            (
                vec!["c06_next", "c05_both", "c99_unknown"],
                "C-99: no such rule",
            ),
        ] {
            let findings = check(&table, &found(&test(&tests)));
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert!(findings[0].starts_with(expected), "{findings:?}");
        }
    }

    #[test]
    fn a_rule_without_a_test_is_a_finding_unless_it_says_why_it_is_for_later() {
        let tests = found(&test(&["c05_both", "c06_next"]));
        for (from, to, expected) in [
            ("kept | `c06_next`", "open | —", "C-06: has tests, but"),
            ("later", "open", "K-01: is open"),
            ("not yet", "", "K-01: does not say why"),
            ("later", "kept", "K-01: no test"),
        ] {
            let table = Table::parse(&TABLE.replacen(from, to, 1)).unwrap();
            let findings = check(&table, &tests);
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert!(findings[0].starts_with(expected), "{findings:?}");
        }
    }

    #[test]
    fn a_rule_that_is_kept_has_a_switch_or_a_reason_and_nothing_else_has() {
        let table = Table::parse(TABLE).unwrap();
        for (switched, without, expected) in [
            (vec!["C-05", "C-06"], vec![], ""),
            (vec!["C-05"], vec![("C-06", "why")], ""),
            (vec!["C-05"], vec![], "C-06: nothing in"),
            (
                vec!["C-05", "C-06"],
                vec![("C-06", "why")],
                "C-06: a switch takes",
            ),
            (vec!["C-05", "C-06", "K-01"], vec![], "K-01: xtask"),
            (vec!["C-05", "C-06"], vec![("C-99", "why")], "C-99: xtask"),
        ] {
            let findings = check_switches(&table, &switched.into_iter().collect(), &without);
            let first = findings.first().map_or("", String::as_str);
            assert!(first.starts_with(expected), "{findings:?}");
            assert_eq!(findings.len(), usize::from(!expected.is_empty()));
        }
    }

    #[test]
    fn writing_brings_the_table_into_agreement() {
        let mut table = Table::parse(TABLE).unwrap();
        let found = found(&test(&["c05_both", "c05_c06_chain", "c06_next"]));
        table.fill(&found);
        assert_eq!(check(&table, &found), Vec::<String>::new());
        let written = table.to_string();
        assert!(
            written.contains("| kept | `c05_both`, `c05_c06_chain` |"),
            "{written}"
        );
        assert!(
            written.contains("| a \\| b | kept | `c05_c06_chain`, `c06_next` |"),
            "{written}"
        );
        assert!(written.contains("| later | — |"), "{written}");
    }
}
