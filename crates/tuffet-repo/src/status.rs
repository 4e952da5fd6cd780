//! What is in force: roles, versions, expiries, keys.

use tuffet_core::delegation::SuccinctRoles;
use tuffet_core::metadata::{
    Parsed, Role, RoleDelegations, RoleName, Root, Snapshot, Targets, Timestamp, UnixTime, Version,
};
use tuffet_core::trust::Signers;
use tuffet_sign::Signer;

use crate::Error;
use crate::change::{self, Change};
use crate::graph::{Authority, Graph};
use crate::keys::KeyName;
use crate::obstacle::{Obstacle, obstacles};
use crate::policy::Policy;
use crate::quorum::{Need, count_as, named, need};
use crate::repository::Repository;
use crate::store::{Store, require_version};

/// What is known of a role, apart from the open change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleStatus {
    /// The role; for hash bins, what their names begin with.
    pub role: RoleName,
    /// Who delegates to it; `None` for top-level roles.
    pub delegator: Option<RoleName>,
    /// How many hash bins these are; `None` for a role of its own. What is said of bins is said of the one that expires first.
    pub bins: Option<u64>,
    /// The latest version that was sealed.
    pub version: Option<Version>,
    /// When that expires.
    pub expires: Option<UnixTime>,
    /// How many of its keys have to sign.
    pub threshold: u64,
    /// Its keys.
    pub keys: Vec<KeyName>,
    /// The keys that have signed that version.
    pub signed_by: Vec<KeyName>,
    /// Whether it is signed elsewhere: those who hold the keys make a new version, and nobody here can.
    pub external: bool,
    /// Whether `metadata/` lacks the version in force: there is none, or an older one than snapshot or timestamp lists. Of bins, whether
    /// that is so of any.
    pub missing: bool,
}

impl RoleStatus {
    /// Looks whether it is the version that is listed.
    fn compare(
        &mut self,
        snapshot: Option<&Parsed<Snapshot>>,
        timestamp: Option<&Parsed<Timestamp>>,
    ) {
        let listed = match &self.role {
            RoleName::Root | RoleName::Timestamp => None,
            RoleName::Snapshot => timestamp.map(|file| file.unverified().snapshot().version),
            role => snapshot.and_then(|file| file.unverified_listing().version(role)),
        };
        self.missing |= self.version.is_none() || listed > self.version;
    }
}

/// The state of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overview {
    /// Every role, as [`Repository::roles`] has them.
    pub roles: Vec<RoleStatus>,
    /// The open change.
    pub change: Change,
    /// What keeps the open change from being published, apart from signatures on it.
    pub obstacles: Vec<Obstacle>,
}

impl Repository {
    /// Every role: the four of root in the order of trust, then the delegated ones, each once for every delegator. Hash bins, which
    /// may be tens of thousands, are one entry.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`]; [`Error::HeadUnsigned`] for a bin that neither snapshot lists nor enough keys have signed.
    pub fn roles(&self) -> Result<Vec<RoleStatus>, Error> {
        self.statuses(&Store::load(self.layout())?, |_| true)
    }

    /// Every role and the open change, from one reading of the repository, and whether it could be published with these online signers.
    ///
    /// # Errors
    /// As [`Repository::roles`] and [`Repository::change`].
    pub fn overview(&self, online: &[&dyn Signer]) -> Result<Overview, Error> {
        let store = Store::load(self.layout())?;
        let graph = Graph::load(&store)?;
        Ok(Overview {
            change: change::of(&store, &graph, self.policy(), |_| true)?,
            obstacles: obstacles(&store, &graph, self.policy(), online),
            roles: self.statuses(&store, |_| true)?,
        })
    }

    /// What is known of one role, once for every delegator; of what the names of bins begin with, or of one bin, too.
    ///
    /// # Errors
    /// As [`Repository::roles`].
    pub fn role(&self, name: &RoleName) -> Result<Vec<RoleStatus>, Error> {
        let store = Store::load(self.layout())?;
        let mut all = self.statuses(&store, |role| role == name)?;
        if all.is_empty() {
            let store = store.without_drafts();
            let graph = Graph::load(&store)?;
            let reading = Reading::new(&store, self.policy());
            for authority in graph.authorities(name) {
                all.push(reading.status::<Targets>(name, &authority)?.0);
            }
        }
        Ok(all)
    }

