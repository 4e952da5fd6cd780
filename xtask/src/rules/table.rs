//! The tables of docs/rules.md: `| id | rule | section | decision | status | tests |`.

use super::tests_found::Found;
use std::fmt;

/// How far a rule is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    /// Implemented, and a test proves it.
    Kept,
    /// Not yet implemented, or not yet tested.
    Open,
    /// About something that tuffet does not do yet; the decision says what.
    Later,
}

const STATUSES: [(Status, &str); 3] = [
    (Status::Kept, "kept"),
    (Status::Open, "open"),
    (Status::Later, "later"),
];

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = STATUSES
            .iter()
            .find(|(status, _)| status == self)
            .map(|(_, name)| *name);
        formatter.write_str(name.unwrap_or_default())
    }
}

/// A rule.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) tests: Vec<String>,
    /// The cells before the status, as they stand in the file.
    before: Vec<String>,
}

impl Row {
    /// What was decided; empty where the rule leaves no choice.
    pub(super) fn decision(&self) -> &str {
        self.before.get(3).map_or("", |cell| cell.trim())
    }

    /// What the names of this rule's tests begin with.
    pub(super) fn prefix(&self) -> String {
        self.id.to_lowercase().replace('-', "")
    }
}

/// The file, line by line.
#[derive(Debug)]
pub(super) struct Table(Vec<Line>);

#[derive(Debug)]
enum Line {
    Text(String),
    Rule(Row),
}

const CELLS: usize = 6;

impl Table {
    /// Reads the file; a row is a line whose first cell is an id such as `C-05`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let lines = text
            .lines()
            .map(parse_line)
            .collect::<Result<Vec<_>, _>>()?;
        let table = Self(lines);
        let mut ids: Vec<&str> = table.rows().map(|row| row.id.as_str()).collect();
        ids.sort_unstable();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("{} stands there twice", pair[0]));
        }
        if ids.is_empty() {
            Err("no rules".into())
        } else {
            Ok(table)
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.0.iter().filter_map(|line| match line {
            Line::Rule(row) => Some(row),
            Line::Text(_) => None,
        })
    }

    /// Writes the tests that were found into their rows; a rule that has one is kept.
    pub(super) fn fill(&mut self, found: &Found) {
        for line in &mut self.0 {
            let Line::Rule(row) = line else { continue };
            row.tests = found.of(&row.id);
            if !row.tests.is_empty() {
                row.status = Status::Kept;
            }
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.0 {
            match line {
                Line::Text(text) => writeln!(formatter, "{text}")?,
                Line::Rule(Row {
                    before,
                    status,
                    tests,
                    ..
                }) => {
                    let tests: Vec<String> = tests.iter().map(|name| format!("`{name}`")).collect();
                    let tests = if tests.is_empty() {
                        "—".to_owned()
                    } else {
                        tests.join(", ")
                    };
                    writeln!(formatter, "|{}| {status} | {tests} |", before.join("|"))?;
                }
            }
        }
        Ok(())
    }
}

fn parse_line(line: &str) -> Result<Line, String> {
    let cells = cells(line);
    let Some(id) = cells
        .first()
        .map(|cell| cell.trim())
        .filter(|cell| is_id(cell))
    else {
        return Ok(Line::Text(line.to_owned()));
    };
    let [before @ .., status, tests] = cells.as_slice() else {
        return Err(format!("{id}: too few cells"));
    };
    if cells.len() != CELLS {
        return Err(format!("{id}: {} cells instead of {CELLS}", cells.len()));
    }
    let status = STATUSES.iter().find(|(_, name)| *name == status.trim());
    let Some(&(status, _)) = status else {
        return Err(format!("{id}: the status must be kept, open or later"));
    };
    let tests = tests.split(',').map(|name| name.trim().trim_matches('`'));
    Ok(Line::Rule(Row {
        id: id.to_owned(),
        status,
        tests: tests
            .filter(|name| *name != "—")
            .map(str::to_owned)
            .collect(),
        before: before.iter().map(|cell| (*cell).to_owned()).collect(),
    }))
}

/// The cells of a table row; a bar after a backslash is text.
fn cells(line: &str) -> Vec<&str> {
    let Some(inner) = line
        .strip_prefix('|')
        .and_then(|rest| rest.strip_suffix('|'))
    else {
        return Vec::new();
    };
    let mut cells = Vec::new();
    let mut start = 0;
    for (at, _) in inner.match_indices('|') {
        if !inner[..at].ends_with('\\') {
            cells.push(&inner[start..at]);
            start = at + 1;
        }
    }
    cells.push(&inner[start..]);
    cells
}

fn is_id(cell: &str) -> bool {
    let Some((kind, number)) = cell.split_once('-') else {
        return false;
    };
    kind.len() == 1
        && kind.bytes().all(|byte| byte.is_ascii_uppercase())
        && number.len() == 2
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_rows_are_refused() {
        for (row, reason) in [
            ("| C-05 | rule |", "C-05: 2 cells"),
            ("| C-05 | r | s | d | done | — |", "C-05: the status"),
            ("| C-05 | r | s | d | open | — | more |", "C-05: 7 cells"),
            ("| C-5 | r | s | d | open | — |", "no rules"),
        ] {
            let error = Table::parse(row).unwrap_err();
            assert!(error.starts_with(reason), "{error}");
        }
        let twice = "| C-05 | r | s | d | open | — |\n".repeat(2);
        assert_eq!(Table::parse(&twice).unwrap_err(), "C-05 stands there twice");
    }
}
