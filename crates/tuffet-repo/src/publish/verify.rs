//! What clients will make of it, asked before anything is written.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use tuffet_core::crypto::Crypto;
use tuffet_core::json::Value;
use tuffet_core::metadata::{Role as _, RoleName, TargetPath, Targets, UnixTime, Version};
use tuffet_core::trust::{Class, Rejected, TrustedView};

use super::reached::Reached;
use super::release::{Place, Release, Staged};
use super::{Publish, renewal, timestamp_name};
use crate::Error;
use crate::document::Document;
use crate::exchanged::Exchanged;
use crate::layout;
use crate::plan::Action;
use crate::quorum::count_with;
use crate::recall::Recall;
use crate::store::{Store, require_version};
use crate::targets::read_entry;
use crate::tree::{Client, Directory, Fault, Overlay, Tree};

/// How many new targets are looked for. Every new version is read and counted, whatever their number.
const LOOKED_FOR: usize = 256;

/// In which order root and timestamp are written, if both are new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    /// What is published now is good under the new root.
    RootFirst,
    /// What is new is good under the root that is published now.
    TimestampFirst,
    /// Neither: a client that comes between the two writes refuses, and succeeds when it tries again.
    Gap,
}

/// What came out.
pub(super) struct Verdict {
    pub(super) switch: Switch,
    pub(super) actions: Vec<Action>,
}

/// Refuses a release that a client would refuse, whether it is new or has seen what was published last. Clients of another root are
/// not asked: `other_root` says that one was published which is not of this repository.
///
/// Everything is verified once, by a client that begins with the first root. What a client has seen before it was verified when that
/// was read, so that for it there is left whether anything goes back.
pub(super) fn verify(
    place: &Place<'_>,
    release: &Release,
    publish: &Publish,
    reached: &Reached,
    other_root: bool,
    now: UnixTime,
) -> Result<Verdict, Error> {
    let published = place.published;
    let own = Directory(place.store.layout().metadata());
    let all = overlay(published, release, |_| true);
    let mut actions = Vec::new();
    let drafts = place.store.drafts().map(|(_, draft)| draft);
    let recall = Recall::of(drafts.chain(&release.signed), tuffet_crypto::aws_lc());
    let exchanged = OnceCell::new();
    for staged in &release.files {
        require_good(place, release, staged, &recall, now)?;
        require_own(place, release, staged, &exchanged)?;
    }

    let mut new = Client::new(&recall);
    let view = new
        .refresh(&all, &release.first_root, now)
        .map_err(|fault| fault.while_doing("verifying from the first root"))?;
    let (looked_for, view) = look_for(place, release, &mut new, &all, view)?;
    actions.extend(looked_for);

    let seen = match place.last {
        LastState::Seen(_) if other_root => None,
        last => {
            actions.extend(reached.require(place, release, publish)?);
            last.seen()
        }
    };
    // Mostly both are the same, and one client is enough for both.
    let own = if own.file(&timestamp_name())?.as_deref() == published.timestamp() {
        LastState::Nothing
    } else {
        last_state(&own, place.store, &release.first_root, now)?
    };
    for before in seen.into_iter().chain(own.seen()) {
        before.accepts(&view, &all, release, now)?;
    }

    actions.extend(renewal::warnings(place, release, &view, now)?);
    let switch = match seen {
        Some(seen) => {
            require_another_version(place, release)?;
            order(place, release, seen, now)?
        }
        None => Switch::RootFirst,
    };
    if switch == Switch::Gap {
        actions.push(Action::Gap);
    }
    Ok(Verdict { switch, actions })
}