    fn statuses(
        &self,
        store: &Store,
        wanted: impl Fn(&RoleName) -> bool,
    ) -> Result<Vec<RoleStatus>, Error> {
        let store = store.without_drafts();
        let graph = Graph::load(&store)?;
        let reading = Reading::new(&store, self.policy());
        let (mut all, mut snapshot, mut timestamp) = (Vec::new(), None, None);
        for role in [
            RoleName::Root,
            RoleName::Targets,
            RoleName::Snapshot,
            RoleName::Timestamp,
        ] {
            let authorities = graph.authorities(&role);
            let Some(authority) = authorities.last() else {
                continue;
            };
            let status = match role {
                RoleName::Root if wanted(&role) => reading.status::<Root>(&role, authority)?.0,
                RoleName::Timestamp => {
                    let status;
                    (status, timestamp) = reading.status::<Timestamp>(&role, authority)?;
                    status
                }
                // Others are compared with these two.
                RoleName::Snapshot => {
                    let status;
                    (status, snapshot) = reading.status::<Snapshot>(&role, authority)?;
                    status
                }
                RoleName::Targets if wanted(&role) => {
                    reading.status::<Targets>(&role, authority)?.0
                }
                _ => continue,
            };
            all.extend(wanted(&role).then_some(status));
        }
        for (by, delegations) in graph.delegations() {
            let authority = |keys| Authority {
                signers: Signers::Delegator(by.clone()),
                table: delegations.keys(),
                keys,
            };
            match delegations.roles() {
                RoleDelegations::Named(roles) => {
                    for of in roles {
                        let role = RoleName::Delegated(of.name.clone());
                        if wanted(&role) {
                            let authority = authority(&of.keys);
                            all.push(reading.status::<Targets>(&role, &authority)?.0);
                        }
                    }
                }
                RoleDelegations::Succinct(bins) => {
                    let role = RoleName::new(bins.name_prefix()).ok();
                    if let Some(role) = role.filter(&wanted) {
                        let authority = authority(bins.keys());
                        all.push(reading.bins(role, bins, &authority, snapshot.as_ref())?);
                    }
                }
            }
        }
        for status in &mut all {
            status.compare(snapshot.as_ref(), timestamp.as_ref());
        }
        Ok(all)
    }
}

/// What statuses are read from.
struct Reading<'r> {
    store: &'r Store,
    policy: &'r Policy,
}

impl<'r> Reading<'r> {
    fn new(store: &'r Store, policy: &'r Policy) -> Self {
        Self { store, policy }
    }

    /// What is known of a role before its file is read.
    fn unread(&self, role: &RoleName, authority: &Authority<'_>) -> RoleStatus {
        let keys = authority.keys.keyids.iter();
        RoleStatus {
            role: role.clone(),
            delegator: match &authority.signers {
                Signers::Delegator(by) => Some(by.clone()),
                _ => None,
            },
            bins: None,
            version: None,
            expires: None,
            threshold: authority.keys.threshold,
            keys: keys.map(|keyid| self.policy.key_name(keyid)).collect(),
            signed_by: Vec::new(),
            external: {
                let asked = self.policy.roles.get(role.as_str());
                asked.is_some_and(|asked| asked.external)
            },
            missing: false,
        }
    }

    /// The status of a role and its file, if enough have signed that.
    fn status<R: Role>(
        &self,
        role: &RoleName,
        authority: &Authority<'_>,
    ) -> Result<(RoleStatus, Option<Parsed<R>>), Error> {
        let mut status = self.unread(role, authority);
        let head = self.store.head(role);
        let bytes = match (role, head) {
            (RoleName::Timestamp, _) => self.store.timestamp_bytes()?,
            (_, Some(version)) => Some(self.store.sealed_unread(role, version)?),
            (_, None) => None,
        };
        let Some(bytes) = bytes else {
            return Ok((status, None));
        };
        let (quorum, file) = count_as::<R>(role, &bytes, authority)?;
        let version = file.unverified().version();
        if let Some(named) = head.filter(|_| *role != RoleName::Timestamp) {
            require_version(role, named, Some(version))?;
        }
        status.version = Some(version);
        status.expires = Some(file.unverified().expires());
        let counted = named(quorum, self.policy);
        let met = counted.is_met();
        status.signed_by = counted.signed;
        Ok((status, met.then_some(file)))
    }

    /// The status of the bin that expires first. The file of a bin that snapshot lists with its hash needs no look at its signatures:
    /// whoever signed snapshot has vouched for it.
    fn bins(
        &self,
        role: RoleName,
        bins: &SuccinctRoles,
        authority: &Authority<'_>,
        snapshot: Option<&Parsed<Snapshot>>,
    ) -> Result<RoleStatus, Error> {
        let listing = snapshot.map(Parsed::unverified_listing);
        let crypto = tuffet_crypto::aws_lc();
        let mut first: Option<(UnixTime, Version, RoleName, Vec<u8>)> = None;
        let mut missing = false;
        for name in bins.names() {
            let Ok(bin) = RoleName::new(&name) else {
                continue;
            };
            let Some(version) = self.store.head(&bin) else {
                missing = true;
                continue;
            };
            missing |= listing.and_then(|listing| listing.version(&bin)) > Some(version);
            let bytes = self.store.sealed_unread(&bin, version)?;
            let vouched = listing.is_some_and(|listing| listing.identifies(&bin, &bytes, crypto));
            if !vouched && !need(&bin, &bytes, authority, self.policy)?.is_met() {
                return Err(Error::HeadUnsigned { role: bin, version });
            }
            let file = Parsed::<Targets>::parse(bytes.clone());
            let file =
                file.map_err(|error| Error::format(&self.store.sealed_path(&bin, version), error))?;
            require_version(&bin, version, Some(file.unverified().version()))?;
            let expires = file.unverified().expires();
            if first
                .as_ref()
                .is_none_or(|(earliest, ..)| expires < *earliest)
            {
                first = Some((expires, version, bin, bytes));
            }
        }
        let mut status = self.unread(&role, authority);
        status.bins = Some(1_u64 << bins.bit_length());
        status.missing = missing;
        if let Some((expires, version, bin, bytes)) = first {
            let Need { signed, .. } = need(&bin, &bytes, authority, self.policy)?;
            status.version = Some(version);
            status.expires = Some(expires);
            status.signed_by = signed;
        }
        Ok(status)
    }
}
