//! What is about to be published: the new versions of roles, a snapshot that lists them, a timestamp that lists that.

use std::collections::BTreeMap;
use std::path::Path;

use tuffet_core::json::Value;
use tuffet_core::metadata::{Parsed, RoleName, Root, UnixTime, Version};
use tuffet_core::trust::removes_online_key;
use tuffet_sign::Signer;

use super::Publish;
use super::published::Published;
use crate::Error;
use crate::builder::{self, listed};
use crate::document::Document;
use crate::error::MissingSignatures;
use crate::graph::Graph;
use crate::layout;
use crate::numbers::{FURTHEST, GivenUp};
use crate::plan::Action;
use crate::policy::Policy;
use crate::quorum::{Need, is_signed_by_any, needs};
use crate::sign::sign_document;
use crate::store::Store;
use crate::tree::Tree as _;
use crate::write::{WriteKind, read_optional};

/// How many numbers of snapshots are skipped at the most.
const MOST_SKIPPED: usize = 10_000;

/// A metadata file to publish.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) role: RoleName,
    /// `None` for timestamp, which is published without its version.
    pub(super) version: Option<Version>,
    pub(super) bytes: Vec<u8>,
    /// What is said about it, if it is new.
    news: Option<Action>,
}

impl Staged {
    pub(super) fn name(&self) -> String {
        layout::file_name(&self.role, self.version)
    }

