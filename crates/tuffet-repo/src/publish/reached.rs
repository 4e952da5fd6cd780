//! How far clients of each place have come.
//!
//! Only the timestamp there says it. Where that is damaged, gone or older than it was, a copy of the repository that is behind could
//! not know that it is, and would publish what clients refuse. So each copy remembers the last timestamp that it has published to a
//! place, where nobody can push to, and a place that does not fit to that is published to only by whoever names the file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tuffet_core::json::{FormatError, Reason, Value};
use tuffet_core::metadata::{Parsed, RoleName, Root, Version};
use tuffet_core::trust::{Rejected, removes_online_key};

use super::destination::Destination;
use super::release::{Place, Release};
use super::verify::{LastState, require_another_version};
use super::{Publish, real, timestamp_name};
use crate::Error;
use crate::document::Document;
use crate::heads::is_of_root_before;
use crate::layout::Layout;
use crate::plan::Action;
use crate::private;
use crate::quorum::is_signed_by_any;
use crate::tree::Fault;
use crate::write::{Write, WriteKind, read_optional};

/// What this copy remembers of the places to which it publishes.
pub(super) struct Reached {
    path: PathBuf,
    /// The place that this is about.
    own: String,
    /// What was published last, by the names of places.
    places: BTreeMap<String, Last>,
}

/// What was published last.
#[derive(Debug, Clone, Copy)]
struct Last {
    /// The version of the timestamp; 0 where a first publication has begun.
    timestamp: u64,
    /// The version of the root that named its keys.
    root: u64,
}

impl Reached {
    pub(super) fn read(layout: &Layout, destination: &Destination) -> Result<Self, Error> {
        let path = private::file(layout, "published.json");
        let own = match destination {
            Destination::Directory(directory) => real(directory).display().to_string(),
            bucket => bucket.to_string(),
        };
        let places = match read_optional(&path)? {
            Some(bytes) => parse(&bytes).map_err(|error| Error::format(&path, error))?,
            None => BTreeMap::new(),
        };
        Ok(Self { path, own, places })
    }

    /// The version of the last timestamp that this copy has published here, unless clients have forgotten it since.
    fn version(&self, place: &Place<'_>) -> Result<Option<Version>, Error> {
        let Some(last) = self.places.get(&self.own) else {
            return Ok(None);
        };
        if let (Some(version), Some(next)) = (Version::new(last.root), place.graph.root()) {
            let path = place.store.sealed_path(&RoleName::Root, version);
            let then = read_optional(&path)?.and_then(|bytes| Parsed::<Root>::parse(bytes).ok());
            if then.is_some_and(|then| removes_online_key(then.unverified(), next)) {
                return Ok(None);
            }
        }
        Ok(Version::new(last.timestamp))
    }

    /// The write by which the copy remembers that it was the first to publish here, so that it goes on if that breaks off.
    pub(super) fn begin(&self, last: &LastState) -> Option<Write> {
        let first = matches!(last, LastState::Nothing) && !self.places.contains_key(&self.own);
        let nothing = Last {
            timestamp: 0,
            root: 0,
        };
        first.then(|| self.with(nothing))
    }

    /// The write by which the copy remembers what it has published.
    pub(super) fn write(&self, release: &Release) -> Option<Write> {
        let root = release.staged(&RoleName::Root)?.version?;
        Some(self.with(Last {
            timestamp: offered(release)?.number(),
            root: root.number(),
        }))
    }

    fn with(&self, last: Last) -> Write {
        let mut places = self.places.clone();
        places.insert(self.own.clone(), last);
        let places = places.into_iter().map(|(place, last)| {
            let versions = [("root", last.root), ("timestamp", last.timestamp)];
            let versions = versions.map(|(name, version)| (name, Value::from(version)));
            (place, Value::from_iter(versions))
        });
        let value = Value::from_iter([
            ("format", Value::from(1)),
            ("places", Value::Object(places.collect())),
        ]);
        Write::file(
            self.path.clone(),
            WriteKind::Replace(value.to_compact_json()),
        )
    }

    /// Refuses a timestamp that is not later than what clients may have seen here, and a place from which that cannot be told unless
    /// the file is named. They forget it with the keys. Says what is wrong with the place.
    pub(super) fn require(
        &self,
        place: &Place<'_>,
        release: &Release,
        publish: &Publish,
    ) -> Result<Option<Action>, Error> {
        let refused = match place.last {
            LastState::Refused(refused) => Some(refused.clone()),
            LastState::Seen(_) | LastState::Nothing => None,
        };
        if place.online_key_leaves()? == Some(true) {
            return Ok(refused);
        }
        let (there, last) = (shown(place), self.version(place)?);
        for trusted in [there, last].into_iter().flatten() {
            require_later(place, release, trusted)?;
        }
        let Some(lost) = self.lost(place, there, last)? else {
            return Ok(refused);
        };
        if publish.replace.contains(&timestamp_name()) {
            return Ok(Some(refused.unwrap_or_else(|| lost.action())));
        }
        Err(Error::TimestampLost {
            at: Box::new(place.published.metadata(&timestamp_name())),
            why: lost.why(),
        })
    }

