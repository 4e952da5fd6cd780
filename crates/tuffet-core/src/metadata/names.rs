//! Names that cannot hold what the rules forbid.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU64;

/// Why a string is not the name it was meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// The name has no characters.
    Empty,
    /// The name is one of the four top-level roles (decision A-24).
    Reserved,
    /// The name contains a NUL character.
    Nul,
    /// A target path that cannot become a file: absolute, `..`, a drive, a backslash, a control character …
    UnsafePath(&'static str),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the name is empty"),
            Self::Reserved => f.write_str("the name belongs to a top-level role"),
            Self::Nul => f.write_str("the name contains a NUL character"),
            Self::UnsafePath(why) => write!(f, "the path cannot become a file: {why}"),
        }
    }
}

impl core::error::Error for NameError {}

/// The name of a delegated role: never empty, never one of the four top-level names.
///
/// Anything else is allowed, `../x` and `#` included, because repositories may use it;
/// [`RemoteFile`](crate::trust::RemoteFile) encodes it for URLs and a store encodes it for disks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DelegatedName(Arc<str>);

impl DelegatedName {
    /// Reads a delegated role's name.
    ///
    /// # Errors
    /// [`NameError::Empty`], [`NameError::Reserved`] or [`NameError::Nul`].
    pub fn new(name: &str) -> Result<Self, NameError> {
        match name {
            "" => Err(NameError::Empty),
            "root" | "timestamp" | "snapshot" | "targets" => Err(NameError::Reserved),
            _ if name.contains('\0') => Err(NameError::Nul),
            _ => Ok(Self(name.into())),
        }
    }

    /// The name as written in the metadata.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DelegatedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A role of a repository (TUF §2.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleName {
    /// Says which keys speak for the four top-level roles.
    Root,
    /// Says which snapshot is current.
    Timestamp,
    /// Says which version of each targets role is current.
    Snapshot,
    /// The top-level targets role.
    Targets,
    /// A role that a targets role delegates to.
    Delegated(DelegatedName),
}

impl RoleName {
    /// Reads a role name; the four top-level names give the top-level roles.
    ///
    /// # Errors
    /// As [`DelegatedName::new`], without [`NameError::Reserved`].
    pub fn new(name: &str) -> Result<Self, NameError> {
        Ok(match name {
            "root" => Self::Root,
            "timestamp" => Self::Timestamp,
            "snapshot" => Self::Snapshot,
            "targets" => Self::Targets,
            other => Self::Delegated(DelegatedName::new(other)?),
        })
    }

    /// The name as written in the metadata.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Root => "root",
            Self::Timestamp => "timestamp",
            Self::Snapshot => "snapshot",
            Self::Targets => "targets",
            Self::Delegated(name) => name.as_str(),
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A key identifier: an opaque string, unique within one delegating file (decision A-01, TAP 12).
///
/// It is compared, never computed, when metadata is read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// Reads a keyid.
    ///
    /// # Errors
    /// [`NameError::Empty`].
    pub fn new(keyid: &str) -> Result<Self, NameError> {
        if keyid.is_empty() {
            Err(NameError::Empty)
        } else {
            Ok(Self(keyid.into()))
        }
    }

    /// The keyid as written in the metadata.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::borrow::Borrow<str> for KeyId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A version number: an integer greater than zero (rule F-22).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(NonZeroU64);

impl Version {
    /// The first version.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// The version with this number; `None` for zero.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0.get()
    }

    /// The version after this one; stays at the largest number there is.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The path of a target, taken literally when it is looked up (decision A-31).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetPath(Arc<str>);

impl TargetPath {
    /// Reads a target path as written in metadata or by a user.
    ///
    /// # Errors
    /// [`NameError::Empty`].
    pub fn new(path: &str) -> Result<Self, NameError> {
        if path.is_empty() {
            Err(NameError::Empty)
        } else {
            Ok(Self(path.into()))
        }
    }

    /// The path as written in the metadata.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components of the path, if every one of them can safely become the name of a file or a directory
    /// on every platform.
    ///
    /// # Errors
    /// [`NameError::UnsafePath`] for an absolute path, an empty, `.` or `..` component, a control character, any of
    /// `\ : * ? " < > |`, a component that ends in a dot or a space, and the device names of Windows.
    ///
    /// ```
    /// # use tuffet_core::metadata::TargetPath;
    /// let path = TargetPath::new("team/app-1.0.tar.zst").unwrap();
    /// assert_eq!(path.file_components().unwrap(), ["team", "app-1.0.tar.zst"]);
    /// assert!(TargetPath::new("../etc/passwd").unwrap().file_components().is_err());
    /// ```
    pub fn file_components(&self) -> Result<Vec<&str>, NameError> {
        self.0.split('/').map(file_component).collect()
    }
}

impl fmt::Display for TargetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn file_component(part: &str) -> Result<&str, NameError> {
    let refuse = |why| Err(NameError::UnsafePath(why));
    match part {
        "" => return refuse("an absolute path or an empty component"),
        "." | ".." => return refuse("a component that names another directory"),
        _ => {}
    }
    if part.len() > 255 {
        return refuse("a component longer than 255 bytes");
    }
    if part.chars().any(char::is_control) {
        return refuse("a control character");
    }
    if part.contains(['\\', ':', '*', '?', '"', '<', '>', '|']) {
        return refuse("a character that has a meaning of its own on some platform");
    }
    if part.ends_with(['.', ' ']) {
        return refuse("a component that ends in a dot or a space");
    }
    if is_device_name(part) {
        return refuse("the name of a device on Windows");
    }
    Ok(part)
}

/// `CON`, `NUL`, `COM1` … with or without an extension: opening them reaches a device, not a file.
pub(crate) fn is_device_name(part: &str) -> bool {
    let stem: String = part
        .split('.')
        .next()
        .unwrap_or(part)
        .trim_end()
        .to_owned()
        .to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        other => other
            .strip_prefix("COM")
            .or_else(|| other.strip_prefix("LPT"))
            .is_some_and(|rest| {
                let mut characters = rest.chars();
                matches!(
                    (characters.next(), characters.next()),
                    (Some('0'..='9' | '¹' | '²' | '³'), None)
                )
            }),
    }
}

#[cfg(test)]
mod tests;
