//! The open change: what was edited and is not published yet.

mod contents;
mod difference;
mod exchange;
mod file;
mod names;
mod undo;

use std::path::PathBuf;

use tuffet_core::metadata::{RoleName, UnixTime, Version};

pub use contents::{ChangeContents, DraftContents};
pub use difference::{Difference, differences};
pub use exchange::Preview;
pub(crate) use exchange::digest;
pub(crate) use file::ChangeFile;
pub use names::KeyNames;
pub(crate) use undo::keep;

use crate::Error;
use crate::document::Document;
use crate::graph::Graph;
use crate::keys::KeyName;
use crate::lock::Lock;
use crate::plan::{Action, Plan};
use crate::policy::{Policy, RolePolicy};
use crate::quorum::{Need, needs_of};
use crate::repository::Repository;
use crate::store::Store;
use crate::write::{Write, WriteKind, read_bounded};

/// The open change: the unit that people sign.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The next versions of the roles that were edited; none if nothing is open.
    pub drafts: Vec<Draft>,
    /// The keys that the policy will know by name once the change is applied.
    pub named: Vec<KeyName>,
    /// What the policy will ask of roles, by their names or what the names of bins begin with.
    pub asked: Vec<(String, RolePolicy)>,
    /// The roles that the policy will forget, because nobody delegates to them any more.
    pub forgotten: Vec<String>,
    /// Versions that a thief has made and that count no longer once the change is applied.
    pub given_up: Vec<(RoleName, Version)>,
    /// The timestamp with which this copy has begun to publish and has not come to the end: its versions are used up, and clients may
    /// not see them yet.
    pub unpublished: Option<Version>,
    /// What the policy calls keys, as far as no draft lists another key under their keyids.
    pub names: KeyNames,
    /// Whether that publication is one of what is open. It was one of what is in force otherwise, beside which this waits.
    pub half_sealed: bool,
}

impl Change {
    /// Whether every draft has the signatures that it needs.
    #[must_use]
    pub fn is_quorate(&self) -> bool {
        self.drafts.iter().all(Draft::is_quorate)
    }

    /// Whether a publication of what is in force has broken off while this waits: this cannot be published yet, and
    /// [`crate::Publish::in_force`] ends that publication.
    #[must_use]
    pub fn is_beside_unpublished(&self) -> bool {
        let waits = !self.is_quorate() || self.is_overtaken();
        self.unpublished.is_some() && waits && !self.half_sealed
    }

    /// Whether somebody else has used the version of a draft meanwhile, so that nothing of this can be signed or published.
    #[must_use]
    pub fn is_overtaken(&self) -> bool {
        self.drafts.iter().any(|draft| draft.overtaken)
    }
}

/// The next version of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Draft {
    /// The role.
    pub role: RoleName,
    /// The version.
    pub version: Version,
    /// The version before; `None` for the first.
    pub from: Option<Version>,
    /// When it expires.
    pub expires: UnixTime,
    /// Who has signed and who is missing, for every set of keys that has to agree.
    pub needs: Vec<Need>,
    /// What it says that the version before does not, and the other way round.
    pub differences: Vec<Difference>,
    /// Whether it was signed elsewhere and is passed on as it is: see [`Repository::accept_role`].
    pub accepted: bool,
    /// Whether somebody else has used its version for something else meanwhile.
    pub overtaken: bool,
    bytes: Vec<u8>,
}

impl Draft {
    /// Whether it has the signatures that it needs.
    #[must_use]
    pub fn is_quorate(&self) -> bool {
        !self.needs.is_empty() && self.needs.iter().all(Need::is_met)
    }

    /// The metadata file as it would be published, with the signatures so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Repository {
    /// The open change.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`].
    pub fn change(&self) -> Result<Change, Error> {
        let store = Store::load(self.layout())?;
        of(&store, &Graph::load(&store)?, self.policy(), |_| true)
    }

