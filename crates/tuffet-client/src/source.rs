//! Where a repository is: mirrors, and the URLs of files at each.

use std::fmt;
use std::path::Path;

use tuffet_core::metadata::{NameError, TargetPath};
use tuffet_core::trust::{Found, RemoteFile};

#[cfg(any(feature = "http", feature = "async"))]
use crate::error::Unavailable;
use crate::file::url_of_path;
#[cfg(any(feature = "http", feature = "async"))]
use crate::transport::{TransportError, TransportErrorKind};
use crate::{Error, Local};

/// One mirror of a repository: where its metadata is and where its targets are.
///
/// Each place is a URL such as `https://example.org/metadata`, or a path of a local directory. A query is kept at the end of every
/// URL that is made from it.
///
/// `Debug` shows neither passwords nor queries.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    metadata: String,
    targets: String,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("metadata", &without_secrets(&self.metadata))
            .field("targets", &without_secrets(&self.targets))
            .finish()
    }
}

impl Source {
    /// A mirror with its two places.
    #[must_use]
    pub fn new(metadata: impl Into<String>, targets: impl Into<String>) -> Self {
        Self {
            metadata: metadata.into(),
            targets: targets.into(),
        }
    }

    /// A mirror in the usual form: `metadata` and `targets` below one place.
    ///
    /// ```
    /// # use tuffet_client::Source;
    /// assert_eq!(
    ///     Source::at("https://example.org/tuf"),
    ///     Source::new("https://example.org/tuf/metadata", "https://example.org/tuf/targets")
    /// );
    /// ```
    #[must_use]
    pub fn at(base: &str) -> Self {
        Self::new(join(base, "metadata"), join(base, "targets"))
    }

    /// The URL, or the local directory, below which the metadata is.
    ///
    /// It may hold a password or a signature: [`without_secrets`] makes it fit to be shown.
    #[must_use]
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The URL, or the local directory, below which the targets are. As secret as [`Self::metadata`].
    #[must_use]
    pub fn targets(&self) -> &str {
        &self.targets
    }

    /// Whether the default transport could ask for what is below both places; nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a place that is empty, or a URL with a fragment, a blank or a control character;
    /// [`Error::Unavailable`] for one that is malformed.
    ///
    /// ```
    /// # use tuffet_client::Source;
    /// assert!(Source::at("https://example.org/tuf?signature=1").check().is_ok());
    /// assert!(Source::at("https://exa mple.org").check().is_err());
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        for place in [&self.metadata, &self.targets] {
            let url = base_url(place.clone())?;
            #[cfg(any(feature = "http", feature = "async"))]
            if matches!(scheme(&url), Some("http" | "https")) {
                crate::http::check_url(&url).map_err(|error| {
                    Error::Unavailable(Box::new(Unavailable {
                        error: TransportError {
                            url: without_secrets(&url),
                            kind: TransportErrorKind::Url,
                            detail: error.to_string(),
                            retry_after: None,
                        },
                        attempts: Vec::new(),
                    }))
                })?;
            }
            #[cfg(not(any(feature = "http", feature = "async")))]
            drop(url);
        }
        Ok(())
    }

    /// Brings both places into the form of URLs.
    pub(crate) fn into_urls(self) -> Result<Self, Error> {
        Ok(Self {
            metadata: base_url(self.metadata)?,
            targets: base_url(self.targets)?,
        })
    }

    /// The URL of a metadata file at this mirror.
    #[must_use]
    pub fn metadata_url(&self, file: &RemoteFile) -> String {
        join(&self.metadata, &file.url_path())
    }

    /// The URLs under which this mirror may hold a target, in the order to try them.
    ///
    /// # Errors
    /// `target.path` for a path whose segments name other directories: it would leave the base.
    pub fn target_urls(&self, found: &Found) -> Result<Vec<String>, Error> {
        check_segments(&found.path)?;
        let paths = found.url_paths();
        Ok(paths.iter().map(|path| join(&self.targets, path)).collect())
    }
}

/// Refuses a target path that a server would not take literally: dot segments leave the base, however they are encoded (A-41).
fn check_segments(path: &TargetPath) -> Result<(), Error> {
    if path
        .as_str()
        .split('/')
        .any(|part| matches!(part, "." | ".."))
    {
        return Err(Local::TargetPath {
            target: path.clone(),
            error: NameError::UnsafePath("a component that names another directory"),
        }
        .into());
    }
    Ok(())
}

/// Appends an encoded path to a base, before the base's query. Nothing is resolved, so nothing leaves the base.
fn join(base: &str, path: &str) -> String {
    let (place, query) = match base.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (base, None),
    };
    let mut url = String::with_capacity(base.len().saturating_add(path.len()).saturating_add(1));
    url.push_str(place);
    if !place.ends_with('/') {
        url.push('/');
    }
    url.push_str(path);
    if let Some(query) = query {
        url.push('?');
        url.push_str(query);
    }
    url
}

fn base_url(base: String) -> Result<String, Error> {
    if base.is_empty() {
        return Err(Error::Misuse("a source has an empty place"));
    }
    if scheme(&base).is_none() {
        return url_of_path(Path::new(&base)).ok_or(Error::Misuse(
            "a source is a path that cannot be made absolute",
        ));
    }
    if base.contains('#') {
        return Err(Error::Misuse("the URL of a source has a fragment"));
    }
    if base.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Error::Misuse(
            "the URL of a source has a blank or a control character",
        ));
    }
    Ok(base)
}

