//! A trace as it happens: a repository, an attacker and a client, and the model that says what the client must do.

use std::collections::BTreeMap;
use std::sync::Arc;

use tuffet_core::metadata::Version;
use tuffet_core::trust::{Fetch, Found, Policy, RemoteFile};

use super::artifact::{Archive, Id, Paths, Role, TARGETS, digest};
use super::attacker::{Attacker, Forgery, Target};
use super::blunder::blunder;
use super::client::{Call, Client, Listing, Store, item, policy, url};
use super::invariants::{self, Seen};
use super::model::{Change, Kept, Known, Question, Refreshing, Rules, Slot, Trusted, Verdict};
use super::network::{Mirror, Network, Served, Url};
use super::operation::Operation;
use super::repository::{BEGINNING, NAMED_ROLES, Repository, Style, Tools};
use super::signing::Signing;
use super::story::{in_words, published_in_words, rules_in_words, served_in_words};
use super::tally::Tally;
use super::{Chance, Expected};
use crate::driver::Reply;

/// An invariant that does not hold, in words.
pub type Broken = String;

/// The world of one trace.
pub(crate) struct Scene<'s, C> {
    signing: &'s dyn Signing,
    client: C,
    archive: Archive,
    repository: Repository,
    attacker: Attacker,
    network: Network,
    now: i64,
    rules: Rules,
    policy: Policy,
    anchor: Id,
    store: Store,
    kept: Kept,
    seen: Option<Seen>,
    damaged: bool,
    /// What happened so far, in numbers.
    pub(crate) tally: Tally,
    /// What happened, in words; only if it is to be told.
    pub(crate) story: Option<Vec<String>>,
}

impl<'s, C: Client> Scene<'s, C> {
    /// The beginning of a trace.
    #[must_use]
    pub(crate) fn new(seed: u64, signing: &'s dyn Signing, client: C) -> Self {
        let mut chance = Chance::new(seed ^ 0x5eed);
        let mut archive = Archive::default();
        let consistent = !chance.one_in(5);
        let mut tools = Tools {
            archive: &mut archive,
            signing,
            now: BEGINNING,
        };
        let repository = Repository::new(consistent, &mut tools);
        let mut network = Network::default();
        network.publish(repository.files());
        let rules = Rules {
            strict: chance.one_in(4),
            roots: if chance.one_in(3) { 2 } else { 256 },
            roles: if chance.one_in(3) { 3 } else { 32 },
            least_root: if chance.one_in(8) { 2 } else { 0 },
            least_snapshot: if chance.one_in(8) { 3 } else { 0 },
        };
        Self {
            signing,
            client,
            anchor: repository.roots[0],
            archive,
            repository,
            attacker: Attacker::default(),
            network,
            now: BEGINNING,
            policy: policy(&rules),
            rules,
            store: Store::new(),
            kept: Kept::default(),
            seen: None,
            damaged: false,
            tally: Tally::default(),
            story: None,
        }
    }

    /// Lets an operation happen.
    ///
    /// # Errors
    /// The invariant that does not hold after it.
    pub(crate) fn step(&mut self, operation: Operation) -> Result<(), Broken> {
        self.tally.operation(operation.name());
        if let Some(story) = &mut self.story {
            story.push(operation.to_string());
        }
        match operation {
            Operation::Update {
                mirrors,
                clock,
                crash,
                paths,
                body,
            } => self.update_as_drawn(mirrors, clock, crash, paths, body),
            Operation::Heal => self.heal(),
            Operation::Rot { item, how } => {
                self.rot(item, how);
                Ok(())
            }
            Operation::Pass { time } => {
                self.pass(time);
                Ok(())
            }
            Operation::Release { root } => {
                let version = |id| self.archive.get(id).draft.version;
                let roots = &self.repository.roots;
                let chosen = roots[usize::from(root) % roots.len()];
                if version(chosen) > version(self.anchor) {
                    self.anchor = chosen;
                }
                Ok(())
            }
            Operation::Steal { .. }
            | Operation::StealOnline
            | Operation::Forge { .. }
            | Operation::Replay { .. }
            | Operation::Mix { .. }
            | Operation::Tamper { .. }
            | Operation::Withhold { .. }
            | Operation::Leave => {
                self.attack(operation);
                Ok(())
            }
            honest => {
                self.publish(honest);
                self.network.publish(self.repository.files());
                if self.story.is_some() {
                    let published = published_in_words(&self.archive, self.now, &self.repository);
                    self.tell(|| published);
                }
                Ok(())
            }
        }
    }

    /// Tells what happens from now on.
    pub(crate) fn tell_all(&mut self) {
        let rules = rules_in_words(&self.rules);
        let published = published_in_words(&self.archive, self.now, &self.repository);
        self.story = Some(vec![rules, published]);
    }

    fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(format!("    {}", line()));
        }
    }

    fn known_role(&self, number: u8) -> Role {
        let mut roles = self.repository.roles.keys();
        let place = usize::from(number) % roles.len();
        *roles.nth(place).expect("targets at least")
    }

    fn publish(&mut self, operation: Operation) {
        let stolen = self.attacker.clone();
        let is_stolen = |key| stolen.has(key);
        let (from, to) = match operation {
            Operation::Delegate { from, to, .. } => {
                (self.known_role(from), Role::Delegated(to % NAMED_ROLES))
            }
            Operation::Undelegate { from } | Operation::Rebin { from, .. } => {
                (self.known_role(from), Role::Targets)
            }
            _ => (Role::Targets, Role::Targets),
        };
        let mut tools = Tools {
            archive: &mut self.archive,
            signing: self.signing,
            now: self.now,
        };
        let repository = &mut self.repository;
        match operation {
            Operation::Publish {
                roles,
                target,
                life,
            } => {
                let touched: Vec<Role> = repository
                    .roles
                    .keys()
                    .enumerate()
                    .filter(|(place, _)| roles >> (place % 8) & 1 == 1 && roles < 240)
                    .map(|(_, role)| *role)
                    .take(3)
                    .collect();
                if let Some(&first) = touched.first() {
                    repository.add_target(first, target);
                }
                repository.publish(&touched, life, &mut tools);
            }
            Operation::Rotate {
                role,
                fresh,
                threshold,
                alias,
            } => {
                let role = [Role::Root, Role::Timestamp, Role::Snapshot, Role::Targets]
                    [usize::from(role) % 4];
                repository.rotate(role, (fresh, threshold, alias), is_stolen, &mut tools);
            }
            Operation::Blunder { lacking, fresh } => {
                blunder(repository, lacking, fresh, &mut tools)
            }
            Operation::Delegate {
                paths,
                threshold,
                terminating,
                ..
            } => {
                let covered = match paths {
                    paths if paths % 3 == 0 => Paths::Prefixes((paths / 3) | 1),
                    paths => Paths::Patterns(((paths >> 3) & 63) as u8),
                };
                repository.delegate(
                    from,
                    to,
                    (covered, threshold, terminating.is_multiple_of(3)),
                    &mut tools,
                );
            }
            Operation::Undelegate { .. } => repository.rebin(from, None, &mut tools),
            Operation::Rebin { bits, .. } => repository.rebin(from, Some(1 + bits % 2), &mut tools),
            Operation::Relist { style } => {
                repository.style = Style {
                    length: style & 1 == 0,
                    hash: style & 2 == 0,
                };
            }
            Operation::Consistent { yes } => {
                repository.set_consistent(yes.is_multiple_of(2), &mut tools)
            }
            Operation::Recover { life } => repository.recover(life, false, is_stolen, &mut tools),
            other => panic!("{other} publishes nothing"),
        }
    }

    fn attack(&mut self, operation: Operation) {
        let mut target = Target {
            archive: &mut self.archive,
            signing: self.signing,
            repository: &self.repository,
            network: &mut self.network,
            now: self.now,
        };
        let attacker = &mut self.attacker;
        match operation {
            Operation::Steal { role, key } => {
                let roles = target.places();
                let role = roles[usize::from(role) % roles.len()].0;
                attacker.steal(role, key, &target);
            }
            Operation::StealOnline => attacker.steal_online(target.repository),
            Operation::Forge {
                role,
                version,
                expiry,
                content,
                signers,
                upstream,
            } => {
                let roles = target.places();
                let role = roles[usize::from(role) % roles.len()].0;
                let forgery = Forgery {
                    version,
                    expiry,
                    content,
                    signers,
                    upstream,
                };
                attacker.forge(role, forgery, &mut target);
            }
            Operation::Replay { at, pick } => attacker.replay(at, pick, &mut target),
            Operation::Mix { at, pick } => attacker.mix(at, pick, &mut target),
            Operation::Tamper { at, how, which } => attacker.tamper(at, how, which, &mut target),
            Operation::Withhold { at, how } => attacker.withhold(at, how, &mut target),
            _ => target.network.overlay.clear(),
        }
        if self.story.is_some() {
            let overlay: Vec<String> = self
                .network
                .overlay
                .iter()
                .map(|(url, served)| {
                    format!(
                        "{}.{}: {}",
                        url.1,
                        url.0,
                        served_in_words(&self.archive, self.now, *served)
                    )
                })
                .collect();
            let keys = self.attacker.in_words();
            self.tell(|| format!("has {keys}; served instead: {}", overlay.join("; ")));
        }
    }

    fn pass(&mut self, time: u8) {
        // Until something that is trusted or published expires at this very second, or just some time.
        let expiry = |id: Id| self.archive.get(id).draft.expires;
        let until = match time % 16 {
            0 => expiry(self.repository.timestamp),
            1 => expiry(self.repository.snapshot),
            2 => expiry(self.repository.roles[&Role::Targets].current),
            3 => expiry(*self.repository.roots.last().expect("a root")),
            4..=9 => self.now + 30,
            10..=12 => self.now + 500,
            13 | 14 => self.now + 5_000,
            _ => self.now + 100_000,
        };
        self.now = self.now.max(until);
    }

    fn rot(&mut self, number: u8, how: u8) {
        let mut slots: Vec<Slot> = self.kept.files().keys().copied().collect();
        slots.push(Slot::Record);
        let slot = slots[usize::from(number) % slots.len()];
        self.damaged = true;
        if how.is_multiple_of(2) {
            self.kept.lose(slot);
            self.store.remove(&item(slot));
            return;
        }
        let bytes = vec![b'{', how];
        if slot == Slot::Record {
            if self.store.contains_key(&item(slot)) {
                self.kept.garble_record();
                self.store.insert(item(slot), Arc::new(bytes));
            }
            return;
        }
        let id = self
            .archive
            .add_garbage(Role::Root, bytes.clone(), self.signing);
        self.kept.apply(Change::Put(slot, id));
        self.store.insert(item(slot), Arc::new(bytes));
    }

    fn update_as_drawn(
        &mut self,
        mirrors: u8,
        clock: u8,
        crash: u8,
        paths: [u8; 2],
        body: u8,
    ) -> Result<(), Broken> {
        let stale = Mirror::Stale(1 + mirrors / 16);
        let mirrors = match mirrors % 16 {
            0..=9 => vec![Mirror::Hostile],
            10 => vec![Mirror::Hostile, Mirror::Honest],
            11 => vec![stale, Mirror::Honest],
            12 => vec![stale],
            13 => vec![Mirror::Honest, Mirror::Hostile],
            14 => vec![stale, Mirror::Hostile],
            _ => vec![Mirror::Honest],
        };
        let most = self.client.most_mirrors();
        let mirrors: Vec<Mirror> = mirrors.into_iter().take(most).collect();
        let now = match clock % 32 {
            0 => self.now - 20_000,
            1 => self.now + 5_000,
            2 => self.now - 200,
            _ => self.now,
        };
        let crash = crash
            .is_multiple_of(5)
            .then_some(usize::from(crash / 5 % 10));
        let paths: Vec<u8> = paths
            .into_iter()
            .filter(|path| path % 4 > 0)
            .map(|path| path / 4 % TARGETS.len() as u8)
            .collect();
        self.update(&mirrors, now, crash, &paths, body).map(drop)
    }

    /// The client refreshes and searches, and is compared with the model.
    fn update(
        &mut self,
        mirrors: &[Mirror],
        now: i64,
        crash: Option<usize>,
        paths: &[u8],
        body: u8,
    ) -> Result<bool, Broken> {
        let served = |mirror: usize, url: Url| {
            mirrors
                .get(mirror)
                .map(|mirror| self.network.served(*mirror, url))
        };
        let question = Question {
            archive: &self.archive,
            rules: self.rules,
            anchor: self.anchor,
            now,
            served: &served,
        };
        let expected = expect(&question, &self.kept, paths, self.signing);
        let reply = |mirror: usize, fetch: &Fetch| {
            Some(match served(mirror, url(&fetch.file))? {
                Served::File(id) => Reply::Bytes(self.archive.get(id).bytes.to_vec()),
                Served::Absent => Reply::Absent,
                Served::Failed => Reply::Failed,
                Served::Endless => {
                    let most = usize::try_from(fetch.limit).expect("a small limit");
                    Reply::Bytes(vec![b'x'; most + 1])
                }
            })
        };
        let everything = || {
            let listing = |mirror: &Mirror| {
                let listing = |url| listing(&self.archive, self.network.served(*mirror, url), url);
                self.network.urls().filter_map(listing).collect()
            };
            mirrors.iter().map(listing).collect()
        };
        let contents = |found: &Found| delivered(found, &expected, body, self.signing);
        let call = Call {
            anchor: Arc::clone(&self.archive.get(self.anchor).bytes),
            policy: &self.policy,
            now,
            signing: self.signing,
            crash,
            reply: &reply,
            everything: &everything,
            paths: paths
                .iter()
                .map(|path| crate::path(TARGETS[usize::from(*path)]))
                .collect(),
            body: &contents,
        };
        let report = self.client.update(&call, &mut self.store);
        self.tally.report(&report);
        self.tell(|| format!("mirrors {mirrors:?}, clock {now}: {}", in_words(&report)));
        let broken = expected.compare(&report, &self.archive, self.signing, (body, crash));
        if let Err(broken) = broken {
            self.tell(|| format!("the model expects {:?}", expected.refreshed));
            return Err(broken);
        }
        for change in expected.changes.into_iter().take(report.writes.len()) {
            self.kept.apply(change);
        }
        let Ok(files) = &report.refreshed else {
            return Ok(false);
        };
        let looking = invariants::Looking {
            archive: &self.archive,
            signing: self.signing,
            store: &self.store,
            anchor: self.anchor,
            now,
        };
        let before = self.seen.take().filter(|_| !self.damaged);
        let seen = looking.check(files, before.as_ref())?;
        looking.check_delegated(&seen, &report.writes)?;
        self.seen = Some(seen);
        self.damaged = false;
        Ok(true)
    }

    /// C-00: whatever happened, an honest repository can be reached again.
    fn heal(&mut self) -> Result<(), Broken> {
        self.now = self.now.max(self.kept.last_refresh().unwrap_or(self.now));
        let stolen = self.attacker.clone();
        let mut tools = Tools {
            archive: &mut self.archive,
            signing: self.signing,
            now: self.now,
        };
        self.repository
            .recover(4, true, |key| stolen.has(key), &mut tools);
        self.network.publish(self.repository.files());
        self.network.overlay.clear();
        (self.rules.least_root, self.rules.least_snapshot) = (0, 0);
        self.policy = policy(&self.rules);
        if self.rules.strict {
            // What a strict client is told to do about a damaged store, or one that speaks of another time.
            self.store.clear();
            self.kept = Kept::default();
            self.damaged = true;
        }
        let rounds = self.repository.roots.len() / self.rules.roots as usize + 1;
        let mut reached = false;
        for _ in 0..rounds {
            reached = self.update(&[Mirror::Honest], self.now, None, &[0], 1)?;
        }
        let repository = &self.repository;
        let present = [
            *repository.roots.last().expect("a root"),
            repository.timestamp,
            repository.snapshot,
            repository.roles[&Role::Targets].current,
        ];
        if !reached || self.seen.as_ref().is_none_or(|seen| seen.files != present) {
            return Err("an honest repository cannot be reached any more".to_owned());
        }
        Ok(())
    }
}

