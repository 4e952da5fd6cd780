//! What the commands that fetch have in common: updaters and errors.

use tuffet_client::blocking::{Builder, Updater};
use tuffet_client::{Class, DirectoryStore, Error, FixedClock, Local, Mode, Source, TrustAnchor};
use tuffet_core::trust::{Policy, Rejected};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::trusted;

/// An updater of a trusted repository, with its store.
///
/// # Errors
/// When no place for the store is known.
pub(crate) fn updater(
    entry: &str,
    source: &trusted::Source,
    policy: &Policy,
    app: &App,
) -> Result<Builder, Failure> {
    let store = app.options.places.store(entry)?.join(&source.name);
    let anchor = TrustAnchor::Root(source.root.clone());
    let mut builder = Updater::builder(anchor, DirectoryStore::new(store)).policy(policy.clone());
    // Mirrors of metadata and of targets are paired; the last of the shorter list stands for the rest.
    for place in 0..source.metadata.len().max(source.targets.len()) {
        let at = |urls: &[String]| urls.get(place).or(urls.last()).cloned().unwrap_or_default();
        builder = builder.source(Source::new(at(&source.metadata), at(&source.targets)));
    }
    if app.options.at.is_some() {
        builder = builder.clock(FixedClock(app.now));
    }
    if app.options.offline {
        builder = builder.mode(Mode::OfflineAsOf(app.now));
    }
    Ok(builder)
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let failure = match error {
            Error::Rejected(refusal) => Self::from(&refusal.rejected),
            Error::Local(local) => match &**local {
                Local::Exists { path } => {
                    let message = format!("{} exists and has other content", path.display());
                    return Self::new("file.exists", Exit::Conflict, message);
                }
                Local::Offline { .. } => Self::of(error, Exit::NotFound),
                _ => Self::of(error, exit(error.class())),
            },
            // Every attempt says it again.
            Error::Unavailable(unavailable) if !unavailable.attempts.is_empty() => {
                Self::new(error.code(), Exit::Network, error.to_string())
            }
            _ => Self::of(error, exit(error.class())),
        };
        let attempts = error.attempts();
        let single_refusal = attempts.len() == 1 && error.rejected().is_some();
        attempts.iter().fold(failure, |failure, attempt| {
            if single_refusal {
                failure.cause(&attempt.url)
            } else {
                failure.cause(attempt)
            }
        })
    }
}

impl Failure {
    fn of(error: &Error, exit: Exit) -> Self {
        Self::new(error.code(), exit, error.to_string()).sources(error)
    }
}

fn exit(class: Class) -> Exit {
    match class {
        Class::Untrustworthy => Exit::Untrusted,
        Class::NotFound => Exit::NotFound,
        Class::Stale => Exit::Stale,
        Class::Unavailable | Class::Local => Exit::Network,
        Class::Conflict => Exit::Conflict,
        Class::Cancelled => Exit::Interrupted,
        Class::Misuse => Exit::Usage,
        _ => Exit::Failed,
    }
}

/// When the role expired that keeps an operation from going on.
pub(crate) fn expiry(error: &Error) -> Option<tuffet_core::metadata::UnixTime> {
    match error.rejected() {
        Some(Rejected::Expired { expires, .. }) => Some(*expires),
        _ => None,
    }
}
