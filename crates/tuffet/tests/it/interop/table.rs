//! The page docs/interop.md: two tables, what a cell means, and why some are empty.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

/// What came out of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Works,
    /// It cannot do this, for a reason that it gives.
    Unable(String),
    /// It could not be tried here.
    NotRun,
    /// Neither of these: what was said.
    Wrong(String),
}

/// One of the two tables.
pub(crate) struct Table {
    /// What the page calls this part; the file is cut at it.
    pub(crate) section: &'static str,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<(String, Vec<Cell>)>,
    /// Why whole columns are empty.
    pub(crate) missing: Vec<(String, String)>,
}

/// Two tests write one file.
static PAGE: Mutex<()> = Mutex::new(());

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/interop.md")
}

fn begin(section: &str) -> String {
    format!("<!-- begin {section}: written by cargo xtask interop -->\n")
}

fn end(section: &str) -> String {
    format!("<!-- end {section} -->\n")
}

/// The page before, in and after a section.
fn parts<'p>(page: &'p str, section: &str) -> (&'p str, &'p str, &'p str) {
    let (begin, end) = (begin(section), end(section));
    let (before, rest) = page.split_once(&begin).expect("the begin of a section");
    let (inside, after) = rest.split_once(&end).expect("the end of a section");
    (before, inside, after)
}

impl Table {
    /// Fails if something went wrong, or is other than the page says; writes it there if that is wanted.
    pub(crate) fn check(&self) {
        let count = |wanted: fn(&Cell) -> bool| {
            let cells = self.rows.iter().flat_map(|(_, cells)| cells);
            cells.filter(|cell| wanted(cell)).count()
        };
        println!(
            "{}: {} cells: {} work, {} not supported, {} not run",
            self.section,
            self.rows.len() * self.columns.len(),
            count(|cell| matches!(cell, Cell::Works)),
            count(|cell| matches!(cell, Cell::Unable(_))),
            count(|cell| matches!(cell, Cell::NotRun)),
        );
        let mut wrong = Vec::new();
        for (column, row, cell) in self.cells() {
            if let Cell::Wrong(said) = cell {
                wrong.push(format!("{column}: {row}: {said}"));
            }
        }
        assert!(
            wrong.is_empty(),
            "{}:\n{}",
            self.section,
            wrong.join("\n\n")
        );
        let _one_at_a_time = PAGE.lock();
        let text = fs::read_to_string(page()).unwrap();
        if std::env::var("TUFFET_INTEROP").is_ok_and(|wish| wish == "write") {
            let (before, _, after) = parts(&text, self.section);
            let (begin, end) = (begin(self.section), end(self.section));
            let text = format!("{before}{begin}{}{end}{after}", self.markdown());
            fs::write(page(), text).unwrap();
            return;
        }
        let (_, inside, _) = parts(&text, self.section);
        let stale = self.disagreements(inside);
        assert!(
            stale.is_empty(),
            "docs/interop.md says something else; `cargo xtask interop --write` writes it anew:\n{}",
            stale.join("\n")
        );
    }

    fn cells(&self) -> impl Iterator<Item = (&str, &str, &Cell)> {
        self.rows.iter().flat_map(|(row, cells)| {
            let columns = self.columns.iter().zip(cells);
            columns.map(|(column, cell)| (column.as_str(), row.as_str(), cell))
        })
    }

    /// Cells that were run and are not on the page like that.
    fn disagreements(&self, inside: &str) -> Vec<String> {
        let rows: Vec<Vec<&str>> = inside
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
            .map(|line| line.split(" | ").collect())
            .collect();
        let reason = |number: &str| {
            inside
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{number}. ")))
        };
        let heads = rows.first();
        let place = |column: &str| heads?.iter().position(|head| *head == column);
        let run: Vec<_> = self
            .cells()
            .filter(|(_, _, cell)| **cell != Cell::NotRun)
            .collect();
        let strange = run.iter().map(|(column, _, _)| *column);
        let strange: BTreeSet<&str> = strange.filter(|column| place(column).is_none()).collect();
        for column in strange {
            println!("{column} is not on the page");
        }
        let mut stale = Vec::new();
        for (column, row, cell) in run {
            let Some(at) = place(column) else {
                continue;
            };
            let line = rows.iter().find(|cells| cells[0] == row);
            let found = line
                .and_then(|cells| cells.get(at))
                .copied()
                .unwrap_or("nothing");
            let agrees = match cell {
                Cell::Works => found == "✓",
                Cell::Unable(why) => {
                    found.strip_prefix("– ").and_then(reason) == Some(why.as_str())
                }
                Cell::NotRun | Cell::Wrong(_) => false,
            };
            if !agrees {
                stale.push(format!("{column}: {row}: {cell:?}, not {found}"));
            }
        }
        stale
    }

    fn markdown(&self) -> String {
        let mut reasons: Vec<&str> = Vec::new();
        let mut lines = vec![
            format!("| repository | {} |", self.columns.join(" | ")),
            format!("|---|{}", "---|".repeat(self.columns.len())),
        ];
        for (row, cells) in &self.rows {
            let mut line = format!("| {row} |");
            for cell in cells {
                let text = match cell {
                    Cell::Works => "✓".to_owned(),
                    Cell::NotRun => "not run".to_owned(),
                    Cell::Wrong(_) => "✗".to_owned(),
                    Cell::Unable(why) => {
                        let known = reasons.iter().position(|reason| reason == why);
                        let at = known.unwrap_or_else(|| {
                            reasons.push(why);
                            reasons.len() - 1
                        });
                        format!("– {}", at + 1)
                    }
                };
                line.push_str(&format!(" {text} |"));
            }
            lines.push(line);
        }
        lines.push(String::new());
        for (number, reason) in (1..).zip(&reasons) {
            lines.push(format!("{number}. {reason}"));
        }
        for (column, why) in &self.missing {
            lines.push(format!("\nNot run, {column}: {why}."));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

#[test]
fn a_table_that_says_something_else_is_noticed() {
    let table = |cells: [Cell; 2]| Table {
        section: "any",
        columns: vec!["one".into(), "two".into()],
        rows: vec![("a row".into(), cells.into())],
        missing: Vec::new(),
    };
    let unable = |why: &str| Cell::Unable(why.into());
    let written = table([Cell::Works, unable("no such keys")]).markdown();
    for (cells, agrees) in [
        ([Cell::Works, unable("no such keys")], true),
        ([Cell::NotRun, Cell::NotRun], true),
        ([Cell::Works, Cell::Works], false),
        ([unable("no such keys"), Cell::NotRun], false),
        ([Cell::Works, unable("something else")], false),
    ] {
        let stale = table(cells.clone()).disagreements(&written);
        assert_eq!(stale.is_empty(), agrees, "{cells:?}: {stale:?}");
    }
}
