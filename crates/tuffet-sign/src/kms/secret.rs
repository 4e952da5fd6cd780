//! Tokens and other secrets while they are in our hands.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Deserializer};
use tuffet_core::metadata::UnixTime;
use zeroize::Zeroizing;

/// A text that is overwritten when dropped and never shown.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// A token as files hold it, with white space around it.
    pub(crate) fn trimmed(text: &str) -> Self {
        Self::new(text.trim().to_owned())
    }

    /// The header value of a bearer token.
    pub(crate) fn bearer(&self) -> Self {
        Self::new(format!("Bearer {}", self.expose()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Something that was lent for a time: when it runs out it is fetched anew.
#[derive(Debug)]
pub(crate) struct Lease<T> {
    pub(crate) lent: T,
    /// `None` if it does not run out.
    pub(crate) until: Option<UnixTime>,
}

/// The lease in force, shared among threads.
#[derive(Debug)]
pub(crate) struct Leased<T>(Mutex<Option<(Arc<T>, Option<UnixTime>)>>);

impl<T> Leased<T> {
    /// A lease is not used in its last seconds: a request takes time, and clocks differ.
    const MARGIN: i64 = 60;

    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// What is lent; `fetch` is called if nothing is, or not for long enough. Other threads wait for it.
    pub(crate) fn get<E>(
        &self,
        now: UnixTime,
        fetch: impl FnOnce() -> Result<Lease<T>, E>,
    ) -> Result<Arc<T>, E> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((lent, until)) = &*held {
            let lasts = until.is_none_or(|until| until.0.saturating_sub(Self::MARGIN) > now.0);
            if lasts {
                return Ok(Arc::clone(lent));
            }
        }
        let Lease { lent, until } = fetch()?;
        let lent = Arc::new(lent);
        *held = Some((Arc::clone(&lent), until));
        Ok(lent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let secret = Secret::new("hunter2".into());
        assert_eq!(
            format!("{secret:?} {:?}", secret.bearer()),
            "Secret(..) Secret(..)"
        );
        assert_eq!(secret.bearer().expose(), "Bearer hunter2");
    }

    #[test]
    fn leases_are_renewed_before_they_run_out_and_not_earlier() {
        let leased = Leased::new();
        let mut fetched = 0;
        let mut at = |now, until: Option<i64>| {
            let lent = leased.get(UnixTime(now), || {
                fetched += 1;
                Ok::<_, ()>(Lease {
                    lent: fetched,
                    until: until.map(UnixTime),
                })
            });
            *lent.unwrap()
        };
        assert_eq!(at(0, Some(1000)), 1);
        assert_eq!(at(939, Some(1000)), 1);
        assert_eq!(at(940, None), 2);
        assert_eq!(at(i64::MAX, None), 2);
    }

    #[test]
    fn a_failed_fetch_leaves_nothing_behind() {
        let leased: Leased<u8> = Leased::new();
        assert_eq!(leased.get(UnixTime(0), || Err("no")), Err("no"));
        let fetch = || {
            Ok::<_, &str>(Lease {
                lent: 7,
                until: None,
            })
        };
        assert_eq!(*leased.get(UnixTime(0), fetch).unwrap(), 7);
    }
}
