//! Many drafts that are flushed at once: a disk that is told of them one by one takes most of the time for that.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempPath;

use crate::draft::Draft;

/// How many files are flushed at the same time, where each is flushed: a disk that waits for one can write others.
const AT_ONCE: usize = 32;

/// A draft that is written and not flushed. Nothing of it is open, so thousands can wait for the same flush. It is removed when it is
/// dropped.
#[derive(Debug)]
pub struct Unflushed {
    temporary: TempPath,
    path: PathBuf,
}

impl From<Draft> for Unflushed {
    fn from(draft: Draft) -> Self {
        let (file, path) = draft.into_parts();
        let temporary = file.into_temp_path();
        Self { temporary, path }
    }
}

/// A draft that was flushed, and can be put in its place. It is removed when it is dropped.
#[derive(Debug)]
pub struct Flushed(Unflushed);

impl Flushed {
    /// The place that it is for.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Puts the draft in its place, whatever is there. Durable once the directory is flushed too.
    ///
    /// # Errors
    /// If the draft cannot be renamed. Then the place is as it was.
    pub fn replace(self) -> io::Result<()> {
        let Unflushed { temporary, path } = self.0;
        temporary.persist(path).map_err(|failed| failed.error)
    }

    /// Puts the draft in its place, if nothing is there. Durable once the directory is flushed too.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if something is there, and as for [`Self::replace`].
    pub fn create(self) -> io::Result<()> {
        let Unflushed { temporary, path } = self.0;
        let created = temporary.persist_noclobber(path);
        created.map_err(|failed| failed.error)
    }
}

/// One flush for many drafts.
///
/// Where the system can flush all of a file system, and is known to do it as well as file by file, it is asked to do that once:
/// Linux, with ext4, XFS, Btrfs and their like. Whoever else has written there a lot then waits with us. Everywhere else each draft
/// is flushed, many at the same time.
///
/// ```
/// use std::io::Write as _;
/// use tuffet_files::{Draft, Flush, Readers};
///
/// # let directory = tempfile::tempdir()?;
/// let paths: Vec<_> = (0..100).map(|number| directory.path().join(number.to_string())).collect();
/// let flush = Flush::begin([directory.path()])?;
/// let mut drafts = Vec::new();
/// for path in &paths {
///     let mut draft = Draft::of(path, Readers::Umask)?;
///     draft.file().write_all(b"{}")?;
///     drafts.push(draft.into());
/// }
/// for draft in flush.end(drafts)? {
///     draft.replace()?;
/// }
/// tuffet_files::sync_directory(directory.path())?;
/// assert!(paths.iter().all(|path| path.exists()));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Flush {
    /// A directory on each of the file systems; `None` if each draft has to be flushed.
    whole: Option<Vec<File>>,
}

impl Flush {
    /// Has to be called before drafts in these directories are made: of what could not be written the system tells those who had
    /// opened the file system before.
    ///
    /// # Errors
    /// If a directory cannot be opened.
    pub fn begin<'d>(directories: impl IntoIterator<Item = &'d Path>) -> io::Result<Self> {
        let directories: BTreeSet<&Path> = directories.into_iter().collect();
        Ok(Self {
            whole: systems(directories)?,
        })
    }

    /// Each draft is flushed, wherever it is.
    #[cfg(test)]
    fn each() -> Self {
        Self { whole: None }
    }

    /// Flushes the drafts.
    ///
    /// # Errors
    /// If one of them cannot be flushed. Then none is put in its place.
    pub fn end(self, drafts: Vec<Unflushed>) -> io::Result<Vec<Flushed>> {
        match &self.whole {
            Some(systems) => systems.iter().try_for_each(flush_system)?,
            None => flush_each(&drafts)?,
        }
        Ok(drafts.into_iter().map(Flushed).collect())
    }
}

/// File systems, by the number that `statfs` has for them, of which it is known that flushing all of them does for each file what
/// flushing that file does. Those that hand on to a program or to another machine need not be among them.
#[cfg(target_os = "linux")]
const WHOLE: [u64; 6] = [
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683e, // Btrfs
    0xf2f5_2010, // F2FS
    0x0102_1994, // tmpfs
    0x794c_7630, // overlayfs, which passes it on to the one below that is written to
];

