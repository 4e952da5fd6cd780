//! What is left in the working directories of a repository and that nobody needs any more: staged content that nothing lists when a change
//! has come to its end, and drafts of files that somebody has left who was killed. Whoever removes it holds the lock of the repository.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tuffet_core::crypto::{Digest, HashAlgorithm};
use tuffet_core::json::Value;
use tuffet_core::metadata::RoleName;

use crate::Error;
use crate::change::ChangeFile;
use crate::document::Document;
use crate::graph::Graph;
use crate::layout::Layout;
use crate::store::Store;
use crate::write::{Write, WriteKind};

/// The removal of drafts of files.
pub(crate) fn drafts(layout: &Layout) -> Result<Vec<Write>, Error> {
    let objects = layout.objects();
    let mut directories = vec![layout.working(), layout.given_up()];
    for file in [layout.change(), layout.before_edit(1)] {
        directories.extend(file.parent().map(Path::to_owned));
    }
    directories.extend(entries(&objects)?.into_iter().map(|entry| entry.path()));
    directories.sort_unstable();
    directories.dedup();
    let mut drafts = Vec::new();
    for directory in directories {
        for entry in entries(&directory)? {
            let failed = |error| Error::io("cannot read", &directory, error);
            if tuffet_files::is_draft(&entry).map_err(failed)? {
                drafts.push(removal(entry.path()));
            }
        }
    }
    Ok(drafts)
}

/// The removal of content that the open change has listed, or the versions before it, and that no role lists once it is published. Other
/// content is not looked for, because every role would have to be read each time.
pub(crate) fn content_replaced(store: &Store, graph: &Graph) -> Result<Vec<Write>, Error> {
    let mut staged = staged(store.layout())?;
    for (_, draft) in store.drafts() {
        keep(&mut staged, draft);
    }
    // Mostly all is listed.
    if staged.is_empty() {
        return Ok(Vec::new());
    }
    let mut replaced = BTreeSet::new();
    for (role, _) in store.drafts() {
        if let Some(before) = store.head_document(role)? {
            replaced.extend(digests(&before));
        }
    }
    for number in 1..=store.edits {
        // A state that cannot be read lists nothing, and what it might list stays.
        let before = ChangeFile::read(&store.layout().before_edit(number));
        let drafts = before.unwrap_or_default().drafts;
        replaced.extend(drafts.values().flat_map(digests));
    }
    staged.retain(|(digest, _)| replaced.contains(digest));
    without_listed(staged, store, graph, |role| store.draft(role).is_none())
}

/// The removal of all content that no role lists without the open change.
pub(crate) fn content_unlisted(store: &Store) -> Result<Vec<Write>, Error> {
    let sealed = store.without_drafts();
    let graph = Graph::load(&sealed)?;
    without_listed(staged(store.layout())?, &sealed, &graph, |_| true)
}

/// What roles list in their last versions stays, because it may be published to another place, too.
fn without_listed(
    mut staged: Vec<(String, PathBuf)>,
    store: &Store,
    graph: &Graph,
    stays: impl Fn(&RoleName) -> bool,
) -> Result<Vec<Write>, Error> {
    let delegated = graph.delegated().into_iter();
    let delegated = delegated.map(|(_, name)| RoleName::Delegated(name));
    for role in std::iter::once(RoleName::Targets).chain(delegated) {
        if staged.is_empty() {
            break;
        }
        if stays(&role)
            && let Some(document) = store.head_document(&role)?
        {
            keep(&mut staged, &document);
        }
    }
    Ok(staged.into_iter().map(|(_, path)| removal(path)).collect())
}

/// The staged files, by the SHA-256 of their content in hexadecimal.
fn staged(layout: &Layout) -> Result<Vec<(String, PathBuf)>, Error> {
    let mut all = Vec::new();
    for directory in entries(&layout.objects())? {
        let first = directory.file_name();
        for entry in entries(&directory.path())? {
            let rest = entry.file_name();
            let names = first.to_str().zip(rest.to_str());
            let digest = names.map(|(first, rest)| format!("{first}{rest}"));
            let digest =
                digest.filter(|digest| Digest::from_hex(HashAlgorithm::Sha256, digest).is_some());
            all.extend(digest.map(|digest| (digest, entry.path())));
        }
    }
    Ok(all)
}

fn keep(staged: &mut Vec<(String, PathBuf)>, document: &Document) {
    if staged.is_empty() {
        return;
    }
    let listed: BTreeSet<String> = digests(document).collect();
    staged.retain(|(digest, _)| !listed.contains(digest));
}

/// The SHA-256 of all targets that a file lists.
fn digests(document: &Document) -> impl Iterator<Item = String> + '_ {
    let targets = document.member("targets").and_then(Value::as_object);
    let entries = targets.into_iter().flatten();
    entries.filter_map(|(_, entry)| {
        let sha256 = entry.get("hashes")?.get("sha256")?.as_str()?;
        Some(sha256.to_ascii_lowercase())
    })
}

/// What is in a directory; nothing, if there is none.
fn entries(directory: &Path) -> Result<Vec<fs::DirEntry>, Error> {
    let failed = |error| Error::io("cannot read", directory, error);
    let none = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    match fs::read_dir(directory) {
        Err(error) if none.contains(&error.kind()) => Ok(Vec::new()),
        entries => entries
            .and_then(|entries| entries.collect())
            .map_err(failed),
    }
}

fn removal(path: PathBuf) -> Write {
    Write::file(path, WriteKind::Remove)
}
