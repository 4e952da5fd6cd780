//! Publishing: the open change becomes versions that never change again, and clients come to see them.
//!
//! Nothing is written before a client, simulated by `tuffet-core`, has accepted all of it: one that begins with the first root,
//! and one that has seen what was published last. Then, in this order, each step harmless if it is the last one:
//!
//! 1. the bytes of new targets, under names that hold their hashes;
//! 2. what this copy has begun, so that it can tell; then the new versions of roles into the repository itself, and its timestamp: from
//!    here on their version numbers are used up;
//! 3. the new versions of roles into the published tree, where no client asks for them yet;
//! 4. root, if it changed, and `timestamp.json`: the switch, which is made only if nobody else has made another one since the tree
//!    was read;
//! 5. if the policy wants them, copies under names without versions, which who was overtaken must not write;
//! 6. the policy learns the names that came with the change, this copy remembers what was published, and the change ends.

mod artifacts;
mod behind;
mod copies;
pub(crate) mod destination;
mod elsewhere;
mod give_way;
mod in_force;
mod late;
mod prune;
mod published;
mod reached;
mod release;
mod renewal;
mod snapshot;
mod unpublished;
mod verify;

use std::collections::BTreeMap;

use tuffet_core::crypto::Key;
use tuffet_core::metadata::{
    DelegatedName, Delegations, KeyId, Parsed, RoleName, Targets, UnixTime, Version,
};
use tuffet_sign::Signer;

use crate::Error;
use crate::edit::check_policy;
use crate::error::MissingSignatures;
use crate::graph::Graph;
use crate::layout;
use crate::plan::{Action, Plan};
use crate::policy::Policy;
use crate::quorum::{Need, needs, needs_of};
use crate::repository::Repository;
use crate::session::Session;
use crate::sign::attach;
use crate::store::Store;
use crate::write::{Write, WriteKind};

pub(crate) use artifacts::{holds_target, sha256};
use reached::Reached;
use release::Release;
use verify::Switch;

pub use destination::{Bucket, Destination, Object};
pub(crate) use give_way::has_sealed;
pub use prune::Prune;
pub(crate) use published::Published;
pub(crate) use reached::{all_used, forget, unpublished};

/// Up to how many roles are written one after the other.
const ONE_BY_ONE: usize = 16;

/// What to publish, and where.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Publish {
    /// The place that is served; `None` for the one that the policy names.
    pub to: Option<Destination>,
    /// Roles that nobody delegates to any more and that leave snapshot. Only together with a rotation of a snapshot or
    /// timestamp key, because clients refuse a snapshot that lists less.
    pub drop_roles: Vec<DelegatedName>,
    /// Whether copies are written under names without versions and hashes, for clients that know no consistent snapshots; the
    /// policy can ask for them, too.
    pub unversioned_copies: bool,
    /// Metadata files, such as `2.root.json`, that somebody else has put where the repository is published, and that give way to
    /// those of the repository; and `timestamp.json`, where that is not as it should be.
    pub replace: Vec<String>,
    /// Whether only what is in force is published again, with another timestamp: the open change stays as it is, whoever has signed it.
    /// One whose publication has broken off is published to its end.
    pub in_force: bool,
    /// Whether there is another snapshot even if the last one is good for long.
    pub new_snapshot: bool,
}

impl Publish {
    /// Publishes to a directory or a store.
    #[must_use]
    pub fn to(destination: impl Into<Destination>) -> Self {
        Self {
            to: Some(destination.into()),
            ..Self::default()
        }
    }

    /// Writes copies under names without versions and hashes.
    #[must_use]
    pub fn unversioned_copies(mut self) -> Self {
        self.unversioned_copies = true;
        self
    }

    /// A file of this name that is not of this repository gives way.
    ///
    /// A version never changes once clients can have seen it, so this is for what a thief has left, and only where no other
    /// number can be used: roots follow one another without a gap, and of other roles people have signed the version. A file of
    /// these that enough keys of today have signed does not give way. A `timestamp.json` is named where it is gone, older than this
    /// copy knows, or signed by nobody: nothing else tells a copy that is behind that it is.
    #[must_use]
    pub fn replace(mut self, name: &str) -> Self {
        self.replace.push(name.to_owned());
        self
    }

    /// Publishes nothing but what is in force, and leaves the open change as it is.
    #[must_use]
    pub fn in_force(mut self) -> Self {
        self.in_force = true;
        self
    }

    /// Makes another snapshot in any case.
    #[must_use]
    pub fn new_snapshot(mut self) -> Self {
        self.new_snapshot = true;
        self
    }

