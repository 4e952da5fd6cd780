//! A change from somebody else is taken or refused; what is taken says what would be done, and nothing has been done yet.
//!
//! The repository is a new one with two root keys, made once in each process. A copy of it has a change open, so that
//! signatures alone are offered, too.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tuffet_core::crypto::Scheme;
use tuffet_core::metadata::UnixTime;
use tuffet_repo::{InitOptions, NamedKey, Repository};
use tuffet_sign::FileKey;

const NOW: UnixTime = UnixTime(1_800_000_000);

static PLACE: LazyLock<PathBuf> = LazyLock::new(|| {
    let place = std::env::temp_dir().join(format!("tuffet-fuzz-{}", std::process::id()));
    let key = || FileKey::generate(Scheme::Ed25519).expect("a key");
    let (ana, ben, online) = (key(), key(), key());
    let named = |name, key| NamedKey::of(name, key).expect("a key with a name");
    let root = vec![named("ana", &ana), named("ben", &ben)];
    let options = InitOptions::new("acme", root, 2, vec![named("online", &online)]);
    Repository::init(&place, &options, &[&ana], NOW)
        .expect("a plan")
        .execute()
        .expect("a repository");
    place
});

/// What somebody sends.
pub fn change(bytes: &[u8]) {
    let repository = Repository::open(&PLACE).expect("the repository");
    let before = repository.export_change().expect("the open change");
    let from = Path::new("input");
    if let Ok(plan) = repository.receive_change(bytes, from) {
        assert!(!plan.actions().is_empty());
    }
    // Whoever may only add signatures can do no more than who may begin a change.
    if repository.receive_signatures(bytes, from).is_ok() {
        assert!(repository.receive_change(bytes, from).is_ok());
    }
    let after = repository.export_change().expect("the open change");
    assert_eq!(
        before, after,
        "a plan that was not executed has done something"
    );
}
