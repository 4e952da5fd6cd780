//! What a destination holds, as it was when a plan was begun.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tuffet_core::metadata::{Parsed, RoleName, Snapshot, Timestamp, Version};

use super::artifacts::is_there;
use super::destination::{Bucket, Destination};
use super::timestamp_name;
use crate::Error;
use crate::highest::Highest;
use crate::layout::{METADATA, ceiling, file_name, split_file_name};
use crate::targets::TargetEntry;
use crate::tree::Tree;
use crate::write::{Address, Seen, WriteKind, holds, read_bounded};

/// The lock of those who publish to the same directory.
const LOCK: &str = ".lock";

/// A published tree.
pub(crate) struct Published {
    destination: Destination,
    /// The timestamp, read before anything else: what is written later depends on it.
    timestamp: Option<Vec<u8>>,
    seen: Seen,
    /// What the snapshot lists that the timestamp lists, once it was needed; `None` if they cannot be read.
    listed: OnceCell<Option<Parsed<Snapshot>>>,
    kind: Kind,
}

enum Kind {
    Directory {
        directory: PathBuf,
        /// The versions of roles in it, once they were needed.
        highest: OnceCell<Highest>,
    },
    Bucket {
        bucket: Bucket,
        /// The lengths of the metadata files.
        listed: BTreeMap<String, u64>,
        /// What was read of them: one plan reads most files more than once.
        read: RefCell<BTreeMap<String, Option<Vec<u8>>>>,
    },
}

impl Published {
    pub(crate) fn open(destination: &Destination) -> Result<Self, Error> {
        let timestamp = format!("{METADATA}/{}", timestamp_name());
        let (timestamp, seen, kind) = match destination {
            Destination::Directory(directory) => {
                let bytes = read_bounded(&directory.join(&timestamp), ceiling(&timestamp))?;
                let seen = Seen::File {
                    lock: directory.join(LOCK),
                    bytes: bytes.clone(),
                };
                let kind = Kind::Directory {
                    directory: directory.clone(),
                    highest: OnceCell::new(),
                };
                (bytes, seen, kind)
            }
            Destination::Bucket(bucket) => {
                let client = bucket.client()?;
                let (bytes, seen) = match client.get(&timestamp)? {
                    Some(got) => (Some(got.bytes), got.seen),
                    None => (None, Seen::Nothing),
                };
                let listed = client.list(METADATA)?.into_iter();
                let kind = Kind::Bucket {
                    bucket: bucket.clone(),
                    listed: listed.map(|(name, found)| (name, found.length)).collect(),
                    read: RefCell::default(),
                };
                (bytes, seen, kind)
            }
        };
        Ok(Self {
            destination: destination.clone(),
            timestamp,
            seen,
            listed: OnceCell::new(),
            kind,
        })
    }

    /// The version of a targets role that is listed in what is published, whether it can be verified or not.
    pub(super) fn listed(&self, role: &RoleName) -> Result<Option<Version>, Error> {
        if self.listed.get().is_none() {
            // Nobody else has set it meanwhile.
            let _ = self.listed.set(self.snapshot()?);
        }
        let listed = self.listed.get().and_then(Option::as_ref);
        Ok(listed.and_then(|listed| listed.unverified_listing().version(role)))
    }

    fn snapshot(&self) -> Result<Option<Parsed<Snapshot>>, Error> {
        let timestamp = self.timestamp().map(<[u8]>::to_vec);
        let timestamp = timestamp.and_then(|bytes| Parsed::<Timestamp>::parse(bytes).ok());
        let Some(timestamp) = timestamp else {
            return Ok(None);
        };
        let version = timestamp.unverified().snapshot().version;
        let snapshot = self.file(&file_name(&RoleName::Snapshot, Some(version)))?;
        Ok(snapshot.and_then(|bytes| Parsed::parse(bytes).ok()))
    }

    pub(super) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The place of a metadata file.
    pub(crate) fn metadata(&self, file: &str) -> Address {
        self.destination.address(&format!("{METADATA}/{file}"))
    }

    /// The timestamp that clients see.
    pub(super) fn timestamp(&self) -> Option<&[u8]> {
        self.timestamp.as_deref()
    }

    /// How another timestamp is put in its place.
    pub(super) fn switch(&self, bytes: &[u8]) -> WriteKind {
        WriteKind::Switch {
            bytes: bytes.to_vec(),
            seen: self.seen.clone(),
            root: None,
        }
    }

    /// How another one is put in the place of a timestamp that an earlier step puts there.
    pub(super) fn switch_again(&self, before: &[u8], bytes: &[u8]) -> WriteKind {
        let before = before.to_vec();
        let seen = match &self.seen {
            Seen::File { lock, .. } => Seen::File {
                lock: lock.clone(),
                bytes: Some(before),
            },
            _ => Seen::Bytes(before),
        };
        WriteKind::Switch {
            bytes: bytes.to_vec(),
            seen,
            root: None,
        }
    }

