//! Listing targets: what a role vouches for.

mod find;
mod source;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use tuffet_core::crypto::{Digest, HashAlgorithm};
use tuffet_core::json::Value;
use tuffet_core::metadata::{NameError, RoleName, TargetPath, UnixTime};

use crate::Error;
use crate::document::Document;
use crate::edit::Edit;
use crate::graph::Graph;
use crate::plan::{Action, Plan};
use crate::repository::Repository;
use crate::store::Store;
use crate::write::{Address, Write, WriteKind, read_pieces};

pub use find::Listing;
use source::{Public, is_private_key};

/// A target to add.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AddTarget {
    /// The path that clients ask for.
    pub path: TargetPath,
    /// The file with the content. It is copied, so it may go away afterwards.
    pub source: PathBuf,
    /// The role that lists it; `None` for targets, or for the bin that covers the path if targets delegates to bins.
    pub role: Option<RoleName>,
    /// What applications are told about it: a JSON object.
    pub custom: Option<Value>,
    /// Whether the SHA-512 is listed beside the SHA-256.
    pub sha512: bool,
    /// Whether an entry with another content is replaced.
    pub replace: bool,
}

impl AddTarget {
    /// A target with the content of a file.
    #[must_use]
    pub fn new(path: TargetPath, source: impl Into<PathBuf>) -> Self {
        Self {
            path,
            source: source.into(),
            role: None,
            custom: None,
            sha512: false,
            replace: false,
        }
    }

    /// This role lists it.
    #[must_use]
    pub fn role(self, role: RoleName) -> Self {
        Self {
            role: Some(role),
            ..self
        }
    }

    /// Applications are told this about it.
    #[must_use]
    pub fn custom(self, custom: Value) -> Self {
        Self {
            custom: Some(custom),
            ..self
        }
    }

    /// The SHA-512 is listed beside the SHA-256.
    #[must_use]
    pub fn sha512(self) -> Self {
        Self {
            sha512: true,
            ..self
        }
    }

    /// An entry with another content is replaced.
    #[must_use]
    pub fn replace(self) -> Self {
        Self {
            replace: true,
            ..self
        }
    }
}

/// A target that a role lists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetEntry {
    /// The path.
    pub path: TargetPath,
    /// The role.
    pub role: RoleName,
    /// The length in bytes.
    pub length: u64,
    /// The digests.
    pub hashes: Vec<Digest>,
    /// What applications are told about it.
    pub custom: Option<Value>,
}

impl Repository {
    /// Lists a target. Executing the plan also copies the content, to be published later.
    ///
    /// # Errors
    /// As [`Repository::add_targets`].
    pub fn add_target(&self, add: &AddTarget, now: UnixTime) -> Result<Plan, Error> {
        self.add_targets(std::slice::from_ref(add), now)
    }

    /// Lists targets in one edit. Executing the plan also copies their content, to be published later.
    ///
    /// A target that its role lists with this content already is not touched, and its signatures stay: only its content is
    /// copied. So somebody who has received a change can bring the files that did not travel with it.
    ///
    /// # Errors
    /// [`Error::TargetPrivate`] for a private key in PEM, and for a file of the repository itself, of the place where it is published,
    /// of a git directory, or of a directory that [`Repository::keeping_private`] names;
    /// [`Error::TargetName`] for a path that cannot safely become a file, [`Error::TargetOutside`] for one that is not delegated
    /// to the role, [`Error::TargetExists`] if the role lists another content under it, [`Error::TargetCustom`],
    /// [`Error::RoleUnknown`], [`Error::RoleUnsuited`], [`Error::RoleExternal`].
    pub fn add_targets(&self, all: &[AddTarget], now: UnixTime) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        let graph = edit.graph()?;
        let mut heads = Heads::default();
        // All of them before the first one is read.
        let public = Public::of(self);
        all.iter().try_for_each(|add| public.require(&add.source))?;
        for add in all {
            add_one(&mut edit, &graph, &mut heads, add, now)?;
        }
        edit.actions.extend(names_of_urls(all));
        edit.finish()
    }

    /// Takes a target out of a role. Its bytes stay where they were published.
    ///
    /// # Errors
    /// [`Error::TargetNotListed`], [`Error::RoleUnknown`], [`Error::RoleUnsuited`], [`Error::RoleExternal`].
    pub fn remove_target(
        &self,
        path: &TargetPath,
        role: Option<&RoleName>,
        now: UnixTime,
    ) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        let role = target_role(&edit.graph()?, role, path)?;
        if edit
            .open(&role, now)?
            .object("targets")
            .remove(path.as_str())
            .is_none()
        {
            return Err(Error::TargetNotListed {
                path: path.clone(),
                role,
            });
        }
        edit.actions.push(Action::TargetRemoved {
            path: path.clone(),
            role,
        });
        edit.finish()
    }

    /// The targets that a role lists, or all roles do, with the open change applied.
    ///
    /// # Errors
    /// [`Error::RoleUnknown`], [`Error::Io`], [`Error::Format`].
    pub fn targets(&self, role: Option<&RoleName>) -> Result<Vec<TargetEntry>, Error> {
        let store = Store::load(self.layout())?;
        let roles: Vec<RoleName> = match role {
            Some(role) => vec![role.clone()],
            None => find::every(&Graph::load(&store)?),
        };
        let mut entries = Vec::new();
        for of in roles {
            let Some(document) = store.next_document(&of)? else {
                match role {
                    Some(_) => return Err(Error::RoleUnknown(of)),
                    None => continue,
                }
            };
            let listed = document.member("targets").and_then(Value::as_object);
            entries.extend(
                listed
                    .into_iter()
                    .flatten()
                    .filter_map(|(path, entry)| read_entry(path, entry, &of)),
            );
        }
        Ok(entries)
    }
}

