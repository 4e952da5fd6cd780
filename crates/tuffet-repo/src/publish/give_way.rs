//! What this copy has made under numbers under which others have published something else.
//!
//! A publication that breaks off or is overtaken has used up numbers. If others publish other versions under them meanwhile, clients
//! follow those, and a version never changes: what was sealed here can never be published, and keeps everything else from it. So it
//! gives way to what clients see, and with it an open change that builds on it. What is used up is remembered with the publication
//! ([`Reached`]), because the change may have been edited since.

use std::collections::BTreeMap;

use tuffet_core::metadata::{Parsed, RoleName, Timestamp, UnixTime, Version};
use tuffet_core::trust::TrustedView;

use super::behind::leaps;
use super::destination::Destination;
use super::published::Published;
use super::reached::{Reached, all_used, unpublished};
use super::release::{Place, first_root, roots};
use super::timestamp_name;
use super::verify::last_state;
use crate::Error;
use crate::change::{ChangeFile, digest};
use crate::graph::Graph;
use crate::layout::{file_name, split_file_name};
use crate::lock::Lock;
use crate::plan::{Action, Plan};
use crate::repository::Repository;
use crate::store::Store;
use crate::tree::Tree as _;
use crate::write::{Write, WriteKind, read_optional};

/// A version of a role, with the bytes of its file.
type File = (RoleName, Version, Vec<u8>);

/// What gives way, and to what.
pub(super) struct GivesWay {
    /// What is sealed here and was never published.
    own: Vec<File>,
    /// What clients see and is not here.
    theirs: Vec<File>,
    timestamp: Vec<u8>,
    /// The first of our own versions that others have published another one of.
    first: (RoleName, Version),
}

impl Repository {
    /// Gives up what publications have sealed that broke off or were overtaken, if others have published other versions under the same
    /// numbers, and takes over what they have published; `None` where that is not so. `to` is the place of the publication if it is
    /// another one than the policy names.
    ///
    /// The open change goes with it if it builds on any of that, else it stays. Only what a client accepts that begins with the first root
    /// is taken over. What is given up is kept in `.tuffet/given-up`.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Io`], [`Error::Store`], [`Error::Format`].
    pub fn give_way(&self, to: Option<&Destination>, now: UnixTime) -> Result<Option<Plan>, Error> {
        let lock = self.lock()?;
        let store = match Store::load(self.layout()) {
            Err(error) if Store::is_about_change(self.layout(), &error) => return Ok(None),
            store => store?,
        };
        // Else nobody is asked what is published.
        if unpublished(&store)?.is_none() {
            return Ok(None);
        }
        let destination = match self.destination(to) {
            Err(Error::NoDestination) => return Ok(None),
            destination => destination?,
        };
        let reached = Reached::read(self.layout(), &destination)?;
        if !reached.has_begun() {
            return Ok(None);
        }
        let published = match Published::open(&destination) {
            // Nothing of the change is used up, so it can be forgotten without asking.
            Err(_) if !store.is_sealed() => return Ok(None),
            published => published?,
        };
        let graph = Graph::load(&store)?;
        let last = last_state(&published, &store, first_root(&roots(&store)?)?, now)?;
        let place = Place {
            store: &store,
            graph: &graph,
            policy: self.policy(),
            published: &published,
            last: &last,
        };
        let gives_way = gives_way(&place, &reached)?;
        let plan = gives_way.map(|gives_way| gives_way.plan(&store, &reached, lock));
        plan.transpose()
    }
}

impl GivesWay {
    /// Why nothing can be published.
    pub(super) fn error(self, published: &Published) -> Error {
        let (role, version) = self.first;
        let file = file_name(&role, Some(version));
        Error::Diverged {
            at: Box::new(published.metadata(&file)),
            role,
            version,
        }
    }

    /// Whether a change follows what stays as it is, so that it can stay open.
    fn spares(&self, change: &ChangeFile) -> bool {
        let taken = |role: &RoleName| {
            let mut all = self.own.iter().chain(&self.theirs);
            *role != RoleName::Snapshot && all.any(|(other, ..)| other == role)
        };
        let root = taken(&RoleName::Root);
        change.given_up.is_empty() && !root && !change.drafts.keys().any(taken)
    }

