//! Many drafts that are flushed at once: a disk that is told of them one by one takes most of the time for that.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::draft::Draft;

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
    pub(crate) fn from_draft(flushed: Draft) -> Self {
        Self(flushed.into())
    }

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

/// One flush for many drafts, where the system can flush all of a file system and is known to do it as well as file by file: Linux
/// since 5.8, with ext4, XFS, Btrfs and their like. Whoever else has written there a lot then waits with us. Everywhere else there is
/// none, and each draft is flushed while it is open ([`Draft::flush`], [`Draft::replace`], [`Draft::create`]): some file systems say only to who has
/// written a file that there is no room for it.
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
///     match flush {
///         Some(_) => drafts.push(draft.into()),
///         None => draft.replace()?,
///     }
/// }
/// if let Some(flush) = flush {
///     for draft in flush.end(drafts)? {
///         draft.replace()?;
///     }
/// }
/// tuffet_files::sync_directory(directory.path())?;
/// assert!(paths.iter().all(|path| path.exists()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Flush {
    /// Each of the file systems, with the directory by which it was found.
    systems: Vec<(PathBuf, FileSystem)>,
}

impl Flush {
    /// Has to be called before drafts in these directories are made: of what could not be written the system tells those who had
    /// opened the file system before. `None` if each draft has to be flushed.
    ///
    /// # Errors
    /// If a directory cannot be opened.
    pub fn begin<'d>(
        directories: impl IntoIterator<Item = &'d Path>,
    ) -> Result<Option<Self>, FlushError> {
        let directories: BTreeSet<&Path> = directories.into_iter().collect();
        Ok(systems(directories)?.map(|systems| Self { systems }))
    }

    /// Flushes the drafts.
    ///
    /// # Errors
    /// If one of the file systems cannot be flushed. Then none of the drafts is put in its place.
    pub fn end(self, drafts: Vec<Unflushed>) -> Result<Vec<Flushed>, FlushError> {
        for (path, system) in &self.systems {
            system
                .flush()
                .map_err(|error| FlushError::at(path, error))?;
        }
        Ok(drafts.into_iter().map(Flushed).collect())
    }
}

/// Why drafts cannot be flushed together.
#[derive(Debug)]
#[non_exhaustive]
pub struct FlushError {
    /// The directory that it is about, or one on the same file system.
    pub directory: PathBuf,
    /// What the system says.
    pub error: io::Error,
}

impl FlushError {
    fn at(directory: &Path, error: io::Error) -> Self {
        let directory = directory.to_owned();
        Self { directory, error }
    }
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot flush {}", self.directory.display())
    }
}

impl std::error::Error for FlushError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// File systems, by the number that `statfs` has for them, of which it is known that flushing all of them does for each file what
/// flushing that file does. Those that hand on to a program, to another machine or to another file system are not among them: of what
/// could not be written there they need not tell.
#[cfg(target_os = "linux")]
const WHOLE: [u64; 5] = [
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683e, // Btrfs
    0xf2f5_2010, // F2FS
    0x0102_1994, // tmpfs
];

/// Whether flushing a file system says what could not be written: Linux does since 5.8.
#[cfg(target_os = "linux")]
fn tells_errors(release: &str) -> bool {
    let mut numbers = release.split(|character: char| !character.is_ascii_digit());
    let mut number = || numbers.next()?.parse::<u32>().ok();
    let version = number().zip(number());
    version.is_some_and(|version| version >= (5, 8))
}

/// What the system calls its version; nothing if it does not say.
#[cfg(target_os = "linux")]
fn release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default()
}

/// No other system has a way to do it, and not every one opens a directory.
#[cfg(not(target_os = "linux"))]
fn systems(_: BTreeSet<&Path>) -> Result<Option<Vec<(PathBuf, FileSystem)>>, FlushError> {
    Ok(None)
}

/// The file systems that these directories are on, if all of them can be flushed as a whole.
#[cfg(target_os = "linux")]
fn systems(directories: BTreeSet<&Path>) -> Result<Option<Vec<(PathBuf, FileSystem)>>, FlushError> {
    let mut systems = std::collections::BTreeMap::new();
    for path in directories {
        let system = File::open(path).and_then(FileSystem::of);
        match system.map_err(|error| FlushError::at(path, error))? {
            Some(system) => systems.insert(system.device, (path.to_owned(), system)),
            None => return Ok(None),
        };
    }
    Ok(Some(systems.into_values().collect()))
}

