//! What a copy of a repository remembers where nobody can push to: in the git directory if the repository lies in a work tree, because
//! git overwrites files that it ignores without a word, and otherwise in `.tuffet/`.

use std::fs;
use std::path::{Path, PathBuf};

use tuffet_core::crypto::HashAlgorithm;

use crate::layout::{Layout, real};

/// The file of this name that belongs to one copy of a repository.
pub(crate) fn file(layout: &Layout, name: &str) -> PathBuf {
    // A repository that is about to be made has no directory yet.
    let directory = real(layout.directory());
    for above in directory.ancestors() {
        let Some(git) = git_directory(above) else {
            continue;
        };
        let below = directory.strip_prefix(above).unwrap_or(&directory);
        // One work tree may hold several repositories.
        let below = below.as_os_str().as_encoded_bytes();
        let own = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, below);
        return git.join("tuffet").join(own.to_hex()).join(name);
    }
    layout.working().join(name)
}

/// The git directory of a work tree, if this is the top of one.
fn git_directory(top: &Path) -> Option<PathBuf> {
    let git = top.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = fs::read_to_string(&git).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    Some(top.join(named))
}
