//! What is about to be published: the new versions of roles, a snapshot that lists them, a timestamp that lists that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use tuffet_core::json::Value;
use tuffet_core::metadata::{DelegatedName, Listing, Parsed, RoleName, Root, UnixTime, Version};
use tuffet_core::trust::removes_online_key;
use tuffet_sign::Signer;

use super::Publish;
use super::published::Published;
use super::snapshot::{self, Before, Changes, Delegated};
use super::verify::LastState;
use crate::Error;
use crate::builder::{self, listed};
use crate::document::Document;
use crate::error::MissingSignatures;
use crate::graph::Graph;
use crate::layout;
use crate::numbers::{FURTHEST, GivenUp};
use crate::plan::Action;
use crate::policy::Policy;
use crate::quorum::{Need, is_version_of_any, needs, needs_of};
use crate::sign::sign_document;
use crate::store::Store;
use crate::tree::Tree as _;
use crate::write::WriteKind;

/// How many numbers of snapshots are skipped at the most.
const MOST_SKIPPED: usize = 1_000;

/// A metadata file to publish.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) role: RoleName,
    /// `None` for timestamp, which is published without its version.
    pub(super) version: Option<Version>,
    pub(super) bytes: Arc<Vec<u8>>,
    /// What is said about it, if it is new.
    pub(super) news: Option<Action>,
}

impl Staged {
    pub(super) fn name(&self) -> String {
        layout::file_name(&self.role, self.version)
    }

    pub(super) fn write_kind(&self) -> WriteKind {
        match self.version {
            Some(_) => WriteKind::Once(self.bytes.clone()),
            None => WriteKind::Replace(self.bytes.to_vec()),
        }
    }
}

/// Everything that the published tree has to hold and may not hold yet.
#[derive(Debug)]
pub(super) struct Release {
    /// Roots in order, targets roles, snapshot, timestamp.
    pub(super) files: Vec<Staged>,
    /// The bytes of the first root that there is.
    pub(super) first_root: Vec<u8>,
    /// Snapshot and timestamp as they were signed for this.
    pub(super) signed: Vec<Document>,
    /// The snapshot before.
    before: Option<Before>,
    /// Numbers of snapshots that are not used.
    skipped: Vec<Version>,
}

impl Release {
    /// The file of a role that is to be published; the latest, if there are several.
    pub(super) fn staged(&self, role: &RoleName) -> Option<&Staged> {
        self.files.iter().rev().find(|staged| staged.role == *role)
    }

    /// The version of a targets role that the snapshot before listed.
    pub(super) fn before(&self, role: &RoleName) -> Option<Version> {
        self.listing_before()?.version(role)
    }

    /// What the snapshot before listed.
    pub(super) fn listing_before(&self) -> Option<Listing<'_>> {
        self.before.as_ref().map(Before::listing)
    }

    pub(super) fn actions(&self) -> impl Iterator<Item = Action> + '_ {
        let skipped = self.skipped.iter().map(|version| Action::Skipped {
            role: RoleName::Snapshot,
            version: *version,
        });
        skipped.chain(self.files.iter().filter_map(|staged| staged.news.clone()))
    }
}

/// From where to where.
pub(super) struct Place<'p> {
    pub(super) store: &'p Store,
    pub(super) graph: &'p Graph,
    pub(super) policy: &'p Policy,
    pub(super) published: &'p Published,
    /// What clients have seen of the published tree.
    pub(super) last: &'p LastState,
}

