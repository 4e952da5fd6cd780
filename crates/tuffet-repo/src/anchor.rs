//! The root that a copy of a repository trusts.
//!
//! Everything in `metadata/` is judged by the roots that lie there too, so whoever may push to a git remote that people share could
//! replace all of it, roots included. Hence every copy remembers one root by its SHA-256, in a place that nobody can push to
//! ([`private`]). The last root has to follow that one without a gap.
//!
//! The root that is remembered is the newest that this copy has used: otherwise a root that revokes a key could be taken away again, or
//! keys that were replaced long ago make another one after their own.

use std::path::{Path, PathBuf};

use tuffet_core::crypto::{Digest, HashAlgorithm};
use tuffet_core::json::{FormatError, Reason, Value};
use tuffet_core::metadata::{Parsed, Role as _, RoleName, Root, Version};

use crate::Error;
use crate::document::Document;
use crate::heads::is_settled;
use crate::layout::{IGNORED, Layout};
use crate::plan::{Action, Plan};
use crate::policy::Policy;
use crate::private;
use crate::repository::Repository;
use crate::store::Store;
use crate::write::{Write, WriteKind, read_optional};

/// What a copy of a repository is to trust from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Adopt {
    /// This root, which came by another way than the copy.
    Root(Vec<u8>),
    /// The root whose file has this SHA-256.
    Sha256(Digest),
    /// The first root that is there, on its own word.
    FirstUse,
}

/// The root that is remembered.
#[derive(Clone)]
struct Anchor {
    version: Version,
    sha256: Digest,
}

impl Repository {
    /// Takes a copy of a repository into use, such as a clone that somebody has just made: it remembers the last root, if that
    /// follows the one that is asked for, and from then on only what follows it counts. Making, publishing for the first time and
    /// importing a repository do it by themselves, and whoever edits, signs, receives or publishes goes on to the root that is then
    /// the last one.
    ///
    /// # Errors
    /// [`Error::NotFound`] without a repository; [`Error::RoleUnknown`] if nothing was published yet; [`Error::AnchorDiffers`] if
    /// the root is not there, or if [`Adopt::FirstUse`] would replace another one; [`Error::HeadUnsigned`] if what is there does not
    /// follow it; [`Error::AnchorLeft`] if the root that is remembered is not part of it.
    pub fn adopt(&self, adopt: &Adopt) -> Result<Plan, Error> {
        self.adopt_over(adopt, false)
    }

    /// As [`Repository::adopt`], also if the root that is remembered is not part of it: keys that it has replaced count again.
    ///
    /// # Errors
    /// As [`Repository::adopt`], but for [`Error::AnchorLeft`].
    pub fn adopt_instead(&self, adopt: &Adopt) -> Result<Plan, Error> {
        self.adopt_over(adopt, true)
    }

    fn adopt_over(&self, adopt: &Adopt, instead: bool) -> Result<Plan, Error> {
        let lock = self.lock()?;
        let layout = self.layout();
        let store = Store::unanchored(layout)?;
        let all = roots(&store)?;
        let (Some(oldest), Some(last)) = (all.first(), all.last()) else {
            return Err(Error::RoleUnknown(RoleName::Root));
        };
        let known = read(layout)?;
        let (version, bytes) = match adopt {
            Adopt::Root(root) => {
                let version = version_of(root)?;
                let found = all.iter().find(|(_, bytes)| bytes == root);
                found.ok_or_else(|| differs(version, &digest(root), sealed(&all, version)))?
            }
            Adopt::Sha256(sha256) => {
                let found = all.iter().find(|(_, bytes)| digest(bytes) == *sha256);
                found.ok_or_else(|| differs(oldest.0, sha256, Some(&oldest.1)))?
            }
            Adopt::FirstUse => {
                if let Some(known) = known.as_ref().filter(|_| !instead) {
                    require_there(known, &all)?;
                }
                oldest
            }
        };
        let anchor = Anchor {
            version: *version,
            sha256: digest(bytes),
        };
        let kept = known
            .as_ref()
            .filter(|known| require_there(known, &all).is_ok());
        if let (Some(known), None, false) = (&known, kept, instead) {
            return Err(Error::AnchorLeft {
                version: known.version,
                last: last.0,
            });
        }
        // What was asked for says which history it is; what follows it has just been verified.
        let remembered = if is_settled(&store)? {
            Anchor {
                version: last.0,
                sha256: digest(&last.1),
            }
        } else {
            let newer = kept.filter(|kept| kept.version > anchor.version);
            newer.unwrap_or(&anchor).clone()
        };
        // How far the places of another history have come says nothing about this one.
        let forgotten = match (&known, kept) {
            (Some(_), None) => crate::publish::forget(layout).into_iter().collect(),
            _ => Vec::new(),
        };
        let ignored = Write::file(layout.ignore_file(), WriteKind::Replace(IGNORED.to_vec()));
        Ok(Plan {
            actions: vec![adopted(&anchor, bytes, self.policy())?],
            steps: vec![forgotten, vec![ignored, remembered.write(layout)]],
            lock: Some(lock),
        })
    }
}

