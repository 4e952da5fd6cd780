//! What the commands that fetch have in common: updaters and errors.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tuffet_client::blocking::{Builder, Updater};
use tuffet_client::http::{HttpOptions, Proxy};
use tuffet_client::{
    Class, DefaultTransport, DirectoryStore, Error, FixedClock, Local, Mode, ReadOnlyStore, Source,
    TrustAnchor,
};
use tuffet_core::trust::{Policy, Rejected};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::run::App;
use crate::trusted;

/// The transport for some URLs. A proxy of the environment cannot reach the loopback interface of this machine.
pub(crate) fn transport(urls: &[String]) -> DefaultTransport {
    let options = HttpOptions::new();
    if urls
        .iter()
        .all(|url| url.starts_with("file:") || is_loopback(url))
    {
        DefaultTransport::with_http(options.proxy(Proxy::direct()))
    } else {
        DefaultTransport::with_http(options)
    }
}

fn is_loopback(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    match host.parse::<SocketAddr>() {
        Ok(address) => address.ip().is_loopback(),
        Err(_) => {
            let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
            host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        }
    }
}

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
    let urls = [source.metadata.clone(), source.targets.clone()].concat();
    let store = DirectoryStore::new(store);
    let builder = match app.options.at {
        // What another time brings to light must not be remembered as what has happened.
        Some(_) if !app.options.remembers => {
            Updater::builder(anchor, ReadOnlyStore::new(store)).clock(FixedClock(app.now))
        }
        Some(_) => Updater::builder(anchor, store).clock(FixedClock(app.now)),
        None => Updater::builder(anchor, store),
    };
    let mut builder = builder
        .cancel(interrupt::token())
        .policy(policy.clone())
        .transport(Arc::new(transport(&urls)));
    // Mirrors of metadata and of targets are paired; the last of the shorter list stands for the rest.
    for place in 0..source.metadata.len().max(source.targets.len()) {
        let at = |urls: &[String]| urls.get(place).or(urls.last()).cloned().unwrap_or_default();
        builder = builder.source(Source::new(at(&source.metadata), at(&source.targets)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_known_by_address_and_by_name() {
        for url in [
            "http://127.0.0.1:8400/x",
            "http://localhost/",
            "https://[::1]:1/",
            "http://u@127.9.9.9?x",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://127.0.0.1.evil.example/",
            "https://localhost.example",
            "http://10.0.0.1",
            "file:///127.0.0.1",
            "x",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