    pub(super) fn write_kind(&self) -> WriteKind {
        match self.version {
            Some(_) => WriteKind::Once(self.bytes.clone()),
            None => WriteKind::Replace(self.bytes.clone()),
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
    /// The versions of targets roles that the snapshot before listed.
    pub(super) before: BTreeMap<RoleName, Version>,
    /// Numbers of snapshots that are not used.
    skipped: Vec<Version>,
}

impl Release {
    /// The file of a role that is to be published; the latest, if there are several.
    pub(super) fn staged(&self, role: &RoleName) -> Option<&Staged> {
        self.files.iter().rev().find(|staged| staged.role == *role)
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
}

impl Place<'_> {
    /// Puts together what is to be published.
    pub(super) fn compose(
        &self,
        publish: &Publish,
        online: &[&dyn Signer],
        now: UnixTime,
    ) -> Result<Release, Error> {
        let mut files = self.roots()?;
        let first_root = files.first().map(|root| root.bytes.clone());
        let first_root = first_root.ok_or(Error::RoleUnknown(RoleName::Root))?;

        let mut skipped = Vec::new();
        let head = self.store.head_document(&RoleName::Snapshot)?;
        let before = meta(head.as_ref());
        let listing = self.listing(&before, publish)?;
        for (role, version) in versions(&listing) {
            files.extend(self.targets_file(role, version)?);
        }

        let snapshot = match head {
            Some(head) if !self.snapshot_is_due(&head, &listing, now)? => head,
            head => {
                let new = self.snapshot(head, listing, &mut skipped)?;
                self.sign_online(&RoleName::Snapshot, new, online, now)?
            }
        };
        let version = snapshot.version().unwrap_or(Version::FIRST);
        let bytes = snapshot.to_bytes();
        let timestamp = self.timestamp(version, &bytes)?;
        let timestamp = self.sign_online(&RoleName::Timestamp, timestamp, online, now)?;
        files.push(self.staged(&RoleName::Snapshot, version, bytes));
        files.push(Staged {
            role: RoleName::Timestamp,
            version: None,
            bytes: timestamp.to_bytes(),
            news: Some(news(&RoleName::Timestamp, &timestamp)),
        });
        Ok(Release {
            files,
            first_root,
            before: versions(&before).collect(),
            skipped,
        })
    }

    /// Every root, the oldest first.
    pub(super) fn roots(&self) -> Result<Vec<Staged>, Error> {
        let role = RoleName::Root;
        let mut roots = Vec::new();
        if let Some((version, draft)) = self.draft(&role) {
            roots.push(self.staged(&role, version, draft));
        }
        let mut next = self.store.head(&role);
        while let Some(version) = next {
            let Some(bytes) = read_optional(&self.store.sealed_path(&role, version))? else {
                break;
            };
            roots.push(self.staged(&role, version, bytes));
            next = version.number().checked_sub(1).and_then(Version::new);
        }
        roots.reverse();
        Ok(roots)
    }

    fn draft(&self, role: &RoleName) -> Option<(Version, Vec<u8>)> {
        let draft = self.store.draft(role)?;
        Some((draft.version()?, draft.to_bytes()))
    }

    /// The file of a targets role, unless clients see it already.
    fn targets_file(&self, role: RoleName, version: Version) -> Result<Option<Staged>, Error> {
        if let Some((drafted, bytes)) = self.draft(&role)
            && drafted == version
        {
            return Ok(Some(self.staged(&role, version, bytes)));
        }
        let file = layout::file_name(&role, Some(version));
        if self.published.visible(&role) == Some(version) && self.published.has(&file) {
            return Ok(None);
        }
        let bytes = self.store.sealed(&role, version)?;
        Ok(Some(self.staged(&role, version, bytes)))
    }

    /// A versioned file; it is news if the repository has not sealed it yet.
    fn staged(&self, role: &RoleName, version: Version, bytes: Vec<u8>) -> Staged {
        let sealed = self.store.head(role).is_some_and(|head| head >= version);
        let news = (!sealed)
            .then(|| Document::parse(&bytes).ok())
            .flatten()
            .map(|document| news(role, &document));
        Staged {
            role: role.clone(),
            version: Some(version),
            bytes,
            news,
        }
    }

    /// What snapshot has to say: every role that is delegated to, and every one that it listed before.
    fn listing(
        &self,
        before: &BTreeMap<String, Value>,
        publish: &Publish,
    ) -> Result<BTreeMap<String, Value>, Error> {
        let mut listing = before.clone();
        for role in &publish.drop_roles {
            self.drop_role(&mut listing, RoleName::Delegated(role.clone()))?;
        }
        let delegated = self.graph.delegated().into_iter();
        let delegated = delegated.map(|(by, name)| (by, RoleName::Delegated(name)));
        for (by, role) in std::iter::once((RoleName::Root, RoleName::Targets)).chain(delegated) {
            let version = self.store.next_version(&role);
            let version = version.ok_or_else(|| Error::RoleEmpty {
                role: role.clone(),
                by,
            })?;
            let name = format!("{role}.json");
            let same = listing.get(&name).and_then(version_of) == Some(version);
            if !same {
                let bytes = self.store.next_bytes(&role)?.unwrap_or_default();
                listing.insert(name, listed(version, Some(&bytes)));
            }
        }
        Ok(listing)
    }

    fn drop_role(
        &self,
        listing: &mut BTreeMap<String, Value>,
        role: RoleName,
    ) -> Result<(), Error> {
        let delegated = match &role {
            RoleName::Delegated(name) => self.graph.is_delegated(name),
            _ => true,
        };
        if delegated {
            return Err(Error::RoleUnsuited {
                role,
                why: "is still delegated to",
            });
        }
        if !self.forgotten_by_clients()? {
            return Err(Error::RoleRemoved { role });
        }
        match listing.remove(&format!("{role}.json")) {
            Some(_) => Ok(()),
            None => Err(Error::RoleUnknown(role)),
        }
    }

    /// Whether a key of snapshot or timestamp leaves between the root that is published and the next one, which makes clients
    /// forget what they have seen.
    fn forgotten_by_clients(&self) -> Result<bool, Error> {
        let mut version = self.store.next_version(&RoleName::Root);
        while let Some(number) = version {
            let file = layout::file_name(&RoleName::Root, version);
            let ours = match self.draft(&RoleName::Root) {
                Some((drafted, bytes)) if drafted == number => Some(bytes),
                _ => read_optional(&self.store.sealed_path(&RoleName::Root, number))?,
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
                return Ok(
                    next.is_some_and(|next| removes_online_key(published.unverified(), next))
                );
            }
            version = number.number().checked_sub(1).and_then(Version::new);
        }
        // Where nothing is published, nobody has seen anything.
        Ok(self.published.timestamp().is_none())
    }

    /// Whether a new snapshot is needed: it would say something else, its signatures no longer count, or half its time is over.
    fn snapshot_is_due(
        &self,
        head: &Document,
        listing: &BTreeMap<String, Value>,
        now: UnixTime,
    ) -> Result<bool, Error> {
        if meta(Some(head)) != *listing {
            return Ok(true);
        }
        let counts = needs(
            &RoleName::Snapshot,
            &head.to_bytes(),
            self.graph,
            self.policy,
        )?;
        if !counts.iter().all(Need::is_met) {
            return Ok(true);
        }
        // Nobody can be given this one where something else lies under its name.
        if let Some(version) = head.version()
            && self.is_taken(&RoleName::Snapshot, version, Some(&head.to_bytes()))?
        {
            return Ok(true);
        }
        let half = i64::from(self.policy.period(&RoleName::Snapshot).seconds()) / 2;
        let left = head.expires().map_or(0, |at| at.0.saturating_sub(now.0));
        Ok(left <= half)
    }

    /// The next snapshot. What a thief has left in the published tree under the names of the next ones stays there, because caches may
    /// hold it for long: its numbers are skipped.
    fn snapshot(
        &self,
        head: Option<Document>,
        listing: BTreeMap<String, Value>,
        skipped: &mut Vec<Version>,
    ) -> Result<Document, Error> {
        let (role, given_up) = (RoleName::Snapshot, self.store.given_up());
        let last = head.as_ref().and_then(Document::version);
        let mut next = given_up.next_usable(&role, last)?;
        while skipped.len() < MOST_SKIPPED && self.is_taken(&role, next, None)? {
            skipped.push(next);
            next = given_up.next_usable(&role, Some(next))?;
        }
        let mut snapshot =
            head.unwrap_or_else(|| builder::Snapshot::new(next, UnixTime(0)).build());
        snapshot.set("version", next.number().into());
        snapshot.set("meta", Value::Object(listing));
        Ok(snapshot)
    }

    /// Whether the published tree holds under the name of a version what those who may sign the role have not signed, and what is
    /// not `ours`. What they have signed is a version that somebody else has published.
    fn is_taken(
        &self,
        role: &RoleName,
        version: Version,
        ours: Option<&[u8]>,
    ) -> Result<bool, Error> {
        let there = self
            .published
            .file(&layout::file_name(role, Some(version)))?;
        Ok(there.is_some_and(|bytes| {
            ours != Some(&bytes) && !is_signed_by_any(role, &bytes, self.graph)
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
        let counts = needs(role, &document.to_bytes(), self.graph, self.policy)?;
        if counts.iter().all(Need::is_met) {
            return Ok(document);
        }
        let missing = vec![(role.clone(), version, counts)];
        Err(Error::SignaturesMissing(MissingSignatures(missing)))
    }
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
