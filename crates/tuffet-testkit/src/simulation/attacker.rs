//! The attacker: makes whatever the keys at hand allow, replays, mixes, tampers and withholds.

use std::collections::BTreeSet;

use super::artifact::{
    Archive, Artifact, Body, Content, Delegations, Draft, Grant, Id, Listing, Named, Role,
    Signature,
};
use super::deviation::{Deviation, Deviations};
use super::network::{Network, Served, Url};
use super::repository::{Repository, place};
use super::signing::Signing;

/// Keys from here on are the attacker's own.
const OWN: u16 = 60_000;

/// Whoever holds mirrors and stolen keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attacker {
    stolen: BTreeSet<u16>,
    made: u16,
}

/// What an attacker works on.
pub(crate) struct Target<'t> {
    /// Every file that was ever made, and those that are made now.
    pub(crate) archive: &'t mut Archive,
    /// Who signs with a key that is at hand.
    pub(crate) signing: &'t dyn Signing,
    /// The repository that is attacked.
    pub(crate) repository: &'t Repository,
    /// The mirrors.
    pub(crate) network: &'t mut Network,
    /// The time.
    pub(crate) now: i64,
}

/// What is changed in a forged file; dice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forgery {
    /// The version.
    pub(crate) version: u8,
    /// The expiry.
    pub(crate) expiry: u8,
    /// What it says.
    pub(crate) content: u8,
    /// Who signs.
    pub(crate) signers: u8,
    /// What is made of snapshot and timestamp.
    pub(crate) upstream: u8,
}

impl Target<'_> {
    /// The places that clients look at, with what is there honestly.
    #[must_use]
    pub(crate) fn places(&self) -> Vec<(Role, Url, Option<Id>)> {
        let repository = self.repository;
        let mut places = Vec::new();
        let mut add = |role, version, id| places.push((role, repository.url(role, version), id));
        let version = |id| self.archive.get(id).draft.version;
        add(Role::Timestamp, 0, Some(repository.timestamp));
        add(
            Role::Snapshot,
            version(repository.snapshot),
            Some(repository.snapshot),
        );
        for (role, known) in &repository.roles {
            add(*role, version(known.current), Some(known.current));
        }
        for (at, id) in repository.roots.iter().enumerate().rev().take(2) {
            add(Role::Root, at as u64 + 1, Some(*id));
        }
        add(Role::Root, repository.roots.len() as u64 + 1, None);
        places
    }

    fn pick(&self, at: u8) -> (Role, Url, Option<Id>) {
        let places = self.places();
        places[usize::from(at) % places.len()]
    }

    fn serve(&mut self, url: Url, served: Served) {
        self.network.overlay.insert(url, served);
    }
}

impl Attacker {
    /// Whether a key is at hand.
    #[must_use]
    pub(crate) fn has(&self, key: u16) -> bool {
        self.stolen.contains(&key) || key >= OWN
    }

    /// The keys at hand.
    #[must_use]
    pub(crate) fn in_words(&self) -> String {
        let keys: Vec<String> = self.stolen.iter().map(|key| format!("k{key}")).collect();
        if keys.is_empty() {
            "no key".to_owned()
        } else {
            keys.join(" ")
        }
    }

    /// Gets a key; of any root's keys never as many as its threshold, because nothing could be put right after that.
    pub(crate) fn steal(&mut self, role: Role, key: u8, target: &Target<'_>) {
        let keys = target.repository.signers(role);
        if keys.is_empty() {
            return;
        }
        let key = keys[usize::from(key) % keys.len()].key;
        let too_many = target.repository.roots.iter().any(|root| {
            let Body::Root { grants, .. } = &target.archive.get(*root).draft.body else {
                return false;
            };
            let [grant, ..] = grants;
            let held = |named: &&Named| named.key == key || self.has(named.key);
            let held = grant.keys.iter().filter(held).count();
            grant.keys.iter().any(|named| named.key == key) && held >= usize::from(grant.threshold)
        });
        if !too_many {
            self.stolen.insert(key);
        }
    }

    /// Gets all keys of timestamp and snapshot.
    pub(crate) fn steal_online(&mut self, repository: &Repository) {
        for role in [Role::Timestamp, Role::Snapshot] {
            let keys = repository.signers(role);
            self.stolen.extend(keys.iter().map(|named| named.key));
        }
    }

    /// Older bytes of the same role in the place of the present ones.
    pub(crate) fn replay(&self, at: u8, pick: u8, target: &mut Target<'_>) {
        let (role, url, _) = target.pick(at);
        let mut known = known_of(target.archive, role);
        // Recent ones lead further.
        known.reverse();
        if let Some(id) = known.get(usize::from(pick) % known.len().clamp(1, 6)) {
            target.serve(url, Served::File(*id));
        }
    }

    /// Any file in any place.
    pub(crate) fn mix(&self, at: u8, pick: u8, target: &mut Target<'_>) {
        let (_, url, _) = target.pick(at);
        let number = usize::from(pick) * 7 % target.archive.all().len();
        let id = Id(u32::try_from(number).expect("few files"));
        target.serve(url, Served::File(id));
    }

