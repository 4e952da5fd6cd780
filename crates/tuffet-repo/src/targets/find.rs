//! Who lists a target, and taking it back.

use tuffet_core::metadata::{RoleName, TargetPath, UnixTime};

use super::{TargetEntry, listed, read_entry};
use crate::Error;
use crate::delegate::{Delegation, list};
use crate::edit::Edit;
use crate::graph::{Graph, Link};
use crate::plan::{Action, Plan};
use crate::repository::Repository;
use crate::store::Store;

/// A role that lists a target, and how clients come to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// What the role says about the target.
    pub entry: TargetEntry,
    /// The delegations that lead to the role, the first by targets; none for targets itself, and none if clients that look for
    /// the path do not ask this role.
    pub way: Vec<Link>,
    /// Whether this is what clients find: the role is the first of those they ask that lists the target.
    pub found: bool,
}

impl Repository {
    /// Every role that lists a target, those first that clients ask first, with the open change applied.
    ///
    /// # Errors
    /// [`Error::TargetUnlisted`] if no role does; [`Error::Io`], [`Error::Format`].
    pub fn find_target(&self, path: &TargetPath) -> Result<Vec<Listing>, Error> {
        let store = Store::load(self.layout())?;
        let graph = Graph::load(&store)?;
        let mut all = Vec::new();
        let asked = graph.asked_for(path);
        for (role, way) in &asked {
            if let Some(entry) = entry(&store, role, path)? {
                let found = all.is_empty();
                let way = way.clone();
                all.push(Listing { entry, way, found });
            }
        }
        let others = every(&graph).into_iter();
        for role in others.filter(|role| !asked.iter().any(|(known, _)| known == role)) {
            if let Some(entry) = entry(&store, &role, path)? {
                all.push(Listing {
                    entry,
                    way: Vec::new(),
                    found: false,
                });
            }
        }
        if all.is_empty() {
            return Err(Error::TargetUnlisted(path.clone()));
        }
        Ok(all)
    }

    /// Takes a target back: out of every role that lists the path. A path without a channel is taken out of every channel, too.
    /// Clients that have downloaded the target keep it, and its bytes stay where they were published.
    ///
    /// # Errors
    /// [`Error::TargetUnlisted`] if no role lists it, [`Error::RoleExternal`] if one does that is signed elsewhere.
    pub fn yank_target(&self, path: &TargetPath, now: UnixTime) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        let graph = edit.graph()?;
        let channels = list::all(&edit.store, &graph, self.policy())?;
        let channels = channels.iter().filter(|one| one.is_channel());
        let in_channel =
            |channel: &Delegation| TargetPath::new(&format!("{}/{path}", channel.role)).ok();
        let mut paths = vec![path.clone()];
        paths.extend(channels.filter_map(in_channel));
        for role in every(&graph) {
            for path in &paths {
                if listed(&edit.store, &role, path)?.is_none() {
                    continue;
                }
                let targets = edit.open(&role, now)?.object("targets");
                targets.remove(path.as_str());
                edit.actions.push(Action::TargetRemoved {
                    path: path.clone(),
                    role: role.clone(),
                });
            }
        }
        let removed = |action: &Action| matches!(action, Action::TargetRemoved { .. });
        if !edit.actions.iter().any(removed) {
            return Err(Error::TargetUnlisted(path.clone()));
        }
        edit.finish()
    }
}

/// Every role that may list targets, each once.
pub(super) fn every(graph: &Graph) -> Vec<RoleName> {
    let delegated = graph.delegated().into_iter();
    let delegated = delegated.map(|(_, name)| RoleName::Delegated(name));
    let mut all: Vec<RoleName> = std::iter::once(RoleName::Targets)
        .chain(delegated)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn entry(store: &Store, role: &RoleName, path: &TargetPath) -> Result<Option<TargetEntry>, Error> {
    let entry = listed(store, role, path)?;
    Ok(entry.and_then(|entry| read_entry(path.as_str(), &entry, role)))
}