/// Refuses a new version of a targets role that clients would refuse when they come to it: the core reads and counts the very bytes, for
/// everybody who names keys of the role, however many roles these are.
fn require_good(
    place: &Place<'_>,
    release: &Release,
    staged: &Staged,
    crypto: &dyn Crypto,
    now: UnixTime,
) -> Result<(), Error> {
    let (role, version) = match (&staged.role, staged.version) {
        (role @ (RoleName::Targets | RoleName::Delegated(_)), Some(version)) => (role, version),
        _ => return Ok(()),
    };
    if release.before(role) == Some(version) {
        return Ok(());
    }
    let mut expires = None;
    for authority in place.graph.authorities(role) {
        let (quorum, parsed) = count_with::<Targets>(crypto, role, &staged.bytes, &authority)?;
        let file = parsed.unverified();
        require_version(role, version, Some(file.version()))?;
        if !quorum.is_met() {
            return Err(Error::HeadUnsigned {
                role: role.clone(),
                version,
            });
        }
        expires = Some(file.expires());
    }
    match expires {
        Some(expires) if expires <= now => Err(Fault::Refused(
            Rejected::Expired {
                role: role.clone(),
                version,
                expires,
                now,
            }
            .into(),
        )
        .while_doing("looking at a new version")),
        _ => Ok(()),
    }
}

/// Refuses a sealed version that is to become visible and is the file of another role, or may be: whoever can push needs no key to put it
/// there. What the last snapshot here lists by its hash is no other.
fn require_own<'p>(
    place: &'p Place<'_>,
    release: &'p Release,
    staged: &Staged,
    exchanged: &OnceCell<Exchanged<'p>>,
) -> Result<(), Error> {
    let before = release.listing_before();
    let seen = place.last.view().map(|view| view.snapshot().listing());
    let (Some(version), Some(listed)) = (staged.version, seen.or(before)) else {
        return Ok(());
    };
    let (role, bytes) = (&staged.role, &staged.bytes);
    let crypto = tuffet_crypto::aws_lc();
    if staged.news.is_some()
        || !matches!(role, RoleName::Targets | RoleName::Delegated(_))
        || listed.version(role) >= Some(version)
        || before.is_some_and(|before| before.identifies(role, bytes, crypto))
    {
        return Ok(());
    }
    let exchanged = exchanged.get_or_init(|| Exchanged::of(listed));
    if exchanged.is_of_another(place.store, Some(place.published), role, version, bytes)? {
        return Err(Error::HeadUnsigned {
            role: role.clone(),
            version,
        });
    }
    Ok(())
}

/// What clients can have seen of a tree.
pub(super) enum LastState {
    Nothing,
    /// A client that has seen it.
    Seen(Seen),
    /// Why no client can have accepted it.
    Refused(Action),
}

impl LastState {
    pub(super) fn seen(&self) -> Option<&Seen> {
        match self {
            Self::Seen(seen) => Some(seen),
            Self::Nothing | Self::Refused(_) => None,
        }
    }

    /// What was verified of it.
    pub(super) fn view(&self) -> Option<&TrustedView> {
        self.seen().map(Seen::view)
    }
}

/// A client that has seen a tree.
pub(super) struct Seen {
    client: Client<'static>,
    view: TrustedView,
    /// The last moment at which it can have.
    then: UnixTime,
}

impl Seen {
    /// What was verified of the tree.
    pub(super) fn view(&self) -> &TrustedView {
        &self.view
    }

    /// Refuses what the client would refuse of a tree from which a new client has got a view.
    fn accepts(
        &self,
        view: &TrustedView,
        tree: &dyn Tree,
        release: &Release,
        now: UnixTime,
    ) -> Result<(), Error> {
        let refused = match view.follows(&self.view) {
            Some(Ok(())) => return Ok(()),
            Some(Err(rejected)) => Fault::Refused((*rejected).into()),
            // Under another root its keys decide what still counts of what was seen: the client goes the whole way.
            None => match self.client.clone().refresh(tree, &release.first_root, now) {
                Ok(_) => return Ok(()),
                Err(fault) => fault,
            },
        };
        Err(refused.while_doing("verifying from the last published state"))
    }
}

