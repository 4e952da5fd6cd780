//! `kill -9` while a real process updates: the next update succeeds, no version goes back, every file is whole.
//!
//! The process is this test, started once more. It tells through a pipe what it is about to do and waits for leave, so it dies at
//! the step that was chosen: waiting before it, or somewhere in it.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use tuffet_client::blocking::Updater;
use tuffet_client::{
    Destination, DirectoryStore, Notice, Source, Store, StoreError, StoreLock, TrustAnchor,
};
use tuffet_core::crypto::Scheme;
use tuffet_core::json::Value;
use tuffet_core::trust::{Item, Write};

use crate::quirks::keys::Key;
use crate::quirks::repository::Repository;
use crate::world::path;

/// How many processes are killed.
const KILLS: usize = 30;
/// A seed to repeat the changes and the moments of an earlier run, as far as they can be repeated.
const SEED: &str = "TUFFET_KILL_SEED";
/// Tells the process that is killed where to update.
const VICTIM: &str = "TUFFET_KILL_VICTIM";
/// What a process says before each step, at the beginning of a line.
const STEP: &str = "step: ";

const TOP_LEVEL: &str = "app";
const DELEGATED: &str = "team/tool";

/// The xorshift generator of Marsaglia: good enough to pick moments, and the same everywhere.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = std::env::var(SEED).ok().map_or_else(
            || RandomState::new().build_hasher().finish(),
            |seed| seed.parse().unwrap(),
        );
        println!("{SEED}={seed}");
        Self(seed.max(1))
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

/// The version of every role, as the files in the store say, without the help of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Versions(BTreeMap<String, u64>);

impl Versions {
    /// Fails if any `.json` file is not JSON.
    fn of(store: &Path) -> Self {
        let mut versions = BTreeMap::new();
        for (directory, prefix) in [(store.to_owned(), ""), (store.join("roots"), "roots/")] {
            for entry in fs::read_dir(directory).into_iter().flatten() {
                let path = entry.unwrap().path();
                let Some(name) = path
                    .file_name()
                    .and_then(|name| name.to_str()?.strip_suffix(".json"))
                else {
                    continue;
                };
                let bytes = fs::read(&path).unwrap();
                let value = Value::parse(&bytes)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let version = value.get("signed").unwrap().get("version").unwrap();
                versions.insert(format!("{prefix}{name}"), version.as_u64().unwrap());
            }
        }
        Self(versions)
    }

    /// Nothing that was there is gone or older. A rotation of the online keys makes timestamp and snapshot begin anew.
    fn assert_not_below(&self, floor: &Self, rotated: bool, context: &str) {
        for (role, floor) in &floor.0 {
            if rotated && matches!(role.as_str(), "timestamp" | "snapshot") {
                continue;
            }
            let now = self.0.get(role).copied().unwrap_or(0);
            assert!(
                now >= *floor,
                "{context}: {role} went from {floor} to {now}"
            );
        }
    }
}

/// A step of an update at which it can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The store is written to.
    Write,
    /// A file is asked for, or a piece of it has arrived.
    Receive,
}

impl Step {
    const ALL: [(Self, &str); 2] = [(Self::Write, "write"), (Self::Receive, "receive")];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(step, _)| *step == self).unwrap().1
    }

    fn told(line: &str) -> Option<Self> {
        let name = line.strip_prefix(STEP)?;
        let (step, _) = Self::ALL.iter().find(|(_, known)| *known == name).unwrap();
        Some(*step)
    }
}

/// Called before each step.
type Watch = Arc<dyn Fn(Step) + Send + Sync>;

/// A store that makes one change at a time.
struct Watched {
    store: DirectoryStore,
    watch: Watch,
}

impl Store for Watched {
    fn load(&self, item: &Item, most: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.load(item, most)
    }

    fn apply(&self, writes: &[Write]) -> Result<(), StoreError> {
        for write in writes {
            (self.watch)(Step::Write);
            self.store.apply(std::slice::from_ref(write))?;
        }
        Ok(())
    }

    fn lock(&self) -> Result<StoreLock, StoreError> {
        self.store.lock()
    }
}

