//! Listing targets: what a role vouches for.

use std::path::PathBuf;

use tuffet_core::crypto::{Digest, HashAlgorithm};
use tuffet_core::json::Value;
use tuffet_core::metadata::{NameError, RoleDelegations, RoleName, TargetPath, UnixTime};

use crate::Error;
use crate::edit::Edit;
use crate::graph::Graph;
use crate::plan::{Action, Plan};
use crate::repository::Repository;
use crate::store::Store;
use crate::write::{Address, Write, WriteKind, read_pieces};

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
    /// [`Error::TargetName`] for a path that cannot safely become a file, [`Error::TargetOutside`] for one that is not delegated
    /// to the role, [`Error::TargetExists`] if the role lists another content under it, [`Error::TargetCustom`],
    /// [`Error::RoleUnknown`], [`Error::RoleUnsuited`].
    pub fn add_target(&self, add: &AddTarget, now: UnixTime) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        let graph = edit.graph()?;
        check_path(add)?;
        if add
            .custom
            .as_ref()
            .is_some_and(|custom| custom.as_object().is_none())
        {
            return Err(Error::TargetCustom(add.path.clone()));
        }
        let role = role_for(&graph, add.role.as_ref(), &add.path)?;
        let (length, hashes) = digests(add)?;
        let entry = entry(length, &hashes, add.custom.clone());
        let targets = edit.open(&role, now)?.object("targets");
        match targets.get(add.path.as_str()) {
            Some(old) if *old != entry && !add.replace => {
                return Err(Error::TargetExists {
                    path: add.path.clone(),
                    role,
                });
            }
            _ => {}
        }
        targets.insert(add.path.as_str().to_owned(), entry);
        if let Some(sha256) = hashes.first() {
            let copy = WriteKind::Copy {
                from: Address::File(add.source.clone()),
                length,
                sha256: *sha256,
            };
            edit.writes
                .push(Write::file(self.layout().object(sha256), copy));
        }
        edit.actions.push(Action::TargetAdded {
            path: add.path.clone(),
            role,
            length,
            hashes,
        });
        edit.finish()
    }

    /// Takes a target out of a role. Its bytes stay where they were published.
    ///
    /// # Errors
    /// [`Error::TargetNotListed`], [`Error::RoleUnknown`], [`Error::RoleUnsuited`].
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
            None => {
                let graph = Graph::load(&store)?;
                let delegated = graph.delegated().into_iter();
                let delegated = delegated.map(|(_, name)| RoleName::Delegated(name));
                let mut all: Vec<RoleName> = std::iter::once(RoleName::Targets)
                    .chain(delegated)
                    .collect();
                all.sort_unstable();
                all.dedup();
                all
            }
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

/// Refuses a path that cannot become a file, also with a hash before its last component.
fn check_path(add: &AddTarget) -> Result<(), Error> {
    let longest = if add.sha512 {
        HashAlgorithm::Sha512
    } else {
        HashAlgorithm::Sha256
    };
    let room = 254_usize.saturating_sub(longest.length().saturating_mul(2));
    let check = |parts: Vec<&str>| match parts.last() {
        Some(last) if last.len() > room => Err(NameError::UnsafePath(
            "a last component that leaves no room for the hash before it",
        )),
        _ => Ok(()),
    };
    let checked = add.path.file_components().and_then(check);
    checked.map_err(|source| Error::TargetName {
        path: add.path.clone(),
        source,
    })
}

/// The entry of a target (TUF §4.5).
pub(crate) fn entry(length: u64, digests: &[Digest], custom: Option<Value>) -> Value {
    let members = [("hashes", hashes(digests)), ("length", Value::from(length))];
    let custom = custom.map(|custom| ("custom", custom));
    members.into_iter().chain(custom).collect()
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
        covers: covers(graph, &role),
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

/// What is delegated to a role, in words.
fn covers(graph: &Graph, role: &RoleName) -> Vec<String> {
    let mut all = Vec::new();
    for (_, delegations) in graph.delegations() {
        match delegations.roles() {
            RoleDelegations::Named(roles) => {
                for of in roles.iter().filter(|of| of.name.as_str() == role.as_str()) {
                    all.extend(crate::graph::patterns(&of.paths));
                }
            }
            RoleDelegations::Succinct(bins) if bins.contains(role.as_str()) => {
                all.push(format!("hash bin {role}"));
            }
            RoleDelegations::Succinct(_) => {}
        }
    }
    all
}

/// The length of a file, its SHA-256, and its SHA-512 if that is wanted.
fn digests(add: &AddTarget) -> Result<(u64, Vec<Digest>), Error> {
    let crypto = tuffet_crypto::aws_lc();
    let mut sha256 = crypto.hasher(HashAlgorithm::Sha256);
    let mut sha512 = add.sha512.then(|| crypto.hasher(HashAlgorithm::Sha512));
    let length = read_pieces(&add.source, |piece| {
        sha256.update(piece);
        if let Some(sha512) = &mut sha512 {
            sha512.update(piece);
        }
        Ok(())
    })?;
    let sha512 = sha512.map(|hasher| hasher.finish());
    Ok((
        length,
        std::iter::once(sha256.finish()).chain(sha512).collect(),
    ))
}
