//! The honest side: keyholders who publish, rotate, delegate and recover.

use std::collections::{BTreeMap, BTreeSet};

use super::artifact::{
    Archive, BIN, Body, Content, Delegation, Delegations, Draft, Grant, Id, Listed, Listing, Named,
    Paths, Role, Signature, TARGETS,
};
use super::deviation::Deviations;
use super::network::{Files, Url};
use super::signing::Signing;

/// When the simulation begins.
pub(crate) const BEGINNING: i64 = 1_900_000_000;

/// How long files may live, in seconds.
pub(crate) const LIVES: [i64; 5] = [60, 600, 6_000, 60_000, 600_000];

/// The delegated roles that have a name.
pub(crate) const NAMED_ROLES: u8 = 6;

/// What is said about listed files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether the length is said.
    pub(crate) length: bool,
    /// Whether the hash is said.
    pub(crate) hash: bool,
}

impl Style {
    /// What a file of this style says about another.
    #[must_use]
    pub(crate) fn list(self, archive: &Archive, id: Id) -> Listed {
        let file = archive.get(id);
        Listed {
            version: file.draft.version,
            length: self.length.then_some(file.bytes.len() as u64),
            hash: self.hash.then_some(file.hash),
        }
    }
}

/// A targets role as its holders know it.
#[derive(Debug, Clone)]
pub(crate) struct TargetsRole {
    targets: BTreeMap<u8, Content>,
    /// Whom it delegates to.
    pub(crate) delegations: Delegations,
    /// What is published of it.
    pub(crate) current: Id,
}

/// The repository as its people know it.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    /// Who speaks for the four roles.
    pub(crate) grants: [Grant; 4],
    consistent: bool,
    /// The roots, from version 1.
    pub(crate) roots: Vec<Id>,
    /// The timestamp.
    pub(crate) timestamp: Id,
    /// The snapshot.
    pub(crate) snapshot: Id,
    /// The targets roles.
    pub(crate) roles: BTreeMap<Role, TargetsRole>,
    /// How files are listed.
    pub(crate) style: Style,
    files: Files,
    next_key: u16,
    next_content: u16,
}

/// Which files come in an envelope by DSSE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// None.
    Never,
    /// Every second version of each role.
    Sometimes,
    /// All.
    Always,
}

/// What the people of a repository work with.
pub(crate) struct Tools<'t> {
    /// Where files come into being.
    pub(crate) archive: &'t mut Archive,
    /// Who signs.
    pub(crate) signing: &'t dyn Signing,
    /// The time.
    pub(crate) now: i64,
    /// Which files are wrapped.
    pub(crate) wrapping: Wrapping,
    /// How what they write deviates from the specification, and whether that is so of roots.
    pub(crate) odd: (Deviations, bool),
}

impl Tools<'_> {
    /// Whether this version of a role is wrapped.
    #[must_use]
    pub(crate) fn wraps(&self, version: u64) -> bool {
        match self.wrapping {
            Wrapping::Never => false,
            Wrapping::Sometimes => version.is_multiple_of(2),
            Wrapping::Always => true,
        }
    }

    fn sign(&mut self, role: Role, version: u64, life: u8, body: Body, keys: &[Named]) -> Id {
        let life = LIVES[usize::from(life) % LIVES.len()];
        let draft = Draft {
            role,
            version,
            expires: self.now + life,
            body,
            signatures: keys.iter().copied().map(Signature::honest).collect(),
            padding: 0,
            dsse: self.wraps(version),
            odd: match self.odd {
                (_, false) if role == Role::Root => Deviations::NONE,
                (odd, _) => odd,
            },
        };
        self.archive.add(draft, self.signing)
    }
}

/// The place of a top-level role in a root.
#[must_use]
pub(crate) fn place(role: Role) -> usize {
    match role {
        Role::Root => 0,
        Role::Timestamp => 1,
        Role::Snapshot => 2,
        Role::Targets | Role::Delegated(_) => 3,
    }
}

impl Repository {
    /// A repository with one target, published.
    #[must_use]
    pub(crate) fn new(consistent: bool, tools: &mut Tools<'_>) -> Self {
        let mut repository = Self {
            grants: Default::default(),
            consistent,
            roots: Vec::new(),
            timestamp: Id(0),
            snapshot: Id(0),
            roles: BTreeMap::new(),
            style: Style {
                length: true,
                hash: true,
            },
            files: Files::new(),
            next_key: 0,
            next_content: 0,
        };
        for (role, [keys, threshold]) in [[3, 2], [1, 1], [1, 1], [1, 1]].into_iter().enumerate() {
            repository.grants[role] = repository.fresh_grant(keys, threshold);
        }
        repository.publish_root(4, &[], tools);
        let targets = TargetsRole {
            targets: BTreeMap::from([(0, repository.content())]),
            delegations: Delegations::None,
            current: Id(0),
        };
        repository.roles.insert(Role::Targets, targets);
        repository.publish(&[Role::Targets], 4, tools);
        repository
    }

