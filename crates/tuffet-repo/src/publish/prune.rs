//! Removes from a published tree what nobody can need any more.
//!
//! Publishing never removes anything: a client that has just read an old timestamp goes on with the snapshot and the targets that
//! belong to it. A snapshot is out of use when a later one has been there for the whole grace period; what no snapshot in use lists
//! goes with it, and so do the targets that no role that stays lists. Roots stay for ever, and so does whatever is newer than
//! what clients see, because an interrupted publication goes on with it. What no version in the repository is or lists is somebody
//! else's, whatever its name looks like: it is pointed out and stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tuffet_core::metadata::{RoleName, UnixTime, Version};

use super::artifacts::entries;
use super::destination::{Destination, Listed};
use super::published::Published;
use super::release::{Place, meta, versions};
use super::timestamp_name;
use super::verify::{LastState, last_good};
use crate::Error;
use crate::document::Document;
use crate::graph::Graph;
use crate::layout::{self, METADATA};
use crate::plan::{Action, Plan};
use crate::policy::Period;
use crate::repository::Repository;
use crate::store::Store;
use crate::targets::read_entry;
use crate::tree::{Client, Tree as _};
use crate::write::{Write, WriteKind};

/// The directory of targets in a published tree.
const TARGETS: &str = "targets";

/// What to remove, and from where.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Prune {
    /// The published tree; `None` for the one that the policy names.
    pub from: Option<Destination>,
    /// How long something has to be out of use before it is removed.
    pub older_than: Period,
}

impl Prune {
    /// Removes what has been out of use for so long, from where the policy publishes to.
    #[must_use]
    pub fn older_than(period: Period) -> Self {
        Self {
            from: None,
            older_than: period,
        }
    }

    /// From here.
    #[must_use]
    pub fn from(mut self, destination: impl Into<Destination>) -> Self {
        self.from = Some(destination.into());
        self
    }
}

impl Repository {
    /// Removes from the published tree versions and targets that have been out of use for a while.
    ///
    /// # Errors
    /// [`Error::NoDestination`]; [`Error::Overtaken`] if somebody publishes meanwhile, of whose targets one may then be missing; [`Error::Refused`] if what is
    /// published does not verify, because then nobody knows what is in use;
    /// [`Error::Io`], [`Error::Store`], [`Error::Format`].
    pub fn prune(&self, prune: &Prune, now: UnixTime) -> Result<Plan, Error> {
        let lock = self.lock()?;
        let destination = self.destination(prune.from.as_ref())?;
        let published = Published::open(&destination)?;
        let store = Store::load(self.layout())?.without_drafts();
        let graph = Graph::load(&store)?;
        let place = Place {
            store: &store,
            graph: &graph,
            policy: self.policy(),
            published: &published,
            last: &LastState::Nothing,
        };
        let limit = i64::from(prune.older_than.seconds());
        let limit = UnixTime(now.0.saturating_sub(limit));
        let tree = Metadata::read(&place, now)?;
        let snapshots = tree.snapshots_in_use(limit);
        let Sorted {
            stays,
            goes,
            mut others,
        } = tree.roles(&place, &snapshots, limit)?;
        let needed = tree.targets_of(&published, &stays)?;
        let listed = destination.list(TARGETS)?.into_iter();
        let unused: BTreeMap<String, Listed> = listed
            .map(|(name, found)| (format!("{TARGETS}/{name}"), found))
            .filter(|(name, found)| {
                let hashed = layout::hash_of(name).is_some();
                hashed && !needed.contains(name) && found.modified <= limit
            })
            .collect();
        let known = known(&store, &tree.own, &unused, &mut others)?;
        let (targets, foreign): (Vec<_>, Vec<_>) = unused
            .into_iter()
            .partition(|(name, _)| known.contains(name));
        others.extend(foreign.into_iter().map(|(name, _)| name));

        let all = goes.iter().chain(&targets);
        let length = all.clone().map(|(_, found)| found.length);
        let mut actions = vec![Action::Pruned {
            count: all.count() as u64,
            length: length.fold(0, u64::saturating_add),
        }];
        others.sort_unstable();
        actions.extend(others.first().map(|first| Action::Spared {
            count: others.len() as u64,
            first: first.clone(),
        }));
        let remove = |(name, _): &(String, Listed)| Write {
            at: destination.address(name),
            kind: WriteKind::Remove,
        };
        let removals = [&goes, &targets].map(|files| files.iter().map(remove).collect());
        Ok(Plan {
            actions,
            steps: claimed(&published, removals),
            lock: Some(lock),
        })
    }
}