/// A directory on each file system that these are on, if all of them can be flushed as a whole.
#[cfg(target_os = "linux")]
fn systems(directories: BTreeSet<&Path>) -> io::Result<Option<Vec<File>>> {
    use std::os::unix::fs::MetadataExt as _;
    let mut systems = std::collections::BTreeMap::new();
    for directory in directories {
        let directory = File::open(directory)?;
        let kind = u64::try_from(rustix::fs::fstatfs(&directory)?.f_type);
        if !kind.is_ok_and(|kind| WHOLE.contains(&kind)) {
            return Ok(None);
        }
        systems.insert(directory.metadata()?.dev(), directory);
    }
    Ok(Some(systems.into_values().collect()))
}

/// No other system has a way to do it.
#[cfg(not(target_os = "linux"))]
fn systems(_: BTreeSet<&Path>) -> io::Result<Option<Vec<File>>> {
    Ok(None)
}

/// Flushes all that was written to the file system of a directory.
#[cfg(target_os = "linux")]
fn flush_system(directory: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(directory)?)
}

/// Is not called.
#[cfg(not(target_os = "linux"))]
fn flush_system(directory: &File) -> io::Result<()> {
    directory.sync_all()
}

/// Flushes drafts, many at the same time.
fn flush_each(drafts: &[Unflushed]) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(draft) = drafts.get(next.fetch_add(1, Ordering::Relaxed)) {
            // Windows flushes only what is open for writing.
            let file = File::options().write(true).open(&draft.temporary)?;
            file.sync_all()?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers = AT_ONCE.min(drafts.len());
        let workers: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let own = work();
        let others = workers.into_iter().map(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        std::iter::once(own).chain(others).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;
    use crate::Readers;

    fn drafts(directory: &Path, count: usize) -> Vec<Unflushed> {
        let draft = |number: usize| {
            let path = directory.join(number.to_string());
            let mut draft = Draft::of(&path, Readers::Umask).unwrap();
            draft
                .file()
                .write_all(number.to_string().as_bytes())
                .unwrap();
            draft.into()
        };
        (0..count).map(draft).collect()
    }

    #[test]
    fn however_drafts_are_flushed_each_comes_to_its_place() {
        for whole in [false, true] {
            let directory = tempfile::tempdir().unwrap();
            let place = directory.path();
            let flush = match whole {
                false => Flush::each(),
                true => Flush::begin([place, place]).unwrap(),
            };
            let flushed = flush.end(drafts(place, 100)).unwrap();
            for (number, draft) in flushed.into_iter().enumerate() {
                assert_eq!(draft.path(), place.join(number.to_string()));
                draft.create().unwrap();
            }
            for number in 0..100 {
                let text = fs::read_to_string(place.join(number.to_string())).unwrap();
                assert_eq!(text, number.to_string());
            }
            assert_eq!(fs::read_dir(place).unwrap().count(), 100);
        }
    }

    #[test]
    fn what_is_there_is_replaced_or_kept_and_what_is_dropped_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("0"), b"old").unwrap();
        fs::write(directory.path().join("1"), b"old").unwrap();
        let flush = Flush::begin([directory.path()]).unwrap();
        let mut flushed = flush.end(drafts(directory.path(), 3)).unwrap().into_iter();
        let failed = flushed.next().unwrap().create().unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::AlreadyExists);
        flushed.next().unwrap().replace().unwrap();
        drop(flushed);
        let read = |name| fs::read(directory.path().join(name)).unwrap();
        assert_eq!((read("0"), read("1")), (b"old".to_vec(), b"1".to_vec()));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_draft_that_is_gone_before_it_is_flushed_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let drafts = drafts(directory.path(), 2);
        fs::remove_file(&drafts.last().unwrap().temporary).unwrap();
        Flush::each().end(drafts).unwrap_err();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
