//! How far clients of each place have come.
//!
//! Only the timestamp there says it. Where that is damaged, gone or older than it was, a copy of the repository that is behind could
//! not know that it is, and would publish what clients refuse. So each copy remembers the last timestamp that it has published to a
//! place, where nobody can push to, and a place that does not fit to that is published to only by whoever names the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tuffet_core::crypto::{HashAlgorithm, Key, KeyKind};
use tuffet_core::json::{FormatError, Reason, Value};
use tuffet_core::metadata::{Parsed, Role as _, RoleName, Root, Snapshot, Version};
use tuffet_core::trust::Rejected;

use super::destination::Destination;
use super::release::{Place, Release};
use super::verify::{LastState, require_another_version};
use super::{Publish, timestamp_name};
use crate::Error;
use crate::change::digest;
use crate::document::Document;
use crate::heads::is_of_root_before;
use crate::layout::{Layout, real, split_file_name};
use crate::plan::Action;
use crate::private;
use crate::quorum::is_signed_by_any;
use crate::store::Store;
use crate::tree::Fault;
use crate::write::{Write, WriteKind, read_optional};

/// What this copy remembers of the places to which it publishes.
pub(super) struct Reached {
    path: PathBuf,
    /// The place that this is about; `None` for one that is gone with the program.
    own: Option<String>,
    memories: Memories,
}

/// What the file holds.
#[derive(Debug, Clone, Default)]
struct Memories {
    /// What was published last, by the names of places.
    places: BTreeMap<String, Last>,
    /// The publications that have begun and have not come to their end, by the names of places.
    begun: BTreeMap<String, Begun>,
}

/// The timestamp of a publication.
#[derive(Debug, Clone)]
struct Begun {
    timestamp: u64,
    /// The SHA-256 of its file, in hexadecimal.
    sha256: String,
    /// The files of other roles with new versions, of this publication and of those to the same place that broke off before it, each
    /// with its SHA-256.
    used: BTreeMap<String, String>,
}

/// What was published last.
#[derive(Debug, Clone)]
struct Last {
    /// The version of the timestamp; 0 where a first publication has begun.
    timestamp: u64,
    /// The keys of timestamp and snapshot then. They are kept here, because whoever can push decides what `metadata/` says of old
    /// roots.
    keys: BTreeSet<String>,
}

/// What is remembered of a place under the root that will be in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    Nothing,
    /// A first publication has begun.
    Begun,
    /// One of the keys has left since, so that clients have forgotten what was published.
    Forgotten,
    /// The last timestamp.
    Published(Version),
}

/// The timestamp that is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    Gone,
    /// Nobody who may has signed it.
    Unsigned,
    /// The same, but those have whom the root before names.
    Replaced,
    Signed(Version),
}

impl Reached {
    pub(super) fn read(layout: &Layout, destination: &Destination) -> Result<Self, Error> {
        let path = file(layout);
        let memories = Memories::read(&path)?;
        let own = name(destination)?;
        Ok(Self {
            path,
            own,
            memories,
        })
    }

    fn memory(&self, root: Option<&Root>) -> Memory {
        let Some(own) = &self.own else {
            // Nobody else publishes there, so what is there is this program's.
            return Memory::Begun;
        };
        let Some(last) = self.memories.places.get(own) else {
            return Memory::Nothing;
        };
        if !last.keys.is_subset(&online_keys(root)) {
            return Memory::Forgotten;
        }
        Version::new(last.timestamp).map_or(Memory::Begun, Memory::Published)
    }

    /// The write by which the copy remembers that it was the first to publish here, so that it goes on if that breaks off.
    pub(super) fn begin(&self, place: &Place<'_>) -> Option<Write> {
        let root = place.graph.root();
        let nothing = matches!(place.last, LastState::Nothing);
        let first = nothing && self.memory(root) == Memory::Nothing;
        let mut memories = self.memories.clone();
        memories.reach(first.then(|| self.own.clone()).flatten()?, 0, root);
        Some(memories.write(&self.path))
    }

