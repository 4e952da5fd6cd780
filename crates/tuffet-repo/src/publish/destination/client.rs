//! Speaks to an object store, through the crate `object_store`. What is asynchronous, and every type of that crate, stays in here.

mod open;
mod served;
mod upload;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, UpdateVersion};
use tokio::runtime::Runtime;
use tuffet_core::metadata::{UnixTime, Version};

use served::attributes;

use super::{Bucket, Listed, Object};
use crate::Error;
use crate::layout::ceiling;
use crate::publish::artifacts::Checksums;
use crate::targets::TargetEntry;
use crate::write::{Address, Seen, WriteKind};

/// How many requests are on the way at the same time.
const AT_ONCE: usize = 32;

/// How many targets are read at the same time, to see whether they are what their names say.
const READ_AT_ONCE: usize = 4;

/// How often an object that is there and not there, while somebody else writes it, is looked for.
const LOOKS: usize = 3;

/// A connection to a store.
pub(crate) struct Client {
    bucket: Bucket,
    store: Arc<dyn ObjectStore>,
    /// Where the bucket is, without anything secret; `None` in memory, and empty where its name says it.
    host: Option<String>,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

/// An object that was read, and which one it was.
pub(crate) struct Got {
    pub(crate) bytes: Vec<u8>,
    pub(crate) seen: Seen,
}

impl Client {
    /// Where the bucket is.
    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Reads an object, if it is not longer than clients read of its kind; else it comes as empty.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Got>, Error> {
        self.wait(self.fetch(name))
    }

    /// Reads many objects.
    pub(crate) fn get_all(&self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let fetch = |name: String| async move {
            let got = self.fetch(&name).await?;
            Ok(got.map(|got| got.bytes))
        };
        // Names are cloned because a future that borrows from an iterator cannot be sent to another thread.
        let all = stream::iter(names.to_vec()).map(fetch);
        self.wait(all.buffered(AT_ONCE).try_collect())
    }

    /// The objects in a directory such as `metadata`, by their names below it.
    pub(crate) fn list(&self, directory: &str) -> Result<BTreeMap<String, Listed>, Error> {
        let above = self.path(directory)?;
        let all = self.store.list(Some(&above));
        let all = all.map_ok(|found| {
            let name = found.location.as_ref().strip_prefix(above.as_ref());
            let name = name.unwrap_or_default().trim_start_matches('/').to_owned();
            let listed = Listed {
                length: found.size,
                modified: UnixTime(found.last_modified.timestamp()),
            };
            (name, listed)
        });
        let all = self.wait(all.try_collect());
        all.map_err(|error| self.failed("cannot list", directory, error))
    }

    /// Which of these objects hold the bytes of their targets; what lies there is not taken on trust.
    pub(crate) fn hold(&self, targets: &[(String, &TargetEntry)]) -> Result<Vec<bool>, Error> {
        let look = |place: usize| async move {
            let Some((name, target)) = targets.get(place) else {
                return Ok(None);
            };
            match self.store.head(&self.path(name)?).await {
                Ok(found) => Ok((found.size == target.length).then_some(place)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(self.failed("cannot read", name, error)),
            }
        };
        let check = |place: usize| async move {
            let Some((name, target)) = targets.get(place) else {
                return Ok((place, false));
            };
            Ok((place, self.holds(name, target).await?))
        };
        let look = stream::iter(0..targets.len()).map(look).buffered(AT_ONCE);
        let found: Vec<Option<usize>> = self.wait(look.try_collect())?;
        let check = stream::iter(found.into_iter().flatten()).map(check);
        let checked: Vec<(usize, bool)> = self.wait(check.buffered(READ_AT_ONCE).try_collect())?;
        let good: BTreeMap<usize, bool> = checked.into_iter().collect();
        let held = (0..targets.len()).map(|place| good.get(&place).copied().unwrap_or(false));
        Ok(held.collect())
    }

    /// Makes changes, in any order. `sent` is told the length of every piece that goes out.
    pub(crate) fn apply_all(
        &self,
        writes: &[(&str, &WriteKind)],
        sent: &(dyn Fn(u64) + Sync),
    ) -> Result<(), Error> {
        let (mut plain, mut short, mut long) = (Vec::new(), Vec::new(), Vec::new());
        for (place, (_, kind)) in writes.iter().enumerate() {
            match kind {
                WriteKind::Copy { length, .. } if *length > upload::PART => long.push(place),
                WriteKind::Copy { .. } => short.push(place),
                _ => plain.push(place),
            }
        }
        let change = |place: usize| async move {
            match writes.get(place) {
                Some((name, kind)) => self.change(name, kind, sent).await,
                None => Ok(()),
            }
        };
        // Few at a time where each is held in memory as a whole, and one at a time where one alone has many parts on the way.
        let groups = [(plain, AT_ONCE), (short, upload::SHORT_AT_ONCE), (long, 1)];
        for (group, at_once) in groups {
            let all = stream::iter(group).map(change).buffer_unordered(at_once);
            self.wait(all.try_collect::<()>())?;
        }
        Ok(())
    }

    async fn change(
        &self,
        name: &str,
        kind: &WriteKind,
        sent: &(dyn Fn(u64) + Sync),
    ) -> Result<(), Error> {
        match kind {
            WriteKind::Once(bytes) => self.once(name, bytes).await?,
            WriteKind::Replace(bytes) => {
                let put = self.put(name, bytes.clone(), PutMode::Overwrite).await;
                put.map_err(|error| self.failed("cannot write", name, error))?;
            }
            WriteKind::Switch { bytes, seen, root } => {
                self.switch(name, bytes, seen, *root).await?;
            }
            WriteKind::Copy {
                from,
                length,
                sha256,
            } => return self.copy(name, from, *length, sha256, sent).await,
            WriteKind::Remove => match self.store.delete(&self.path(name)?).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(self.failed("cannot remove", name, error)),
            },
        }
        sent(kind.length());
        Ok(())
    }

