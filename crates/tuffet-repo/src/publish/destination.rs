//! Where a repository is published: a directory, or a bucket of an object store.

mod bucket;
#[cfg(feature = "object-store")]
mod client;
#[cfg(not(feature = "object-store"))]
#[path = "destination/no_client.rs"]
mod client;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use tuffet_core::metadata::UnixTime;

use crate::Error;
use crate::write::Address;

pub use bucket::{Bucket, Object};

/// A place that a repository is published to. It gets `metadata/` and `targets/`.
///
/// | text | place |
/// |---|---|
/// | `./public`, `/srv/tuf`, `file:public`, `file:///srv/tuf` | a directory |
/// | `s3://BUCKET/PREFIX` | Amazon S3, or whatever speaks its protocol |
/// | `gs://BUCKET/PREFIX` | Google Cloud Storage |
/// | `az://CONTAINER/PREFIX` | Azure Blob Storage |
///
/// Nothing secret belongs into the text: credentials come from the environment, see [`Bucket`].
///
/// ```
/// use tuffet_repo::Destination;
///
/// let place: Destination = "s3://acme-downloads/tuf".parse().unwrap();
/// assert_eq!(place.to_string(), "s3://acme-downloads/tuf");
/// assert!(matches!("./public".parse(), Ok(Destination::Directory(_))));
/// assert!("ftp://acme".parse::<Destination>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Destination {
    /// A directory.
    Directory(PathBuf),
    /// A bucket of an object store, or what lies below a prefix in one.
    Bucket(Bucket),
}

impl Destination {
    /// A new and empty store in memory, for tests and trials. Clones share it; it is gone with the last of them.
    #[cfg(feature = "object-store")]
    #[must_use]
    pub fn memory() -> Self {
        Self::Bucket(Bucket::memory())
    }

    /// Reads a file as it is now, such as `metadata/timestamp.json`; `None` if it is not there. Of one that is longer than
    /// clients read of its kind nothing is read: it comes as empty.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Store`].
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use tuffet_repo::Destination;
    ///
    /// let directory = tempfile::tempdir()?;
    /// std::fs::write(directory.path().join("a.txt"), b"a")?;
    /// let place = Destination::from(directory.path());
    /// assert_eq!(place.read("a.txt")?, Some(b"a".to_vec()));
    /// assert_eq!(place.read("b.txt")?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Directory(directory) => {
                crate::write::read_bounded(&directory.join(name), crate::layout::ceiling(name))
            }
            Self::Bucket(bucket) => Ok(bucket.client()?.get(name)?.map(|found| found.bytes)),
        }
    }

    /// The files in a directory of the tree, by their names below it.
    pub(crate) fn list(&self, directory: &str) -> Result<BTreeMap<String, Listed>, Error> {
        match self {
            Self::Directory(path) => {
                let mut found = BTreeMap::new();
                walk(&path.join(directory), "", &mut found)?;
                Ok(found)
            }
            Self::Bucket(bucket) => bucket.client()?.list(directory),
        }
    }

    /// The place of a file.
    pub(crate) fn address(&self, name: &str) -> Address {
        match self {
            Self::Directory(directory) => Address::File(directory.join(name)),
            Self::Bucket(bucket) => Address::Object(Object::new(bucket, name)),
        }
    }

    /// The same place; a directory that is not named from the root is one below `directory`.
    pub(crate) fn below(&self, directory: &Path) -> Self {
        match self {
            Self::Directory(path) => Self::Directory(directory.join(path)),
            other => other.clone(),
        }
    }
}

/// What a listing says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) length: u64,
    /// When it was written.
    pub(crate) modified: UnixTime,
}

