//! Taking over a repository that another tool has made: its published metadata becomes the history of one of ours.
//!
//! Nothing is signed again and no byte is changed, so that clients notice nothing: the next version of each role is the one after
//! the last that was published.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tuffet_core::crypto::{Key, KeyKind};
use tuffet_core::json::Value;
use tuffet_core::metadata::{
    DelegatedName, KeyTable, RoleDelegations, RoleKeys, RoleName, UnixTime, Version,
};
use tuffet_core::trust::{self, Audit, Context, TrustedView};

use crate::Error;
use crate::document::Document;
use crate::edit::Edit;
use crate::graph::Graph;
use crate::layout::{self, IGNORED, Layout};
use crate::plan::{Action, Plan};
use crate::policy::{KeyPolicy, Period, Policy, RolePolicy};
use crate::publish::Destination;
use crate::repository::{Repository, info};
use crate::store::Store;
use crate::tree::{Client, Directory, Fault, Tree};
use crate::write::{Write, WriteKind, read_bounded};

/// A repository to take over.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Import {
    /// What it is called.
    pub name: String,
    /// The directory with its metadata files, with or without versions in their names.
    pub metadata: PathBuf,
    /// A root that its owner trusts; without one, the oldest that is there.
    pub root: Option<Vec<u8>>,
    /// Where it is published from now on; see [`Policy::publish_to`].
    pub publish_to: Option<Destination>,
}

impl Import {
    /// The metadata in a directory.
    #[must_use]
    pub fn new(name: &str, metadata: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            metadata: metadata.into(),
            root: None,
            publish_to: None,
        }
    }
}

impl Repository {
    /// Makes a repository out of the published metadata of another tool: go-tuf, python-tuf, tuftool, or this one. Every role that
    /// can be reached is verified first, as of a moment when nothing had expired.
    ///
    /// # Errors
    /// [`Error::Exists`]; [`Error::NotFound`] without a root; [`Error::Refused`] with the reason why a client would not accept what
    /// is there; [`Error::Format`], [`Error::Io`].
    pub fn import(directory: &Path, import: &Import, now: UnixTime) -> Result<Plan, Error> {
        let layout = Layout::new(directory);
        if layout.policy().exists() || layout.metadata().exists() {
            return Err(Error::Exists(directory.to_owned()));
        }
        let tree = Directory(import.metadata.clone());
        let mut files = files(&import.metadata)?;
        let anchor = match &import.root {
            Some(root) => root.clone(),
            None => first_root(&import.metadata, &files)?,
        };
        let view = verified(&tree, &anchor, now)?;
        let left_out = keep_verified(&mut files, &view);
        let mut writes = vec![Write::file(
            layout.ignore_file(),
            WriteKind::Replace(IGNORED.to_vec()),
        )];
        let mut actions = vec![Action::Created {
            name: import.name.clone(),
        }];
        for ((role, version), bytes) in &files {
            if matches!(role, RoleName::Targets | RoleName::Delegated(_))
                && let Ok(document) = Document::parse(bytes)
            {
                crate::targets::check_listed(&document, role)?;
            }
            actions.push(Action::Imported {
                role: role.clone(),
                version: *version,
            });
            writes.push(Write::file(
                layout
                    .metadata()
                    .join(layout::file_name(role, Some(*version))),
                WriteKind::Once(bytes.clone().into()),
            ));
        }
        actions.extend(left_out);
        // It follows from the root that was trusted, wherever that came from.
        let root = (RoleName::Root, view.root().version());
        if let Some(bytes) = files.get(&root) {
            writes.extend(crate::anchor::begin(&layout, root.1, bytes));
        }
        let timestamp = layout::file_name(&RoleName::Timestamp, None);
        writes.push(Write::file(
            layout.metadata().join(&timestamp),
            WriteKind::Replace(tree.file(&timestamp)?.unwrap_or_default()),
        ));
        let policy = policy(import, &view);
        let policy = Write::file(
            layout.policy(),
            WriteKind::Once(policy.to_toml().into_bytes().into()),
        );
        Ok(Plan {
            actions,
            steps: vec![writes, vec![policy]],
            lock: None,
        })
    }