/// The scheme of a URL; `None` for a path. One letter is a drive of Windows.
pub(crate) fn scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once(':')?;
    let valid = scheme.len() > 1
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    valid.then_some(scheme)
}

/// A URL for people: without user, password, query, fragment and control characters. The text need not be a URL.
///
/// ```
/// # use tuffet_client::without_secrets;
/// assert_eq!(without_secrets("https://me:secret@host/a?sig=1"), "https://host/a?…");
/// assert_eq!(without_secrets("https://me:se/cret@host/a"), "https://host/a");
/// ```
#[must_use]
pub fn without_secrets(url: &str) -> String {
    let (place, rest) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    let (scheme, place) = match place.split_once("//") {
        Some((scheme, place)) if scheme.is_empty() || scheme.ends_with(':') => {
            (format!("{scheme}//"), place)
        }
        _ => (String::new(), place),
    };
    let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let query = if rest.starts_with('?') { "?…" } else { "" };
    // A password that is not encoded as it must be can hold what seems to end the authority. What may be a part of it is not
    // shown, at the price of some URLs that have an @ where it means nothing.
    let shown = match (port(host), path.rsplit_once('@')) {
        _ if path.is_empty() && rest.contains('@') => format!("{scheme}…"),
        (Port::None, _) | (Port::Number, None) => format!("{scheme}{host}{path}{query}"),
        (Port::Other, Some((_, host))) => format!("{scheme}{host}{query}"),
        (Port::Other, None) if scheme.is_empty() => format!("{host}{path}{query}"),
        (Port::Number, Some(_)) | (Port::Other, None) => format!("{scheme}…"),
    };
    shown
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

/// What stands behind the last colon of an authority.
enum Port {
    None,
    Number,
    Other,
}

fn port(host: &str) -> Port {
    let host = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    match host.rsplit_once(':') {
        None => Port::None,
        Some((_, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => Port::Number,
        Some(_) => Port::Other,
    }
}

#[cfg(test)]
mod tests {
    use tuffet_core::metadata::{RoleName, Version};

    use super::*;

    #[test]
    fn a38_metadata_urls_stay_below_the_base() {
        let table = [
            ("https://x/m", "a", None, "https://x/m/a.json"),
            ("https://x/m/", "a", Version::new(3), "https://x/m/3.a.json"),
            (
                "https://x/m",
                "../r",
                Version::new(1),
                "https://x/m/1...%2Fr.json",
            ),
            ("https://x/m", "a?b#c", None, "https://x/m/a%3Fb%23c.json"),
            ("https://x/m?sig=1", "a", None, "https://x/m/a.json?sig=1"),
            (
                "file:///srv/m",
                "https://evil/x",
                None,
                "file:///srv/m/https%3A%2F%2Fevil%2Fx.json",
            ),
        ];
        for (base, role, version, expected) in table {
            let file = RemoteFile {
                role: RoleName::new(role).unwrap(),
                version,
            };
            assert_eq!(Source::new(base, base).metadata_url(&file), expected);
        }
    }

    #[test]
    fn a41_dot_segments_never_become_a_url() {
        for path in ["..", "../x", "a/../x", "./x", "a/.", "a/./x"] {
            let error = check_segments(&TargetPath::new(path).unwrap()).unwrap_err();
            assert_eq!(error.code(), "target.path", "{path}");
        }
        for path in ["a..b", "...", ".x/y.", "//x", "/abs"] {
            check_segments(&TargetPath::new(path).unwrap()).unwrap();
        }
    }

    #[test]
    fn a_place_is_a_url_or_a_path() {
        assert_eq!(scheme("https://x"), Some("https"));
        assert_eq!(scheme("file:///x"), Some("file"));
        assert_eq!(scheme("C:/x"), None);
        assert_eq!(scheme("/srv/x:y"), None);
        assert_eq!(base_url("/srv/a b".into()).unwrap(), "file:///srv/a%20b");
        assert!(base_url(String::new()).is_err());
        assert!(base_url("https://x/#y".into()).is_err());
        assert!(base_url("https://x/ y".into()).is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let table = [
            ("https://user:pass@host/a?sig=1", "https://host/a?…"),
            ("https://u:secret@@host/a", "https://host/a"),
            ("https://u:secret/x@host/a", "https://host/a"),
            ("https://u:12/secret@host/a", "https://…"),
            ("https://u:secret?x@host/a", "https://…"),
            ("https://u:secret#x@host/a", "https://…"),
            ("https://u:secret/x?y@host/a", "https://…"),
            ("https://[fe80::ab]/a", "https://[fe80::ab]/a"),
            ("https://[::1]:80/a?b", "https://[::1]:80/a?…"),
            ("https://host:80/a?b@c", "https://host:80/a?…"),
            ("C:/a/b", "C:/a/b"),
            ("/a/b:c", "/a/b:c"),
            ("user:secret@host/a", "host/a"),
            ("https://host/\u{1b}[31m#secret", "https://host/?[31m"),
            ("https://host/a@b", "https://host/a@b"),
            ("https://u@host", "https://host"),
            ("file:///a/b", "file:///a/b"),
        ];
        for (url, shown) in table {
            assert_eq!(without_secrets(url), shown);
            let shown = format!("{:?}", Source::at(url));
            assert!(!shown.contains("pass") && !shown.contains("sig") && !shown.contains("secret"));
        }
    }
}
