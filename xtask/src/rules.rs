//! Every rule of docs/rules.md has a test that is named after it.
//!
//! `c05_root_needs_both_thresholds` is a test of rule C-05, `c05_f08_...` one of C-05 and F-08. The
//! table's column of tests is written by `--write`, never by hand.

mod table;
mod tests_found;

use crate::arguments::Arguments;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use std::collections::BTreeMap;
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
    let findings = check(&table, &found);
    if !findings.is_empty() {
        return Err(Failure::list(
            "docs/rules.md and the tests disagree",
            &findings,
        ));
    }
    Ok(Outcome::Passed(counts(&table)))
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