/// Lists the files below a directory. Links are none of ours and left alone.
fn walk(directory: &Path, prefix: &str, found: &mut BTreeMap<String, Listed>) -> Result<(), Error> {
    let failed = |error| Error::io("cannot read", directory, error);
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let data = entry.metadata().map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let name = format!("{prefix}{name}");
        if data.is_dir() {
            walk(&entry.path(), &format!("{name}/"), found)?;
        } else if data.is_file() {
            let since = data.modified().map_err(failed)?.duration_since(UNIX_EPOCH);
            let seconds = since.map_or(0, |since| since.as_secs());
            let listed = Listed {
                length: data.len(),
                modified: UnixTime(i64::try_from(seconds).unwrap_or(i64::MAX)),
            };
            found.insert(name, listed);
        }
    }
    Ok(())
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(directory) => write!(f, "{}", directory.display()),
            Self::Bucket(bucket) => write!(f, "{bucket}"),
        }
    }
}

impl FromStr for Destination {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = |why| Error::DestinationUnknown {
            text: text.to_owned(),
            why,
        };
        if text.is_empty() {
            return Err(unknown("it is empty"));
        }
        if let Some(path) = text.strip_prefix("file:") {
            let path = match path.strip_prefix("//") {
                Some(path) if !path.starts_with('/') => return Err(unknown("it names a host")),
                Some(path) => path,
                None => path,
            };
            return match path {
                "" => Err(unknown("it has no path")),
                path => Ok(Self::Directory(path.into())),
            };
        }
        match text.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => Bucket::parse(scheme, rest)
                .map(Self::Bucket)
                .map_err(unknown),
            _ => Ok(Self::Directory(text.into())),
        }
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

impl TryFrom<String> for Destination {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|error: Error| error.to_string())
    }
}

impl From<Destination> for String {
    fn from(destination: Destination) -> Self {
        destination.to_string()
    }
}

impl From<PathBuf> for Destination {
    fn from(directory: PathBuf) -> Self {
        Self::Directory(directory)
    }
}

impl From<&PathBuf> for Destination {
    fn from(directory: &PathBuf) -> Self {
        Self::Directory(directory.clone())
    }
}

impl From<&Path> for Destination {
    fn from(directory: &Path) -> Self {
        Self::Directory(directory.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_directory_or_a_bucket() {
        for (text, path) in [
            ("public", "public"),
            ("./public", "./public"),
            ("/srv/tuf", "/srv/tuf"),
            (r"C:\tuf", r"C:\tuf"),
            ("file:public", "public"),
            ("file:/srv/tuf", "/srv/tuf"),
            ("file:///srv/tuf", "/srv/tuf"),
            ("a b://c", "a b://c"),
        ] {
            let expected = Destination::Directory(path.into());
            assert_eq!(text.parse::<Destination>().unwrap(), expected, "{text}");
        }
        for (text, shown) in [
            ("s3://acme", "s3://acme"),
            ("s3://acme/", "s3://acme"),
            ("s3://acme/tuf/stable/", "s3://acme/tuf/stable"),
            ("gs://acme_1/tuf", "gs://acme_1/tuf"),
            ("az://downloads/a b", "az://downloads/a b"),
        ] {
            let place: Destination = text.parse().unwrap();
            assert!(matches!(place, Destination::Bucket(_)), "{text}");
            assert_eq!(place.to_string(), shown);
            assert_eq!(shown.parse::<Destination>().unwrap(), place);
        }
    }

    #[test]
    fn what_is_neither_is_refused_and_secrets_do_not_belong_there() {
        for (text, why) in [
            ("", "empty"),
            ("file:", "no path"),
            ("file://host/x", "host"),
            ("ftp://acme/x", "s3, gs and az"),
            ("https://acme/x", "s3, gs and az"),
            ("s3://", "bucket"),
            ("s3:///x", "bucket"),
            ("s3://AKIA:secret@acme/x", "credentials"),
            ("az://container@account/x", "credentials"),
            ("s3://acme/a//b", "prefix"),
            ("s3://acme/../b", "prefix"),
            ("s3://acme/a?region=x", "prefix"),
            ("s3://acme/a#b", "prefix"),
            ("s3://acme/a\nb", "prefix"),
        ] {
            let error = text.parse::<Destination>().unwrap_err();
            assert_eq!(error.code(), "publish.place", "{text}");
            assert!(error.to_string().contains(why), "{text}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