/// A refresh, a search through the delegation, and two downloads.
fn update(scene: &Path, store: &str, out: &str, watch: Watch) {
    let anchor = TrustAnchor::Root(fs::read(scene.join("anchor")).unwrap());
    let published = scene.join("published");
    let store = Watched {
        store: DirectoryStore::new(scene.join(store)),
        watch: Arc::clone(&watch),
    };
    let updater = Updater::builder(anchor, store)
        .source(Source::at(published.to_str().unwrap()))
        .observer(move |notice: &Notice<'_>| {
            if matches!(notice, Notice::Request { .. } | Notice::Progress { .. }) {
                watch(Step::Receive);
            }
        })
        .build()
        .unwrap();
    updater.refresh().unwrap();
    let destination = Destination::below(scene.join(out)).overwrite(true);
    fs::create_dir_all(scene.join(out)).unwrap();
    for target in [TOP_LEVEL, DELEGATED] {
        let found = updater.find(&path(target)).unwrap();
        updater.download(&found, &destination).unwrap();
    }
}

/// The process that is killed: tells each step and waits for leave to take it.
fn be_killed(scene: &Path) {
    let watch = |step: Step| {
        let mut stdout = io::stdout();
        // What the test harness has said may not have ended its line.
        writeln!(stdout, "\n{STEP}{}", step.name()).unwrap();
        stdout.flush().unwrap();
        io::stdin().read_exact(&mut [0]).unwrap();
    };
    update(scene, "store", "out", Arc::new(watch));
}

/// The places of one run.
struct Scene {
    directory: tempfile::TempDir,
}

impl Scene {
    fn place(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The steps that an update would take now, taken on copies.
    fn steps(&self) -> Vec<Step> {
        for (from, copy) in [("store", "copied store"), ("out", "copied out")] {
            let copy = self.place(copy);
            let _ = fs::remove_dir_all(&copy);
            copy_files(&self.place(from), &copy);
        }
        let steps = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&steps);
        let watch = move |step| taken.lock().unwrap().push(step);
        let scene = self.directory.path();
        update(scene, "copied store", "copied out", Arc::new(watch));
        let steps = steps.lock().unwrap();
        steps.clone()
    }

    /// Starts an update and kills it at the step with this number, counted from 0: before it, or in it.
    fn kill(&self, at: usize, before: bool) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", TEST])
            .env(VICTIM, self.directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut leave, said) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let lines = BufReader::new(said).lines().map(Result::unwrap);
        let steps = lines.filter_map(|line| Step::told(&line));
        for (number, _) in steps.enumerate() {
            if number == at && before {
                break;
            }
            leave.write_all(&[0]).unwrap();
            if number == at {
                break;
            }
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        // It waits for leave to take the step after this one, and gets none: no code, it was the signal.
        assert_eq!(status.code(), None, "step {at}");
    }

    /// The next update comes to its end.
    fn recover(&self, repository: &Repository, context: &str) {
        update(self.directory.path(), "store", "out", Arc::new(|_| ()));
        for (path, expected) in &repository.expected {
            let file = self.target(path);
            assert!(
                fs::read(file).unwrap() == expected.bytes,
                "{context}: {path}"
            );
        }
    }

    fn target(&self, path: &str) -> PathBuf {
        self.place("out").join(path)
    }

    /// A target that is there is one that was published, as a whole.
    fn assert_targets_whole(&self, states: [&Repository; 2], context: &str) {
        for path in [TOP_LEVEL, DELEGATED] {
            let Ok(bytes) = fs::read(self.target(path)) else {
                continue;
            };
            let known = states
                .iter()
                .any(|state| state.expected[path].bytes == bytes);
            assert!(
                known,
                "{context}: {path} is neither the old nor the new one"
            );
        }
    }

    /// Whoever shows the old state again is believed no further than what is stored now.
    fn assert_nothing_forgotten(&self, before: &Repository, rotated: bool, context: &str) {
        let (old, copy) = (self.place("old"), self.place("copy"));
        for place in [&old, &copy] {
            let _ = fs::remove_dir_all(place);
        }
        before.write(&old);
        copy_files(&self.place("store"), &copy);
        let stored = Versions::of(&copy);
        let refreshed = Updater::builder(before.anchor(), DirectoryStore::new(&copy))
            .source(Source::at(old.to_str().unwrap()))
            .build()
            .unwrap()
            .refresh();
        if let Err(error) = refreshed {
            let code = error.code();
            // The old files are older, or signed by keys that have been replaced.
            let expected = code.starts_with("rollback.") || code.starts_with("threshold.");
            assert!(expected, "{context}: {code}: {error}");
        }
        Versions::of(&copy).assert_not_below(&stored, rotated, context);
    }
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_files(&path, &to);
        } else {
            fs::copy(&path, to).unwrap();
        }
    }
}