/// The bytes of a target that was found, right or wrong.
fn delivered(found: &Found, expected: &Expected, body: u8, signing: &dyn Signing) -> Vec<u8> {
    let hash = found.target.hashes.digests()[0];
    let hits = expected
        .found
        .iter()
        .filter_map(|(hit, _)| hit.as_ref().ok());
    let right = hits
        .map(|hit| hit.content.bytes())
        .find(|bytes| digest(bytes, signing) == hash.as_bytes());
    wrong_by(right.unwrap_or_default(), body)
}

/// One byte too many, one too few, or others.
pub(super) fn wrong_by(mut bytes: Vec<u8>, body: u8) -> Vec<u8> {
    match body % 8 {
        5 => bytes.push(b'!'),
        6 => drop(bytes.pop()),
        7 => bytes.iter_mut().for_each(|byte| *byte ^= 1),
        _ => {}
    }
    bytes
}

fn expect(question: &Question<'_>, kept: &Kept, paths: &[u8], signing: &dyn Signing) -> Expected {
    let mut refreshing = Refreshing::new(question, kept);
    let refreshed: Result<Trusted, Verdict> = refreshing.run();
    let mut changes = std::mem::take(&mut refreshing.changes);
    let mut found = Vec::new();
    if let Ok(view) = refreshed {
        let mut after = kept.clone();
        changes
            .iter()
            .cloned()
            .for_each(|change| after.apply(change));
        let mut known: Known = BTreeMap::new();
        for &path in paths {
            let hash = digest(TARGETS[usize::from(path)].as_bytes(), signing);
            let (hit, written) = question.search(&after, &mut known, view, (path, hash));
            written
                .iter()
                .cloned()
                .for_each(|change| after.apply(change));
            found.push((hit, changes.len()));
            changes.extend(written);
        }
    }
    Expected {
        changes,
        refreshed,
        found,
    }
}

/// What a mirror has of a file, for clients that are told beforehand.
fn listing(
    archive: &Archive,
    served: Served,
    (role, version): Url,
) -> Option<(RemoteFile, Listing)> {
    let file = RemoteFile {
        role: role.role_name(),
        version: Version::new(version),
    };
    let listing = match served {
        Served::File(id) => Listing::Bytes(Arc::clone(&archive.get(id).bytes)),
        Served::Endless => Listing::Endless,
        Served::Failed => Listing::Failed,
        Served::Absent => return None,
    };
    Some((file, listing))
}
