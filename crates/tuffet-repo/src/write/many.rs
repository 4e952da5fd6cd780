//! Many changes of files at once: a publication of tens of thousands of bins takes most of its time here.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tuffet_files::{Draft, Flush, FlushError, Flushed, Unflushed, parent};

use super::{Write, WriteKind, change, create, draft, make_directory, sync};
use crate::Error;

/// From how many changes on all drafts are flushed together, where that can be. Fewer are quicker one by one, and wait for nobody else's
/// files.
const TOGETHER: usize = 64;

/// How many files are written at the same time, if each is flushed: a disk that waits for one can write others.
const AT_ONCE: usize = 32;

/// How many files are written before any of them is in its place.
const BATCH: usize = 1024;

/// How many bytes are. One file may have more.
const BATCH_BYTES: u64 = 64 << 20;

/// A change, and the file that it is of.
type Change<'f> = (&'f Path, &'f WriteKind);

/// How far the changes of one batch have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Another draft is written.
    Drafted,
    /// All of them are flushed.
    Flushed,
    /// Another one is in its place.
    Placed,
}

/// Splits changes into runs that are made one after the other, so that whoever breaks off does not wait long, and drafts take little room.
pub fn batches(writes: &[Write]) -> impl Iterator<Item = &[Write]> {
    runs(writes, |write| write.kind.length())
}

fn runs<T>(all: &[T], length: impl Fn(&T) -> u64) -> impl Iterator<Item = &[T]> {
    let mut left = all;
    std::iter::from_fn(move || {
        let mut bytes = 0_u64;
        let fits = left.iter().take(BATCH).take_while(|one| {
            bytes = bytes.saturating_add(length(one));
            bytes <= BATCH_BYTES
        });
        let count = fits.count().max(1);
        let (run, rest) = left.split_at_checked(count)?;
        left = rest;
        Some(run)
    })
}