/// A file system that can be flushed as a whole, see [`Flush`].
#[derive(Debug)]
pub struct FileSystem {
    /// A directory of it.
    directory: File,
    device: u64,
}

impl FileSystem {
    /// The file system of a directory, which has to be open since before the files are made that are flushed with it. `None` if
    /// each of them has to be flushed.
    ///
    /// # Errors
    /// If the system does not say what the directory is on.
    #[cfg(target_os = "linux")]
    pub fn of(directory: File) -> io::Result<Option<Self>> {
        use std::os::unix::fs::MetadataExt as _;
        let kind = u64::try_from(rustix::fs::fstatfs(&directory)?.f_type);
        if !kind.is_ok_and(|kind| WHOLE.contains(&kind)) || !tells_errors(&release()) {
            return Ok(None);
        }
        let device = directory.metadata()?.dev();
        Ok(Some(Self { directory, device }))
    }

    /// No other system has a way to do it: `None`.
    ///
    /// # Errors
    /// None.
    #[cfg(not(target_os = "linux"))]
    pub fn of(_: File) -> io::Result<Option<Self>> {
        Ok(None)
    }

    /// Flushes all that was written to it. What could not be written is told once, to whoever asks first.
    ///
    /// # Errors
    /// If something could not be written, by whomever.
    pub fn flush(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        return Ok(rustix::fs::syncfs(&self.directory)?);
        #[cfg(not(target_os = "linux"))]
        self.directory.sync_all()
    }

    /// A number that no other file system of this machine has at this time.
    #[must_use]
    pub fn device(&self) -> u64 {
        self.device
    }
}

/// Where files are in memory, every Linux can flush all of them.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;
    use crate::Readers;

    const MEMORY: &str = "/dev/shm";

    /// A directory on a file system that is flushed as a whole, where there is one.
    fn whole() -> Option<(tempfile::TempDir, Flush)> {
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let there = mounts.lines().any(|line| {
            let mut words = line.split(' ').skip(1);
            (words.next(), words.next()) == (Some(MEMORY), Some("tmpfs"))
        });
        if !there || !tells_errors(&release()) {
            println!("skipped: no file system in memory that can be flushed as a whole");
            return None;
        }
        let directory = tempfile::tempdir_in(MEMORY).unwrap();
        let flush = Flush::begin([directory.path(), Path::new(MEMORY)]).unwrap();
        let flush = flush.unwrap();
        assert_eq!(flush.systems.len(), 1);
        Some((directory, flush))
    }

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
    fn drafts_that_are_flushed_at_once_come_to_their_places() {
        let Some((directory, flush)) = whole() else {
            return;
        };
        let place = directory.path();
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

    #[test]
    fn what_is_there_is_replaced_or_kept_and_what_is_dropped_leaves_nothing() {
        let Some((directory, flush)) = whole() else {
            return;
        };
        fs::write(directory.path().join("0"), b"old").unwrap();
        fs::write(directory.path().join("1"), b"old").unwrap();
        let mut flushed = flush.end(drafts(directory.path(), 3)).unwrap().into_iter();
        let failed = flushed.next().unwrap().create().unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::AlreadyExists);
        flushed.next().unwrap().replace().unwrap();
        drop(flushed);
        let read = |name| fs::read(directory.path().join(name)).unwrap();
        assert_eq!((read("0"), read("1")), (b"old".to_vec(), b"1".to_vec()));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    /// One file system that has to be flushed file by file is enough.
    #[test]
    fn a_file_system_that_is_not_known_is_not_flushed_as_a_whole() {
        let unknown = Path::new("/proc");
        assert!(Flush::begin([unknown]).unwrap().is_none());
        if let Some((directory, _)) = whole() {
            let both = Flush::begin([directory.path(), unknown]);
            assert!(both.unwrap().is_none());
        }
    }

    #[test]
    fn the_error_names_the_directory_that_it_is_about() {
        let Some((directory, _)) = whole() else {
            return;
        };
        let gone = directory.path().join("gone");
        let failed = Flush::begin([directory.path(), &gone]).unwrap_err();
        assert_eq!(failed.directory, gone);
        assert_eq!(failed.error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn systems_that_keep_errors_to_themselves_are_known() {
        for (release, expected) in [
            ("6.18.44-x\n", true),
            ("5.8.0-rc1", true),
            ("5.10", true),
            ("5.7.19", false),
            ("4.19.0", false),
            ("5", false),
            ("", false),
            ("x.9", false),
        ] {
            assert_eq!(tells_errors(release), expected, "{release}");
        }
    }
}
