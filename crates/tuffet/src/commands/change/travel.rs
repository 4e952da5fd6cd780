//! Passing the open change on, and taking over what others pass on: as a file, through a pipe, or on a branch of a git remote.

use std::io::Write;
use std::path::{Path, PathBuf};

use tuffet_repo::{Error, Repository};

use super::{ReceiveArguments, SendArguments, View, lines};
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::git::Remote;
use crate::run::App;
use crate::whole;

/// How often a change is put on a branch that others move at the same time.
const TRIES: usize = 8;

pub(super) fn send(
    repository: &Repository,
    arguments: &SendArguments,
    app: &App,
) -> Result<Exit, Failure> {
    let dry = arguments.dry_run.dry_run;
    let mut actions = Vec::new();
    match (&arguments.git, &arguments.file) {
        (Some(remote), _) => {
            let remote = Remote::new(repository.directory(), remote)?;
            push(repository, &remote, arguments, app, &mut actions)?;
        }
        (None, Some(file)) if file == Path::new("-") => print(repository, dry, app)?,
        (None, Some(file)) => {
            author::carry_out(repository.send_change(file), dry, app, &mut actions)?;
        }
        (None, None) => return Err(Failure::usage("there is no place to send it to")),
    }
    author::finish("change-send", actions, dry, app)
}

fn print(repository: &Repository, dry: bool, app: &App) -> Result<(), Failure> {
    if app.console.json {
        return Err(
            Failure::usage("the change and the JSON result would both go to stdout")
                .fix("name a file, or leave --json out"),
        );
    }
    let bytes = export(repository)?;
    if dry {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    out.write_all(&bytes)
        .and_then(|()| out.flush())
        .map_err(|error| Failure::writing(Path::new("-"), &error))
}

fn export(repository: &Repository) -> Result<Vec<u8>, Failure> {
    repository
        .export_change()
        .map_err(|error| Failure::from(&error))
}

/// Puts the change on the branch, with the signatures of others that are there. A change that is there and was published or
/// overtaken gives way; any other gives way only to `--replace`.
fn push(
    repository: &Repository,
    remote: &Remote<'_>,
    arguments: &SendArguments,
    app: &App,
    actions: &mut Vec<serde_json::Value>,
) -> Result<(), Failure> {
    let dry = arguments.dry_run.dry_run;
    // Without a change of our own there is nothing to ask the remote for.
    export(repository)?;
    for _ in 0..TRIES {
        let there = remote.fetch()?;
        let theirs = match &there {
            Some(there) if !arguments.replace => {
                let theirs = remote.read(there).map_err(replaceable)?;
                merge(repository, &theirs, &remote.name(), dry, app, actions)?;
                Some(theirs)
            }
            _ => None,
        };
        let ours = export(repository)?;
        if theirs.is_some_and(|theirs| theirs == ours) {
            let what = format!("{} holds all of it already", remote.name());
            app.console.status("Unchanged", what);
            return Ok(());
        }
        if dry {
            return Ok(());
        }
        let change = repository.change().map_err(|error| Failure::from(&error))?;
        let shown = lines(&change, View::Whole, app).join("\n") + "\n";
        if remote.push(&ours, &shown, there.as_ref())? {
            app.console
                .status("Sent", format!("the open change to {}", remote.name()));
            actions.push(serde_json::json!({"verb": "Sent", "what": remote.name()}));
            return Ok(());
        }
    }
    let message = format!(
        "{} moves faster than a change can be put on it",
        remote.name()
    );
    Err(Failure::new("git.failed", Exit::Conflict, message))
}

/// Takes the signatures of others on the open change.
fn merge(
    repository: &Repository,
    theirs: &[u8],
    name: &str,
    dry: bool,
    app: &App,
    actions: &mut Vec<serde_json::Value>,
) -> Result<(), Failure> {
    let plan = match repository.receive_signatures(theirs, Path::new(name)) {
        Err(Error::Stale { .. } | Error::ChangePublished { .. }) => return Ok(()),
        Err(
            error @ (Error::NoChange
            | Error::Format { .. }
            | Error::ChangeForeign { .. }
            | Error::ChangeSignature { .. }
            | Error::ChangeDiffers { .. }),
        ) => {
            return Err(replaceable(Failure::from(&error)));
        }
        other => other,
    };
    author::carry_out(plan, dry, app, actions).map(drop)
}

/// What is on the branch stands in the way, and may be worthless.
fn replaceable(failure: Failure) -> Failure {
    failure.fix("add --replace to put yours in its place")
}

pub(super) fn receive(
    repository: &Repository,
    arguments: &ReceiveArguments,
    app: &App,
) -> Result<Exit, Failure> {
    let (bytes, from) = match (&arguments.git, &arguments.file) {
        (Some(remote), _) => {
            let remote = Remote::new(repository.directory(), remote)?;
            let there = remote.fetch()?;
            let there = there.ok_or_else(|| {
                let message = format!("there is no {}", remote.name());
                Failure::new("git.no-change", Exit::NotFound, message)
            })?;
            (remote.read(&there)?, PathBuf::from(remote.name()))
        }
        (None, Some(file)) => (whole::read(file, whole::CHANGE)?, file.clone()),
        (None, None) => return Err(Failure::usage("there is no place to receive it from")),
    };
    let (dry, mut actions) = (arguments.dry_run.dry_run, Vec::new());
    let only = arguments.only.iter().map(|role| author::role(role));
    let only = only.collect::<Result<Vec<_>, _>>()?;
    let plan = repository.receive_change_of(&bytes, &from, &only);
    let done = author::carry_out(plan, dry, app, &mut actions)?;
    if done == 0 {
        app.console
            .status("Unchanged", "everything in it is here already");
    }
    if !dry && !app.console.json {
        // A copy that was opened before the change came does not know the names in it.
        let repository = author::repository(app)?;
        let change = repository.change().map_err(|error| Failure::from(&error))?;
        app.console
            .data(lines(&change, View::Whole, app).join("\n"))?;
        app.console.next(if change.is_quorate() {
            "tuffet publish"
        } else {
            "tuffet change sign --key KEY"
        });
    }
    author::finish("change-receive", actions, dry, app)
}
