//! Why a command failed: what happened, why it matters, what to do, and the exit code.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use tuffet_core::trust::{Class, Rejected};

use crate::codes;
use crate::exit::Exit;
use crate::text;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const LABEL: Style = Style::new().bold();

/// The width of a report: the tour shows reports with an indentation.
const WIDTH: usize = 74;

/// A failure as it is reported.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    code: &'static str,
    exit: Exit,
    message: String,
    causes: Vec<String>,
    fix: Vec<String>,
    silent: bool,
    /// What else a program that reads JSON is told.
    members: Vec<(&'static str, Value)>,
}

impl Failure {
    /// A failure with the explanation of its code.
    pub(crate) fn new(code: &'static str, exit: Exit, message: impl Into<String>) -> Self {
        Self {
            code,
            exit,
            message: message.into(),
            causes: Vec::new(),
            fix: Vec::new(),
            silent: false,
            members: Vec::new(),
        }
    }

    /// Wrong usage.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new("usage.arguments", Exit::Usage, message)
    }

    /// A question that nobody is there to answer.
    pub(crate) fn needs_answer(question: &str, flag: &str) -> Self {
        Self::new(
            "usage.no-terminal",
            Exit::Usage,
            format!("an answer is needed ({question}), and there is no terminal to ask on"),
        )
        .fix(format!("give it with {flag}"))
    }

    /// A file that could not be read.
    pub(crate) fn reading(path: &Path, error: &io::Error) -> Self {
        let exit = if error.kind() == io::ErrorKind::NotFound {
            Exit::NotFound
        } else {
            Exit::Network
        };
        Self::new("file.read", exit, format!("cannot read {}", path.display())).cause(error)
    }

    /// A file that could not be written.
    pub(crate) fn writing(path: &Path, error: &io::Error) -> Self {
        Self::new(
            "file.write",
            Exit::Network,
            format!("cannot write {}", path.display()),
        )
        .cause(error)
    }

    /// Stdout that cannot be written. A reader that has seen enough is no failure.
    pub(crate) fn stdout(error: io::Error) -> Self {
        let gone = error.kind() == io::ErrorKind::BrokenPipe;
        let exit = if gone { Exit::Done } else { Exit::Network };
        let failure = Self::new("file.write", exit, "cannot write to stdout").cause(&error);
        Self {
            silent: gone,
            ..failure
        }
    }

    /// Adds a line about the cause.
    pub(crate) fn cause(mut self, cause: impl ToString) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds what an error says about its own causes.
    pub(crate) fn sources(mut self, error: &dyn Error) -> Self {
        let mut next = error.source();
        while let Some(source) = next {
            self.causes.push(source.to_string());
            next = source.source();
        }
        self
    }

    /// Adds a line about what to do here and now.
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix.push(fix.into());
        self
    }

    /// Adds a member beside `error`: what the command did before it failed.
    pub(crate) fn member(mut self, name: &'static str, value: Value) -> Self {
        self.members.push((name, value));
        self
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// What happened.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What happened and its causes, in one line.
    pub(crate) fn line(&self) -> String {
        let causes = self.causes.iter().map(|cause| format!(" ({cause})"));
        std::iter::once(self.message.clone())
            .chain(causes)
            .collect()
    }

    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether nothing is to be said about it.
    pub(crate) fn is_silent(&self) -> bool {
        self.silent
    }

    /// The report for people.
    pub(crate) fn render(&self) -> String {
        let head = format!("error[{}]: ", self.code);
        let message = text::visible(&self.message);
        let wrapped = text::wrap(&format!("{head}{message}"), WIDTH, 2);
        // The head is one word and a blank, so wrapping has left it alone.
        let message = wrapped.strip_prefix(&head).unwrap_or(&message);
        let mut report = format!("{ERROR}{head}{ERROR:#}{message}");
        for (place, cause) in self.causes.iter().enumerate() {
            let last = place + 1 == self.causes.len();
            let branch = if last { '└' } else { '├' };
            let cause = text::wrap(&text::visible(cause), WIDTH, 4);
            report.push_str(&format!("\n  {branch} {cause}"));
        }
        let explanation = codes::find(self.code);
        if let Some(explanation) = explanation {
            let why = text::wrap(explanation.why, WIDTH, 6);
            report.push_str(&format!("\n{LABEL}why{LABEL:#}   {why}"));
        }
        let own = self.fix.iter().map(String::as_str);
        let general = explanation.map(|explanation| explanation.fix);
        for (place, fix) in own.chain(general).enumerate() {
            let label = if place == 0 { "fix" } else { "   " };
            let fix = text::wrap(fix, WIDTH, 6);
            report.push_str(&format!("\n{LABEL}{label}{LABEL:#}   {fix}"));
        }
        if explanation.is_some() {
            report.push_str(&format!("\n      tuffet explain {}", self.code));
        }
        report
    }

    /// The members of a JSON error object.
    pub(crate) fn to_json(&self, command: &str) -> Value {
        let mut object = json!({"command": command, "error": self.object()});
        for (name, value) in &self.members {
            object[*name] = value.clone();
        }
        object
    }

    /// The failure alone as JSON.
    pub(crate) fn object(&self) -> Value {
        let explanation = codes::find(self.code);
        let fix: Vec<&str> = self
            .fix
            .iter()
            .map(String::as_str)
            .chain(explanation.map(|explanation| explanation.fix))
            .collect();
        json!({
            "code": self.code,
            "exit": self.exit.number(),
            "message": self.message,
            "causes": self.causes,
            "why": explanation.map(|explanation| explanation.why),
            "fix": fix,
        })
    }
}

impl From<&Rejected> for Failure {
    fn from(rejected: &Rejected) -> Self {
        let exit = match (rejected.class(), rejected) {
            (Class::Untrustworthy, _) => Exit::Untrusted,
            (Class::NotFound, _) | (_, Rejected::Offline { .. }) => Exit::NotFound,
            (Class::Stale, _) | (_, Rejected::Clock { .. }) => Exit::Stale,
            (_, Rejected::Cache { .. }) => Exit::Untrusted,
            _ => Exit::Failed,
        };
        Self::new(rejected.code(), exit, rejected.to_string()).sources(rejected)
    }
}

/// Turns a panic into a short report and exit code 1: a bug is not a reason to show a backtrace.
#[expect(
    clippy::exit,
    reason = "unwinding would print, and a release build would abort with a core dump"
)]
pub(crate) fn report_panics_as_bugs() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, |place| format!(" ({place})"));
        let payload = panic.payload();
        let what = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("something that must not happen");
        let message = format!("tuffet has a bug: {what}{place}");
        let failure = Failure::new("internal.panic", Exit::Failed, message);
        let _ = writeln!(anstream::stderr(), "{}", failure.render());
        std::process::exit(i32::from(failure.exit().number()));
    }));
}