    /// The write by which the copy remembers that it is about to use up versions. `begin` has to come before.
    pub(super) fn sealing(&self, place: &Place<'_>, release: &Release) -> Option<Write> {
        let (own, root) = (self.own.clone()?, place.graph.root());
        let bytes = &release.staged(&RoleName::Timestamp)?.bytes;
        let mut memories = self.memories.clone();
        if self.begin(place).is_some() {
            memories.reach(own.clone(), 0, root);
        }
        let mut begun = Begun::of(bytes)?;
        if let Some(before) = memories.begun.remove(&own) {
            begun.used = before.used;
        }
        let new = release.files.iter();
        let new = new.filter(|file| file.version.is_some() && file.news.is_some());
        begun
            .used
            .extend(new.map(|file| (file.name(), digest(&file.bytes))));
        memories.begun.insert(own, begun);
        Some(memories.write(&self.path))
    }

    /// The files that this copy has used up numbers for in publications to this place of which none has come to its end, each with its
    /// SHA-256. `own` is the timestamp in the repository, `published` that at the place; where it is older than what this copy has
    /// published there, nothing is known.
    pub(super) fn used(
        &self,
        own: &[u8],
        published: Version,
        root: Option<&Root>,
    ) -> Option<&BTreeMap<String, String>> {
        let begun = self.memories.begun.get(self.own.as_ref()?)?;
        let older = matches!(self.memory(root), Memory::Published(last) if published < last);
        let own = Begun::of(own);
        let open = begun.is_open(own.as_ref()) || self.memories.has_made(own.as_ref());
        (open && !older).then_some(&begun.used)
    }

    /// Whether a publication to this place has begun that has not come to its end.
    pub(super) fn has_begun(&self) -> bool {
        let own = self.own.as_ref();
        own.is_some_and(|own| self.memories.begun.contains_key(own))
    }

    /// The write by which the copy forgets the publications to this place that have not come to their end.
    pub(super) fn give_up(&self) -> Option<Write> {
        let mut memories = self.memories.clone();
        memories.begun.remove(self.own.as_ref()?)?;
        Some(memories.write(&self.path))
    }

    /// The write by which the copy remembers what it has published.
    pub(super) fn write(&self, place: &Place<'_>, release: &Release) -> Option<Write> {
        let (own, timestamp) = (self.own.clone()?, offered(release)?.number());
        let mut memories = self.memories.clone();
        memories.begun.remove(&own);
        // Clients may see it from now on, whatever became of it elsewhere.
        let snapshot = release.staged(&RoleName::Snapshot);
        let parsed = snapshot.and_then(|one| Parsed::<Snapshot>::parse(one.bytes.to_vec()).ok());
        let seen = |name: &str| {
            let (role, used) = split_file_name(name)?;
            let last = match RoleName::new(&role).ok()? {
                RoleName::Root => Some(place.graph.root()?.version()),
                RoleName::Snapshot => snapshot?.version,
                role => parsed.as_ref()?.unverified_listing().version(&role),
            };
            (last >= Some(used)).then_some(())
        };
        for begun in memories.begun.values_mut() {
            begun.used.retain(|name, _| seen(name).is_none());
        }
        memories.reach(own, timestamp, place.graph.root());
        Some(memories.write(&self.path))
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
        let memory = self.memory(place.graph.root());
        // The roots at the place are only believed where this copy does not know better: whoever can write there can remove them.
        let known = matches!(memory, Memory::Published(_));
        if !known && place.online_key_leaves()? == Some(true) {
            return Ok(refused);
        }
        let there = there(place)?;
        require_later(place, release, there, memory)?;
        let others = place.published.holds_versions()?;
        let Some(lost) = lost(there, memory, others, is_rotating(place)) else {
            return Ok(refused);
        };
        if publish.replace.contains(&timestamp_name()) {
            return Ok(lost.action(refused));
        }
        Err(Error::TimestampLost {
            at: Box::new(place.published.metadata(&timestamp_name())),
            why: lost.why(refused.as_ref()),
        })
    }
}

impl Memories {
    fn read(path: &Path) -> Result<Self, Error> {
        match read_optional(path)? {
            Some(bytes) => parse(&bytes).map_err(|error| Error::format(path, error)),
            None => Ok(Self::default()),
        }
    }

    /// Whether a timestamp is of a publication that this copy has begun, to whatever place.
    fn has_made(&self, timestamp: Option<&Begun>) -> bool {
        let mut begun = self.begun.values();
        timestamp.is_some_and(|own| begun.any(|begun| begun.sha256 == own.sha256))
    }

