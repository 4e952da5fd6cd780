//! What the published tree does not hold yet, and what stands in its way there.

use tuffet_core::metadata::{RoleName, Version};

use super::release::{Place, Release, Staged};
use crate::Error;
use crate::exchanged::Exchanged;
use crate::heads::is_next_root;
use crate::plan::Action;
use crate::quorum::is_version_of_any;
use crate::tree::Tree as _;
use crate::write::{Write, WriteKind};

/// What is to be written.
pub(super) struct Fresh<'r> {
    pub(super) writes: Vec<(&'r RoleName, Write)>,
    pub(super) actions: Vec<Action>,
    /// Whether a root that is not of this repository gives way.
    pub(super) other_root: bool,
}

/// What the published tree does not hold yet. A version that it holds with other bytes is refused, unless it is named in
/// `replace` and nobody who may sign the role has signed it as that version.
pub(super) fn unpublished<'r>(
    place: &Place<'_>,
    release: &'r Release,
    replace: &[String],
) -> Result<Fresh<'r>, Error> {
    let published = place.published;
    let versioned = release
        .files
        .iter()
        .filter(|staged| staged.version.is_some());
    let files: Vec<(String, &[u8])> = versioned
        .map(|staged| (staged.name(), staged.bytes.as_slice()))
        .collect();
    let mut there = files.iter().zip(published.compare(&files)?);
    let mut fresh = Fresh {
        writes: Vec::new(),
        actions: Vec::new(),
        other_root: false,
    };
    for staged in &release.files {
        let name = staged.name();
        let kind = match staged.version {
            None => published.switch(&staged.bytes),
            Some(version) => match there.find(|((file, _), _)| *file == name) {
                Some((_, Some(true))) => continue,
                Some((_, Some(false))) => {
                    let signed = is_signed_there(place, staged, version)?;
                    let is_root = staged.role == RoleName::Root;
                    if !replace.contains(&name) || (signed && !is_root) {
                        return Err(Error::VersionReused {
                            at: published.metadata(&name),
                        });
                    }
                    fresh.other_root |= is_root;
                    fresh.actions.push(overwritten(staged, version, signed));
                    WriteKind::Replace(staged.bytes.to_vec())
                }
                _ => staged.write_kind(),
            },
        };
        let at = published.metadata(&name);
        fresh.writes.push((&staged.role, Write { at, kind }));
    }
    Ok(fresh)
}

fn overwritten(staged: &Staged, version: Version, accepted: bool) -> Action {
    Action::Overwritten {
        role: staged.role.clone(),
        version,
        accepted,
    }
}

/// Whether what lies there is a version that clients can have accepted: enough keys have signed it, and it says to be the one that its
/// name says. The file of another role that has the same keys is none.
fn is_signed_there(place: &Place<'_>, staged: &Staged, version: Version) -> Result<bool, Error> {
    let there = place.published.file(&staged.name())?.unwrap_or_default();
    let (role, store) = (&staged.role, place.store);
    Ok(match role {
        // A root names its own keys, so that the word of the root before it decides.
        RoleName::Root => is_next_root(store, version, &there)?,
        _ if !is_version_of_any(role, version, &there, place.graph) => false,
        _ => match place.last.view() {
            Some(view) => !Exchanged::of(view.snapshot().listing())
                .says_what_another_said(store, role, version, &there)?,
            None => true,
        },
    })
}
