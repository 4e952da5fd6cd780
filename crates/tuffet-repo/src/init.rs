//! Making a repository.

mod layouts;

use std::path::Path;

use tuffet_core::metadata::{DelegatedName, RoleName, UnixTime, Version};
use tuffet_sign::Signer;

use crate::Error;
use crate::builder;
use crate::channel::NewChannel;
use crate::delegate::{self, Delegate, DelegatedPaths};
use crate::document::Document;
use crate::graph::Graph;
use crate::keys::{NamedKey, require_distinct};
use crate::layout::{IGNORED, Layout};
use crate::plan::{Action, Plan};
use crate::policy::{Period, Policy, RolePolicy};
use crate::publish::Destination;
use crate::repository::Repository;
use crate::role::require_some;
use crate::sign::attach;
use crate::store::Store;
use crate::write::{Write, WriteKind};

pub use layouts::InitLayout;

/// What a new repository is to be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InitOptions {
    /// What it is called.
    pub name: String,
    /// Root.
    pub root: RoleOptions,
    /// The top-level targets role.
    pub targets: RoleOptions,
    /// Snapshot.
    pub snapshot: RoleOptions,
    /// Timestamp.
    pub timestamp: RoleOptions,
    /// Where it is published; a directory is one relative to the repository.
    pub publish_to: Option<Destination>,
    /// Directories of targets with keys of their own: those of targets, to begin with.
    pub channels: Vec<DelegatedName>,
    /// Hash bins, signed by the keys of snapshot, for many targets that come and go.
    pub bins: Option<BinOptions>,
    /// Whether people sign snapshot and timestamp by hand, so that their keys are none of automation.
    pub by_hand: bool,
    /// Whether keys of snapshot and timestamp, which automation holds, may sign root and targets too (O-03, O-07).
    pub allow_online: bool,
}

/// Who signs for a role.
#[derive(Debug, Clone)]
pub struct RoleOptions {
    /// The keys.
    pub keys: Vec<NamedKey>,
    /// How many of them have to sign.
    pub threshold: u64,
    /// How long a version is valid.
    pub period: Period,
}

/// The bins of a new repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BinOptions {
    /// There are 2 to the power of this; from 1 to 16.
    pub bit_length: u32,
    /// How long a version of a bin is valid.
    pub period: Period,
}

/// What the names of bins begin with.
const BIN: &str = "bin";

impl InitOptions {
    /// Root and targets signed by people, snapshot and timestamp by one of the online keys; root valid for a year, targets for
    /// 90 days, snapshot for a week, timestamp for a day.
    #[must_use]
    pub fn new(name: &str, people: Vec<NamedKey>, threshold: u64, online: Vec<NamedKey>) -> Self {
        let role = |keys: &Vec<NamedKey>, threshold, days| RoleOptions {
            keys: keys.clone(),
            threshold,
            period: Period::days(days),
        };
        Self {
            name: name.to_owned(),
            root: role(&people, threshold, 365),
            targets: role(&people, threshold, 90),
            snapshot: role(&online, 1, 7),
            timestamp: role(&online, 1, 1),
            publish_to: None,
            channels: Vec::new(),
            bins: None,
            by_hand: false,
            allow_online: false,
        }
    }

    fn roles(&self) -> [(RoleName, &RoleOptions); 4] {
        [
            (RoleName::Root, &self.root),
            (RoleName::Targets, &self.targets),
            (RoleName::Snapshot, &self.snapshot),
            (RoleName::Timestamp, &self.timestamp),
        ]
    }

    fn policy(&self) -> Policy {
        let mut policy = Policy::new(&self.name);
        policy.publish_to.clone_from(&self.publish_to);
        policy.allow_online = self.allow_online;
        for (role, options) in self.roles() {
            let (threshold, period) = (options.threshold, options.period);
            policy
                .roles
                .insert(role.as_str().to_owned(), RolePolicy::new(threshold, period));
            let online = matches!(role, RoleName::Snapshot | RoleName::Timestamp);
            for key in &options.keys {
                policy.name_key(key, online && !self.by_hand);
            }
        }
        for delegate in self.delegates() {
            let (threshold, period) = (delegate.threshold, delegate.period);
            let role = delegate.role.as_str().to_owned();
            policy
                .roles
                .insert(role, RolePolicy::new(threshold, period));
        }
        policy
    }

    /// What targets delegates from the beginning.
    fn delegates(&self) -> Vec<Delegate> {
        let (targets, snapshot) = (&self.targets, &self.snapshot);
        let channel = |name: &DelegatedName| {
            let delegate = NewChannel::delegation(name, targets.keys.clone());
            delegate.threshold(targets.threshold).period(targets.period)
        };
        let bins = self.bins.as_ref().and_then(|bins| {
            let bit_length = bins.bit_length;
            let name = DelegatedName::new(BIN).ok()?;
            let paths = DelegatedPaths::Bins { bit_length };
            let delegate = Delegate::new(name, paths, snapshot.keys.clone());
            Some(delegate.threshold(snapshot.threshold).period(bins.period))
        });
        self.channels.iter().map(channel).chain(bins).collect()
    }

