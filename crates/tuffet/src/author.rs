//! What the commands that change a repository have in common.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tuffet_core::metadata::{RoleName, UnixTime};
use tuffet_repo::{
    Action, Address, Class, Destination, Disk, Error, FileSystem, Plan, Repository, Write, batches,
};

use crate::cli::EditOptions;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::keyring;
use crate::progress::Progress;
use crate::run::App;
use crate::text;

/// The repository that the user stands in, or that `--repo` names.
///
/// # Errors
/// `repo.not-found`.
pub(crate) fn repository(app: &App) -> Result<Repository, Failure> {
    let found = match &app.options.repo {
        Some(directory) => Repository::open(directory),
        None => Repository::find(&current()?),
    };
    let found = match keyring::directory(app) {
        Ok(keys) => found.map(|repository| repository.keeping_private(&keys)),
        Err(_) => found,
    };
    found.map_err(|error| {
        let failure = Failure::from(&error);
        match app.options.repo {
            None => failure.fix("cd to it, or name it with --repo DIR or TUFFET_REPO"),
            Some(_) => failure,
        }
    })
}

/// The same, for commands that edit the open change.
///
/// # Errors
/// As [`repository`].
pub(crate) fn repository_to_edit(app: &App, edit: &EditOptions) -> Result<Repository, Failure> {
    Ok(edited(repository(app)?, edit))
}

/// The repository with what an edit of it may do.
pub(crate) fn edited(repository: Repository, edit: &EditOptions) -> Repository {
    repository
        .discarding_signatures(edit.discard_signatures)
        .allowing(&edit.allow.allow)
        .only_looking(edit.dry_run)
}

/// The same as [`repository`], for commands that also make sense where there is none. One that is named has to be there.
///
/// # Errors
/// As [`repository`], if `--repo` names one.
pub(crate) fn repository_if_any(app: &App) -> Result<Option<Repository>, Failure> {
    match &app.options.repo {
        Some(_) => repository(app).map(Some),
        None => Ok(repository(app).ok()),
    }
}

/// The directory that the user stands in.
///
/// # Errors
/// `file.read` when it is gone.
pub(crate) fn current() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::reading(Path::new("."), &error))
}

/// The moment of an edit. `SOURCE_DATE_EPOCH` is not looked at: expiry has to be counted from the real time.
pub(crate) fn moment(app: &App) -> UnixTime {
    app.options.at.unwrap_or(app.now)
}

/// A role as users name it.
///
/// # Errors
/// `usage.arguments`.
pub(crate) fn role(name: &str) -> Result<RoleName, Failure> {
    RoleName::new(name).map_err(|error| Failure::usage(format!("{name:?} is not a role: {error}")))
}

/// A place to publish to, as users name it.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse_destination(text: &str) -> Result<Destination, String> {
    text.parse().map_err(|error: Error| error.to_string())
}

/// Carries a plan out, or shows what it would do, and collects the actions for JSON. Returns how many these are.
///
/// # Errors
/// What keeps it from being carried out.
pub(crate) fn carry_out(
    plan: Result<Plan, Error>,
    dry: bool,
    app: &App,
    actions: &mut Vec<Value>,
) -> Result<usize, Failure> {
    let plan = plan.map_err(|error| Failure::from(&error))?;
    let done = if dry {
        plan.actions().to_vec()
    } else {
        let mut shielded = Shielded::new(&plan, app);
        let done = plan.execute_on(&mut shielded);
        shielded.progress.clear();
        done.map_err(|error| Failure::from(&error))?
    };
    for action in &done {
        show(action, app);
        // Of tens of thousands, objects that nobody is shown would take as long as verifying them.
        if app.console.json {
            actions.push(crate::action::object(action));
        }
    }
    Ok(done.len())
}

/// The file system, with no write broken off by a signal. Plans may end after any of their writes. What goes to a store can take
/// long and is whole or not there by itself, so a signal ends it at once.
struct Shielded {
    progress: Progress,
    /// How many bytes go to a store.
    total: u64,
    sent: AtomicU64,
}

impl Shielded {
    fn new(plan: &Plan, app: &App) -> Self {
        let objects = plan.writes().filter(|write| is_object(write));
        Self {
            progress: Progress::new(&app.console),
            total: objects.map(|write| write.kind.length()).sum(),
            sent: AtomicU64::new(0),
        }
    }
}

