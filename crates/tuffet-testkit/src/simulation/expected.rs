//! What the model says that a client does, and whether it did.

use std::collections::BTreeMap;

use super::artifact::{Archive, Content, TARGETS, digest};
use super::client::{AuditedTarget, End, Finding, FoundTarget, Report, item};
use super::model::{
    Audited, Auditing, Change, Hit, Kept, Known, Question, Refreshing, Slot, Trusted, Verdict,
};
use super::scene::Broken;
use super::signing::Signing;

/// What the model says that a client does.
pub(crate) struct Expected {
    /// What is written, in order.
    pub(crate) changes: Vec<Change>,
    /// What the refresh ends in.
    pub(crate) refreshed: Result<Trusted, Verdict>,
    /// What each search ends in.
    pub(crate) found: Vec<Result<Hit, Verdict>>,
    /// What an audit comes upon, and how it ends; if there is one.
    audited: Option<(Vec<Audited>, Result<(), Verdict>)>,
}

impl Expected {
    /// Compares what a client did.
    ///
    /// # Errors
    /// What it did otherwise.
    pub(crate) fn compare(
        &self,
        report: &Report,
        archive: &Archive,
        signing: &dyn Signing,
        (body, crash): (u8, Option<usize>),
    ) -> Result<(), Broken> {
        for (place, (written, bytes)) in report.writes.iter().enumerate() {
            let change = self.changes.get(place);
            let fits = match change {
                Some(Change::Put(slot, id)) => {
                    item(*slot) == *written && bytes.as_ref() == Some(&archive.get(*id).bytes)
                }
                Some(Change::Delete(slot)) => item(*slot) == *written && bytes.is_none(),
                Some(Change::Remember(_)) => item(Slot::Record) == *written && bytes.is_some(),
                None => false,
            };
            if !fits {
                return Err(format!("{written} is written where {change:?} was to come"));
            }
        }
        let cut = crash.filter(|crash| *crash < self.changes.len());
        let missing = report.writes.len() != cut.unwrap_or(self.changes.len());
        match (&report.refreshed, &self.refreshed) {
            (Err(End::Crash), _) if cut.is_some() => return Ok(()),
            (Ok(files), Ok(trusted)) => {
                let Trusted {
                    root,
                    timestamp,
                    snapshot,
                    targets,
                } = *trusted;
                let same = [root, timestamp, snapshot, targets]
                    .into_iter()
                    .zip(files)
                    .all(|(id, bytes)| archive.get(id).bytes == *bytes);
                if !same {
                    return Err(format!("other files are trusted than {trusted:?}"));
                }
            }
            (Err(end), Err(verdict)) if ended(end, verdict) => {}
            (got, expected) => {
                let got = got.as_ref().map(|_| "trusted");
                return Err(format!(
                    "the refresh ended in {got:?}, the model says {expected:?}"
                ));
            }
        }
        if missing {
            return Err(format!(
                "{} of {} changes were written",
                report.writes.len(),
                self.changes.len()
            ));
        }
        for (place, expected) in self.found.iter().enumerate() {
            match (report.found.get(place), expected) {
                (Some(Err(End::Crash)), _) if cut.is_some() => return Ok(()),
                (Some(Ok(target)), Ok(hit)) => compare_target(target, *hit, body, signing)?,
                (Some(Err(end)), Err(verdict)) if ended(end, verdict) => {}
                (got, expected) => {
                    return Err(format!(
                        "a search ended in {got:?}, the model says {expected:?}"
                    ));
                }
            }
        }
        self.compare_audit(report, archive, signing)
    }