/// A line of blanks that nobody else has.
fn white_space() -> Vec<u8> {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    let number = RandomState::new().build_hasher().finish();
    let blanks = (0..u64::BITS).map(|bit| if number >> bit & 1 == 0 { b' ' } else { b'\t' });
    blanks.chain([b'\n']).collect()
}

/// Puts the timestamp in its own place before each of the removals and after the last one, if nobody has published since it was read:
/// whoever has planned to publish before, and relies on something that is removed, has to be overtaken. It says the same with other
/// white space behind it each time. A store may know an object by its bytes, so none of them is ever as it was before, and two who prune at
/// the same time do not take the claims of the other for theirs.
///
/// Who plans after the claim before a removal and has published before the claim after it can rely on what has just been removed: then
/// the last claim fails, and says so.
fn claimed(published: &Published, removals: [Vec<Write>; 2]) -> Vec<Vec<Write>> {
    let removals: Vec<Vec<Write>> = removals.into_iter().filter(|all| !all.is_empty()).collect();
    let mut bytes = published.timestamp().unwrap_or_default().to_vec();
    let mut claim = |is_first: bool| {
        let before = bytes.clone();
        bytes.extend(white_space());
        let kind = if is_first {
            published.switch(&bytes)
        } else {
            published.switch_again(&before, &bytes)
        };
        let at = published.metadata(&timestamp_name());
        vec![Write { at, kind }]
    };
    let mut steps = Vec::new();
    for removal in removals {
        steps.push(claim(steps.is_empty()));
        steps.push(removal);
    }
    if !steps.is_empty() {
        steps.push(claim(false));
    }
    steps
}

/// The metadata of a published tree.
struct Metadata {
    files: BTreeMap<(RoleName, Version), Listed>,
    /// The versions that the repository has sealed.
    own: BTreeSet<(RoleName, Version)>,
    /// The snapshot that clients see.
    current: Version,
    /// When the timestamp was written, which lists that.
    switched: Option<UnixTime>,
}

impl Metadata {
    /// Lists it, and makes sure that it is what it was published as.
    fn read(place: &Place<'_>, now: UnixTime) -> Result<Self, Error> {
        let published = place.published;
        let root = super::release::roots(place.store)?.into_iter().next();
        let root = root.ok_or(Error::RoleUnknown(RoleName::Root))?;
        let then = last_good(published, place.store, now)?;
        let view = Client::default()
            .refresh(published, &root.bytes, then)
            .map_err(|fault| fault.while_doing("verifying what is published"))?;
        let files = published.destination().list(METADATA)?;
        let switched = files.get(&timestamp_name()).map(|found| found.modified);
        let files = files.into_iter();
        let files = files.filter_map(|(name, found)| {
            let role = layout::parse_file_name(&name)?;
            Some((role, found))
        });
        Ok(Self {
            files: files.collect(),
            own: place.store.all_versions(),
            current: view.snapshot().version(),
            switched,
        })
    }

    /// The snapshots that clients see, will see, or have seen since the limit.
    fn snapshots_in_use(&self, limit: UnixTime) -> BTreeSet<Version> {
        let snapshots = self.files.iter();
        let snapshots = snapshots.filter(|((role, _), _)| *role == RoleName::Snapshot);
        let all: Vec<(Version, UnixTime)> = snapshots
            .map(|((_, version), found)| (*version, found.modified))
            .collect();
        // A snapshot is out of use when clients are switched to its successor: not before that is written, and where that is the one
        // they see, not before the timestamp is, which an interrupted publication writes much later.
        let switched = |version: Version| self.switched.filter(|_| version == self.current);
        let ends = all.iter().skip(1);
        let ends = ends.map(|(version, written)| Some(*written).max(switched(*version)));
        let ends = ends.chain(std::iter::once(None));
        let in_use = all.iter().zip(ends).filter(|((version, written), end)| {
            *version >= self.current || *written > limit || end.is_none_or(|end| end > limit)
        });
        in_use.map(|((version, _), _)| *version).collect()
    }