    /// This role leaves snapshot.
    #[must_use]
    pub fn drop_role(mut self, role: DelegatedName) -> Self {
        self.drop_roles.push(role);
        self
    }
}

impl Repository {
    /// Applies the open change, writes a snapshot if one is needed and a timestamp in any case, and publishes.
    ///
    /// The online signers sign snapshot and timestamp, and whatever in the change they may. When a key of snapshot or timestamp is
    /// rotated, give the old one too, if it is still there: then no client meets a moment in which nothing fits.
    ///
    /// # Errors
    /// [`Error::SignaturesMissing`], [`Error::Stale`], [`Error::NoDestination`], [`Error::DestinationInside`],
    /// [`Error::RoleEmpty`], [`Error::RoleRemoved`], [`Error::ContentMissing`], [`Error::CopyName`], [`Error::VersionReused`], [`Error::TimestampLost`],
    /// [`Error::VersionsUsedUp`], [`Error::Behind`], [`Error::Diverged`], what the policy refuses,
    /// and [`Error::Refused`] with the reason why a client would not accept the result.
    pub fn publish(
        &self,
        publish: &Publish,
        online: &[&dyn Signer],
        now: UnixTime,
    ) -> Result<Plan, Error> {
        // Nothing is read for a place that cannot be.
        self.destination(publish.to.as_ref())?;
        let session = match publish.in_force {
            true => self.begin_in_force()?,
            false => self.begin()?,
        };
        session.publish(publish, online, now)
    }

    /// Writes the new versions into the repository itself: root first, who delegates before those whom it delegates to, snapshot and
    /// the timestamp last. Whatever is sealed when it breaks off was then signed by those whom the versions above it name, or belongs
    /// to what was published before (`heads`).
    fn seal(&self, store: &Store, graph: &Graph, release: &Release) -> Vec<Vec<Write>> {
        let metadata = self.layout().metadata();
        let depths = graph.depths();
        let mut steps: BTreeMap<usize, Vec<Write>> = BTreeMap::new();
        for staged in &release.files {
            if staged.version.is_some() && store.head(&staged.role) >= staged.version {
                continue;
            }
            let step = match &staged.role {
                RoleName::Root => 0,
                RoleName::Snapshot => usize::MAX - 1,
                RoleName::Timestamp => usize::MAX,
                // Bins delegate nothing, and come after all others.
                role => depths
                    .get(role)
                    .map_or(usize::MAX - 2, |depth| depth.saturating_add(1)),
            };
            let write = Write::file(metadata.join(staged.name()), staged.write_kind());
            steps.entry(step).or_default().push(write);
        }
        steps.into_values().collect()
    }

    /// Takes versions that are given up out of `metadata/`, and keeps them for whoever looks into the incident.
    fn put_away(&self, store: &Store) -> Result<[Vec<Write>; 2], Error> {
        let (mut kept, mut removed) = (Vec::new(), Vec::new());
        for (role, version) in store.given_up().iter() {
            let path = store.sealed_path(role, version);
            let Some(bytes) = store.found(role, version)? else {
                continue;
            };
            let name = layout::file_name(role, Some(version));
            let copy = self.layout().given_up().join(name);
            kept.push(Write::file(copy, WriteKind::Replace(bytes)));
            removed.push(Write::file(path, WriteKind::Remove));
        }
        Ok([kept, removed])
    }

    /// Where the policy says that the repository is published.
    #[must_use]
    pub fn publish_to(&self) -> Option<Destination> {
        let to = self.policy().publish_to.as_ref()?;
        Some(to.below(self.directory()))
    }

    /// Where to publish, if that is a place where nothing private comes to light.
    fn destination(&self, to: Option<&Destination>) -> Result<Destination, Error> {
        let destination = match to {
            Some(to) => to.clone(),
            None => self.publish_to().ok_or(Error::NoDestination)?,
        };
        if let Destination::Directory(directory) = &destination {
            let (own, place) = (layout::real(self.directory()), layout::real(directory));
            let own_files = self.layout();
            let private = [
                own_files.working(),
                own_files.online_key(),
                own_files.change().with_file_name(""),
                own_files.metadata(),
            ];
            // A link that came with a push may lead from there into the place.
            let mut private = private.iter().map(|path| layout::real(path));
            if own.starts_with(&place)
                || private.any(|path| place.starts_with(&path) || path.starts_with(&place))
            {
                return Err(Error::DestinationInside(directory.clone()));
            }
        }
        Ok(destination)
    }
}

