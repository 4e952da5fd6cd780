//! The bytes of targets, under names that hold their hashes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tuffet_core::crypto::{Digest, HashAlgorithm, Hasher};
use tuffet_core::json::Value;
use tuffet_core::metadata::RoleName;

use super::elsewhere::Elsewhere;
use super::release::{Place, Release, Staged};
use crate::Error;
use crate::document::Document;
use crate::layout;
use crate::plan::Action;
use crate::targets::{TargetEntry, check_listed, read_entry};
use crate::tree::Tree as _;
use crate::write::{Address, Write, WriteKind, read_pieces};

/// What has to be copied.
#[derive(Default)]
pub(super) struct Artifacts {
    pub(super) writes: Vec<Write>,
    pub(super) actions: Vec<Action>,
    elsewhere: Elsewhere,
}

/// The targets that the roles about to be published list and that the published tree does not hold.
pub(super) fn missing(place: &Place<'_>, release: &Release) -> Result<Artifacts, Error> {
    let (mut wanted, mut names) = (Vec::new(), BTreeSet::new());
    for staged in &release.files {
        if !matches!(staged.role, RoleName::Targets | RoleName::Delegated(_)) {
            continue;
        }
        let Ok(document) = Document::parse(&staged.bytes) else {
            continue;
        };
        check_listed(&document, &staged.role)?;
        let listed = document.member("targets").and_then(Value::as_object);
        let Some(listed) = listed.filter(|listed| !listed.is_empty()) else {
            continue;
        };
        let published = published_before(place, staged)?;
        let new = listed
            .iter()
            .filter(|(path, entry)| published.get(*path) != Some(*entry));
        wanted.extend(new.filter_map(|(path, entry)| read_entry(path, entry, &staged.role)));
    }
    let mut copies = Vec::new();
    for target in &wanted {
        for digest in &target.hashes {
            let name = layout::target_name(&target.path, digest);
            if names.insert(name.clone()) {
                copies.push((name, target));
            }
        }
    }
    let there = place.published.hold(&copies)?;
    let mut artifacts = Artifacts::default();
    for ((name, target), _) in copies.iter().zip(there).filter(|(_, there)| !there) {
        artifacts.add(place, name, target)?;
    }
    Ok(artifacts)
}

impl Artifacts {
    fn add(&mut self, place: &Place<'_>, name: &str, target: &TargetEntry) -> Result<(), Error> {
        let kind = self.source(place, target)?;
        self.writes.push(Write {
            at: place.published.destination().address(name),
            kind,
        });
        let copied = Action::Copied {
            path: target.path.clone(),
            length: target.length,
        };
        // A target with several hashes is copied several times and said once.
        if self.actions.last() != Some(&copied) {
            self.actions.push(copied);
        }
        Ok(())
    }

    /// The bytes as they are staged, or as they are published under the name of another target.
    fn source(&mut self, place: &Place<'_>, target: &TargetEntry) -> Result<WriteKind, Error> {
        let missing = match (staged(place, target), sha256(target)) {
            (Err(missing @ Error::ContentMissing { .. }), Some(sha256)) => (missing, sha256),
            (staged, _) => return staged,
        };
        let (missing, sha256) = missing;
        for name in self.elsewhere.names(place, sha256)? {
            let candidate = [(name, target)];
            if place.published.hold(&candidate)?.contains(&true) {
                let [(name, _)] = candidate;
                let from = place.published.destination().address(&name);
                return Ok(copied(from, target, *sha256));
            }
        }
        Err(missing)
    }
}

/// How the bytes of a target come from where they are staged.
pub(super) fn staged(place: &Place<'_>, target: &TargetEntry) -> Result<WriteKind, Error> {
    let layout = place.store.layout();
    let sha256 = sha256(target);
    let staged = sha256.map(|sha256| (layout.object(sha256), *sha256));
    match staged {
        Some((object, sha256)) if object.exists() => {
            Ok(copied(Address::File(object), target, sha256))
        }
        staged => Err(Error::ContentMissing {
            path: target.path.clone(),
            object: staged.map_or_else(|| layout.working(), |(object, _)| object),
        }),
    }
}

fn copied(from: Address, target: &TargetEntry, sha256: Digest) -> WriteKind {
    WriteKind::Copy {
        from,
        length: target.length,
        sha256,
    }
}

pub(crate) fn sha256(target: &TargetEntry) -> Option<&Digest> {
    let mut hashes = target.hashes.iter();
    hashes.find(|digest| digest.algorithm() == HashAlgorithm::Sha256)
}

/// Whether a file holds the bytes of a target; what lies there is not taken on trust.
pub(super) fn is_there(path: &Path, target: &TargetEntry) -> Result<bool, Error> {
    holds_target(path, target, &mut |_| {})
}

/// The same for whoever wants to know how many bytes have been read.
pub(crate) fn holds_target(
    path: &Path,
    target: &TargetEntry,
    read: &mut dyn FnMut(u64),
) -> Result<bool, Error> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() && found.len() == target.length => {}
        _ => return Ok(false),
    }
    let mut checksums = Checksums::of(target);
    read_pieces(path, |piece| {
        checksums.update(piece);
        read(piece.len() as u64);
        Ok(())
    })?;
    Ok(checksums.are_right())
}

/// All hashes of a target, computed over what is read.
pub(super) struct Checksums<'t>(Vec<(&'t Digest, Box<dyn Hasher>)>);

impl<'t> Checksums<'t> {
    pub(super) fn of(target: &'t TargetEntry) -> Self {
        let crypto = tuffet_crypto::aws_lc();
        let hashers = target.hashes.iter();
        Self(
            hashers
                .map(|digest| (digest, crypto.hasher(digest.algorithm())))
                .collect(),
        )
    }

    pub(super) fn update(&mut self, piece: &[u8]) {
        let all = self.0.iter_mut();
        all.for_each(|(_, hasher)| hasher.update(piece));
    }

    pub(super) fn are_right(self) -> bool {
        let mut all = self.0.into_iter();
        all.all(|(digest, hasher)| hasher.finish() == *digest)
    }
}

/// What the version of a role lists that clients see. The bytes of that are there, because nothing removes them; those of a later
/// version, which an interrupted publication has left, may have been pruned.
fn published_before(place: &Place<'_>, staged: &Staged) -> Result<BTreeMap<String, Value>, Error> {
    let Some(version) = place.visible(&staged.role)? else {
        return Ok(BTreeMap::new());
    };
    let file = layout::file_name(&staged.role, Some(version));
    let bytes = place.published.file(&file)?;
    Ok(bytes.map(|bytes| entries(&bytes)).unwrap_or_default())
}

/// The targets that a role lists.
pub(super) fn entries(bytes: &[u8]) -> BTreeMap<String, Value> {
    let document = Document::parse(bytes).ok();
    document
        .and_then(|document| document.member("targets")?.as_object().cloned())
        .unwrap_or_default()
}