/// The sealed versions that have been read: of a role that is not edited, every target is looked for in the same one.
#[derive(Default)]
struct Heads(BTreeMap<RoleName, Option<Document>>);

impl Heads {
    /// What a role says about a target, with the open change applied.
    fn listed(
        &mut self,
        store: &Store,
        role: &RoleName,
        path: &TargetPath,
    ) -> Result<Option<Value>, Error> {
        if let Some(draft) = store.draft(role) {
            return Ok(entry_in(draft, path));
        }
        let head = match self.0.entry(role.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unread) => unread.insert(store.head_document(role)?),
        };
        Ok(head.as_ref().and_then(|head| entry_in(head, path)))
    }
}

/// Points out names that every other client takes for something else (docs/interop.md).
fn names_of_urls(all: &[AddTarget]) -> Option<Action> {
    let means = |add: &&AddTarget| add.path.as_str().contains(['%', '#']);
    let mut all = all.iter().filter(means);
    let first = all.next()?;
    Some(Action::NamesOfUrls {
        path: first.path.clone(),
        count: (all.count() as u64).saturating_add(1),
    })
}

fn add_one(
    edit: &mut Edit,
    graph: &Graph,
    heads: &mut Heads,
    add: &AddTarget,
    now: UnixTime,
) -> Result<(), Error> {
    let (path, custom) = (&add.path, add.custom.as_ref());
    if custom.is_some_and(|custom| custom.as_object().is_none()) {
        return Err(Error::TargetCustom(path.clone()));
    }
    let role = role_for(graph, add.role.as_ref(), path)?;
    let old = heads.listed(&edit.store, &role, path)?;
    // What is listed is compared with all of its hashes, whoever chose them.
    let known = old.as_ref().filter(|_| !add.replace);
    let sha512 = known.and_then(|old| old.get("hashes")?.get(HashAlgorithm::Sha512.name()));
    let (length, hashes) = digests(&add.source, add.sha512 || sha512.is_some())?;
    check_path(path, &hashes)?;
    let entry = entry(length, &hashes, add.custom.clone());
    let object = hashes.first().map(|sha256| {
        let copy = WriteKind::Copy {
            from: Address::File(add.source.clone()),
            length,
            sha256: *sha256,
        };
        Write::file(edit.store.layout().object(sha256), copy)
    });
    edit.writes.extend(object);
    let same = |old: &Value| {
        let content = ["hashes", "length"];
        let content = content.iter().all(|name| old.get(name) == entry.get(name));
        content && (custom.is_none() || old.get("custom") == custom)
    };
    if old.as_ref().is_some_and(same) && !add.replace {
        edit.actions.push(Action::Staged {
            path: path.clone(),
            role,
            length,
        });
        return Ok(());
    }
    edit.require_signed_here(&role)?;
    if old.is_some_and(|old| old != entry) && !add.replace {
        return Err(Error::TargetExists {
            path: path.clone(),
            role,
        });
    }
    let targets = edit.open(&role, now)?.object("targets");
    targets.insert(path.as_str().to_owned(), entry);
    edit.actions.push(Action::TargetAdded {
        path: path.clone(),
        role,
        length,
        hashes,
    });
    Ok(())
}

/// What a role says about a target, with the open change applied.
pub(crate) fn listed(
    store: &Store,
    role: &RoleName,
    path: &TargetPath,
) -> Result<Option<Value>, Error> {
    Heads::default().listed(store, role, path)
}

fn entry_in(document: &Document, path: &TargetPath) -> Option<Value> {
    document.member("targets")?.get(path.as_str()).cloned()
}