    /// Remembers what was published to a place.
    fn reach(&mut self, place: String, timestamp: u64, root: Option<&Root>) {
        let keys = online_keys(root);
        self.places.insert(place, Last { timestamp, keys });
    }

    fn write(self, path: &Path) -> Write {
        let places = self.places.into_iter().map(|(place, last)| {
            let keys = last.keys.into_iter().map(Value::from);
            let last = [
                ("keys", Value::Array(keys.collect())),
                ("timestamp", Value::from(last.timestamp)),
            ];
            (place, Value::from_iter(last))
        });
        let begun = self.begun.into_iter().map(|(place, begun)| {
            let used = begun.used.into_iter();
            let used = used.map(|(name, sha256)| (name, Value::from(sha256)));
            let begun = [
                ("sha256", Value::from(begun.sha256)),
                ("timestamp", Value::from(begun.timestamp)),
                ("used", Value::Object(used.collect())),
            ];
            (place, Value::from_iter(begun))
        });
        let value = Value::from_iter([
            ("begun", Value::Object(begun.collect())),
            ("format", Value::from(1)),
            ("places", Value::Object(places.collect())),
        ]);
        let kind = WriteKind::Replace(value.to_compact_json());
        Write::file(path.to_owned(), kind)
    }
}

impl Begun {
    fn of(timestamp: &[u8]) -> Option<Self> {
        Some(Self {
            timestamp: version(timestamp)?.number(),
            sha256: digest(timestamp),
            used: BTreeMap::new(),
        })
    }

    /// Whether the repository has not gone on to a timestamp of somebody else since.
    fn is_open(&self, own: Option<&Self>) -> bool {
        own.is_none_or(|own| own.sha256 == self.sha256 || own.timestamp < self.timestamp)
    }
}

/// The timestamp with which this copy has begun to publish, if it has not come to the end: its versions are used up, and clients may
/// not see them. Another timestamp that came since, such as by git, is not this copy's.
pub(crate) fn unpublished(store: &Store) -> Result<Option<Version>, Error> {
    let memories = Memories::read(&file(store.layout()))?;
    if memories.begun.is_empty() {
        return Ok(None);
    }
    let own = store.timestamp_bytes()?;
    let own = own.and_then(|bytes| Begun::of(&bytes));
    let ours = memories.has_made(own.as_ref());
    let begun = memories.begun.values();
    let open = begun.filter(|begun| ours || begun.is_open(own.as_ref()));
    let last = open.map(|begun| begun.timestamp);
    Ok(last.max().and_then(Version::new))
}

/// The files of [`Reached::used`] of publications to whatever place.
pub(crate) fn all_used(layout: &Layout) -> Result<BTreeMap<String, String>, Error> {
    let begun = Memories::read(&file(layout))?.begun.into_values();
    Ok(begun.flat_map(|begun| begun.used).collect())
}

/// What is wrong with a timestamp, if anything. `others` says that other metadata is there, and `rotating` that a rotation of this copy
/// is on its way: then nothing may be there, or what the keys before have signed.
fn lost(there: There, memory: Memory, others: bool, rotating: bool) -> Option<Lost> {
    match (there, memory) {
        (There::Signed(version), Memory::Published(last)) if version < last => {
            Some(Lost::Older { version, last })
        }
        (There::Signed(_), _) => None,
        (There::Gone, Memory::Published(last)) => Some(Lost::Gone { last: Some(last) }),
        (There::Gone, Memory::Begun) => None,
        (There::Gone, Memory::Forgotten) => (!rotating).then_some(Lost::Gone { last: None }),
        (There::Gone, Memory::Nothing) => others.then_some(Lost::Gone { last: None }),
        (There::Replaced, Memory::Published(_)) => Some(Lost::Unsigned),
        (There::Replaced, _) => (!rotating).then_some(Lost::Unsigned),
        (There::Unsigned, _) => Some(Lost::Unsigned),
    }
}

/// What can be wrong with a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    Gone { last: Option<Version> },
    Older { version: Version, last: Version },
    Unsigned,
}

impl Lost {
    /// `refused` says why clients do not accept what is there.
    fn why(self, refused: Option<&Action>) -> String {
        match (self, refused) {
            (Self::Gone { last: Some(last) }, _) => {
                format!("is gone, and this copy has published version {last} there")
            }
            (Self::Gone { last: None }, _) => {
                "is gone, and something was published there before".to_owned()
            }
            (Self::Older { version, last }, _) => {
                format!("is version {version}, and this copy has published version {last} there")
            }
            (Self::Unsigned, Some(Action::DestinationUnverified { why, .. })) => {
                format!("does not verify ({why})")
            }
            (Self::Unsigned, _) => "does not verify".to_owned(),
        }
    }