    /// The timestamp comes last but for what is remembered of all this: as long as it is ours, and something of ours lies under a
    /// number of theirs, this can be repeated.
    fn plan(self, store: &Store, reached: &Reached, lock: Lock) -> Result<Plan, Error> {
        let metadata = store.layout().metadata();
        let change = store.layout().change();
        // Drafts that are sealed are none for the store.
        let open = ChangeFile::read(&change)?;
        let spared = self.spares(&open);
        let left = spared && !open.drafts.is_empty();
        let change = (!spared).then_some(change);
        let mut copied = Vec::new();
        if let Some(bytes) = change.as_deref().map(read_optional).transpose()?.flatten() {
            let name = format!("change.{}.json", digest(&bytes));
            let copy = store.layout().given_up().join(name);
            copied.push(Write::file(copy, WriteKind::Replace(bytes)));
        }
        let kept = self.own.iter().map(|(role, version, bytes)| {
            let copy = store.layout().given_up();
            let copy = copy.join(file_name(role, Some(*version)));
            Write::file(copy, WriteKind::Replace(bytes.clone()))
        });
        let replaced = |(role, version, _): &&File| {
            let mut theirs = self.theirs.iter();
            theirs.any(|(other, its, _)| other == role && its == version)
        };
        let removed = self.own.iter().filter(|file| !replaced(file));
        let removed = removed.map(|(role, version, _)| {
            Write::file(store.sealed_path(role, *version), WriteKind::Remove)
        });
        // A change that builds on what gives way must not be found beside what takes its place.
        let forgotten = change.iter().map(|_| store.remove_change()).collect();
        let mut steps = vec![kept.chain(copied).collect(), forgotten, removed.collect()];
        // One root follows the other, who delegates comes before the others, and what lists them comes after all.
        let order: [fn(&RoleName) -> bool; 4] = [
            |role| *role == RoleName::Root,
            |role| *role == RoleName::Targets,
            |role| matches!(role, RoleName::Delegated(_)),
            |role| *role == RoleName::Snapshot,
        ];
        for wanted in order {
            let files = self.theirs.iter().filter(|(role, ..)| wanted(role));
            let files = files.map(|(role, version, bytes)| {
                let path = store.sealed_path(role, *version);
                Write::file(path, WriteKind::Replace(bytes.clone()))
            });
            steps.push(files.collect());
        }
        let timestamp = WriteKind::Replace(self.timestamp);
        steps.push(vec![Write::file(
            metadata.join(timestamp_name()),
            timestamp,
        )]);
        steps.push(reached.give_up().into_iter().collect());

        let drafts = store.drafts().filter(|_| change.is_some());
        let dropped = drafts.map(|(role, draft)| Action::Dropped {
            role: role.clone(),
            version: draft.version().unwrap_or(Version::FIRST),
        });
        let given_up = self.own.into_iter();
        let given_up = given_up.map(|(role, version, _)| Action::GivenUp { role, version });
        let taken = self.theirs.into_iter();
        let taken = taken.map(|(role, version, _)| Action::Imported { role, version });
        let left = left.then_some(Action::ChangeLeft);
        Ok(Plan {
            actions: dropped.chain(given_up).chain(taken).chain(left).collect(),
            steps,
            lock: Some(lock),
        })
    }
}

/// What has to give way, if anything: this copy has begun to publish here and has not come to the end, clients have seen as much of
/// somebody else, and under a number of one of our versions they see another one.
///
/// Roots do not give way, because clients may follow one that was put in its place before the publication broke off; nor what is not of this
/// publication, because it may have been published elsewhere.
pub(super) fn gives_way(place: &Place<'_>, reached: &Reached) -> Result<Option<GivesWay>, Error> {
    let store = place.store;
    let (Some(view), Some(own)) = (place.last.view(), store.timestamp_bytes()?) else {
        return Ok(None);
    };
    let there = view.timestamp().version();
    let Some(used) = reached.used(&own, there, place.graph.root()) else {
        return Ok(None);
    };
    let timestamp = place.published.timestamp().unwrap_or_default().to_vec();
    let here = store.timestamp()?.and_then(|timestamp| timestamp.version());
    if timestamp == own || leaps(store, here, view) || place.online_key_leaves()? == Some(true) {
        return Ok(None);
    }
    let sealed = sealed(store, used)?;
    let roots = match newer_roots(place, view)? {
        Some(roots) if sealed.iter().all(|(role, ..)| *role != RoleName::Root) => roots,
        _ => return Ok(None),
    };
    let mut compared = Compared {
        place,
        view,
        own: Vec::new(),
        theirs: roots,
        first: None,
    };
    let is_snapshot = |(role, ..): &File| *role == RoleName::Snapshot;
    let (snapshots, sealed): (Vec<File>, Vec<File>) = sealed.into_iter().partition(is_snapshot);
    if !compared.roles(sealed)? || !compared.snapshot(snapshots, &own)? {
        return Ok(None);
    }
    let Compared {
        own, theirs, first, ..
    } = compared;
    Ok(first.map(|first| GivesWay {
        own,
        theirs,
        timestamp,
        first,
    }))
}

/// Whether a version is here that a publication of this copy has sealed which has not come to its end. Snapshots do not count: they say
/// nothing of their own.
pub(crate) fn has_sealed(store: &Store) -> Result<bool, Error> {
    // Others may have ended it.
    if unpublished(store)?.is_none() {
        return Ok(false);
    }
    let sealed = sealed(store, &all_used(store.layout())?)?;
    Ok(sealed.iter().any(|(role, ..)| *role != RoleName::Snapshot))
}

