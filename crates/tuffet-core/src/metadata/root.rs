//! Root: which keys speak for the four top-level roles (TUF §4.3).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use super::envelope::{Header, HeaderFields};
use super::keys::note_undefined;
use super::{KeyTable, Notes, Role, RoleKeys, RoleName, Tolerance, UnixTime, Version};
use crate::json::{FormatError, Reader, Reason};

/// The content of a root file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    header: Header,
    consistent_snapshot: bool,
    keys: KeyTable,
    root: RoleKeys,
    timestamp: RoleKeys,
    snapshot: RoleKeys,
    targets: RoleKeys,
}

impl Root {
    /// Whether metadata and targets are published under names that contain their version or hash (TUF §6.2).
    #[must_use]
    pub fn consistent_snapshot(&self) -> bool {
        self.consistent_snapshot
    }

    /// The keys that this file defines.
    #[must_use]
    pub fn keys(&self) -> &KeyTable {
        &self.keys
    }

    /// The keys of a top-level role; `None` for a delegated one.
    #[must_use]
    pub fn role(&self, role: &RoleName) -> Option<&RoleKeys> {
        Some(match role {
            RoleName::Root => &self.root,
            RoleName::Timestamp => &self.timestamp,
            RoleName::Snapshot => &self.snapshot,
            RoleName::Targets => &self.targets,
            RoleName::Delegated(_) => return None,
        })
    }

    pub(crate) fn root_keys(&self) -> &RoleKeys {
        &self.root
    }

    pub(crate) fn timestamp_keys(&self) -> &RoleKeys {
        &self.timestamp
    }

    pub(crate) fn snapshot_keys(&self) -> &RoleKeys {
        &self.snapshot
    }

    pub(crate) fn targets_keys(&self) -> &RoleKeys {
        &self.targets
    }
}

impl Role for Root {
    const TYPE: &'static str = "root";

    fn version(&self) -> Version {
        self.header.version
    }

    fn expires(&self) -> UnixTime {
        self.header.expires
    }

    fn parse(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<Self, FormatError> {
        let start = reader.offset();
        let mut header = HeaderFields::of::<Self>();
        let (mut consistent_snapshot, mut keys, mut roles) = (false, None, None);
        reader.object(|reader, name| {
            match &*name.decode() {
                "consistent_snapshot" => consistent_snapshot = reader.boolean()?,
                "keys" => keys = Some(KeyTable::parse(reader, notes)?),
                "roles" => roles = Some(parse_roles(reader)?),
                other => header.member(reader, other, notes)?,
            }
            Ok(())
        })?;
        let header = header.finish(start)?;
        let keys = keys.ok_or_else(|| FormatError::new(start, Reason::Missing("keys")))?;
        let mut roles = roles.ok_or_else(|| FormatError::new(start, Reason::Missing("roles")))?;
        for (name, role) in &roles {
            note_undefined(&keys, role, &format!("roles.{name}"), notes);
        }
        let mut role = |name: &'static str| {
            roles
                .remove(name)
                .ok_or_else(|| FormatError::new(start, Reason::Missing(name)).within("roles"))
        };
        let (root, timestamp) = (role("root")?, role("timestamp")?);
        let (snapshot, targets) = (role("snapshot")?, role("targets")?);
        for name in roles.keys().filter(|name| *name != "mirrors") {
            notes.add(Tolerance::ExtraRole, || format!("roles.{name}"));
        }
        Ok(Self {
            header,
            consistent_snapshot,
            keys,
            root,
            timestamp,
            snapshot,
            targets,
        })
    }
}

fn parse_roles(reader: &mut Reader<'_>) -> Result<BTreeMap<String, RoleKeys>, FormatError> {
    let mut roles = BTreeMap::new();
    reader.object(|reader, name| {
        roles.insert(name.decode().into_owned(), RoleKeys::parse(reader)?);
        Ok(())
    })?;
    Ok(roles)
}