    /// What is needed, what is not, and what is nobody's.
    fn roles(
        &self,
        place: &Place<'_>,
        snapshots: &BTreeSet<Version>,
        limit: UnixTime,
    ) -> Result<Sorted, Error> {
        let mut listed: BTreeSet<(RoleName, Version)> = BTreeSet::new();
        let mut current: BTreeMap<RoleName, Version> = BTreeMap::new();
        for version in snapshots {
            let all = self.listed_by(place.published, *version)?;
            if *version == self.current {
                current.extend(all.iter().cloned());
            }
            listed.extend(all);
        }
        let mut sorted = Sorted::default();
        for ((role, version), found) in &self.files {
            let file = layout::file_name(role, Some(*version));
            let needed = match role {
                RoleName::Root | RoleName::Timestamp => continue,
                RoleName::Snapshot => snapshots.contains(version),
                RoleName::Targets | RoleName::Delegated(_) => {
                    let unfinished = current.get(role).is_some_and(|current| version > current);
                    let listed = listed.contains(&(role.clone(), *version));
                    listed || unfinished || found.modified > limit
                }
            };
            let key = (role.clone(), *version);
            let somebody = match role {
                RoleName::Delegated(name) => place.graph.is_delegated(name),
                _ => true,
            };
            let read = (self.own.contains(&key) && somebody) || listed.contains(&key);
            if !self.own.contains(&key) && !listed.contains(&key) && *version != self.current {
                sorted.others.push(format!("{METADATA}/{file}"));
            } else if !needed {
                sorted.goes.push((format!("{METADATA}/{file}"), *found));
                continue;
            }
            if *role != RoleName::Snapshot {
                sorted.stays.push(Stays { file, read });
            }
        }
        Ok(sorted)
    }

    /// What a snapshot lists. What nobody here has sealed and no client sees may be anything.
    fn listed_by(
        &self,
        published: &Published,
        version: Version,
    ) -> Result<Vec<(RoleName, Version)>, Error> {
        let role = RoleName::Snapshot;
        let file = layout::file_name(&role, Some(version));
        let known = version == self.current || self.own.contains(&(role, version));
        match parse(published, &file) {
            Ok(document) => Ok(versions(&meta(Some(&document))).collect()),
            Err(Error::Format { .. }) if !known => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The names of all targets that these files list.
    fn targets_of(
        &self,
        published: &Published,
        files: &[Stays],
    ) -> Result<BTreeSet<String>, Error> {
        published.fetch(files.iter().map(|one| one.file.as_str()))?;
        let mut names = BTreeSet::new();
        for Stays { file, read } in files {
            // Parsed first, so that nothing is taken for unlisted because its list cannot be read.
            match parse(published, file) {
                Ok(document) => names.extend(names_in(&document.to_bytes())),
                Err(Error::Format { .. }) if !read => {}
                Err(error) => return Err(error),
            }
        }
        Ok(names)
    }
}

/// The metadata of a published tree, sorted by what becomes of it.
#[derive(Default)]
struct Sorted {
    /// The files of targets roles that may be needed.
    stays: Vec<Stays>,
    goes: Vec<(String, Listed)>,
    /// What the repository has not made.
    others: Vec<String>,
}

/// A file that may be needed.
struct Stays {
    file: String,
    /// Whether it has to be readable: the repository has made it for a role that there is, or clients can come to it. Another one is
    /// nobody's, and keeps nobody from pruning.
    read: bool,
}

/// The names under which the targets of a file are published.
fn names_in(bytes: &[u8]) -> Vec<String> {
    let targets = entries(bytes).into_iter();
    let targets = targets.filter_map(|(path, entry)| read_entry(&path, &entry, &RoleName::Targets));
    targets
        .flat_map(|target| {
            let names = target.hashes.iter();
            let names = names.map(|hash| layout::target_name(&target.path, hash));
            names.collect::<Vec<_>>()
        })
        .collect()
}

/// Those of the unused files that some version of the repository has listed. What lies among its versions and is none lists nothing, and
/// is pointed out.
fn known(
    store: &Store,
    own: &BTreeSet<(RoleName, Version)>,
    unused: &BTreeMap<String, Listed>,
    others: &mut Vec<String>,
) -> Result<BTreeSet<String>, Error> {
    let mut known = BTreeSet::new();
    // Most of what goes was listed lately.
    for (role, version) in own.iter().rev() {
        if known.len() == unused.len() {
            break;
        }
        if matches!(role, RoleName::Targets | RoleName::Delegated(_)) {
            let bytes = match store.sealed(role, *version) {
                Ok(bytes) => bytes,
                Err(Error::Format { .. } | Error::HeadUnsigned { .. }) => {
                    let path = store.sealed_path(role, *version);
                    others.push(path.display().to_string());
                    continue;
                }
                Err(error) => return Err(error),
            };
            let names = names_in(&bytes).into_iter();
            known.extend(names.filter(|name| unused.contains_key(name)));
        }
    }
    Ok(known)
}

fn parse(published: &Published, file: &str) -> Result<Document, Error> {
    let bytes = published.file(file)?.unwrap_or_default();
    Document::parse(&bytes).map_err(|error| {
        let at = published.metadata(file).to_string();
        Error::format(Path::new(&at), error)
    })
}
