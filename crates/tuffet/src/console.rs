//! What a command says: data on stdout, talk on stderr, and nothing decorative when nobody watches.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::codes;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text;

const VERB: Style = AnsiColor::Green.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const QUIET: Style = Style::new().dimmed();

/// The JSON results whose form is not the first one any more. A member more is no new form; another meaning is.
const FORMS: [(&str, u32); 1] = [("verify", 2)];

/// Where a command's words go.
#[derive(Clone)]
pub(crate) struct Console {
    /// Whether stdout carries JSON objects instead of text.
    pub(crate) json: bool,
    /// Whether only errors are said.
    pub(crate) quiet: bool,
    /// How much more than usual is said.
    pub(crate) verbose: u8,
    /// Whether questions are refused even on a terminal.
    pub(crate) no_input: bool,
    sink: Sink,
    /// Warnings that become part of the next JSON object.
    warnings: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
enum Sink {
    Process,
    /// The tour runs commands and shows what they said.
    Kept(Arc<Mutex<Kept>>),
}

/// What a command said while it was run by another one.
#[derive(Default)]
pub(crate) struct Kept {
    /// What would have been on stdout.
    pub(crate) data: String,
    /// What would have been on stderr.
    pub(crate) talk: String,
}

impl Console {
    /// The console of the process.
    pub(crate) fn new(json: bool, quiet: bool, verbose: u8, no_input: bool) -> Self {
        Self {
            json,
            quiet,
            verbose,
            no_input,
            sink: Sink::Process,
            warnings: Arc::default(),
        }
    }

    /// A console that keeps what is said, for a command that is run by another one.
    pub(crate) fn kept() -> (Self, Arc<Mutex<Kept>>) {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let sink = Sink::Kept(Arc::clone(&kept));
        let console = Self {
            sink,
            ..Self::new(false, false, 0, true)
        };
        (console, kept)
    }

    /// Whether somebody can answer a question.
    pub(crate) fn is_interactive(&self) -> bool {
        !self.no_input
            && !self.json
            && matches!(self.sink, Sink::Process)
            && io::stdin().is_terminal()
            && io::stderr().is_terminal()
    }

    /// Whether progress is worth drawing.
    pub(crate) fn draws_progress(&self) -> bool {
        !self.json
            && !self.quiet
            && matches!(self.sink, Sink::Process)
            && io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Prints lines of data.
    ///
    /// # Errors
    /// When stdout cannot be written; a reader that has gone away ends the command without a word.
    pub(crate) fn data(&self, lines: impl AsRef<str>) -> Result<(), Failure> {
        let lines = lines.as_ref();
        match &self.sink {
            Sink::Kept(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.data
                    .push_str(&anstream::adapter::strip_str(lines).to_string());
                kept.data.push('\n');
                Ok(())
            }
            Sink::Process => write_data(format!("{lines}\n").as_bytes()),
        }
    }

    /// Prints the one result of a command as JSON, with the name and the form of it.
    ///
    /// # Errors
    /// As for [`Console::data`].
    pub(crate) fn result(&self, command: &str, value: Value) -> Result<(), Failure> {
        let form = FORMS.iter().find(|(name, _)| *name == command);
        let form = form.map_or(1, |(_, form)| *form);
        let schema = Value::String(format!("tuffet.{command}/{form}"));
        let mut object = serde_json::Map::new();
        object.insert("schema".to_owned(), schema);
        if let Value::Object(members) = value {
            object.extend(members);
        }
        let warnings = self.take_warnings();
        if !warnings.is_empty() {
            object.insert("warnings".to_owned(), warnings.into());
        }
        self.data(Value::Object(object).to_string())
    }

    /// Says what was done: `    Verified  root v1 → timestamp v2`.
    pub(crate) fn status(&self, verb: &str, what: impl AsRef<str>) {
        if !self.quiet && !self.json {
            let what = what.as_ref();
            self.say(&format!("{VERB}{verb:>12}{VERB:#}  {what}"));
        }
    }

    /// Shows what somebody is about to answer for. It is never left out where a question follows. The tour answers for nothing, and has
    /// no room for it.
    pub(crate) fn show(&self, asks: bool, lines: impl FnOnce() -> String) {
        let heard = !self.quiet && !self.json && matches!(self.sink, Sink::Process);
        if asks || heard {
            self.say(&lines());
        }
    }

    /// Says something that only those who ask for more want to know.
    pub(crate) fn detail(&self, what: impl AsRef<str>) {
        if self.verbose > 0 && !self.quiet && !self.json {
            let what = what.as_ref();
            self.say(&format!("{QUIET}{:>12}  {what}{QUIET:#}", ""));
        }
    }

    /// Warns of something that did not stop the command. With JSON it is part of the result.
    pub(crate) fn warn(&self, what: impl AsRef<str>) {
        if self.json {
            let what = what.as_ref().to_owned();
            let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            warnings.push(what);
        } else if !self.quiet {
            let wrapped = text::wrap(what.as_ref(), text::WIDTH, 9);
            self.say(&format!("{WARNING}warning{WARNING:#}: {wrapped}"));
        }
    }

    /// The warnings that no JSON object has said so far.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut warnings)
    }

