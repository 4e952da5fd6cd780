//! What can be chosen about key management services, and where the rest is read from.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tuffet_core::metadata::UnixTime;
use zeroize::Zeroizing;

use super::secret::Secret;

/// Tells the time, which requests and assertions are signed with, and lets it pass before a request is repeated.
pub trait Clock: Send + Sync {
    /// The time.
    fn now(&self) -> UnixTime;

    /// Waits.
    fn wait(&self, pause: Duration);
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where a signer reads the clock; no metadata is judged by it"
    )]
    fn now(&self) -> UnixTime {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            });
        UnixTime(seconds)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where a signer waits"
    )]
    fn wait(&self, pause: Duration) {
        std::thread::sleep(pause);
    }
}

type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

/// How key management services are reached.
///
/// Credentials, endpoints and proxies come from the environment variables that the vendors' own tools read; `docs/kms.md`
/// lists them. A program with another source of settings gives it in place of the environment.
///
/// ```
/// use tuffet_sign::kms::KmsSettings;
///
/// let settings = KmsSettings::from_environment().endpoint("https://kms.internal.example");
/// assert!(format!("{settings:?}").contains("kms.internal.example"));
/// ```
#[derive(Clone)]
pub struct KmsSettings {
    variables: Arc<Variables>,
    clock: Arc<dyn Clock>,
    endpoint: Option<String>,
    plain_http: bool,
    timeout: Duration,
}

impl KmsSettings {
    /// Reads environment variables when they are needed.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Reads variables from elsewhere than the environment, and nothing from there.
    #[must_use]
    pub fn from_variables(
        variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            variables: Arc::new(variables),
            clock: Arc::new(SystemClock),
            endpoint: None,
            plain_http: false,
            timeout: Duration::from_secs(60),
        }
    }

    /// Reaches the service that holds the key at this URL, whatever the variables say. Services that hand out tokens stay
    /// where they are.
    #[must_use]
    pub fn endpoint(self, url: &str) -> Self {
        Self {
            endpoint: Some(url.to_owned()),
            ..self
        }
    }

    /// Whether plain http may leave this machine. It may not unless set: everybody on the way could read what is signed
    /// and, except with AWS, take the token.
    #[must_use]
    pub fn plain_http(self, allowed: bool) -> Self {
        Self {
            plain_http: allowed,
            ..self
        }
    }

    /// How long one request may take, from connecting to the last byte of its answer. A minute unless set: hardware behind a
    /// service may take seconds for an RSA key. A request that failed is repeated up to three times.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Uses another clock.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.variables)(name).filter(|value| !value.is_empty())
    }

    /// The first of some variables that is set.
    pub(crate) fn first_of(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.variable(name))
    }

    /// A variable whose value must not be shown.
    pub(crate) fn secret(&self, name: &str) -> Option<Secret> {
        self.variable(name).map(Secret::new)
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.variable(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// A file in the home directory.
    pub(crate) fn in_home(&self, path: &str) -> Option<PathBuf> {
        self.first_of(&["HOME", "USERPROFILE"])
            .map(|home| Path::new(&home).join(path))
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(crate) fn wait(&self, pause: Duration) {
        self.clock.wait(pause);
    }

    pub(crate) fn chosen_endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    pub(crate) fn longest(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn allows_plain_http(&self) -> bool {
        self.plain_http
    }
}

impl fmt::Debug for KmsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsSettings")
            .field("endpoint", &self.endpoint)
            .field("plain_http", &self.plain_http)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Reads a small file, such as one of a token.
///
/// # Errors
/// What is wrong with the file, in words that name it.
pub(crate) fn read_small(path: &Path) -> Result<Zeroizing<String>, String> {
    read_file(path, 64 * 1024)
}

/// Reads a file of at most so many bytes.
///
/// # Errors
/// As [`read_small`].
pub(crate) fn read_file(path: &Path, longest: u64) -> Result<Zeroizing<String>, String> {
    let shown = path.display();
    let wrong = |error: std::io::Error| format!("cannot read {shown}: {error}");
    let file = std::fs::File::open(path).map_err(wrong)?;
    // With room for all of it, so that no growing leaves a copy behind.
    let room = file
        .metadata()
        .map_or(0, |metadata| metadata.len().min(longest));
    let room = usize::try_from(room).unwrap_or(0).saturating_add(1);
    let mut text = Zeroizing::new(String::with_capacity(room));
    let read = std::io::Read::read_to_string(
        &mut std::io::Read::take(file, longest.saturating_add(1)),
        &mut text,
    )
    .map_err(wrong)?;
    if u64::try_from(read).is_ok_and(|read| read > longest) {
        return Err(format!("{shown} is longer than {longest} bytes"));
    }
    Ok(text)
}

/// A number that differs from process to process and from call to call. Not for secrets.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
