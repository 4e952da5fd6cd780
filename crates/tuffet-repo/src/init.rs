//! Making a repository.

use std::path::Path;

use tuffet_core::metadata::{RoleName, UnixTime, Version};
use tuffet_sign::Signer;

use crate::Error;
use crate::builder;
use crate::document::Document;
use crate::graph::Graph;
use crate::keys::{NamedKey, require_distinct};
use crate::layout::{IGNORED, Layout};
use crate::plan::{Action, Plan};
use crate::policy::{Period, Policy, RolePolicy};
use crate::publish::Destination;
use crate::repository::Repository;
use crate::sign::attach;
use crate::store::Store;
use crate::write::{Write, WriteKind};

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
                .insert(role.as_str().to_owned(), RolePolicy { threshold, period });
            let online = matches!(role, RoleName::Snapshot | RoleName::Timestamp);
            for key in &options.keys {
                policy.name_key(key, online);
            }
        }
        policy
    }

    fn drafts(&self, now: UnixTime) -> [(RoleName, Document); 2] {
        let mut root = builder::Root::new(Version::FIRST, self.root.period.after(now));
        for (role, options) in self.roles() {
            root = root.role(&role, &options.keys, options.threshold);
        }
        let targets = builder::Targets::new(Version::FIRST, self.targets.period.after(now));
        [
            (RoleName::Root, root.build()),
            (RoleName::Targets, targets.build()),
        ]
    }
}

impl Repository {
    /// Makes a repository in a directory: its policy, and a change with the first versions of root and targets, signed by those
    /// of the signers that may. [`Repository::publish`] applies it.
    ///
    /// # Errors
    /// [`Error::Exists`]; [`Error::TooFewKeys`], [`Error::KeyDuplicate`] and [`Error::OnlineKey`] for keys that do not fit; [`Error::Signer`].
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
        for (role, of) in options.roles() {
            require_distinct(&role, &of.keys)?;
        }
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
            actions.push(Action::Drafted {
                role: role.clone(),
                version: Version::FIRST,
                from: None,
            });
            store.set_draft(role, draft);
        }
        let graph = Graph::load(&store)?;
        crate::edit::check_policy(&graph, &policy)?;
        actions.extend(attach(&mut store, &graph, &policy, signers)?);

        let ignored = Write::file(layout.ignore_file(), WriteKind::Replace(IGNORED.to_vec()));
        // A directory is a repository once it has a policy, so that comes last.
        let policy = Write::file(
            layout.policy(),
            WriteKind::Once(policy.to_toml().into_bytes()),
        );
        Ok(Plan {
            actions,
            steps: vec![vec![ignored, store.write_change()], vec![policy]],
            lock: None,
        })
    }
}