    /// Opens a root with consistent snapshots, if the one in force has none: this crate publishes nothing else.
    ///
    /// # Errors
    /// As every edit.
    pub fn make_consistent(&self, now: UnixTime) -> Result<Option<Plan>, Error> {
        let store = Store::load(self.layout())?;
        let graph = Graph::load(&store)?;
        if graph.root().is_none_or(|root| root.consistent_snapshot()) {
            return Ok(None);
        }
        let mut edit = Edit::begin(self)?;
        edit.open(&RoleName::Root, now)?
            .set("consistent_snapshot", true.into());
        edit.finish().map(Some)
    }
}

type Files = BTreeMap<(RoleName, Version), Vec<u8>>;

/// The metadata files of a directory, by role and version, whatever they are called. Where a version is there under both names the
/// one with the version in its name counts.
fn files(directory: &Path) -> Result<Files, Error> {
    let failed = |error| Error::io("cannot read", directory, error);
    let (mut versioned, mut plain) = (Files::new(), Files::new());
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if let Some(key) = layout::parse_file_name(name) {
            versioned.insert(key, read(&path)?);
            continue;
        }
        let role = name.strip_suffix(".json").map(RoleName::new);
        let Some(Ok(role)) = role.filter(|_| name != "timestamp.json") else {
            continue;
        };
        let bytes = read(&path)?;
        // Other files may lie there, such as a map.
        let version = Document::parse(&bytes)
            .ok()
            .and_then(|document| document.version());
        if let Some(version) = version {
            plain.insert((role, version), bytes);
        }
    }
    for (key, bytes) in plain {
        versioned.entry(key).or_insert(bytes);
    }
    versioned.retain(|(role, _), _| *role != RoleName::Timestamp);
    Ok(versioned)
}

/// Keeps the chain of roots, and of the other roles the versions that a client verifies: what else lies there is nobody's word, or
/// was once.
fn keep_verified(files: &mut Files, view: &TrustedView) -> Vec<Action> {
    let snapshot = view.snapshot();
    let is_current = |role: &RoleName, version: Version| match role {
        RoleName::Root => version <= view.root().version(),
        RoleName::Snapshot => version == snapshot.version(),
        RoleName::Timestamp => false,
        role => snapshot
            .listed(role)
            .is_some_and(|listed| listed.version == version),
    };
    let (current, others) = std::mem::take(files)
        .into_iter()
        .partition(|((role, version), _)| is_current(role, *version));
    *files = current;
    let others: Files = others;
    let left_out = others.into_keys();
    left_out
        .map(|(role, version)| Action::LeftOut { role, version })
        .collect()
}

/// The ceiling on any metadata file.
const LARGEST: u64 = 268_435_456;

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    Ok(read_bounded(path, LARGEST)?.unwrap_or_default())
}

fn first_root(directory: &Path, files: &Files) -> Result<Vec<u8>, Error> {
    let root = files.iter().find(|((role, _), _)| *role == RoleName::Root);
    let root = root.map(|(_, bytes)| bytes.clone());
    root.ok_or_else(|| Error::NotFound(directory.to_owned()))
}

/// Verifies everything that can be reached, as of now or of a moment at which nothing had expired: a repository that has expired
/// can be taken over and renewed.
fn verified(tree: &Directory, anchor: &[u8], now: UnixTime) -> Result<TrustedView, Error> {
    let doing = "verifying what is there";
    let mut moment = now;
    // Each round is before the expiry of one more role.
    let mut rounds = 8_u32;
    let view = loop {
        match Client::default().refresh(tree, anchor, moment) {
            Ok(view) => break view,
            Err(Fault::Refused(error)) if rounds > 0 => match expiry(&error) {
                Some(expires) => moment = UnixTime(expires.0.saturating_sub(1)),
                None => return Err(Fault::Refused(error).while_doing(doing)),
            },
            Err(fault) => return Err(fault.while_doing(doing)),
        }
        rounds = rounds.saturating_sub(1);
    };
    let policy = trust::Policy::default();
    let context = Context {
        crypto: tuffet_crypto::aws_lc(),
        policy: &policy,
        now: moment,
    };
    let (mut audit, _) = Audit::new(view.clone(), context);
    while let Some(fetch) = audit.fetch() {
        let bytes = tree.file(&fetch.file.url_path())?;
        match audit.answer(bytes) {
            Ok(_) => {}
            // It can be renewed like the others.
            Err(rejected) if matches!(*rejected, trust::Rejected::Expired { .. }) => {}
            Err(rejected) => {
                return Err(Fault::Refused((*rejected).into()).while_doing(doing));
            }
        }
    }
    Ok(view)
}