    /// What is said about it.
    fn action(self, refused: Option<Action>) -> Option<Action> {
        let code = match self {
            Self::Unsigned => return refused,
            Self::Gone { .. } => "missing.timestamp",
            Self::Older { .. } => "rollback.timestamp",
        };
        let why = format!("{} {}", timestamp_name(), self.why(None));
        Some(Action::DestinationUnverified { code, why })
    }
}

fn there(place: &Place<'_>) -> Result<There, Error> {
    let signed = |bytes: &&[u8]| is_signed_by_any(&RoleName::Timestamp, bytes, place.graph);
    Ok(match place.last {
        LastState::Seen(seen) => There::Signed(seen.view().timestamp().version()),
        LastState::Nothing => There::Gone,
        LastState::Refused(_) => {
            let timestamp = place.published.timestamp();
            // Nobody accepts this now. What was there before it was damaged can have been accepted.
            match timestamp.filter(signed).and_then(version) {
                Some(version) => There::Signed(version),
                None if is_of_root_before(place.store, timestamp.unwrap_or_default())? => {
                    There::Replaced
                }
                None => There::Unsigned,
            }
        }
    })
}

/// Whether this copy has a publication open whose root is later than the one that it has used last.
fn is_rotating(place: &Place<'_>) -> bool {
    let (used, next) = (place.store.remembered(), place.graph.root());
    let later = next.is_some_and(|next| used < Some(next.version()));
    later && place.store.is_publishing_root()
}

fn version(timestamp: &[u8]) -> Option<Version> {
    Document::parse(timestamp).ok()?.version()
}

fn offered(release: &Release) -> Option<Version> {
    version(&release.staged(&RoleName::Timestamp)?.bytes)
}

/// Refuses a timestamp that is not above those that clients may have seen.
fn require_later(
    place: &Place<'_>,
    release: &Release,
    there: There,
    memory: Memory,
) -> Result<(), Error> {
    let Some(offered) = offered(release) else {
        return Ok(());
    };
    let rollback = |trusted| {
        let rejected = Rejected::Rollback {
            role: RoleName::Timestamp,
            trusted,
            offered,
        };
        Err(Fault::Refused(rejected.into()).while_doing("comparing it with what was published"))
    };
    match (there, memory) {
        (There::Signed(trusted), _) if offered < trusted => rollback(trusted),
        (_, Memory::Published(trusted)) if offered <= trusted => rollback(trusted),
        (There::Signed(trusted), _) if offered == trusted => {
            require_another_version(place, release)
        }
        _ => Ok(()),
    }
}

/// The keys of timestamp and snapshot, each by its role and the SHA-256 of its key material.
fn online_keys(root: Option<&Root>) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let Some(root) = root else {
        return keys;
    };
    for role in [RoleName::Timestamp, RoleName::Snapshot] {
        for keyid in root.role(&role).iter().flat_map(|of| &of.keyids) {
            let key = root.keys().key(keyid.as_str());
            if let Some(KeyKind::Usable { public, .. }) = key.map(Key::kind) {
                let material = public.to_spki_pem();
                let sha256 =
                    tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, material.as_bytes());
                keys.insert(format!("{role} {}", sha256.to_hex()));
            }
        }
    }
    keys
}

/// What a place is called: the same for the same place, and never for two.
fn name(destination: &Destination) -> Result<Option<String>, Error> {
    let directory = match destination {
        Destination::Directory(directory) => real(directory),
        Destination::Bucket(bucket) => return bucket.full_name(),
    };
    let name = directory.to_str().map(str::to_owned);
    Ok(Some(name.unwrap_or_else(|| {
        let bytes = directory.as_os_str().as_encoded_bytes();
        let sha256 = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, bytes);
        format!("sha256:{}", sha256.to_hex())
    })))
}

fn file(layout: &Layout) -> PathBuf {
    private::file(layout, "published.json")
}

/// The write by which a copy forgets all places: it has left the history that it published there.
pub(crate) fn forget(layout: &Layout) -> Option<Write> {
    let path = file(layout);
    path.exists().then(|| Write::file(path, WriteKind::Remove))
}