    /// Writes what never changes again.
    async fn once(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut answer = None;
        for _ in 0..LOOKS {
            let error = match self.put(name, bytes.to_vec(), PutMode::Create).await {
                Ok(()) => return Ok(()),
                Err(error @ object_store::Error::AlreadyExists { .. }) => error,
                Err(error) => return Err(self.failed("cannot write", name, error)),
            };
            match self.fetch(name).await? {
                Some(found) if found.bytes == bytes => return Ok(()),
                Some(_) => {
                    return Err(Error::VersionReused {
                        at: self.address(name),
                    });
                }
                None => answer = Some(error),
            }
        }
        let answer = answer.unwrap_or(object_store::Error::NotFound {
            path: name.to_owned(),
            source: "it is there and not there".into(),
        });
        Err(self.failed("cannot write", name, answer))
    }

    /// Writes if nobody has written since it was read.
    async fn switch(
        &self,
        name: &str,
        bytes: &[u8],
        seen: &Seen,
        root: Option<Version>,
    ) -> Result<(), Error> {
        let overtaken = || Error::Overtaken {
            at: Box::new(self.address(name)),
            root,
        };
        let found = match seen {
            Seen::Bytes(seen) => match self.fetch(name).await? {
                Some(found) if found.bytes == bytes => return Ok(()),
                Some(found) if found.bytes == *seen => found.seen,
                _ => return Err(overtaken()),
            },
            seen => seen.clone(),
        };
        let mode = match found {
            Seen::Object { e_tag, version } => PutMode::Update(UpdateVersion { e_tag, version }),
            Seen::Nothing | Seen::File { .. } | Seen::Bytes(_) => PutMode::Create,
        };
        match self.put(name, bytes.to_vec(), mode).await {
            Ok(()) => Ok(()),
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => match self.fetch(name).await? {
                // The answer to the first of two tries was lost.
                Some(found) if found.bytes == bytes => Ok(()),
                _ => Err(overtaken()),
            },
            Err(error) => Err(self.failed("cannot write", name, error)),
        }
    }

    async fn put(
        &self,
        name: &str,
        bytes: Vec<u8>,
        mode: PutMode,
    ) -> Result<(), object_store::Error> {
        let options = PutOptions {
            mode,
            attributes: attributes(name),
            ..PutOptions::default()
        };
        let path = ObjectPath::parse(self.key(name))?;
        self.store.put_opts(&path, bytes.into(), options).await?;
        Ok(())
    }

    async fn fetch(&self, name: &str) -> Result<Option<Got>, Error> {
        let failed = |error| self.failed("cannot read", name, error);
        let got = match self.store.get(&self.path(name)?).await {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let seen = Seen::Object {
            e_tag: got.meta.e_tag.clone(),
            version: got.meta.version.clone(),
        };
        let limit = ceiling(name);
        let mut bytes = Vec::new();
        let mut pieces = got.into_stream();
        while let Some(piece) = pieces.try_next().await.map_err(failed)? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > limit {
                // Good for nothing, whatever it is.
                bytes = Vec::new();
                break;
            }
        }
        Ok(Some(Got { bytes, seen }))
    }

    async fn holds(&self, name: &str, target: &TargetEntry) -> Result<bool, Error> {
        let failed = |error| self.failed("cannot read", name, error);
        let got = self.store.get(&self.path(name)?).await.map_err(failed)?;
        let mut pieces = got.into_stream();
        let mut checksums = Checksums::of(target);
        while let Some(piece) = pieces.try_next().await.map_err(failed)? {
            checksums.update(&piece);
        }
        Ok(checksums.are_right())
    }

    fn key(&self, name: &str) -> String {
        match self.bucket.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }

    fn path(&self, name: &str) -> Result<ObjectPath, Error> {
        ObjectPath::parse(self.key(name))
            .map_err(|error| self.failed("cannot name", name, error.into()))
    }

    fn address(&self, name: &str) -> Address {
        Address::Object(Object::new(&self.bucket, name))
    }

    fn failed(&self, doing: &'static str, name: &str, error: object_store::Error) -> Error {
        Error::Store {
            doing,
            object: format!("{}/{name}", self.bucket),
            source: Box::new(error),
        }
    }

    /// Runs what is asynchronous to its end, on a thread of its own: the caller may be a task of another runtime, which must not
    /// wait within this one.
    fn wait<T: Send>(&self, work: impl Future<Output = T> + Send) -> T {
        let runtime = self
            .runtime
            .as_ref()
            .expect("it is there until the value is dropped");
        std::thread::scope(
            |scope| match scope.spawn(|| runtime.block_on(work)).join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            },
        )
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Waiting for threads to end is not allowed within another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.bucket)
    }
}
