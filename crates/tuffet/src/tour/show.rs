//! The tour as a story for a terminal of 80 columns.

use std::path::Path;

use anstyle::{AnsiColor, Style};

use super::act::{Done, ENVIRONMENT, Ran};
use super::{Expect, Step};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::text;

const CHAPTER: Style = AnsiColor::Cyan.on_default().bold();
const COMMAND: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const QUIET: Style = Style::new().dimmed();

/// Where the lines of commands begin.
const INDENT: usize = 4;

/// What a user would set to type the same commands.
pub(super) fn opening(place: &Path, app: &App) -> Result<(), Failure> {
    let mut lines = vec![
        "The Update Framework, for real, in a directory of its own. Everything that".to_owned(),
        "follows happens now, and every command works when you type it there:".to_owned(),
        String::new(),
        format!("    cd {}", place.display()),
    ];
    let set: Vec<String> = ENVIRONMENT
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    lines.push(format!("    export {}", set.join(" ")));
    print(&lines.join("\n"), app)
}

/// The title of a step, below that of its chapter.
pub(super) fn title(number: usize, step: &Step, app: &App) -> Result<(), Failure> {
    let mut lines = String::new();
    if let Some(chapter) = step.chapter {
        lines.push_str(&format!("\n{CHAPTER}{chapter}{CHAPTER:#}\n"));
    }
    let title = text::wrap(step.title, text::WIDTH, INDENT);
    lines.push_str(&format!("\n{number:>2}. {title}"));
    print(&lines, app)
}

/// A command, what it said, and whether that is as it must be.
pub(super) fn outcome(done: &Done, app: &App) -> Result<(), Failure> {
    let typed = typed(&done.line);
    let mut lines = vec![format!("    {COMMAND}$ {typed}{COMMAND:#}")];
    if let Some(ran) = &done.ran {
        lines.extend(said(ran));
        lines.extend(verdict(done, ran));
    }
    print(&lines.join("\n"), app)
}

/// A line as a user would type it into 80 columns.
fn typed(line: &str) -> String {
    let mut typed = String::new();
    let mut column = INDENT + 2;
    for (place, word) in line.split(' ').enumerate() {
        let length = word.chars().count() + 1;
        if place > 0 && column + length > text::WIDTH - 2 {
            typed.push_str(" \\\n        ");
            column = INDENT * 2;
        } else if place > 0 {
            typed.push(' ');
        }
        typed.push_str(word);
        column += length;
    }
    typed
}

/// As much of what a command said as the script wants to be seen.
fn said(ran: &Ran) -> Vec<String> {
    let talk = ran.talk.lines().filter(|line| !line.starts_with("next: "));
    let all: Vec<&str> = match ran.expect {
        Expect::WellInTheEnd => talk.chain(ran.data.lines()).last().into_iter().collect(),
        Expect::Well(shown) => talk.chain(ran.data.lines()).take(shown).collect(),
        // The first line says what happened; why and what to do is what `explain` is for.
        Expect::Refused(..) => talk
            .take_while(|line| !line.starts_with("why "))
            .take(3)
            .collect(),
    };
    let indented = |line: &str| match line.starts_with("   ") {
        true => line.to_owned(),
        false => format!("    {line}"),
    };
    all.into_iter()
        .map(indented)
        .map(|line| format!("  {QUIET}{}{QUIET:#}", line.trim_end()))
        .collect()
}

fn verdict(done: &Done, ran: &Ran) -> Option<String> {
    let expected = match ran.expect {
        Expect::Well(_) | Expect::WellInTheEnd => "0".to_owned(),
        Expect::Refused(exit, codes) => format!("{} {}", exit.number(), codes.join(" or ")),
    };
    if !done.is_as_expected() {
        let code = ran.code.unwrap_or("no code");
        let found = format!(
            "exit {}, {code}, where {expected} is expected",
            ran.exit.number()
        );
        let rest: Vec<String> = ran
            .talk
            .lines()
            .map(|line| format!("      {line}"))
            .collect();
        return Some(format!("{}\n    {BAD}✗ {found}{BAD:#}", rest.join("\n")));
    }
    match ran.expect {
        Expect::Well(_) | Expect::WellInTheEnd => None,
        Expect::Refused(..) => {
            let code = ran.code.unwrap_or_default();
            Some(format!(
                "    {GOOD}✓ refused: {code}{GOOD:#} (exit {})",
                ran.exit.number()
            ))
        }
    }
}

/// The last words.
pub(super) fn ending(steps: usize, seconds: f64, app: &App) -> Result<Exit, Failure> {
    let lines = format!(
        "\n{GOOD}✓{GOOD:#} {steps} steps in {seconds:.1} seconds, each as it must be. Nothing of yours was touched.\n  tuffet explain CODE says more about a refusal; tuffet --help lists the rest."
    );
    print(&lines, app)?;
    Ok(Exit::Done)
}

fn print(lines: &str, app: &App) -> Result<(), Failure> {
    if app.console.json || app.console.quiet {
        return Ok(());
    }
    app.console.data(lines)
}
