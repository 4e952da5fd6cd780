//! What a shell is asked for: local items, remote files, durable writes.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use crate::metadata::{RoleName, Version};

/// Something the local store holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Item {
    /// The current metadata of a role. The current root is kept as a copy for people and other tools.
    Role(RoleName),
    /// A root of the history, by version.
    Root(Version),
    /// What the core remembers beside the metadata; opaque to the store.
    Record,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "{role} metadata"),
            Self::Root(version) => write!(f, "root version {version}"),
            Self::Record => f.write_str("record of the last refresh"),
        }
    }
}

/// A metadata file of the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteFile {
    /// The role.
    pub role: RoleName,
    /// The version that stands before the name, if one does (TUF §6.2).
    pub version: Option<Version>,
}

impl RemoteFile {
    /// The file name relative to the metadata base, percent-encoded: everything outside `A-Za-z0-9_.-~` (A-38).
    ///
    /// ```
    /// # use tuffet_core::{metadata::{RoleName, Version}, trust::RemoteFile};
    /// let file = RemoteFile { role: RoleName::new("../x").unwrap(), version: Version::new(3) };
    /// assert_eq!(file.url_path(), "3...%2Fx.json");
    /// ```
    #[must_use]
    pub fn url_path(&self) -> String {
        let name = percent_encode(self.role.as_str(), false);
        match self.version {
            Some(version) => format!("{version}.{name}.json"),
            None => format!("{name}.json"),
        }
    }
}

impl fmt::Display for RemoteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(version) = self.version {
            write!(f, "{version}.")?;
        }
        // Whoever delegates chose the name: nothing in it may speak to a terminal.
        for character in self.role.as_str().chars() {
            match character {
                '\'' | '"' | '\\' => f.write_char(character)?,
                other => write!(f, "{}", other.escape_debug())?,
            }
        }
        f.write_str(".json")
    }
}

/// Percent-encodes every byte outside `A-Za-z0-9_.-~`, and outside `/` if `slash` is set (A-38, A-41).
#[must_use]
pub fn percent_encode(text: &str, slash: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'.' | b'-' | b'~')
            || (slash && byte == b'/')
        {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// What [`percent_encode`] was given; `None` if a `%` is not followed by two hexadecimal digits. The bytes need not be text.
#[must_use]
pub fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let byte = (digit()? << 4) | digit()?;
            decoded.push(u8::try_from(byte).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Which file.
    pub file: RemoteFile,
    /// The most bytes to receive. A shell stops one byte later and answers with what it has, which is then refused.
    pub limit: u64,
    /// The exact length, when it is signed.
    pub length: Option<u64>,
}

/// One change of the local store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Which item.
    pub item: Item,
    /// What to do with it.
    pub kind: WriteKind,
}

/// What to do with an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteKind {
    /// Replace its bytes.
    Put(Arc<Vec<u8>>),
    /// Remove it, if it is there.
    Delete,
}

/// What the core wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Bytes of the local store.
    Load(Item),
    /// Bytes of the repository.
    Fetch(Fetch),
    /// Durable changes of the local store, made in this order, each atomic; a crash in between is allowed for.
    Store(Vec<Write>),
    /// Nothing more: the result can be taken.
    Done,
}

/// What a shell answers to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The bytes, for `Load` and `Fetch`.
    Bytes(Vec<u8>),
    /// There is no such file, for `Load` and `Fetch`. Of a repository only a definite answer may be given as this (A-17).
    Absent,
    /// The changes are durable, for `Store`.
    Stored,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a38_role_names_are_encoded_for_urls() {
        let table = [
            ("?", "%3F.json"),
            ("#", "%23.json"),
            ("/delegatedrole", "%2Fdelegatedrole.json"),
            ("../delegatedrole", "..%2Fdelegatedrole.json"),
            ("a b~c_d-e.f", "a%20b~c_d-e.f.json"),
            ("é", "%C3%A9.json"),
            ("$&+:=@!*'()", "%24%26%2B%3A%3D%40%21%2A%27%28%29.json"),
        ];
        for (name, expected) in table {
            let file = RemoteFile {
                role: RoleName::new(name).unwrap(),
                version: None,
            };
            assert_eq!(file.url_path(), expected);
            assert_eq!(file.to_string(), format!("{name}.json"));
            let version = Version::new(7);
            let file = RemoteFile { version, ..file };
            assert_eq!(file.url_path(), format!("7.{expected}"));
            assert_eq!(file.to_string(), format!("7.{name}.json"));
        }
    }

    #[test]
    fn a_role_name_does_not_speak_to_a_terminal() {
        let role = RoleName::new("a\u{1b}[2J\n\u{202e}'b\\\"é").unwrap();
        let version = Version::new(3);
        let shown = RemoteFile { role, version }.to_string();
        assert_eq!(shown, "3.a\\u{1b}[2J\\n\\u{202e}'b\\\"é.json");
    }

    #[test]
    fn a41_the_decoded_url_path_is_the_target_path() {
        assert_eq!(
            percent_encode("a?b#c/https://evil/x\\y%2e\n", true),
            "a%3Fb%23c/https%3A//evil/x%5Cy%252e%0A"
        );
    }

    #[test]
    fn what_was_encoded_can_be_decoded_and_nothing_else_is_guessed() {
        for text in ["", "a?b#c/https://evil/x\\y%2e\n", "é", "%", "+"] {
            let encoded = percent_encode(text, false);
            assert_eq!(percent_decode(&encoded).as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(percent_decode("%ff%0A").as_deref(), Some(&b"\xff\n"[..]));
        for text in ["%", "%4", "%zz", "%+1", "%é"] {
            assert_eq!(percent_decode(text), None, "{text}");
        }
    }
}
