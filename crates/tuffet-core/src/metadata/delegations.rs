//! The roles a targets role delegates to (TUF §4.5, TAP 15).

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::keys::{RoleKeysFields, note_undefined};
use super::{DelegatedName, KeyTable, NameError, Notes, RoleKeys, TargetPath};
use crate::crypto::Digest;
use crate::delegation::{HashPrefix, Pattern, SuccinctRoles};
use crate::json::{FormatError, Reader, Reason};

/// The keys and roles of one delegating role.
#[derive(Debug, Clone)]
pub struct Delegations {
    keys: KeyTable,
    roles: RoleDelegations,
}

/// Either roles by name in order of priority, or hash bins.
#[derive(Debug, Clone)]
pub enum RoleDelegations {
    /// Roles in order of priority (rule F-49).
    Named(Vec<DelegatedRole>),
    /// Hash bins that share one set of keys (TAP 15).
    Succinct(SuccinctRoles),
}

/// A role delegated by name.
#[derive(Debug, Clone)]
pub struct DelegatedRole {
    /// The name, unique among its siblings.
    pub name: DelegatedName,
    /// Who may sign.
    pub keys: RoleKeys,
    /// Whether nothing after this role is searched for a path it matches (rule F-50).
    pub terminating: bool,
    /// Which paths are delegated.
    pub paths: PathSet,
}

/// Which target paths a delegation covers.
#[derive(Debug, Clone)]
pub enum PathSet {
    /// Paths that match a pattern (rule F-48).
    Patterns(Vec<Pattern>),
    /// Paths whose SHA-256 begins with one of these digits (rule F-46).
    HashPrefixes(Vec<HashPrefix>),
    /// Neither member was given: no path is covered.
    Nothing,
}

impl PathSet {
    /// The pattern or prefix that covers a path. `hash` is the SHA-256 of the path.
    #[must_use]
    pub fn matching(&self, path: &TargetPath, hash: &Digest) -> Option<&str> {
        match self {
            Self::Patterns(patterns) => patterns
                .iter()
                .find(|pattern| pattern.matches(path.as_str()))
                .map(Pattern::as_str),
            Self::HashPrefixes(prefixes) => prefixes
                .iter()
                .find(|prefix| prefix.matches(hash))
                .map(HashPrefix::as_str),
            Self::Nothing => None,
        }
    }
}

impl Delegations {
    /// The keys that this file defines for the roles it delegates to.
    #[must_use]
    pub fn keys(&self) -> &KeyTable {
        &self.keys
    }

    /// The roles.
    #[must_use]
    pub fn roles(&self) -> &RoleDelegations {
        &self.roles
    }

    /// Who may sign for a role that this file delegates to; a name that is not a bin has no keys.
    #[must_use]
    pub fn role(&self, name: &DelegatedName) -> Option<&RoleKeys> {
        match &self.roles {
            RoleDelegations::Named(roles) => roles
                .iter()
                .find(|role| role.name == *name)
                .map(|role| &role.keys),
            RoleDelegations::Succinct(bins) => bins.contains(name.as_str()).then(|| bins.keys()),
        }
    }