/// Makes changes of files; afterwards all of them are durable.
pub(super) fn change_all(files: &[Change<'_>]) -> Result<(), Error> {
    change_watched(files, &|_| Ok(()))
}

/// The same. `reached` is told how far a batch has come, and can break it off.
fn change_watched(
    files: &[Change<'_>],
    reached: &(dyn Fn(Stage) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    for batch in runs(files, |(_, kind)| kind.length()) {
        // What is copied may be large: it is in its place before the next one is begun.
        let (small, others): (Vec<Change<'_>>, Vec<Change<'_>>) = batch
            .iter()
            .partition(|(_, kind)| matches!(kind, WriteKind::Replace(_) | WriteKind::Once(_)));
        change_in_order(&small, reached)?;
        spread(&others, AT_ONCE, |(path, kind)| change(path, kind))?;
    }
    let directories: BTreeSet<&Path> = files.iter().map(|(path, _)| parent(path)).collect();
    directories.into_iter().try_for_each(sync)
}

/// All drafts are written and flushed, and then put in their places: whatever this breaks off at, each file is what it was or what it
/// becomes. Drafts may be left beside them, which nobody reads.
///
/// They come to their places in the order of the files. So of several who write other bytes under the same names at the same time, in
/// one order for all, the one that is first with the first of these names is first with all of them.
fn change_in_order(
    files: &[Change<'_>],
    reached: &(dyn Fn(Stage) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    let directories: BTreeSet<&Path> = files.iter().map(|(path, _)| parent(path)).collect();
    for directory in &directories {
        let made = make_directory(directory);
        made.map_err(|error| Error::io("cannot write", directory, error))?;
    }
    let flush = match files.len() {
        TOGETHER.. => Flush::begin(directories).map_err(unflushed)?,
        _ => None,
    };
    let flushed: Vec<(Flushed, &WriteKind)> = match flush {
        Some(flush) => {
            let workers = thread::available_parallelism().map_or(1, NonZero::get);
            let drafts = drafts(files, workers, reached, |_, draft| {
                Ok(Unflushed::from(draft))
            })?;
            let (drafts, kinds): (Vec<_>, Vec<_>) = drafts.into_iter().unzip();
            let flushed = flush.end(drafts).map_err(unflushed)?;
            flushed.into_iter().zip(kinds).collect()
        }
        None => drafts(files, AT_ONCE, reached, |path, draft| {
            let flushed = draft.flush();
            flushed.map_err(|error| Error::io("cannot write", path, error))
        })?,
    };
    reached(Stage::Flushed)?;
    for (draft, kind) in flushed {
        place(draft, kind)?;
        reached(Stage::Placed)?;
    }
    Ok(())
}

/// A draft of each of the files that is not there already, with what is done to it. So many are written at the same time.
fn drafts<'f, T: Send>(
    files: &[Change<'f>],
    at_once: usize,
    reached: &(dyn Fn(Stage) -> Result<(), Error> + Sync),
    finish: impl Fn(&Path, Draft) -> Result<T, Error> + Sync,
) -> Result<Vec<(T, &'f WriteKind)>, Error> {
    let drafts = spread(files, at_once, |(path, kind)| {
        let draft = draft(path, kind)?.map(|draft| finish(path, draft));
        reached(Stage::Drafted)?;
        Ok(draft.transpose()?.map(|draft| (draft, *kind)))
    })?;
    Ok(drafts.into_iter().flatten().collect())
}

fn unflushed(failed: FlushError) -> Error {
    Error::io("cannot write", &failed.directory, failed.error)
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

/// Does something for each of the files, for so many at the same time, until one fails; what comes out is in their order.
fn spread<'f, T: Send>(
    files: &[Change<'f>],
    at_once: usize,
    work: impl Fn(&Change<'f>) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, T)>, Error> {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(number) else {
                return Ok(done);
            };
            // Nobody begins another one.
            let stop = |_: &Error| next.store(files.len(), Ordering::Relaxed);
            done.push((number, work(file).inspect_err(stop)?));
        }
    };
    let all: Result<Vec<Vec<(usize, T)>>, Error> = thread::scope(|scope| {
        let workers = at_once.min(files.len());
        let workers: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let own = work();
        let others = workers.into_iter().map(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        std::iter::once(own).chain(others).collect()
    });
    let mut all: Vec<(usize, T)> = all?.into_iter().flatten().collect();
    all.sort_unstable_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, done)| done).collect())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fs;
    use std::path::PathBuf;
    use std::sync::mpsc::{self, Sender};
    use std::sync::{Arc, Barrier, Mutex};

    use tuffet_core::crypto::{Digest, HashAlgorithm};

    use super::*;
    use crate::write::Address;

    fn once(text: &str) -> WriteKind {
        WriteKind::Once(Arc::new(text.as_bytes().to_vec()))
    }

    fn changes(writes: &[(PathBuf, WriteKind)]) -> Vec<Change<'_>> {
        let changes = writes.iter().map(|(path, kind)| (path.as_path(), kind));
        changes.collect()
    }

    fn sha256(bytes: &[u8]) -> Digest {
        tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, bytes)
    }

    /// As many changes as are flushed together, and this one.
    fn many(directory: &Path, path: PathBuf, last: WriteKind) -> Vec<(PathBuf, WriteKind)> {
        let name = |number: usize| directory.join("new").join(number.to_string());
        let fill = |number: usize| (name(number), once(&number.to_string()));
        (0..TOGETHER).map(fill).chain([(path, last)]).collect()
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
            change_all(&changes(&many(directory.path(), place(name), kind))).unwrap();
            let found = fs::read_to_string(place(name)).ok();
            assert_eq!(found.as_deref(), expected, "{name}");
            assert_eq!(names(&place("new")), TOGETHER);
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
            let writes = many(directory.path(), place(name), kind);
            let failed = change_all(&changes(&writes)).unwrap_err();
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
        change_all(&changes(&writes.collect::<Vec<_>>())).unwrap();
        assert_eq!(names(directory.path()), 0);
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }

    /// What a process leaves that is killed: drafts, too. Whoever does the same again gets to the end.
    #[test]
    fn r14_a_batch_that_breaks_off_at_any_stage_leaves_every_file_old_or_new() {
        let directory = tempfile::tempdir().unwrap();
        let (place, killed) = (
            directory.path().join("place"),
            directory.path().join("killed"),
        );
        for (stage, after) in [
            (Stage::Drafted, 1),
            (Stage::Drafted, TOGETHER),
            (Stage::Flushed, 1),
            (Stage::Placed, 1),
            (Stage::Placed, TOGETHER),
        ] {
            for directory in [&place, &killed] {
                let _ = fs::remove_dir_all(directory);
                fs::create_dir(directory).unwrap();
                fs::write(directory.join("0"), b"old").unwrap();
            }
            let writes = |directory: &Path| {
                let name = |number: usize| directory.join(number.to_string());
                let fill = |number: usize| (name(number), once(&number.to_string()));
                let replaced = (name(0), WriteKind::Replace(b"0".to_vec()));
                let writes = (1..TOGETHER).map(fill).chain([replaced]);
                writes.collect::<Vec<_>>()
            };
            let reached = AtomicUsize::new(0);
            let failed = change_watched(&changes(&writes(&place)), &|now| {
                if now == stage && reached.fetch_add(1, Ordering::Relaxed) + 1 == after {
                    if stage != Stage::Drafted || after == TOGETHER {
                        copy(&place, &killed);
                    }
                    return Err(Error::NoChange);
                }
                Ok(())
            });
            assert_eq!(failed.unwrap_err().code(), Error::NoChange.code());
            let drafts = |directory: &Path| {
                let mut drafts = 0;
                for entry in fs::read_dir(directory).unwrap() {
                    let (entry, name) = entry
                        .map(|entry| (entry.path(), entry.file_name()))
                        .unwrap();
                    let (name, text) = (name.to_str().unwrap(), fs::read_to_string(entry).unwrap());
                    match name.starts_with(".tuffet-") {
                        true => drafts += 1,
                        false => assert!(text == name || (name, &*text) == ("0", "old"), "{text}"),
                    }
                }
                drafts
            };
            // An error leaves no draft.
            assert_eq!(drafts(&place), 0, "{stage:?} {after}");
            let left = match (stage, after) {
                (Stage::Drafted, 1) => 0,
                (Stage::Drafted | Stage::Flushed, _) => TOGETHER,
                (Stage::Placed, _) => TOGETHER - after,
            };
            assert_eq!(drafts(&killed), left, "{stage:?} {after}");
            for directory in [&place, &killed] {
                change_all(&changes(&writes(directory))).unwrap();
                tuffet_files::sweep(directory).unwrap();
                assert_eq!(names(directory), TOGETHER);
                for number in 0..TOGETHER {
                    let text = fs::read_to_string(directory.join(number.to_string()));
                    assert_eq!(text.unwrap(), number.to_string());
                }
            }
        }
    }

    /// How many are flushed one by one, and how many together.
    const NUMBERS: [usize; 2] = [TOGETHER / 2, TOGETHER + TOGETHER / 2];

    #[test]
    fn r14_many_files_come_to_their_places_in_their_order() {
        for number in NUMBERS {
            let directory = tempfile::tempdir().unwrap();
            let name = |number: usize| directory.path().join(number.to_string());
            let writes = (0..number).map(|number| (name(number), once("new")));
            let writes: Vec<_> = writes.collect();
            let placed = AtomicUsize::new(0);
            change_watched(&changes(&writes), &|stage| {
                if stage == Stage::Placed {
                    let placed = placed.fetch_add(1, Ordering::Relaxed) + 1;
                    let there = (0..number).map(|number| name(number).exists());
                    assert!(there.eq((0..number).map(|number| number < placed)));
                }
                Ok(())
            })
            .unwrap();
            assert_eq!(placed.into_inner(), number);
        }
    }

    /// Each of the two is first with a name of its own, and they write other bytes under all other names.
    #[test]
    fn r14_of_two_who_write_many_files_at_the_same_time_one_comes_through() {
        for number in NUMBERS {
            for after in [1, 2, number / 2, number] {
                let directory = tempfile::tempdir().unwrap();
                let writes = |own: &str| {
                    let others = (1..number).map(|number| format!("b{number}"));
                    let names = std::iter::once(own.to_owned()).chain(others);
                    let writes = names.map(|name| (directory.path().join(name), once(own)));
                    writes.collect::<Vec<_>>()
                };
                let (one, other) = (writes("a1"), writes("a2"));
                let (together, placed) = (Barrier::new(2), AtomicUsize::new(0));
                let other = || {
                    let result = change_watched(&changes(&other), &|stage| {
                        if stage == Stage::Flushed {
                            // Both have looked at what is there, and then the first puts some of its files in their places.
                            together.wait();
                            together.wait();
                        }
                        Ok(())
                    });
                    together.wait();
                    result
                };
                let results = thread::scope(|scope| {
                    let other = scope.spawn(other);
                    let one = change_watched(&changes(&one), &|stage| {
                        match stage {
                            Stage::Flushed => {
                                together.wait();
                            }
                            Stage::Placed
                                if placed.fetch_add(1, Ordering::Relaxed) + 1 == after =>
                            {
                                together.wait();
                                together.wait();
                            }
                            _ => {}
                        }
                        Ok(())
                    });
                    [one, other.join().unwrap()]
                });
                let codes = results.map(|result| result.err().map(|error| error.code()));
                let reused = Some("version.reused");
                let expected = if after == 1 {
                    [reused, None]
                } else {
                    [None, reused]
                };
                assert_eq!(codes, expected, "{number} {after}");
            }
        }
    }

    #[test]
    fn batches_are_bounded_by_number_and_by_bytes() {
        let lengths =
            |all: &[u64]| -> Vec<usize> { runs(all, |one| *one).map(<[u64]>::len).collect() };
        assert_eq!(lengths(&[]), [0_usize; 0]);
        assert_eq!(lengths(&[1; 2 * BATCH + 1]), [BATCH, BATCH, 1]);
        assert_eq!(lengths(&[BATCH_BYTES / 2; 5]), [2, 2, 1]);
        assert_eq!(
            lengths(&[1, BATCH_BYTES + 1, u64::MAX, u64::MAX, 1]),
            [1; 5]
        );
    }

    /// The other worker goes on when the one that failed has ended.
    #[test]
    fn after_an_error_nobody_begins_another_file() {
        thread_local! {
            static END: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
        }
        let kind = WriteKind::Remove;
        let files = vec![(Path::new("x"), &kind); 100];
        let (end, ended) = mpsc::channel();
        let (end, ended) = (Mutex::new(Some(end)), Mutex::new(ended));
        let (own, begun) = (thread::current().id(), AtomicUsize::new(0));
        let result = spread(&files, 2, |_| {
            begun.fetch_add(1, Ordering::Relaxed);
            if thread::current().id() == own {
                ended.lock().unwrap().recv().unwrap_err();
                return Ok(());
            }
            END.set(end.lock().unwrap().take());
            Err(Error::NoChange)
        });
        result.unwrap_err();
        assert!(begun.into_inner() <= 2);
    }
}