impl Place<'_> {
    /// Puts together what is to be published.
    pub(super) fn compose(
        &self,
        roots: Vec<Staged>,
        publish: &Publish,
        online: &[&dyn Signer],
        now: UnixTime,
    ) -> Result<Release, Error> {
        let mut files = roots;
        let first_root = first_root(&files)?.to_vec();
        let (mut skipped, mut signed) = (Vec::new(), Vec::new());
        let before = Before::read(self.store, self.last.view())?;
        let (roles, mut changes) = self.targets_roles(before.as_ref())?;
        for role in &publish.drop_roles {
            self.drop_role(before.as_ref(), role, &mut changes)?;
        }
        files.extend(roles);

        let (version, bytes, snapshot_news): (_, Arc<Vec<u8>>, _) = match &before {
            Some(before)
                if !publish.new_snapshot
                    && !self.snapshot_is_due(before, &changes, &files, now)? =>
            {
                (before.version(), Arc::clone(&before.bytes), None)
            }
            _ => {
                let new = self.snapshot(before.as_ref(), &changes, &mut skipped)?;
                let new = self.sign_online(&RoleName::Snapshot, new, online, now)?;
                let version = new.version().unwrap_or(Version::FIRST);
                let bytes = Arc::new(new.to_bytes());
                let news = news(&RoleName::Snapshot, &new);
                signed.push(new);
                (version, bytes, Some(news))
            }
        };
        let timestamp = self.timestamp(version, &bytes)?;
        let timestamp = self.sign_online(&RoleName::Timestamp, timestamp, online, now)?;
        files.push(Staged {
            role: RoleName::Snapshot,
            version: Some(version),
            bytes,
            news: snapshot_news,
        });
        files.push(Staged {
            role: RoleName::Timestamp,
            version: None,
            bytes: Arc::new(timestamp.to_bytes()),
            news: Some(news(&RoleName::Timestamp, &timestamp)),
        });
        signed.push(timestamp);
        Ok(Release {
            files,
            first_root,
            signed,
            before,
            skipped,
        })
    }

    /// The version of a targets role that clients see.
    pub(super) fn visible(&self, role: &RoleName) -> Result<Option<Version>, Error> {
        match self.last.view() {
            Some(view) => Ok(view.snapshot().listing().version(role)),
            None => self.published.listed(role),
        }
    }

    /// The targets roles that clients do not see yet, and what snapshot has to say that it does not: every role that is delegated to,
    /// and every one that it listed before.
    ///
    /// All that is listed is gone through once, and nothing is asked of the disk for a role that is where it belongs.
    fn targets_roles(&self, before: Option<&Before>) -> Result<(Vec<Staged>, Changes), Error> {
        let delegated = Delegated::of(self.graph);
        let mut staged: BTreeMap<String, Staged> = BTreeMap::new();
        let mut changes = Changes::new();
        let mut change = |file: String, name: &str, by: &RoleName, listed| {
            let role = RoleName::new(name).map_err(|_| Error::RoleNameUnsafe {
                name: name.to_owned(),
                why: "it is empty or holds NUL",
            })?;
            let version = self.store.next_version(&role);
            let version = version.ok_or_else(|| Error::RoleEmpty {
                role: role.clone(),
                by: by.clone(),
            })?;
            if listed != Some(version) {
                let new = self.targets_file(&role, version)?;
                changes.insert(
                    file.clone(),
                    Some(builder::listed(version, Some(&new.bytes))),
                );
                // What clients see already is not written again; a draft is compared with what is there.
                if new.news.is_some() || !self.is_there(false, name, version)? {
                    staged.insert(file, new);
                }
            }
            Ok::<bool, Error>(listed == Some(version))
        };
        let drafts: BTreeSet<&str> = self.store.drafts().map(|(role, _)| role.as_str()).collect();
        let all_seen = before.is_some_and(Before::is_seen);
        let mut absent = Vec::new();
        for entry in before.iter().flat_map(|before| before.listing().iter()) {
            let (file, listed) = (entry.file(), entry.version());
            let name = file.strip_suffix(".json").unwrap_or_default();
            let same = match delegated.by(name) {
                Some(by) if drafts.contains(name) || self.store.head_of(name) != listed => {
                    change(file.clone().into_owned(), name, by, listed)?
                }
                _ => true,
            };
            if let (true, Some(version)) = (same, listed)
                && !self.is_there(all_seen, name, version)?
            {
                absent.push((file.into_owned(), version));
            }
        }
        for (name, by) in delegated.without(before.map(Before::listing)) {
            change(format!("{name}.json"), &name, by, None)?;
        }
        for (file, version) in absent {
            let role = file.strip_suffix(".json").map(RoleName::new);
            if let Some(Ok(role @ (RoleName::Targets | RoleName::Delegated(_)))) = role {
                let new = self.targets_file(&role, version)?;
                staged.insert(file, new);
            }
        }
        Ok((staged.into_values().collect(), changes))
    }

    /// Whether clients see this version of a targets role, and its file is where they look for it.
    fn is_there(&self, seen: bool, name: &str, version: Version) -> Result<bool, Error> {
        let seen = seen
            || match RoleName::new(name) {
                Ok(role) => self.visible(&role)? == Some(version),
                Err(_) => false,
            };
        Ok(seen && self.published.has_version(name, version)?)
    }

    /// The file of a targets role.
    fn targets_file(&self, role: &RoleName, version: Version) -> Result<Staged, Error> {
        let draft = self.store.draft(role);
        if let Some(draft) = draft.filter(|draft| draft.version() == Some(version)) {
            return Ok(Staged {
                role: role.clone(),
                version: Some(version),
                bytes: Arc::new(draft.to_bytes()),
                news: Some(news(role, draft)),
            });
        }
        Ok(Staged {
            role: role.clone(),
            version: Some(version),
            bytes: Arc::new(self.store.sealed(role, version)?),
            news: None,
        })
    }

    fn drop_role(
        &self,
        before: Option<&Before>,
        name: &DelegatedName,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let role = RoleName::Delegated(name.clone());
        if self.graph.is_delegated(name) {
            return Err(Error::RoleUnsuited {
                role,
                why: "is still delegated to",
            });
        }
        if !self.forgotten_by_clients()? {
            return Err(Error::RoleRemoved { role });
        }
        if before.is_none_or(|before| before.listing().version(&role).is_none()) {
            return Err(Error::RoleUnknown(role));
        }
        changes.insert(format!("{role}.json"), None);
        Ok(())
    }

    /// Whether clients forget what they have seen. Where nothing is published, nobody has seen anything.
    pub(super) fn forgotten_by_clients(&self) -> Result<bool, Error> {
        let nothing = self.published.timestamp().is_none();
        Ok(self.online_key_leaves()?.unwrap_or(nothing))
    }

    /// Whether a key of snapshot or timestamp leaves between the root that is published and the next one, which makes clients
    /// forget; `None` where no root of this repository is published.
    pub(super) fn online_key_leaves(&self) -> Result<Option<bool>, Error> {
        let mut version = self.store.next_version(&RoleName::Root);
        while let Some(number) = version {
            let file = layout::file_name(&RoleName::Root, version);
            let ours = match self.store.draft(&RoleName::Root) {
                Some(draft) if draft.version() == version => Some(draft.to_bytes()),
                _ => self.store.found(&RoleName::Root, number)?,
            };
            // Something else under that name is no root that clients of this repository follow.
            if let Some(bytes) = ours
                && self.published.file(&file)?.as_ref() == Some(&bytes)
            {
                let published = Parsed::<Root>::parse(bytes).map_err(|error| {
                    let at = self.published.metadata(&file).to_string();
                    Error::format(Path::new(&at), error)
                })?;
                let next = self.graph.root();
                let leaves = |next| removes_online_key(published.unverified(), next);
                return Ok(Some(next.is_some_and(leaves)));
            }
            version = number.number().checked_sub(1).and_then(Version::new);
        }
        Ok(None)
    }

    /// Whether a new snapshot is needed: it would say something else, its signatures no longer count, or half its time is over.
    fn snapshot_is_due(
        &self,
        before: &Before,
        changes: &Changes,
        roots: &[Staged],
        now: UnixTime,
    ) -> Result<bool, Error> {
        if !changes.is_empty() {
            return Ok(true);
        }
        let root = roots.iter().rfind(|staged| staged.role == RoleName::Root);
        let view = self.last.view().filter(|_| before.is_seen());
        let counted = view.zip(root);
        // What was verified under the root that will be in force was counted.
        if counted.is_none_or(|(view, root)| view.root().received() != &root.bytes) {
            let counts = needs(&RoleName::Snapshot, &before.bytes, self.graph, self.policy)?;
            if !counts.iter().all(Need::is_met) {
                return Ok(true);
            }
        }
        // Nobody can be given this one where something else lies under its name. What clients see lies there itself.
        let ours = Some(before.bytes.as_slice());
        if !before.is_seen() && self.is_taken(&RoleName::Snapshot, before.version(), ours)? {
            return Ok(true);
        }
        let half = i64::from(self.policy.period(&RoleName::Snapshot).seconds()) / 2;
        Ok(before.expires().0.saturating_sub(now.0) <= half)
    }

    /// The next snapshot. What a thief has left in the published tree under the names of the next ones stays there, because caches may
    /// hold it for long: its numbers are skipped.
    fn snapshot(
        &self,
        before: Option<&Before>,
        changes: &Changes,
        skipped: &mut Vec<Version>,
    ) -> Result<Document, Error> {
        let (role, given_up) = (RoleName::Snapshot, self.store.given_up());
        let mut version = given_up.next_usable(&role, before.map(Before::version))?;
        while self.is_taken(&role, version, None)? {
            if skipped.len() >= MOST_SKIPPED {
                return Err(Error::VersionsTaken {
                    at: self
                        .published
                        .metadata(&layout::file_name(&role, Some(version))),
                    count: skipped.len() as u64,
                });
            }
            skipped.push(version);
            version = given_up.next_usable(&role, Some(version))?;
        }
        let mut next = match before {
            None => snapshot::first(changes),
            Some(before) => before.next(changes).map_err(|error| {
                let path = self.store.sealed_path(&role, before.version());
                Error::format(&path, error)
            })?,
        };
        next.set("version", version.number().into());
        Ok(next)
    }

    /// Whether the published tree holds under the name of a version what those who may sign the role have not signed as that, and what
    /// is not `ours`. What they have signed is a version that somebody else has published.
    fn is_taken(
        &self,
        role: &RoleName,
        version: Version,
        ours: Option<&[u8]>,
    ) -> Result<bool, Error> {
        let there = self
            .published
            .glance(&layout::file_name(role, Some(version)))?;
        Ok(there.is_some_and(|bytes| {
            ours != Some(bytes.as_slice()) && !is_version_of_any(role, version, &bytes, self.graph)
        }))
    }

    /// The next timestamp, which lists nothing but the snapshot (F-34, R-12).
    fn timestamp(&self, snapshot: Version, bytes: &[u8]) -> Result<Document, Error> {
        let Some(mut timestamp) = self.store.timestamp()? else {
            let first = Version::FIRST;
            return Ok(builder::Timestamp::new(first, UnixTime(0), snapshot, Some(bytes)).build());
        };
        let leaps =
            |version: Version| version.number().saturating_sub(snapshot.number()) > FURTHEST;
        let last = timestamp.version();
        // A thief has driven it up in this repository. Clients forget that with the keys, so it goes on from what was published, or
        // from a number that is certainly free.
        let next = if last.is_some_and(leaps) && self.forgotten_by_clients()? {
            let published = self.published.timestamp().map(Document::parse);
            let published = published.and_then(|document| document.ok()?.version());
            let published = published.filter(|version| !leaps(*version));
            published.map_or(snapshot, |last| last.next().max(snapshot))
        } else {
            GivenUp::default().next_usable(&RoleName::Timestamp, last)?
        };
        timestamp.set("version", next.number().into());
        let entry = Value::from_iter([("snapshot.json", listed(snapshot, Some(bytes)))]);
        timestamp.set("meta", entry);
        Ok(timestamp)
    }

    /// Gives a document its expiry and the signatures of the online keys: those of the next root, and those that only the root
    /// before it knows, so that clients of either accept it.
    fn sign_online(
        &self,
        role: &RoleName,
        mut document: Document,
        online: &[&dyn Signer],
        now: UnixTime,
    ) -> Result<Document, Error> {
        let version = document.version().unwrap_or(Version::FIRST);
        document.set_header(version, self.policy.period(role).after(now));
        document.clear_signatures();
        let authorities = self.graph.signatories(role);
        sign_document(role, &mut document, &authorities, self.policy, online)?;
        let counts = needs_of(role, &document, self.graph, self.policy)?;
        if counts.iter().all(Need::is_met) {
            return Ok(document);
        }
        let missing = vec![(role.clone(), version, counts)];
        Err(Error::SignaturesMissing(MissingSignatures(missing)))
    }
}