    /// What its server has.
    #[must_use]
    pub(crate) fn files(&self) -> Files {
        self.files.clone()
    }

    /// A key that nobody had before.
    pub(crate) fn fresh_key(&mut self) -> Named {
        self.next_key += 1;
        Named {
            key: self.next_key,
            alias: 0,
        }
    }

    /// Something that was in no target before.
    pub(crate) fn content(&mut self) -> Content {
        self.next_content += 1;
        Content {
            number: self.next_content,
            hashes: Listing::drawn(self.next_content / 2),
        }
    }

    fn fresh_grant(&mut self, keys: u8, threshold: u8) -> Grant {
        Grant {
            keys: (0..keys).map(|_| self.fresh_key()).collect(),
            threshold,
        }
    }

    /// Where a version of a role is served.
    #[must_use]
    pub(crate) fn url(&self, role: Role, version: u64) -> Url {
        match role {
            Role::Root => (role, version),
            Role::Timestamp => (role, 0),
            _ => (role, if self.consistent { version } else { 0 }),
        }
    }

    fn put(&mut self, role: Role, version: u64, id: Id) {
        let url = self.url(role, version);
        self.files.insert(url, id);
    }

    /// Publishes the next root, signed by its own keys and by these.
    pub(crate) fn publish_root(&mut self, life: u8, old: &[Named], tools: &mut Tools<'_>) {
        let version = self.roots.len() as u64 + 1;
        let body = self.root_body();
        let mut keys = self.grants[0].keys.clone();
        keys.extend(old.iter().filter(|key| !self.grants[0].keys.contains(key)));
        let id = tools.sign(Role::Root, version, life, body, &keys);
        self.roots.push(id);
        self.put(Role::Root, version, id);
    }

    /// What the next root says.
    #[must_use]
    pub(crate) fn root_body(&self) -> Body {
        Body::Root {
            grants: self.grants.clone(),
            consistent: self.consistent,
        }
    }

    /// The keys of everybody who may speak for a role.
    #[must_use]
    pub(crate) fn signers(&self, role: Role) -> Vec<Named> {
        if !matches!(role, Role::Delegated(_)) {
            return self.grants[place(role)].keys.clone();
        }
        let mut keys = BTreeSet::new();
        for other in self.roles.values() {
            match &other.delegations {
                Delegations::None => {}
                Delegations::Named(roles) => roles
                    .iter()
                    .filter(|delegation| delegation.role == role)
                    .for_each(|delegation| keys.extend(&delegation.grant.keys)),
                Delegations::Bins { grant, .. } => {
                    if matches!(role, Role::Delegated(number) if number >= BIN) {
                        keys.extend(&grant.keys);
                    }
                }
            }
        }
        keys.into_iter().collect()
    }