/// What [`Repository::publish`] does.
pub(crate) fn publish(
    mut session: Session<'_>,
    publish: &Publish,
    online: &[&dyn Signer],
    now: UnixTime,
) -> Result<Plan, Error> {
    let repository = session.repository;
    let left = publish
        .in_force
        .then(|| in_force::leave_change(&mut session));
    let left = left.transpose()?.flatten();
    let policy = left.as_ref().unwrap_or(repository.policy());
    let published = Published::open(&repository.destination(publish.to.as_ref())?)?;
    let reached = Reached::read(repository.layout(), published.destination())?;
    session.store.require_current()?;
    // What is in force was looked at when it was made, and clients wait for it.
    if !publish.in_force && session.store.has_open() {
        check_policy(&session.graph, policy)?;
    }
    let mut actions = attach(&mut session.store, &session.graph, policy, online)?;
    // What is sealed has to be what the open change says: who comes after a crash compares them.
    let signed = (!actions.is_empty()).then(|| session.store.write_change());
    let (store, graph) = (&session.store, &session.graph);
    require_quorum(store, graph, policy)?;
    for (role, draft) in store.drafts().filter(|(_, draft)| draft.is_exact()) {
        crate::accept::require_time(role, draft, now)?;
    }

    let roots = release::roots(store)?;
    let last = verify::last_state(&published, store, release::first_root(&roots)?, now)?;
    let place = release::Place {
        store,
        graph,
        policy,
        published: &published,
        last: &last,
    };
    if let Some(gives_way) = give_way::gives_way(&place, &reached)? {
        return Err(gives_way.error(&published));
    }
    behind::require_up_to_date(&place, &publish.replace)?;
    let release = place.compose(roots, publish, online, now)?;
    let fresh = unpublished::unpublished(&place, &release, &publish.replace)?;
    let verified = verify::verify(&place, &release, publish, &reached, fresh.other_root, now)?;
    let artifacts = artifacts::missing(&place, &release)?;
    let (copies, copied) = if publish.unversioned_copies || policy.unversioned_copies {
        copies::unversioned(&place, &release)?
    } else {
        (Vec::new(), None)
    };

    let begun = signed.into_iter().chain(reached.begin(&place));
    let sealing = reached.sealing(&place, &release);
    let late = late::late(&place, &release)?;
    // It may have been made by somebody else who has not published it.
    let online = |action: &Action| {
        matches!(
            action,
            Action::Published {
                role: RoleName::Snapshot,
                ..
            }
        )
    };
    if !late.iter().all(online) {
        check_policy(&session.graph, policy)?;
    }
    let left_alone = left
        .as_ref()
        .map(|_| in_force::left_alone(&place, &late, session.unread));
    let left_alone = left_alone.transpose()?;
    // Where it is published somebody else may be writing.
    let begun = begun.chain(store.sweep());
    let begun = begun.chain(crate::sweep::drafts(repository.layout())?);
    let mut steps = vec![
        begun.collect(),
        artifacts.writes,
        sealing.into_iter().collect(),
    ];
    if store.head(&RoleName::Root).is_none() {
        let first = release.files.iter().find(|one| one.role == RoleName::Root);
        if let Some((version, root)) = first.and_then(|one| Some((one.version?, &one.bytes))) {
            let anchor = crate::anchor::remember(repository.layout(), version, root)?;
            steps.push(anchor.into_iter().collect());
        }
    }
    steps.extend(repository.seal(store, graph, &release));
    let root = release.staged(&RoleName::Root);
    let root = root.filter(|_| published.timestamp().is_some());
    steps.extend(in_order(
        fresh.writes,
        verified.switch,
        root.and_then(|root| root.version),
    ));
    steps.extend(copies);
    let learned = repository.write_policy(&store.learned)?;
    steps.push(
        reached
            .write(&place, &release)
            .into_iter()
            .chain(learned)
            .collect(),
    );
    if left.is_none() {
        steps.extend(repository.put_away(store)?);
    }
    let root = release.staged(&RoleName::Root);
    let root = root.and_then(|root| crate::anchor::newer(store, root.version?, &root.bytes));
    steps.push(root.into_iter().collect());
    if left.is_none() {
        steps.push(crate::sweep::content_unlisted(store, graph)?);
        steps.push(vec![store.remove_change()]);
    }

    actions.extend(store.drafts().map(|(role, draft)| Action::Applied {
        role: role.clone(),
        version: draft.version().unwrap_or(Version::FIRST),
    }));
    actions.extend(artifacts.actions);
    actions.extend(copied);
    actions.extend(late);
    actions.extend(fresh.actions);
    actions.extend(verified.actions);
    actions.extend(release.actions());
    actions.extend(left_alone);
    Ok(Plan {
        actions,
        steps,
        lock: Some(session.lock),
    })
}