    pub(super) fn parse(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<Self, FormatError> {
        let start = reader.offset();
        let (mut keys, mut named, mut succinct) = (None, None, None);
        reader.object(|reader, name| {
            match &*name.decode() {
                "keys" => {
                    let table = notes.within(
                        || "delegations".to_string(),
                        |notes| KeyTable::parse(reader, notes),
                    );
                    keys = Some(table?);
                }
                "roles" => named = Some(parse_roles(reader)?),
                "succinct_roles" => succinct = Some(SuccinctRoles::parse(reader)?),
                _ => {
                    reader.skip()?;
                }
            }
            Ok(())
        })?;
        let keys = keys.ok_or_else(|| FormatError::new(start, Reason::Missing("keys")))?;
        let roles = match (named, succinct) {
            (Some(roles), None) => RoleDelegations::Named(roles),
            (None, Some(bins)) => RoleDelegations::Succinct(bins),
            (None, None) => return Err(FormatError::new(start, Reason::Missing("roles"))),
            (Some(_), Some(_)) => {
                return Err(FormatError::new(
                    start,
                    Reason::Invalid("roles and succinct_roles together"),
                ));
            }
        };
        match &roles {
            RoleDelegations::Named(roles) => {
                roles.iter().for_each(|role| {
                    note_undefined(
                        &keys,
                        &role.keys,
                        &format!("delegations.roles.{}", role.name),
                        notes,
                    )
                });
            }
            RoleDelegations::Succinct(bins) => {
                note_undefined(&keys, bins.keys(), "delegations.succinct_roles", notes)
            }
        }
        Ok(Self { keys, roles })
    }
}

fn parse_roles(reader: &mut Reader<'_>) -> Result<Vec<DelegatedRole>, FormatError> {
    let start = reader.offset();
    let mut roles: Vec<DelegatedRole> = Vec::new();
    reader.array(|reader, _| {
        roles.push(parse_role(reader)?);
        Ok(())
    })?;
    let names: BTreeSet<&DelegatedName> = roles.iter().map(|role| &role.name).collect();
    if names.len() == roles.len() {
        Ok(roles)
    } else {
        Err(FormatError::new(
            start,
            Reason::Invalid("a role delegated twice"),
        ))
    }
}

fn parse_role(reader: &mut Reader<'_>) -> Result<DelegatedRole, FormatError> {
    let start = reader.offset();
    let mut keys = RoleKeysFields::default();
    let (mut name, mut terminating, mut patterns, mut prefixes) = (None, None, None, None);
    reader.object(|reader, member| {
        match &*member.decode() {
            "name" => {
                let text = reader.text()?;
                name = Some(
                    DelegatedName::new(&text.decode())
                        .map_err(|error| FormatError::new(text.offset(), name_reason(error)))?,
                );
            }
            "terminating" => terminating = Some(reader.boolean()?),
            "paths" => patterns = Some(texts(reader, |text| Some(Pattern::new(text)))?),
            "path_hash_prefixes" => prefixes = Some(texts(reader, HashPrefix::new)?),
            other => {
                if !keys.member(reader, other)? {
                    reader.skip()?;
                }
            }
        }
        Ok(())
    })?;
    let paths = match (patterns, prefixes) {
        (Some(patterns), None) => PathSet::Patterns(patterns),
        (None, Some(prefixes)) => PathSet::HashPrefixes(prefixes),
        (None, None) => PathSet::Nothing,
        (Some(_), Some(_)) => {
            return Err(FormatError::new(
                start,
                Reason::Invalid("paths and path_hash_prefixes together"),
            ));
        }
    };
    Ok(DelegatedRole {
        name: name.ok_or_else(|| FormatError::new(start, Reason::Missing("name")))?,
        keys: keys.finish(start)?,
        terminating: terminating
            .ok_or_else(|| FormatError::new(start, Reason::Missing("terminating")))?,
        paths,
    })
}

fn texts<T>(
    reader: &mut Reader<'_>,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, FormatError> {
    let mut all = Vec::new();
    reader.array(|reader, _| {
        let text = reader.text()?;
        all.push(read(&text.decode()).ok_or_else(|| {
            FormatError::new(
                text.offset(),
                Reason::Invalid("a hash prefix that is not lower-case hexadecimal"),
            )
        })?);
        Ok(())
    })?;
    Ok(all)
}

fn name_reason(error: NameError) -> Reason {
    match error {
        NameError::Reserved => {
            Reason::Invalid("a delegated role with the name of a top-level role")
        }
        NameError::Nul => Reason::Invalid("a role name with a NUL character"),
        NameError::Empty | NameError::UnsafePath(_) => Reason::Invalid("an empty role name"),
    }
}
