//! Everything is put right, and the client must come to what is published: by every repository, and by so many of a map as it
//! asks for.

use tuffet_core::trust::Voice;

use super::super::Chance;
use super::super::artifact::{Content, Role, TARGETS};
use super::super::client::{Client, policy};
use super::super::deviation::Deviations;
use super::super::model::Kept;
use super::super::network::Mirror;
use super::super::repository::Tools;
use super::consult::{Word, named};
use super::update::Asked;
use super::{Broken, Scene};

impl<C: Client> Scene<'_, C> {
    /// C-00: whatever happened, an honest repository can be reached again, and so can the others if they were ever asked.
    ///
    /// # Errors
    /// What cannot be reached.
    pub(super) fn heal(&mut self) -> Result<(), Broken> {
        self.put_right()?;
        if self.others.is_empty() {
            return Ok(());
        }
        self.heal_others()
    }

    /// The other repositories are put right, but sometimes for one; then a map that asks for no more than there are honest ones
    /// comes to a target that they list.
    fn heal_others(&mut self) -> Result<(), Broken> {
        let mut chance = Chance::new(self.seed);
        let path = chance.byte() % u8::try_from(TARGETS.len()).expect("few targets");
        let attacked = usize::try_from(chance.below(3)).expect("a small number");
        let content = self.repository.content();
        let mut words = vec![self.honest_word(path, content, &mut chance)?];
        let mut others = std::mem::take(&mut self.others);
        for (place, other) in others.iter_mut().enumerate() {
            let named = |broken| named(place, broken);
            other.now = other.now.max(self.now);
            let word = if place == attacked {
                other.word(path, &mut chance)
            } else {
                other
                    .put_right()
                    .and_then(|()| other.honest_word(path, content, &mut chance))
            };
            words.push(word.map_err(named)?);
            self.retell(place, other);
        }
        self.others = others;
        self.try_maps(path, &words, &mut chance)
    }

    /// An honest repository offers a target more often than not; a client of its own finds what is listed.
    fn honest_word(
        &mut self,
        path: u8,
        content: Content,
        chance: &mut Chance,
    ) -> Result<Word, Broken> {
        if !chance.one_in(4) {
            self.adopt(path, content, chance.byte());
        }
        let listed = self.repository.content_of(path);
        let word = self.answer(&self.asked_honestly(path, false))?;
        if let Some(content) = listed {
            let right = content.listed_hashes(self.signing);
            let right: Vec<&[u8]> = right.iter().map(|(_, value)| &value[..]).collect();
            let found = match &word.voice {
                Voice::Found(found) => found.target.hashes.digests(),
                _ => &[],
            };
            let found: Vec<&[u8]> = found.iter().map(|digest| digest.as_bytes()).collect();
            if found != right {
                return Err("what an honest repository lists cannot be found any more".to_owned());
            }
        }
        Ok(Word {
            honest: listed,
            ..word
        })
    }

    /// One refresh and one search, of what is published now.
    fn asked_honestly(&self, path: u8, audit: bool) -> Asked {
        Asked {
            mirrors: vec![Mirror::Honest],
            now: self.now,
            crash: None,
            paths: vec![path],
            body: 1,
            offline: false,
            audit,
        }
    }

    fn put_right(&mut self) -> Result<(), Broken> {
        self.now = self.now.max(self.kept.last_refresh().unwrap_or(self.now));
        let stolen = self.attacker.clone();
        let mut tools = Tools {
            archive: &mut self.archive,
            signing: self.signing,
            now: self.now,
            wrapping: self.wrapping,
            odd: self.odd,
        };
        self.repository
            .recover(4, true, |key| stolen.has(key), &mut tools);
        self.network.publish(self.repository.files());
        self.network.overlay.clear();
        (self.rules.least_root, self.rules.least_snapshot) = (0, 0);
        self.rules.refuse = Deviations::NONE;
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
            let asked = self.asked_honestly(0, self.seed.is_multiple_of(4));
            reached = self.update(&asked)?.refreshed;
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