/// Every root, the oldest first.
pub(super) fn roots(store: &Store) -> Result<Vec<Staged>, Error> {
    let role = RoleName::Root;
    let mut roots = Vec::new();
    if let Some(draft) = store.draft(&role)
        && let Some(version) = draft.version()
    {
        roots.push(Staged {
            role: role.clone(),
            version: Some(version),
            bytes: Arc::new(draft.to_bytes()),
            news: Some(news(&role, draft)),
        });
    }
    let mut next = store.head(&role);
    while let Some(version) = next {
        let Some(bytes) = store.found(&role, version)? else {
            break;
        };
        roots.push(Staged {
            role: role.clone(),
            version: Some(version),
            bytes: Arc::new(bytes),
            news: None,
        });
        next = version.number().checked_sub(1).and_then(Version::new);
    }
    roots.reverse();
    Ok(roots)
}

/// The bytes of the first root.
pub(super) fn first_root(roots: &[Staged]) -> Result<&[u8], Error> {
    let first = roots.first().map(|root| root.bytes.as_slice());
    first.ok_or(Error::RoleUnknown(RoleName::Root))
}

fn news(role: &RoleName, document: &Document) -> Action {
    Action::Published {
        role: role.clone(),
        version: document.version().unwrap_or(Version::FIRST),
        expires: document.expires().unwrap_or(UnixTime(0)),
    }
}

pub(super) fn meta(snapshot: Option<&Document>) -> BTreeMap<String, Value> {
    snapshot
        .and_then(|snapshot| snapshot.member("meta")?.as_object())
        .cloned()
        .unwrap_or_default()
}

pub(super) fn versions(
    meta: &BTreeMap<String, Value>,
) -> impl Iterator<Item = (RoleName, Version)> + '_ {
    meta.iter().filter_map(|(name, entry)| {
        let role = RoleName::new(name.strip_suffix(".json")?).ok()?;
        let targets = matches!(role, RoleName::Targets | RoleName::Delegated(_));
        targets.then_some((role, version_of(entry)?))
    })
}

pub(super) fn version_of(entry: &Value) -> Option<Version> {
    entry.get("version")?.as_u64().and_then(Version::new)
}