fn is_object(write: &Write) -> bool {
    matches!(write.at, Address::Object(_))
}

impl Disk for Shielded {
    fn apply(&mut self, write: &Write) -> Result<(), Error> {
        self.apply_all(std::slice::from_ref(write))
    }

    fn apply_all(&mut self, writes: &[Write]) -> Result<(), Error> {
        if writes.iter().any(is_object) {
            let sent = |bytes| {
                let sent = self.sent.fetch_add(bytes, Ordering::Relaxed) + bytes;
                self.progress.at("Sending", sent, Some(self.total));
            };
            return FileSystem.apply_all_watched(writes, &sent);
        }
        // Before each batch a signal is looked for.
        batches(writes).try_for_each(|some| {
            let _shield = interrupt::shield(interrupt::WRITES);
            FileSystem.apply_all(some)
        })
    }
}

/// Prints the collected actions as the result of a command.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn finish(
    command: &str,
    actions: Vec<Value>,
    dry: bool,
    app: &App,
) -> Result<Exit, Failure> {
    finish_with(command, actions, Value::Null, dry, app)
}

/// The same with more members in the JSON: those of an object.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn finish_with(
    command: &str,
    actions: Vec<Value>,
    more: Value,
    dry: bool,
    app: &App,
) -> Result<Exit, Failure> {
    if app.console.json {
        let mut result = json!({"dry_run": dry, "actions": actions});
        if let (Some(result), Value::Object(more)) = (result.as_object_mut(), more) {
            result.extend(more);
        }
        app.console.result(command, result)?;
    } else if dry {
        app.console
            .status("Nothing", "was changed: this was a dry run");
    }
    Ok(Exit::Done)
}

fn show(action: &Action, app: &App) {
    match action {
        Action::DestinationUnverified { .. }
        | Action::DestinationUnread { .. }
        | Action::RestoredUnsigned { .. }
        | Action::ExpiresEarly { .. }
        | Action::NamesOfUrls { .. }
        | Action::DelegationsStay { .. }
        | Action::Overwritten { accepted: true, .. }
        | Action::Gap => {
            app.console.warn(text::visible(&action.to_string()));
        }
        Action::TargetAdded {
            path,
            role,
            length,
            hashes,
        } => {
            let digest = hashes.first().map_or_else(String::new, |digest| {
                format!(
                    "  {} {}…",
                    digest.algorithm(),
                    text::short(&digest.to_hex())
                )
            });
            let path = text::visible(path.as_str());
            let size = text::size(*length);
            app.console
                .status(action.verb(), format!("{path} to {role}  {size}{digest}"));
        }
        _ => app
            .console
            .status(action.verb(), text::visible(&action.to_string())),
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let exit = match error.class() {
            Class::Usage => Exit::Usage,
            Class::Untrustworthy => Exit::Untrusted,
            Class::NotFound => Exit::NotFound,
            Class::Stale => Exit::Stale,
            Class::NeedsSignatures => Exit::NeedsSignatures,
            Class::Io => Exit::Network,
            Class::Conflict => Exit::Conflict,
            Class::Key => Exit::Key,
            _ => Exit::Failed,
        };
        let failure = Self::new(error.code(), exit, error.to_string()).sources(error);
        match error {
            Error::VersionReused { at } => {
                let at = at.to_string();
                let name = at.rsplit(['/', '\\']).next().unwrap_or(&at);
                failure.fix(format!(
                    "if a thief has left it there: tuffet publish --replace {}",
                    text::visible(name)
                ))
            }
            Error::ChangeElsewhere { path, own } => failure.fix(format!(
                "if it is yours: mkdir -p {0}; mv {1} {2}; if not: rm {1}",
                own.parent().unwrap_or(own).display(),
                path.display(),
                own.display()
            )),
            Error::AnchorLeft { .. } => failure.fix(
                "restore metadata/; or if you want to go back: tuffet adopt --root FILE --replace",
            ),
            Error::TimestampLost { .. } => failure.fix(
                "if this copy holds what was published last: tuffet publish --replace timestamp.json",
            ),
            Error::TargetOutside { role, .. } => {
                let role = text::visible(role.as_str());
                failure.fix(format!("see what it covers: tuffet delegate show {role}"))
            }
            _ => failure,
        }
    }
}