    fn compare_audit(
        &self,
        report: &Report,
        archive: &Archive,
        signing: &dyn Signing,
    ) -> Result<(), Broken> {
        let Some((audited, end)) = &self.audited else {
            return Ok(());
        };
        let (findings, how) = report.audited.as_ref().ok_or("there was no audit")?;
        for (place, expected) in audited.iter().enumerate() {
            let fits = match (findings.get(place), expected) {
                (Some(Finding::Refused(code)), Audited::Refused(codes)) => codes.contains(code),
                (Some(finding), Audited::Role { .. }) => {
                    *finding == in_words_of_clients(expected, archive, signing)
                }
                _ => false,
            };
            if !fits {
                let got = findings.get(place);
                return Err(format!(
                    "an audit came upon {got:?}, the model says {expected:?}"
                ));
            }
        }
        let same = match (how, end) {
            (Ok(()), Ok(())) => true,
            (Err(end), Err(verdict)) => ended(end, verdict),
            _ => false,
        };
        if same && findings.len() == audited.len() {
            return Ok(());
        }
        Err(format!(
            "an audit came upon {} roles and ended in {how:?}, the model says {} and {end:?}",
            findings.len(),
            audited.len()
        ))
    }
}

fn ended(end: &End, expected: &Verdict) -> bool {
    match (end, expected) {
        (End::Refused(code), Verdict::Refused(codes)) => codes.contains(code),
        (End::Unavailable, Verdict::Unavailable) => true,
        _ => false,
    }
}

fn in_words_of_clients(audited: &Audited, archive: &Archive, signing: &dyn Signing) -> Finding {
    let (delegator, role, file, unvisited, targets) = match audited {
        Audited::Refused(codes) => return Finding::Refused(codes[0]),
        Audited::Role {
            delegator,
            role,
            file,
            unvisited,
            targets,
        } => (delegator, role, file, unvisited, targets),
    };
    let mut targets: Vec<AuditedTarget> = targets
        .iter()
        .map(|(path, content, covered)| {
            let (path, bytes) = (TARGETS[usize::from(*path)].to_owned(), content.bytes());
            let hashes = values(*content, signing);
            (path, bytes.len() as u64, hashes, *covered)
        })
        .collect();
    targets.sort_unstable();
    Finding::Role {
        delegator: *delegator,
        role: *role,
        bytes: archive.get(*file).bytes.clone(),
        unvisited: unvisited.clone(),
        targets,
    }
}

fn values(content: Content, signing: &dyn Signing) -> Vec<Vec<u8>> {
    let hashes = content.listed_hashes(signing).into_iter();
    hashes.map(|(_, value)| value).collect()
}

fn compare_target(
    target: &FoundTarget,
    hit: Hit,
    body: u8,
    signing: &dyn Signing,
) -> Result<(), Broken> {
    let right = hit.content.bytes();
    let delivered = wrong_by(right.clone(), body);
    let checked = if delivered == right {
        Ok(())
    } else if delivered.len() == right.len() {
        Err("hash.target")
    } else {
        Err("length.target")
    };
    let expected = FoundTarget {
        role: hit.role,
        length: right.len() as u64,
        hashes: values(hit.content, signing),
        checked,
    };
    if *target == expected {
        return Ok(());
    }
    Err(format!("found {target:?}, the model says {expected:?}"))
}

/// One byte too many, one too few, or others.
pub(crate) fn wrong_by(mut bytes: Vec<u8>, body: u8) -> Vec<u8> {
    match body % 8 {
        5 => bytes.push(b'!'),
        6 => drop(bytes.pop()),
        7 => bytes.iter_mut().for_each(|byte| *byte ^= 1),
        _ => {}
    }
    bytes
}

/// Asks the model.
pub(crate) fn expect(
    question: &Question<'_>,
    kept: &Kept,
    (paths, audit): (&[u8], bool),
    signing: &dyn Signing,
) -> Expected {
    let mut refreshing = Refreshing::new(question, kept);
    let refreshed: Result<Trusted, Verdict> = refreshing.run();
    let mut changes = std::mem::take(&mut refreshing.changes);
    let (mut found, mut audited) = (Vec::new(), None);
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
            found.push(hit);
            changes.extend(written);
        }
        if audit {
            let hashes = TARGETS.map(|path| digest(path.as_bytes(), signing));
            let mut auditing = Auditing::new(question, view, hashes);
            let ended = auditing.run();
            audited = Some((auditing.found, ended));
        }
    }
    Expected {
        changes,
        refreshed,
        found,
        audited,
    }
}