fn first_state() -> Repository {
    let mut repository = Repository::new();
    repository.add_target("targets", TOP_LEVEL, &content(0));
    repository.delegate("targets", "team", &[Key::ed25519()], &["team/*"]);
    repository.add_target("team", DELEGATED, b"0");
    publish(&mut repository);
    repository
}

/// Large enough to be received in several pieces.
fn content(number: usize) -> Vec<u8> {
    format!("{number:08}\n").repeat(50_000).into_bytes()
}

/// The program asks the clock of the system.
fn publish(repository: &mut Repository) {
    repository.each(|document| document.set(&["expires"], "9999-12-31T00:00:00Z"));
    repository.publish();
}

/// Changes a repository, in another way each time; says whether the online keys were rotated.
fn change(repository: &mut Repository, number: usize) -> bool {
    let raise = |repository: &mut Repository, roles: &[&str]| {
        for role in roles {
            let document = repository.document(role);
            document.set_version(document.version() + 1);
        }
    };
    let new_key = |repository: &mut Repository, role| {
        repository.set_role(role, &[Key::new(Scheme::Ed25519)], 1);
    };
    match number % 6 {
        0 => {
            repository.replace_target("targets", TOP_LEVEL, &content(number));
            raise(repository, &["targets", "snapshot", "timestamp"]);
        }
        1 => {
            repository.replace_target("team", DELEGATED, number.to_string().as_bytes());
            raise(repository, &["team", "snapshot", "timestamp"]);
        }
        2 => {
            for _ in 0..3 {
                repository.next_root();
                new_key(repository, "root");
            }
            raise(repository, &["timestamp"]);
        }
        3 => {
            repository.next_root();
            for role in ["timestamp", "snapshot"] {
                new_key(repository, role);
                repository.document(role).set_version(1);
            }
            return true;
        }
        4 => raise(repository, &["timestamp"]),
        _ => {
            repository.next_root();
            new_key(repository, "targets");
            repository.replace_target("targets", TOP_LEVEL, &content(number));
            repository.replace_target("team", DELEGATED, number.to_string().as_bytes());
            raise(repository, &["team", "targets", "snapshot", "timestamp"]);
        }
    }
    false
}

const TEST: &str = "kill::c00_a_kill_at_any_moment_is_recovered_from_and_nothing_is_forgotten";

#[test]
fn c00_a_kill_at_any_moment_is_recovered_from_and_nothing_is_forgotten() {
    if let Some(scene) = std::env::var_os(VICTIM) {
        return be_killed(Path::new(&scene));
    }
    let directory = tempfile::tempdir().unwrap();
    let scene = Scene { directory };
    let mut random = Random::new();
    let mut repository = first_state();
    repository.write(&scene.place("published"));
    fs::copy(
        scene.place("published/metadata/1.root.json"),
        scene.place("anchor"),
    )
    .unwrap();
    scene.recover(&repository, "the first update");
    let mut floor = Versions::of(&scene.place("store"));
    let mut amid = 0;
    for number in 1..=KILLS {
        let before = repository.clone();
        let rotated = change(&mut repository, number);
        publish(&mut repository);
        repository.write(&scene.place("published"));

        let steps = scene.steps();
        let writes = || (0..steps.len()).filter(|&step| steps[step] == Step::Write);
        // Between two writes, or in any step but the last one, after which the process may end by itself.
        let between = number % 2 == 1;
        let at = if between {
            let later: Vec<usize> = writes().skip(1).collect();
            later[random.below(later.len() as u64) as usize]
        } else {
            random.below(steps.len() as u64 - 1) as usize
        };
        let context = format!("update {number}, killed at step {at} of {}", steps.len());
        scene.kill(at, between);

        let stored = Versions::of(&scene.place("store"));
        stored.assert_not_below(&floor, rotated, &context);
        scene.assert_targets_whole([&before, &repository], &context);
        scene.assert_nothing_forgotten(&before, rotated, &context);
        scene.recover(&repository, &context);
        let complete = Versions::of(&scene.place("store"));
        complete.assert_not_below(&floor, rotated, &context);
        amid += usize::from(stored != floor && stored != complete);
        floor = complete;
    }
    println!("{KILLS} killed, {amid} of them when a part of the update was stored");
    assert!(amid > 0, "no kill left a part of an update in the store");
}