fn expiry(error: &trust::Error) -> Option<UnixTime> {
    match error {
        trust::Error::Rejected(rejected) => match **rejected {
            trust::Rejected::Expired { expires, .. } => Some(expires),
            _ => None,
        },
        _ => None,
    }
}

/// A policy that asks for what is in force. How long versions are valid nobody has written down, so the usual periods are taken.
fn policy(import: &Import, view: &TrustedView) -> Policy {
    let mut policy = Policy::new(&import.name);
    policy.publish_to.clone_from(&import.publish_to);
    let root = view.root().content();
    let mut online = BTreeSet::new();
    for (role, days) in [
        (RoleName::Root, 365),
        (RoleName::Targets, 90),
        (RoleName::Snapshot, 7),
        (RoleName::Timestamp, 1),
    ] {
        let Some(keys) = root.role(&role) else {
            continue;
        };
        take(&mut policy, role.as_str(), keys, root.keys(), days);
        let automatic = matches!(role, RoleName::Snapshot | RoleName::Timestamp);
        for keyid in keys.keyids.iter().map(|keyid| keyid.as_str().to_owned()) {
            if automatic {
                online.insert(keyid);
            }
        }
    }
    for role in [RoleName::Root, RoleName::Targets] {
        let keys = root.role(&role).map(|keys| keys.keyids.as_slice());
        let shared = keys.into_iter().flatten();
        // Somebody has decided so before; that is not for a change of tools to forbid.
        policy.allow_online |= shared
            .into_iter()
            .any(|keyid| online.contains(keyid.as_str()));
    }
    for key in policy.keys.values_mut() {
        key.online = online.contains(&key.keyid);
    }
    if let Some(delegations) = view.targets().content().delegations() {
        match delegations.roles() {
            RoleDelegations::Named(roles) => {
                for role in roles {
                    take(
                        &mut policy,
                        role.name.as_str(),
                        &role.keys,
                        delegations.keys(),
                        30,
                    );
                }
            }
            RoleDelegations::Succinct(bins) => {
                take(
                    &mut policy,
                    bins.name_prefix(),
                    bins.keys(),
                    delegations.keys(),
                    30,
                );
            }
        }
    }
    policy
}

/// Takes a role and its keys into the policy.
fn take(policy: &mut Policy, role: &str, keys: &RoleKeys, table: &KeyTable, days: u32) {
    let asked = RolePolicy::new(keys.threshold, Period::days(days));
    policy.roles.insert(role.to_owned(), asked);
    for keyid in &keys.keyids {
        let known = policy.keys.values().any(|key| key.keyid == keyid.as_str());
        let key = table.key(keyid.as_str()).filter(|_| !known);
        let Some((key, info)) = key.and_then(|key| Some((key, info(key)?))) else {
            continue;
        };
        let entry = KeyPolicy::of(keyid, &info);
        let name = owner(key).filter(|name| !policy.keys.contains_key(name));
        let short: String = keyid.as_str().chars().take(8).collect();
        let role: String = role.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = name.unwrap_or_else(|| format!("{role}-{short}"));
        policy.keys.insert(name, entry);
    }
}

/// Whom the key belongs to, where tuf-on-ci has written it down.
fn owner(key: &Key) -> Option<String> {
    if !matches!(key.kind(), KeyKind::Usable { .. }) {
        return None;
    }
    let value = Value::parse(key.raw()).ok()?;
    let owner = value.get("x-tuf-on-ci-keyowner")?.as_str()?;
    let name = owner.trim_start_matches('@');
    DelegatedName::new(name).ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (name.len() <= 64 && name.chars().all(plain)).then(|| name.to_owned())
}