impl Anchor {
    fn write(&self, layout: &Layout) -> Write {
        let value = Value::from_iter([
            ("format", Value::from(1)),
            ("sha256", Value::from(self.sha256.to_hex())),
            ("version", Value::from(self.version.number())),
        ]);
        Write::file(place(layout), WriteKind::Replace(value.to_compact_json()))
    }
}

/// The writes by which whoever makes a repository forgets one that was in the same place: who does so has keys and a history of
/// another one.
pub(crate) fn forget(layout: &Layout) -> Vec<Write> {
    let root = place(layout);
    let root = root.exists().then(|| Write::file(root, WriteKind::Remove));
    root.into_iter().chain(forget_work(layout)).collect()
}

/// The same without the root: the open change, and how far it was published.
fn forget_work(layout: &Layout) -> impl Iterator<Item = Write> {
    let change = layout.change();
    let change = change
        .exists()
        .then(|| Write::file(change, WriteKind::Remove));
    change.into_iter().chain(crate::publish::forget(layout))
}

/// The writes by which a copy remembers the root that it begins with, whatever was in the same place before.
pub(crate) fn begin(layout: &Layout, version: Version, root: &[u8]) -> Vec<Write> {
    let sha256 = digest(root);
    let anchor = Anchor { version, sha256 }.write(layout);
    forget_work(layout).chain([anchor]).collect()
}

/// The write by which a copy remembers its root, unless it remembers one already.
pub(crate) fn remember(
    layout: &Layout,
    version: Version,
    root: &[u8],
) -> Result<Option<Write>, Error> {
    let sha256 = digest(root);
    let known = read(layout)?.is_some();
    Ok((!known).then(|| Anchor { version, sha256 }.write(layout)))
}

/// The write by which a copy that is being used remembers the last root, if it is newer than the one that it remembers. It does not
/// as long as a publication that replaces keys has broken off: what the keys before have signed is needed until that goes on.
pub(crate) fn advance(store: &Store) -> Result<Option<Write>, Error> {
    let last = store.head(&RoleName::Root);
    let Some(version) = last.filter(|_| store.remembered() < last) else {
        return Ok(None);
    };
    if !is_settled(store)? {
        return Ok(None);
    }
    let root = store.sealed(&RoleName::Root, version)?;
    Ok(newer(store, version, &root))
}

/// The write by which a copy remembers a root that has been published, if it is newer than the one that it remembers.
pub(crate) fn newer(store: &Store, version: Version, root: &[u8]) -> Option<Write> {
    let newer = store.remembered().is_some_and(|known| known < version);
    let sha256 = digest(root);
    newer.then(|| Anchor { version, sha256 }.write(store.layout()))
}

