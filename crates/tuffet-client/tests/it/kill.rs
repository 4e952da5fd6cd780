//! `kill -9` while the real program updates: the next update succeeds, no version goes back, every file is whole.
//!
//! The program is the example `conformance`, which `cargo test` builds. It is killed after a random part of the time that it takes
//! when nobody disturbs it. No outcome depends on how long anything takes: a kill that comes early or late is just one that
//! found less to interrupt.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tuffet_client::blocking::Updater;
use tuffet_client::{DirectoryStore, Source};
use tuffet_core::crypto::Scheme;
use tuffet_core::json::Value;

use crate::quirks::keys::Key;
use crate::quirks::repository::Repository;

/// How many processes are killed.
const KILLS: usize = 30;
/// How many are started at the most: some come to their end first.
const STARTS: usize = 120;
/// A seed to repeat the changes and the moments of an earlier run, as far as they can be repeated.
const SEED: &str = "TUFFET_KILL_SEED";

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

/// The places of one run.
struct Scene {
    directory: tempfile::TempDir,
    program: PathBuf,
}

impl Scene {
    /// `None` if the program has not been built.
    fn new() -> Option<Self> {
        let test = std::env::current_exe().unwrap();
        let built = test.parent().unwrap().parent().unwrap();
        let program = built.join("examples").join("conformance");
        if !program.is_file() {
            println!("skipped: the example conformance is not built; `cargo test` builds it");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        Some(Self { directory, program })
    }

    fn place(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--metadata-dir")
            .arg(self.place("store"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.place("said")).unwrap());
        command
    }

    fn init(&self) {
        let root = self.place("published/metadata/1.root.json");
        let status = self.command().arg("init").arg(root).status().unwrap();
        assert!(status.success());
    }

    /// A refresh, a search through the delegation, and two downloads.
    fn update(&self) -> Command {
        let mut command = self.command();
        command
            .arg("--metadata-url")
            .arg(self.place("published/metadata"))
            .arg("--target-base-url")
            .arg(self.place("published/targets"))
            .arg("--target-dir")
            .arg(self.place("out"))
            .args(["--target-name", TOP_LEVEL, "--target-name", DELEGATED])
            .arg("download");
        command
    }

    fn assert_success(&self, status: ExitStatus, context: &str) {
        let said = fs::read_to_string(self.place("said")).unwrap();
        assert!(status.success(), "{context}: {status}\n{said}");
    }

    /// Updates without disturbance; says how long it took.
    fn recover(&self, repository: &Repository, context: &str) -> Duration {
        let start = Instant::now();
        let status = self.update().status().unwrap();
        let took = start.elapsed();
        self.assert_success(status, context);
        for (path, expected) in &repository.expected {
            let file = self.target(path);
            assert!(
                fs::read(file).unwrap() == expected.bytes,
                "{context}: {path}"
            );
        }
        took
    }

    fn target(&self, path: &str) -> PathBuf {
        self.place("out").join(path.replace('/', "%2F"))
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

/// Waits about so long. There is no event to wait for: the point is to be at no particular one.
fn let_pass(delay: Duration) {
    let start = Instant::now();
    while let Some(left) = delay.checked_sub(start.elapsed()) {
        thread::park_timeout(left);
    }
}

#[test]
fn c00_a_kill_at_any_moment_is_recovered_from_and_nothing_is_forgotten() {
    let Some(scene) = Scene::new() else { return };
    let mut random = Random::new();
    let mut repository = first_state();
    repository.write(&scene.place("published"));
    scene.init();
    let mut took = scene.recover(&repository, "the first update");
    let mut floor = Versions::of(&scene.place("store"));
    let (mut killed, mut amid) = (0, 0);
    for number in 1..=STARTS {
        let before = repository.clone();
        let rotated = change(&mut repository, number);
        publish(&mut repository);
        repository.write(&scene.place("published"));

        let moment = took * u32::try_from(random.below(1000)).unwrap() / 1000;
        let context = format!("update {number}, killed after {moment:?}");
        let mut child = scene.update().spawn().unwrap();
        let_pass(moment);
        child.kill().unwrap();
        let status = child.wait().unwrap();
        // No code: it was the signal.
        if status.code().is_some() {
            scene.assert_success(status, &context);
        } else {
            killed += 1;
        }

        let stored = Versions::of(&scene.place("store"));
        stored.assert_not_below(&floor, rotated, &context);
        scene.assert_targets_whole([&before, &repository], &context);
        scene.assert_nothing_forgotten(&before, rotated, &context);
        took = (took + scene.recover(&repository, &context)) / 2;
        let complete = Versions::of(&scene.place("store"));
        complete.assert_not_below(&floor, rotated, &context);
        amid += usize::from(stored != floor && stored != complete);
        floor = complete;
        if killed == KILLS {
            break;
        }
    }
    println!("{killed} killed, {amid} of them when a part of the update was stored");
    if killed == 0 {
        println!("skipped: every process came to its end before it was killed");
    }
}
