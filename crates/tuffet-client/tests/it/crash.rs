//! Power cuts: whatever write the client stops at, the next refresh goes on, and never trusts less than before.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tuffet_client::blocking::Updater;
use tuffet_client::{
    DirectoryStore, Error, FixedClock, MemoryTransport, Source, Store, StoreError, StoreLock,
};
use tuffet_core::trust::{Item, TrustedView, Write};

use crate::repository::{NOW, Repository};
use crate::world::path;

/// A store that stops before the write with this number, as a machine does whose power is cut.
struct Mortal {
    store: DirectoryStore,
    left: AtomicUsize,
    done: Arc<AtomicUsize>,
}

impl Store for Mortal {
    fn load(&self, item: &Item, most: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.load(item, most)
    }

    fn apply(&self, writes: &[Write]) -> Result<(), StoreError> {
        for write in writes {
            if self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
                return Err(StoreError::Other("power cut".into()));
            }
            self.store.apply(std::slice::from_ref(write))?;
            self.done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn lock(&self) -> Result<StoreLock, StoreError> {
        self.store.lock()
    }
}

/// Refreshes and searches a delegated target, so that every kind of item is stored.
fn update(repository: &Repository, store: impl Store + 'static) -> Result<TrustedView, Error> {
    let transport = MemoryTransport::new();
    repository.serve(&transport, "memory://r");
    let updater = Updater::builder(repository.anchor(), store)
        .source(Source::at("memory://r"))
        .transport(Arc::new(transport))
        .clock(FixedClock(NOW))
        .build()?;
    updater.refresh()?;
    match updater.find(&path("team/app")) {
        Ok(_) => {}
        // Before the role was delegated to.
        Err(error) if error.code() == "target.not-found" => {}
        Err(error) => return Err(error),
    }
    Ok(updater.view().unwrap())
}

/// Root, timestamp, snapshot, targets.
fn versions(view: &TrustedView) -> [u64; 4] {
    [
        view.root().version().number(),
        view.timestamp().version().number(),
        view.snapshot().version().number(),
        view.targets().version().number(),
    ]
}

/// A change of a repository, and its name.
type Change = (&'static str, fn(&mut Repository));

/// The states of a repository: each is what was published when the one before was current.
fn history() -> Vec<(&'static str, Repository)> {
    let steps: [Change; 6] = [
        ("fresh", |_| {}),
        ("new targets", |repository| repository.target("app", b"two")),
        ("delegation", |repository| {
            repository.delegate("team", &["team/*"], false);
            repository.delegated_target("team", "team/app", b"one");
        }),
        ("new delegated role", |repository| {
            repository.delegated_target("team", "team/app", b"two");
        }),
        ("new roots", |repository| {
            repository.new_root();
            repository.new_root();
        }),
        ("rotation with recovery from fast-forward", |repository| {
            repository.rotate_online_keys();
            repository.target("app", b"three");
        }),
    ];
    (1..=steps.len())
        .map(|count| {
            let mut repository = Repository::new();
            repository.target("app", b"one");
            for (_, change) in &steps[..count] {
                change(&mut repository);
                repository.publish();
            }
            (steps[count - 1].0, repository)
        })
        .collect()
}

#[test]
fn c00_a_power_cut_after_any_write_is_recovered_from_and_nothing_is_forgotten() {
    let history = history();
    let mut cuts = 0;
    for (place, (name, after)) in history.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| &history[before].1);
        let mut writes = 0;
        for cut in 0.. {
            let directory = tempfile::tempdir().unwrap();
            let store = DirectoryStore::new(directory.path());
            let known = before.map(|before| versions(&update(before, store.clone()).unwrap()));
            let done = Arc::new(AtomicUsize::new(0));
            let mortal = Mortal {
                store: store.clone(),
                left: AtomicUsize::new(cut),
                done: Arc::clone(&done),
            };
            let ended = update(after, mortal);
            let finished = ended.is_ok();
            let context = format!("{name}, cut after {cut} writes");
            if !finished {
                assert_eq!(ended.unwrap_err().code(), "store.other", "{context}");
                assert_eq!(done.load(Ordering::Relaxed), cut);
            }

            // Whoever shows the old state again may be believed only as far as it was before; after a rotation never.
            if let (Some(before), Some(known)) = (before, known) {
                let copy = tempfile::tempdir().unwrap();
                copy_store(directory.path(), copy.path());
                match update(before, DirectoryStore::new(copy.path())) {
                    Ok(view) => {
                        let now = versions(&view);
                        assert!(
                            now.iter().zip(known).all(|(now, known)| *now >= known),
                            "{context}"
                        );
                    }
                    Err(error) => assert!(
                        error.code().starts_with("rollback.")
                            || error.code() == "threshold.timestamp",
                        "{context}: {error}"
                    ),
                }
            }

            let recovered =
                update(after, store).unwrap_or_else(|error| panic!("{context}: {error}"));
            let whole = tempfile::tempdir().unwrap();
            let undisturbed = update(after, DirectoryStore::new(whole.path())).unwrap();
            assert_eq!(versions(&recovered), versions(&undisturbed), "{context}");
            writes = cut;
            cuts += 1;
            if finished {
                break;
            }
        }
        // Each change is stored in more than one write, else there was nothing to cut.
        assert!(writes >= 4, "{name}: {writes}");
    }
    println!("{cuts} power cuts");
}

fn copy_store(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&to).unwrap();
            copy_store(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
