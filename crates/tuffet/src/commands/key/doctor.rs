//! `tuffet key doctor`: why a key does not sign.

mod agent;
mod clock;
mod files;
mod tokens;

use serde_json::{Value, json};

use super::DoctorArguments;
use crate::codes;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::text;

/// What was looked at, and what is not as it should be.
#[derive(Default)]
struct Report {
    /// What there is, a row each: of what kind, which, in what state.
    rows: Vec<Vec<String>>,
    /// The same for programs, by kind.
    facts: serde_json::Map<String, Value>,
    findings: Vec<Finding>,
}

/// Something that is not as it should be.
struct Finding {
    code: &'static str,
    what: String,
}

impl Report {
    fn row(&mut self, kind: &str, which: &str, state: &str) {
        let cells = [kind, which, state];
        self.rows
            .push(cells.iter().map(|cell| text::visible(cell)).collect());
    }

    fn fact(&mut self, kind: &str, fact: Value) {
        let facts = self.facts.entry(kind).or_insert_with(|| json!([]));
        if let Value::Array(facts) = facts {
            facts.push(fact);
        }
    }

    fn find(&mut self, code: &'static str, what: impl Into<String>) {
        self.findings.push(Finding {
            code,
            what: what.into(),
        });
    }

    /// A file or device that cannot be used, with the words of whoever refused it.
    fn refused(&mut self, code: &'static str, failure: &Failure) {
        self.find(code, failure.line());
    }
}

/// Runs the command.
pub(super) fn run(arguments: &DoctorArguments, app: &App) -> Result<Exit, Failure> {
    let mut report = Report::default();
    let modules = files::look(&mut report, app)?;
    agent::look(&mut report);
    tokens::look(&mut report, &arguments.module, modules, app);
    clock::look(&mut report, app.now);
    let exit = match arguments.check && !report.findings.is_empty() {
        true => Exit::Findings,
        false => Exit::Done,
    };
    show(report, app)?;
    Ok(exit)
}

fn show(report: Report, app: &App) -> Result<(), Failure> {
    if app.console.json {
        let findings: Vec<Value> = report
            .findings
            .iter()
            .map(|finding| {
                let explanation = codes::find(finding.code);
                json!({
                    "code": finding.code,
                    "what": finding.what,
                    "fix": explanation.map(|explanation| explanation.fix),
                })
            })
            .collect();
        let mut object = report.facts;
        object.insert("findings".to_owned(), findings.into());
        return app.console.result("key-doctor", Value::Object(object));
    }
    let mut lines = text::columns(&report.rows);
    for finding in &report.findings {
        let what = text::visible(&finding.what);
        let line = format!("finding[{}]: {what}", finding.code);
        lines.push(text::wrap(&line, text::WIDTH, 2));
        if let Some(explanation) = codes::find(finding.code) {
            lines.push(format!(
                "  fix  {}",
                text::wrap(explanation.fix, text::WIDTH, 7)
            ));
        }
    }
    if report.findings.is_empty() {
        lines.push("no findings".to_owned());
    }
    app.console.data(lines.join("\n"))
}