/// Refuses a path that cannot become a file, also with one of these hashes before its last component.
pub(crate) fn check_path(path: &TargetPath, hashes: &[Digest]) -> Result<(), Error> {
    let digits = hashes.iter().map(|digest| digest.algorithm().length());
    let longest = digits.max().unwrap_or(0).saturating_mul(2);
    let room = 254_usize.saturating_sub(longest);
    let check = |parts: Vec<&str>| match parts.last() {
        Some(last) if last.len() > room => Err(NameError::UnsafePath(
            "a last component that leaves no room for the hash before it",
        )),
        _ => Ok(()),
    };
    let checked = path.file_components().and_then(check);
    checked.map_err(|source| Error::TargetName {
        path: path.clone(),
        source,
    })
}

/// Refuses a role that lists a path that cannot become a file. What comes from elsewhere has not gone through [`check_path`].
pub(crate) fn check_listed(document: &Document, role: &RoleName) -> Result<(), Error> {
    let listed = document.member("targets").and_then(Value::as_object);
    for (path, entry) in listed.into_iter().flatten() {
        if let Some(target) = read_entry(path, entry, role) {
            check_path(&target.path, &target.hashes)?;
        }
    }
    Ok(())
}

/// The entry of a target (TUF §4.5).
pub(crate) fn entry(length: u64, digests: &[Digest], custom: Option<Value>) -> Value {
    let members = [("hashes", hashes(digests)), ("length", Value::from(length))];
    let custom = custom.map(|custom| ("custom", custom));
    members.into_iter().chain(custom).collect()
}

/// Writes what [`entry`] says of a target without custom data, as canonical JSON. With one digest, as nearly every target has, nothing
/// is made for it: there may be millions.
pub(crate) fn write_entry(text: &mut Vec<u8>, length: u64, digests: &[Digest]) {
    let [digest] = digests else {
        text.append(&mut entry(length, digests, None).to_compact_json());
        return;
    };
    for piece in [
        r#"{"hashes":{""#,
        digest.algorithm().name(),
        r#"":""#,
        &digest.to_hex(),
        r#""},"length":"#,
        &length.to_string(),
        "}",
    ] {
        text.extend_from_slice(piece.as_bytes());
    }
}

/// `{ALGORITHM: HEX}`.
pub(crate) fn hashes(digests: &[Digest]) -> Value {
    digests
        .iter()
        .map(|digest| (digest.algorithm().name(), Value::from(digest.to_hex())))
        .collect()
}

pub(crate) fn read_entry(path: &str, entry: &Value, role: &RoleName) -> Option<TargetEntry> {
    let digest = |(name, value): (&String, &Value)| {
        Digest::from_hex(HashAlgorithm::from_name(name)?, value.as_str()?)
    };
    Some(TargetEntry {
        path: TargetPath::new(path).ok()?,
        role: role.clone(),
        length: entry.get("length")?.as_u64()?,
        hashes: entry
            .get("hashes")?
            .as_object()?
            .iter()
            .filter_map(digest)
            .collect(),
        custom: entry.get("custom").cloned(),
    })
}

/// The role for a target, which has to be one that clients ask for it.
fn role_for(graph: &Graph, role: Option<&RoleName>, path: &TargetPath) -> Result<RoleName, Error> {
    let role = target_role(graph, role, path)?;
    if graph.covers(&role, path) {
        return Ok(role);
    }
    Err(Error::TargetOutside {
        path: path.clone(),
        covers: graph.covered(&role),
        role,
    })
}

fn target_role(
    graph: &Graph,
    role: Option<&RoleName>,
    path: &TargetPath,
) -> Result<RoleName, Error> {
    let role = match role {
        Some(role) => role.clone(),
        None => graph.bin(path).unwrap_or(RoleName::Targets),
    };
    match &role {
        RoleName::Targets => Ok(role),
        RoleName::Delegated(name) if graph.is_delegated(name) => Ok(role),
        RoleName::Delegated(_) => Err(Error::RoleUnknown(role)),
        _ => Err(Error::RoleUnsuited {
            role,
            why: "lists no targets",
        }),
    }
}

/// The length of a file, its SHA-256, and its SHA-512 if that is wanted.
fn digests(file: &Path, sha512: bool) -> Result<(u64, Vec<Digest>), Error> {
    let crypto = tuffet_crypto::aws_lc();
    let mut sha256 = crypto.hasher(HashAlgorithm::Sha256);
    let mut sha512 = sha512.then(|| crypto.hasher(HashAlgorithm::Sha512));
    let (mut begun, mut is_key) = (false, false);
    let length = read_pieces(file, |piece| {
        is_key |= !std::mem::replace(&mut begun, true) && is_private_key(piece);
        sha256.update(piece);
        if let Some(sha512) = &mut sha512 {
            sha512.update(piece);
        }
        Ok(())
    })?;
    if is_key {
        return Err(Error::TargetPrivate {
            file: file.to_owned(),
            why: "it is a private key",
        });
    }
    let sha512 = sha512.map(|hasher| hasher.finish());
    Ok((
        length,
        std::iter::once(sha256.finish()).chain(sha512).collect(),
    ))
}