/// What clients can have seen of a tree, which may have expired since.
pub(super) fn last_state(
    tree: &dyn Tree,
    store: &Store,
    first_root: &[u8],
    now: UnixTime,
) -> Result<LastState, Error> {
    if tree.file(&timestamp_name())?.is_none() {
        return Ok(LastState::Nothing);
    }
    let mut then = now;
    let mut client = Client::default();
    let mut seen = client.refresh(tree, first_root, then);
    if matches!(&seen, Err(fault) if fault.is_stale()) {
        then = last_good(tree, store, now)?;
        client = Client::default();
        seen = client.refresh(tree, first_root, then);
    }
    match seen {
        Ok(view) => Ok(LastState::Seen(Seen { client, view, then })),
        Err(Fault::Unread(error)) => Err(error),
        Err(Fault::Refused(error)) => {
            let code = match &error {
                tuffet_core::trust::Error::Rejected(rejected) => rejected.code(),
                _ => "publish.refused",
            };
            let why = error.to_string();
            Ok(LastState::Refused(Action::DestinationUnverified {
                code,
                why,
            }))
        }
    }
}

/// Clients that have seen a timestamp ignore another one of the same version, so nobody may publish one.
pub(super) fn require_another_version(place: &Place<'_>, release: &Release) -> Result<(), Error> {
    let version = |bytes: &[u8]| Document::parse(bytes).ok()?.version();
    let old = place.published.timestamp();
    let new = release
        .files
        .iter()
        .find(|staged| staged.role == RoleName::Timestamp);
    match (old, new) {
        (Some(old), Some(new))
            if version(old) == version(&new.bytes) && old != new.bytes.as_slice() =>
        {
            Err(Error::VersionReused {
                at: place.published.metadata(&timestamp_name()),
            })
        }
        _ => Ok(()),
    }
}

/// Finds an order of the last two writes in which the tree is good in between, too.
fn order(
    place: &Place<'_>,
    release: &Release,
    seen: &Seen,
    now: UnixTime,
) -> Result<Switch, Error> {
    let published = place.published;
    let is_root = |staged: &Staged| staged.role == RoleName::Root;
    let news = release.files.iter().filter(|staged| is_root(staged));
    let mut changed = false;
    for root in news {
        changed |= !published.has(&root.name());
    }
    if !changed {
        return Ok(Switch::RootFirst);
    }
    let accepts = |tree: &Overlay<'_>, at| {
        let mut clients = [Client::default(), seen.client.clone()];
        for client in &mut clients {
            match client.refresh(tree, &release.first_root, at) {
                Ok(_) => {}
                Err(Fault::Refused(_)) => return Ok(false),
                Err(Fault::Unread(error)) => return Err(error),
            }
        }
        Ok(true)
    };
    let without_timestamp = overlay(published, release, |staged| {
        staged.role != RoleName::Timestamp
    });
    if accepts(&without_timestamp, seen.then)? {
        return Ok(Switch::RootFirst);
    }
    let without_root = overlay(published, release, |staged| !is_root(staged));
    if accepts(&without_root, now)? {
        return Ok(Switch::TimestampFirst);
    }
    Ok(Switch::Gap)
}

fn overlay<'t>(
    base: &'t dyn Tree,
    release: &'t Release,
    wanted: impl Fn(&Staged) -> bool,
) -> Overlay<'t> {
    let files = release.files.iter().filter(|staged| wanted(staged));
    Overlay {
        base,
        files: files
            .map(|staged| (staged.name(), staged.bytes.as_slice()))
            .collect::<BTreeMap<String, &[u8]>>(),
    }
}