    /// Says what most people do next; at most once in a command.
    pub(crate) fn next(&self, command: impl AsRef<str>) {
        if !self.quiet && !self.json {
            self.say(&format!("next: {}", command.as_ref()));
        }
    }

    /// Asks for a line. An empty one stands for the default, if there is one, and is no answer otherwise.
    ///
    /// # Errors
    /// `usage.no-terminal` when nobody can answer, or nobody does any more.
    pub(crate) fn ask(
        &self,
        question: &str,
        default: Option<&str>,
        flag: &str,
    ) -> Result<String, Failure> {
        if !self.is_interactive() {
            return Err(Failure::needs_answer(question, flag));
        }
        let shown = default.map_or_else(String::new, |default| format!(" [{default}]"));
        loop {
            let _ = write!(anstream::stderr(), "? {question}{shown} ");
            let mut line = String::new();
            match io::stdin().read_line(&mut line) {
                Ok(0) | Err(_) => return Err(Failure::needs_answer(question, flag)),
                Ok(_) => {}
            }
            match (line.trim(), default) {
                ("", Some(default)) => return Ok(default.to_owned()),
                ("", None) => {}
                (answer, _) => return Ok(answer.to_owned()),
            }
        }
    }

    /// Asks for a yes.
    ///
    /// # Errors
    /// `usage.no-terminal` when nobody can answer; `usage.declined` for any other answer.
    pub(crate) fn confirm(&self, question: &str, flag: &str) -> Result<(), Failure> {
        if !self.is_interactive() {
            return Err(Failure::needs_answer("confirmation", flag));
        }
        let _ = write!(anstream::stderr(), "{question} [y/N] ");
        let mut answer = String::new();
        let _ = io::stdin().read_line(&mut answer);
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            Ok(())
        } else {
            Err(Failure::new(
                "usage.declined",
                Exit::Failed,
                "not confirmed",
            ))
        }
    }

    /// Reports a failure: a JSON object on stdout, or a report on stderr.
    pub(crate) fn report(&self, command: &str, failure: &Failure) {
        if failure.is_silent() {
            return;
        }
        debug_assert!(
            codes::exits(failure.code()).contains(&failure.exit()),
            "{} ends with {:?}",
            failure.code(),
            failure.exit()
        );
        if self.json {
            // The exit code tells even if nobody reads this.
            let _ = self.result("error", failure.to_json(command));
        } else {
            self.say(&failure.render());
        }
    }

    fn say(&self, line: &str) {
        match &self.sink {
            Sink::Kept(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.talk
                    .push_str(&anstream::adapter::strip_str(line).to_string());
                kept.talk.push('\n');
            }
            Sink::Process => {
                let mut stderr = anstream::stderr();
                // Stripped before it is written, a line goes out at once, and not piece by piece.
                let mut line = match stderr.current_choice() {
                    ColorChoice::Never => anstream::adapter::strip_str(line).to_string(),
                    _ => line.to_owned(),
                };
                line.push('\n');
                // Nobody can be told that nobody listens.
                let _ = stderr.write_all(line.as_bytes());
            }
        }
    }
}

/// Writes to stdout, styles taken out unless it is a terminal or they are forced.
fn write_data(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(Failure::stdout)
}