fn parse(bytes: &[u8]) -> Result<Memories, FormatError> {
    let wrong = |reason| FormatError::new(0, reason);
    let value = Value::parse(bytes)?;
    if value.get("format").and_then(Value::as_u64) != Some(1) {
        return Err(wrong(Reason::Invalid("a format of a later version")));
    }
    let places = value.get("places").and_then(Value::as_object);
    let places = places.ok_or_else(|| wrong(Reason::Expected("places")))?;
    let places = places.iter().map(|(place, last)| {
        let timestamp = last.get("timestamp").and_then(Value::as_u64);
        let keys = last.get("keys").and_then(Value::as_array);
        let keys = keys.and_then(|keys| {
            let all = keys.iter().map(|key| key.as_str().map(str::to_owned));
            all.collect::<Option<BTreeSet<String>>>()
        });
        let (Some(timestamp), Some(keys)) = (timestamp, keys) else {
            return Err(wrong(Reason::Expected(
                "the version of a timestamp, and keys",
            )));
        };
        Ok((place.clone(), Last { timestamp, keys }))
    });
    let begun = value.get("begun").and_then(Value::as_object);
    let begun = begun.into_iter().flatten().map(|(place, begun)| {
        let timestamp = begun.get("timestamp").and_then(Value::as_u64);
        let sha256 = begun.get("sha256").and_then(Value::as_str);
        let (Some(timestamp), Some(sha256)) = (timestamp, sha256) else {
            return Err(wrong(Reason::Expected("a timestamp and its SHA-256")));
        };
        let used = begun.get("used").and_then(Value::as_object);
        let used = used.into_iter().flatten().map(|(name, sha256)| {
            let sha256 = sha256.as_str();
            let sha256 = sha256.ok_or_else(|| wrong(Reason::Expected("a SHA-256")))?;
            Ok((name.clone(), sha256.to_owned()))
        });
        let begun = Begun {
            timestamp,
            sha256: sha256.to_owned(),
            used: used.collect::<Result<_, _>>()?,
        };
        Ok((place.clone(), begun))
    });
    Ok(Memories {
        places: places.collect::<Result<_, _>>()?,
        begun: begun.collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r18_what_is_lost_is_said_by_the_timestamp_and_the_memory() {
        let [old, last] = [3, 7].map(|number| Version::new(number).unwrap());
        let published = Memory::Published(last);
        let gone = |last| Some(Lost::Gone { last });
        let older = Some(Lost::Older { version: old, last });
        let unsigned = Some(Lost::Unsigned);
        // What is lost with nothing else there, with other metadata there, and with that while a rotation is on its way.
        let table = [
            (There::Gone, Memory::Nothing, [None, gone(None), gone(None)]),
            (There::Gone, Memory::Begun, [None; 3]),
            (
                There::Gone,
                Memory::Forgotten,
                [gone(None), gone(None), None],
            ),
            (There::Gone, published, [gone(Some(last)); 3]),
            (There::Unsigned, Memory::Nothing, [unsigned; 3]),
            (There::Unsigned, Memory::Begun, [unsigned; 3]),
            (There::Unsigned, Memory::Forgotten, [unsigned; 3]),
            (There::Unsigned, published, [unsigned; 3]),
            (There::Replaced, Memory::Nothing, [unsigned, unsigned, None]),
            (There::Replaced, Memory::Begun, [unsigned, unsigned, None]),
            (
                There::Replaced,
                Memory::Forgotten,
                [unsigned, unsigned, None],
            ),
            (There::Replaced, published, [unsigned; 3]),
            (There::Signed(old), Memory::Nothing, [None; 3]),
            (There::Signed(old), Memory::Begun, [None; 3]),
            (There::Signed(old), Memory::Forgotten, [None; 3]),
            (There::Signed(old), published, [older; 3]),
            (There::Signed(last), published, [None; 3]),
        ];
        for (there, memory, expected) in table {
            for (at, expected) in [(false, false), (true, false), (true, true)]
                .iter()
                .zip(expected)
            {
                let (others, rotating) = *at;
                let found = lost(there, memory, others, rotating);
                assert_eq!(found, expected, "{there:?} {memory:?} {others} {rotating}");
            }
        }
    }
}
