//! A trace as it happens: a repository, an attacker and a client, and the model that says what the client must do.

mod consult;
mod heal;
mod update;

use std::sync::Arc;

use tuffet_core::trust::Policy;

use super::Chance;
use super::artifact::{Archive, Content, Id, Listing, Paths, Role};
use super::attacker::{Attacker, Forgery, Target};
use super::blunder::blunder;
use super::client::{Client, Store, item, policy};
use super::deviation::{Deviation, Deviations};
use super::invariants::Seen;
use super::model::{Change, Kept, Rules, Slot};
use super::network::Network;
use super::operation::Operation;
use super::repository::{BEGINNING, NAMED_ROLES, Repository, Style, Tools, Wrapping};
use super::signing::Signing;
use super::story::{published_in_words, rules_in_words, served_in_words};
use super::tally::Tally;

/// An invariant that does not hold, in words.
pub type Broken = String;

/// The world of one trace.
pub(crate) struct Scene<'s, C> {
    seed: u64,
    signing: &'s dyn Signing,
    make: &'s dyn Fn() -> C,
    client: C,
    /// Other repositories, with a client of their own each; there are none before they are asked.
    others: Vec<Self>,
    archive: Archive,
    repository: Repository,
    attacker: Attacker,
    network: Network,
    now: i64,
    wrapping: Wrapping,
    odd: (Deviations, bool),
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
    pub(crate) fn new(seed: u64, signing: &'s dyn Signing, make: &'s dyn Fn() -> C) -> Self {
        let mut chance = Chance::new(seed ^ 0x5eed);
        let mut archive = Archive::default();
        let consistent = !chance.one_in(5);
        archive.hashed = chance.one_in(8);
        let wrapping = match chance.below(16) {
            0 => Wrapping::Always,
            1 | 2 => Wrapping::Sometimes,
            _ => Wrapping::Never,
        };
        let odd = (Deviations::NONE, false);
        let mut tools = Tools {
            archive: &mut archive,
            signing,
            now: BEGINNING,
            wrapping,
            odd,
        };
        let repository = Repository::new(consistent, &mut tools);
        let mut network = Network::default();
        network.publish(repository.files());
        let rules = Rules {
            strict: chance.one_in(4),
            refuse: if chance.one_in(3) {
                refused(chance.byte(), archive.hashed)
            } else {
                Deviations::NONE
            },
            roots: if chance.one_in(3) { 2 } else { 256 },
            roles: if chance.one_in(3) { 3 } else { 32 },
            least_root: if chance.one_in(8) { 2 } else { 0 },
            least_snapshot: if chance.one_in(8) { 3 } else { 0 },
        };
        Self {
            seed,
            signing,
            make,
            client: make(),
            others: Vec::new(),
            anchor: repository.roots[0],
            archive,
            repository,
            attacker: Attacker::default(),
            network,
            now: BEGINNING,
            wrapping,
            odd,
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
            Operation::Update { .. } => {
                let asked = self.asked(operation);
                self.update(&asked).map(drop)
            }
            Operation::Consult { map, path, seed } => self.consult(map, path, seed),
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
            Operation::Insist { refuse } => {
                self.rules.refuse = refused(refuse, self.archive.hashed);
                self.policy = policy(&self.rules);
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
            wrapping: self.wrapping,
            odd: self.odd,
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
            Operation::Deviate { how, roots } => {
                self.odd = match how % 16 {
                    0..4 => (Deviations::NONE, false),
                    4 => (Deviations::all(), false),
                    // Elsewhere the timestamp is refused before it.
                    5 | 6 => (Deviations::of(&[Deviation::SnapshotExtra]), false),
                    _ => (Deviations::drawn(how / 16), roots.is_multiple_of(3)),
                };
            }
            Operation::Consistent { yes } => {
                repository.set_consistent(yes.is_multiple_of(2), &mut tools)
            }
            Operation::Recover { life } => repository.recover(life, false, is_stolen, &mut tools),
            other => panic!("{other} publishes nothing"),
        }
    }

    /// Lists somebody else's target, with hashes as a die says.
    fn adopt(&mut self, path: u8, content: Content, die: u8) {
        let hashes = Listing::drawn(u16::from(die));
        self.repository.adopt(path, Content { hashes, ..content });
        let mut tools = Tools {
            archive: &mut self.archive,
            signing: self.signing,
            now: self.now,
            wrapping: self.wrapping,
            odd: self.odd,
        };
        self.repository.publish(&[Role::Targets], 4, &mut tools);
        self.network.publish(self.repository.files());
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
}

/// Deviations that a client refuses. Whoever wants keyids to be hashes has them so.
fn refused(die: u8, hashed: bool) -> Deviations {
    let set = match die % 8 {
        0 | 1 => Deviations::all(),
        2 | 3 => Deviations::NONE,
        _ => Deviations::drawn(die / 8).and(Deviations::drawn(die / 16)),
    };
    match hashed {
        true => set,
        false => set.without(Deviation::KeyidMismatch),
    }
}