    /// Refuses names and numbers that clients read in different ways.
    fn check(&self) -> Result<(), Error> {
        let unsuited = |why| {
            Err(Error::RoleUnsuited {
                role: RoleName::Targets,
                why,
            })
        };
        if self.bins.is_some() && !self.channels.is_empty() {
            return unsuited("delegates to bins or to roles by name, and not to both");
        }
        for (place, channel) in self.channels.iter().enumerate() {
            delegate::require_plain(channel)?;
            let same =
                |other: &DelegatedName| other.as_str().eq_ignore_ascii_case(channel.as_str());
            if self.channels.iter().skip(place.saturating_add(1)).any(same) {
                return unsuited("has two channels whose names differ in nothing but case");
            }
        }
        for delegate in self.delegates() {
            delegate::check_paths(&delegate.paths)?;
        }
        for (role, of) in self.roles() {
            require_distinct(&role, &of.keys)?;
            require_some(&role, of.threshold)?;
        }
        Ok(())
    }

    fn drafts(&self, now: UnixTime) -> Vec<(RoleName, Document)> {
        let mut root = builder::Root::new(Version::FIRST, self.root.period.after(now));
        for (role, options) in self.roles() {
            root = root.role(&role, &options.keys, options.threshold);
        }
        let mut targets = builder::Targets::new(Version::FIRST, self.targets.period.after(now));
        let mut delegated = Vec::new();
        for delegate in self.delegates() {
            targets = targets.delegate(&delegate);
            let first = builder::Targets::new(Version::FIRST, delegate.period.after(now)).build();
            let names = delegate.names().into_iter().map(RoleName::Delegated);
            delegated.extend(names.map(|name| (name, first.clone())));
        }
        let top = [
            (RoleName::Root, root.build()),
            (RoleName::Targets, targets.build()),
        ];
        top.into_iter().chain(delegated).collect()
    }
}

impl Repository {
    /// Makes a repository in a directory: its policy, and a change with the first versions of root and targets, signed by those
    /// of the signers that may. [`Repository::publish`] applies it.
    ///
    /// # Errors
    /// [`Error::Exists`]; [`Error::RoleNameUnsafe`] and [`Error::RoleUnsuited`] for channels and bins that do not fit;
    /// [`Error::TooFewKeys`], [`Error::KeyDuplicate`] and [`Error::OnlineKey`] for keys that do not fit; [`Error::Signer`].
    pub fn init(
        directory: &Path,
        options: &InitOptions,
        signers: &[&dyn Signer],
        now: UnixTime,
    ) -> Result<Plan, Error> {
        let layout = Layout::new(directory);
        if layout.policy().exists() || layout.metadata().exists() {
            return Err(Error::Exists(directory.to_owned()));
        }
        options.check()?;
        let policy = options.policy();
        let mut actions = vec![Action::Created {
            name: options.name.clone(),
        }];
        actions.extend(policy.keys.values().filter_map(|key| {
            let keyid = tuffet_core::metadata::KeyId::new(&key.keyid).ok()?;
            Some(Action::Named {
                key: policy.key_name(&keyid),
            })
        }));

        let mut store = Store::empty(&layout);
        for (role, draft) in options.drafts(now) {
            // Bins are said once.
            let bin = options.bins.is_some() && matches!(role, RoleName::Delegated(_));
            actions.extend((!bin).then(|| Action::Drafted {
                role: role.clone(),
                version: Version::FIRST,
                from: None,
            }));
            store.set_draft(role, draft);
        }
        actions.extend(
            options
                .delegates()
                .iter()
                .map(|delegate| Action::Delegated {
                    role: delegate.role.as_str().to_owned(),
                    by: RoleName::Targets,
                    count: delegate.names().len() as u64,
                }),
        );
        let graph = Graph::load(&store)?;
        crate::edit::check_policy(&graph, &policy)?;
        actions.extend(attach(&mut store, &graph, &policy, signers)?);

        let ignored = Write::file(layout.ignore_file(), WriteKind::Replace(IGNORED.to_vec()));
        // A directory is a repository once it has a policy, so that comes last.
        let policy = Write::file(
            layout.policy(),
            WriteKind::Once(policy.to_toml().into_bytes().into()),
        );
        Ok(Plan {
            actions,
            steps: vec![
                crate::anchor::forget(&layout),
                vec![ignored, store.write_change()],
                vec![policy],
            ],
            lock: None,
        })
    }
}