/// Refuses metadata that does not follow the root that is remembered. `drafted` is the root in the open change: a first publication
/// that broke off remembers it before it is sealed. Says which version is remembered.
pub(crate) fn require(store: &Store, drafted: Option<&Document>) -> Result<Option<Version>, Error> {
    let known = read(store.layout())?;
    let all = roots(store)?;
    let remembered = known.as_ref().map(|known| known.version);
    match (known, all.first()) {
        (None, None) => Ok(()),
        (None, Some((version, bytes))) => Err(Error::AnchorUnknown {
            directory: store.layout().directory().to_owned(),
            version: *version,
            sha256: digest(bytes),
        }),
        (Some(known), None) => match drafted.map(Document::to_bytes) {
            Some(root) if digest(&root) == known.sha256 => Ok(()),
            _ => Err(differs(known.version, &known.sha256, None)),
        },
        (Some(known), Some(_)) => require_there(&known, &all),
    }?;
    Ok(remembered)
}

fn require_there(known: &Anchor, all: &[(Version, Vec<u8>)]) -> Result<(), Error> {
    let found = sealed(all, known.version);
    if found.is_some_and(|found| digest(found) == known.sha256) {
        return Ok(());
    }
    Err(differs(known.version, &known.sha256, found))
}

fn differs(version: Version, expected: &Digest, found: Option<&Vec<u8>>) -> Error {
    Error::AnchorDiffers {
        version,
        expected: Box::new(*expected),
        found: found.map(|found| Box::new(digest(found))),
    }
}

fn sealed(all: &[(Version, Vec<u8>)], version: Version) -> Option<&Vec<u8>> {
    let found = all.iter().find(|(of, _)| *of == version);
    found.map(|(_, bytes)| bytes)
}

/// The roots that the last one follows without a gap, the oldest first.
fn roots(store: &Store) -> Result<Vec<(Version, Vec<u8>)>, Error> {
    let mut all = Vec::new();
    let mut next = store.head(&RoleName::Root);
    while let Some(version) = next {
        let Some(bytes) = store.found(&RoleName::Root, version)? else {
            break;
        };
        all.push((version, bytes));
        next = version.number().checked_sub(1).and_then(Version::new);
    }
    all.reverse();
    Ok(all)
}

fn version_of(root: &[u8]) -> Result<Version, Error> {
    let parsed = Parsed::<Root>::parse(root.to_vec());
    let parsed =
        parsed.map_err(|error| Error::format(Path::new("the root to be trusted"), error))?;
    Ok(parsed.unverified().version())
}

fn adopted(anchor: &Anchor, root: &[u8], policy: &Policy) -> Result<Action, Error> {
    let parsed = Parsed::<Root>::parse(root.to_vec());
    let parsed = parsed.map_err(|error| Error::format(Path::new("root"), error))?;
    let keys = parsed.unverified().role(&RoleName::Root);
    let keyids = keys.iter().flat_map(|keys| &keys.keyids);
    Ok(Action::Adopted {
        version: anchor.version,
        sha256: anchor.sha256,
        keys: keyids.map(|keyid| policy.key_name(keyid)).collect(),
        threshold: keys.map_or(0, |keys| keys.threshold),
    })
}

fn digest(bytes: &[u8]) -> Digest {
    tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, bytes)
}

fn read(layout: &Layout) -> Result<Option<Anchor>, Error> {
    let path = place(layout);
    let Some(bytes) = read_optional(&path)? else {
        return Ok(None);
    };
    let wrong = |reason| Error::format(&path, FormatError::new(0, reason));
    let value = Value::parse(&bytes).map_err(|error| Error::format(&path, error))?;
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    if number("format") != Some(1) {
        return Err(wrong(Reason::Invalid("a format of a later version")));
    }
    let version = number("version").and_then(Version::new);
    let sha256 = value.get("sha256").and_then(Value::as_str);
    let sha256 = sha256.and_then(|hex| Digest::from_hex(HashAlgorithm::Sha256, hex));
    match (version, sha256) {
        (Some(version), Some(sha256)) => Ok(Some(Anchor { version, sha256 })),
        _ => Err(wrong(Reason::Expected("a version and its SHA-256"))),
    }
}

/// Where it is remembered.
fn place(layout: &Layout) -> PathBuf {
    private::file(layout, "root.json")
}