/// The latest moment, now or before, at which nothing in the tree had expired: clients may have accepted it then.
pub(super) fn last_good(tree: &dyn Tree, store: &Store, now: UnixTime) -> Result<UnixTime, Error> {
    let expires = |bytes: Option<Vec<u8>>| {
        let document = bytes.and_then(|bytes| Document::parse(&bytes).ok());
        document.and_then(|document| document.expires())
    };
    let mut moments = vec![now];
    let mut versions = Vec::new();
    let timestamp = tree.file(&timestamp_name())?;
    let listed = |bytes: &[u8], name: &str| {
        let document = Document::parse(bytes).ok()?;
        let version = document.member("meta")?.get(name)?.get("version")?;
        version.as_u64().and_then(Version::new)
    };
    if let Some(version) = timestamp
        .as_deref()
        .and_then(|bytes| listed(bytes, "snapshot.json"))
    {
        versions.push((RoleName::Snapshot, version));
        let snapshot = tree.file(&layout::file_name(&RoleName::Snapshot, Some(version)))?;
        let targets = snapshot
            .as_deref()
            .and_then(|bytes| listed(bytes, "targets.json"));
        versions.extend(targets.map(|version| (RoleName::Targets, version)));
    }
    let mut root = store.next_version(&RoleName::Root);
    while let Some(version) = root {
        let file = layout::file_name(&RoleName::Root, root);
        if tree.file(&file)?.is_some() {
            versions.push((RoleName::Root, version));
            break;
        }
        root = version.number().checked_sub(1).and_then(Version::new);
    }
    moments.extend(expires(timestamp).map(before));
    for (role, version) in versions {
        let bytes = tree.file(&layout::file_name(&role, Some(version)))?;
        moments.extend(expires(bytes).map(before));
    }
    Ok(moments.into_iter().min().unwrap_or(now))
}

fn before(moment: UnixTime) -> UnixTime {
    UnixTime(moment.0.saturating_sub(1))
}

/// Looks for new targets as a client would: every role on the way is verified, and a target that another role answers for is
/// pointed out.
fn look_for(
    place: &Place<'_>,
    release: &Release,
    client: &mut Client<'_>,
    tree: &dyn Tree,
    mut view: TrustedView,
) -> Result<(Vec<Action>, TrustedView), Error> {
    let mut actions = Vec::new();
    for (role, path) in new_targets(place, release)? {
        let (found, next) = client
            .search(tree, view, path.clone())
            .map_err(|fault| fault.while_doing("looking for a new target"))?;
        view = next;
        match found {
            Ok(found) if found.role == role => {}
            Ok(found) => actions.push(Action::Shadowed {
                path,
                role,
                by: Some(found.role),
            }),
            Err(rejected) if rejected.class() == Class::NotFound => {
                actions.push(Action::Shadowed {
                    path,
                    role,
                    by: None,
                });
            }
            Err(rejected) => {
                let fault = Fault::Refused((*rejected).into());
                return Err(fault.while_doing("looking for a new target"));
            }
        }
    }
    Ok((actions, view))
}

/// Targets that clients have not seen, and one at least of every role that is new: these come first, so that a role with many targets
/// leaves room for the others.
fn new_targets(place: &Place<'_>, release: &Release) -> Result<Vec<(RoleName, TargetPath)>, Error> {
    let (mut first, mut others) = (Vec::new(), Vec::new());
    for (role, draft) in place.store.drafts() {
        let entries = |document: &Document| -> BTreeMap<String, Value> {
            let listed = document.member("targets").and_then(Value::as_object);
            listed.cloned().unwrap_or_default()
        };
        let old = match release.before(role) {
            Some(version) => place.store.found(role, version)?,
            None => None,
        };
        let old = old.and_then(|bytes| Document::parse(&bytes).ok());
        let old = old.as_ref().map(&entries).unwrap_or_default();
        let room = LOOKED_FOR.saturating_sub(others.len());
        let (mut added, mut same) = (Vec::new(), None);
        for (path, entry) in entries(draft) {
            let is_new = old.get(&path) != Some(&entry);
            if !is_new && same.is_some() {
                continue;
            }
            let Some(entry) = read_entry(&path, &entry, role) else {
                continue;
            };
            let found = (role.clone(), entry.path);
            match is_new {
                true => added.push(found),
                false => same = Some(found),
            }
            if added.len() > room {
                break;
            }
        }
        let mut added = added.into_iter();
        first.extend(added.next().or(same));
        others.extend(added);
        if first.len() >= LOOKED_FOR {
            break;
        }
    }
    first.append(&mut others);
    first.truncate(LOOKED_FOR);
    Ok(first)
}
