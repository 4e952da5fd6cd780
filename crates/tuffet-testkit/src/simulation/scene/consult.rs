//! Several repositories, asked together by a client with a map file (TAP 4).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use tuffet_core::trust::{Consultation, Found, Rejected, RepositoryMap, Voice};

use super::super::Chance;
use super::super::artifact::{Content, Listing, PATTERNS, TARGETS};
use super::super::client::{Client, End};
use super::super::model::{Code, Entry, Opinion, agreement, matches};
use super::super::operation::Operation;
use super::update::Asked;
use super::{Broken, Scene};

/// What the repositories of a map are called; the first is that of the trace.
const NAMES: [&str; 3] = ["a", "b", "c"];

/// How many maps are tried on what they say.
const MAPS: usize = 8;

/// What one repository says about a target.
pub(super) struct Word {
    /// In the words of the model.
    pub(super) opinion: Opinion,
    /// As the client has heard it.
    pub(super) voice: Voice,
    /// What the keyholders list, if nobody stands between them and the client.
    pub(super) honest: Option<Content>,
}

/// An entry of a map file: patterns by bits, whom it asks, how many have to agree, whether nothing comes after it.
struct Mapping {
    patterns: u8,
    entry: Entry,
    terminating: bool,
}

impl Mapping {
    fn draw(chance: &mut Chance) -> Self {
        let mut repositories: Vec<usize> = (0..NAMES.len()).collect();
        repositories.rotate_left(usize::from(chance.byte() % 3));
        if chance.one_in(2) {
            repositories.swap(1, 2);
        }
        repositories.truncate(1 + usize::from(chance.byte() % 3));
        Self {
            patterns: chance.byte() & 63 | 1,
            entry: Entry {
                threshold: 1 + usize::from(chance.byte()) % repositories.len(),
                repositories,
            },
            terminating: chance.one_in(3),
        }
    }

    fn patterns(&self) -> impl Iterator<Item = &'static str> + '_ {
        let chosen = |place: &usize| self.patterns >> place & 1 == 1;
        (0..PATTERNS.len())
            .filter(chosen)
            .map(|place| PATTERNS[place])
    }

    fn decides(&self, path: u8) -> bool {
        self.patterns()
            .any(|pattern| matches(pattern, TARGETS[usize::from(path)]))
    }
}

fn map_file(mappings: &[Mapping]) -> String {
    let quoted = |texts: &mut dyn Iterator<Item = &'static str>| {
        let texts: Vec<String> = texts.map(|text| format!("\"{text}\"")).collect();
        texts.join(",")
    };
    let declared = NAMES.map(|name| format!("\"{name}\":[\"https://{name}.example\"]"));
    let mut text = format!(
        "{{\"repositories\":{{{}}},\"mapping\":[",
        declared.join(",")
    );
    for (place, mapping) in mappings.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        let names = mapping.entry.repositories.iter();
        write!(
            text,
            "{comma}{{\"paths\":[{}],\"repositories\":[{}],\"threshold\":{},\"terminating\":{}}}",
            quoted(&mut mapping.patterns()),
            quoted(&mut names.map(|place| NAMES[*place])),
            mapping.entry.threshold,
            mapping.terminating
        )
        .expect("a string takes anything");
    }
    text + "]}"
}

impl<C: Client> Scene<'_, C> {
    /// Asks this repository and two others about a target.
    ///
    /// # Errors
    /// What does not hold.
    pub(super) fn consult(&mut self, map: u8, path: u8, seed: u8) -> Result<(), Broken> {
        let mut chance = Chance::new(u64::from_be_bytes([0, 0, 0, 0, 0, map, path, seed]));
        // What is offered by several is at the top more often than not.
        let path = match path % 2 {
            0 => 0,
            _ => path / 2 % u8::try_from(TARGETS.len()).expect("few targets"),
        };
        let mut others = std::mem::take(&mut self.others);
        while others.len() < NAMES.len() - 1 {
            let seed = self.seed.wrapping_mul(3).wrapping_add(others.len() as u64);
            let mut other = Self::new(!seed, self.signing, self.make);
            other.story = self.story.as_ref().map(|_| Vec::new());
            others.push(other);
        }
        let content = self.repository.content_of(path);
        let mut words = vec![self.word(path, &mut chance)?];
        for (place, other) in others.iter_mut().enumerate() {
            let named = |broken| named(place, broken);
            other.now = other.now.max(self.now);
            for _ in 0..chance.below(4) {
                let operation = Operation::draw(&mut chance);
                if !matches!(operation, Operation::Consult { .. }) {
                    other.step(operation).map_err(named)?;
                }
            }
            if let Some(content) = content.filter(|_| !chance.one_in(4)) {
                other.adopt(path, content, chance.byte());
            }
            words.push(other.word(path, &mut chance).map_err(named)?);
            self.retell(place, other);
        }
        self.others = others;
        self.try_maps(path, &words, &mut chance)
    }

    /// Tells what another repository has told.
    pub(super) fn retell(&mut self, place: usize, other: &mut Self) {
        if let (Some(story), Some(told)) = (&mut self.story, &mut other.story) {
            let name = NAMES[place + 1];
            story.extend(told.drain(..).map(|line| format!("{name}: {line}")));
        }
    }

    /// What is dear is to ask them; what different maps make of it is cheap.
    pub(super) fn try_maps(
        &mut self,
        path: u8,
        words: &[Word],
        chance: &mut Chance,
    ) -> Result<(), Broken> {
        for _ in 0..MAPS {
            let mappings: Vec<Mapping> = (0..1 + chance.below(3))
                .map(|_| Mapping::draw(chance))
                .collect();
            let text = map_file(&mappings);
            let opinions: Vec<Opinion> = words.iter().map(|word| word.opinion).collect();
            self.tell(|| format!("{text} about {path}: {opinions:?}"));
            let entries = deciding(&mappings, path);
            let came = compare(&text, &entries, path, words)?;
            self.tally.consultation(came.as_ref().err().copied());
            if must_agree(&entries, words) {
                came.map_err(|code| {
                    format!("enough honest repositories list a target, and the map comes to {code}")
                })?;
                self.tally.reached_by_map();
            }
        }
        Ok(())
    }

    /// What this repository says to a client of its own, as far as the attacker lets it.
    pub(super) fn word(&mut self, path: u8, chance: &mut Chance) -> Result<Word, Broken> {
        let mut asked = self.asked(Operation::Update {
            mirrors: chance.byte(),
            clock: 255,
            crash: 1,
            paths: [0, 0],
            body: 0,
            offline: 1,
            audit: 1,
        });
        asked.paths = vec![path];
        self.answer(&asked)
    }

    /// Its answer about the first target that is asked for.
    pub(super) fn answer(&mut self, asked: &Asked) -> Result<Word, Broken> {
        let said = self.update(asked)?;
        let voice = match (said.voice, &said.end) {
            (Some(found), _) => Voice::Found(found),
            (None, Some(End::Refused("target.not-found"))) => Voice::NotFound,
            _ => Voice::Silent,
        };
        Ok(Word {
            opinion: said.opinion,
            voice,
            honest: None,
        })
    }
}

