//! What the client does, and whether that is right.

use std::sync::Arc;

use tuffet_core::metadata::Version;
use tuffet_core::trust::{Fetch, Found, RemoteFile};

use super::super::artifact::{Archive, TARGETS};
use super::super::client::{Call, Client, End, Listing, Report, url};
use super::super::expected::{Expected, expect, wrong_by};
use super::super::invariants;
use super::super::model::{Code, Hit, Opinion, Question, Verdict};
use super::super::network::{Mirror, Served, Url};
use super::super::operation::Operation;
use super::super::signing::Signing;
use super::super::story::in_words;
use super::{Broken, Scene};
use crate::driver::Reply;

/// What the client is asked to do.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Whom it asks, in this order.
    pub(super) mirrors: Vec<Mirror>,
    /// What its clock says.
    pub(super) now: i64,
    /// How many writes succeed before its disk fails.
    pub(super) crash: Option<usize>,
    /// What it searches, by place in [`TARGETS`].
    pub(super) paths: Vec<u8>,
    /// What is delivered.
    pub(super) body: u8,
    /// Whether it may ask nobody.
    pub(super) offline: bool,
    /// Whether it looks at every role.
    pub(super) audit: bool,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Said {
    /// Whether the client trusts what it has now.
    pub(super) refreshed: bool,
    /// How the first search ended, if not well.
    pub(super) end: Option<End>,
    /// What it found.
    pub(super) voice: Option<Found>,
    /// What the model says about that.
    pub(super) opinion: Opinion,
}

impl Said {
    fn of(expected: &Option<Result<Hit, Verdict>>, report: &Report) -> Self {
        let nothing = |codes: &Vec<Code>| codes[..] == ["target.not-found"];
        Self {
            refreshed: report.refreshed.is_ok(),
            end: report.found.first().and_then(|found| found.clone().err()),
            voice: report.voices.first().cloned().flatten(),
            opinion: match expected {
                Some(Ok(hit)) => Opinion::Is(hit.content),
                Some(Err(Verdict::Refused(codes))) if nothing(codes) => Opinion::Nothing,
                _ => Opinion::Unheard,
            },
        }
    }
}

impl<C: Client> Scene<'_, C> {
    /// Whatever the dice of an [`Operation::Update`] say.
    pub(super) fn asked(&self, operation: Operation) -> Asked {
        let Operation::Update {
            mirrors,
            clock,
            crash,
            paths,
            body,
            offline,
            audit,
        } = operation
        else {
            panic!("{operation} asks for nothing");
        };
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
        let offline = offline.is_multiple_of(12);
        Asked {
            mirrors,
            now,
            crash,
            paths,
            body,
            offline,
            audit: audit.is_multiple_of(8) && !offline,
        }
    }

    /// The client refreshes and searches, and is compared with the model.
    ///
    /// # Errors
    /// What does not hold.
    pub(super) fn update(&mut self, asked: &Asked) -> Result<Said, Broken> {
        let served = |mirror: usize, url: Url| {
            let mirrors = &asked.mirrors;
            mirrors
                .get(mirror)
                .map(|mirror| self.network.served(*mirror, url))
        };
        let question = Question {
            archive: &self.archive,
            rules: self.rules,
            anchor: self.anchor,
            now: asked.now,
            offline: asked.offline,
            served: &served,
        };
        let wanted = (&asked.paths[..], asked.audit);
        let expected = expect(&question, &self.kept, wanted, self.signing);
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
            asked.mirrors.iter().map(listing).collect()
        };
        let contents = |found: &Found| delivered(found, &expected, asked.body, self.signing);
        let call = Call {
            anchor: Arc::clone(&self.archive.get(self.anchor).bytes),
            policy: &self.policy,
            now: asked.now,
            signing: self.signing,
            crash: asked.crash,
            reply: &reply,
            everything: &everything,
            paths: asked
                .paths
                .iter()
                .map(|path| crate::path(TARGETS[usize::from(*path)]))
                .collect(),
            offline: asked.offline,
            audit: asked.audit,
            body: &contents,
        };
        let report = self.client.update(&call, &mut self.store);
        self.tally.report(&report);
        self.tell(|| {
            let (mirrors, now) = (&asked.mirrors, asked.now);
            let mirrors = match asked.offline {
                true => "offline".to_owned(),
                false => format!("mirrors {mirrors:?}"),
            };
            format!("{mirrors}, clock {now}: {}", in_words(&report))
        });
        let dice = (asked.body, asked.crash);
        let broken = expected.compare(&report, &self.archive, self.signing, dice);
        if let Err(broken) = broken {
            self.tell(|| format!("the model expects {:?}", expected.refreshed));
            return Err(broken);
        }
        let expected_first = expected.found.into_iter().next();
        for change in expected.changes.into_iter().take(report.writes.len()) {
            self.kept.apply(change);
        }
        let Ok(files) = &report.refreshed else {
            return Ok(Said::of(&expected_first, &report));
        };
        let looking = invariants::Looking {
            archive: &self.archive,
            signing: self.signing,
            store: &self.store,
            anchor: self.anchor,
            now: asked.now,
        };
        let before = self.seen.take().filter(|_| !self.damaged);
        let seen = looking.check(files, before.as_ref())?;
        looking.check_delegated(&seen, &report.writes)?;
        if let Some((findings, _)) = &report.audited {
            looking.check_audit(&seen, findings)?;
        }
        self.seen = Some(seen);
        self.damaged = false;
        Ok(Said::of(&expected_first, &report))
    }
}

/// The bytes of a target that was found, right or wrong.
fn delivered(found: &Found, expected: &Expected, body: u8, signing: &dyn Signing) -> Vec<u8> {
    let listed = found.target.hashes.digests()[0];
    let hits = expected.found.iter().filter_map(|hit| hit.as_ref().ok());
    let is_it = |hit: &&Hit| {
        let hashes = hit.content.listed_hashes(signing);
        hashes.iter().any(|(_, value)| value == listed.as_bytes())
    };
    let right = hits.into_iter().find(is_it).map(|hit| hit.content.bytes());
    wrong_by(right.unwrap_or_default(), body)
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
