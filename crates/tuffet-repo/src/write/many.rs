//! Many changes of files at once: a publication of tens of thousands of bins takes most of its time here.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tuffet_files::{Flush, Flushed, Unflushed, parent};

use super::{WriteKind, change, create, draft, make_directory, sync};
use crate::Error;

/// From how many changes on all drafts are flushed together. Fewer are quicker one by one, and wait for nobody else's files.
const TOGETHER: usize = 64;

/// How many files are written at the same time, if each is flushed: a disk that waits for one can write others.
const AT_ONCE: usize = 32;

/// Makes changes of files, in any order; afterwards all of them are durable.
pub(super) fn change_all(files: &[(&Path, &WriteKind)]) -> Result<(), Error> {
    if files.len() < TOGETHER {
        spread(files, AT_ONCE, |(path, kind)| change(path, kind))?;
    } else {
        change_together(files)?;
    }
    let directories: BTreeSet<&Path> = files.iter().map(|(path, _)| parent(path)).collect();
    directories.into_iter().try_for_each(sync)
}

/// All drafts are written, then flushed, and then put in their places: whatever this breaks off at, each file is what it was or what it
/// becomes. Drafts may be left beside them, which nobody reads.
fn change_together(files: &[(&Path, &WriteKind)]) -> Result<(), Error> {
    let written = files
        .iter()
        .filter(|(_, kind)| !matches!(kind, WriteKind::Remove));
    let directories: BTreeSet<&Path> = written.map(|(path, _)| parent(path)).collect();
    for directory in &directories {
        let made = make_directory(directory);
        made.map_err(|error| Error::io("cannot write", directory, error))?;
    }
    let Some(first) = directories.first().copied() else {
        return spread(files, AT_ONCE, |(path, kind)| change(path, kind)).map(drop);
    };
    let flushing = |error| Error::io("cannot write", first, error);
    let flush = Flush::begin(directories).map_err(flushing)?;
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let drafts = spread(files, workers, |(path, kind)| {
        let Some(draft) = draft(path, kind)? else {
            return change(path, kind).map(|()| None);
        };
        Ok(Some((Unflushed::from(draft), *kind)))
    })?;
    let (drafts, kinds): (Vec<Unflushed>, Vec<&WriteKind>) = drafts.into_iter().flatten().unzip();
    let flushed = flush.end(drafts).map_err(flushing)?;
    flushed
        .into_iter()
        .zip(kinds)
        .try_for_each(|(draft, kind)| place(draft, kind))
}

fn place(draft: Flushed, kind: &WriteKind) -> Result<(), Error> {
    let path = draft.path().to_owned();
    match kind {
        WriteKind::Once(bytes) => create(&path, bytes, || draft.create()),
        _ => {
            let replaced = draft.replace();
            replaced.map_err(|error| Error::io("cannot write", &path, error))
        }
    }
}

/// Does something for each of the files, for so many at the same time; what comes out is in no order.
fn spread<'f, T: Send>(
    files: &[(&'f Path, &'f WriteKind)],
    at_once: usize,
    work: impl Fn(&(&'f Path, &'f WriteKind)) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<T>, Error> {
        let mut done = Vec::new();
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(work(file)?);
        }
        Ok(done)
    };
    let all: Result<Vec<Vec<T>>, Error> = thread::scope(|scope| {
        let workers = at_once.min(files.len());
        let workers: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let own = work();
        let others = workers.into_iter().map(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        std::iter::once(own).chain(others).collect()
    });
    Ok(all?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::Arc;

    use tuffet_core::crypto::{Digest, HashAlgorithm};

    use super::*;
    use crate::write::Address;

    fn once(text: &str) -> WriteKind {
        WriteKind::Once(Arc::new(text.as_bytes().to_vec()))
    }

    fn all(writes: &[(PathBuf, WriteKind)]) -> Result<(), Error> {
        let files: Vec<(&Path, &WriteKind)> = writes
            .iter()
            .map(|(path, kind)| (path.as_path(), kind))
            .collect();
        change_all(&files)
    }

    fn sha256(bytes: &[u8]) -> Digest {
        tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, bytes)
    }

    /// As many changes as are flushed together, the last of them this one.
    fn many(directory: &Path, path: PathBuf, last: WriteKind) -> Vec<(PathBuf, WriteKind)> {
        let name = |number: usize| directory.join("new").join(number.to_string());
        let fill = |number: usize| (name(number), once(&number.to_string()));
        (1..TOGETHER).map(fill).chain([(path, last)]).collect()
    }

    fn names(directory: &Path) -> usize {
        fs::read_dir(directory).map_or(0, Iterator::count)
    }

    #[test]
    fn many_changes_do_what_each_of_them_does() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        for name in ["replaced", "removed", "from"] {
            fs::write(place(name), b"old").unwrap();
        }
        fs::write(place("same"), b"same").unwrap();
        for (name, kind, expected) in [
            ("replaced", WriteKind::Replace(b"new".to_vec()), Some("new")),
            ("removed", WriteKind::Remove, None),
            ("same", once("same"), Some("same")),
            (
                "copy",
                WriteKind::Copy {
                    from: Address::File(place("from")),
                    length: 3,
                    sha256: sha256(b"old"),
                },
                Some("old"),
            ),
        ] {
            all(&many(directory.path(), place(name), kind)).unwrap();
            let found = fs::read_to_string(place(name)).ok();
            assert_eq!(found.as_deref(), expected, "{name}");
            assert_eq!(names(&place("new")), TOGETHER - 1);
        }
        assert_eq!(names(directory.path()), 5);
    }

    /// Which of the others are made is not said; a name that promises its content is never taken from it, and no draft stays.
    #[test]
    fn r14_of_many_changes_one_that_fails_leaves_every_file_whole() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        for name in ["1.root.json", "from"] {
            fs::write(place(name), b"old").unwrap();
        }
        let changed = WriteKind::Copy {
            from: Address::File(place("from")),
            length: 3,
            sha256: sha256(b"new"),
        };
        for (name, kind, code) in [
            ("1.root.json", once("new"), "version.reused"),
            ("copy", changed, "target.content-changed"),
        ] {
            let failed = all(&many(directory.path(), place(name), kind)).unwrap_err();
            assert_eq!(failed.code(), code);
            for entry in fs::read_dir(place("new")).unwrap() {
                let entry = entry.unwrap();
                let text = fs::read_to_string(entry.path()).unwrap();
                assert_eq!(entry.file_name().to_str(), Some(text.as_str()));
            }
            assert_eq!(names(directory.path()), 3);
        }
        assert_eq!(fs::read(place("1.root.json")).unwrap(), b"old");
    }

    #[test]
    fn many_files_that_are_not_there_can_be_removed() {
        let directory = tempfile::tempdir().unwrap();
        let gone = |number: usize| directory.path().join("gone").join(number.to_string());
        let writes = (0..TOGETHER).map(|number| (gone(number), WriteKind::Remove));
        all(&writes.collect::<Vec<_>>()).unwrap();
        assert_eq!(names(directory.path()), 0);
    }
}
