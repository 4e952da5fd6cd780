//! `tuffet explain`: the long form of an error code.

use clap::Args;
use serde_json::{Value, json};
use tuffet_core::explain::Explanation;

use crate::codes;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::text;

/// Explain an error code, or list every code
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet explain rollback.timestamp\n  tuffet explain                      list every code"
)]
pub(crate) struct Arguments {
    /// The code, such as rollback.timestamp
    code: Option<String>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    match &arguments.code {
        Some(code) => one(code, app)?,
        None => list(app)?,
    }
    Ok(Exit::Done)
}

fn one(code: &str, app: &App) -> Result<(), Failure> {
    let explanation = codes::find(code).ok_or_else(|| unknown(code))?;
    if app.console.json {
        return app.console.result("explain", object(explanation));
    }
    let Explanation {
        code,
        what,
        why,
        fix,
    } = explanation;
    let paragraph =
        |label: &str, text: &str| format!("\n{label:<6}{}", text::wrap(text, text::WIDTH, 6));
    app.console.data(format!(
        "{code}{}{}{}{}",
        paragraph("what", what),
        paragraph("why", why),
        paragraph("fix", fix),
        paragraph("exit", &ends(code))
    ))
}

/// `3, not trustworthy: …`
fn ends(code: &str) -> String {
    let ends = codes::exits(code).iter();
    let ends = ends.map(|exit| format!("{}, {}", exit.number(), exit.meaning()));
    ends.collect::<Vec<_>>().join("; or ")
}

fn list(app: &App) -> Result<(), Failure> {
    let mut all: Vec<&Explanation> = codes::all().collect();
    all.sort_by_key(|explanation| explanation.code);
    if app.console.json {
        let all: Vec<Value> = all.into_iter().map(object).collect();
        return app.console.result("explain", json!({"codes": all}));
    }
    for explanation in all {
        let what = text::wrap(explanation.what, text::WIDTH, 26);
        app.console
            .data(format!("{:<24}  {what}", explanation.code))?;
    }
    Ok(())
}

fn object(explanation: &Explanation) -> Value {
    let Explanation {
        code,
        what,
        why,
        fix,
    } = explanation;
    let exits = codes::exits(code).iter();
    let exits: Vec<u8> = exits.map(|exit| exit.number()).collect();
    json!({"code": code, "what": what, "why": why, "fix": fix, "exits": exits})
}

fn unknown(code: &str) -> Failure {
    let failure = Failure::new(
        "explain.unknown",
        Exit::NotFound,
        format!("no error code is called {code}"),
    );
    match codes::similar(code).as_slice() {
        [] => failure,
        near => failure.fix(format!("similar codes: {}", near.join(", "))),
    }
}