/// Says which of the other repositories it is about.
pub(super) fn named(place: usize, broken: Broken) -> Broken {
    format!("repository {}: {broken}", NAMES[place + 1])
}

/// The entries that decide about a target.
fn deciding(mappings: &[Mapping], path: u8) -> Vec<Entry> {
    let mut entries = Vec::new();
    for mapping in mappings.iter().filter(|mapping| mapping.decides(path)) {
        entries.push(mapping.entry.clone());
        if mapping.terminating {
            break;
        }
    }
    entries
}

/// Whether a target has to be agreed on, whatever the model says: so many honest repositories list it as an entry asks for, and
/// nobody had to be heard before.
fn must_agree(entries: &[Entry], words: &[Word]) -> bool {
    for entry in entries {
        let of = || entry.repositories.iter().map(|place| &words[*place]);
        let listed: Vec<Content> = of().filter_map(|word| word.honest).collect();
        let most = listed.iter().map(|one| alike(*one, &listed)).max();
        if most.is_some_and(|most| most >= entry.threshold) {
            return true;
        }
        if of().any(|word| matches!(word.voice, Voice::Silent)) {
            return false;
        }
    }
    false
}

/// How many list the same as one, each with a hash that every other has, too.
fn alike(one: Content, listed: &[Content]) -> usize {
    let with = |hashes| {
        let has = |other: &&Content| {
            other.number == one.number && (other.hashes == Listing::Both || other.hashes == hashes)
        };
        listed.iter().filter(has).count()
    };
    with(Listing::Short).max(with(Listing::Long))
}

fn compare(
    map: &str,
    entries: &[Entry],
    path: u8,
    words: &[Word],
) -> Result<Result<Vec<usize>, Code>, Broken> {
    let opinions: Vec<Opinion> = words.iter().map(|word| word.opinion).collect();
    let expected = agreement(entries, &opinions);
    let map = RepositoryMap::parse(map.as_bytes()).map_err(|e| e.to_string())?;
    let path = crate::path(TARGETS[usize::from(path)]);
    let mut consultation = Consultation::new(&map, path);
    let place = |name: &str| NAMES.iter().position(|known| *known == name);
    while let Some(repository) = consultation.next() {
        let place = place(repository).ok_or("a stranger is asked")?;
        consultation.answer(words[place].voice.clone());
    }
    let came: Result<Vec<(String, Found)>, Rejected> = consultation.finish();
    if let Ok(agreed) = &came
        && !is_agreement(entries, agreed)
    {
        return Err("a map came to what too few agree on".to_owned());
    }
    let same = match (&came, &expected) {
        (Ok(agreed), Ok(places)) => {
            let names: Vec<Option<usize>> = agreed.iter().map(|(name, _)| place(name)).collect();
            names == places.iter().copied().map(Some).collect::<Vec<_>>()
        }
        (Err(rejected), Err(code)) => rejected.code() == *code,
        _ => false,
    };
    if same {
        return Ok(expected);
    }
    let came = came.map(|agreed| agreed.into_iter().map(|(name, _)| name).collect::<Vec<_>>());
    Err(format!(
        "a map came to {came:?}, the model says {expected:?}"
    ))
}

/// Whether they are as many repositories of an entry as it asks for, and list the same, whatever the model says.
fn is_agreement(entries: &[Entry], agreed: &[(String, Found)]) -> bool {
    let different: BTreeSet<&str> = agreed.iter().map(|(name, _)| name.as_str()).collect();
    let enough = |entry: &Entry| {
        let asked: Vec<&str> = entry.repositories.iter().map(|at| NAMES[*at]).collect();
        different.len() >= entry.threshold && different.iter().all(|name| asked.contains(name))
    };
    let same = |one: &Found, other: &Found| {
        let (one, other) = (&one.target, &other.target);
        let mut digests = one.hashes.digests().iter();
        one.length == other.length && digests.any(|one| other.hashes.digests().contains(one))
    };
    entries.iter().any(enough)
        && agreed
            .iter()
            .all(|(_, one)| agreed.iter().all(|(_, other)| same(one, other)))
}