    /// A file is not there, cannot be had, or never ends.
    pub(crate) fn withhold(&self, at: u8, how: u8, target: &mut Target<'_>) {
        let (_, url, _) = target.pick(at);
        let served = [Served::Absent, Served::Failed, Served::Endless][usize::from(how) % 3];
        target.serve(url, served);
    }

    /// The same with other bytes: signatures are not signed, and neither is white space.
    pub(crate) fn tamper(&self, at: u8, how: u8, which: u8, target: &mut Target<'_>) {
        let (role, url, honest) = target.pick(at);
        let Some(mut id) = honest else {
            return;
        };
        if how % 11 == 4 {
            let mut known = known_of(target.archive, role);
            known.reverse();
            id = known[usize::from(which) % known.len().clamp(1, 6)];
        }
        let mut draft = target.archive.get(id).draft.clone();
        let signatures = &mut draft.signatures;
        let place = usize::from(which) % signatures.len().max(1);
        match how % 11 {
            0 => draft.padding = 1 + which % 2,
            1 if !signatures.is_empty() => drop(signatures.remove(place)),
            2 if !signatures.is_empty() => signatures[place].by = None,
            3 if !signatures.is_empty() => signatures.push(signatures[place]),
            // The keyids that the present root gives the same keys, on an older file.
            4 => {
                let keys = target.repository.signers(role);
                for signature in signatures.iter_mut() {
                    let same = keys.iter().find(|named| Some(named.key) == signature.by);
                    signature.named = same.copied().unwrap_or(signature.named);
                }
            }
            5 => {
                let mut bytes = target.archive.get(id).bytes.to_vec();
                bytes.truncate(bytes.len().saturating_sub(1 + usize::from(which)));
                let id = target.archive.add_garbage(role, bytes, target.signing);
                target.serve(url, Served::File(id));
                return;
            }
            // Of root: only those whom the root before does not know, or only those.
            6 | 7 if role == Role::Root => {
                let keys = target.repository.signers(role);
                let own = |signature: &Signature| keys.contains(&signature.named);
                signatures.retain(|signature| own(signature) == (how % 11 == 6));
            }
            // The other envelope: what is signed is not the same then.
            8 => {
                draft.dsse = !draft.dsse;
                (signatures.iter_mut()).for_each(|entry| entry.moved = !entry.moved);
            }
            9 => draft.odd = draft.odd.with(&[Deviation::SignatureForm]),
            _ => signatures.clear(),
        }
        let id = target.archive.add(draft, target.signing);
        target.serve(url, Served::File(id));
    }

    /// A new file of a role, listed as far as the keys at hand go.
    pub(crate) fn forge(&mut self, role: Role, forgery: Forgery, target: &mut Target<'_>) {
        let repository = target.repository;
        let Some(current) = current(repository, role) else {
            return;
        };
        // Half of the time the attacker comes with the keys that it takes, because the others are refused at the door.
        if forgery.signers >= 128 {
            (0..3).for_each(|key| self.steal(role, key, target));
        }
        if forgery.upstream >= 128 && role != Role::Root {
            self.steal_online(repository);
        }
        let mut draft = target.archive.get(current).draft.clone();
        draft.version = match forgery.version % 8 {
            0 => draft.version.saturating_sub(1).max(1),
            1 => draft.version.saturating_sub(2).max(1),
            2 | 3 => draft.version,
            4 => draft.version + 50,
            _ => draft.version + 1,
        };
        draft.expires = match forgery.expiry % 6 {
            0 => target.now,
            1 => target.now - 5,
            2 => target.now + 1,
            _ => target.now + 50_000,
        };
        self.reword(&mut draft, forgery.content, target);
        match forgery.content / 16 {
            0 => draft.dsse = !draft.dsse,
            1 => draft.odd = draft.odd.and(Deviations::drawn(forgery.content)),
            _ => {}
        }
        let grant = Grant {
            keys: repository.signers(role),
            threshold: 1,
        };
        draft.signatures = self.signatures(&grant, forgery.signers);
        if role == Role::Root {
            self.sign_root(&mut draft);
        }
        let version = draft.version;
        let id = target.archive.add(draft, target.signing);
        let listed = match role {
            Role::Root => version,
            Role::Timestamp => 0,
            _ if forgery.upstream.is_multiple_of(4) => target.archive.get(current).draft.version,
            _ => version,
        };
        target.serve(repository.url(role, listed), Served::File(id));
        match role {
            Role::Root | Role::Timestamp => {}
            _ if forgery.upstream.is_multiple_of(4) => {}
            Role::Snapshot => self.forge_timestamp(id, forgery, target),
            _ => self.forge_snapshot(role, id, forgery, target),
        }
    }

