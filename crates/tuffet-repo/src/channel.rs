//! Channels: directories of targets with keys of their own, such as `beta/` and `stable/`.
//!
//! A channel is nothing but a terminating delegation of `NAME/*` by targets to a role of the same name, so that every client knows
//! what to make of it.

use tuffet_core::metadata::{DelegatedName, KeyId, RoleName, TargetPath, UnixTime};

use crate::Error;
use crate::delegate::{Delegate, DelegatedPaths, Delegation, list};
use crate::edit::Edit;
use crate::graph::Graph;
use crate::keys::NamedKey;
use crate::plan::{Action, Plan};
use crate::policy::Period;
use crate::repository::Repository;
use crate::store::Store;
use crate::targets::{check_path, listed, read_entry};

/// The pattern of a channel's targets.
pub(crate) fn pattern(channel: &str) -> String {
    format!("{channel}/*")
}

/// A channel to make.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewChannel {
    /// What it is called; the paths of its targets begin with that and `/`.
    pub name: DelegatedName,
    /// Who signs, and how many of them have to; `None` for those who sign targets.
    pub signers: Option<(Vec<NamedKey>, u64)>,
    /// How long a version is valid; `None` for as long as one of targets.
    pub period: Option<Period>,
}

impl NewChannel {
    /// A channel that the keys of targets sign.
    #[must_use]
    pub fn new(name: DelegatedName) -> Self {
        Self {
            name,
            signers: None,
            period: None,
        }
    }

    /// These keys sign, so many of them.
    #[must_use]
    pub fn signers(self, keys: Vec<NamedKey>, threshold: u64) -> Self {
        Self {
            signers: Some((keys, threshold)),
            ..self
        }
    }

    /// The delegation that makes it.
    pub(crate) fn delegation(name: &DelegatedName, keys: Vec<NamedKey>) -> Delegate {
        let paths = DelegatedPaths::Patterns(vec![pattern(name.as_str())]);
        Delegate::new(name.clone(), paths, keys)
    }
}

/// A target that goes from one channel to another.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Promote {
    /// The target: its path, or what follows the name of the channel.
    pub target: String,
    /// The channel that lists it.
    pub from: DelegatedName,
    /// The channel that is to list it.
    pub to: DelegatedName,
    /// Whether an entry with another content is replaced.
    pub replace: bool,
}

impl Promote {
    /// Lists a target of one channel in another one, too.
    #[must_use]
    pub fn new(target: &str, from: DelegatedName, to: DelegatedName) -> Self {
        Self {
            target: target.to_owned(),
            from,
            to,
            replace: false,
        }
    }

    /// An entry with another content is replaced.
    #[must_use]
    pub fn replace(self) -> Self {
        Self {
            replace: true,
            ..self
        }
    }
}

impl Repository {
    /// Makes a channel.
    ///
    /// # Errors
    /// As [`Repository::delegate`].
    pub fn new_channel(&self, channel: &NewChannel, now: UnixTime) -> Result<Plan, Error> {
        let (keys, threshold) = match &channel.signers {
            Some((keys, threshold)) => (keys.clone(), *threshold),
            None => self.signers_of_targets()?,
        };
        let period = channel.period;
        let period = period.unwrap_or_else(|| self.policy().period(&RoleName::Targets));
        let delegate = NewChannel::delegation(&channel.name, keys);
        self.delegate(&delegate.threshold(threshold).period(period), now)
    }

    /// The channels, with the open change applied.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`].
    pub fn channels(&self) -> Result<Vec<Delegation>, Error> {
        let mut all = self.delegations()?;
        all.retain(Delegation::is_channel);
        Ok(all)
    }

    /// Lists a target of one channel in another one: the same bytes with the same custom data under the name of the other channel.
    /// Nothing is read but metadata. [`Repository::publish`] finds the bytes where they are published already.
    ///
    /// # Errors
    /// [`Error::ChannelUnknown`], [`Error::TargetNotListed`] if the one channel does not list it, [`Error::TargetExists`] if the
    /// other one lists another content under its name.
    pub fn promote(&self, promote: &Promote, now: UnixTime) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        let graph = edit.graph()?;
        for channel in [&promote.from, &promote.to] {
            require_channel(&edit.store, &graph, channel, self)?;
        }
        let file = promote.target.strip_prefix(&format!("{}/", promote.from));
        let file = file.unwrap_or(&promote.target);
        let (from, old) = (
            RoleName::Delegated(promote.from.clone()),
            in_channel(&promote.from, file)?,
        );
        let (to, new) = (
            RoleName::Delegated(promote.to.clone()),
            in_channel(&promote.to, file)?,
        );
        let entry = listed(&edit.store, &from, &old)?;
        let target = entry
            .as_ref()
            .and_then(|entry| read_entry(old.as_str(), entry, &from));
        let (Some(entry), Some(target)) = (entry, target) else {
            return Err(Error::TargetNotListed {
                path: old,
                role: from,
            });
        };
        check_path(&new, &target.hashes)?;
        if !graph.covers(&to, &new) {
            return Err(Error::TargetOutside {
                path: new,
                covers: graph.covered(&to),
                role: to,
            });
        }
        match listed(&edit.store, &to, &new)? {
            // There is nothing that somebody would have to sign.
            Some(there) if there == entry => return edit.finish(),
            Some(_) if !promote.replace => {
                return Err(Error::TargetExists {
                    path: new,
                    role: to,
                });
            }
            _ => {}
        }
        let targets = edit.open(&to, now)?.object("targets");
        targets.insert(new.as_str().to_owned(), entry);
        edit.actions.push(Action::Promoted {
            from: old,
            to: new,
            role: to,
            length: target.length,
        });
        edit.finish()
    }

    fn signers_of_targets(&self) -> Result<(Vec<NamedKey>, u64), Error> {
        let graph = Graph::load(&Store::load(self.layout())?)?;
        let root = graph.root().ok_or(Error::RoleUnknown(RoleName::Root))?;
        let keys = root.role(&RoleName::Targets);
        let keys = keys.ok_or(Error::RoleUnknown(RoleName::Targets))?;
        let named = |keyid: &KeyId| {
            let name = self.policy().key_name(keyid).name;
            let name = name.unwrap_or_else(|| keyid.as_str().to_owned());
            self.key_in(&graph, &name)
        };
        let all: Result<Vec<NamedKey>, Error> = keys.keyids.iter().map(named).collect();
        Ok((all?, keys.threshold))
    }
}

fn require_channel(
    store: &Store,
    graph: &Graph,
    name: &DelegatedName,
    repository: &Repository,
) -> Result<(), Error> {
    let all = list::all(store, graph, repository.policy())?;
    let mut channels = all.into_iter().filter(Delegation::is_channel);
    if channels.any(|channel| channel.role == name.as_str()) {
        return Ok(());
    }
    Err(Error::ChannelUnknown(name.as_str().to_owned()))
}

fn in_channel(channel: &DelegatedName, file: &str) -> Result<TargetPath, Error> {
    let path = TargetPath::new(&format!("{channel}/{file}"));
    path.map_err(|_| Error::ChannelUnknown(channel.as_str().to_owned()))
}
