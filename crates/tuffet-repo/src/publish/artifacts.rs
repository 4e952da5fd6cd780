//! The bytes of targets, under names that hold their hashes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tuffet_core::crypto::{Digest, HashAlgorithm};
use tuffet_core::json::Value;
use tuffet_core::metadata::RoleName;

use super::elsewhere::Elsewhere;
use super::release::{Place, Release, Staged};
use crate::Error;
use crate::document::Document;
use crate::layout;
use crate::plan::Action;
use crate::targets::{TargetEntry, read_entry};
use crate::write::{Write, WriteKind, read_optional, read_pieces};

/// What has to be copied.
#[derive(Default)]
pub(super) struct Artifacts {
    pub(super) writes: Vec<Write>,
    pub(super) actions: Vec<Action>,
    elsewhere: Elsewhere,
}

/// The targets that the roles about to be published list and that the published tree does not hold.
pub(super) fn missing(place: &Place<'_>, release: &Release) -> Result<Artifacts, Error> {
    let mut artifacts = Artifacts::default();
    let mut planned = BTreeSet::new();
    for staged in &release.files {
        if !matches!(staged.role, RoleName::Targets | RoleName::Delegated(_)) {
            continue;
        }
        let published = published_before(place, release, staged)?;
        for (path, entry) in entries(&staged.bytes) {
            if published.get(&path) == Some(&entry) {
                continue;
            }
            if let Some(target) = read_entry(&path, &entry, &staged.role) {
                artifacts.add(place, &target, &mut planned)?;
            }
        }
    }
    Ok(artifacts)
}

impl Artifacts {
    fn add(
        &mut self,
        place: &Place<'_>,
        target: &TargetEntry,
        planned: &mut BTreeSet<String>,
    ) -> Result<(), Error> {
        let mut copied = false;
        for digest in &target.hashes {
            let name = layout::target_name(&target.path, digest);
            let path = place.destination.join(&name);
            if planned.contains(&name) || is_there(&path, target)? {
                continue;
            }
            let (from, sha256) = self.source(place, target)?;
            self.writes.push(Write {
                path,
                kind: WriteKind::Copy {
                    from,
                    length: target.length,
                    sha256,
                },
            });
            planned.insert(name);
            copied = true;
        }
        if copied {
            self.actions.push(Action::Copied {
                path: target.path.clone(),
                length: target.length,
            });
        }
        Ok(())
    }

    /// Where the bytes are staged, or published under the name of another target.
    fn source(
        &mut self,
        place: &Place<'_>,
        target: &TargetEntry,
    ) -> Result<(PathBuf, Digest), Error> {
        let layout = place.store.layout();
        let sha256 = target
            .hashes
            .iter()
            .find(|digest| digest.algorithm() == HashAlgorithm::Sha256);
        let staged = sha256.map(|sha256| (layout.object(sha256), *sha256));
        match staged {
            Some((object, sha256)) if object.exists() => Ok((object, sha256)),
            Some((object, sha256)) => {
                for name in self.elsewhere.names(place, &sha256)? {
                    let published = place.destination.join(name);
                    if is_there(&published, target)? {
                        return Ok((published, sha256));
                    }
                }
                Err(Error::ContentMissing {
                    path: target.path.clone(),
                    object,
                })
            }
            None => Err(Error::ContentMissing {
                path: target.path.clone(),
                object: layout.working(),
            }),
        }
    }
}

/// Whether a file holds the bytes of a target; what lies there is not taken on trust.
fn is_there(path: &Path, target: &TargetEntry) -> Result<bool, Error> {
    match fs::metadata(path) {
        Ok(found) if found.len() == target.length => {}
        _ => return Ok(false),
    }
    let crypto = tuffet_crypto::aws_lc();
    let mut hashers: Vec<_> = target
        .hashes
        .iter()
        .map(|digest| (digest, crypto.hasher(digest.algorithm())))
        .collect();
    read_pieces(path, |piece| {
        hashers
            .iter_mut()
            .for_each(|(_, hasher)| hasher.update(piece));
        Ok(())
    })?;
    Ok(hashers
        .into_iter()
        .all(|(digest, hasher)| hasher.finish() == *digest))
}

/// What the published tree holds already for this role.
fn published_before(
    place: &Place<'_>,
    release: &Release,
    staged: &Staged,
) -> Result<BTreeMap<String, Value>, Error> {
    let Some(&version) = release.before.get(&staged.role) else {
        return Ok(BTreeMap::new());
    };
    let path = place.published(&layout::file_name(&staged.role, Some(version)));
    Ok(read_optional(&path)?
        .map(|bytes| entries(&bytes))
        .unwrap_or_default())
}

pub(super) fn entries(bytes: &[u8]) -> BTreeMap<String, Value> {
    let document = Document::parse(bytes).ok();
    document
        .and_then(|document| document.member("targets")?.as_object().cloned())
        .unwrap_or_default()
}