/// Refuses a change that too few have signed, or that takes the ground from under what others have signed before.
fn require_quorum(store: &Store, graph: &Graph, policy: &Policy) -> Result<(), Error> {
    let mut missing = Vec::new();
    let mut count = |role: &RoleName, version, all: Vec<Need>| {
        if all.is_empty() {
            return Err(Error::RoleUnknown(role.clone()));
        }
        if !all.iter().all(Need::is_met) {
            missing.push((role.clone(), version, all));
        }
        Ok(())
    };
    for (role, draft) in store.drafts() {
        let version = draft.version().unwrap_or(Version::FIRST);
        count(role, version, needs_of(role, draft, graph, policy)?)?;
    }
    for role in affected(store, graph)? {
        if let (Some(version), Some(bytes)) = (store.head(&role), store.head_bytes(&role)?) {
            count(&role, version, needs(&role, &bytes, graph, policy)?)?;
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Error::SignaturesMissing(MissingSignatures(missing)))
    }
}

/// The roles that have no draft and whose keys or threshold are others once the change is applied.
fn affected(store: &Store, graph: &Graph) -> Result<Vec<RoleName>, Error> {
    let mut all = Vec::new();
    if graph.old_root().is_some() && store.draft(&RoleName::Targets).is_none() {
        all.push(RoleName::Targets);
    }
    for (by, next) in graph.delegations() {
        let (Some(_), Some(head)) = (store.draft(by), store.head_bytes(by)?) else {
            continue;
        };
        let head = Parsed::<Targets>::parse(head);
        let before = head
            .as_ref()
            .ok()
            .and_then(|head| head.unverified().delegations());
        for name in graph.delegated_by(by) {
            let role = RoleName::Delegated(name.clone());
            let same = before.is_some_and(|before| signers(before, &name) == signers(next, &name));
            if !same && store.draft(&role).is_none() {
                all.push(role);
            }
        }
    }
    Ok(all)
}

/// Who may sign for a delegated role.
fn signers<'d>(
    delegations: &'d Delegations,
    name: &DelegatedName,
) -> Option<(u64, Vec<Option<&'d Key>>)> {
    let role = delegations.role(name)?;
    let key = |keyid: &KeyId| delegations.keys().key(keyid.as_str());
    Some((role.threshold, role.keyids.iter().map(key).collect()))
}

/// What nobody asks for yet first, and then root and timestamp.
///
/// A few roles and the snapshot are written one after the other, in an order that is the same for everybody: of several who publish
/// different versions at the same time, one then gets all of its own. Many roles are bins, which are quicker at once; the first of
/// them is written alone, so that it decides between those who begin with the same one. A directory keeps the order in any case.
///
/// `root` is the last root, if there are clients that come to it.
fn in_order(
    writes: Vec<(&RoleName, Write)>,
    switch: Switch,
    root: Option<Version>,
) -> Vec<Vec<Write>> {
    let (mut quiet, mut snapshot) = (Vec::new(), Vec::new());
    let (mut roots, mut timestamp) = (Vec::new(), Vec::new());
    for (role, write) in writes {
        match role {
            // Clients ask for one root after the other, so each has to be there before the next.
            RoleName::Root => roots.push(vec![write]),
            RoleName::Timestamp => timestamp.push(write),
            RoleName::Snapshot => snapshot.push(write),
            _ => quiet.push((role, write)),
        }
    }
    quiet.sort_by_key(|(role, _)| (*role).clone());
    let mut quiet = quiet.into_iter().map(|(_, write)| write);
    let mut steps: Vec<Vec<Write>> = if quiet.len() > ONE_BY_ONE {
        vec![quiet.by_ref().take(1).collect(), quiet.collect()]
    } else {
        quiet.map(|write| vec![write]).collect()
    };
    steps.push(snapshot);
    match switch {
        Switch::RootFirst | Switch::Gap => {
            if !roots.is_empty() {
                timestamp
                    .iter_mut()
                    .for_each(|write| write.kind.comes_after(root));
            }
            steps.extend(roots);
            steps.push(timestamp);
        }
        Switch::TimestampFirst => {
            steps.push(timestamp);
            steps.extend(roots);
        }
    }
    steps
}

/// The name of a metadata file without a version.
fn timestamp_name() -> String {
    layout::file_name(&RoleName::Timestamp, None)
}
