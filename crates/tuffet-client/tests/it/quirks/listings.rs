//! What snapshot, timestamp and targets list, and who answers for a target.

use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::metadata::Tolerance;

use super::Quirk;
use super::document::{array, digest, object, text};
use super::keys::Key;
use super::repository::Repository;
use super::schemes::of_key;

fn plain() -> Repository {
    of_key(Key::ed25519())
}

fn with(change: impl FnOnce(&mut Repository)) -> Repository {
    let mut repository = plain();
    change(&mut repository);
    repository
}

fn with_hashes(algorithms: &[HashAlgorithm]) -> Repository {
    let key = Key::ed25519();
    let mut repository = Repository::signed_by(std::slice::from_ref(&key), 1);
    repository.algorithms = algorithms.to_vec();
    repository.add_target("targets", "app", b"app");
    repository.delegate("targets", "team", &[key], &["team/*"]);
    repository.add_target("team", "team/tool", b"tool");
    repository
}

pub(super) fn quirks() -> Vec<Quirk> {
    let (sha256, sha512) = (HashAlgorithm::Sha256, HashAlgorithm::Sha512);
    vec![
        Quirk::once("only SHA-512", &[], with_hashes(&[sha512])),
        Quirk::once("only SHA-384", &[], with_hashes(&[HashAlgorithm::Sha384])),
        Quirk::once("SHA-256 and SHA-512", &[], with_hashes(&[sha256, sha512])),
        targets_under_one_of_two_hashes(),
        Quirk::once(
            "hashes in capital digits",
            &[],
            with(|repository| {
                let hash = digest(sha256, b"app").to_uppercase();
                let path = ["targets", "app", "hashes", "sha256"];
                repository.targets.set(&path, hash);
            }),
        ),
        Quirk::once(
            "unknown and weak hashes of targets",
            &[Tolerance::HashUnknown],
            with(|repository| {
                for (name, value) in [("blake9", "future"), ("md5", "")] {
                    let path = ["targets", "app", "hashes", name];
                    repository.targets.set(&path, value);
                }
            }),
        ),
        Quirk::once(
            "unknown hashes of metadata",
            &[Tolerance::HashUnknown],
            with(|repository| {
                let unknown = object([("blake9", text("future"))]);
                let listed = object([("hashes", unknown)]);
                repository
                    .snapshot
                    .set(&["meta", "targets.json"], listed.clone());
                repository.timestamp.set(&["meta", "snapshot.json"], listed);
            }),
        ),
        Quirk::once("neither lengths nor hashes", &[], without_hashes()),
        Quirk::once(
            "a stale root in snapshot",
            &[Tolerance::SnapshotExtra],
            with(|repository| {
                let listed = object([("version", 1.into())]);
                repository.snapshot.set(&["meta", "root.json"], listed);
                repository.next_root();
                repository.next_root();
            }),
        ),
        roles_that_are_not_delegated_to_any_more(),
        Quirk::once(
            "custom that is text",
            &[Tolerance::CustomForm],
            with(|repository| {
                repository
                    .targets
                    .set(&["targets", "app", "custom"], "text");
            }),
        ),
        Quirk::once(
            "custom that is an object",
            &[],
            with(|repository| {
                let custom = object([("sigstore", object([("usage", text("CTFE"))]))]);
                repository
                    .targets
                    .set(&["targets", "app", "custom"], custom);
            }),
        ),
        Quirk::once("a target that two roles list", &[], listed_twice()),
        Quirk::once(
            "a target that two roles list, without consistent snapshots",
            &[],
            listed_twice().without_consistent_snapshots(),
        ),
        Quirk::once(
            "a terminating delegation before one of everything",
            &[],
            terminating_before_everything(),
        ),
        Quirk::once("delegations by hash prefixes", &[], hash_prefixes()),
    ]
}

/// The client tries the names that the listed hashes make, one after the other.
fn targets_under_one_of_two_hashes() -> Quirk {
    let mut repository = with_hashes(&[HashAlgorithm::Sha256, HashAlgorithm::Sha512]);
    repository.publish();
    let shorter = |name: &String| name.len() < "targets/".len() + 128;
    let (gone, kept): (Vec<String>, Vec<String>) = repository
        .files
        .keys()
        .filter(|name| name.starts_with("targets/"))
        .cloned()
        .partition(shorter);
    assert_eq!((gone.len(), kept.len()), (2, 2));
    repository.files.retain(|name, _| !gone.contains(name));
    Quirk::new("targets under their SHA-512 only", &[], [repository])
}

fn without_hashes() -> Repository {
    let mut repository = plain();
    repository.lists_only_versions = true;
    repository
}

/// Snapshot must go on listing them (rule C-34), and their files are gone.
fn roles_that_are_not_delegated_to_any_more() -> Quirk {
    let mut before = plain();
    before.publish();
    let mut after = before.clone();
    after.delegated.remove("team");
    after.targets.set(&["delegations", "roles"], array([]));
    after.expected.remove("team/tool");
    after.files.remove("metadata/1.team.json");
    after.raise_versions();
    after.publish();
    Quirk::new(
        "roles that nobody delegates to any more",
        &[],
        [before, after],
    )
}

/// The top-level role comes first, whatever the delegated one says.
fn listed_twice() -> Repository {
    let key = Key::ed25519();
    let mut repository = Repository::new();
    repository.delegate("targets", "rekor", &[key], &["rekor.*.pub"]);
    repository.add_target("targets", "rekor.0.pub", b"of targets");
    repository.add_target("rekor", "rekor.0.pub", b"of rekor");
    repository.add_target("rekor", "rekor.1.pub", b"of rekor alone");
    repository
}

fn terminating_before_everything() -> Repository {
    let mut repository = Repository::new();
    repository.delegate("targets", "rekor", &[Key::ed25519()], &["rekor.*.pub"]);
    *repository
        .delegation("targets")
        .get_mut("terminating")
        .unwrap() = true.into();
    repository.delegate("targets", "staging", &[Key::ed25519()], &["*"]);
    repository.add_target("rekor", "rekor.0.pub", b"of rekor");
    repository.add_target("staging", "rekor.0.pub", b"of staging");
    repository.add_target("staging", "anything", b"else");
    repository
}

fn hash_prefixes() -> Repository {
    let mut repository = Repository::new();
    for (name, digits) in [("low", "01234567"), ("high", "89abcdef")] {
        repository.delegate("targets", name, &[Key::ed25519()], &[]);
        let delegation = repository.delegation("targets").as_object_mut().unwrap();
        delegation.remove("paths");
        let prefixes = digits
            .chars()
            .map(|digit| text(&digit.to_string()))
            .collect();
        delegation.insert("path_hash_prefixes".into(), prefixes);
    }
    for number in 0..8 {
        let path = format!("file-{number}");
        let first = digest(HashAlgorithm::Sha256, path.as_bytes());
        let role = if first.as_str() < "8" { "low" } else { "high" };
        repository.add_target(role, &path, path.as_bytes());
    }
    repository
}

#[test]
fn ways_of_listing_files_and_targets() {
    super::check(quirks());
}