    /// Whether there is any version of a role, whoever has put it there.
    pub(super) fn holds_versions(&self) -> Result<bool, Error> {
        match &self.kind {
            Kind::Directory { directory, highest } => {
                Ok(Self::highest(directory, highest)?.iter().next().is_some())
            }
            Kind::Bucket { listed, .. } => {
                let mut names = listed.keys();
                Ok(names.any(|name| split_file_name(name).is_some()))
            }
        }
    }

    /// Whether there is such a metadata file.
    pub(super) fn has(&self, file: &str) -> bool {
        match &self.kind {
            Kind::Directory { directory, .. } => directory.join(METADATA).join(file).exists(),
            Kind::Bucket { listed, .. } => listed.contains_key(file),
        }
    }

    /// The versions in a directory, which is listed once.
    fn highest<'h>(directory: &Path, highest: &'h OnceCell<Highest>) -> Result<&'h Highest, Error> {
        match highest.get() {
            Some(highest) => Ok(highest),
            None => {
                let read = Highest::read(&directory.join(METADATA))?;
                Ok(highest.get_or_init(|| read))
            }
        }
    }

    /// Whether there is the metadata file of this version of the role that is called this.
    pub(super) fn has_version(&self, name: &str, version: Version) -> Result<bool, Error> {
        if let Kind::Directory { directory, highest } = &self.kind {
            let highest = Self::highest(directory, highest)?.of(name);
            if highest <= Some(version) {
                return Ok(highest == Some(version));
            }
        }
        let role = RoleName::new(name);
        Ok(role.is_ok_and(|role| self.has(&file_name(&role, Some(version)))))
    }

    /// Whether metadata files hold exactly these bytes; `None` for one that is not there.
    pub(super) fn compare(&self, files: &[(String, &[u8])]) -> Result<Vec<Option<bool>>, Error> {
        let candidates = files.iter().filter(|(file, bytes)| match &self.kind {
            Kind::Directory { .. } => false,
            Kind::Bucket { listed, .. } => listed.get(file) == Some(&(bytes.len() as u64)),
        });
        self.fetch(candidates.map(|(file, _)| file.as_str()))?;
        let compare = |(file, bytes): &(String, &[u8])| match &self.kind {
            Kind::Directory { directory, .. } => holds(&directory.join(METADATA).join(file), bytes),
            Kind::Bucket { listed, .. } => match listed.get(file) {
                None => Ok(None),
                Some(length) if *length != bytes.len() as u64 => Ok(Some(false)),
                Some(_) => Ok(self.file(file)?.map(|found| found == *bytes)),
            },
        };
        files.iter().map(compare).collect()
    }

    /// Reads metadata files of a store, many at the same time, so that they are at hand.
    pub(crate) fn fetch<'f>(&self, files: impl Iterator<Item = &'f str>) -> Result<(), Error> {
        let Kind::Bucket {
            bucket,
            listed,
            read,
        } = &self.kind
        else {
            return Ok(());
        };
        let wanted = files.filter(|file| listed.contains_key(*file));
        let wanted = wanted.filter(|file| !read.borrow().contains_key(*file));
        let wanted: Vec<String> = wanted.map(str::to_owned).collect();
        let names = wanted.iter().map(|file| format!("{METADATA}/{file}"));
        let found = bucket.client()?.get_all(&names.collect::<Vec<_>>())?;
        read.borrow_mut().extend(wanted.into_iter().zip(found));
        Ok(())
    }

    /// A metadata file that nobody asks for again.
    pub(super) fn glance(&self, file: &str) -> Result<Option<Vec<u8>>, Error> {
        let found = self.file(file);
        if let Kind::Bucket { read, .. } = &self.kind {
            read.borrow_mut().remove(file);
        }
        found
    }

    /// Which of these files hold the bytes of their targets; what lies there is not taken on trust.
    pub(super) fn hold(&self, targets: &[(String, &TargetEntry)]) -> Result<Vec<bool>, Error> {
        match &self.kind {
            Kind::Directory { directory, .. } => {
                let all = targets.iter();
                all.map(|(name, target)| is_there(&directory.join(name), target))
                    .collect()
            }
            Kind::Bucket { bucket, .. } => bucket.client()?.hold(targets),
        }
    }
}

impl Tree for Published {
    fn file(&self, file: &str) -> Result<Option<Vec<u8>>, Error> {
        if file == timestamp_name() {
            return Ok(self.timestamp.clone());
        }
        match &self.kind {
            Kind::Directory { directory, .. } => {
                read_bounded(&directory.join(METADATA).join(file), ceiling(file))
            }
            Kind::Bucket {
                bucket,
                listed,
                read,
            } => {
                if !listed.contains_key(file) {
                    return Ok(None);
                }
                if let Some(found) = read.borrow().get(file) {
                    return Ok(found.clone());
                }
                let got = bucket.client()?.get(&format!("{METADATA}/{file}"))?;
                let bytes = got.map(|got| got.bytes);
                read.borrow_mut().insert(file.to_owned(), bytes.clone());
                Ok(bytes)
            }
        }
    }
}