    /// What is wrong with the timestamp that is there, if anything.
    fn lost(
        &self,
        place: &Place<'_>,
        there: Option<Version>,
        last: Option<Version>,
    ) -> Result<Option<Lost>, Error> {
        Ok(match (place.last, there) {
            (_, Some(version)) => last
                .filter(|last| version < *last)
                .map(|last| Lost::Older { version, last }),
            (LastState::Nothing, _) => {
                let begun = self.places.contains_key(&self.own);
                let lost = last.is_some() || (!begun && place.published.holds_versions()?);
                lost.then_some(Lost::Gone { last })
            }
            (LastState::Refused(Action::DestinationUnverified { why, .. }), None) => {
                let timestamp = place.published.timestamp().unwrap_or_default();
                // Clients that come to the last root forget what they have seen.
                let broken_off = is_of_root_before(place.store, timestamp)?;
                (!broken_off).then(|| Lost::Unsigned { why: why.clone() })
            }
            _ => None,
        })
    }
}

/// What can be wrong with a timestamp.
enum Lost {
    Gone { last: Option<Version> },
    Older { version: Version, last: Version },
    Unsigned { why: String },
}

impl Lost {
    fn why(&self) -> String {
        match self {
            Self::Gone { last: Some(last) } => {
                format!("is gone, and this copy has published version {last} there")
            }
            Self::Gone { last: None } => "is gone, and other metadata is there".to_owned(),
            Self::Older { version, last } => {
                format!("is version {version}, and this copy has published version {last} there")
            }
            Self::Unsigned { why } => format!("does not verify ({why})"),
        }
    }

    fn action(&self) -> Action {
        Action::DestinationUnverified {
            code: match self {
                Self::Gone { .. } => "missing.timestamp",
                Self::Older { .. } | Self::Unsigned { .. } => "rollback.timestamp",
            },
            why: format!("{} {}", timestamp_name(), self.why()),
        }
    }
}

/// The version of the timestamp that is there, if those who may have signed it.
fn shown(place: &Place<'_>) -> Option<Version> {
    let signed = |bytes: &&[u8]| is_signed_by_any(&RoleName::Timestamp, bytes, place.graph);
    match place.last {
        LastState::Seen(seen) => Some(seen.view().timestamp().version()),
        // Nobody accepts this now. What was there before it was damaged can have been accepted.
        LastState::Refused(_) => place.published.timestamp().filter(signed).and_then(version),
        LastState::Nothing => None,
    }
}

fn version(timestamp: &[u8]) -> Option<Version> {
    Document::parse(timestamp).ok()?.version()
}

fn offered(release: &Release) -> Option<Version> {
    version(&release.staged(&RoleName::Timestamp)?.bytes)
}

/// Refuses a timestamp below one that clients may have seen.
fn require_later(place: &Place<'_>, release: &Release, trusted: Version) -> Result<(), Error> {
    let Some(offered) = offered(release).filter(|offered| *offered <= trusted) else {
        return Ok(());
    };
    if trusted == offered {
        return require_another_version(place, release);
    }
    let rejected = Rejected::Rollback {
        role: RoleName::Timestamp,
        trusted,
        offered,
    };
    Err(Fault::Refused(rejected.into()).while_doing("comparing it with what was published"))
}

fn parse(bytes: &[u8]) -> Result<BTreeMap<String, Last>, FormatError> {
    let wrong = |reason| FormatError::new(0, reason);
    let value = Value::parse(bytes)?;
    if value.get("format").and_then(Value::as_u64) != Some(1) {
        return Err(wrong(Reason::Invalid("a format of a later version")));
    }
    let places = value.get("places").and_then(Value::as_object);
    let places = places.ok_or_else(|| wrong(Reason::Expected("places")))?;
    let places = places.iter().map(|(place, last)| {
        let number = |name: &str| last.get(name).and_then(Value::as_u64);
        let (Some(root), Some(timestamp)) = (number("root"), number("timestamp")) else {
            return Err(wrong(Reason::Expected(
                "the versions of root and timestamp",
            )));
        };
        Ok((place.clone(), Last { timestamp, root }))
    });
    places.collect()
}