    /// Publishes the next version of these targets roles, and of snapshot and timestamp.
    pub(crate) fn publish(&mut self, touched: &[Role], life: u8, tools: &mut Tools<'_>) {
        for &role in touched {
            let version = self.version_after(role, tools);
            let keys = self.signers(role);
            let known = &self.roles[&role];
            let body = Body::Targets {
                targets: known.targets.clone(),
                delegations: known.delegations.clone(),
            };
            let id = tools.sign(role, version, life, body, &keys);
            self.roles.get_mut(&role).expect("known").current = id;
            self.put(role, version, id);
        }
        let version = |id: Id, tools: &Tools<'_>| match id {
            Id(0) => 1,
            id => tools.archive.get(id).draft.version + 1,
        };
        let next = version(self.snapshot, tools);
        self.publish_snapshot(next, life, tools);
        let next = version(self.timestamp, tools);
        self.publish_timestamp(next, life.wrapping_add(1), tools);
    }

    fn version_after(&self, role: Role, tools: &Tools<'_>) -> u64 {
        match self.roles[&role].current {
            Id(0) => 1,
            current => tools.archive.get(current).draft.version + 1,
        }
    }

    fn publish_snapshot(&mut self, version: u64, life: u8, tools: &mut Tools<'_>) {
        let list = |role: &TargetsRole| self.style.list(tools.archive, role.current);
        let listed = self.roles.iter().map(|(role, known)| (*role, list(known)));
        let body = Body::Snapshot(listed.collect());
        let keys = self.signers(Role::Snapshot);
        self.snapshot = tools.sign(Role::Snapshot, version, life, body, &keys);
        self.put(Role::Snapshot, version, self.snapshot);
    }

    fn publish_timestamp(&mut self, version: u64, life: u8, tools: &mut Tools<'_>) {
        let body = Body::Timestamp(self.style.list(tools.archive, self.snapshot));
        let keys = self.signers(Role::Timestamp);
        self.timestamp = tools.sign(Role::Timestamp, version, life, body, &keys);
        self.put(Role::Timestamp, version, self.timestamp);
    }

    /// Puts a target into a role.
    pub(crate) fn add_target(&mut self, role: Role, target: u8) {
        let content = self.content();
        let known = self.roles.get_mut(&role).expect("a known role");
        let place = target % u8::try_from(TARGETS.len()).expect("few targets");
        if known.targets.contains_key(&place) && target >= 128 {
            known.targets.remove(&place);
        } else {
            known.targets.insert(place, content);
        }
    }

    /// What the top-level role says about a target.
    #[must_use]
    pub(crate) fn content_of(&self, target: u8) -> Option<Content> {
        self.roles[&Role::Targets].targets.get(&target).copied()
    }

    /// Puts somebody else's target into the top-level role.
    pub(crate) fn adopt(&mut self, target: u8, content: Content) {
        let known = self
            .roles
            .get_mut(&Role::Targets)
            .expect("targets at least");
        known.targets.insert(target, content);
    }

    /// Replaces so many keys of a role, or gives them other ids, and publishes that.
    pub(crate) fn rotate(
        &mut self,
        role: Role,
        (fresh, threshold, alias): (u8, u8, u8),
        is_stolen: impl Fn(u16) -> bool,
        tools: &mut Tools<'_>,
    ) {
        let old = self.grants[0].keys.clone();
        let mut keys = self.grants[place(role)].keys.clone();
        for named in keys.iter_mut().take(usize::from(fresh % 3)) {
            *named = self.fresh_key();
        }
        // Nobody leaves stolen root keys in a new root.
        for named in keys.iter_mut().filter(|_| role == Role::Root) {
            if is_stolen(named.key) {
                *named = self.fresh_key();
            }
        }
        match alias % 8 {
            0 => keys
                .iter_mut()
                .for_each(|named| named.alias = (named.alias + 1) % 3),
            // Careless: one key under two ids.
            1 if role != Role::Root => {
                let twin = Named {
                    alias: (keys[0].alias + 1) % 3,
                    ..keys[0]
                };
                if !keys.contains(&twin) {
                    keys.push(twin);
                }
            }
            2 if keys.len() < 4 => keys.push(self.fresh_key()),
            3 if keys.len() > 2 && role != Role::Root => drop(keys.remove(0)),
            _ => {}
        }
        keys.dedup();
        let different: BTreeSet<u16> = keys.iter().map(|named| named.key).collect();
        let most = u8::try_from(different.len()).expect("few keys");
        let ids = u8::try_from(keys.len()).expect("few keys");
        let threshold = match role {
            Role::Root => 2,
            // More careless still: a threshold of ids that no number of keys meets.
            _ if ids > most && threshold.is_multiple_of(2) => ids,
            _ => 1 + threshold % most,
        };
        self.grants[place(role)] = Grant { keys, threshold };
        self.publish_root(4, &old, tools);
        let touched: &[Role] = if role == Role::Targets {
            &[Role::Targets]
        } else {
            &[]
        };
        self.publish(touched, 4, tools);
    }

    /// New names of files, published with a new root.
    pub(crate) fn set_consistent(&mut self, yes: bool, tools: &mut Tools<'_>) {
        self.consistent = yes;
        self.publish_root(4, &[], tools);
        for (role, id) in self
            .roles
            .iter()
            .map(|(role, known)| (*role, known.current))
            .collect::<Vec<_>>()
        {
            let version = tools.archive.get(id).draft.version;
            self.put(role, version, id);
        }
        self.publish(&[], 4, tools);
    }

    /// Delegates to a named role.
    pub(crate) fn delegate(
        &mut self,
        from: Role,
        to: Role,
        (paths, threshold, terminating): (Paths, u8, bool),
        tools: &mut Tools<'_>,
    ) {
        // One in four delegations shares the keys of whoever is delegated to already.
        let shared = self.signers(Role::Delegated(0));
        let mut grant = if threshold.is_multiple_of(4) && !shared.is_empty() {
            Grant {
                keys: shared,
                threshold: 1,
            }
        } else {
            self.fresh_grant(
                1 + threshold / 4 % 2,
                1 + threshold / 8 % 2 % (1 + threshold / 4 % 2),
            )
        };
        // One in eight calls its keys by other ids than their first.
        if threshold % 8 == 6 {
            grant.keys.iter_mut().for_each(|named| named.alias = 1);
        }
        let delegation = Delegation {
            role: to,
            grant,
            paths,
            terminating,
        };
        let known = self.roles.get_mut(&from).expect("a known role");
        match &mut known.delegations {
            Delegations::Named(roles) => {
                roles.retain(|other| other.role != to);
                let at = usize::from(threshold / 16) % (roles.len() + 1);
                roles.insert(at, delegation);
            }
            other => *other = Delegations::Named(vec![delegation]),
        }
        let mut touched = vec![from];
        // One in four does not hear of it: there is no such role, or it is not signed by the keys that this delegator names.
        if threshold % 4 != 1 {
            self.know(to);
            if to != from {
                touched.push(to);
            }
        }
        self.publish(&touched, 4, tools);
    }

    fn know(&mut self, role: Role) {
        if self.roles.contains_key(&role) {
            return;
        }
        let content = self.content();
        let Role::Delegated(number) = role else {
            return;
        };
        self.roles.insert(
            role,
            TargetsRole {
                targets: BTreeMap::from([(number % 6, content)]),
                delegations: Delegations::None,
                current: Id(0),
            },
        );
    }

    /// Delegates to hash bins, or to nobody.
    pub(crate) fn rebin(&mut self, from: Role, bits: Option<u8>, tools: &mut Tools<'_>) {
        let delegations = match bits {
            None => Delegations::None,
            Some(bits) => Delegations::Bins {
                grant: self.fresh_grant(1, 1),
                bits,
            },
        };
        self.roles.get_mut(&from).expect("a known role").delegations = delegations;
        let mut touched = vec![from];
        for bin in 0..bits.map_or(0, |bits| 1 << bits) {
            let bin = Role::Delegated(BIN + bin);
            self.know(bin);
            touched.push(bin);
        }
        touched.dedup();
        self.publish(&touched, 4, tools);
    }

    /// New keys for timestamp and snapshot, whose versions begin again; with `all`, new keys for everybody but root too, and
    /// versions above whatever an attacker made.
    pub(crate) fn recover(
        &mut self,
        life: u8,
        all: bool,
        is_stolen: impl Fn(u16) -> bool,
        tools: &mut Tools<'_>,
    ) {
        let old = self.grants[0].keys.clone();
        for named in 0..self.grants[0].keys.len() {
            if is_stolen(self.grants[0].keys[named].key) {
                self.grants[0].keys[named] = self.fresh_key();
            }
        }
        for role in [1, 2] {
            self.grants[role] = self.fresh_grant(1, 1);
        }
        let mut touched = Vec::new();
        if all {
            self.grants[3] = self.fresh_grant(1, 1);
            self.replace_delegated_keys();
            touched.extend(self.roles.keys().copied());
        }
        self.publish_root(life, &old, tools);
        for role in touched {
            let made = tools.archive.all().filter(|file| file.draft.role == role);
            let version = made.map(|file| file.draft.version).max().unwrap_or(0) + 1;
            let (keys, known) = (self.signers(role), &self.roles[&role]);
            let body = Body::Targets {
                targets: known.targets.clone(),
                delegations: known.delegations.clone(),
            };
            let id = tools.sign(role, version, life, body, &keys);
            self.roles.get_mut(&role).expect("known").current = id;
            self.put(role, version, id);
        }
        self.publish_snapshot(1, life, tools);
        self.publish_timestamp(1, life, tools);
    }

    fn replace_delegated_keys(&mut self) {
        let mut next = self.next_key;
        let mut fresh = |grant: &mut Grant| {
            for named in &mut grant.keys {
                next += 1;
                *named = Named {
                    key: next,
                    alias: 0,
                };
            }
        };
        for known in self.roles.values_mut() {
            match &mut known.delegations {
                Delegations::None => {}
                Delegations::Named(roles) => {
                    roles.iter_mut().for_each(|role| fresh(&mut role.grant));
                }
                Delegations::Bins { grant, .. } => fresh(grant),
            }
        }
        self.next_key = next;
    }

    /// The newest root is replaced by one that is as it should be: the one before was a mistake.
    pub(crate) fn put_root(&mut self, version: u64, id: Id) {
        self.files.insert((Role::Root, version), id);
    }
}