    fn forge_snapshot(&mut self, role: Role, id: Id, forgery: Forgery, target: &mut Target<'_>) {
        let mut draft = target.archive.get(target.repository.snapshot).draft.clone();
        if let Body::Snapshot(listed) = &mut draft.body {
            let mut entry = target.repository.style.list(target.archive, id);
            // A listing that does not fit what is served.
            match forgery.upstream % 16 {
                1 => entry.version += 1,
                2 => entry.length = entry.length.map(|length| length + 1),
                3 => entry.hash = entry.hash.map(|_| [7; 32]),
                _ => {}
            }
            listed.insert(role, entry);
        }
        draft.version += 1;
        draft.expires = target.now + 40_000;
        draft.signatures = self.signatures(&grant_of(target.repository, Role::Snapshot), 1);
        let version = draft.version;
        let id = target.archive.add(draft, target.signing);
        target.serve(
            target.repository.url(Role::Snapshot, version),
            Served::File(id),
        );
        self.forge_timestamp(id, forgery, target);
    }

    fn forge_timestamp(&mut self, snapshot: Id, forgery: Forgery, target: &mut Target<'_>) {
        let mut draft = target
            .archive
            .get(target.repository.timestamp)
            .draft
            .clone();
        let mut entry = target.repository.style.list(target.archive, snapshot);
        match forgery.upstream / 16 % 8 {
            1 => entry.version += 1,
            2 => entry.length = entry.length.map(|length| length + 1),
            3 => entry.hash = entry.hash.map(|_| [7; 32]),
            _ => {}
        }
        draft.body = Body::Timestamp(entry);
        draft.version += 1 + u64::from(self.made % 3);
        self.made += 1;
        draft.expires = target.now + 40_000;
        draft.signatures = self.signatures(&grant_of(target.repository, Role::Timestamp), 1);
        let id = target.archive.add(draft, target.signing);
        target.serve((Role::Timestamp, 0), Served::File(id));
    }

    /// Every key at hand signs under every id it has; the other entries are made up, or signed by another key.
    fn signatures(&self, grant: &Grant, how: u8) -> Vec<Signature> {
        let at_hand = grant.keys.iter().find(|named| self.has(named.key));
        let entry = |named: &Named| match (self.has(named.key), how % 4) {
            (true, _) => Some(Signature::honest(*named)),
            (false, 0) => Some(Signature {
                named: *named,
                by: None,
                moved: false,
            }),
            (false, 2) => Some(Signature {
                named: *named,
                by: Some(at_hand.map_or(OWN, |named| named.key)),
                moved: false,
            }),
            (false, _) => None,
        };
        grant.keys.iter().filter_map(entry).collect()
    }

    fn sign_root(&self, draft: &mut Draft) {
        let Body::Root { grants, .. } = &draft.body else {
            return;
        };
        for named in &grants[0].keys {
            let signed = draft.signatures.iter().any(|entry| entry.named == *named);
            if !signed && self.has(named.key) {
                draft.signatures.push(Signature::honest(*named));
            }
        }
    }

    fn reword(&mut self, draft: &mut Draft, content: u8, target: &Target<'_>) {
        self.made += 1;
        let own = Grant {
            keys: vec![Named {
                key: OWN + self.made % 64,
                alias: 0,
            }],
            threshold: 1,
        };
        match &mut draft.body {
            Body::Root { grants, .. } => match content % 4 {
                0 => grants.fill(own),
                1 => grants[0] = own,
                2 => grants[1..].fill(own),
                _ => {}
            },
            Body::Timestamp(listed) => {
                let old = known_of(target.archive, Role::Snapshot);
                if content.is_multiple_of(2)
                    && let Some(id) = old.get(usize::from(content / 2) % old.len().max(1))
                {
                    *listed = target.repository.style.list(target.archive, *id);
                }
            }
            Body::Snapshot(listed) => {
                let roles: Vec<Role> = listed.keys().copied().collect();
                let role = roles[usize::from(content / 4) % roles.len()];
                let entry = listed.get_mut(&role).expect("of its keys");
                match content % 4 {
                    0 => drop(listed.remove(&role)),
                    1 => entry.version = entry.version.saturating_sub(1).max(1),
                    2 => entry.version += 1,
                    _ => {}
                }
            }
            Body::Targets {
                targets,
                delegations,
            } => match content % 4 {
                0 => drop(targets.insert(
                    content / 4 % 6,
                    Content {
                        number: OWN + self.made,
                        hashes: Listing::drawn(self.made),
                    },
                )),
                1 => targets.clear(),
                2 => {
                    if let Delegations::Named(roles) = delegations {
                        roles.iter_mut().for_each(|role| role.grant = own.clone());
                    }
                }
                _ => {}
            },
            Body::Garbage => {}
        }
    }
}

fn grant_of(repository: &Repository, role: Role) -> Grant {
    repository.grants[place(role)].clone()
}

fn current(repository: &Repository, role: Role) -> Option<Id> {
    match role {
        Role::Root => repository.roots.last().copied(),
        Role::Timestamp => Some(repository.timestamp),
        Role::Snapshot => Some(repository.snapshot),
        _ => repository.roles.get(&role).map(|known| known.current),
    }
}

fn known_of(archive: &Archive, role: Role) -> Vec<Id> {
    let of = |(place, file): (usize, &Artifact)| {
        let id = Id(u32::try_from(place).expect("few files"));
        (file.draft.role == role && file.draft.body != Body::Garbage).then_some(id)
    };
    archive.all().enumerate().filter_map(of).collect()
}
