//! The tour: a repository is made, used and attacked, for real, and every step is shown as the command a user would type.
//!
//! The lines that are shown are the ones that are run: each is parsed and carried out by the same code as when it is typed.

mod act;
mod script;
mod show;

use std::path::PathBuf;

use serde_json::{Value, json};
use tuffet_core::metadata::UnixTime;

use self::act::{Actor, Done};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::run::App;

/// A part of the story: what happens, in a sentence, and the commands.
pub(super) struct Step {
    /// Set on the first step of a chapter.
    pub(super) chapter: Option<&'static str>,
    pub(super) title: &'static str,
    pub(super) acts: Vec<Act>,
}

/// One thing that is done.
pub(super) enum Act {
    /// A command of this program, and how it must end.
    Tuffet { line: String, expect: Expect },
    /// The server begins, in the background.
    Serve,
    /// A file is written with one line of text.
    Write {
        file: &'static str,
        text: &'static str,
    },
    /// The published file of a target is overwritten.
    Tamper {
        target: &'static str,
        text: &'static str,
    },
    /// A file or a directory is copied.
    Copy {
        from: &'static str,
        to: &'static str,
    },
    /// A file is filled with zeros.
    Fill { file: &'static str, bytes: usize },
    /// What is served becomes what was published again.
    Restore,
    /// Two files have to be equal.
    Same {
        one: &'static str,
        other: &'static str,
    },
    /// There must be no such file.
    Absent { file: &'static str },
}

/// How a command must end.
#[derive(Clone, Copy)]
pub(super) enum Expect {
    /// Well, showing so many lines of what it says.
    Well(usize),
    /// Well, showing the last line of what it says.
    WellInTheEnd,
    /// Refused with one of these codes.
    Refused(Exit, &'static [&'static str]),
}

/// Runs the tour.
///
/// # Errors
/// `tour.step` when a step does not come out as it must.
pub(crate) fn run(keep: bool, app: &App) -> Result<Exit, Failure> {
    let failed = |error: &std::io::Error| Failure::writing(&std::env::temp_dir(), error);
    let mut directory = tempfile::Builder::new()
        .prefix("tuffet-tour-")
        .tempdir()
        .map_err(|error| failed(&error))?;
    directory.disable_cleanup(keep);
    if !keep {
        interrupt::remove_at_the_end(directory.path().to_owned());
    }
    let place = directory
        .path()
        .canonicalize()
        .map_err(|error| failed(&error))?;
    let came_from = std::env::current_dir().ok();
    std::env::set_current_dir(&place).map_err(|error| failed(&error))?;
    let result = tell(place, app);
    // Some systems do not remove a directory that somebody stands in.
    if let Some(came_from) = came_from {
        let _ = std::env::set_current_dir(came_from);
    }
    result
}

fn tell(place: PathBuf, app: &App) -> Result<Exit, Failure> {
    let began = std::time::Instant::now();
    let later = UnixTime(app.now.0.saturating_add(3 * 86_400));
    let mut actor = Actor::new(app.now);
    let mut steps = Vec::new();
    show::opening(&place, app)?;
    let mut wrong = None;
    for (number, step) in script::steps(later).into_iter().enumerate() {
        show::title(number + 1, &step, app)?;
        let mut done = Vec::new();
        for act in &step.acts {
            let outcome = actor.perform(act)?;
            show::outcome(&outcome, app)?;
            let came_out = outcome.is_as_expected();
            done.push(outcome);
            if !came_out {
                wrong = Some(step.title);
                break;
            }
        }
        steps.push(object(&step, &done));
        if wrong.is_some() {
            break;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    if app.console.json {
        let environment: serde_json::Map<String, Value> = act::ENVIRONMENT
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect();
        app.console.result(
            "tour",
            json!({
                "directory": place,
                "environment": environment,
                "passed": wrong.is_none(),
                "seconds": seconds,
                "steps": steps,
            }),
        )?;
    }
    match wrong {
        None => show::ending(steps.len(), seconds, app),
        Some(_) if app.console.json => Ok(Exit::Failed),
        Some(title) => Err(Failure::new(
            "tour.step",
            Exit::Failed,
            format!("this step went wrong: {title}"),
        )),
    }
}

fn object(step: &Step, done: &[Done]) -> Value {
    let commands: Vec<Value> = done.iter().map(Done::to_json).collect();
    let passed = done.len() == step.acts.len() && done.iter().all(Done::is_as_expected);
    json!({"title": step.title, "passed": passed, "commands": commands})
}