/// The versions that are used up and still here.
fn sealed(store: &Store, used: &BTreeMap<String, String>) -> Result<Vec<File>, Error> {
    let mut sealed = Vec::new();
    for (name, expected) in used {
        let Some((role, version)) = split_file_name(name) else {
            continue;
        };
        let Ok(role) = RoleName::new(&role) else {
            continue;
        };
        if let Some(bytes) = store.found(&role, version)?
            && digest(&bytes) == *expected
        {
            sealed.push((role, version, bytes));
        }
    }
    Ok(sealed)
}

/// The roots that clients see and that follow the last one here; `None` if that is not one of theirs.
fn newer_roots(place: &Place<'_>, view: &TrustedView) -> Result<Option<Vec<File>>, Error> {
    let role = RoleName::Root;
    let published = |version| place.published.file(&file_name(&role, Some(version)));
    let Some(mut last) = place.store.head(&role) else {
        return Ok(None);
    };
    if published(last)? != place.store.found(&role, last)? {
        return Ok(None);
    }
    let mut newer = Vec::new();
    while last < view.root().version() {
        last = last.next();
        let Some(bytes) = published(last)? else {
            return Ok(None);
        };
        newer.push((role.clone(), last, bytes));
    }
    Ok(Some(newer))
}

/// What is here and what clients see, side by side.
struct Compared<'p> {
    place: &'p Place<'p>,
    view: &'p TrustedView,
    own: Vec<File>,
    theirs: Vec<File>,
    /// The first of our own versions that others have published another one of.
    first: Option<(RoleName, Version)>,
}

impl Compared<'_> {
    /// Compares targets roles; `false` if a version differs that is not of this publication.
    fn roles(&mut self, sealed: Vec<File>) -> Result<bool, Error> {
        let listing = self.view.snapshot().listing();
        let crypto = tuffet_crypto::aws_lc();
        let mut wanted = Vec::new();
        for entry in listing.iter() {
            let file = entry.file();
            let role = file.strip_suffix(".json").map(RoleName::new);
            let (Some(Ok(role)), Some(version)) = (role, entry.version()) else {
                continue;
            };
            match self.place.store.found(&role, version)? {
                Some(bytes) if listing.identifies(&role, &bytes, crypto) => continue,
                Some(_) => {
                    let ours = |(other, its, _): &File| *other == role && *its == version;
                    if !sealed.iter().any(ours) {
                        return Ok(false);
                    }
                    self.first.get_or_insert((role.clone(), version));
                }
                None => {}
            }
            wanted.push((role, version));
        }
        let names = wanted.iter();
        let names: Vec<String> = names
            .map(|(role, version)| file_name(role, Some(*version)))
            .collect();
        self.place
            .published
            .fetch(names.iter().map(String::as_str))?;
        for ((role, version), name) in wanted.into_iter().zip(names) {
            let bytes = self.place.published.file(&name)?.unwrap_or_default();
            // Whoever signed the snapshot has vouched for these bytes and no others.
            if !listing.identifies(&role, &bytes, crypto) {
                return Ok(false);
            }
            self.theirs.push((role, version, bytes));
        }
        for (role, version, bytes) in sealed {
            let seen = listing.version(&role);
            if seen == Some(version) && listing.identifies(&role, &bytes, crypto) {
                continue;
            }
            self.give_up((role, version, bytes), seen > Some(version))?;
        }
        Ok(true)
    }

    /// Gives up a version of ours, unless others have published it, too, before they went on.
    fn give_up(&mut self, own: File, overtaken: bool) -> Result<(), Error> {
        let (role, version, bytes) = &own;
        let name = file_name(role, Some(*version));
        if overtaken && let Some(theirs) = self.place.published.file(&name)? {
            if theirs == *bytes {
                return Ok(());
            }
            self.first.get_or_insert((role.clone(), *version));
        }
        self.own.push(own);
        Ok(())
    }

    /// Compares snapshots; `false` if one differs that is not of this publication. `timestamp` is the one that was sealed last.
    fn snapshot(&mut self, sealed: Vec<File>, timestamp: &[u8]) -> Result<bool, Error> {
        let (role, theirs) = (RoleName::Snapshot, self.view.snapshot());
        let (store, version) = (self.place.store, theirs.version());
        if let Ok(timestamp) = Parsed::<Timestamp>::parse(timestamp.to_vec()) {
            let listed = timestamp.unverified().snapshot();
            let ours = store.found(&role, listed.version)?;
            let crypto = tuffet_crypto::aws_lc();
            if !ours.is_some_and(|bytes| listed.identifies(&bytes, crypto)) {
                // It has given way already, and that broke off.
                self.first.get_or_insert((role.clone(), listed.version));
            }
        }
        let here = store.found(&role, version)?;
        let same = here.as_ref() == Some(&**theirs.received());
        let ours = sealed.iter().any(|(_, its, _)| *its == version);
        if here.is_some() && !same {
            if !ours {
                return Ok(false);
            }
            self.first.get_or_insert((role.clone(), version));
        }
        for own in sealed {
            if own.1 != version || !same {
                let overtaken = own.1 < version;
                self.give_up(own, overtaken)?;
            }
        }
        if !same {
            self.theirs
                .push((role, version, theirs.received().to_vec()));
        }
        Ok(true)
    }
}