    /// Forgets the open change, with the names of keys that came with it. One that cannot be read is kept under another name. What it has
    /// staged stays until the next change is published: the same change may come back from somebody else.
    ///
    /// # Errors
    /// [`Error::NoChange`]; [`Error::ChangeSealed`] if a publication of it has broken off, whose versions would be published by the
    /// next one all the same.
    pub fn drop_change(&self) -> Result<Plan, Error> {
        let lock = self.lock()?;
        let dropped = |(role, draft): (&RoleName, &Document)| Action::Dropped {
            role: role.clone(),
            version: draft.version().unwrap_or(Version::FIRST),
        };
        let path = self.layout().change();
        let mut note = None;
        let actions: Vec<Action> = match Store::load(self.layout()) {
            Ok(store) if store.has_change() => {
                if crate::publish::has_sealed(&store)? {
                    return Err(Error::ChangeSealed);
                }
                // What cannot be tidied up keeps nobody from dropping.
                note = crate::sweep::note_content(&store).unwrap_or_default();
                store.drafts().map(dropped).collect()
            }
            Ok(_) => return Err(Error::NoChange),
            Err(Error::Format { path: damaged, .. }) if damaged == path => {
                return put_aside(path, lock);
            }
            // What may not be gone on with can be dropped.
            Err(Error::ChangeForeign { .. } | Error::VersionRemembered { .. }) => {
                let drafts = ChangeFile::read(&path)?.drafts;
                drafts.iter().map(dropped).collect()
            }
            Err(error) => return Err(error),
        };
        Ok(Plan {
            actions,
            steps: vec![
                crate::sweep::drafts(self.layout())?,
                note.into_iter().collect(),
                vec![Write::file(path, WriteKind::Remove)],
            ],
            lock: Some(lock),
        })
    }
}

/// Takes a file that cannot be read out of the way. Somebody may still want to know what it was.
fn put_aside(path: PathBuf, lock: Lock) -> Result<Plan, Error> {
    // What is longer than any change, or no file, is not worth it.
    let bytes = read_bounded(&path, file::LARGEST)?.unwrap_or_default();
    let kept = (!bytes.is_empty()).then(|| path.with_file_name("change.damaged.json"));
    let keep = kept
        .iter()
        .map(|to| Write::file(to.clone(), WriteKind::Replace(bytes.clone())));
    let keep = keep.collect();
    Ok(Plan {
        actions: kept.into_iter().map(|to| Action::PutAside { to }).collect(),
        steps: vec![keep, vec![Write::file(path, WriteKind::Remove)]],
        lock: Some(lock),
    })
}

/// The open change of a repository that has been read, with the drafts of some roles.
pub(crate) fn of(
    store: &Store,
    graph: &Graph,
    policy: &Policy,
    wanted: impl Fn(&RoleName) -> bool,
) -> Result<Change, Error> {
    let (mut drafts, mut names) = (Vec::new(), KeyNames::of(policy, &store.learned));
    for (role, document) in store.drafts().filter(|(role, _)| wanted(role)) {
        let bytes = document.to_bytes();
        let before = store.head_document(role)?;
        let both = before.iter().chain([document]);
        both.for_each(|one| names.see(one.signed()));
        drafts.push(Draft {
            role: role.clone(),
            version: document.version().unwrap_or(Version::FIRST),
            from: store.head(role),
            expires: document.expires().unwrap_or(UnixTime(0)),
            needs: needs_of(role, document, graph, policy)?,
            accepted: document.is_exact(),
            overtaken: store.is_overtaken(role),
            differences: differences(before.as_ref().map(Document::signed), document.signed()),
            bytes,
        });
    }
    let named = store.learned.named().map(|(name, keyid)| KeyName {
        keyid,
        name: Some(name),
    });
    let asked = store.learned.asked();
    Ok(Change {
        drafts,
        named: named.collect(),
        asked: asked.map(|(name, role)| (name.to_owned(), role)).collect(),
        forgotten: store.learned.forgotten().map(str::to_owned).collect(),
        given_up: {
            let all = store.given_up().iter();
            all.map(|(role, version)| (role.clone(), version)).collect()
        },
        unpublished: crate::publish::unpublished(store)?,
        names,
        half_sealed: store.is_half_sealed(),
    })
}
