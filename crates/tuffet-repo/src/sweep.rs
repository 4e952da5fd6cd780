//! What is left in the working directories of a repository and that nobody needs any more: staged content that nothing lists when a change
//! is published, and drafts of files that somebody has left who was killed. Whoever removes it holds the lock of the repository.

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
use crate::write::{Write, WriteKind, read_bounded};

/// The most bytes of the note of unlisted content.
const LARGEST_NOTE: u64 = 1 << 28;

/// The removal of drafts of files.
pub(crate) fn drafts(layout: &Layout) -> Result<Vec<Write>, Error> {
    let objects = layout.objects();
    let mut directories = vec![layout.working(), layout.given_up()];
    for file in [layout.change(), layout.before_edit(1)] {
        directories.extend(file.parent().map(Path::to_owned));
    }
    directories.extend(
        entries(layout, &objects)?
            .into_iter()
            .map(|entry| entry.path()),
    );
    directories.sort_unstable();
    directories.dedup();
    let mut drafts = Vec::new();
    for directory in directories {
        for entry in entries(layout, &directory)? {
            let failed = |error| Error::io("cannot read", &directory, error);
            if tuffet_files::is_draft(&entry).map_err(failed)? {
                drafts.push(removal(entry.path()));
            }
        }
    }
    Ok(drafts)
}

/// The removal of content that no role lists once the open change is published: what the change has listed or the versions before it, and
/// what changes have left that were dropped, or edits that were taken back. Other content is not looked for, because every role would have
/// to be read each time.
pub(crate) fn content_unlisted(store: &Store, graph: &Graph) -> Result<Vec<Write>, Error> {
    if !store.has_change() {
        return Ok(Vec::new());
    }
    let layout = store.layout();
    let note = layout.unlisted();
    let noted = note.exists().then(|| removal(note));
    let mut staged = staged(layout)?;
    for (_, draft) in store.drafts() {
        keep(&mut staged, draft);
    }
    // Mostly all is listed.
    if staged.is_empty() {
        return Ok(noted.into_iter().collect());
    }
    let mut candidates = listed_before_edits(store);
    candidates.extend(noted_in(layout));
    for (role, _) in store.drafts() {
        if let Some(before) = store.head_document(role)? {
            candidates.extend(digests(&before));
        }
    }
    staged.retain(|(digest, _)| candidates.contains(digest));
    let removed = without_listed(staged, store, graph)?;
    Ok(removed.into_iter().chain(noted).collect())
}

/// The write by which this copy takes note of the staged content that only the open change lists, or the states of it before its edits. The
/// change is about to be dropped, or an edit to be taken back; but the same change may come back from somebody else, and then the content
/// is needed.
pub(crate) fn note_content(store: &Store) -> Result<Option<Write>, Error> {
    let mut staged = staged(store.layout())?;
    let mut listed = listed_before_edits(store);
    listed.extend(store.drafts().flat_map(|(_, draft)| digests(draft)));
    staged.retain(|(digest, _)| listed.contains(digest));
    for (role, _) in store.drafts() {
        if staged.is_empty() {
            return Ok(None);
        }
        if let Some(before) = store.head_document(role)? {
            keep(&mut staged, &before);
        }
    }
    let before = noted_in(store.layout());
    let mut noted = before.clone();
    noted.extend(staged.into_iter().map(|(digest, _)| digest));
    let content = noted.iter().map(|digest| Value::from(digest.as_str()));
    let value = Value::from_iter([
        ("content", Value::Array(content.collect())),
        ("format", Value::from(1)),
    ]);
    let kind = WriteKind::Replace(value.to_compact_json());
    Ok((noted != before).then(|| Write::file(store.layout().unlisted(), kind)))
}

/// The content that was noted. It is only looked at more closely, so a note that cannot be read costs nothing but room.
fn noted_in(layout: &Layout) -> BTreeSet<String> {
    let note = read_bounded(&layout.unlisted(), LARGEST_NOTE);
    let note = note.ok().flatten();
    let note = note.and_then(|bytes| Value::parse(&bytes).ok());
    let content = note
        .as_ref()
        .and_then(|note| note.get("content")?.as_array());
    let content = content.into_iter().flatten();
    content
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// What the states of the open change before its edits listed. One that cannot be read lists nothing, and what it might list stays.
fn listed_before_edits(store: &Store) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for number in 1..=store.edits {
        let before = ChangeFile::read(&store.layout().before_edit(number));
        let drafts = before.unwrap_or_default().drafts;
        all.extend(drafts.values().flat_map(digests));
    }
    all
}

/// What roles list in their last versions stays, because it may be published to another place, too.
fn without_listed(
    mut staged: Vec<(String, PathBuf)>,
    store: &Store,
    graph: &Graph,
) -> Result<Vec<Write>, Error> {
    let delegated = graph.delegated().into_iter();
    let delegated = delegated.map(|(_, name)| RoleName::Delegated(name));
    for role in std::iter::once(RoleName::Targets).chain(delegated) {
        if staged.is_empty() {
            break;
        }
        if store.draft(&role).is_none()
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
    for directory in entries(layout, &layout.objects())? {
        let first = directory.file_name();
        for entry in entries(layout, &directory.path())? {
            let path = entry.path();
            let kind = entry.file_type();
            let kind = kind.map_err(|error| Error::io("cannot read", &path, error))?;
            if !kind.is_file() {
                continue;
            }
            let rest = entry.file_name();
            let names = first.to_str().zip(rest.to_str());
            let digest = names.map(|(first, rest)| format!("{first}{rest}"));
            let digest =
                digest.filter(|digest| Digest::from_hex(HashAlgorithm::Sha256, digest).is_some());
            all.extend(digest.map(|digest| (digest, path)));
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

/// What is in a directory; nothing, if there is none, or if a link leads to it: that can have come with a push, and lead to anything.
fn entries(layout: &Layout, directory: &Path) -> Result<Vec<fs::DirEntry>, Error> {
    // Where the repository itself lies is the choice of who put it there.
    let own = directory.strip_prefix(layout.directory());
    let levels = own.map_or(1, |below| below.components().count());
    let is_there = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_dir());
    if !directory.ancestors().take(levels).all(is_there) {
        return Ok(Vec::new());
    }
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
